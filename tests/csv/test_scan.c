/* test_scan.c: every path of the scan gives the same masks, which are right */
#include "promise.h"
#include "scan.h"
#include <string.h>

#define N_WORDS 64

static const CsvSpecials dialects[] = {
  { ',', '"', '"' }, { ';', '\'', '\\' }, { '\t', '"', '\\' }, { ',', '\0', '\0' }, { '|', '|' + 1, '|' - 1 },
};

/* Bit by bit, with nothing clever. */
static void
scan_plainly (const guint8 *data, gsize n_words, const CsvSpecials *specials, CsvMask *masks)
{
  memset (masks, 0, n_words * sizeof (CsvMask));
  for (gsize i = 0; i < n_words * CSV_WORD; i++)
    {
      CsvMask *mask = &masks[i / CSV_WORD];
      guint64 bit = (guint64) 1 << (i % CSV_WORD);

      if (data[i] == specials->quote || data[i] == specials->escape)
        mask->quotes |= bit;
      if (data[i] == specials->delimiter)
        mask->delimiters |= bit;
      if (data[i] == '\n' || (data[i] == '\r' && data[i + 1] != '\n'))
        mask->lines |= bit;
      if (data[i] == '\0' || data[i] >= 0x80)
        mask->suspects |= bit;
    }
}

/* Half of the bytes are such as matter. */
static void
fill_randomly (GRand *random, guint8 *data, gsize length)
{
  static const char matter[] = ",;\t|}{'\"\\\r\n\r\n\0\x7f\x80\xff\x01+-";

  for (gsize i = 0; i < length; i++)
    data[i] = g_rand_boolean (random) ? (guint8) matter[g_rand_int_range (random, 0, sizeof matter - 1)]
                                      : (guint8) g_rand_int_range (random, 0, 256);
}

static void
check_path (const CsvScanPath *path, const guint8 *data)
{
  CsvMask masks[N_WORDS], plain[N_WORDS];

  for (gsize i = 0; i < G_N_ELEMENTS (dialects); i++)
    {
      scan_plainly (data, N_WORDS, &dialects[i], plain);
      memset (masks, 0x55, sizeof masks);
      path->scan (data, N_WORDS, &dialects[i], masks);
      assert_row_int (path->name, memcmp (masks, plain, sizeof masks), 0);
    }
}

static void
test_all_paths_give_the_same (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (311);
  guint8 data[N_WORDS * CSV_WORD + 2];

  for (const CsvScanPath *path = csv_scan_paths; path->name != NULL; path++)
    {
      if (!path->works_here ())
        {
          skip_promise ("no %s on this processor", path->name);
          continue;
        }
      /* Every byte at every place, then a mixture. */
      for (guint byte = 0; byte < 256; byte++)
        {
          memset (data, 'a', sizeof data);
          for (guint i = 0; i < N_WORDS; i++)
            data[i * CSV_WORD + i] = byte;
          check_path (path, data);
        }
      for (guint round = 0; round < 200; round++)
        {
          fill_randomly (random, data, sizeof data);
          check_path (path, data + round % 2);
        }
    }
}

static void
test_the_best_path_works_here (void)
{
  const CsvScanPath *path = csv_scan_paths;

  while (path->scan != csv_scan_best ())
    path++;
  assert_true (path->works_here ());
}

static const Promise promises[] = {
  { "all paths give the same", test_all_paths_give_the_same },
  { "the best path works here", test_the_best_path_works_here },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("csv scan", promises, argc, argv);
}
