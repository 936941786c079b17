/* guess-look.c: tries dialects on the first records, then looks at all of them by the best one */
#include "guess.h"
#include "plugin/instance.h"
#include "record/batch-private.h"
#include <stdlib.h>
#include <string.h>

#define BATCH 1000
/* Records on which a dialect is tried. */
#define TRIAL 2000
/* Beyond so many different values a column is taken to be unique. */
#define MOST_SEEN 2000000
/* Lines before a header that are tried to be left out. */
#define MOST_SKIPPED 5

/* A source that is open. */
typedef struct
{
  TallyInstance *instance; /* (owned) */
  TallyContext *ctx;       /* (owned) */
  TallySchema *schema;     /* (owned) (nullable) */
} Reading;

static void
reading_clear (Reading *reading)
{
  tally_instance_free (reading->instance);
  tally_context_free (reading->ctx);
  tally_schema_unref (reading->schema);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reading, reading_clear)

static gboolean
begin (TallyRegistry *registry, const char *path, const GuessDialect *dialect, Reading *ret_reading, GError **error)
{
  const TallyPlugin *plugin = tally_registry_find (registry, TALLY_SOURCE, "csv", error);
  g_autofree char *skip = g_strdup_printf ("%" G_GINT64_FORMAT, dialect->skip);
  const char *const options[][2] = { { "path", path },
                                     { "delimiter", dialect->delimiter },
                                     { "escape", dialect->escape },
                                     { "encoding", dialect->encoding },
                                     { "skip", skip },
                                     { "header", dialect->has_header ? "true" : "false" } };

  if (plugin == NULL)
    return FALSE;

  ret_reading->instance = tally_instance_new (plugin);
  ret_reading->ctx = tally_context_new ("/");
  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    if (options[i][1] != NULL && !tally_instance_set (ret_reading->instance, options[i][0], options[i][1], "/", error))
      return FALSE;
  if (!tally_instance_finish (ret_reading->instance, NULL, error)
      || !tally_instance_open (ret_reading->instance, ret_reading->ctx, error))
    return FALSE;

  ret_reading->schema = plugin->describe (ret_reading->instance->self, ret_reading->ctx, error);
  return ret_reading->schema != NULL;
}

static TallyFlow
read_batch (Reading *reading, TallyBatch *batch, GError **error)
{
  tally_batch_clear (batch);
  return reading->instance->plugin->read (reading->instance->self, reading->ctx, batch, error);
}

/* How well a dialect does on the first records: more is better, 0 is nothing. */
static double
try_dialect (TallyRegistry *registry, const char *path, const GuessDialect *dialect)
{
  g_auto (Reading) reading = { 0 };
  guint64 n_read = 0, n_rows = 0;
  TallyFlow flow = TALLY_FLOW_OK;
  guint n_columns;

  if (!begin (registry, path, dialect, &reading, NULL))
    return 0;

  g_autoptr (TallyBatch) batch = tally_batch_new (reading.schema, BATCH);
  n_columns = tally_schema_n_columns (reading.schema);
  while (flow == TALLY_FLOW_OK && n_read < TRIAL)
    {
      flow = read_batch (&reading, batch, NULL);
      n_read += tally_batch_n_read (batch);
      n_rows += tally_batch_n_rows (batch);
    }

  /* All good records in two columns count more than half of them in twenty; one column is the last resort.  To leave lines
   * out must gain something, and leave something. */
  if (dialect->skip > 0 && n_rows == 0)
    return 0;
  return (n_read > 0 ? (double) (n_rows + 1) / (n_read + 1) : 1) * (n_columns > 1 ? 1 : 0.3) + MIN (n_columns, 1000) * 1e-5
         - 0.02 * dialect->skip;
}

static GuessDialect
find_dialect (TallyRegistry *registry, const char *path)
{
  static const char *const delimiters[] = { NULL, ";", "tab", "|" };
  static const char *const encodings[] = { NULL, "windows-1252", "ISO-8859-1" };
  static const char *const escapes[] = { NULL, "\\" };
  GuessDialect best = { .has_header = TRUE };
  double best_score = -1;

  /* Where a simpler dialect does as well, it stays.  Lines are left out only where most records make no sense below them. */
  for (gint64 skip = 0; skip <= MOST_SKIPPED && best_score < 0.5; skip++)
    for (guint i = 0; i < G_N_ELEMENTS (escapes); i++)
      for (guint j = 0; j < G_N_ELEMENTS (encodings); j++)
        for (guint k = 0; k < G_N_ELEMENTS (delimiters); k++)
          {
            GuessDialect dialect = { delimiters[k], escapes[i], encodings[j], skip, TRUE };
            double score = try_dialect (registry, path, &dialect);

            if (score > best_score + 1e-9)
              {
                best = dialect;
                best_score = score;
              }
          }

  return best;
}

