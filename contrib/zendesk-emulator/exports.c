/* exports.c: everything that changed since some time
 *
 * An export walks a row of entries in the order of their times.  Of tickets there is a log, in
 * which every change has an entry and only a ticket's last one counts; of users and organizations
 * there is none, so their entries are sorted when they are asked for.  What is told is never of
 * this second, in which more may happen: so nothing is missed behind a cursor.
 */
#include "people-api.h"
#include "sideload.h"
#include "ticket-events.h"
#include "ticket-json.h"

#include <string.h>

#define MAX_ROWS 1000
#define MAX_SAMPLE 50
#define LAG 60 /* seconds: how old a start_time has to be */

typedef struct
{
  gint64 time, id;
  gpointer row;
} Entry;

typedef struct
{
  const char *name;                      /* of the member, and of the path */
  GArray *(*sort) (const Emulator *emu); /* of Entry; NULL: there is a log */
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
  GArray *entries; /* (owned) (nullable) of Entry */
} Export;

static void
export_clear (Export *export)
{
  g_clear_pointer (&export->rows, g_ptr_array_unref);
  g_clear_pointer (&export->entries, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Export, export_clear)

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

static gint
compare_entries (gconstpointer a, gconstpointer b)
{
  const Entry *one = a, *other = b;

  if (one->time != other->time)
    return one->time < other->time ? -1 : 1;
  return one->id < other->id ? -1 : one->id > other->id;
}

static GArray *
sort_users (const Emulator *emu)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (Entry));

  for (guint i = 0; i < emu->users->all->len; i++)
    {
      EmuUser *user = emu->users->all->pdata[i];
      Entry entry = { user->updated, user->id, user };

      g_array_append_val (entries, entry);
    }
  g_array_sort (entries, compare_entries);
  return entries;
}

static GArray *
sort_organizations (const Emulator *emu)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (Entry));

  for (guint i = 0; i < emu->organizations->all->len; i++)
    {
      EmuOrganization *organization = emu->organizations->all->pdata[i];

      if (organization == NULL)
        continue;
      Entry entry = { organization->updated, organization->id, organization };
      g_array_append_val (entries, entry);
    }
  g_array_sort (entries, compare_entries);
  return entries;
}

/* Adds to a record, which is written, when it changed. */
static void
stamp (GString *out, gint64 time)
{
  g_string_truncate (out, out->len - 1); /* the brace */
  g_string_append_printf (out, ",\"generated_timestamp\":%" G_GINT64_FORMAT "}", time);
}

static void
write_user (const EmuList *list, gpointer row, GString *out)
{
  emu_write_user_row (list, row, out);
  stamp (out, ((EmuUser *)row)->updated);
}

static void
write_organization (const EmuList *list, gpointer row, GString *out)
{
  emu_write_organization_row (list, row, out);
  stamp (out, ((EmuOrganization *)row)->updated);
}

static const Table tickets_table = { .name = "tickets",
                                     .count = count_tickets,
                                     .get_time = get_ticket_time,
                                     .get = get_ticket,
                                     .write = write_ticket,
                                     .sideload = emu_sideload_tickets,
                                     .lag = LAG };
static const Table events_table = { .name = "ticket_events",
                                    .count = count_events,
                                    .get_time = get_event_time,
                                    .get = get_event,
                                    .write = write_event,
                                    .lag = LAG };
static const Table users_table = {
  .name = "users", .sort = sort_users, .write = write_user, .sideload = emu_sideload_users, .lag = 1
};
static const Table organizations_table = {
  .name = "organizations", .sort = sort_organizations, .write = write_organization, .lag = 1
};

/* --- walking --- */

static guint
count_entries (const Export *export)
{
  return export->entries != NULL ? export->entries->len : export->table->count (export->x->emu);
}

static gint64
get_time (const Export *export, guint i)
{
  return export->entries != NULL ? g_array_index (export->entries, Entry, i).time
                                 : export->table->get_time (export->x->emu, i);
}

