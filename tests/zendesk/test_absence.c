/* test_absence.c: tickets that no list shows are found in the export, and nothing is absent before its time */
#include "desk.h"
#include "promise.h"

#include <string.h>

#define BODY "{\"ticket\":{\"external_id\":\"desk:1\",\"comment\":{\"body\":\"x\",\"public\":true}}}"
#define ME "{\"user\":{\"id\":7,\"role\":\"admin\"}}"
#define NO_TICKETS "{\"tickets\":[]}"

static Desk *
open_desk (const char *url)
{
  Desk *desk = desk_new ("url", url, "access_token", "t0ken", "timeout", "10s", "run-tag", "false", NULL);
  g_autoptr (GError) error = NULL;

  assert_true (desk_accept (desk, "comment.body text", &error) && desk_open (desk, &error));
  assert_no_error (error);
  return desk;
}

static TallyDelivery *
look_up (Desk *desk, const char *reference)
{
  TallyDelivery *delivery = desk_resolve (desk, "k1", reference, BODY);

  desk_finish (desk);
  return delivery;
}

static void
import (Emulator *emulator, const char *external_id, const char *query)
{
  g_autofree char *path = g_strconcat ("/api/v2/imports/tickets.json", query, NULL);
  g_autofree char *body = g_strdup_printf ("{\"ticket\":{\"external_id\":\"%s\",\"status\":\"closed\",\"description\":\"x\"}}",
                                           external_id);
  g_autofree char *answered = emulator_ask (emulator, "POST", path, body);

  assert_contains (answered, "{\"ticket\":");
}

static void
pass (Emulator *emulator, guint seconds)
{
  g_autofree char *body = g_strdup_printf ("{\"advance\":%u}", seconds);

  g_free (emulator_ask (emulator, "POST", "/_emulator/clock", body));
}

static guint
count_exports (Emulator *emulator)
{
  g_autofree char *history = emulator_ask (emulator, "GET", "/_emulator/history", NULL);
  guint n = 0;

  for (const char *at = history; (at = strstr (at, "/api/v2/incremental/")) != NULL; at++)
    n++;
  return n;
}

static void
test_an_archived_ticket_is_found (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator->url);
  TallyDelivery *found;

  import (emulator, "desk:1", "?archive_immediately=true");
  pass (emulator, 200);
  found = look_up (desk, "desk:1");
  assert_int (found->verdict, TALLY_VERDICT_DELIVERED);
  assert_text (found->target_id, "1");
  assert_contains (found->detail, "found in the export");
  assert_int (look_up (desk, "desk:2")->verdict, TALLY_VERDICT_ABSENT);
}

static void
test_a_deleted_ticket_is_found_and_told (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator->url);
  TallyDelivery *found;

  import (emulator, "desk:1", "");
  g_free (emulator_ask (emulator, "DELETE", "/api/v2/tickets/1.json", NULL));
  pass (emulator, 200);
  found = look_up (desk, "desk:1");
  assert_int (found->verdict, TALLY_VERDICT_DELIVERED);
  assert_text (found->target_id, "1");
  assert_contains (found->detail, "deleted since");
  assert_int (desk->ctx.warnings->len, 1);
  assert_contains (desk->ctx.warnings->pdata[0], "is not created again");
}

static void
test_an_export_that_is_behind_proves_nothing (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator->url);
  TallyDelivery *delivery = desk_resolve (desk, "k1", "desk:1", BODY);

  delivery->sent_at = g_get_real_time () - 100 * G_USEC_PER_SEC;
  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNKNOWN);
  assert_true (delivery->wait > 20 * G_USEC_PER_SEC && delivery->wait <= 31 * G_USEC_PER_SEC);
  assert_int (count_exports (emulator), 0);
}