static guint64
hash_of (TallyText text)
{
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);

  for (gsize i = 0; i < text.length; i++)
    hash = (hash ^ (guint8) text.data[i]) * G_GUINT64_CONSTANT (0x100000001b3);
  return hash;
}

static GuessColumn *
column_new (const char *name)
{
  GuessColumn *column = g_new0 (GuessColumn, 1);

  column->name = g_strdup (name);
  column->kinds = GUESS_BIGINT | GUESS_NUMERIC | GUESS_BOOLEAN;
  column->formats = G_MAXUINT64;
  column->seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  column->choices = g_ptr_array_new_with_free_func (g_free);
  return column;
}

static void
column_free (gpointer data)
{
  GuessColumn *column = data;

  g_free (column->name);
  g_clear_pointer (&column->seen, g_hash_table_destroy);
  g_clear_pointer (&column->choices, g_ptr_array_unref);
  g_free (column);
}

/* Numbers as a person writes them; one that begins with 0 is a code, not a number. */
static guint
kinds_of (TallyText text)
{
  gsize i = text.length > 0 && text.data[0] == '-', start = i, point = 0;
  static const char *const booleans[] = { "true", "false", "yes", "no", "t", "f", "y", "n" };

  for (guint j = 0; j < G_N_ELEMENTS (booleans); j++)
    if (strlen (booleans[j]) == text.length && g_ascii_strncasecmp (text.data, booleans[j], text.length) == 0)
      return GUESS_BOOLEAN;
  for (; i < text.length; i++)
    if (text.data[i] == '.' && point == 0 && i > start)
      point = i;
    else if (!g_ascii_isdigit (text.data[i]))
      return 0;
  if (i == start || (point != 0 && point == i - 1) || (text.data[start] == '0' && i - start > 1 && point != start + 1))
    return 0;
  return point == 0 && i - start <= 18 ? GUESS_BIGINT | GUESS_NUMERIC : GUESS_NUMERIC;
}

static gboolean
is_email (TallyText text)
{
  const char *at = memchr (text.data, '@', text.length);
  gsize after = at != NULL ? (gsize) (text.data + text.length - at - 1) : 0;

  return at > text.data && after > 2 && memchr (at + 1, '.', after) != NULL && memchr (at + 1, '@', after) == NULL
         && memchr (text.data, ' ', text.length) == NULL;
}

static void
note_choice (GuessColumn *column, TallyText text)
{
  if (column->choices == NULL)
    return;

  for (guint i = 0; i < column->choices->len; i++)
    if (tally_text_equal (text, g_ptr_array_index (column->choices, i)))
      return;
  if (column->choices->len < GUESS_MAX_CHOICES && text.length <= 60)
    g_ptr_array_add (column->choices, tally_text_dup (text));
  else
    g_clear_pointer (&column->choices, g_ptr_array_unref);
}

static void
note_seen (GuessColumn *column, TallyText text)
{
  guint64 *hash;

  if (column->seen == NULL || g_hash_table_size (column->seen) >= MOST_SEEN)
    return;

  hash = g_new (guint64, 1);
  *hash = hash_of (text);
  if (!g_hash_table_add (column->seen, hash))
    g_clear_pointer (&column->seen, g_hash_table_destroy);
}

static void
note_value (GuessColumn *column, TallyText text)
{
  TallyText bare = text;

  column->longest = MAX (column->longest, text.length);
  note_seen (column, text);
  while (bare.length > 0 && g_ascii_isspace (bare.data[0]))
    bare = (TallyText) { bare.data + 1, bare.length - 1 };
  while (bare.length > 0 && g_ascii_isspace (bare.data[bare.length - 1]))
    bare.length--;
  if (bare.length == 0)
    {
      column->n_blank++;
      return;
    }

  column->n_values++;
  column->n_emails += is_email (bare);
  if (column->kinds != 0)
    column->kinds &= kinds_of (bare);
  if (column->formats != 0)
    column->formats &= guess_formats_of (bare.data, bare.length);
  note_choice (column, bare);
}

static void
note_batch (GuessFile *file, TallyBatch *batch)
{
  guint n_rejects;
  const TallyReject *rejects = tally_batch_rejects (batch, &n_rejects);

  for (guint i = 0; i < file->columns->len; i++)
    {
      GuessColumn *column = g_ptr_array_index (file->columns, i);

      for (guint row = 0; row < tally_batch_n_rows (batch); row++)
        if (tally_batch_is_null (batch, row, i))
          column->n_nulls++;
        else
          note_value (column, tally_batch_get_text (batch, row, i));
    }
  if (n_rejects > 0 && file->reject == NULL)
    file->reject = g_strdup_printf ("%s: %s", rejects[0].origin, rejects[0].reason);
  file->n_rejects += n_rejects;
  file->n_records += tally_batch_n_read (batch);
}

