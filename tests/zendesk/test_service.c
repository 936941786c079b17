/* test_service.c: the sink against an emulator of Zendesk, whose own books are what counts */
#include "desk.h"
#include "parts.h"
#include "promise.h"

#include <string.h>

#define BODY "{\"ticket\":{\"external_id\":\"desk:1\",\"comment\":{\"body\":\"x\",\"public\":true}}}"
#define OTHER_BODY "{\"ticket\":{\"external_id\":\"desk:1\",\"comment\":{\"body\":\"y\",\"public\":true}}}"

static Desk *
open_desk (Emulator *emulator)
{
  Desk *desk = desk_new ("url", emulator->url, "access_token", "t0ken", "timeout", "10s", "long-body", "split",
                         "run-tag", "false", NULL);
  g_autoptr (GError) error = NULL;

  assert_true (desk_accept (desk, "comment.body text", &error) && desk_open (desk, &error));
  assert_no_error (error);
  return desk;
}

static TallyDelivery *
send_one (Desk *desk, const char *key, const char *body)
{
  TallyDelivery *delivery = desk_send (desk, key, "desk:1", body);

  desk_finish (desk);
  return delivery;
}

static TallyDelivery *
look_up (Desk *desk, const char *body)
{
  TallyDelivery *delivery = desk_resolve (desk, "k1", "desk:1", body);

  desk_finish (desk);
  return delivery;
}

static void
test_one_key_makes_one_ticket (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--plan", "enterprise", NULL);
  g_autoptr (Desk) desk = open_desk (emulator);
  TallyDelivery *first = send_one (desk, "k1", BODY), *again = send_one (desk, "k1", BODY);

  assert_int (first->verdict, TALLY_VERDICT_DELIVERED);
  assert_true (!first->repeated);
  assert_int (again->verdict, TALLY_VERDICT_DELIVERED);
  assert_true (again->repeated);
  assert_int (desk->ctx.warnings->len, 0);
  assert_text (again->target_id, first->target_id);
  assert_int (emulator_count (emulator, "created"), 1);
  assert_int (desk->ctx.news.limit, 700);
  assert_true (desk->ctx.news.remaining > 0 && desk->ctx.news.target_time > 0 && desk->ctx.target_time > 0);
  assert_true (desk->ctx.n_admitted > 0);
  assert_int (desk->ctx.n_ended, desk->ctx.n_admitted);
  assert_int (desk->ctx.reserve, 20);
  assert_text (desk->ctx.target, emulator->url + strlen ("http://"));
}

static void
test_another_body_under_a_key_is_a_mismatch (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator);

  send_one (desk, "k1", BODY);
  assert_int (send_one (desk, "k1", OTHER_BODY)->verdict, TALLY_VERDICT_MISMATCH);
  assert_int (emulator_count (emulator, "created"), 1);
}

static void
test_a_lookup_finds_what_is_there (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator);
  TallyDelivery *found;

  assert_int (look_up (desk, BODY)->verdict, TALLY_VERDICT_ABSENT);
  send_one (desk, "k1", BODY);
  found = look_up (desk, BODY);
  assert_int (found->verdict, TALLY_VERDICT_DELIVERED);
  assert_text (found->target_id, "1");
  assert_text (found->other_ids, NULL);
  send_one (desk, "k2", BODY);
  send_one (desk, "k3", BODY);
  found = look_up (desk, BODY);
  assert_text (found->target_id, "1");
  assert_text (found->other_ids, "2,3");
}

static void
test_a_reference_may_have_any_letters (void)
{
  static const char reference[] = "desk:a&b=ü ?#/+%2F\"";
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator);
  TallyDelivery *found;

  desk_add_row (desk, (const char *[]){ "x" });
  g_autofree char *body = desk_render (desk, 0, reference, NULL);
  desk_send (desk, "k1", reference, body);
  desk_finish (desk);
  found = desk_resolve (desk, "k1", reference, body);
  desk_finish (desk);
  assert_int (found->verdict, TALLY_VERDICT_DELIVERED);
}