static void
test_one_pass_settles_all (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator->url);
  guint n = 60;

  for (guint i = 0; i < n; i += 2)
    {
      g_autofree char *reference = g_strdup_printf ("desk:%u", i);

      import (emulator, reference, "?archive_immediately=true");
    }
  pass (emulator, 200);
  for (guint i = 0; i < n / 2; i++)
    {
      g_autofree char *reference = g_strdup_printf ("desk:%u", i);

      desk_resolve (desk, "k", reference, BODY);
    }
  desk_finish (desk);
  assert_int (count_exports (emulator), 1);

  /* Those that come later are answered by what was read. */
  for (guint i = n / 2; i < n; i++)
    {
      g_autofree char *reference = g_strdup_printf ("desk:%u", i);

      desk_resolve (desk, "k", reference, BODY);
    }
  desk_finish (desk);
  assert_int (count_exports (emulator), 1);
  for (guint i = 0; i < n; i++)
    assert_int (((TallyDelivery *) desk->deliveries->pdata[i])->verdict,
                i % 2 == 0 ? TALLY_VERDICT_DELIVERED : TALLY_VERDICT_ABSENT);
}

static void
test_a_later_question_reads_on (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator->url);
  TallyDelivery *later;

  import (emulator, "desk:1", "?archive_immediately=true");
  pass (emulator, 200);
  assert_int (look_up (desk, "desk:1")->verdict, TALLY_VERDICT_DELIVERED);
  import (emulator, "desk:2", "?archive_immediately=true");
  pass (emulator, 200);
  later = desk_resolve (desk, "k1", "desk:2", BODY);
  later->sent_at = g_get_real_time () + 250 * G_USEC_PER_SEC;
  desk_finish (desk);
  assert_int (later->verdict, TALLY_VERDICT_DELIVERED);
  assert_text (later->target_id, "2");
  assert_int (count_exports (emulator), 2);
}

/* What was read does not reach back to it. */
static void
test_an_older_question_reads_from_further_back (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator->url);
  gint64 now = g_get_real_time ();
  TallyDelivery *delivery;

  import (emulator, "desk:1", "?archive_immediately=true");
  pass (emulator, 1000);
  delivery = desk_resolve (desk, "k1", "desk:2", BODY);
  delivery->intended_at = now + 500 * G_USEC_PER_SEC;
  delivery->sent_at = now + 600 * G_USEC_PER_SEC;
  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_ABSENT);

  delivery = desk_resolve (desk, "k1", "desk:1", BODY);
  delivery->intended_at = now - 10 * G_USEC_PER_SEC;
  delivery->sent_at = now + 60 * G_USEC_PER_SEC;
  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (count_exports (emulator), 2);
}

/* A refused export holds one of those that wait; the others are for the core to bring again. */
static void
test_a_refused_export_is_asked_again (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator->url);
  TallyDelivery *first, *second;

  import (emulator, "desk:1", "?archive_immediately=true");
  pass (emulator, 200);
  emulator_set_faults (emulator, "{'kind':'storm','path':'/api/v2/incremental','retry_after':'1'}");
  first = desk_resolve (desk, "k1", "desk:1", BODY);
  second = desk_resolve (desk, "k2", "desk:2", BODY);
  desk_finish (desk);
  assert_int (count_exports (emulator), 2);
  if (first->verdict == TALLY_VERDICT_BUSY)
    {
      TallyDelivery *other = first;

      first = second;
      second = other;
    }
  assert_int (second->verdict, TALLY_VERDICT_BUSY);
  assert_true (second->wait >= G_USEC_PER_SEC && !second->wait_all);
  assert_true (first->verdict == TALLY_VERDICT_DELIVERED || first->verdict == TALLY_VERDICT_ABSENT);
  assert_int (look_up (desk, "desk:1")->verdict, TALLY_VERDICT_DELIVERED);
}

