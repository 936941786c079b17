/* yaml.h: a YAML text as a tree whose nodes know where they stand
 *
 * A plain subset: one document, no aliases, no tags, keys are texts and differ.  Bounded in size and depth.
 */
#pragma once
#include <glib.h>

#define TALLY_YAML_MAX_SIZE (1024 * 1024)
#define TALLY_YAML_MAX_DEPTH 32
#define TALLY_YAML_MAX_KEYS 4096 /* of one map */

typedef enum { TALLY_YAML_SCALAR, TALLY_YAML_LIST, TALLY_YAML_MAP } TallyYamlKind;
typedef enum { TALLY_YAML_PLAIN, TALLY_YAML_SINGLE_QUOTED, TALLY_YAML_DOUBLE_QUOTED, TALLY_YAML_BLOCK } TallyYamlStyle;

typedef struct _TallyYamlNode TallyYamlNode;

struct _TallyYamlNode
{
  TallyYamlKind kind;
  TallyYamlStyle style;
  gsize start, end; /* bytes of the source: a scalar with its quotes; of a list or map its first byte */
  char *text;       /* (owned) a scalar's value; never NULL for one */
  TallyYamlNode *key; /* (owned) (nullable) of a member of a map */
  GPtrArray *items; /* (owned) (element-type TallyYamlNode) of a list, or the values of a map, each with its key */
};

/* Called with each mistake, as bytes of the source; hint may be NULL. */
typedef void (*TallyYamlReport) (gsize offset, gsize length, const char *message, const char *hint, gpointer data);

/* Reads source, which must be UTF-8 without NUL, and tells report of all mistakes.  NULL if the text is no YAML at all. */
TallyYamlNode *tally_yaml_parse (const char *source, gsize length, TallyYamlReport report, gpointer data);
void tally_yaml_node_free (TallyYamlNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyYamlNode, tally_yaml_node_free)

/* A scalar that is there but says nothing: `key:` or `key: ~`. */
gboolean tally_yaml_is_empty (const TallyYamlNode *node);
/* The value of key in a map, or NULL. */
TallyYamlNode *tally_yaml_find (const TallyYamlNode *map, const char *key);
/* Where byte offset of a scalar's text stands in the source, whatever its quotes, escapes and folds. */
gsize tally_yaml_source_offset (const TallyYamlNode *scalar, const char *source, gsize offset);
/* A node as JSON: plain scalars are null, booleans and numbers where they look so, the rest strings. */
void tally_yaml_append_json (const TallyYamlNode *node, GString *out);