static void
test_an_absent_ticket_is_not_believed_too_soon (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = desk_new ("url", emulator->url, "access_token", "t", "export-delay", "120s", NULL);
  TallyDelivery *delivery;

  assert_true (desk_accept (desk, "comment.body text", NULL) && desk_open (desk, NULL));
  delivery = desk_resolve (desk, "k1", "desk:1", BODY);
  delivery->sent_at = g_get_real_time () - 20 * G_USEC_PER_SEC;
  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNKNOWN);
  assert_true (delivery->wait > 90 * G_USEC_PER_SEC && delivery->wait <= 111 * G_USEC_PER_SEC);
  delivery = desk_resolve (desk, "k1", "desk:1", BODY);
  delivery->sent_at = g_get_real_time () - 135 * G_USEC_PER_SEC;
  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_ABSENT);
}

static const struct
{
  const char *fault; /* of the next POST */
  TallyVerdict verdict;
  gint created;
  gint64 wait;       /* seconds */
} faults[] = {
  { "'kind':'drop-before'", TALLY_VERDICT_UNKNOWN, 0 },
  { "'kind':'drop-after'", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'drop-after','reset':true", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'cut-body'", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'close-idle'", TALLY_VERDICT_UNKNOWN, 0 },
  { "'kind':'close-idle','acted':true", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'status','status':503,'retry_after':'7'", TALLY_VERDICT_UNKNOWN, 0, 7 },
  { "'kind':'status-after','status':502,'body':'html'", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'status-after','status':504", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'status','status':413,'body':'html'", TALLY_VERDICT_REJECTED, 0 },
  { "'kind':'conflict'", TALLY_VERDICT_BUSY, 0 },
  { "'kind':'invalid'", TALLY_VERDICT_REJECTED, 0 },
  { "'kind':'mismatch'", TALLY_VERDICT_MISMATCH, 0 },
  { "'kind':'storm','retry_after':'12'", TALLY_VERDICT_BUSY, 0, 12 },
  { "'kind':'storm','retry_after':'none','body':'text'", TALLY_VERDICT_BUSY, 0, 0 },
  { "'kind':'redirect','status':308", TALLY_VERDICT_HALT, 0 },
  { "'kind':'html','status':201,'acted':true", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'empty'", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'no-id'", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'other-external-id'", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'unauthorized'", TALLY_VERDICT_HALT, 0 },
  { "'kind':'forbidden'", TALLY_VERDICT_HALT, 0 },
};

static void
test_each_fault_is_judged_and_nothing_is_sent_twice (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autoptr (Emulator) emulator = emulator_new ("--idempotency", "off", NULL);
      g_autoptr (Desk) desk = open_desk (emulator);
      g_autofree char *fault = g_strdup_printf ("{%s,'method':'POST'}", faults[i].fault);
      TallyDelivery *delivery;

      emulator_set_faults (emulator, fault);
      delivery = send_one (desk, "k1", BODY);
      assert_row_int (faults[i].fault, delivery->verdict, faults[i].verdict);
      assert_row_int (faults[i].fault, emulator_count (emulator, "created"), faults[i].created);
      assert_row_int (faults[i].fault, delivery->wait / G_USEC_PER_SEC, faults[i].wait);
    }
}

static void
test_a_lost_answer_is_found_again (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator);
  TallyDelivery *delivery;

  emulator_set_faults (emulator, "{'kind':'drop-after','method':'POST'}");
  assert_int (send_one (desk, "k1", BODY)->verdict, TALLY_VERDICT_UNKNOWN);
  delivery = send_one (desk, "k1", BODY);
  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  assert_true (delivery->repeated);
  assert_text (look_up (desk, BODY)->target_id, delivery->target_id);
  assert_int (emulator_count (emulator, "created"), 1);
}

static void
test_a_slow_answer_is_unknown (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = desk_new ("url", emulator->url, "access_token", "t", "timeout", "300ms", NULL);

  assert_true (desk_accept (desk, "comment.body text", NULL) && desk_open (desk, NULL));
  emulator_set_faults (emulator, "{'kind':'delay-after','method':'POST','ms':5000}");
  assert_int (send_one (desk, "k1", BODY)->verdict, TALLY_VERDICT_UNKNOWN);
}

