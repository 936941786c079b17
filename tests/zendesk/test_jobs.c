/* test_jobs.c: what a job tells is read with care, and what is sent in bulk is settled by it */
#include "desk.h"
#include "job-status.h"
#include "promise.h"

#include <string.h>

/* --- what is read --- */

#define JOB(status, results) "{\"job_status\":{\"id\":\"V3-a1\",\"status\":\"" status "\",\"total\":3,\"results\":" results "}}"
#define DONE(index, id) "{\"index\":" index ",\"id\":" id ",\"account_id\":185}"
#define REFUSED(index) "{\"index\":" index ",\"error\":\"TicketCreateFailed\",\"details\":\"Description: cannot be blank\"}"

/* One character for each record: + made, - refused, ! failed, ? not known. */
static char *
dup_fates (const ZendeskJobStatus *status, guint n, gboolean trusts_place)
{
  GString *fates = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *reference = g_strdup_printf ("desk:%u", i);
      const ZendeskJobRow *row = zendesk_job_status_find (status, i, reference, trusts_place);

      g_string_append_c (fates, "?+-!"[row != NULL ? row->kind : ZENDESK_ROW_NONE]);
    }
  return g_string_free (fates, FALSE);
}

/* Tickets, where the place is believed. */
static const struct
{
  const char *what, *text, *rows;
  gboolean over;
} statuses[] = {
  { "all made, out of order", JOB ("completed", "[" DONE ("2", "9") "," DONE ("0", "12") "," DONE ("1", "11") "]"), "+++", TRUE },
  { "one refused", JOB ("completed", "[" DONE ("0", "9") "," REFUSED ("1") "," DONE ("2", "8") "]"), "+-+", TRUE },
  { "all refused", JOB ("failed", "[" REFUSED ("0") "," REFUSED ("1") "," REFUSED ("2") "]"), "---", TRUE },
  { "a part, then it failed", JOB ("failed", "[" DONE ("1", "9") "]"), "?+?", TRUE },
  { "failed, without results", JOB ("failed", "null"), "???", TRUE },
  { "as older documents have it", JOB ("killed", "[" DONE ("1", "9") "]"), "?+?", TRUE },
  { "results that are no list", JOB ("completed", "{\"success\":true}"), "???", TRUE },
  { "short", JOB ("completed", "[" DONE ("0", "9") "," DONE ("1", "8") "]"), "++?", TRUE },
  { "longer than the request", JOB ("completed", "[" DONE ("0", "9") "," DONE ("3", "8") "]"), "+??", TRUE },
  { "rows without a place", JOB ("completed", "[{\"id\":7},{\"id\":8},{\"id\":9}]"), "???", TRUE },
  { "a place that is no whole number", JOB ("completed", "[" DONE ("\"0\"", "9") "," DONE ("1.0", "8") "," DONE ("-1", "7") "]"), "???", TRUE },
  { "two rows for one place", JOB ("completed", "[" DONE ("0", "9") "," DONE ("0", "9") "," DONE ("1", "8") "]"), "?+?", TRUE },
  { "made, and refused", JOB ("completed", "[" DONE ("0", "9") "," REFUSED ("0") "]"), "???", TRUE },
  { "one ticket for two places", JOB ("completed", "[" DONE ("0", "9") "," DONE ("1", "9") "," DONE ("2", "8") "]"), "??+", TRUE },
  { "one ticket for three", JOB ("completed", "[" DONE ("0", "9") "," DONE ("1", "9") "," DONE ("2", "9") "]"), "???", TRUE },
  { "an id and an error", JOB ("completed", "[{\"index\":0,\"id\":9,\"error\":\"TicketCreateFailed\"}]"), "???", TRUE },
  { "an id, and no success", JOB ("completed", "[{\"index\":0,\"id\":9,\"success\":false},{\"index\":1,\"id\":8,\"status\":\"Failed\"}]"), "???", TRUE },
  { "an id that is none", JOB ("completed", "[" DONE ("0", "0") "," DONE ("1", "-4") "," DONE ("2", "\"5\"") "]"), "???", TRUE },
  { "the service's own trouble", JOB ("completed", "[{\"index\":0,\"error\":\"InternalError\",\"details\":\"timeout\"}]"), "!??", TRUE },
  { "an error without a name", JOB ("completed", "[{\"index\":0,\"errors\":\"no\"}]"), "!??", TRUE },
  { "rows that are no objects", JOB ("completed", "[null,3,\"x\",[]]"), "???", TRUE },
  { "still at work, with a row", JOB ("working", "[" DONE ("0", "9") "]"), "???", FALSE },
  { "queued", JOB ("queued", "null"), "???", FALSE },
  { "a word of tomorrow", JOB ("paused", "[" DONE ("0", "9") "]"), "???", FALSE },
  { "another number of records", "{\"job_status\":{\"id\":\"x\",\"status\":\"completed\",\"total\":2,\"results\":[" DONE ("0", "9") "]}}", "???", TRUE },
  { "without a number of records", "{\"job_status\":{\"id\":\"x\",\"status\":\"completed\",\"results\":[" DONE ("0", "9") "]}}", "+??", TRUE },
  { "no id", "{\"job_status\":{\"status\":\"completed\",\"total\":3}}", NULL, FALSE },
  { "an id that leads elsewhere", "{\"job_status\":{\"id\":\"../users\",\"status\":\"queued\",\"total\":3}}", NULL, FALSE },
  { "no job", "{\"ticket\":{\"id\":1}}", NULL, FALSE },
  { "half of it", "{\"job_status\":{\"id\":\"V3-a1\",\"sta", NULL, FALSE },
  { "a page", "<html>", NULL, FALSE },
  { "nothing", "", NULL, FALSE },
};

