/* service.c: what the emulator promises about limits, credentials, its clock and its memory */
#include "promise.h"
#include "rig.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define TICKET "{'ticket':{'comment':'c','external_id':'a:1'}}"

/* --- limits --- */

/* Sets the clock to @second of a minute. */
static void
set_second (Rig *rig, const char *second)
{
  g_autofree char *body = g_strdup_printf ("{\"set\":\"2030-01-01T00:00:%sZ\"}", second);
  g_autoptr (Reply) reply = rig_call (rig, "POST", "/_emulator/clock", body, NULL);

  assert_int (reply->status, 200);
}

static void
test_limits_requests_by_the_minute_of_the_clock (void)
{
  g_autoptr (Rig) rig = rig_new ("--plan", "team", "--time-rate", "0", NULL);
  guint good = 0, limited = 0;

  set_second (rig, "50");
  for (guint i = 0; i < 210; i++)
    {
      g_autoptr (Reply) reply = rig_get (rig, "/api/v2/users/me.json");

      good += reply->status == 200;
      limited += reply->status == 429;
    }
  g_autoptr (Reply) refused = rig_get (rig, "/api/v2/users/me.json");
  g_autofree char *retry_after = reply_header (refused, "Retry-After");
  g_autofree char *type = reply_header (refused, "Content-Type");
  rig_advance (rig, 10); /* a full budget comes back at :00, not a minute later */
  g_autoptr (Reply) again = rig_get (rig, "/api/v2/users/me.json");
  g_autofree char *remaining = reply_header (again, "x-rate-limit-remaining");

  assert_int (good, 200);
  assert_int (limited, 10);
  assert_int (refused->status, 429);
  assert_text (retry_after, "10");
  assert_text (type, "application/json; charset=utf-8");
  assert_contains (refused->body, "\"error\":\"APIRateLimitExceeded\"");
  assert_int (again->status, 200);
  assert_text (remaining, "199");
  assert_int (rig_count (rig, "limited"), 11);
}

static void
test_says_what_is_left_in_both_spellings (void)
{
  static const struct
  {
    const char *name, *value;
  } rows[] = {
    { "x-rate-limit", "700" },
    { "x-rate-limit-remaining", "699" },
    { "rate-limit", "700" },
    { "rate-limit-remaining", "699" },
    { "rate-limit-reset", "45" },
    { "ratelimit-limit", "700" },
    { "ratelimit-remaining", "699" },
    { "ratelimit-reset", "45" },
    { "Date", "Tue, 01 Jan 2030 00:00:15 GMT" },
  };
  g_autoptr (Rig) rig = rig_new ("--plan", "enterprise", "--time-rate", "0", NULL);

  set_second (rig, "15");
  g_autoptr (Reply) reply = rig_get (rig, "/api/v2/users/me.json");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *value = reply_header (reply, rows[i].name);
      assert_row_text (rows[i].name, value, rows[i].value);
    }
}

static void
test_has_a_plan_for_everybody (void)
{
  static const struct
  {
    const char *plan, *limit;
  } rows[] = {
    { "team", "200" },       { "growth", "400" },           { "professional", "400" },
    { "enterprise", "700" }, { "enterprise-plus", "2500" }, { "none", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new ("--plan", rows[i].plan, NULL);
      g_autoptr (Reply) reply = rig_get (rig, "/api/v2/users/me.json");
      g_autofree char *limit = reply_header (reply, "x-rate-limit");

      assert_row_text (rows[i].plan, limit, rows[i].limit);
    }
}

static void
test_limits_some_endpoints_further (void)
{
  static const struct
  {
    const char *label, *method, *path, *body, *header, *said;
    guint allowed;
    gboolean numbered; /* each request is about another ticket */
  } rows[] = {
    { "creations", "POST", "/api/v2/tickets", "{\"ticket\":{\"comment\":\"c\"}}",
      "Zendesk-RateLimit-ticket-request-create-by-user-and-ip", "total=300; remaining=0; resets=60",
      300 },
    { "updates", "PUT", "/api/v2/tickets/", "{\"ticket\":{}}", "Zendesk-RateLimit-tickets-update",
      "total=100; remaining=0; resets=60", 100, TRUE },
    { "exports", "GET", "/api/v2/incremental/tickets/cursor?start_time=0", NULL,
      "Zendesk-RateLimit-incremental-exports", "total=10; remaining=0; resets=60", 10 },
  };
  g_autoptr (Rig) rig
      = rig_new ("--plan", "enterprise-plus", "--limit-creation", "--time-rate", "0", NULL);

  set_second (rig, "00");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      guint good = 0;

      for (guint k = 0; k < rows[i].allowed; k++)
        {
          g_autofree char *path = g_strdup_printf ("%s%u", rows[i].path, k + 1);
          g_autoptr (Reply) reply = rig_call (
              rig, rows[i].method, rows[i].numbered ? path : rows[i].path, rows[i].body, NULL);
          good += reply->status < 300;
        }
      g_autofree char *last = g_strdup_printf ("%s%u", rows[i].path, rows[i].allowed + 1);
      g_autoptr (Reply) refused = rig_call (
          rig, rows[i].method, rows[i].numbered ? last : rows[i].path, rows[i].body, NULL);
      g_autoptr (Reply) other = rig_get (rig, "/api/v2/users/me");
      g_autofree char *said = reply_header (refused, rows[i].header);

      assert_row_int (rows[i].label, good, rows[i].allowed);
      assert_row_int (rows[i].label, refused->status, 429);
      assert_row_int (rows[i].label, other->status, 200);
      assert_row_text (rows[i].label, said, rows[i].said);
    }
}

