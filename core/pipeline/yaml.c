/* yaml.c: libfyaml's events become a tree that remembers bytes
 *
 * libfyaml's own documents would do, but for what we refuse: aliases (a few hundred bytes of them
 * can name billions of nodes), keys that are there twice (both places are to be told), and depth.
 * On events each of these is a line.
 */
#include "yaml.h"
#include <libfyaml.h>
#include <string.h>
#include <tallyman/batch.h>

typedef struct
{
  const char *source;
  gsize length;
  TallyYamlReport report;
  gpointer data;
  GPtrArray *open; /* (element-type TallyYamlNode) (unowned) lists and maps that have not ended */
  TallyYamlNode *root; /* (owned) (nullable) */
  TallyYamlNode *key;  /* (owned) (nullable) waits for its value */
  gboolean failed;     /* the tree is of no use */
  guint n_documents;
} Builder;

void
tally_yaml_node_free (TallyYamlNode *node)
{
  if (node == NULL)
    return;

  tally_yaml_node_free (node->key);
  g_clear_pointer (&node->items, g_ptr_array_unref);
  g_free (node->text);
  g_free (node);
}

static TallyYamlNode *
node_new (TallyYamlKind kind, gsize start, gsize end)
{
  TallyYamlNode *node = g_new0 (TallyYamlNode, 1);

  node->kind = kind;
  node->start = start;
  node->end = end;
  if (kind != TALLY_YAML_SCALAR)
    node->items = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_yaml_node_free);
  return node;
}

/* ---- Where a line begins and what stands there ---- */

static gsize
line_start (const Builder *builder, gint line)
{
  const char *at = builder->source;

  for (gint i = 1; i < line && at != NULL; i++)
    if ((at = strchr (at, '\n')) != NULL)
      at++;
  return at != NULL ? (gsize) (at - builder->source) : builder->length;
}

static gsize
next_line (const Builder *builder, gsize offset)
{
  const char *end = memchr (builder->source + offset, '\n', builder->length - offset);

  return end != NULL ? (gsize) (end - builder->source) + 1 : builder->length;
}

static gsize
blanks_at (const Builder *builder, gsize offset)
{
  return strspn (builder->source + offset, " \t");
}

/* What a caret underlines: a word, or the one character that is not part of one. */
static gsize
word_at (const Builder *builder, gsize offset)
{
  return MAX (strcspn (builder->source + offset, " \t\r\n:,[]{}\"'#"), 1);
}

/* ---- What libfyaml dislikes ---- */

/* Its words for the mistakes that people make most, and ours. */
static const struct
{
  const char *theirs, *ours, *hint;
} translations[] = {
  { "invalid indentation in mapping", "this line is indented unlike the ones that it belongs to",
    "give all keys of one map the same indentation" },
  { "wrong indendation in sequence", "this \"-\" is indented unlike the ones that it belongs to",
    "give all items of one list the same indentation" },
  { "invalid nested block mapping on the same line", "a second \": \" on one line",
    "put the value into quotes, or the inner key on a line of its own" },
  { "invalid mapping in plain multiline",
    "this line is indented unlike the ones that it belongs to",
    "give all keys of one map the same indentation" },
  { "plain scalar cannot start with", NULL, "put the value into quotes" },
  { "double-quoted scalar without closing quote", "this quote is never closed", NULL },
  { "single-quoted scalar without closing quote", "this quote is never closed", NULL },
  { "flow sequence without a closing bracket", "this list is never closed", "close it with \"]\"" },
  { "missing comma in flow mapping", "a \",\" or \"}\" is missing before here", NULL },
  { "invalid escape", NULL, "in double quotes write \\\\ for a backslash, or use single quotes" },
};

