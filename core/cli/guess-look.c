/* guess-look.c: which source reads a file; of CSV, tries dialects on the first records, then looks at all of them by the best one */
#include "guess-reading.h"
#include "guess.h"
#include "record/batch-private.h"
#include <string.h>

/* Records on which a dialect is tried. */
#define TRIAL 2000
/* Lines before a header that are tried to be left out. */
#define MOST_SKIPPED 5

static gboolean
begin (TallyRegistry *registry, const GuessFile *file, const GuessDialect *dialect, GuessReading *reading, GError **error)
{
  g_autofree char *skip = g_strdup_printf ("%" G_GINT64_FORMAT, dialect->skip);
  const GuessOption options[] = { { "path", file->path },
                                  { "delimiter", dialect->delimiter },
                                  { "escape", dialect->escape },
                                  { "encoding", dialect->encoding },
                                  { "skip", skip },
                                  { "header", dialect->has_header ? "true" : "false" } };

  /* The other sources see for themselves how a file is written. */
  return guess_reading_begin (reading, registry, file->source, options,
                              g_str_equal (file->source, "csv") ? G_N_ELEMENTS (options) : 1, error);
}

/* How well a dialect does on the first records: more is better, 0 is nothing. */
static double
try_dialect (TallyRegistry *registry, const GuessFile *file, const GuessDialect *dialect)
{
  g_auto (GuessReading) reading = { 0 };
  guint64 n_read = 0, n_rows = 0;
  TallyFlow flow = TALLY_FLOW_OK;
  guint n_columns;

  if (!begin (registry, file, dialect, &reading, NULL))
    return 0;

  n_columns = tally_schema_n_columns (reading.schema);
  while (flow == TALLY_FLOW_OK && n_read < TRIAL)
    {
      flow = guess_reading_next (&reading, NULL);
      n_read += tally_batch_n_read (reading.batch);
      n_rows += tally_batch_n_rows (reading.batch);
    }

  /* All good records in two columns count more than half of them in twenty; one column is the last resort.  To leave lines
   * out must gain something, and leave something. */
  if (dialect->skip > 0 && n_rows == 0)
    return 0;
  return (n_read > 0 ? (double) (n_rows + 1) / (n_read + 1) : 1) * (n_columns > 1 ? 1 : 0.3) + MIN (n_columns, 1000) * 1e-5
         - 0.02 * dialect->skip;
}

static GuessDialect
find_dialect (TallyRegistry *registry, const GuessFile *file)
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
            double score = try_dialect (registry, file, &dialect);

            if (score > best_score + 1e-9)
              {
                best = dialect;
                best_score = score;
              }
          }

  return best;
}

void
guess_file_count (GuessFile *file, TallyBatch *batch)
{
  guint n_rejects;
  const TallyReject *rejects = tally_batch_rejects (batch, &n_rejects);

  if (n_rejects > 0 && file->reject == NULL)
    file->reject = g_strdup_printf ("%s: %s", rejects[0].origin, rejects[0].reason);
  file->n_rejects += n_rejects;
  file->n_rows += tally_batch_n_rows (batch);
  file->n_records += tally_batch_n_read (batch);
}

static void
note_batch (GuessFile *file, TallyBatch *batch)
{
  for (guint i = 0; i < file->columns->len; i++)
    for (guint row = 0; row < tally_batch_n_rows (batch); row++)
      guess_column_note (g_ptr_array_index (file->columns, i), batch, row, i);
  guess_file_count (file, batch);
}

/* Members stand behind the column that they are in. */
static void
list_members (GuessFile *file)
{
  for (guint i = file->columns->len; i-- > 0;)
    {
      GPtrArray *members = ((GuessColumn *) g_ptr_array_index (file->columns, i))->members;

      while (members->len > 0)
        g_ptr_array_insert (file->columns, (gint) i + 1, g_ptr_array_steal_index (members, members->len - 1));
    }
}