static void
test_many_go_at_once (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--delay", "20", NULL);
  g_autoptr (Desk) desk = open_desk (emulator);

  for (guint i = 0; i < 48; i++)
    {
      g_autofree char *reference = g_strdup_printf ("desk:%u", i), *key = g_strdup_printf ("k%u", i);
      g_autofree char *body = g_strdup_printf ("{\"ticket\":{\"external_id\":\"%s\",\"comment\":{\"body\":\"x\"}}}",
                                               reference);

      desk_send (desk, key, reference, body);
    }
  desk_finish (desk);
  for (guint i = 0; i < desk->deliveries->len; i++)
    assert_int (((TallyDelivery *) desk->deliveries->pdata[i])->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (emulator_count (emulator, "created"), 48);
  assert_true (emulator_count (emulator, "max_in_flight") > 8);
}

static void
test_dropped_members_are_told (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator);

  send_one (desk, "k1", "{\"ticket\":{\"external_id\":\"desk:1\",\"prio\":1,\"comment\":{\"body\":\"x\"}}}");
  assert_int (desk->ctx.warnings->len, 1);
  assert_contains (desk->ctx.warnings->pdata[0], "\"ticket.prio\"");
}

static void
test_a_key_that_does_not_count_is_told (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--idempotency", "off", NULL);
  g_autoptr (Desk) desk = open_desk (emulator);
  TallyDeliveryProfile profile = { .size = sizeof profile };

  desk->plugin->delivery->profile (desk->sink, &profile);
  assert_int (profile.key_life, 7200 * (gint64) G_USEC_PER_SEC);
  send_one (desk, "k1", BODY);
  assert_int (desk->ctx.warnings->len, 1);
  assert_contains (desk->ctx.warnings->pdata[0], "x-idempotency-lookup is missing");
  desk->plugin->delivery->profile (desk->sink, &profile);
  assert_int (profile.key_life, 0);
}

/* A run that begins with what another left in doubt has seen no answer yet. */
static void
test_what_a_run_begins_with_is_not_doubled_though_no_key_counts (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--idempotency", "off", NULL);
  g_autoptr (Desk) desk = open_desk (emulator), next_run = open_desk (emulator);
  TallyDelivery *delivery;

  emulator_set_faults (emulator, "{'kind':'drop-after','method':'POST'}");
  assert_int (send_one (desk, "k1", BODY)->verdict, TALLY_VERDICT_UNKNOWN);
  delivery = send_one (next_run, "k1", BODY);
  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  assert_true (delivery->repeated);
  assert_int (emulator_count (emulator, "created"), 1);
}

