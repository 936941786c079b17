/* lists.c: lists and their pages, by offset and by cursor
 *
 * A list is a row of places, each of which may be empty: a deleted ticket's, or that of a change
 * which a later one has replaced.  A cursor names a place, so it stays good whatever happens to
 * the rows around it.
 */
#include "lists.h"

#include "ticket-json.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PAGE 100
#define MAX_DEPTH 10000 /* records that offset paging reaches */
#define MAX_EXPORT 1000
#define EXPORT_LAG 60 /* seconds that an export is behind */

typedef struct List List;

struct List
{
  EmuExchange *x;
  const char *name;  /* of the member that holds the rows */
  const char *order; /* as cursors spell it */
  guint n_places;
  guint n_rows; /* without the empty places */
  gboolean descending;
  gpointer data;
  gpointer (*get) (const List *list, guint place); /* NULL: an empty place */
  void (*write) (const List *list, gpointer row, GString *out);
  char *more; /* parameters that links repeat, each ending in & */
};

static const char *
query (EmuExchange *x, const char *name)
{
  return x->query (x->connection, name);
}

/* A number of the query between @least and @most; @fallback when there is none. */
static gint64
query_number (EmuExchange *x, const char *name, gint64 fallback, gint64 least, gint64 most)
{
  const char *text = query (x, name);
  gint64 number;

  if (text == NULL || !g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &number, NULL))
    return fallback;
  return CLAMP (number, least, most);
}

/* The row at the @i-th place in the list's direction. */
static gpointer
get_in_order (const List *list, guint i)
{
  return list->get (list, list->descending ? list->n_places - 1 - i : i);
}

static void
write_rows (const List *list, const GPtrArray *rows, GString *out)
{
  g_string_append_printf (out, "{\"%s\":[", list->name);
  for (guint i = 0; i < rows->len; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      list->write (list, rows->pdata[i], out);
    }
  g_string_append_c (out, ']');
}

static void
write_page_link (const List *list, const char *name, gint64 page, gint64 size, GString *out)
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
answer_by_offset (const List *list)
{
  EmuExchange *x = list->x;
  gint64 page = query_number (x, "page", 1, 1, G_MAXINT32);
  gint64 size = query_number (x, "per_page", MAX_PAGE, 1, MAX_PAGE), skip = (page - 1) * size;
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
  write_rows (list, rows, out);
  write_page_link (list, "next_page", page * size < list->n_rows ? page + 1 : 0, size, out);
  write_page_link (list, "previous_page", page - 1, size, out);
  g_string_append_printf (out, ",\"count\":%u}", list->n_rows);
}

static char *
make_cursor (const List *list, guint i)
{
  g_autofree char *text = g_strdup_printf ("{\"o\":\"%s\",\"v\":\"%u\"}", list->order, i);

  return g_base64_encode ((guchar *)text, strlen (text));
}