static void
test_rows_count_for_the_place_that_they_name (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++)
    {
      g_auto (ZendeskJobStatus) status = { 0 };
      gboolean good = zendesk_job_status_read (&status, "ticket", statuses[i].text, strlen (statuses[i].text), 3);
      g_autofree char *rows = dup_fates (&status, 3, TRUE);

      assert_row_text (statuses[i].what, good ? rows : NULL, statuses[i].rows);
      assert_row_int (statuses[i].what, status.over, statuses[i].over);
    }
}

#define USER(id, reference) "{\"id\":" id ",\"status\":\"Created\",\"email\":\"a@b.c\",\"external_id\":\"" reference "\"}"
#define NO_USER(place) "{\"id\":" place ",\"error\":\"UserCreateError\",\"details\":\"Name: is too short\",\"status\":\"Failed\"}"
#define MADE(id) "{\"status\":\"Created\",\"id\":" id "}"
#define NOT_MADE "{\"error\":\"OrganizationCreateError\",\"details\":\"Name: has already been taken\",\"status\":\"Failed\"}"
#define SHOWN(id, reference) "{\"id\":" id ",\"external_id\":\"" reference "\"}"

/* What was made is known by its external_id alone.  ids: those that are to be shown. */
static const struct
{
  const char *what, *entity, *text, *ids, *shown, *rows;
} names[] = {
  { "users, out of order", "user", JOB ("completed", "[" USER ("9", "desk:2") "," USER ("8", "desk:0") "," USER ("7", "desk:1") "]"), NULL, NULL, "+++" },
  { "a user's row that failed has its place in the id", "user", JOB ("completed", "[" USER ("9", "desk:2") "," NO_USER ("1") "," USER ("7", "desk:0") "]"), NULL, NULL, "+!+" },
  { "the first one's", "user", JOB ("completed", "[" NO_USER ("0") "," USER ("9", "desk:2") "]"), NULL, NULL, "!?+" },
  { "a place beyond the request", "user", JOB ("completed", "[" NO_USER ("3") "," USER ("9", "desk:2") "]"), NULL, NULL, "??+" },
  { "two for one place", "user", JOB ("completed", "[" NO_USER ("1") "," NO_USER ("1") "]"), NULL, NULL, "???" },
  { "made, and failed by its place", "user", JOB ("completed", "[" USER ("9", "desk:1") "," NO_USER ("1") "]"), NULL, NULL, "?+?" },
  { "a user that was there", "user", JOB ("completed", "[{\"id\":9,\"status\":\"Updated\",\"external_id\":\"desk:0\"}]"), NULL, NULL, "???" },
  { "a stranger's", "user", JOB ("completed", "[" USER ("9", "other:0") "]"), NULL, NULL, "???" },
  { "one external_id twice", "user", JOB ("completed", "[" USER ("9", "desk:0") "," USER ("8", "desk:0") "]"), NULL, NULL, "???" },
  { "organizations are not in order until they are shown", "organization", JOB ("completed", "[" MADE ("7") "," MADE ("8") "," MADE ("9") "]"), "7,8,9", NULL, "???" },
  { "and then as they are", "organization", JOB ("completed", "[" MADE ("7") "," MADE ("8") "," MADE ("9") "]"), "7,8,9",
    "{\"organizations\":[" SHOWN ("9", "desk:0") "," SHOWN ("7", "desk:2") "]}", "+?+" },
  { "one that failed without a place is who is left", "organization", JOB ("completed", "[" MADE ("7") "," NOT_MADE "," MADE ("9") "]"), "7,9",
    "{\"organizations\":[" SHOWN ("9", "desk:0") "," SHOWN ("7", "desk:2") "]}", "+!+" },
  { "not while another is not shown", "organization", JOB ("completed", "[" MADE ("7") "," NOT_MADE "," MADE ("9") "]"), "7,9",
    "{\"organizations\":[" SHOWN ("9", "desk:0") "]}", "+??" },
  { "nor while a row is missing", "organization", JOB ("completed", "[" MADE ("7") "," NOT_MADE "]"), "7",
    "{\"organizations\":[" SHOWN ("7", "desk:2") "]}", "??+" },
  { "an id is no place of an organization", "organization", JOB ("completed", "[" MADE ("7") "," NO_USER ("1") "]"), "7",
    "{\"organizations\":[" SHOWN ("7", "desk:2") "]}", "??+" },
  { "none has an external_id", "organization", JOB ("completed", "[" MADE ("7") "," NOT_MADE "," NOT_MADE "]"), "7",
    "{\"organizations\":[{\"id\":7,\"external_id\":null}]}", "???" },
  { "tickets, whatever place they name", "ticket", JOB ("completed", "[" DONE ("0", "9") "," DONE ("1", "8") "," REFUSED ("2") "]"), "9,8",
    "{\"tickets\":[" SHOWN ("8", "desk:0") "," SHOWN ("9", "desk:1") "]}", "++?" },
  { "a ticket that is not shown", "ticket", JOB ("completed", "[" DONE ("0", "9") "," DONE ("1", "8") "," REFUSED ("2") "]"), "9,8",
    "{\"tickets\":[" SHOWN ("9", "desk:0") "]}", "+?-" },
  { "a ticket of somebody else", "ticket", JOB ("completed", "[" DONE ("0", "9") "]"), "9", "{\"tickets\":[" SHOWN ("9", "other:0") "]}", "???" },
  { "a list of something else", "ticket", JOB ("completed", "[" DONE ("0", "9") "]"), "9", "{\"users\":[" SHOWN ("9", "desk:0") "]}", "???" },
};

