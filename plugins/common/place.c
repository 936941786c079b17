/* place.c: OFFSET LINE IDENTITY BEFORE NAME */
#include "place.h"
#include <string.h>

void
tally_place_clear (TallyPlace *place)
{
  g_clear_pointer (&place->identity, g_free);
  g_clear_pointer (&place->before, g_free);
  g_clear_pointer (&place->name, g_free);
}

char *
tally_place_format (const TallyPlace *place)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %s %s %s", place->offset, place->line,
                          place->identity, place->before, place->name);
}

gboolean
tally_place_parse (const char *text, TallyPlace *ret_place)
{
  /* The name comes last, because it may have blanks. */
  g_auto (GStrv) parts = g_strsplit (text, " ", 5);
  guint64 offset, line;

  if (g_strv_length (parts) != 5 || !g_ascii_string_to_unsigned (parts[0], 10, 0, G_MAXINT64, &offset, NULL)
      || !g_ascii_string_to_unsigned (parts[1], 10, 1, G_MAXINT64, &line, NULL))
    return FALSE;

  ret_place->offset = offset;
  ret_place->line = line;
  ret_place->identity = g_strdup (parts[2]);
  ret_place->before = g_strdup (parts[3]);
  ret_place->name = g_strdup (parts[4]);
  return TRUE;
}

char *
tally_place_before (TallyPlaceSum *sum, GPtrArray *names, guint n)
{
  g_autoptr (GChecksum) sum_so_far = NULL;

  if (sum->n > n)
    tally_place_sum_clear (sum);
  if (sum->sum == NULL)
    sum->sum = g_checksum_new (G_CHECKSUM_SHA256);
  for (; sum->n < n; sum->n++)
    g_checksum_update (sum->sum, g_ptr_array_index (names, sum->n), strlen (g_ptr_array_index (names, sum->n)) + 1);

  sum_so_far = g_checksum_copy (sum->sum);
  return g_strdup_printf ("%u-%.16s", n, g_checksum_get_string (sum_so_far));
}

void
tally_place_sum_clear (TallyPlaceSum *sum)
{
  g_clear_pointer (&sum->sum, g_checksum_free);
  sum->n = 0;
}

gint
tally_place_find (const TallyPlace *place, GPtrArray *names)
{
  for (guint i = 0; i < names->len; i++)
    if (g_str_equal (place->name, g_ptr_array_index (names, i)))
      {
        g_auto (TallyPlaceSum) sum = { 0 };
        g_autofree char *before = tally_place_before (&sum, names, i);

        return g_str_equal (before, place->before) ? (gint) i : -1;
      }

  return -1;
}