static gboolean
look (GuessFile *file, TallyRegistry *registry, guint64 most, GError **error)
{
  g_auto (GuessReading) reading = { 0 };
  TallyFlow flow = TALLY_FLOW_OK;

  if (!begin (registry, file, &file->dialect, &reading, error))
    return FALSE;

  file->columns = g_ptr_array_new_with_free_func (guess_column_free);
  for (guint i = 0; i < tally_schema_n_columns (reading.schema); i++)
    {
      const TallyColumn *column = tally_schema_column (reading.schema, i);

      g_ptr_array_add (file->columns, guess_column_new (column->name, column->type, NULL));
    }

  while (flow == TALLY_FLOW_OK && file->n_records < most)
    {
      flow = guess_reading_next (&reading, error);
      note_batch (file, reading.batch);
    }
  file->is_whole = flow == TALLY_FLOW_END;
  list_members (file);
  return flow != TALLY_FLOW_FATAL;
}

static void
forget (GuessFile *file)
{
  g_clear_pointer (&file->columns, g_ptr_array_unref);
  g_clear_pointer (&file->reject, g_free);
  file->n_records = file->n_rejects = file->n_rows = 0;
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
      gboolean is_value = guess_is_value (column->name);

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

/* Whether a source makes rows of most of what comes first. */
static gboolean
suits (TallyRegistry *registry, const char *source, const GuessOption *options, guint n_options)
{
  g_auto (GuessReading) reading = { 0 };

  return guess_reading_begin (&reading, registry, source, options, n_options, NULL)
         && guess_reading_next (&reading, NULL) != TALLY_FLOW_FATAL
         && tally_batch_n_rows (reading.batch) * 2 > tally_batch_n_read (reading.batch);
}

/* Anything can be read as CSV, so the others are asked first. */
static const char *
find_source (TallyRegistry *registry, const char *path)
{
  const GuessOption json[] = { { "path", path } }, mbox[] = { { "path", path }, { "format", "mbox" } };

  if (g_file_test (path, G_FILE_TEST_IS_DIR) || g_str_has_suffix (path, ".eml") || suits (registry, "email", mbox, 2))
    return "email";
  return suits (registry, "json", json, 1) ? "json" : "csv";
}

static gboolean
look_again (GuessFile *file, TallyRegistry *registry, guint64 most, GError **error)
{
  forget (file);
  return look (file, registry, most, error);
}

static gboolean
look_at_csv (GuessFile *file, TallyRegistry *registry, guint64 most, GError **error)
{
  file->dialect = find_dialect (registry, file);
  if (!look (file, registry, most, error))
    return FALSE;

  /* What was UTF-8 in the first records need not be so in the last. */
  if (file->dialect.encoding == NULL && file->reject != NULL && strstr (file->reject, "is not UTF-8") != NULL)
    {
      file->dialect.encoding = "windows-1252";
      if (!look_again (file, registry, most, error))
        return FALSE;
    }
  if (has_header (file))
    return TRUE;
  file->dialect.has_header = FALSE;
  return look_again (file, registry, most, error);
}

GuessFile *
guess_file_new (TallyRegistry *registry, const char *path, guint64 most, GError **error)
{
  g_autoptr (GuessFile) file = g_new0 (GuessFile, 1);
  gboolean good;

  file->path = g_canonicalize_filename (path, NULL);
  file->source = find_source (registry, file->path);
  if (g_str_equal (file->source, "email"))
    good = guess_look_at_mail (file, registry, most, error);
  else if (g_str_equal (file->source, "csv"))
    good = look_at_csv (file, registry, most, error);
  else
    good = look (file, registry, most, error);
  return good ? g_steal_pointer (&file) : NULL;
}

void
guess_file_free (GuessFile *file)
{
  if (file == NULL)
    return;

  forget (file);
  g_clear_pointer (&file->mail, guess_mail_free);
  g_free (file->path);
  g_free (file);
}

