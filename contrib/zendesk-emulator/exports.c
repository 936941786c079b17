/* exports.c: everything that changed since some time
 *
 * An export walks a log in which every change of a record has an entry with its time, and only the
 * last entry of a record counts.  What kind of records they are says a Table.
 */
#include "exports.h"

#include "sideload.h"
#include "ticket-events.h"
#include "ticket-json.h"

#include <string.h>

#define MAX_ROWS 1000
#define MAX_SAMPLE 50
#define LAG 60 /* seconds: how old a start_time has to be */

typedef struct
{
  const char *name; /* of the member, and of the path */
  guint (*count) (const Emulator *emu);
  gint64 (*get_time) (const Emulator *emu, guint entry); /* Unix seconds, in order */
  gpointer (*get) (const Emulator *emu, guint entry);    /* NULL: a later entry counts */
  void (*write) (const EmuList *list, gpointer row, GString *out);
  void (*sideload) (const EmuList *list, const GPtrArray *rows, GString *out);
  gint64 lag; /* seconds that the export is behind */
} Table;

typedef struct
{
  EmuExchange *x;
  const Table *table;
  guint entry;     /* the next one to look at */
  guint end;       /* of what may be told by now */
  GPtrArray *rows; /* (owned) */
} Export;

/* --- what there is to export --- */

static guint
count_tickets (const Emulator *emu)
{
  return emu->tickets->changes->len;
}

static gint64
get_ticket_time (const Emulator *emu, guint entry)
{
  return g_array_index (emu->tickets->changes, EmuChange, entry).time;
}

static gpointer
get_ticket (const Emulator *emu, guint entry)
{
  return emu_tickets_get_change (emu->tickets, entry);
}

static void
write_ticket (const EmuList *list, gpointer row, GString *out)
{
  emu_sideload_write_ticket (list->x, row, out);
}

static guint
count_events (const Emulator *emu)
{
  return emu->tickets->events->len;
}

static gint64
get_event_time (const Emulator *emu, guint entry)
{
  return g_array_index (emu->tickets->events, EmuTicketEvent, entry).time;
}

static gpointer
get_event (const Emulator *emu, guint entry)
{
  return &g_array_index (emu->tickets->events, EmuTicketEvent, entry);
}

static void
write_event (const EmuList *list, gpointer row, GString *out)
{
  emu_ticket_event_write (list->x->emu, row, emu_query_has (list->x, "include", "comment_events"),
                          out);
}

static const Table tickets_table
    = { "tickets", count_tickets, get_ticket_time, get_ticket, write_ticket, emu_sideload_tickets,
        LAG };
static const Table events_table
    = { "ticket_events", count_events, get_event_time, get_event, write_event, NULL, LAG };

/* --- walking --- */