/* A tab where indentation belongs, from the line of offset to the next one with words on it. */
static gboolean
report_tab (const Builder *builder, gsize offset)
{
  gsize line = offset;

  while (line > 0 && builder->source[line - 1] != '\n')
    line--;
  for (guint i = 0; i < 2 && line < builder->length; i++, line = next_line (builder, line))
    {
      gsize blanks = blanks_at (builder, line);
      const char *tab = memchr (builder->source + line, '\t', blanks);

      if (tab != NULL)
        {
          builder->report (tab - builder->source, 1, "a tab cannot indent", "indent with spaces",
                           builder->data);
          return TRUE;
        }
    }

  return FALSE;
}

/* `b: 1` and then a deeper `c: 2`: libfyaml points at the value that goes on, a person looks for
 * the line that is too deep. */
static gsize
deeper_line (const Builder *builder, gsize offset)
{
  gsize line = next_line (builder, offset);

  return line < builder->length ? line + blanks_at (builder, line) : offset;
}

static void
report_error (const Builder *builder, const struct fy_diag_error *error)
{
  const struct fy_mark *mark = error->fyt != NULL ? fy_token_start_mark (error->fyt) : NULL;
  gsize offset
      = mark != NULL ? MIN (mark->input_pos, builder->length) : line_start (builder, error->line);

  if (report_tab (builder, offset))
    return;
  /* libfyaml begins to count after an opening quote, and misses a bracket only where the file ends.
   */
  if (strstr (error->msg, "without closing quote") != NULL && offset > 0
      && strchr ("\"'", builder->source[offset - 1]) != NULL)
    offset--;
  if (g_str_has_prefix (error->msg, "flow sequence without") && builder->open->len > 0)
    offset = ((TallyYamlNode *) builder->open->pdata[builder->open->len - 1])->start;
  if (g_str_has_prefix (error->msg, "invalid multiline plain key"))
    {
      offset = deeper_line (builder, offset);
      if (!report_tab (builder, offset))
        builder->report (
            offset, word_at (builder, offset),
            "this line is indented deeper than the one that it follows, which already has a value",
            "give all keys of one map the same indentation", builder->data);
      return;
    }

  for (guint i = 0; i < G_N_ELEMENTS (translations); i++)
    if (g_str_has_prefix (error->msg, translations[i].theirs))
      {
        builder->report (offset, word_at (builder, offset),
                         translations[i].ours != NULL ? translations[i].ours : error->msg,
                         translations[i].hint, builder->data);
        return;
      }
  builder->report (offset, 1, error->msg, NULL, builder->data);
}

/* ---- From events to the tree ---- */

static void
refuse (Builder *builder, const struct fy_mark *mark, const char *message, const char *hint)
{
  builder->failed = TRUE;
  builder->report (mark != NULL ? MIN (mark->input_pos, builder->length) : builder->length, 1,
                   message, hint, builder->data);
}

static void
report_duplicate (const Builder *builder, const TallyYamlNode *key, const TallyYamlNode *first)
{
  guint line = 1;
  g_autofree char *message = g_strdup_printf ("\"%s\" is there twice", key->text);
  g_autofree char *hint = NULL;
  gsize start = 0;

  for (gsize i = 0; i < first->start; i++)
    if (builder->source[i] == '\n')
      {
        line++;
        start = i + 1;
      }
  hint = g_strdup_printf ("the first one is at %u:%ld", line,
                          g_utf8_strlen (builder->source + start, first->start - start) + 1);
  builder->report (key->start, key->end - key->start, message, hint, builder->data);
}

/* Takes a complete node, or a list or map that begins.  Ownership goes to the tree. */
static void
add_node (Builder *builder, TallyYamlNode *node)
{
  TallyYamlNode *parent
      = builder->open->len > 0 ? builder->open->pdata[builder->open->len - 1] : NULL;
  TallyYamlNode *first;

  if (parent == NULL)
    {
      g_warn_if_fail (builder->root == NULL);
      builder->root = node;
    }
  else if (parent->kind == TALLY_YAML_LIST)
    g_ptr_array_add (parent->items, node);
  else if (builder->key == NULL)
    builder->key = node;
  else
    {
      first = tally_yaml_find (parent, builder->key->text);
      if (first != NULL)
        report_duplicate (builder, builder->key, first->key);
      node->key = g_steal_pointer (&builder->key);
      g_ptr_array_add (parent->items, node);
    }
}