static void
test_custom_fields_are_found_by_title (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = desk_new ("url", emulator->url, "access_token", "t", "run-tag", "false", NULL);
  g_autoptr (GError) error = NULL;

  assert_true (desk_accept (desk, "comment.body text, custom_fields.Severity text, custom_fields.Escalated boolean", NULL));
  assert_true (desk_open (desk, &error));
  assert_no_error (error);
  desk_add_row (desk, (const char *[]){ "x", "severity_major", "true" });
  g_autofree char *body = desk_render (desk, 0, "desk:1", NULL);
  assert_int (send_one (desk, "k1", body)->verdict, TALLY_VERDICT_DELIVERED);
  g_autofree char *ticket = emulator_ask (emulator, "GET", "/api/v2/tickets/1.json", NULL);
  assert_contains (ticket, "\"value\":\"severity_major\"");

  g_autoptr (Desk) slip = desk_new ("url", emulator->url, "access_token", "t", NULL);
  assert_true (desk_accept (slip, "comment.body text, custom_fields.Region text", NULL));
  assert_true (!desk_open (slip, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "2 ticket fields have the title \"Region\"");
}

static void
test_doctor_finds_all_well (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--plan", "enterprise", NULL);
  g_autoptr (Desk) desk = open_desk (emulator);
  g_autoptr (GError) error = NULL;

  assert_true (desk->plugin->probe (desk->sink, &desk->ctx, &error));
  assert_no_error (error);
  assert_text (desk->ctx.told->str, "ok: the credentials are those of an admin\nok: CCs and followers are switched on\n"
                                  "ok: custom ticket statuses are switched on\nok: the account takes 700 requests a minute\n");
  g_free (emulator_ask (emulator, "POST", "/_emulator/clock", "{\"advance\":600}"));
  assert_true (desk->plugin->probe (desk->sink, &desk->ctx, &error));
  assert_contains (desk->ctx.told->str, "warning: the clocks of this machine and of");
}

#define USER(role) "{\"user\":{\"id\":7,\"role\":\"" role "\"}}"

static void
test_doctor_tells_of_roles_and_features (void)
{
  static const struct
  {
    const char *user, *mode;
    gint status;
    const char *settings, *told, *error;
  } rows[] = {
    { USER ("admin"), "create", 404, "{}", "ok: the credentials are those of an admin\n", NULL },
    { USER ("agent"), "create", 403, "{}", "ok: the credentials are those of an agent\n", NULL },
    { USER ("agent"), "import", 404, "{}", "", "of an agent; an import takes an admin" },
    { USER ("end-user"), "create", 404, "{}", "", "role \"end-user\"" },
    { USER ("admin"), "import", 200, "{\"settings\":{\"tickets\":{\"custom_statuses_enabled\":true}}}",
      "ok: the credentials are those of an admin\nok: custom ticket statuses are switched on\n", NULL },
    { USER ("admin"), "create", 200, "{\"settings\":{\"active_features\":{\"follower_and_email_cc_collaborations\":false}}}",
      "ok: the credentials are those of an admin\nwarning: CCs and followers are switched off: a ticket's email_ccs and followers "
      "would be dropped\n", NULL },
    { USER ("admin"), "create", 500, "{}", "ok: the credentials are those of an admin\n", "HTTP 500 when asked for its settings" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const Turn turns[] = { { answer (200, rows[i].user) }, { answer (200, rows[i].user) },
                             { answer (200, "{\"count\":{\"value\":1}}") }, { answer (rows[i].status, rows[i].settings) },
                             { answer (200, "{\"tickets\":[],\"after_cursor\":null,\"end_of_stream\":true}") } };
      g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
      g_autoptr (Desk) desk = desk_new ("url", server_url (server), "access_token", "t", "mode", rows[i].mode, NULL);
      g_autoptr (GError) error = NULL;

      assert_true (desk_accept (desk, g_str_equal (rows[i].mode, "import") ? "requester_id bigint, comments jsonb" : "comment.body text",
                                NULL)
                   && desk_open (desk, &error));
      assert_row_int (rows[i].told, desk->plugin->probe (desk->sink, &desk->ctx, &error), rows[i].error == NULL);
      assert_row_text (rows[i].settings, desk->ctx.told->str, rows[i].told);
      if (rows[i].error != NULL)
        assert_contains (error != NULL ? error->message : NULL, rows[i].error);
    }
}

/* --- credentials --- */

static void
test_each_kind_of_credentials_works (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--email", "a@b.c", "--token", "apit0ken", "--bearer", "b3arer", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (Desk) api = desk_new ("url", emulator->url, "email", "a@b.c", "token", "apit0ken", NULL);
  g_autoptr (Desk) oauth = desk_new ("url", emulator->url, "access_token", "b3arer", NULL);
  g_autoptr (Desk) wrong = desk_new ("url", emulator->url, "access_token", "other", NULL);

  assert_true (desk_accept (api, "comment.body text", NULL) && desk_open (api, &error));
  assert_no_error (error);
  assert_true (desk_accept (oauth, "comment.body text", NULL) && desk_open (oauth, &error));
  assert_no_error (error);
  assert_true (desk_accept (wrong, "comment.body text", NULL) && !desk_open (wrong, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_AUTH, "credentials are not accepted");
}

static Desk *
open_client (Emulator *emulator, const char *secret, GError **error)
{
  Desk *desk = desk_new ("url", emulator->url, "client_id", "tally", "client_secret", secret, NULL);

  desk_accept (desk, "comment.body text", NULL);
  desk_open (desk, error);
  return desk;
}

static void
test_a_token_that_ran_out_is_fetched_again (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--oauth", "tally:s3cret", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (Desk) desk = open_client (emulator, "s3cret", &error);

  assert_no_error (error);
  assert_int (send_one (desk, "k0", BODY)->verdict, TALLY_VERDICT_DELIVERED);
  g_free (emulator_ask (emulator, "POST", "/_emulator/revoke", NULL));
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i + 1);

      desk_send (desk, key, "desk:1", BODY);
    }
  desk_finish (desk);
  for (guint i = 1; i < desk->deliveries->len; i++)
    assert_int (((TallyDelivery *) desk->deliveries->pdata[i])->verdict, TALLY_VERDICT_BUSY);
  assert_int (desk->sink->account.access.generation, 2);
  assert_int (send_one (desk, "k9", BODY)->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (emulator_count (emulator, "created"), 2);
}

static void
test_a_new_token_that_is_refused_halts_the_run (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--oauth", "tally:s3cret", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (Desk) desk = open_client (emulator, "s3cret", &error);

  assert_no_error (error);
  emulator_set_faults (emulator, "{'kind':'unauthorized','path':'/api/v2/tickets','count':0}");
  assert_int (send_one (desk, "k1", BODY)->verdict, TALLY_VERDICT_BUSY);
  assert_int (send_one (desk, "k1", BODY)->verdict, TALLY_VERDICT_HALT);
  assert_int (desk->sink->account.access.generation, 2);
}

static void
test_a_client_with_a_wrong_secret_is_told (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--oauth", "tally:s3cret", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (Desk) desk = open_client (emulator, "wr0ng-secret", &error);

  assert_true (desk->sink->account.access.header == NULL);
  assert_true (error != NULL && strstr (error->message, "wr0ng") == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_AUTH, "no token for client \"tally\"");
}

/* --- a long text --- */

/* (transfer full) a stored request whose text has three parts. */
static char *
render_long (Desk *desk)
{
  g_autofree char *text = g_strnfill (2 * ZENDESK_MAX_BODY + 100, 'a');

  desk_add_row (desk, (const char *[]){ text });
  return desk_render (desk, 0, "desk:1", NULL);
}

/* How many comments the ticket has. */
static gint
count_comments (Emulator *emulator)
{
  g_autofree char *comments = emulator_ask (emulator, "GET", "/api/v2/tickets/1/comments.json", NULL);
  gint n = 0;

  for (const char *p = comments; (p = strstr (p, "\"type\":\"Comment\"")) != NULL; p++)
    n++;
  return n;
}

static void
test_a_long_text_becomes_several_comments (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator);
  g_autofree char *body = render_long (desk);
  TallyDelivery *delivery = send_one (desk, "k1", body);

  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  assert_text (delivery->detail, "in 3 comments");
  assert_int (count_comments (emulator), 3);
  assert_int (send_one (desk, "k1", body)->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (look_up (desk, body)->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (count_comments (emulator), 3);
}

static const struct
{
  const char *fault;
  gint comments; /* then */
} breaks[] = {
  { "{'kind':'drop-after','method':'PUT'}", 2 },
  { "{'kind':'drop-after','method':'PUT','at':2}", 3 },
  { "{'kind':'drop-before','method':'PUT','at':2}", 2 },
  { "{'kind':'close-idle','method':'PUT','acted':true}", 2 },
  { "{'kind':'status-after','method':'PUT','status':502}", 2 },
  { "{'kind':'status','method':'PUT','status':409}", 1 },
  { "{'kind':'invalid','method':'PUT'}", 1 },
  { "{'kind':'unauthorized','method':'PUT'}", 1 },
  { "{'kind':'storm','method':'PUT','retry_after':'5'}", 1 },
  { "{'kind':'html','method':'GET','path':'/api/v2/tickets/1/comments'}", 1 },
  { "{'kind':'cut-body','method':'GET','path':'/api/v2/tickets/1'}", 1 },
};

/* G9: whatever breaks, no part is lost, none is there twice, and nothing but "unknown" is said in between. */
static void
test_a_broken_continuation_is_taken_up (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (breaks); i++)
    for (guint by_lookup = 0; by_lookup < 2; by_lookup++)
      {
        g_autoptr (Emulator) emulator = emulator_new (NULL);
        g_autoptr (Desk) desk = open_desk (emulator);
        g_autofree char *body = render_long (desk);
        TallyDelivery *delivery;

        emulator_set_faults (emulator, breaks[i].fault);
        delivery = send_one (desk, "k1", body);
        assert_row_int (breaks[i].fault, delivery->verdict, TALLY_VERDICT_UNKNOWN);
        assert_row_int (breaks[i].fault, count_comments (emulator), breaks[i].comments);
        delivery = by_lookup ? look_up (desk, body) : send_one (desk, "k1", body);
        assert_row_int (breaks[i].fault, delivery->verdict, TALLY_VERDICT_DELIVERED);
        assert_row_int (breaks[i].fault, count_comments (emulator), 3);
        assert_int (emulator_count (emulator, "created"), 1);
      }
}

static void
test_others_comments_in_between_do_no_harm (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator);
  g_autofree char *body = render_long (desk);

  emulator_set_faults (emulator, "{'kind':'drop-after','method':'PUT'}");
  send_one (desk, "k1", body);
  g_free (emulator_ask (emulator, "PUT", "/api/v2/tickets/1.json",
                        "{\"ticket\":{\"comment\":{\"body\":\"an agent was here [part 3 of 3]\"}}}"));
  assert_int (send_one (desk, "k1", body)->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (count_comments (emulator), 4);
}

/* --- TLS --- */

static void
test_a_certificate_is_verified (void)
{
  g_autofree char *pem = make_certificate ();
  g_autoptr (GError) error = NULL;

  if (pem == NULL)
    return;
  g_autoptr (Emulator) emulator = emulator_new ("--https", pem, NULL);
  g_autoptr (Desk) trusting = desk_new ("url", emulator->url, "access_token", "t", "ca-file", pem, NULL);
  g_autoptr (Desk) wary = desk_new ("url", emulator->url, "access_token", "t", NULL);

  assert_true (desk_accept (trusting, "comment.body text", NULL) && desk_open (trusting, &error));
  assert_no_error (error);
  assert_int (send_one (trusting, "k1", BODY)->verdict, TALLY_VERDICT_DELIVERED);
  assert_true (desk_accept (wary, "comment.body text", NULL) && !desk_open (wary, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_NETWORK, "certificate");
  drop_certificate (pem);
}

static const Promise promises[] = {
  { "one key makes one ticket", test_one_key_makes_one_ticket },
  { "another body under a key is a mismatch", test_another_body_under_a_key_is_a_mismatch },
  { "a lookup finds what is there", test_a_lookup_finds_what_is_there },
  { "a reference may have any letters", test_a_reference_may_have_any_letters },
  { "an absent ticket is not believed too soon", test_an_absent_ticket_is_not_believed_too_soon },
  { "each fault is judged, and nothing is sent twice", test_each_fault_is_judged_and_nothing_is_sent_twice },
  { "a lost answer is found again", test_a_lost_answer_is_found_again },
  { "a slow answer is unknown", test_a_slow_answer_is_unknown },
  { "many go at once", test_many_go_at_once },
  { "dropped members are told", test_dropped_members_are_told },
  { "a key that does not count is told", test_a_key_that_does_not_count_is_told },
  { "what a run begins with is not doubled though no key counts",
    test_what_a_run_begins_with_is_not_doubled_though_no_key_counts },
  { "custom fields are found by title", test_custom_fields_are_found_by_title },
  { "doctor finds all well", test_doctor_finds_all_well },
  { "doctor tells of roles and features", test_doctor_tells_of_roles_and_features },
  { "each kind of credentials works", test_each_kind_of_credentials_works },
  { "a token that ran out is fetched again", test_a_token_that_ran_out_is_fetched_again },
  { "a new token that is refused halts the run", test_a_new_token_that_is_refused_halts_the_run },
  { "a client with a wrong secret is told", test_a_client_with_a_wrong_secret_is_told },
  { "a long text becomes several comments", test_a_long_text_becomes_several_comments },
  { "a broken continuation is taken up", test_a_broken_continuation_is_taken_up },
  { "others' comments in between do no harm", test_others_comments_in_between_do_no_harm },
  { "a certificate is verified", test_a_certificate_is_verified },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk service", promises, argc, argv);
}
