/* listing.c: aligned columns, or lines of JSON */
#include "listing.h"
#include "record/batch-private.h"
#include <stdio.h>
#include <string.h>

/* So many rows are looked at to find the columns' widths; later ones may be wider, and memory stays
 * flat. */
#define BLOCK 500
#define WIDEST 60

struct _TallyListing
{
  gboolean json;
  GString *object;       /* (owned) JSON: the row that is being made */
  GPtrArray *columns;    /* (owned) (element-type utf8) */
  GArray *widths;        /* (owned) (element-type guint) */
  GPtrArray *rows;       /* (owned) (element-type GPtrArray) */
  GPtrArray *row;        /* (owned) (element-type utf8) */
  gboolean has_headings; /* printed */
};

TallyListing *
tally_listing_new (gboolean json)
{
  TallyListing *listing = g_new0 (TallyListing, 1);

  listing->json = json;
  listing->object = tally_listing_object ();
  listing->columns = g_ptr_array_new_with_free_func (g_free);
  listing->widths = g_array_new (FALSE, TRUE, sizeof (guint));
  listing->rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_ptr_array_unref);
  listing->row = g_ptr_array_new_with_free_func (g_free);
  return listing;
}

/* ---- As text ---- */

static void
print_cells (const TallyListing *listing, const GPtrArray *cells)
{
  for (guint i = 0; i < cells->len; i++)
    {
      const char *cell = cells->pdata[i];
      glong missing = (glong)g_array_index (listing->widths, guint, i) - g_utf8_strlen (cell, -1);

      fputs (cell, stdout);
      if (i + 1 < cells->len)
        printf ("%*s", (int)MAX (missing, 0) + 2, "");
    }
  putchar ('\n');
}

static void
widen (TallyListing *listing, const GPtrArray *cells)
{
  for (guint i = 0; i < cells->len; i++)
    {
      guint *width = &g_array_index (listing->widths, guint, i);
      *width = MAX (*width, MIN ((guint)g_utf8_strlen (cells->pdata[i], -1), WIDEST));
    }
}

static void
flush (TallyListing *listing)
{
  g_array_set_size (listing->widths, listing->columns->len);
  if (!listing->has_headings)
    widen (listing, listing->columns);
  for (guint i = 0; i < listing->rows->len; i++)
    widen (listing, listing->rows->pdata[i]);
  if (!listing->has_headings && listing->rows->len > 0)
    {
      print_cells (listing, listing->columns);
      listing->has_headings = TRUE;
    }
  for (guint i = 0; i < listing->rows->len; i++)
    print_cells (listing, listing->rows->pdata[i]);
  g_ptr_array_set_size (listing->rows, 0);
}

void
tally_listing_free (TallyListing *listing)
{
  if (listing == NULL)
    return;

  flush (listing);
  g_string_free (listing->object, TRUE);
  g_ptr_array_unref (listing->columns);
  g_array_unref (listing->widths);
  g_ptr_array_unref (listing->rows);
  g_ptr_array_unref (listing->row);
  g_free (listing);
}

void
tally_listing_plain (TallyListing *listing, const char *column, const char *value)
{
  const char *cell = value != NULL && *value != '\0' ? value : "-";

  if (listing->json)
    return;
  if (listing->columns->len == listing->row->len)
    {
      char *heading = g_ascii_strup (column, -1);
      g_ptr_array_add (listing->columns, g_strdelimit (heading, "_", ' '));
    }
  g_ptr_array_add (listing->row, tally_listing_clean (cell, strlen (cell), FALSE));
}

/* ---- As JSON ---- */

GString *
tally_listing_object (void)
{
  return g_string_new ("{");
}

void
tally_listing_add_json (GString *object, const char *name, const char *json)
{
  g_string_append_printf (object, "%s\"%s\": %s", object->len == 1 ? "" : ", ", name,
                          json != NULL ? json : "null");
}

void
tally_listing_add_text (GString *object, const char *name, const char *value)
{
  g_autofree char *valid = value != NULL ? g_utf8_make_valid (value, -1) : NULL;
  g_autoptr (GString) json = g_string_new (NULL);

  if (valid != NULL)
    tally_json_append_string ((TallyText){ valid, strlen (valid) }, json);
  tally_listing_add_json (object, name, valid != NULL ? json->str : NULL);
}

void
tally_listing_add_number (GString *object, const char *name, gint64 value)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, value);

  tally_listing_add_json (object, name, text);
}