/* FALSE for a cursor that is not one of this list. */
static gboolean
read_cursor (const List *list, const char *cursor, guint *ret_i)
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
write_cursor_link (const List *list, const char *name, const char *side, const char *cursor,
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
write_cursors (const List *list, gboolean more, gboolean any, guint first, guint last, gint64 size,
               GString *out)
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
answer_by_cursor (const List *list)
{
  EmuExchange *x = list->x;
  gint64 size = query_number (x, "page[size]", MAX_PAGE, 1, MAX_PAGE);
  const char *after = query (x, "page[after]"), *before = query (x, "page[before]");
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
  write_rows (list, rows, out);
  write_cursors (list, more, rows->len > 0, back ? last : first, back ? first : last, size, out);
}

static void
answer_list (const List *list)
{
  if (query (list->x, "page[size]") != NULL)
    answer_by_cursor (list);
  else
    answer_by_offset (list);
}

static gpointer
if_visible (EmuTicket *ticket)
{
  return ticket != NULL && !ticket->deleted && !ticket->archived ? ticket : NULL;
}

static gpointer
get_by_id (const List *list, guint place)
{
  return if_visible (list->x->emu->tickets->all->pdata[place]);
}

static gpointer
get_by_change (const List *list, guint place)
{
  return if_visible (emu_tickets_get_change (list->x->emu->tickets, place));
}

static gpointer
get_of_external_id (const List *list, guint place)
{
  EmuTicket *ticket = if_visible (((GPtrArray *)list->data)->pdata[place]);
  Emulator *emu = list->x->emu;

  if (ticket == NULL || ticket->created + emu->config.lookup_lag > emu_clock_seconds (&emu->clock))
    return NULL;
  return ticket;
}

static void
write_ticket (const List *list, gpointer row, GString *out)
{
  emu_ticket_write (row, list->x->emu->fields, list->x->emu->base_url, FALSE, out);
}

static void
list_external_id (List *list, const char *external_id)
{
  g_autofree char *escaped = g_uri_escape_string (external_id, NULL, FALSE);
  GPtrArray *found = emu_tickets_lookup (list->x->emu->tickets, external_id);

  list->more = g_strdup_printf ("external_id=%s&", escaped);
  list->data = found;
  list->get = get_of_external_id;
  list->n_places = found != NULL ? found->len : 0;
  list->n_rows = 0;
  for (guint i = 0; i < list->n_places; i++)
    list->n_rows += list->get (list, i) != NULL;
}

/* FALSE, with an answer, for an order that this paging does not know. */
static gboolean
choose_order (List *list)
{
  EmuExchange *x = list->x;
  gboolean by_cursor = query (x, "page[size]") != NULL;
  const char *sort = query (x, by_cursor ? "sort" : "sort_by"), *name = sort;
  const char *direction = by_cursor ? NULL : query (x, "sort_order");

  if (by_cursor && name != NULL && *name == '-')
    name++;
  list->descending = name != sort || g_strcmp0 (direction, "desc") == 0;
  if (name == NULL || g_str_equal (name, "id") || (!by_cursor && g_str_equal (name, "created_at")))
    list->order = list->descending ? "-nice_id" : "nice_id";
  else if (g_str_equal (name, "updated_at"))
    {
      list->order = list->descending ? "-updated_at" : "updated_at";
      list->get = get_by_change;
      list->n_places = x->emu->tickets->changes->len;
    }
  else
    {
      emu_answer_bad_page (&x->answer, "InvalidPaginationParameter",
                           "sort is not valid. It must be id or updated_at");
      return FALSE;
    }
  g_free (list->more);
  list->more = sort == NULL ? g_strdup ("")
               : by_cursor  ? g_strdup_printf ("sort=%s&", sort)
                            : g_strdup_printf ("sort_by=%s&sort_order=%s&", name,
                                              list->descending ? "desc" : "asc");
  return TRUE;
}

void
emu_list_tickets (EmuExchange *x)
{
  const char *external_id = query (x, "external_id");
  List list = { .x = x,
                .name = "tickets",
                .order = "nice_id",
                .n_places = x->emu->tickets->all->len,
                .n_rows = x->emu->tickets->n_live,
                .get = get_by_id,
                .write = write_ticket };

  if (external_id != NULL)
    list_external_id (&list, external_id);
  else if (!choose_order (&list))
    return;
  answer_list (&list);
  g_free (list.more);
}

static gpointer
get_comment (const List *list, guint place)
{
  return &g_array_index (((EmuTicket *)list->data)->comments, EmuComment, place);
}

static void
write_comment (const List *list, gpointer row, GString *out)
{
  emu_comment_write (row, list->data, out);
}

void
emu_list_comments (EmuExchange *x)
{
  EmuTicket *ticket = emu_tickets_get (x->emu->tickets, x->id);
  const char *sort = query (x, "sort"), *order = query (x, "sort_order");
  List list
      = { .x = x,
          .name = "comments",
          .order = "created_at",
          .data = ticket,
          .descending = g_strcmp0 (sort, "-created_at") == 0 || g_strcmp0 (order, "desc") == 0,
          .get = get_comment,
          .write = write_comment,
          .more = (char *)"" };

  if (ticket == NULL || ticket->deleted)
    {
      emu_answer_not_found (&x->answer);
      return;
    }
  list.n_places = list.n_rows = ticket->comments->len;
  answer_list (&list);
}

static gint
compare_ids (gconstpointer a, gconstpointer b)
{
  const EmuTicket *one = *(EmuTicket *const *)a, *other = *(EmuTicket *const *)b;

  return one->id < other->id ? -1 : one->id > other->id;
}

/* The order is the tickets' own, not the one that was asked for. */
void
emu_show_many (EmuExchange *x)
{
  const char *ids = query (x, "ids");
  g_auto (GStrv) words = g_strsplit (ids != NULL ? ids : "", ",", -1);
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  List list = { .x = x, .name = "tickets", .write = write_ticket };

  if (g_strv_length (words) > MAX_PAGE)
    {
      emu_answer_set (&x->answer, 400, NULL, "too-many",
                      "{\"error\":\"TooManyValues\",\"description\":\"Parameter ids cannot specify "
                      "more than 100 values\",\"max_count\":100}");
      return;
    }
  for (char **word = words; *word != NULL; word++)
    {
      EmuTicket *ticket = emu_tickets_get (x->emu->tickets, g_ascii_strtoll (*word, NULL, 10));

      if (ticket != NULL && !ticket->deleted && !g_ptr_array_find (rows, ticket, NULL))
        g_ptr_array_add (rows, ticket);
    }
  g_ptr_array_sort (rows, compare_ids);

  GString *out = emu_answer_begin (&x->answer, 200, "listed");
  write_rows (&list, rows, out);
  g_string_append_printf (out, ",\"next_page\":null,\"previous_page\":null,\"count\":%u}",
                          rows->len);
}

/* Where the export begins: behind the cursor, or at the start time.  FALSE with an answer. */
static gboolean
find_start (EmuExchange *x, guint *ret_entry)
{
  const char *cursor = query (x, "cursor"), *start = query (x, "start_time");
  gint64 time;
  gsize length = 0;

  if (cursor != NULL)
    {
      g_autofree guchar *text = g_base64_decode (cursor, &length);
      g_autofree char *copy = g_strndup ((char *)text, length);
      const char *bar = strstr (copy, "||");

      if (bar == NULL || !g_ascii_isdigit (bar[2]))
        {
          emu_answer_bad_attribute (&x->answer,
                                    "You passed an invalid value for the cursor attribute.");
          return FALSE;
        }
      *ret_entry = (guint)g_ascii_strtoull (bar + 2, NULL, 10);
      return TRUE;
    }
  if (start == NULL || !g_ascii_string_to_signed (start, 10, 0, G_MAXINT64, &time, NULL))
    {
      emu_answer_bad_attribute (&x->answer, "You passed an invalid value for the start_time "
                                            "attribute. must be an integer");
      return FALSE;
    }
  if (time > emu_clock_seconds (&x->emu->clock) - EXPORT_LAG)
    {
      emu_answer_error (&x->answer, 422, "InvalidValue",
                        "Too recent start_time. Use a start_time older than 60 seconds");
      return FALSE;
    }
  *ret_entry = emu_tickets_find_change (x->emu->tickets, time);
  return TRUE;
}

void
emu_export_tickets (EmuExchange *x)
{
  EmuTickets *tickets = x->emu->tickets;
  gint64 size = query_number (x, "per_page", MAX_EXPORT, 1, MAX_EXPORT);
  gboolean no_deleted = g_strcmp0 (query (x, "exclude_deleted"), "true") == 0;
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  List list = { .x = x, .name = "tickets", .write = write_ticket };
  guint entry, end;

  if (!find_start (x, &entry))
    return;
  end = emu_tickets_find_change (tickets, emu_clock_seconds (&x->emu->clock) - EXPORT_LAG);
  for (; entry < end && rows->len < size; entry++)
    {
      EmuTicket *ticket = emu_tickets_get_change (tickets, entry);

      if (ticket != NULL && !(no_deleted && ticket->deleted))
        g_ptr_array_add (rows, ticket);
    }

  gint64 time = entry > 0 && entry <= tickets->changes->len
                    ? g_array_index (tickets->changes, EmuChange, entry - 1).time
                    : 0;
  g_autofree char *plain = g_strdup_printf ("%" G_GINT64_FORMAT ".0||%u|", time, entry);
  g_autofree char *cursor = g_base64_encode ((guchar *)plain, strlen (plain));
  g_autofree char *escaped = g_uri_escape_string (cursor, NULL, FALSE);
  GString *out = emu_answer_begin (&x->answer, 200, "exported");

  write_rows (&list, rows, out);
  g_string_append_printf (out,
                          ",\"after_url\":\"%s/api/v2/incremental/tickets/cursor.json?cursor=%s\","
                          "\"before_url\":null,\"after_cursor\":\"%s\",\"before_cursor\":null,"
                          "\"end_of_stream\":%s}",
                          x->emu->base_url, escaped, cursor, entry >= end ? "true" : "false");
}
