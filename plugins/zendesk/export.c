/* export.c: whether a ticket is there that no list shows */
#include "export.h"
#include "export-row.h"
#include "page.h"

#include <string.h>

/* Tickets of a page; fewer if a page is too long. */
#define PAGE_ROWS 1000
/* Tickets that are remembered although nobody asked for them yet: about 16 MB. */
#define MOST_KEPT 100000
/* Of one external_id. */
#define MOST_DOUBLES 50
/* Clocks are told in whole seconds, and a request arrives a moment after it left. */
#define MARGIN (10 * G_USEC_PER_SEC)
/* Between two tries, if the answer says nothing of it. */
#define PAUSE (10 * G_USEC_PER_SEC)
#define DIGEST_LENGTH 16

typedef struct
{
  gint64 id; /* 0: none */
  gboolean deleted;
} Ticket;

struct _ZendeskSighting
{
  guint8 digest[DIGEST_LENGTH]; /* of the external_id */
  Ticket first;
  GArray *others;               /* (owned) (nullable) (element-type Ticket) */
};

struct _ZendeskExport
{
  ZendeskWaiter waiter;
  ZendeskAccount *account;  /* (unowned) */
  gint64 delay;
  GHashTable *sightings;    /* (owned) (element-type ZendeskSighting) of what was read, and of what is waited for */
  gboolean overflow;        /* tickets were read that are not remembered */
  gboolean begun;           /* start to reached say what was read */
  gint64 start;             /* all that changed from then on was read, */
  gint64 covered;           /* up to this moment; G_MININT64: not yet to the end */
  gint64 reached;           /* the last change that was read */
  gboolean in_pass;         /* the end was not reached yet since this pass */
  gint64 pass_at, pass_from; /* began, on our clock, and from where on */
  char *cursor;             /* (owned) (nullable) */
  guint page_rows;
  gboolean asking;
  gint64 not_before;        /* on our clock */
  gint64 scrubbed_from, scrubbed_until; /* when tickets were made of which nothing is left; 0: there are none */
  GPtrArray *waiting;       /* (owned) (element-type ZendeskSought) the first one is never sent back to wait */
};

static void ask_page (ZendeskExport *export);

/* --- what was seen --- */

static guint
sighting_hash (gconstpointer data)
{
  guint hash;

  memcpy (&hash, ((const ZendeskSighting *) data)->digest, sizeof hash);
  return hash;
}

static gboolean
sighting_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (((const ZendeskSighting *) a)->digest, ((const ZendeskSighting *) b)->digest, DIGEST_LENGTH) == 0;
}

static void
sighting_free (gpointer data)
{
  ZendeskSighting *sighting = data;

  g_clear_pointer (&sighting->others, g_array_unref);
  g_free (sighting);
}

/* (nullable) add: if it is not there yet. */
static ZendeskSighting *
find_sighting (ZendeskExport *export, const char *external_id, gsize length, gboolean add)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize digest_length = sizeof digest;
  ZendeskSighting key = { 0 }, *sighting;

  g_checksum_update (checksum, (const guchar *) external_id, (gssize) length);
  g_checksum_get_digest (checksum, digest, &digest_length);
  memcpy (key.digest, digest, DIGEST_LENGTH);
  sighting = g_hash_table_lookup (export->sightings, &key);
  if (sighting != NULL || !add)
    return sighting;

  sighting = g_new0 (ZendeskSighting, 1);
  memcpy (sighting->digest, digest, DIGEST_LENGTH);
  g_hash_table_add (export->sightings, sighting);
  return sighting;
}

/* The same ticket comes again each time that it was changed. */
static void
add_ticket (ZendeskSighting *sighting, gint64 id, gboolean deleted)
{
  Ticket ticket = { id, deleted };

  if (sighting->first.id == 0 || sighting->first.id == id)
    {
      sighting->first = ticket;
      return;
    }
  if (sighting->others == NULL)
    sighting->others = g_array_new (FALSE, FALSE, sizeof (Ticket));
  for (guint i = 0; i < sighting->others->len; i++)
    if (g_array_index (sighting->others, Ticket, i).id == id)
      {
        g_array_index (sighting->others, Ticket, i) = ticket;
        return;
      }
  if (sighting->others->len < MOST_DOUBLES)
    g_array_append_val (sighting->others, ticket);
}

