/* parse.c: how much longer it takes to split a CSV file into fields than to find where its structure is
 *
 * usage: parse FILE
 *
 * By turns, five times: reads the file and scans it, by the fastest path there is; and reads it through the csv source's reader
 * into batches of 1024 rows.  Prints the medians of processor time, and their ratio.
 */
#include "reader.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BLOCK (256 * 1024)
#define TURNS 5

static char *const nulls[] = { (char *) "", NULL };
static const CsvSpecials specials = { ',', '"', '"' };

static double
processor_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static TallyInput *
open_input (const char *path)
{
  g_autoptr (GError) error = NULL;
  TallyInput *input = tally_input_open (path, &(TallyInputOptions) { NULL, -1 }, &error);

  if (input == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      exit (1);
    }
  return input;
}

/* Returns the ends of lines, so that the work cannot be left out. */
static guint64
scan (const char *path)
{
  static guint8 data[BLOCK + CSV_WORD + 1];
  static CsvMask masks[BLOCK / CSV_WORD];
  g_autoptr (TallyInput) input = open_input (path);
  CsvScan best = csv_scan_best ();
  guint64 n_lines = 0;
  gssize n;

  while ((n = tally_input_read (input, data, BLOCK, NULL)) > 0)
    {
      gsize n_words = ((gsize) n + CSV_WORD - 1) / CSV_WORD;

      best (data, n_words, &specials, masks);
      for (gsize i = 0; i < n_words; i++)
        n_lines += (guint64) __builtin_popcountll (masks[i].lines);
    }
  return n_lines;
}

static guint64
parse (const char *path, guint *ret_n_columns)
{
  const CsvDialect dialect = { .specials = specials, .nulls = nulls, .max_field = 1 << 24, .max_record = 1 << 26,
                               .max_columns = 4096, .scan = csv_scan_best () };
  g_autoptr (CsvReader) reader = csv_reader_new (open_input (path), &dialect);
  CsvRecord header;
  guint64 n_rows = 0;

  if (csv_reader_next (reader, &header, NULL) != CSV_RECORD)
    return 0;

  g_autofree TallyColumn *columns = g_new0 (TallyColumn, header.n_fields);
  g_autofree guint *order = g_new (guint, header.n_fields);
  for (guint i = 0; i < header.n_fields; i++)
    {
      columns[i].name = tally_text_dup (header.fields[i]);
      order[i] = i;
    }
  g_autoptr (TallySchema) schema = tally_schema_new (columns, header.n_fields);
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, 1024);
  for (guint i = 0; i < header.n_fields; i++)
    g_free ((char *) columns[i].name);

  *ret_n_columns = header.n_fields;
  csv_reader_set_columns (reader, order, header.n_fields);
  for (CsvStatus status = CSV_RECORD; status == CSV_RECORD;)
    {
      tally_batch_clear (batch);
      status = csv_reader_fill (reader, batch, NULL);
      n_rows += tally_batch_n_rows (batch);
    }
  return n_rows;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

int
main (int argc, char **argv)
{
  double scans[TURNS], parses[TURNS];
  guint64 n_lines = 0, n_rows = 0;
  guint n_columns = 0;

  if (argc != 2)
    {
      fputs ("usage: parse FILE\n", stderr);
      return 2;
    }
  for (guint i = 0; i < TURNS; i++)
    {
      double begun = processor_seconds ();

      n_lines = scan (argv[1]);
      scans[i] = processor_seconds () - begun;
      begun = processor_seconds ();
      n_rows = parse (argv[1], &n_columns);
      parses[i] = processor_seconds () - begun;
    }

  qsort (scans, TURNS, sizeof (double), compare);
  qsort (parses, TURNS, sizeof (double), compare);
  printf ("  scan  %.3f s, %" G_GUINT64_FORMAT " lines\n", scans[TURNS / 2], n_lines);
  printf ("  parse %.3f s, %" G_GUINT64_FORMAT " rows, %.1f ns a cell\n", parses[TURNS / 2], n_rows,
          parses[TURNS / 2] * 1e9 / (double) MAX (n_rows * n_columns, 1));
  printf ("  ratio %.2f\n", parses[TURNS / 2] / scans[TURNS / 2]);
  return 0;
}
