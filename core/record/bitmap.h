/* bitmap.h: one bit a row: bit row % 64 of word row / 64 */
#pragma once
#include <glib.h>

static inline gsize
tally_bitmap_words (guint n_rows)
{
  return ((gsize) n_rows + 63) / 64;
}

static inline gboolean
tally_bitmap_get (const guint64 *bits, guint row)
{
  return (bits[row / 64] >> (row % 64)) & 1;
}

static inline void
tally_bitmap_set (guint64 *bits, guint row)
{
  bits[row / 64] |= G_GUINT64_CONSTANT (1) << (row % 64);
}

static inline void
tally_bitmap_clear (guint64 *bits, guint row)
{
  bits[row / 64] &= ~(G_GUINT64_CONSTANT (1) << (row % 64));
}

static inline void
tally_bitmap_put (guint64 *bits, guint row, gboolean value)
{
  if (value)
    tally_bitmap_set (bits, row);
  else
    tally_bitmap_clear (bits, row);
}

/* Sets the first n_rows bits and clears the others of their last word. */
static inline void
tally_bitmap_fill (guint64 *bits, guint n_rows)
{
  for (guint i = 0; i < n_rows / 64; i++)
    bits[i] = G_MAXUINT64;
  if (n_rows % 64 != 0)
    bits[n_rows / 64] = (G_GUINT64_CONSTANT (1) << (n_rows % 64)) - 1;
}

/* Whether the first n_rows bits are all set. */
static inline gboolean
tally_bitmap_is_full (const guint64 *bits, guint n_rows)
{
  for (guint i = 0; i < n_rows / 64; i++)
    if (bits[i] != G_MAXUINT64)
      return FALSE;
  return n_rows % 64 == 0 || (~bits[n_rows / 64] & ((G_GUINT64_CONSTANT (1) << (n_rows % 64)) - 1)) == 0;
}

/* Clears the bits from row on, up to the end of the word that holds row n_rows - 1. */
static inline void
tally_bitmap_clear_from (guint64 *bits, guint row, guint n_rows)
{
  if (row % 64 != 0)
    {
      bits[row / 64] &= (G_GUINT64_CONSTANT (1) << (row % 64)) - 1;
      row += 64 - row % 64;
    }
  for (guint i = row / 64; i < tally_bitmap_words (n_rows); i++)
    bits[i] = 0;
}

/* The first row from row on whose bit is set, or n_rows. */
static inline guint
tally_bitmap_next (const guint64 *bits, guint row, guint n_rows)
{
  while (row < n_rows)
    {
      guint64 rest = bits[row / 64] >> (row % 64);

      if (rest != 0)
        return MIN (row + (guint) __builtin_ctzll (rest), n_rows);
      row += 64 - row % 64;
    }

  return n_rows;
}