static void
take_row (ZendeskExport *export, const ZendeskExportRow *row)
{
  const JsonValue *name = &row->external_id;
  gboolean room = g_hash_table_size (export->sightings) < MOST_KEPT;
  ZendeskSighting *sighting;
  gssize length;

  if (row->scrubbed && name->kind != JSON_STRING)
    {
      gint64 made = row->created_at * G_USEC_PER_SEC;

      export->scrubbed_from = export->scrubbed_until == 0 ? made : MIN (export->scrubbed_from, made);
      export->scrubbed_until = MAX (export->scrubbed_until, made + G_USEC_PER_SEC);
    }
  if (name->kind != JSON_STRING)
    return;

  g_autofree char *plain = g_malloc (name->text.length + 1);
  length = json_unescape (name->text, plain);
  if (length < 0)
    return;
  sighting = find_sighting (export, plain, (gsize) length, room);
  if (sighting != NULL)
    add_ticket (sighting, row->id, row->deleted);
  else
    export->overflow = TRUE;
}

/* --- what is sought --- */

/* Ends it; its finding says all. */
static void
end_sought (ZendeskExport *export, ZendeskSought *sought)
{
  g_ptr_array_remove (export->waiting, sought);
  sought->done (sought);
}

static void
end_all (ZendeskExport *export, TallyVerdict verdict, gint64 wait, const char *why)
{
  export->in_pass = FALSE;
  while (export->waiting->len > 0)
    {
      ZendeskSought *sought = export->waiting->pdata[0];

      zendesk_finding_set (sought->finding, verdict, "the export of tickets cannot be read: %s", why);
      sought->finding->wait = wait;
      end_sought (export, sought);
    }
}

/* Of those that are not deleted the oldest one counts. */
static void
tell_found (const ZendeskSighting *sighting, ZendeskSought *sought)
{
  ZendeskFinding *finding = sought->finding;
  gboolean live = !sighting->first.deleted;

  for (guint i = 0; sighting->others != NULL && i < sighting->others->len; i++)
    live |= !g_array_index (sighting->others, Ticket, i).deleted;
  if (sighting->first.deleted != live)
    zendesk_finding_add (finding, sighting->first.id);
  for (guint i = 0; sighting->others != NULL && i < sighting->others->len; i++)
    if (g_array_index (sighting->others, Ticket, i).deleted != live)
      zendesk_finding_add (finding, g_array_index (sighting->others, Ticket, i).id);
  sought->deleted = !live;
  zendesk_finding_set (finding, TALLY_VERDICT_DELIVERED, "ticket %" G_GINT64_FORMAT " was found in the export%s",
                       finding->target_id, live ? "" : ": it was created, and deleted since");
}

static void
answer_sought (ZendeskExport *export, ZendeskSought *sought)
{
  const ZendeskSighting *sighting = sought->sighting;
  ZendeskFinding *finding = sought->finding;

  if (sighting != NULL && sighting->first.id != 0)
    tell_found (sighting, sought);
  else if (export->scrubbed_until > 0 && export->scrubbed_until >= sought->from && export->scrubbed_from <= sought->until)
    zendesk_finding_set (finding, TALLY_VERDICT_UNKNOWN,
                         "not found; but a ticket that was created at that time has been deleted for good, and "
                         "nobody can tell whether it was this one");
  else
    zendesk_finding_set (finding, TALLY_VERDICT_ABSENT, "neither in the list of tickets nor in the export");
  end_sought (export, sought);
}

/* Whether what was read, and what follows, says all about it.  Then it has a sighting, or none is needed. */
static gboolean
can_tell (ZendeskExport *export, ZendeskSought *sought)
{
  if (sought->sighting != NULL)
    return TRUE;
  if (!export->begun || sought->from < export->start)
    return FALSE;
  sought->sighting = find_sighting (export, sought->reference, strlen (sought->reference), !export->overflow);
  return sought->sighting != NULL;
}

/* The end of what there is. */
static void
answer_all (ZendeskExport *export)
{
  for (guint i = export->waiting->len; i > 0; i--)
    {
      ZendeskSought *sought = export->waiting->pdata[i - 1];

      if (sought->until > export->covered)
        {
          zendesk_finding_set (sought->finding, TALLY_VERDICT_UNKNOWN, "the export of tickets does not reach that far yet");
          sought->finding->wait = sought->until - export->covered;
          end_sought (export, sought);
        }
      else if (can_tell (export, sought))
        answer_sought (export, sought);
    }
}

/* --- the pass --- */