static void
test_says_it_in_text_when_asked (void)
{
  g_autoptr (Rig) rig = rig_new ("--plan=team", "--limit-body=text", "--time-rate=0", NULL);

  for (guint i = 0; i < 200; i++)
    reply_free (rig_get (rig, "/api/v2/users/me"));
  g_autoptr (Reply) refused = rig_get (rig, "/api/v2/users/me");
  g_autofree char *type = reply_header (refused, "Content-Type");

  assert_int (refused->status, 429);
  assert_contains (type, "text/plain");
  assert_text (refused->body, "Number of allowed API requests per minute exceeded");
}

static void
test_does_not_count_what_is_asked_of_itself (void)
{
  g_autoptr (Rig) rig = rig_new ("--plan", "team", "--bearer", "secret", NULL);

  for (guint i = 0; i < 250; i++)
    {
      g_autoptr (Reply) reply = rig_get (rig, "/_emulator/clock");
      if (reply->status != 200)
        assert_int (reply->status, 200);
    }
  g_autoptr (Reply) reply
      = rig_call (rig, "GET", "/api/v2/users/me", NULL, "Authorization: Bearer secret");
  g_autofree char *remaining = reply_header (reply, "x-rate-limit-remaining");
  g_autoptr (Reply) history = rig_get (rig, "/_emulator/history");

  assert_text (remaining, "199");
  assert_contains (history->body, "\"seq\":1");
  assert_true (strstr (history->body, "\"seq\":2") == NULL);
}

/* --- credentials --- */

#define BASIC(text64) "Authorization: Basic " text64

static void
test_insists_on_credentials (void)
{
  static const char anybody[] = "{\"error\":\"Couldn't authenticate you\"}";
  static const struct
  {
    const char *label, *path, *header;
    long status;
    const char *body; /* part */
  } rows[] = {
    { "the right token", "/api/v2/tickets/count", BASIC ("YUBiLmMvdG9rZW46c2VjcmV0"), 200,
      "count" },
    { "the right bearer", "/api/v2/tickets/count", "Authorization: Bearer b-token", 200, "count" },
    { "nothing", "/api/v2/tickets/count", NULL, 401, anybody },
    { "a wrong token", "/api/v2/tickets/count", BASIC ("YUBiLmMvdG9rZW46d3Jvbmc="), 401, anybody },
    { "a wrong bearer", "/api/v2/tickets/count", "Authorization: Bearer wrong", 401,
      "{\"error\":\"invalid_token\",\"error_description\":\"The access token provided is expired, "
      "revoked, malformed or invalid for other reasons.\"}" },
    { "the trap: nobody is somebody", "/api/v2/users/me.json", NULL, 200, "\"id\":null" },
    { "the trap: a wrong password", "/api/v2/users/me.json", BASIC ("YUBiLmM6d3Jvbmc="), 200,
      "Anonymous user" },
    { "no trap for a wrong token", "/api/v2/users/me.json", BASIC ("YUBiLmMvdG9rZW46d3Jvbmc="), 401,
      anybody },
    { "no trap for a wrong bearer", "/api/v2/users/me.json", "Authorization: Bearer wrong", 401,
      "invalid_token" },
    { "oneself", "/api/v2/users/me.json", "Authorization: Bearer b-token", 200,
      "\"email\":\"a@b.c\"" },
  };
  g_autoptr (Rig) rig = rig_new ("--email=a@b.c", "--token=secret", "--bearer=b-token", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Reply) reply = rig_call (rig, "GET", rows[i].path, NULL, rows[i].header);

      assert_row_int (rows[i].label, reply->status, rows[i].status);
      assert_contains (reply->body, rows[i].body);
    }
  g_autofree char *body = quoted (TICKET);
  g_autoptr (Reply) refused = rig_call (rig, "POST", "/api/v2/tickets", body, "Idempotency-Key: k");
  assert_int (refused->status, 401);
  assert_int (rig_count (rig, "created"), 0);
}

