/* table.c: columns as wide as they can be */
#include "table.h"
#include "listing.h"
#include <sys/ioctl.h>
#include <unistd.h>
#include <string.h>

#define USUAL_WIDTH 80

/* No more of a value is kept than the widest terminal could show. */
#define MAX_BYTES 1000
/* Narrower columns than this are no help to a reader. */
#define LEAST_WIDTH 8
#define WIDEST_HEADING 30
#define GAP 2

struct _TallyTable
{
  GPtrArray *headings; /* (owned) (element-type utf8) */
  GPtrArray *cells;    /* (owned) (element-type utf8) row by row */
};

TallyTable *
tally_table_new (void)
{
  TallyTable *table = g_new (TallyTable, 1);

  table->headings = g_ptr_array_new_with_free_func (g_free);
  table->cells = g_ptr_array_new_with_free_func (g_free);
  return table;
}

void
tally_table_free (TallyTable *table)
{
  if (table == NULL)
    return;

  g_ptr_array_unref (table->headings);
  g_ptr_array_unref (table->cells);
  g_free (table);
}

/* (transfer full): what can be shown of a text. */
static char *
readable (const char *text, gsize length)
{
  gsize shown = MIN (length, MAX_BYTES);

  while (shown < length && shown > 0 && ((guchar)text[shown] & 0xc0) == 0x80)
    shown--;
  return tally_listing_clean (text, shown, FALSE);
}

void
tally_table_add_column (TallyTable *table, const char *heading)
{
  g_ptr_array_add (table->headings, readable (heading, strlen (heading)));
}

void
tally_table_add_cell (TallyTable *table, const char *text, gsize length)
{
  g_ptr_array_add (table->cells, readable (text, length));
}

guint
tally_table_n_rows (const TallyTable *table)
{
  return table->headings->len > 0 ? table->cells->len / table->headings->len : 0;
}

/* ---- Widths ---- */

static guint
width_of_char (gunichar c)
{
  return g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
}

static guint
width_of (const char *text)
{
  guint width = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    width += width_of_char (g_utf8_get_char (text));
  return width;
}

/* Appends as much of text as fits into width, and blanks up to there if it is not the last of its
 * line. */
static void
append_fitted (const char *text, guint width, gboolean is_last, GString *out)
{
  gboolean fits = width_of (text) <= width;
  guint used = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);

      if (used + width_of_char (c) > (fits ? width : width - 1))
        break;
      g_string_append_unichar (out, c);
      used += width_of_char (c);
    }
  if (!fits)
    {
      g_string_append (out, "…");
      used++;
    }
  for (; !is_last && used < width; used++)
    g_string_append_c (out, ' ');
}

static guint
sum_of (const guint *widths, guint n, guint cap)
{
  guint sum = 0;

  for (guint i = 0; i < n; i++)
    sum += MIN (widths[i], cap);
  return sum;
}

/* The width of each column; NULL if they do not fit beside each other. */
static guint *
column_widths (const TallyTable *table, guint width)
{
  guint n = table->headings->len, cap = width;
  guint gaps = GAP * n;
  g_autofree guint *widths = g_new0 (guint, n);

  for (guint i = 0; i < n; i++)
    widths[i] = width_of (g_ptr_array_index (table->headings, i));
  for (guint i = 0; i < table->cells->len; i++)
    widths[i % n] = MAX (widths[i % n], width_of (g_ptr_array_index (table->cells, i)));
  while (cap > LEAST_WIDTH && sum_of (widths, n, cap) + gaps > width)
    cap--;
  if (sum_of (widths, n, cap) + gaps > width)
    return NULL;

  for (guint i = 0; i < n; i++)
    widths[i] = MIN (widths[i], cap);
  return g_steal_pointer (&widths);
}

/* ---- Lines ---- */

static void
format_line (const GPtrArray *cells, guint first, guint n, const guint *widths, GString *out)
{
  for (guint i = 0; i < n; i++)
    {
      g_string_append_printf (out, "%*s", GAP, "");
      append_fitted (g_ptr_array_index (cells, first + i), widths[i], i + 1 == n, out);
    }
  g_string_append_c (out, '\n');
}

static void
format_block (const TallyTable *table, guint row, guint heading_width, guint width, GString *out)
{
  guint n = table->headings->len, left = GAP + heading_width + GAP;

  g_string_append_printf (out, "%*srow %u\n", GAP, "", row + 1);
  for (guint i = 0; i < n; i++)
    {
      g_string_append_printf (out, "%*s", GAP, "");
      append_fitted (g_ptr_array_index (table->headings, i), heading_width, /* is_last= */ FALSE,
                     out);
      g_string_append_printf (out, "%*s", GAP, "");
      append_fitted (g_ptr_array_index (table->cells, row * n + i),
                     MAX (width, left + LEAST_WIDTH) - left,
                     /* is_last= */ TRUE, out);
      g_string_append_c (out, '\n');
    }
}

static void
format_blocks (const TallyTable *table, guint width, GString *out)
{
  guint heading_width = 1;

  for (guint i = 0; i < table->headings->len; i++)
    heading_width = MAX (heading_width,
                         MIN (width_of (g_ptr_array_index (table->headings, i)), WIDEST_HEADING));
  for (guint row = 0; row < tally_table_n_rows (table); row++)
    format_block (table, row, heading_width, width, out);
}

void
tally_table_format (const TallyTable *table, guint width, GString *out)
{
  guint n = table->headings->len;
  g_autofree guint *widths = NULL;

  if (tally_table_n_rows (table) == 0)
    return;

  widths = column_widths (table, width);
  if (widths == NULL)
    {
      format_blocks (table, width, out);
      return;
    }
  format_line (table->headings, 0, n, widths, out);
  for (guint row = 0; row < tally_table_n_rows (table); row++)
    format_line (table->cells, row * n, n, widths, out);
}

guint
tally_table_terminal_width (void)
{
  const char *columns = g_getenv ("COLUMNS");
  guint64 wish = columns != NULL ? g_ascii_strtoull (columns, NULL, 10) : 0;
  struct winsize size;

  if (wish > 0 && wish <= 1000)
    return wish;
  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return USUAL_WIDTH;
}