static void
test_what_was_made_counts_by_its_external_id (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_auto (ZendeskJobStatus) status = { 0 };

      assert_true (zendesk_job_status_read (&status, names[i].entity, names[i].text, strlen (names[i].text), 3));
      g_autofree char *ids = zendesk_job_status_nameless (&status);
      assert_row_text (names[i].what, ids, names[i].ids);
      if (names[i].shown != NULL)
        zendesk_job_status_name (&status, names[i].entity, names[i].shown, strlen (names[i].shown));
      for (guint k = 0; k < 3; k++)
        {
          g_autofree char *reference = g_strdup_printf ("desk:%u", k);

          zendesk_job_status_compare (&status, k, reference);
        }
      g_autofree char *rows = dup_fates (&status, 3, FALSE);
      assert_row_text (names[i].what, rows, names[i].rows);
    }
}

static void
test_a_receipt_is_read_as_it_was_written (void)
{
  static const char *const others[] = { "", "job", "job x", "job x 3/3", "job x 0/101", "job x -1/3", "job ../x 0/3", "job x 0/3 4", "job x 0", "task x 0/3" };
  g_autofree char *receipt = zendesk_job_receipt_new ("V3-a1", 99, 100), *id = NULL;
  guint place, n;

  assert_text (receipt, "job V3-a1 99/100");
  assert_true (zendesk_job_receipt_read (receipt, &id, &place, &n));
  assert_text (id, "V3-a1");
  assert_int (place, 99);
  assert_int (n, 100);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autofree char *none = NULL;

      assert_row_int (others[i], zendesk_job_receipt_read (others[i], &none, &place, &n), FALSE);
    }
}

/* --- what is sent --- */

static Desk *
open_desk (const char *url)
{
  Desk *desk = desk_new ("url", url, "access_token", "t0ken", "timeout", "10s", "run-tag", "false", "mode", "import", "bulk",
                         "true", NULL);
  g_autoptr (GError) error = NULL;

  assert_true (desk_check (desk, &error) && desk_accept (desk, "requester_id bigint, description text", &error)
               && desk_open (desk, &error));
  assert_no_error (error);
  return desk;
}