static void
test_takes_anybody_when_nobody_is_asked_for (void)
{
  static const char *const headers[]
      = { NULL, "Authorization: Bearer x", BASIC ("YUBiLmMvdG9rZW46d3Jvbmc=") };
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (headers); i++)
    {
      g_autoptr (Reply) reply = rig_call (rig, "GET", "/api/v2/users/me", NULL, headers[i]);
      g_autofree char *role = at (reply->json, "user.role");

      assert_text (role, "admin");
    }
}

static void
test_gives_out_tokens_that_expire (void)
{
  static const struct
  {
    const char *label, *request;
    long status;
    const char *body;
  } rows[] = {
    { "a wrong secret", "{'grant_type':'client_credentials','client_id':'me','client_secret':'x'}",
      401, "invalid_client" },
    { "no secret", "{'grant_type':'client_credentials','client_id':'me'}", 401, "invalid_client" },
    { "another grant", "{'grant_type':'password','client_id':'me','client_secret':'s:1'}", 400,
      "unsupported_grant_type" },
    { "a token", "{'grant_type':'client_credentials','client_id':'me','client_secret':'s:1'}", 200,
      "\"expires_in\":1800" },
  };
  g_autoptr (Rig) rig = rig_new ("--oauth", "me:s:1", NULL);
  g_autofree char *token = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *request = quoted (rows[i].request);
      g_autoptr (Reply) reply = rig_call (rig, "POST", "/oauth/tokens", request, NULL);

      assert_row_int (rows[i].label, reply->status, rows[i].status);
      assert_contains (reply->body, rows[i].body);
      g_free (token);
      token = at (reply->json, "access_token");
    }
  g_autofree char *header = g_strconcat ("Authorization: Bearer ", token, NULL);
  static const char path[] = "/api/v2/tickets/count";

  assert_int (reply_take_status (rig_call (rig, "GET", path, NULL, header)), 200);
  rig_advance (rig, 1801);
  g_autoptr (Reply) expired = rig_call (rig, "GET", path, NULL, header);
  assert_int (expired->status, 401);
  assert_contains (expired->body, "invalid_token");
}

static void
test_takes_tokens_back (void)
{
  g_autoptr (Rig) rig = rig_new ("--oauth", "me:s", "--token-life", "60", NULL);
  g_autofree char *request
      = quoted ("{'grant_type':'client_credentials','client_id':'me','client_secret':'s'}");
  g_autoptr (Reply) reply = rig_call (rig, "POST", "/oauth/tokens", request, NULL);
  g_autofree char *token = at (reply->json, "access_token");
  g_autofree char *header = g_strconcat ("Authorization: Bearer ", token, NULL);
  static const char path[] = "/api/v2/tickets/count";

  assert_int (reply_take_status (rig_call (rig, "GET", path, NULL, header)), 200);
  assert_int (reply_take_status (rig_call (rig, "POST", "/_emulator/revoke", "", NULL)), 200);
  assert_int (reply_take_status (rig_call (rig, "GET", path, NULL, header)), 401);
}

/* --- paths and answers --- */

