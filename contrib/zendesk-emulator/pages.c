/* pages.c: a list as the service answers it, by offset and by cursor */
#include "pages.h"

#include <string.h>

#define MAX_DEPTH 10000 /* records that offset paging reaches */

const char *
emu_query (EmuExchange *x, const char *name)
{
  return x->query (x->connection, name);
}

gint64
emu_query_number (EmuExchange *x, const char *name, gint64 fallback, gint64 least, gint64 most)
{
  const char *text = emu_query (x, name);
  gint64 number;

  if (text == NULL || !g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &number, NULL))
    return fallback;
  return CLAMP (number, least, most);
}

gboolean
emu_query_has (EmuExchange *x, const char *name, const char *word)
{
  const char *text = emu_query (x, name);
  g_auto (GStrv) words = g_strsplit (text != NULL ? text : "", ",", 64);

  return g_strv_contains ((const char *const *)words, word);
}

char *
emu_query_dup (EmuExchange *x, const char *const *names)
{
  GString *text = g_string_new (NULL);

  for (; *names != NULL; names++)
    {
      const char *value = emu_query (x, *names);
      g_autofree char *valid = value != NULL ? g_utf8_make_valid (value, -1) : NULL;
      g_autofree char *name = g_uri_escape_string (*names, NULL, FALSE);
      g_autofree char *escaped = valid != NULL ? g_uri_escape_string (valid, ",", FALSE) : NULL;

      if (escaped != NULL)
        g_string_append_printf (text, "%s=%s&", name, escaped);
    }
  return g_string_free (text, FALSE);
}

/* The row at the @i-th place in the list's direction. */
static gpointer
get_in_order (const EmuList *list, guint i)
{
  return list->get (list, list->descending ? list->n_places - 1 - i : i);
}

void
emu_list_write_rows (const EmuList *list, const GPtrArray *rows, GString *out)
{
  g_string_append_printf (out, "{\"%s\":[", list->name);
  for (guint i = 0; i < rows->len; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      list->write (list, rows->pdata[i], out);
    }
  g_string_append_c (out, ']');
  if (list->sideload != NULL)
    list->sideload (list, rows, out);
}

static void
write_page_link (const EmuList *list, const char *name, gint64 page, gint64 size, GString *out)
{
  g_string_append_printf (out, ",\"%s\":", name);
  if (page == 0)
    g_string_append (out, "null");
  else
    g_string_append_printf (out,
                            "\"%s%s?%spage=%" G_GINT64_FORMAT "&per_page=%" G_GINT64_FORMAT "\"",
                            list->x->emu->base_url, list->x->path, list->more, page, size);
}

static void
answer_by_offset (const EmuList *list)
{
  EmuExchange *x = list->x;
  gint64 page = emu_query_number (x, "page", 1, 1, G_MAXINT32);
  gint64 size = emu_query_number (x, "per_page", EMU_MAX_PAGE, 1, EMU_MAX_PAGE),
         skip = (page - 1) * size;
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  if (skip + size > MAX_DEPTH)
    {
      emu_answer_bad_page (&x->answer, "InvalidPaginationDepth",
                           "Pagination requests using Offset Pagination are limited to 10000 "
                           "records");
      return;
    }
  for (guint i = 0; i < list->n_places && rows->len < size; i++)
    {
      gpointer row = get_in_order (list, i);

      if (row != NULL && skip-- <= 0)
        g_ptr_array_add (rows, row);
    }

  GString *out = emu_answer_begin (&x->answer, 200, "listed");
  emu_list_write_rows (list, rows, out);
  write_page_link (list, "next_page", page * size < list->n_rows ? page + 1 : 0, size, out);
  write_page_link (list, "previous_page", page - 1, size, out);
  g_string_append_printf (out, ",\"count\":%u}", list->n_rows);
}

static char *
make_cursor (const EmuList *list, guint i)
{
  g_autofree char *text = g_strdup_printf ("{\"o\":\"%s\",\"v\":\"%u\"}", list->order, i);

  return g_base64_encode ((guchar *)text, strlen (text));
}