/* The first entry that is not older than @time. */
static guint
find_entry (const Table *table, const Emulator *emu, gint64 time)
{
  guint low = 0, high = table->count (emu);

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (table->get_time (emu, middle) < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* FALSE, with an answer, without a start_time that is a minute old. */
static gboolean
read_start_time (EmuExchange *x, gint64 *ret_time)
{
  const char *start = emu_query (x, "start_time");

  if (start == NULL || !g_ascii_string_to_signed (start, 10, 0, G_MAXINT64, ret_time, NULL))
    {
      emu_answer_bad_attribute (&x->answer, "You passed an invalid value for the start_time "
                                            "attribute. must be an integer");
      return FALSE;
    }
  if (*ret_time > emu_clock_seconds (&x->emu->clock) - LAG)
    {
      emu_answer_error (&x->answer, 422, "InvalidValue",
                        "Too recent start_time. Use a start_time older than 60 seconds");
      return FALSE;
    }
  return TRUE;
}

/* A cursor holds a time, which nobody reads, and the entry after the last one told. */
static gboolean
read_cursor (EmuExchange *x, const char *cursor, guint *ret_entry)
{
  gsize length = 0;
  g_autofree guchar *text = g_base64_decode (cursor, &length);
  g_autofree char *copy = g_strndup ((char *)text, length);
  const char *bar = strstr (copy, "||");

  if (bar == NULL || !g_ascii_isdigit (bar[2]))
    {
      emu_answer_bad_attribute (&x->answer,
                                "You passed an invalid value for the cursor attribute.");
      return FALSE;
    }
  *ret_entry = (guint)MIN (g_ascii_strtoull (bar + 2, NULL, 10), G_MAXINT32);
  return TRUE;
}

static void
begin (Export *export, EmuExchange *x, const Table *table)
{
  *export = (Export){ .x = x, .table = table, .rows = g_ptr_array_new () };
  export->end = find_entry (table, x->emu, emu_clock_seconds (&x->emu->clock) + 1 - table->lag);
}

/* A record that is in the page comes once more now and then, if the emulator is told so. */
static void
add_row (Export *export, gpointer row)
{
  guint every = export->x->emu->config.repeat_exported;

  g_ptr_array_add (export->rows, row);
  if (every > 0 && (export->rows->len % (every + 1)) == every)
    g_ptr_array_add (export->rows, row);
}

/* (nullable): the row of the next entry that counts, which is then the one after */
static gpointer
next_row (Export *export, gint64 *ret_time)
{
  const Emulator *emu = export->x->emu;
  gboolean no_deleted = export->table == &tickets_table
                        && g_strcmp0 (emu_query (export->x, "exclude_deleted"), "true") == 0;

  for (; export->entry < export->end; export->entry++)
    {
      gpointer row = export->table->get (emu, export->entry);

      if (row == NULL || (no_deleted && ((EmuTicket *)row)->deleted))
        continue;
      *ret_time = export->table->get_time (emu, export->entry);
      return row;
    }
  return NULL;
}

static void
take_rows (Export *export, gint64 size)
{
  gpointer row;
  gint64 time;

  for (; size > 0 && (row = next_row (export, &time)) != NULL; size--, export->entry++)
    add_row (export, row);
}

/* Takes at least @size rows, if there are so many, and never half of what happened in one second.
 * What happened at @start has most likely been told before, so it does not count; where it does,
 * nobody gets past a second with a whole page in it. */
static void
take_seconds (Export *export, gint64 size, gint64 start)
{
  gboolean sticks = export->x->emu->config.stick_to_second;
  gint64 time, last = start, n = 0;
  gpointer row;

  for (; (row = next_row (export, &time)) != NULL; export->entry++)
    {
      if (n >= size && time != last)
        break;
      n += sticks || time != start;
      last = time;
      add_row (export, row);
    }
}

static GString *
answer_rows (const Export *export)
{
  EmuList list = { .x = export->x,
                   .name = export->table->name,
                   .write = export->table->write,
                   .sideload = export->table->sideload };
  GString *out = emu_answer_begin (&export->x->answer, 200, "exported");

  emu_list_write_rows (&list, export->rows, out);
  return out;
}

/* --- by cursor --- */

static char *
make_cursor (const Export *export)
{
  const Emulator *emu = export->x->emu;
  guint entry = export->entry;
  gint64 time = entry > 0 && entry <= export->table->count (emu)
                    ? export->table->get_time (emu, entry - 1)
                    : 0;
  g_autofree char *plain = g_strdup_printf ("%" G_GINT64_FORMAT ".0||%u|", time, entry);

  return g_base64_encode ((guchar *)plain, strlen (plain));
}

static void
export_by_cursor (EmuExchange *x, const Table *table)
{
  const char *cursor = emu_query (x, "cursor");
  Export export;
  gint64 start;

  begin (&export, x, table);
  g_autoptr (GPtrArray) rows = export.rows;
  if (cursor != NULL ? !read_cursor (x, cursor, &export.entry) : !read_start_time (x, &start))
    return;
  if (cursor == NULL)
    export.entry = find_entry (table, x->emu, start);
  else if (x->emu->config.repeat_exported > 0 && export.entry > 0)
    export.entry--; /* what the page before ended with */
  take_rows (&export, emu_query_number (x, "per_page", MAX_ROWS, 1, MAX_ROWS));

  g_autofree char *after = make_cursor (&export);
  g_autofree char *escaped = g_uri_escape_string (after, NULL, FALSE);
  g_string_append_printf (answer_rows (&export),
                          ",\"after_url\":\"%s/api/v2/incremental/%s/cursor.json?cursor=%s\","
                          "\"before_url\":null,\"after_cursor\":\"%s\",\"before_cursor\":null,"
                          "\"end_of_stream\":%s}",
                          x->emu->base_url, table->name, escaped, after,
                          export.entry >= export.end ? "true" : "false");
}

/* --- by time --- */

/* Parameters that the address of the next page repeats. */
static void
add_parameters (EmuExchange *x, GString *url)
{
  static const char *const names[] = { "per_page", "include", "exclude_deleted" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *value = emu_query (x, names[i]);
      g_autofree char *valid = value != NULL ? g_utf8_make_valid (value, -1) : NULL;
      g_autofree char *escaped = valid != NULL ? g_uri_escape_string (valid, ",", FALSE) : NULL;

      if (escaped != NULL)
        g_string_append_printf (url, "&%s=%s", names[i], escaped);
    }
}

/* The next page begins with the second that this one ends with, so its records come again. */
static void
export_by_time (EmuExchange *x, const Table *table)
{
  gint64 size = emu_query_number (x, "per_page", MAX_ROWS, 1, MAX_ROWS);
  g_autoptr (GString) url = g_string_new (NULL);
  Export export;
  gint64 start, last;

  begin (&export, x, table);
  g_autoptr (GPtrArray) rows = export.rows;
  if (!read_start_time (x, &start))
    return;
  last = start;
  export.entry = find_entry (table, x->emu, start);
  take_seconds (&export, size, start);
  if (rows->len > 0)
    last = table->get_time (x->emu, export.entry - 1);

  g_string_append_printf (url, "%s/api/v2/incremental/%s.json?start_time=%" G_GINT64_FORMAT,
                          x->emu->base_url, table->name, last);
  add_parameters (x, url);
  g_string_append_printf (answer_rows (&export),
                          ",\"count\":%u,\"end_of_stream\":%s,\"end_time\":%" G_GINT64_FORMAT
                          ",\"next_page\":\"%s\"}",
                          rows->len, export.entry >= export.end ? "true" : "false", last, url->str);
}

static void
sample (EmuExchange *x, const Table *table)
{
  Export export;
  gint64 start;

  begin (&export, x, table);
  g_autoptr (GPtrArray) rows = export.rows;
  if (!read_start_time (x, &start))
    return;
  export.entry = find_entry (table, x->emu, start);
  take_rows (&export, MAX_SAMPLE);
  g_string_append_printf (answer_rows (&export), ",\"count\":%u,\"end_of_stream\":%s}", rows->len,
                          export.entry >= export.end ? "true" : "false");
}

void
emu_export_tickets_by_cursor (EmuExchange *x)
{
  export_by_cursor (x, &tickets_table);
}

void
emu_export_tickets_by_time (EmuExchange *x)
{
  export_by_time (x, &tickets_table);
}

void
emu_export_ticket_events (EmuExchange *x)
{
  export_by_time (x, &events_table);
}

void
emu_sample_tickets (EmuExchange *x)
{
  sample (x, &tickets_table);
}

void
emu_sample_ticket_events (EmuExchange *x)
{
  sample (x, &events_table);
}