static void
test_knows_its_paths (void)
{
  static const struct
  {
    const char *method, *path;
    long status;
    const char *error;
  } rows[] = {
    { "GET", "/api/v2/tickets.json", 200, NULL },
    { "GET", "/api/v2/tickets", 200, NULL },
    { "GET", "/api/v2/ticket_fields.json", 200, NULL },
    { "GET", "/api/v2/ticket_fields/360000000101.json", 200, NULL },
    { "GET", "/api/v2/ticket_fields/1.json", 404, "RecordNotFound" },
    { "GET", "/api/v2/users/5.json", 404, "RecordNotFound" },
    { "GET", "/api/v2/tickets/5.json", 404, "RecordNotFound" },
    { "GET", "/api/v2/tickets/5.json.json", 404, "InvalidEndpoint" },
    { "GET", "/api/v2/tickets/", 404, "InvalidEndpoint" },
    { "GET", "/api/v2/tickets/five", 404, "InvalidEndpoint" },
    { "GET", "/api/v2/", 404, "InvalidEndpoint" },
    { "GET", "/", 404, "InvalidEndpoint" },
    { "PATCH", "/api/v2/tickets/5", 404, "InvalidEndpoint" },
    { "GET", "/_emulator/nothing", 404, "InvalidEndpoint" },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Reply) reply = rig_call (rig, rows[i].method, rows[i].path, NULL, NULL);
      g_autofree char *error = at (reply->json, "error");

      assert_row_int (rows[i].path, reply->status, rows[i].status);
      assert_row_text (rows[i].path, error, rows[i].error);
    }
}

static void
test_sends_the_same_in_chunks (void)
{
  g_autoptr (Rig) rig = rig_new ("--chunked", NULL);
  g_autoptr (Reply) made = rig_create (rig, TICKET, "k");
  g_autofree char *encoding = reply_header (made, "Transfer-Encoding");
  g_autofree char *length = reply_header (made, "Content-Length");
  g_autofree char *request_id = reply_header (made, "x-request-id");

  assert_int (made->status, 201);
  assert_text (encoding, "chunked");
  assert_text (length, NULL);
  assert_int (number_at (made->json, "ticket.id"), 1);
  assert_true (request_id != NULL);

  rig_set_faults (rig, "[{'kind':'cut-body'}]");
  g_autoptr (Reply) cut = rig_create (rig, TICKET, "k");
  assert_true (cut->result == CURLE_PARTIAL_FILE || cut->result == CURLE_RECV_ERROR);
}

static void
test_offers_a_field_of_each_type (void)
{
  static const char *const types[]
      = { "subject",     "description", "status",  "tickettype", "priority",
          "group",       "assignee",    "text",    "textarea",   "checkbox",
          "date",        "integer",     "decimal", "regexp",     "partialcreditcard",
          "multiselect", "tagger",      "lookup",  "vehicle" };
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "emulator-fields-XXXXXX", NULL);
  g_autofree char *text = quoted (
      "[{'type':'vehicle','title':'Car','id':77,'options':[{'name':'A','value':'car_a'}]}]");

  g_close (g_mkstemp (path), NULL);
  g_file_set_contents (path, text, -1, NULL);
  g_autoptr (Rig) rig = rig_new ("--fields", path, NULL);
  g_autoptr (Reply) reply = rig_get (rig, "/api/v2/ticket_fields.json");
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autofree char *member = g_strdup_printf ("\"type\":\"%s\"", types[i]);
      assert_contains (reply->body, member);
    }
  assert_contains (reply->body, "\"id\":77");
  assert_contains (reply->body, "\"value\":\"car_a\"");
  g_unlink (path);
}

/* --- its memory --- */