/* FALSE for a cursor that is not one of this list. */
static gboolean
read_cursor (const EmuList *list, const char *cursor, guint *ret_i)
{
  gsize length;
  g_autofree guchar *text = g_base64_decode (cursor, &length);
  g_autoptr (json_object) value = emu_json_parse ((char *)text, length, EMU_JSON_DEPTH);
  g_autofree char *order = emu_json_dup_text (emu_json_get (value, "o"));
  gint64 i;

  if (g_strcmp0 (order, list->order) != 0 || !emu_json_get_id (emu_json_get (value, "v"), &i)
      || i < 0 || i > G_MAXINT32)
    return FALSE;
  *ret_i = (guint)i;
  return TRUE;
}

static void
write_cursor_link (const EmuList *list, const char *name, const char *side, const char *cursor,
                   gint64 size, GString *out)
{
  g_autofree char *escaped = cursor != NULL ? g_uri_escape_string (cursor, NULL, FALSE) : NULL;

  g_string_append_printf (out, "\"%s\":", name);
  if (cursor == NULL)
    g_string_append (out, "null");
  else
    g_string_append_printf (out,
                            "\"%s%s?%spage%%5B%s%%5D=%s&page%%5Bsize%%5D=%" G_GINT64_FORMAT "\"",
                            list->x->emu->base_url, list->x->path, list->more, side, escaped, size);
}

static void
write_cursors (const EmuList *list, gboolean more, gboolean any, guint first, guint last,
               gint64 size, GString *out)
{
  g_autofree char *after = any ? make_cursor (list, last) : NULL;
  g_autofree char *before = any ? make_cursor (list, first) : NULL;

  g_string_append_printf (out,
                          ",\"meta\":{\"has_more\":%s,\"after_cursor\":", more ? "true" : "false");
  emu_json_add_text (out, after);
  g_string_append (out, ",\"before_cursor\":");
  emu_json_add_text (out, before);
  g_string_append (out, "},\"links\":{");
  write_cursor_link (list, "prev", "before", before, size, out);
  g_string_append_c (out, ',');
  write_cursor_link (list, "next", "after", after, size, out);
  g_string_append (out, "}}");
}

/* Neither the cursors nor the links are null on the last page, just as in the service: a client
 * that goes on until they are never ends. */
static void
answer_by_cursor (const EmuList *list)
{
  EmuExchange *x = list->x;
  gint64 size = emu_query_number (x, "page[size]", EMU_MAX_PAGE, 1, EMU_MAX_PAGE);
  const char *after = emu_query (x, "page[after]"), *before = emu_query (x, "page[before]");
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  gboolean back = after == NULL && before != NULL, more = FALSE;
  guint i, first = 0, last = 0;
  gint step = back ? -1 : 1;

  if ((after != NULL && !read_cursor (list, after, &i))
      || (back && !read_cursor (list, before, &i)))
    {
      emu_answer_bad_page (&x->answer, "InvalidPaginationParameter", "Cursor is not valid");
      return;
    }
  i = after != NULL || back ? i + (guint)step : 0;
  for (; i < list->n_places; i += (guint)step) /* going back it ends by wrapping round */
    {
      gpointer row = get_in_order (list, i);

      if (row == NULL)
        continue;
      if (rows->len == size)
        {
          more = TRUE;
          break;
        }
      if (rows->len == 0)
        first = i;
      last = i;
      g_ptr_array_insert (rows, back ? 0 : -1, row);
    }

  GString *out = emu_answer_begin (&x->answer, 200, "listed");
  emu_list_write_rows (list, rows, out);
  write_cursors (list, more, rows->len > 0, back ? last : first, back ? first : last, size, out);
}

void
emu_list_answer (const EmuList *list)
{
  if (emu_query (list->x, "page[size]") != NULL)
    answer_by_cursor (list);
  else
    answer_by_offset (list);
}

void
emu_list_write_whole (guint n_rows, GString *out)
{
  g_string_append_printf (out, ",\"next_page\":null,\"previous_page\":null,\"count\":%u}", n_rows);
}