static char *
render_one (Desk *desk, const char *reference)
{
  g_autoptr (GError) error = NULL;
  char *body;

  tally_batch_clear (desk->batch);
  desk_add_row (desk, (const char *[]){ "7", reference });
  body = desk_render (desk, 0, reference, &error);
  assert_no_error (error);
  return body;
}

/* Records desk:0 … desk:n-1. */
static void
send_many (Desk *desk, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *reference = g_strdup_printf ("desk:%u", i), *body = render_one (desk, reference);

      desk_send (desk, "k", reference, body);
    }
}

static TallyDelivery *
delivery_at (Desk *desk, guint i)
{
  return desk->deliveries->pdata[i];
}

static void
test_each_record_gets_the_ticket_that_was_made_for_it (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--time-rate", "20", NULL);
  g_autoptr (Desk) desk = open_desk (emulator->url);

  send_many (desk, 205);
  desk_finish (desk);
  assert_int (emulator_count (emulator, "jobs"), 3);
  assert_int (emulator_count (emulator, "created"), 205);
  for (guint i = 0; i < 205; i++)
    {
      TallyDelivery *delivery = delivery_at (desk, i);
      g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%s.json", delivery->target_id);
      g_autofree char *ticket = emulator_ask (emulator, "GET", path, NULL);
      g_autofree char *reference = g_strdup_printf ("\"external_id\":\"desk:%u\"", i);

      assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
      assert_contains (ticket, reference);
      assert_contains (delivery->receipt, "job V3-");
    }
}

static void
test_what_an_earlier_run_began_is_asked_for_by_its_receipt (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--time-rate", "20", NULL);
  g_autoptr (Desk) first = open_desk (emulator->url);

  send_many (first, 5);
  while (delivery_at (first, 4)->receipt == NULL)
    assert_true (zendesk_drive (first->sink, &first->ctx, 1000, NULL));
  g_autoptr (Desk) second = open_desk (emulator->url);
  for (guint i = 0; i < 5; i++)
    {
      TallyDelivery *old = delivery_at (first, i);

      desk_resolve_sent (second, old->reference, old->body->str, old->receipt, 0);
    }
  desk_finish (second);
  for (guint i = 0; i < 5; i++)
    assert_int (delivery_at (second, i)->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (emulator_count (emulator, "jobs"), 1);
}

/* What the target answers to a call with two records, and what becomes of both. */
static const struct
{
  const char *what;
  gint status;
  const char *body;
  TallyVerdict verdict;
} answers[] = {
  { "no id", 200, "{\"job_status\":{\"status\":\"queued\"}}", TALLY_VERDICT_UNKNOWN },
  { "a page", 200, "<html>", TALLY_VERDICT_UNKNOWN },
  { "nothing", 200, "", TALLY_VERDICT_UNKNOWN },
  { "a gateway", 502, "<html>", TALLY_VERDICT_UNKNOWN },
  { "overload", 503, "", TALLY_VERDICT_UNKNOWN },
  { "too many jobs", 429, "{\"error\":\"TooManyJobs\",\"description\":\"Too many jobs.\",\"current_job_ids\":[\"a\"]}", TALLY_VERDICT_BUSY },
  { "a collision", 409, "{\"error\":\"DatabaseConflict\"}", TALLY_VERDICT_BUSY },
  { "credentials", 401, "{\"error\":\"Couldn't authenticate you\"}", TALLY_VERDICT_HALT },
};

static void
test_an_answer_without_a_job_is_for_all (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      const Turn turns[] = { { answer (200, "{\"user\":{\"id\":7,\"role\":\"admin\"}}"), FALSE },
                             { answer (answers[i].status, answers[i].body), FALSE } };
      g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
      g_autoptr (Desk) desk = open_desk (server_url (server));

      send_many (desk, 2);
      desk_finish (desk);
      for (guint k = 0; k < 2; k++)
        assert_row_int (answers[i].what, delivery_at (desk, k)->verdict, answers[i].verdict);
      assert_row_int (answers[i].what, server_count (server), 2);
      assert_row_text (answers[i].what, delivery_at (desk, 0)->receipt, NULL);
    }
}