static gboolean
look (GuessFile *file, TallyRegistry *registry, guint64 most, GError **error)
{
  g_auto (Reading) reading = { 0 };
  TallyFlow flow = TALLY_FLOW_OK;

  if (!begin (registry, file->path, &file->dialect, &reading, error))
    return FALSE;

  file->columns = g_ptr_array_new_with_free_func (column_free);
  for (guint i = 0; i < tally_schema_n_columns (reading.schema); i++)
    g_ptr_array_add (file->columns, column_new (tally_schema_column (reading.schema, i)->name));

  g_autoptr (TallyBatch) batch = tally_batch_new (reading.schema, BATCH);
  while (flow == TALLY_FLOW_OK && file->n_records < most)
    {
      flow = read_batch (&reading, batch, error);
      note_batch (file, batch);
    }
  file->is_whole = flow == TALLY_FLOW_END;
  return flow != TALLY_FLOW_FATAL;
}

static void
forget (GuessFile *file)
{
  g_clear_pointer (&file->columns, g_ptr_array_unref);
  g_clear_pointer (&file->reject, g_free);
  file->n_records = file->n_rejects = 0;
}

static gboolean
is_typed (TallyText text)
{
  return (kinds_of (text) & GUESS_NUMERIC) != 0 || guess_formats_of (text.data, text.length) != 0 || is_email (text);
}

/* A header names; a first record has values like those below it.  Columns whose values are numbers, dates or addresses
 * tell by their name; where there are none, a name that is one of these tells. */
static gboolean
has_header (const GuessFile *file)
{
  guint n_names = 0, n_values = 0, n_typed_names = 0;

  for (guint i = 0; i < file->columns->len; i++)
    {
      const GuessColumn *column = g_ptr_array_index (file->columns, i);
      gboolean is_value = is_typed ((TallyText) { column->name, strlen (column->name) });

      n_typed_names += is_value;
      if (column->n_values == 0 || ((column->kinds & GUESS_NUMERIC) == 0 && column->formats == 0
                                    && column->n_emails < column->n_values))
        continue;
      if (is_value)
        n_values++;
      else
        n_names++;
    }

  return n_names + n_values > 0 ? n_names > n_values : n_typed_names == 0;
}

GuessFile *
guess_file_new (TallyRegistry *registry, const char *path, guint64 most, GError **error)
{
  g_autoptr (GuessFile) file = g_new0 (GuessFile, 1);

  file->path = g_canonicalize_filename (path, NULL);
  file->dialect = find_dialect (registry, file->path);
  if (!look (file, registry, most, error))
    return NULL;

  /* What was UTF-8 in the first records need not be so in the last. */
  if (file->dialect.encoding == NULL && file->reject != NULL && strstr (file->reject, "is not UTF-8") != NULL)
    {
      file->dialect.encoding = "windows-1252";
      forget (file);
      if (!look (file, registry, most, error))
        return NULL;
    }
  if (!has_header (file))
    {
      file->dialect.has_header = FALSE;
      forget (file);
      if (!look (file, registry, most, error))
        return NULL;
    }
  return g_steal_pointer (&file);
}

void
guess_file_free (GuessFile *file)
{
  if (file == NULL)
    return;

  forget (file);
  g_free (file->path);
  g_free (file);
}

/* What a key's name ends in, best first. */
static guint
key_rank (const char *name)
{
  static const char *const words[] = { "id", "key", "number", "no", "nr", "ref", "reference", "code", "uuid" };
  g_autofree char *lower = g_ascii_strdown (name, -1);
  gsize length = strlen (lower);

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (lower, words[i]))
      return i;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      gsize word = strlen (words[i]);

      if (length > word && g_str_has_suffix (lower, words[i]) && !g_ascii_isalpha (lower[length - word - 1]))
        return 100 + i;
    }
  return 1000;
}

const GuessColumn *
guess_key (const GuessFile *file)
{
  const GuessColumn *best = NULL;
  guint best_rank = G_MAXUINT;

  for (guint i = 0; i < file->columns->len; i++)
    {
      const GuessColumn *column = g_ptr_array_index (file->columns, i);
      guint rank = key_rank (column->name);

      if (column->seen == NULL || column->n_nulls + column->n_blank > 0 || column->n_values == 0 || column->longest > 100
          || column->formats != 0)
        continue;
      if (rank < best_rank)
        {
          best = column;
          best_rank = rank;
        }
    }

  return best;
}