static gboolean
expects_key (const Builder *builder)
{
  const TallyYamlNode *parent
      = builder->open->len > 0 ? builder->open->pdata[builder->open->len - 1] : NULL;

  return parent != NULL && parent->kind == TALLY_YAML_MAP && builder->key == NULL;
}

static void
begin (Builder *builder, TallyYamlKind kind, struct fy_event *event)
{
  const struct fy_mark *mark = fy_event_start_mark (event);
  gsize start = mark != NULL ? MIN (mark->input_pos, builder->length) : builder->length;
  TallyYamlNode *node;

  if (expects_key (builder))
    refuse (builder, mark, "a key must be a text",
            "put braces and brackets that are meant as text into quotes");
  else if (builder->open->len >= TALLY_YAML_MAX_DEPTH)
    refuse (builder, mark, "lists and maps are nested more than 32 deep", NULL);
  if (builder->failed)
    return;

  node = node_new (kind, start, start + 1);
  add_node (builder, node);
  /* A map in place of a key would have been refused, so it is the last of its parent. */
  g_ptr_array_add (builder->open, node);
}

/* libfyaml's marks stand within the quotes; a person sees the value with them. */
static void
include_quotes (const Builder *builder, TallyYamlNode *node)
{
  char quote = node->style == TALLY_YAML_DOUBLE_QUOTED ? '"' : '\'';

  if (node->style != TALLY_YAML_SINGLE_QUOTED && node->style != TALLY_YAML_DOUBLE_QUOTED)
    return;
  if (node->start > 0 && builder->source[node->start - 1] == quote)
    node->start--;
  if (node->end < builder->length && builder->source[node->end] == quote)
    node->end++;
}

static void
add_scalar (Builder *builder, struct fy_event *event)
{
  static const TallyYamlStyle styles[] = { [FYSS_PLAIN] = TALLY_YAML_PLAIN,
                                           [FYSS_SINGLE_QUOTED] = TALLY_YAML_SINGLE_QUOTED,
                                           [FYSS_DOUBLE_QUOTED] = TALLY_YAML_DOUBLE_QUOTED,
                                           [FYSS_LITERAL] = TALLY_YAML_BLOCK,
                                           [FYSS_FOLDED] = TALLY_YAML_BLOCK };
  const struct fy_mark *start = fy_event_start_mark (event), *end = fy_event_end_mark (event);
  size_t length = 0;
  const char *text = fy_token_get_text (event->scalar.value, &length);
  TallyYamlNode *node = node_new (TALLY_YAML_SCALAR, 0, 0);

  if (start != NULL && end != NULL)
    {
      node->start = MIN (start->input_pos, builder->length);
      node->end = CLAMP (end->input_pos, node->start, builder->length);
    }
  else if (builder->key != NULL) /* `key:` has a value without a place: right after the key */
    node->start = node->end = builder->key->end;
  node->style = styles[MAX (fy_token_scalar_style (event->scalar.value), FYSS_PLAIN)];
  include_quotes (builder, node);
  node->text = g_strndup (text != NULL ? text : "", length);
  if (strlen (node->text) != length || !g_utf8_validate (node->text, length, NULL))
    refuse (builder, start, "a text with a NUL or with half a character in it", NULL);
  if (event->scalar.tag != NULL)
    refuse (builder, start, "tags such as !name are not taken", "put the value into quotes");

  if (expects_key (builder)
      && ((TallyYamlNode *) builder->open->pdata[builder->open->len - 1])->items->len
             >= TALLY_YAML_MAX_KEYS)
    refuse (builder, start, "a map with more than 4096 keys", NULL);

  if (builder->failed)
    tally_yaml_node_free (node);
  else
    add_node (builder, node);
}

static void
end_last (Builder *builder)
{
  if (builder->open->len > 0)
    g_ptr_array_set_size (builder->open, builder->open->len - 1);
}