static void
test_keeps_tickets_and_keys_across_a_crash (void)
{
  g_autofree char *state = g_build_filename (g_get_tmp_dir (), "emulator-state-XXXXXX", NULL);

  g_close (g_mkstemp (state), NULL);
  g_autoptr (Rig) rig = rig_new ("--state", state, NULL);
  g_autoptr (Reply) one = rig_create (
      rig,
      "{'ticket':{'comment':'c\\nd','external_id':'a','requester':{'name':'A','email':'a@b.c'}}}",
      "k1");
  assert_int (reply_take_status (rig_create (rig, TICKET, "k2")), 201);
  assert_int (reply_take_status (rig_create (rig, TICKET, NULL)), 201);
  rig_advance (rig, 3600);
  assert_int (
      reply_take_status (rig_call (rig, "PUT", "/api/v2/tickets/2.json",
                                   "{\"ticket\":{\"status\":\"solved\",\"comment\":\"d\"}}", NULL)),
      200);
  assert_int (reply_take_status (rig_call (rig, "DELETE", "/api/v2/tickets/3.json", NULL, NULL)),
              204);
  g_autoptr (Reply) before = rig_get (rig, "/api/v2/tickets/2.json");
  g_autoptr (Reply) comments = rig_get (rig, "/api/v2/tickets/2/comments.json");
  g_autofree char *old_url = g_strdup (rig->url);

  rig_restart (rig, "--state", state, NULL);
  g_autoptr (Reply) after = rig_get (rig, "/api/v2/tickets/2.json");
  g_autoptr (Reply) comments_after = rig_get (rig, "/api/v2/tickets/2/comments.json");
  g_autoptr (Reply) gone = rig_get (rig, "/api/v2/tickets/3.json");
  g_autoptr (Reply) hit = rig_create (
      rig,
      "{'ticket':{'comment':'c\\nd','external_id':'a','requester':{'name':'A','email':'a@b.c'}}}",
      "k1");
  g_autoptr (Reply) clash = rig_create (rig, TICKET, "k1");
  g_autoptr (Reply) next = rig_create (rig, TICKET, "k4");
  g_autoptr (Reply) history = rig_get (rig, "/_emulator/history");
  g_auto (GStrv) parts = g_strsplit (before->body, old_url, -1);
  g_autofree char *expected = g_strjoinv (rig->url, parts);
  g_autofree char *lookup = reply_header (hit, "x-idempotency-lookup");

  assert_text (after->body, expected);
  assert_text (comments_after->body, comments->body);
  assert_int (gone->status, 404);
  assert_text (lookup, "hit");
  assert_int (number_at (hit->json, "ticket.requester_id"),
              number_at (one->json, "ticket.requester_id"));
  assert_int (clash->status, 400);
  assert_int (number_at (next->json, "ticket.id"), 4);
  assert_contains (history->body, "\"event\":\"created\"");
  assert_int (rig_count (rig, "created"), 4);
  rig_advance (rig, 3700); /* the clock did not begin anew, so the keys are two hours old */
  g_autoptr (Reply) again = rig_create (rig, TICKET, "k1");
  assert_int (number_at (again->json, "ticket.id"), 5);
  g_unlink (state);
}

static void
test_drops_a_line_that_a_crash_cut_off (void)
{
  g_autofree char *state = g_build_filename (g_get_tmp_dir (), "emulator-state-XXXXXX", NULL);
  g_autofree char *text = NULL;
  gsize length;

  g_close (g_mkstemp (state), NULL);
  g_autoptr (Rig) rig = rig_new ("--state", state, NULL);
  reply_free (rig_create (rig, TICKET, "k1"));
  reply_free (rig_create (rig, TICKET, "k2"));
  g_file_get_contents (state, &text, &length, NULL);
  g_file_set_contents (state, text, (gssize)length - 20, NULL);

  rig_restart (rig, "--state", state, NULL);
  assert_int (rig_count (rig, "created"), 1);
  g_autoptr (Reply) next = rig_create (rig, TICKET, "k3");
  rig_restart (rig, "--state", state, NULL);
  assert_int (number_at (next->json, "ticket.id"), 2);
  assert_int (rig_count (rig, "created"), 2);
  g_unlink (state);
}

static void
test_refuses_a_state_file_that_is_none (void)
{
  g_autofree char *state = g_build_filename (g_get_tmp_dir (), "emulator-state-XXXXXX", NULL);
  g_autofree char *complaint = NULL;

  g_close (g_mkstemp (state), NULL);
  g_file_set_contents (state, "hello\n", -1, NULL);
  const char *options[] = { "--state", state, NULL };
  g_autoptr (Rig) rig = rig_new_list (options, &complaint);

  assert_true (rig->url == NULL);
  assert_contains (complaint, "line 1");
  g_unlink (state);
}

/* --- itself --- */

static void
test_moves_its_clock (void)
{
  g_autoptr (Rig) rig = rig_new ("--time-rate", "0", NULL);
  static const struct
  {
    const char *body, *time;
    long status;
  } rows[] = {
    { "{\"set\":\"2031-02-03T04:05:06Z\"}", "2031-02-03T04:05:06.000Z", 200 },
    { "{\"advance\":1.5}", "2031-02-03T04:05:07.500Z", 200 },
    { "{\"advance\":-7}", "2031-02-03T04:05:00.500Z", 200 },
    { "{\"advance\":1e300}", NULL, 400 },
    { "{\"advance\":\"soon\"}", NULL, 400 },
    { "nonsense", NULL, 400 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Reply) reply = rig_call (rig, "POST", "/_emulator/clock", rows[i].body, NULL);
      g_autofree char *time = at (reply->json, "time");

      assert_row_int (rows[i].body, reply->status, rows[i].status);
      assert_row_text (rows[i].body, time, rows[i].time);
    }
}