/* From the oldest moment that is asked about. */
static void
start_again (ZendeskExport *export)
{
  gint64 start = G_MAXINT64;

  for (guint i = 0; i < export->waiting->len; i++)
    start = MIN (start, ((ZendeskSought *) export->waiting->pdata[i])->from);
  g_hash_table_remove_all (export->sightings);
  g_clear_pointer (&export->cursor, g_free);
  export->begun = TRUE;
  export->overflow = FALSE;
  export->start = start;
  export->covered = G_MININT64;
  export->reached = 0;
  export->scrubbed_from = export->scrubbed_until = 0;
  for (guint i = 0; i < export->waiting->len; i++)
    {
      ZendeskSought *sought = export->waiting->pdata[i];

      sought->sighting = find_sighting (export, sought->reference, strlen (sought->reference), TRUE);
    }
}

/* What is asked for now goes on where the last pass ended, if that is enough. */
static void
begin_pass (ZendeskExport *export)
{
  gboolean enough = export->begun;

  for (guint i = 0; i < export->waiting->len; i++)
    enough = enough && can_tell (export, export->waiting->pdata[i]);
  if (!enough)
    start_again (export);
  if (export->in_pass && enough)
    return;
  export->in_pass = TRUE;
  export->pass_at = g_get_monotonic_time ();
  export->pass_from = MAX (export->reached, export->start);
}

/* How long the rest of the pass takes, by what it has taken so far. */
static gint64
guess_rest (const ZendeskExport *export, gint64 now)
{
  gint64 spent = g_get_monotonic_time () - export->pass_at, done = export->reached - export->pass_from;
  gint64 left = now - export->delay - export->reached;

  if (done <= 0 || left <= 0)
    return 0;
  return (gint64) CLAMP ((double) spent * (double) left / (double) done, 0, (double) ZENDESK_MAX_WAIT);
}

/* The export is refused for a while. */
static void
pause_pass (ZendeskExport *export, const ZendeskCall *call)
{
  gint64 wait = zendesk_headers_wait (&call->headers, g_get_real_time () / G_USEC_PER_SEC);
  gint64 now = call->headers.date > 0 ? call->headers.date * G_USEC_PER_SEC : g_get_real_time ();
  gint64 rest;

  wait = wait > 0 ? wait : PAUSE;
  rest = MAX (wait, guess_rest (export, now));
  export->not_before = g_get_monotonic_time () + wait;
  while (export->waiting->len > 1)
    {
      ZendeskSought *sought = export->waiting->pdata[export->waiting->len - 1];

      zendesk_finding_set (sought->finding, TALLY_VERDICT_BUSY, "the export of tickets is being read");
      sought->finding->wait = rest;
      end_sought (export, sought);
    }
}

/* FALSE if there is something among the records that is no ticket. */
static gboolean
take_rows (ZendeskExport *export, const ZendeskPage *page)
{
  for (guint i = 0; i < page->records->len; i++)
    {
      const ZendeskPageRecord *record = &g_array_index (page->records, ZendeskPageRecord, i);
      ZendeskExportRow row;

      if (!zendesk_export_row_read (record->text, &row))
        return FALSE;
      take_row (export, &row);
      export->reached = MAX (export->reached, record->stamp * G_USEC_PER_SEC);
    }
  return TRUE;
}

static void
take_page (ZendeskExport *export, const ZendeskCall *call)
{
  g_auto (ZendeskPage) page = { 0 };
  TallyText answer = { call->answer->str, call->answer->len };

  if (!zendesk_page_read (&page, ZENDESK_PAGING_CURSOR, "tickets", answer, NULL) || !take_rows (export, &page)
      || (!page.ends && g_strcmp0 (page.cursor, export->cursor) == 0))
    {
      export->begun = FALSE;
      end_all (export, TALLY_VERDICT_UNKNOWN, 0, "an answer that is not a page of it");
      return;
    }
  if (page.cursor != NULL)
    {
      g_free (export->cursor);
      export->cursor = g_steal_pointer (&page.cursor);
    }
  if (page.ends)
    {
      gint64 now = call->headers.date > 0 ? call->headers.date * G_USEC_PER_SEC : g_get_real_time ();

      export->covered = now - export->delay;
      export->in_pass = FALSE;
      answer_all (export);
    }
}

