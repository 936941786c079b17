/* option.h: the table that is a plugin's only way to get configuration */
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/**
 * TallyOptionType:
 * @TALLY_OPTION_TEXT: the field is a `char *`, %NULL if neither given nor with a fallback
 * @TALLY_OPTION_INT: a `gint64` within min and max
 * @TALLY_OPTION_SIZE: a `gint64` in bytes; written `64kB`, `16MiB`, `1000`
 * @TALLY_OPTION_DURATION: a `gint64` in microseconds; written `500ms`, `30s`, `2h`, `1d`
 * @TALLY_OPTION_BOOL: a `gboolean`; written `true` or `false`
 * @TALLY_OPTION_CHOICE: a `gint`, the index into #TallyOption.choices
 * @TALLY_OPTION_LIST: a `char **`, %NULL-terminated; a single text is a list of one
 * @TALLY_OPTION_SECRET: a `char *` that is never printed
 * @TALLY_OPTION_EXPRESSION: a `gint`: the index of the column, in the batches that the plugin
 *   gets, which holds the expression's value as text; -1 if not given.  For sinks only
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_OPTION_TEXT,
  TALLY_OPTION_INT,
  TALLY_OPTION_SIZE,
  TALLY_OPTION_DURATION,
  TALLY_OPTION_BOOL,
  TALLY_OPTION_CHOICE,
  TALLY_OPTION_LIST,
  TALLY_OPTION_SECRET,
  TALLY_OPTION_EXPRESSION,
} TallyOptionType;

/**
 * TallyOptionFlags:
 * @TALLY_OPTION_REQUIRED: the pipeline must give it
 * @TALLY_OPTION_PATH: a file name; a relative one is taken from the pipeline's folder
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_OPTION_REQUIRED = 1 << 0,
  TALLY_OPTION_PATH = 1 << 1,
} TallyOptionFlags;

/**
 * TallyOption:
 * @name: as written in a pipeline: lower case, words joined by `-` or `_`; both spellings are taken
 * @type: what it takes
 * @flags: see #TallyOptionFlags
 * @offset: of the field in the instance, by G_STRUCT_OFFSET()
 * @fallback: (nullable): the value if none is given, in the form that a pipeline has it
 * @min: least value of a number, size (bytes) or duration (microseconds)
 * @max: greatest value of these; 0 with @min 0 means no bounds
 * @choices: (nullable) (array zero-terminated=1): the words of a choice
 * @summary: one line for `tallyman inspect`: a noun phrase, no full stop
 * @example: (nullable): a value that shows the form
 *
 * One row of a plugin's table, which ends with an empty row.  All fields are filled before
 * the plugin is called for the first time, and freed by the core after its last.
 *
 * Since: 0.1
 */
typedef struct
{
  const char *name;
  TallyOptionType type;
  guint flags;
  gsize offset;
  const char *fallback;
  gint64 min;
  gint64 max;
  const char *const *choices;
  const char *summary;
  const char *example;
} TallyOption;

G_END_DECLS