static const struct
{
  const char *fault;
  TallyVerdict verdict;
  const char *detail;
} refusals[] = {
  { "'kind':'forbidden'", TALLY_VERDICT_UNKNOWN, "it takes the credentials of an admin" },
  { "'kind':'unauthorized'", TALLY_VERDICT_HALT, "does not accept the credentials" },
  { "'kind':'status','status':502,'body':'html'", TALLY_VERDICT_BUSY, "HTTP 502" },
  { "'kind':'status','status':422", TALLY_VERDICT_UNKNOWN, "HTTP 422" },
  { "'kind':'html'", TALLY_VERDICT_UNKNOWN, "not a page of it" },
  { "'kind':'drop-before'", TALLY_VERDICT_BUSY, "cannot be read" },
};

static void
test_an_export_that_fails_proves_nothing (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autoptr (Emulator) emulator = emulator_new (NULL);
      g_autoptr (Desk) desk = open_desk (emulator->url);
      g_autofree char *fault = g_strdup_printf ("{%s,'path':'/api/v2/incremental','count':9}", refusals[i].fault);
      TallyDelivery *delivery;

      emulator_set_faults (emulator, fault);
      delivery = look_up (desk, "desk:1");
      assert_row_int (refusals[i].fault, delivery->verdict, refusals[i].verdict);
      assert_contains (delivery->detail, refusals[i].detail);
    }
}

/* --- doctor --- */