static void
judge_page (ZendeskExport *export, const ZendeskCall *call)
{
  g_autofree char *why = call->status != 0 ? g_strdup_printf ("HTTP %d", call->status) : g_strdup (call->problem);

  if (call->status == 200)
    take_page (export, call);
  else if (call->too_long && export->page_rows > 1)
    export->page_rows = MAX (export->page_rows / 4, 1);
  else if (call->status == 429 || call->status == 503)
    pause_pass (export, call);
  else if (call->status == 401)
    end_all (export, TALLY_VERDICT_HALT, 0, "Zendesk does not accept the credentials");
  else if (call->status == 403)
    end_all (export, TALLY_VERDICT_UNKNOWN, 0, "HTTP 403: it takes the credentials of an admin");
  else if (call->too_long || (call->status > 0 && call->status < 500))
    end_all (export, TALLY_VERDICT_UNKNOWN, 0, why);
  else
    end_all (export, call->status != 0 || call->sent ? TALLY_VERDICT_BUSY : TALLY_VERDICT_UNSENT, PAUSE, why);
}

static void
on_page (ZendeskCall *call, gpointer data)
{
  ZendeskExport *export = data;

  zendesk_account_report (export->account, &call->headers);
  if (call->status != 0)
    zendesk_access_note (export->account, &export->waiter, call->status);
  if (call->status == 401 && zendesk_access_refused (export->account, &export->waiter))
    return;
  export->asking = FALSE;
  judge_page (export, call);
}

static void
on_token (ZendeskWaiter *waiter, TallyVerdict verdict, const char *detail)
{
  ZendeskExport *export = (ZendeskExport *) waiter;

  export->asking = FALSE;
  if (verdict == TALLY_VERDICT_HALT)
    end_all (export, verdict, 0, detail);
}

static void
ask_page (ZendeskExport *export)
{
  ZendeskAccount *account = export->account;
  g_autofree char *escaped = export->cursor != NULL ? g_uri_escape_string (export->cursor, NULL, FALSE) : NULL;
  g_autofree char *place
      = escaped != NULL ? g_strconcat ("cursor=", escaped, NULL)
                        : g_strdup_printf ("start_time=%" G_GINT64_FORMAT, MAX (export->start / G_USEC_PER_SEC, 0));
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/incremental/tickets/cursor.json?%s&per_page=%u", place,
                                           export->page_rows);

  export->asking = TRUE;
  if (zendesk_access_queue (account, &export->waiter))
    return;
  export->waiter.generation = account->access.generation;
  zendesk_http_start (account->http, "GET", path, account->access.header, NULL, NULL, 0, ZENDESK_HTTP_LONG, on_page,
                      export);
}

gint64
zendesk_export_advance (ZendeskExport *export, gint64 wait)
{
  gint64 now = g_get_monotonic_time ();

  if (export->asking || export->waiting->len == 0)
    return wait;
  if (now < export->not_before)
    return MIN (wait, export->not_before - now);
  begin_pass (export);
  ask_page (export);
  return wait;
}

/* --- from outside --- */

ZendeskExport *
zendesk_export_new (ZendeskAccount *account, gint64 delay)
{
  ZendeskExport *export = g_new0 (ZendeskExport, 1);

  export->waiter.on_token = on_token;
  export->account = account;
  export->delay = delay;
  export->page_rows = PAGE_ROWS;
  export->covered = G_MININT64;
  export->sightings = g_hash_table_new_full (sighting_hash, sighting_equal, sighting_free, NULL);
  export->waiting = g_ptr_array_new ();
  return export;
}

void
zendesk_export_free (ZendeskExport *export)
{
  if (export == NULL)
    return;
  g_hash_table_unref (export->sightings);
  g_ptr_array_unref (export->waiting);
  g_free (export->cursor);
  g_free (export);
}

gint64
zendesk_export_lag (const ZendeskExport *export, gint64 until, gint64 now)
{
  return MAX (until + export->delay + MARGIN - now, 0);
}

void
zendesk_export_seek (ZendeskExport *export, ZendeskSought *sought)
{
  sought->sighting = NULL;
  g_ptr_array_add (export->waiting, sought);
  if (sought->until <= export->covered && can_tell (export, sought))
    answer_sought (export, sought);
  else if (export->waiting->len > 1 && g_get_monotonic_time () < export->not_before)
    {
      zendesk_finding_set (sought->finding, TALLY_VERDICT_BUSY, "the export of tickets is being read");
      sought->finding->wait = export->not_before - g_get_monotonic_time ();
      end_sought (export, sought);
    }
}

void
zendesk_export_forget (ZendeskExport *export, ZendeskSought *sought)
{
  g_ptr_array_remove (export->waiting, sought);
}