static void
handle (Builder *builder, struct fy_event *event)
{
  switch (event->type)
    {
    case FYET_DOCUMENT_START:
      if (++builder->n_documents > 1)
        refuse (builder, fy_event_start_mark (event), "a second document begins",
                "write one pipeline a file");
      break;
    case FYET_SCALAR:
      add_scalar (builder, event);
      break;
    case FYET_SEQUENCE_START:
      begin (builder, TALLY_YAML_LIST, event);
      break;
    case FYET_MAPPING_START:
      begin (builder, TALLY_YAML_MAP, event);
      break;
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
      end_last (builder);
      break;
    case FYET_ALIAS:
      refuse (builder, fy_event_start_mark (event),
              "an alias is not taken: the \"*\" before this name makes it one",
              "write the value out, or put it into quotes");
      break;
    default:
      break;
    }
}

static void
report_errors (Builder *builder, struct fy_diag *diag)
{
  const struct fy_diag_error *error;
  void *last = NULL;

  /* What comes after the first one follows from it. */
  error = fy_diag_errors_iterate (diag, &last);
  if (error != NULL)
    report_error (builder, error);
  else
    builder->report (0, 1, "cannot be read as YAML", NULL, builder->data);
}

TallyYamlNode *
tally_yaml_parse (const char *source, gsize length, TallyYamlReport report, gpointer data)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  Builder builder
      = { .source = source, .length = length, .report = report, .data = data, .open = open };
  struct fy_diag_cfg diag_config;
  struct fy_diag *diag;
  struct fy_parser *parser;
  struct fy_event *event;

  fy_diag_cfg_default (&diag_config);
  diag_config.fp = NULL;
  diag_config.level = FYET_ERROR;
  diag = fy_diag_create (&diag_config);
  fy_diag_set_collect_errors (diag, true);
  parser = fy_parser_create (&(struct fy_parse_cfg) {
      .flags = FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE | FYPCF_COLLECT_DIAG, .diag = diag });

  fy_parser_set_string (parser, source, length);
  while (!builder.failed && (event = fy_parser_parse (parser)) != NULL)
    {
      handle (&builder, event);
      fy_parser_event_free (parser, event);
    }
  if (!builder.failed && fy_diag_got_error (diag))
    {
      report_errors (&builder, diag);
      builder.failed = TRUE;
    }
  fy_parser_destroy (parser);
  fy_diag_destroy (diag);

  tally_yaml_node_free (builder.key);
  if (builder.failed)
    g_clear_pointer (&builder.root, tally_yaml_node_free);
  return builder.root;
}

/* ---- Questions to the tree ---- */

gboolean
tally_yaml_is_empty (const TallyYamlNode *node)
{
  return node->kind == TALLY_YAML_SCALAR && node->style == TALLY_YAML_PLAIN
         && (*node->text == '\0' || strcmp (node->text, "~") == 0);
}

TallyYamlNode *
tally_yaml_find (const TallyYamlNode *map, const char *key)
{
  for (guint i = 0; i < map->items->len; i++)
    {
      TallyYamlNode *node = map->items->pdata[i];

      if (strcmp (node->key->text, key) == 0)
        return node;
    }

  return NULL;
}

/* ---- Positions within a scalar ---- */

/* Bytes that the escape at source (after its backslash) takes there, and how many of them are of
 * its character that are not blank: none for \n, \t and a line's end. */
static gsize
skip_escape (const char *source, gsize available, gsize *ret_solid)
{
  static const struct
  {
    char letter;
    guint digits;
  } numbers[] = { { 'x', 2 }, { 'u', 4 }, { 'U', 8 } };

  *ret_solid = strchr ("ntrvf eNLP_\n\r", source[0]) != NULL ? 0 : 1;
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (source[0] == numbers[i].letter && available > numbers[i].digits)
      {
        g_autofree char *digits = g_strndup (source + 1, numbers[i].digits);
        gunichar character = g_ascii_strtoull (digits, NULL, 16);
        char utf8[6];

        *ret_solid
            = character <= ' ' ? 0 : (gsize) g_unichar_to_utf8 (MIN (character, 0x10ffff), utf8);
        return 1 + numbers[i].digits;
      }

  return 1;
}