static void
test_doctor_tells_who_cannot_read_the_export (void)
{
  static const struct
  {
    const char *mode, *columns;
    gboolean refused, good;
    guint n_warnings;
  } doors[] = {
    { "create", "comment.body text", FALSE, TRUE, 0 },
    { "create", "comment.body text", TRUE, TRUE, 1 },
    { "import", "requester_id bigint, description text", FALSE, TRUE, 0 },
    { "import", "requester_id bigint, description text", TRUE, FALSE, 0 },
    { "update", "id bigint, priority text", TRUE, TRUE, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (doors); i++)
    {
      g_autoptr (Emulator) emulator = emulator_new (NULL);
      g_autoptr (Desk) desk = desk_new ("url", emulator->url, "access_token", "t0ken", "mode", doors[i].mode, NULL);
      g_autoptr (GError) error = NULL;

      assert_true (desk_accept (desk, doors[i].columns, NULL) && desk_open (desk, NULL));
      if (doors[i].refused)
        emulator_set_faults (emulator, "{'kind':'forbidden','path':'/api/v2/incremental'}");
      assert_row_int (doors[i].mode, desk->plugin->probe (desk->sink, &desk->ctx, &error), doors[i].good);
      assert_row_int (doors[i].mode, desk->ctx.warnings->len, doors[i].n_warnings);
    }
}

/* --- what an export may hold --- */

#define ROW(id, external_id, more) "{\"id\":" #id ",\"external_id\":\"" external_id "\"" more "}"
#define SCRUBBED(id, made) \
  "{\"id\":" #id ",\"external_id\":null,\"status\":\"deleted\",\"subject\":\"SCRUBBED\",\"created_at\":\"" made "\"}"
#define LAST_PAGE(rows) "{\"tickets\":[" rows "],\"after_cursor\":\"z\",\"end_of_stream\":true}"

static const struct
{
  const char *what;
  const char *pages[3];
  TallyVerdict verdict;
  const char *target_id, *other_ids;
} exports[] = {
  { "nothing", { LAST_PAGE ("") }, TALLY_VERDICT_ABSENT },
  { "others", { LAST_PAGE (ROW (5, "desk:11", "") "," ROW (6, "desk", "")) }, TALLY_VERDICT_ABSENT },
  { "on the second page", { "{\"end_of_stream\":false,\"tickets\":[" ROW (5, "a", "") "],\"after_cursor\":\"b+/=\"}",
                            LAST_PAGE (ROW (9, "desk:1", "")) }, TALLY_VERDICT_DELIVERED, "9" },
  { "an escaped name", { LAST_PAGE (ROW (9, "d\\u0065sk:1", "")) }, TALLY_VERDICT_DELIVERED, "9" },
  { "twice the same", { LAST_PAGE (ROW (9, "desk:1", "") "," ROW (9, "desk:1", ",\"status\":\"open\"")) },
    TALLY_VERDICT_DELIVERED, "9" },
  { "two", { LAST_PAGE (ROW (9, "desk:1", "") "," ROW (7, "desk:1", "")) }, TALLY_VERDICT_DELIVERED, "7", "9" },
  { "one of two is deleted", { LAST_PAGE (ROW (7, "desk:1", ",\"status\":\"deleted\"") "," ROW (9, "desk:1", "")) },
    TALLY_VERDICT_DELIVERED, "9" },
  { "deleted after a while", { LAST_PAGE (ROW (7, "desk:1", "") "," ROW (7, "desk:1", ",\"status\":\"deleted\"")) },
    TALLY_VERDICT_DELIVERED, "7" },
  { "deleted for good at that time", { LAST_PAGE (SCRUBBED (7, "2023-09-18T10:00:00Z")) }, TALLY_VERDICT_UNKNOWN },
  { "deleted for good, but made after it", { LAST_PAGE (SCRUBBED (7, "2023-09-20T10:00:00Z")) }, TALLY_VERDICT_ABSENT },
  { "no end", { "{\"tickets\":[],\"after_cursor\":\"z\"}" }, TALLY_VERDICT_UNKNOWN },
  { "no way on", { "{\"tickets\":[],\"end_of_stream\":false}" }, TALLY_VERDICT_UNKNOWN },
  { "a circle", { "{\"tickets\":[],\"after_cursor\":\"z\",\"end_of_stream\":false}",
                  "{\"tickets\":[],\"after_cursor\":\"z\",\"end_of_stream\":false}" }, TALLY_VERDICT_UNKNOWN },
  { "a ticket without an id", { LAST_PAGE ("{\"external_id\":\"desk:1\"}") }, TALLY_VERDICT_UNKNOWN },
  { "half a page", { "{\"tickets\":[" ROW (9, "desk:1", "") }, TALLY_VERDICT_UNKNOWN },
};

static void
test_what_an_export_holds_is_read_with_care (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (exports); i++)
    {
      Turn turns[5] = { { answer (200, ME) }, { answer (200, NO_TICKETS) } };
      guint n = 2;
      TallyDelivery *delivery;

      for (guint k = 0; k < 3 && exports[i].pages[k] != NULL; k++)
        turns[n++].answer = answer (200, exports[i].pages[k]);
      g_autoptr (Server) server = server_new (turns, n);
      g_autoptr (Desk) desk = open_desk (server_url (server));

      delivery = desk_resolve (desk, "k1", "desk:1", BODY);
      delivery->sent_at = (gint64) 1695081600 * G_USEC_PER_SEC; /* 2023-09-19 00:00 */
      desk_finish (desk);
      assert_row_int (exports[i].what, delivery->verdict, exports[i].verdict);
      assert_row_text (exports[i].what, delivery->target_id, exports[i].target_id);
      assert_row_text (exports[i].what, delivery->other_ids, exports[i].other_ids);
      assert_row_int (exports[i].what, server_count (server), n);
    }
}

static const Promise promises[] = {
  { "an archived ticket is found", test_an_archived_ticket_is_found },
  { "G10: a deleted ticket is found, and told", test_a_deleted_ticket_is_found_and_told },
  { "C6: an export that is behind proves nothing", test_an_export_that_is_behind_proves_nothing },
  { "C2: one pass settles all", test_one_pass_settles_all },
  { "a later question reads on", test_a_later_question_reads_on },
  { "an older question reads from further back", test_an_older_question_reads_from_further_back },
  { "a refused export is asked again", test_a_refused_export_is_asked_again },
  { "an export that fails proves nothing", test_an_export_that_fails_proves_nothing },
  { "doctor tells who cannot read the export", test_doctor_tells_who_cannot_read_the_export },
  { "what an export holds is read with care", test_what_an_export_holds_is_read_with_care },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk absence", promises, argc, argv);
}