/* The list is refused for what is wrong with one of it; 403: for good. */
static void
test_a_list_that_is_refused_goes_singly (void)
{
  static const gint statuses_of[] = { 422, 400, 403 };

  for (guint i = 0; i < G_N_ELEMENTS (statuses_of); i++)
    {
      g_autoptr (Emulator) emulator = emulator_new (NULL);
      g_autoptr (Desk) desk = open_desk (emulator->url);
      g_autofree char *fault = g_strdup_printf (
          "[{'kind':'status','status':%d,'content':'{\\\"error\\\":\\\"Invalid\\\"}','content_type':'application/json',"
          "'path':'/api/v2/imports/tickets/create_many','count':0}]", statuses_of[i]);

      emulator_set_faults (emulator, fault);
      send_many (desk, 3);
      desk_finish (desk);
      for (guint k = 0; k < 3; k++)
        assert_int (delivery_at (desk, k)->verdict, TALLY_VERDICT_DELIVERED);
      assert_int (emulator_count (emulator, "created"), 3);
      assert_int (desk->ctx.warnings->len, statuses_of[i] == 403 ? 1 : 0);
    }
}

static void
test_what_may_not_go_any_more_stays_out_of_the_list (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--time-rate", "20", NULL);
  g_autoptr (Desk) desk = open_desk (emulator->url);

  send_many (desk, 4);
  delivery_at (desk, 1)->barred = TRUE;
  desk_finish (desk);
  assert_int (emulator_count (emulator, "created"), 3);
  assert_int (delivery_at (desk, 1)->verdict, TALLY_VERDICT_UNSENT);
  assert_int (delivery_at (desk, 2)->verdict, TALLY_VERDICT_DELIVERED);
}

static void
test_nothing_is_absent_while_its_job_may_be_at_work (void)
{
  static const struct
  {
    const char *what, *receipt;
  } rows[] = {
    { "no receipt", NULL },
    { "a receipt of something else", "task 3" },
    { "a job that nobody knows", "job V3-none 0/2" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Emulator) emulator = emulator_new (NULL);
      g_autoptr (Desk) desk = open_desk (emulator->url);
      g_autofree char *body = render_one (desk, "desk:1");
      TallyDelivery *delivery = desk_resolve_sent (desk, "desk:1", body, rows[i].receipt, g_get_real_time ());

      desk_finish (desk);
      assert_row_int (rows[i].what, delivery->verdict, TALLY_VERDICT_UNKNOWN);
      assert_row_int (rows[i].what, delivery->wait > 30 * (gint64) ZENDESK_MINUTE, TRUE);
    }
}

static void
test_a_job_that_is_over_counts_from_its_end (void)
{
  const Turn turns[] = { { answer (200, "{\"user\":{\"id\":7,\"role\":\"admin\"}}"), FALSE },
                         { answer (200, JOB ("failed", "null")), FALSE },
                         { answer (200, "{\"tickets\":[]}"), FALSE } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  g_autofree char *body = render_one (desk, "desk:1");
  TallyDelivery *delivery
      = desk_resolve_sent (desk, "desk:1", body, "job V3-a1 1/3", g_get_real_time () - 60 * (gint64) ZENDESK_MINUTE);

  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNKNOWN);
  assert_true (delivery->wait > 100 * G_USEC_PER_SEC && delivery->wait <= 131 * G_USEC_PER_SEC);
}

static void
test_bulk_is_for_imports (void)
{
  g_autoptr (Desk) desk = desk_new ("url", "https://acme.zendesk.com", "access_token", "t", "bulk", "true", NULL);
  g_autoptr (GError) error = NULL;

  assert_true (!desk_check (desk, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "\"bulk\" is for \"mode: import\"");
}

static const Promise promises[] = {
  { "G2, G3: rows count for the place that they name", test_rows_count_for_the_place_that_they_name },
  { "G3: what was made counts by its external_id", test_what_was_made_counts_by_its_external_id },
  { "a receipt is read as it was written", test_a_receipt_is_read_as_it_was_written },
  { "each record gets the ticket that was made for it", test_each_record_gets_the_ticket_that_was_made_for_it },
  { "what an earlier run began is asked for by its receipt", test_what_an_earlier_run_began_is_asked_for_by_its_receipt },
  { "G1, G4: an answer without a job is for all", test_an_answer_without_a_job_is_for_all },
  { "a list that is refused goes singly", test_a_list_that_is_refused_goes_singly },
  { "what may not go any more stays out of the list", test_what_may_not_go_any_more_stays_out_of_the_list },
  { "nothing is absent while its job may be at work", test_nothing_is_absent_while_its_job_may_be_at_work },
  { "a job that is over counts from its end", test_a_job_that_is_over_counts_from_its_end },
  { "bulk is for imports", test_bulk_is_for_imports },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk jobs", promises, argc, argv);
}