static void
test_hurries_when_asked (void)
{
  g_autoptr (Rig) rig = rig_new ("--time-rate", "100000", NULL);
  assert_int (reply_take_status (rig_create (rig, TICKET, "k1")), 201);
  gint64 give_up = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;

  /* Two hours pass in 72 milliseconds. */
  while (rig_count (rig, "created") < 2 && g_get_monotonic_time () < give_up)
    reply_free (rig_create (rig, TICKET, "k1"));
  assert_int (rig_count (rig, "created"), 2);
}

static void
test_begins_anew_when_reset (void)
{
  g_autoptr (Rig) rig = rig_new ("--plan", "team", "--fault", "conflict:at=2,method=POST", NULL);
  assert_int (reply_take_status (rig_create (rig, TICKET, "k1")), 201);
  rig_set_faults (rig, "[{'kind':'forbidden','count':0}]");
  rig_advance (rig, 86400);
  g_autoptr (Reply) counts = rig_call (rig, "POST", "/_emulator/reset", "", NULL);
  g_autoptr (Reply) history = rig_get (rig, "/_emulator/history");
  g_autoptr (Reply) again = rig_create (rig, TICKET, "k1");
  g_autoptr (Reply) struck = rig_create (rig, TICKET, "k1");
  g_autofree char *remaining = reply_header (again, "x-rate-limit-remaining");

  assert_int (number_at (counts->json, "created"), 0);
  assert_text (history->body, "");
  assert_int (again->status, 201);
  assert_int (number_at (again->json, "ticket.id"), 1);
  assert_text (remaining, "199");
  assert_int (struck->status, 409);
}

static void
test_tells_its_history_from_where_it_is_asked (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);
      reply_free (rig_create (rig, TICKET, key));
    }
  g_autoptr (Reply) all = rig_get (rig, "/_emulator/history");
  g_autoptr (Reply) last = rig_get (rig, "/_emulator/history?since=1999");
  g_auto (GStrv) lines = g_strsplit (all->body, "\n", -1);

  assert_int (g_strv_length (lines), 2001); /* the last one is empty */
  for (guint i = 0; i < 2000; i++)
    {
      json_object *line = json_tokener_parse (lines[i]);

      if (number_at (line, "seq") != i + 1)
        assert_int (number_at (line, "seq"), i + 1);
      json_object_put (line);
    }
  g_autofree char *expected = g_strconcat (lines[1999], "\n", NULL);
  assert_text (last->body, expected);
}

static void
test_remembers_a_request_that_broke_off (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect_to_host (client, rig->url + strlen ("http://"), 80, NULL, NULL);
  static const char half[] = "POST /api/v2/tickets HTTP/1.1\r\nHost: x\r\n"
                             "Idempotency-Key: k1\r\nContent-Length: 100\r\n\r\n{\"ticket\"";
  gint64 give_up = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;

  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), half,
                             strlen (half), NULL, NULL, NULL);
  assert_int (rig_count (rig, "created"), 0); /* by now the first half has been read */
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  while (rig_count (rig, "dropped") < 1 && g_get_monotonic_time () < give_up)
    ;
  g_autoptr (Reply) history = rig_get (rig, "/_emulator/history");

  assert_contains (history->body, "\"key\":\"k1\"");
  assert_contains (history->body, "\"outcome\":\"incomplete\"");
  assert_int (rig_count (rig, "created"), 0);
}

static void
test_ends_when_told_to (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) reply = rig_call (rig, "POST", "/_emulator/shutdown", "", NULL);

  assert_int (reply->status, 200);
  assert_int (rig_wait (rig), 0);
}

static void
test_ends_although_requests_wait (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_set_faults (rig, "[{'kind':'drop-then-act','ms':3600000}]");
  g_autoptr (Reply) dropped = rig_create (rig, TICKET, "k1");
  assert_int (reply_take_status (rig_call (rig, "POST", "/_emulator/shutdown", "", NULL)), 200);

  assert_int (dropped->result, CURLE_GOT_NOTHING);
  assert_int (rig_wait (rig), 0);
}