void
tally_listing_add_time (GString *object, const char *name, gint64 time)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);
  g_autofree char *seconds = date != NULL ? g_date_time_format (date, "%Y-%m-%dT%H:%M:%S") : NULL;
  g_autofree char *json = g_strdup_printf ("\"%s.%06dZ\"", seconds, (int)(time % G_USEC_PER_SEC));

  tally_listing_add_json (object, name, time != 0 && seconds != NULL ? json : NULL);
}

char *
tally_listing_rejects (const TallyBatch *batch, guint first)
{
  guint n = 0;
  const TallyReject *rejects = batch != NULL ? tally_batch_rejects (batch, &n) : NULL;
  GString *array = g_string_new ("[");

  for (guint i = first; i < n; i++)
    {
      g_autoptr (GString) object = tally_listing_object ();

      tally_listing_add_text (object, "origin", rejects[i].origin);
      tally_listing_add_text (object, "stage", rejects[i].stage);
      tally_listing_add_text (object, "reason", rejects[i].reason);
      tally_listing_add_json (object, "record", rejects[i].record);
      g_string_append_printf (array, "%s%s}", i > first ? ", " : "", object->str);
    }
  g_string_append_c (array, ']');
  return g_string_free (array, FALSE);
}

GString *
tally_listing_row_object (TallyListing *listing)
{
  return listing->json ? listing->object : NULL;
}

void
tally_listing_text (TallyListing *listing, const char *column, const char *value)
{
  tally_listing_plain (listing, column, value);
  if (listing->json)
    tally_listing_add_text (listing->object, column, value);
}

void
tally_listing_number (TallyListing *listing, const char *column, gint64 value)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, value);

  tally_listing_plain (listing, column, text);
  if (listing->json)
    tally_listing_add_number (listing->object, column, value);
}

void
tally_listing_time (TallyListing *listing, const char *column, gint64 time)
{
  g_autofree char *plain = tally_listing_format_time (time);

  tally_listing_plain (listing, column, plain);
  if (listing->json)
    tally_listing_add_time (listing->object, column, time);
}

void
tally_listing_end_row (TallyListing *listing)
{
  if (listing->json)
    {
      printf ("%s}\n", listing->object->str);
      g_string_truncate (listing->object, 1);
      return;
    }
  g_ptr_array_add (listing->rows, g_steal_pointer (&listing->row));
  listing->row = g_ptr_array_new_with_free_func (g_free);
  if (listing->rows->len == BLOCK)
    flush (listing);
}

/* ---- Values ---- */

char *
tally_listing_format_time (gint64 time)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);
  char *text = time != 0 && date != NULL ? g_date_time_format (date, "%Y-%m-%d %H:%M:%S") : NULL;

  return text != NULL ? text : g_strdup ("-");
}

char *
tally_listing_clean (const char *text, gsize length, gboolean keep_lines)
{
  GString *clean = g_string_sized_new (length);
  const char *end = text + length;

  while (text < end)
    {
      gunichar c = g_utf8_get_char_validated (text, end - text);
      gboolean is_text = c != (gunichar)-1 && c != (gunichar)-2;

      if (is_text && (g_unichar_isprint (c) || (keep_lines && (c == '\n' || c == '\t'))))
        g_string_append_unichar (clean, c);
      else if (c == '\n')
        g_string_append (clean, "\\n");
      else if (is_text && c > 0xff)
        g_string_append_printf (clean, "\\u%04x", c);
      else
        g_string_append_printf (clean, "\\x%02x", is_text ? c : (guint8)*text);
      text = is_text ? g_utf8_next_char (text) : text + 1;
    }
  return g_string_free (clean, FALSE);
}

/* ---- Ledgers ---- */

TallyLedger *
tally_command_open_ledger (const char *uri, TallyLedgerFlags flags)
{
  g_autoptr (GError) error = NULL;
  TallyLedger *ledger = tally_ledger_open (uri, flags, &error);

  if (ledger == NULL)
    tally_command_complain ("%s", error->message);
  return ledger;
}

TallyExit
tally_command_fail (const GError *error)
{
  tally_command_complain ("%s", error->message);
  if (g_error_matches (error, TALLY_ERROR, TALLY_ERROR_USAGE))
    return TALLY_EXIT_USAGE;
  if (g_error_matches (error, TALLY_ERROR, TALLY_ERROR_LEASE))
    return TALLY_EXIT_LEASE;
  return TALLY_EXIT_FAILED;
}