/* Blanks and line ends may differ between text and source (folds, indentation), all other bytes are
 * the same and in the same order: so the n-th solid byte of the one is the n-th of the other. */
gsize
tally_yaml_source_offset (const TallyYamlNode *scalar, const char *source, gsize offset)
{
  gboolean quoted
      = scalar->style == TALLY_YAML_SINGLE_QUOTED || scalar->style == TALLY_YAML_DOUBLE_QUOTED;
  gsize at = scalar->start + (quoted ? 1 : 0),
        end = scalar->end - (quoted && scalar->end > scalar->start ? 1 : 0);
  gsize n_solid = 0, blanks = 0;

  for (gsize i = 0; i < offset && scalar->text[i] != '\0'; i++)
    {
      gboolean solid = !g_ascii_isspace (scalar->text[i]);

      n_solid += solid;
      blanks = solid ? 0 : blanks + 1;
    }

  while (at < end)
    {
      gsize width = 1, solid = g_ascii_isspace (source[at]) ? 0 : 1;

      if (scalar->style == TALLY_YAML_DOUBLE_QUOTED && source[at] == '\\' && at + 1 < end)
        width = 1 + skip_escape (source + at + 1, end - at - 1, &solid);
      else if (scalar->style == TALLY_YAML_SINGLE_QUOTED && source[at] == '\'')
        width = 2;
      /* The byte looked for is this one, or it is a blank and stands where the solid ones before it
       * end. */
      if (n_solid == 0 && (solid > 0 || (blanks == 0 && g_ascii_isspace (scalar->text[offset]))))
        return at;
      n_solid -= MIN (n_solid, solid);
      at += width;
    }

  return end;
}

/* ---- As JSON ---- */

/* JSON's own grammar: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static gboolean
is_number (const char *text)
{
  const char *at = text + (*text == '-');
  gsize digits = strspn (at, "0123456789");

  if (digits == 0 || (digits > 1 && *at == '0'))
    return FALSE;
  at += digits;
  if (*at == '.')
    {
      digits = strspn (++at, "0123456789");
      if (digits == 0)
        return FALSE;
      at += digits;
    }
  if (*at == 'e' || *at == 'E')
    {
      at++;
      at += *at == '+' || *at == '-';
      digits = strspn (at, "0123456789");
      if (digits == 0)
        return FALSE;
      at += digits;
    }
  return *at == '\0';
}

static void
append_scalar_json (const TallyYamlNode *node, GString *out)
{
  gboolean plain = node->style == TALLY_YAML_PLAIN;

  if (tally_yaml_is_empty (node) || (plain && strcmp (node->text, "null") == 0))
    g_string_append (out, "null");
  else if (plain
           && (strcmp (node->text, "true") == 0 || strcmp (node->text, "false") == 0
               || is_number (node->text)))
    g_string_append (out, node->text);
  else
    tally_json_append_string ((TallyText) { .data = node->text, .length = strlen (node->text) },
                              out);
}

void
tally_yaml_append_json (const TallyYamlNode *node, GString *out)
{
  if (node->kind == TALLY_YAML_SCALAR)
    {
      append_scalar_json (node, out);
      return;
    }

  g_string_append_c (out, node->kind == TALLY_YAML_MAP ? '{' : '[');
  for (guint i = 0; i < node->items->len; i++)
    {
      const TallyYamlNode *item = node->items->pdata[i];

      if (i > 0)
        g_string_append_c (out, ',');
      if (item->key != NULL)
        {
          tally_json_append_string (
              (TallyText) { .data = item->key->text, .length = strlen (item->key->text) }, out);
          g_string_append_c (out, ':');
        }
      tally_yaml_append_json (item, out);
    }
  g_string_append_c (out, node->kind == TALLY_YAML_MAP ? '}' : ']');
}