static void
test_refuses_wrong_options (void)
{
  static const char *const rows[][3] = {
    { "--plan", "gold", "\"gold\" is no plan" },
    { "--same-key", "maybe", "--same-key is one of wait, conflict, duplicate" },
    { "--port", "70000", "--port is between 0 and 65535" },
    { "--delay", "-1", "--delay is between" },
    { "--email", "a@b.c", "--email and --token belong together" },
    { "--host", "localhost", "no IPv4 address" },
    { "--fields", "/nonexistent", "/nonexistent" },
    { "--state", "/nonexistent/state", "/nonexistent/state" },
    { "--https", "/nonexistent", "/nonexistent" },
    { "--nonsense", "x", "--nonsense" },
    { "--quiet", "x", "\"x\" is no option" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const char *options[] = { rows[i][0], rows[i][1], NULL };
      g_autofree char *complaint = NULL;
      g_autoptr (Rig) rig = rig_new_list (options, &complaint);

      assert_true (rig->url == NULL);
      assert_contains (complaint, rows[i][2]);
    }
}

static void
test_speaks_tls (void)
{
  g_autofree char *folder = g_dir_make_tmp ("emulator-tls-XXXXXX", NULL);
  g_autofree char *cert = g_build_filename (folder, "cert.pem", NULL);
  g_autofree char *key = g_build_filename (folder, "key.pem", NULL);
  const char *argv[] = { "openssl",
                         "req",
                         "-x509",
                         "-newkey",
                         "ec",
                         "-pkeyopt",
                         "ec_paramgen_curve:prime256v1",
                         "-nodes",
                         "-subj",
                         "/CN=localhost",
                         "-days",
                         "2",
                         "-keyout",
                         key,
                         "-out",
                         cert,
                         NULL };
  int status;

  if (!g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                     NULL, NULL, NULL, NULL, &status, NULL)
      || status != 0)
    {
      skip_promise ("openssl cannot make a certificate here");
      return;
    }

  g_autoptr (Rig) rig = rig_new ("--https", cert, key, NULL);
  g_autoptr (Reply) made = rig_create (rig, TICKET, "k1");
  assert_true (g_str_has_prefix (rig->url, "https://"));
  assert_int (made->status, 201);

  rig_set_faults (rig, "[{'kind':'drop-after'},{'kind':'drop-then-act','at':3,'ms':10}]");
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *name = g_strdup_printf ("k2-%u", i);
      g_autoptr (Reply) lost = rig_create (rig, TICKET, name);
      g_autoptr (Reply) again = rig_create (rig, TICKET, name);

      assert_true (lost->result != CURLE_OK);
      assert_int (again->status, 201);
    }
  assert_int (rig_count (rig, "created"), 3);
  g_unlink (cert);
  g_unlink (key);
  g_rmdir (folder);
}

static const Promise promises[] = {
  { "limits requests by the minute of the clock", test_limits_requests_by_the_minute_of_the_clock },
  { "says what is left in both spellings", test_says_what_is_left_in_both_spellings },
  { "has a plan for everybody", test_has_a_plan_for_everybody },
  { "limits some endpoints further", test_limits_some_endpoints_further },
  { "says it in text when asked", test_says_it_in_text_when_asked },
  { "does not count what is asked of itself", test_does_not_count_what_is_asked_of_itself },
  { "insists on credentials", test_insists_on_credentials },
  { "takes anybody when nobody is asked for", test_takes_anybody_when_nobody_is_asked_for },
  { "gives out tokens that expire", test_gives_out_tokens_that_expire },
  { "takes tokens back", test_takes_tokens_back },
  { "knows its paths", test_knows_its_paths },
  { "sends the same in chunks", test_sends_the_same_in_chunks },
  { "offers a field of each type", test_offers_a_field_of_each_type },
  { "keeps tickets and keys across a crash", test_keeps_tickets_and_keys_across_a_crash },
  { "drops a line that a crash cut off", test_drops_a_line_that_a_crash_cut_off },
  { "refuses a state file that is none", test_refuses_a_state_file_that_is_none },
  { "moves its clock", test_moves_its_clock },
  { "hurries when asked", test_hurries_when_asked },
  { "begins anew when reset", test_begins_anew_when_reset },
  { "tells its history from where it is asked", test_tells_its_history_from_where_it_is_asked },
  { "remembers a request that broke off", test_remembers_a_request_that_broke_off },
  { "ends when told to", test_ends_when_told_to },
  { "ends although requests wait", test_ends_although_requests_wait },
  { "refuses wrong options", test_refuses_wrong_options },
  { "speaks TLS", test_speaks_tls },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator service", promises, argc, argv);
}
