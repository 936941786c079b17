/* nearest.c: edit distance over the names that would have been right */
#include "nearest.h"
#include <string.h>

/* Longer names than any that we have are not worth the quadratic time. */
#define MAX_LENGTH 128
#define OTHER_CASE 1
#define OTHER_LETTER 4

static guint
replace_cost (char a, char b)
{
  if (a == b)
    return 0;

  return g_ascii_tolower (a) == g_ascii_tolower (b) ? OTHER_CASE : OTHER_LETTER;
}

/* Damerau's distance: a letter too many, too few, another, or two swapped. */
static guint
distance (const char *a, gsize a_length, const char *b, gsize b_length)
{
  guint rows[3][MAX_LENGTH + 1];
  guint *before = rows[0], *last = rows[1], *row = rows[2];

  for (gsize j = 0; j <= b_length; j++)
    last[j] = j * OTHER_LETTER;
  for (gsize i = 1; i <= a_length; i++)
    {
      row[0] = i * OTHER_LETTER;
      for (gsize j = 1; j <= b_length; j++)
        {
          row[j] = MIN (last[j - 1] + replace_cost (a[i - 1], b[j - 1]),
                        MIN (last[j], row[j - 1]) + OTHER_LETTER);
          if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            row[j] = MIN (row[j], before[j - 2] + OTHER_LETTER);
        }
      guint *reused = before;
      before = last;
      last = row;
      row = reused;
    }

  return last[b_length];
}

const char *
tally_nearest (const char *word, const char *const *candidates, guint n_candidates)
{
  gsize length = strlen (word);
  guint best = (MAX (length, 3) / 3 + 1) * OTHER_LETTER;
  const char *nearest = NULL;

  if (length > MAX_LENGTH)
    return NULL;

  for (guint i = 0; i < n_candidates; i++)
    {
      gsize candidate_length = strlen (candidates[i]);
      guint far;

      if (candidate_length > MAX_LENGTH)
        continue;
      far = distance (word, length, candidates[i], candidate_length);
      if (far < best)
        {
          best = far;
          nearest = candidates[i];
        }
    }

  return nearest;
}