/* (nullable): the row of an entry, if that counts */
static gpointer
get_row (const Export *export, guint i)
{
  return export->entries != NULL ? g_array_index (export->entries, Entry, i).row
                                 : export->table->get (export->x->emu, i);
}

/* The first entry that is not older than @time. */
static guint
find_entry (const Export *export, gint64 time)
{
  guint low = 0, high = count_entries (export);

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (get_time (export, middle) < time)
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

/* A cursor holds the time of the last record told, and its id, or with a log the next entry. */
static gboolean
read_cursor (Export *export, const char *cursor)
{
  EmuExchange *x = export->x;
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
  guint64 number = g_ascii_strtoull (bar + 2, NULL, 10);
  if (export->entries == NULL)
    export->entry = (guint)MIN (number, G_MAXINT32);
  else
    {
      Entry told = { g_ascii_strtoll (copy, NULL, 10), (gint64)MIN (number, G_MAXINT64), NULL };

      export->entry = find_entry (export, told.time);
      while (export->entry < export->entries->len
             && compare_entries (&g_array_index (export->entries, Entry, export->entry), &told)
                    <= 0)
        export->entry++;
    }
  return TRUE;
}

static void
begin (Export *export, EmuExchange *x, const Table *table)
{
  *export = (Export){ .x = x,
                      .table = table,
                      .rows = g_ptr_array_new (),
                      .entries = table->sort != NULL ? table->sort (x->emu) : NULL };
  export->end = find_entry (export, emu_clock_seconds (&x->emu->clock) + 1 - table->lag);
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
  gboolean no_deleted = export->table == &tickets_table
                        && g_strcmp0 (emu_query (export->x, "exclude_deleted"), "true") == 0;

  for (; export->entry < export->end; export->entry++)
    {
      gpointer row = get_row (export, export->entry);

      if (row == NULL || (no_deleted && ((EmuTicket *)row)->deleted))
        continue;
      *ret_time = get_time (export, export->entry);
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

/* @start: where the export began, if nothing was told yet */
static char *
make_cursor (const Export *export, gint64 start)
{
  guint n = export->entry;
  gboolean told = n > 0 && n <= count_entries (export);
  gint64 time = told ? get_time (export, n - 1) : start;
  gint64 number = export->entries == NULL ? n
                  : told                  ? g_array_index (export->entries, Entry, n - 1).id
                                          : 0;
  g_autofree char *plain
      = g_strdup_printf ("%" G_GINT64_FORMAT ".0||%" G_GINT64_FORMAT "|", time, number);

  return g_base64_encode ((guchar *)plain, strlen (plain));
}

static void
export_by_cursor (EmuExchange *x, const Table *table)
{
  const char *cursor = emu_query (x, "cursor");
  g_auto (Export) export = { 0 };
  gint64 start = 0;

  begin (&export, x, table);
  if (cursor != NULL ? !read_cursor (&export, cursor) : !read_start_time (x, &start))
    return;
  if (cursor == NULL)
    export.entry = find_entry (&export, start);
  else if (x->emu->config.repeat_exported > 0 && export.entry > 0)
    export.entry--; /* what the page before ended with */
  take_rows (&export, emu_query_number (x, "per_page", MAX_ROWS, 1, MAX_ROWS));

  g_autofree char *after = make_cursor (&export, start);
  g_autofree char *escaped = g_uri_escape_string (after, NULL, FALSE);
  g_string_append_printf (answer_rows (&export),
                          ",\"after_url\":\"%s/api/v2/incremental/%s/cursor.json?cursor=%s\","
                          "\"before_url\":null,\"after_cursor\":\"%s\",\"before_cursor\":null,"
                          "\"end_of_stream\":%s}",
                          x->emu->base_url, table->name, escaped, after,
                          export.entry >= export.end ? "true" : "false");
}

/* --- by time --- */

/* The next page begins with the second that this one ends with, so its records come again. */
static void
export_by_time (EmuExchange *x, const Table *table)
{
  static const char *const repeated[] = { "per_page", "include", "exclude_deleted", NULL };
  g_autofree char *more = emu_query_dup (x, repeated);
  g_auto (Export) export = { 0 };
  gint64 start, last;

  begin (&export, x, table);
  if (!read_start_time (x, &start))
    return;
  last = start;
  export.entry = find_entry (&export, start);
  take_seconds (&export, emu_query_number (x, "per_page", MAX_ROWS, 1, MAX_ROWS), start);
  if (export.rows->len > 0)
    last = get_time (&export, export.entry - 1);

  g_string_append_printf (answer_rows (&export),
                          ",\"count\":%u,\"end_of_stream\":%s,\"end_time\":%" G_GINT64_FORMAT
                          ",\"next_page\":\"%s/api/v2/incremental/%s.json?%sstart_time="
                          "%" G_GINT64_FORMAT "\"}",
                          export.rows->len, export.entry >= export.end ? "true" : "false", last,
                          x->emu->base_url, table->name, more, last);
}

static void
sample (EmuExchange *x, const Table *table)
{
  g_auto (Export) export = { 0 };
  gint64 start;

  begin (&export, x, table);
  if (!read_start_time (x, &start))
    return;
  export.entry = find_entry (&export, start);
  take_rows (&export, MAX_SAMPLE);
  g_string_append_printf (answer_rows (&export), ",\"count\":%u,\"end_of_stream\":%s}",
                          export.rows->len, export.entry >= export.end ? "true" : "false");
}

/* --- endpoints --- */

static void
export_tickets_by_cursor (EmuExchange *x)
{
  export_by_cursor (x, &tickets_table);
}

static void
export_tickets (EmuExchange *x)
{
  export_by_time (x, &tickets_table);
}

static void
sample_tickets (EmuExchange *x)
{
  sample (x, &tickets_table);
}

static void
export_ticket_events (EmuExchange *x)
{
  export_by_time (x, &events_table);
}

static void
sample_ticket_events (EmuExchange *x)
{
  sample (x, &events_table);
}

static void
export_users_by_cursor (EmuExchange *x)
{
  export_by_cursor (x, &users_table);
}

static void
export_users (EmuExchange *x)
{
  export_by_time (x, &users_table);
}

static void
sample_users (EmuExchange *x)
{
  sample (x, &users_table);
}

static void
export_organizations (EmuExchange *x)
{
  export_by_time (x, &organizations_table);
}

static void
sample_organizations (EmuExchange *x)
{
  sample (x, &organizations_table);
}

const EmuRoute emu_export_routes[] = {
  { "GET", "incremental/tickets/cursor", export_tickets_by_cursor, EMU_BUCKET_INCREMENTAL },
  { "GET", "incremental/tickets", export_tickets, EMU_BUCKET_INCREMENTAL },
  { "GET", "incremental/tickets/sample", sample_tickets, EMU_BUCKET_SAMPLE },
  { "GET", "incremental/ticket_events", export_ticket_events, EMU_BUCKET_INCREMENTAL },
  { "GET", "incremental/ticket_events/sample", sample_ticket_events, EMU_BUCKET_SAMPLE },
  { "GET", "incremental/users/cursor", export_users_by_cursor, EMU_BUCKET_INCREMENTAL },
  { "GET", "incremental/users", export_users, EMU_BUCKET_INCREMENTAL },
  { "GET", "incremental/users/sample", sample_users, EMU_BUCKET_SAMPLE },
  { "GET", "incremental/organizations", export_organizations, EMU_BUCKET_INCREMENTAL },
  { "GET", "incremental/organizations/sample", sample_organizations, EMU_BUCKET_SAMPLE },
  { 0 },
};
