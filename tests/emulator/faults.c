/* faults.c: what the emulator promises to break, and what it then really did */
#include "promise.h"
#include "rig.h"

#include <string.h>

#define TICKET "{'ticket':{'subject':'s','comment':{'body':'text'},'external_id':'a:1'}}"

typedef struct
{
  const char *label, *fault;
  CURLcode result;
  long status;
  gint64 created;      /* by the request that was struck */
  const char *outcome; /* what the history says of it */
  const char *body;    /* part of what the client got; NULL: nothing at all */
} Row;

static const Row rows[] = {
  { "closed before acting", "[{'kind':'drop-before'}]", CURLE_GOT_NOTHING, 0, 0, "dropped", NULL },
  { "closed before acting, by external_id", "[{'kind':'drop-before','external_id':'a:*'}]",
    CURLE_GOT_NOTHING, 0, 0, "dropped", NULL },
  { "reset before acting", "[{'kind':'drop-before','reset':true}]", CURLE_RECV_ERROR, 0, 0,
    "dropped", NULL },
  { "closed after acting", "[{'kind':'drop-after'}]", CURLE_GOT_NOTHING, 0, 1, "created", NULL },
  { "reset after acting", "[{'kind':'drop-after','reset':true}]", CURLE_RECV_ERROR, 0, 1, "created",
    NULL },
  { "half a body", "[{'kind':'cut-body'}]", CURLE_PARTIAL_FILE, 201, 1, "created", "{\"ticket\":" },
  { "slow to act", "[{'kind':'delay-before','ms':30}]", CURLE_OK, 201, 1, "created", "\"id\":1" },
  { "slow to answer", "[{'kind':'delay-after','ms':30}]", CURLE_OK, 201, 1, "created", "\"id\":1" },
  { "slow, then lost", "[{'kind':'delay-before','ms':30},{'kind':'drop-after'}]", CURLE_GOT_NOTHING,
    0, 1, "created", NULL },
  { "500", "[{'kind':'status'}]", CURLE_OK, 500, 0, "spoiled", "\"error\":" },
  { "503 in HTML", "[{'kind':'status','status':503,'body':'html'}]", CURLE_OK, 503, 0, "spoiled",
    "<h1>503</h1>" },
  { "520 in text", "[{'kind':'status','status':520,'body':'text'}]", CURLE_OK, 520, 0, "spoiled",
    "An error" },
  { "504 without a body", "[{'kind':'status','status':504,'body':'empty'}]", CURLE_OK, 504, 0,
    "spoiled", NULL },
  { "own words", "[{'kind':'status','status':418,'content':'tea'}]", CURLE_OK, 418, 0, "spoiled",
    "tea" },
  { "502 although it was done", "[{'kind':'status-after','status':502,'body':'html'}]", CURLE_OK,
    502, 1, "created", "<h1>502</h1>" },
  { "a conflict", "[{'kind':'conflict'}]", CURLE_OK, 409, 0, "DatabaseConflict",
    "{\"error\":\"DatabaseConflict\",\"description\":\"Database collision\"}" },
  { "bad data", "[{'kind':'invalid','field':'subject','message':'too long'}]", CURLE_OK, 422, 0,
    "invalid", "\"details\":{\"subject\":[{\"description\":\"too long\"" },
  { "another body, it says", "[{'kind':'mismatch'}]", CURLE_OK, 400, 0, "IdempotentRequestError",
    "Request parameters don't match the given idempotency key" },
  { "a storm", "[{'kind':'storm'}]", CURLE_OK, 429, 0, "limited", "APIRateLimitExceeded" },
  { "a storm in text", "[{'kind':'storm','body':'text'}]", CURLE_OK, 429, 0, "limited",
    "Number of allowed API requests per minute exceeded" },
  { "a redirection", "[{'kind':'redirect','status':308}]", CURLE_OK, 308, 0, "redirected", NULL },
  { "a page of a proxy", "[{'kind':'html'}]", CURLE_OK, 200, 0, "spoiled", "<!DOCTYPE html>" },
  { "a page of a proxy although it was done", "[{'kind':'html','acted':true,'status':201}]",
    CURLE_OK, 201, 1, "created", "<!DOCTYPE html>" },
  { "an empty 201", "[{'kind':'empty'}]", CURLE_OK, 201, 1, "created", NULL },
  { "a 201 without an id", "[{'kind':'no-id'}]", CURLE_OK, 201, 1, "created",
    "\"external_id\":\"a:1\"" },
  { "a 201 for somebody else", "[{'kind':'other-external-id','message':'b:2'}]", CURLE_OK, 201, 1,
    "created", "\"external_id\":\"b:2\"" },
  { "401", "[{'kind':'unauthorized'}]", CURLE_OK, 401, 0, "unauthorized",
    "{\"error\":\"Couldn't authenticate you\"}" },
  { "403", "[{'kind':'forbidden'}]", CURLE_OK, 403, 0, "forbidden", "\"title\":\"Forbidden\"" },
  { "a warning", "[{'kind':'warn'}]", CURLE_OK, 201, 1, "created", "\"id\":1" },
};

/* A member of the first line of the history, which is about a request. */
static char *
first_request (Rig *rig, const char *member)
{
  g_autoptr (Reply) history = rig_get (rig, "/_emulator/history");
  g_auto (GStrv) lines = g_strsplit (history->body, "\n", -1);
  json_object *line = json_tokener_parse (lines[0]);
  char *value = at (line, member);

  json_object_put (line);
  return value;
}

static void
test_breaks_as_asked_and_tells_the_truth (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const Row *row = &rows[i];
      assert_int (reply_take_status (rig_call (rig, "POST", "/_emulator/reset", "", NULL)), 200);
      rig_set_faults (rig, row->fault);
      g_autoptr (Reply) struck = rig_create (rig, TICKET, "k1");
      g_autofree char *outcome = first_request (rig, "outcome");
      g_autofree char *answered = first_request (rig, "answered");

      /* A reset that libcurl learns of while it waits looks to it like an end. */
      if (row->result != CURLE_RECV_ERROR || struck->result != CURLE_GOT_NOTHING)
        assert_row_int (row->label, struck->result, row->result);
      assert_row_int (row->label, struck->status, row->status);
      assert_row_int (row->label, rig_count (rig, "created"), row->created);
      assert_row_text (row->label, outcome, row->outcome);
      assert_row_text (row->label, answered, struck->result == CURLE_OK ? "true" : "false");
      assert_row_int (row->label, rig_count (rig, "dropped"), struck->status == 0);
      if (row->body == NULL)
        assert_row_text (row->label, struck->body, "");
      else
        assert_contains (struck->body, row->body);

      /* Once struck, the same request with the same key gives exactly one ticket. */
      g_autoptr (Reply) again = rig_create (rig, TICKET, "k1");
      assert_row_int (row->label, again->status, 201);
      assert_row_int (row->label, number_at (again->json, "ticket.id"), 1);
      assert_row_int (row->label, rig_count (rig, "created"), 1);
    }
}

static void
test_hides_the_ticket_when_another_answers (void)
{
  static const char *const kinds[] = { "status-after", "html", "empty", "no-id" };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *spec = g_strdup_printf ("%s:acted=1", kinds[i]);
      g_autoptr (Rig) rig = rig_new ("--fault", spec, NULL);
      g_autoptr (Reply) struck = rig_create (rig, TICKET, "k1");
      g_autofree char *location = reply_header (struck, "Location");
      g_autofree char *lookup = reply_header (struck, "x-idempotency-lookup");

      assert_row_text (kinds[i], location, NULL);
      /* Only no-id is an answer of the service itself. */
      assert_row_text (kinds[i], lookup, g_str_equal (kinds[i], "no-id") ? "miss" : NULL);
      assert_row_int (kinds[i], number_at (struck->json, "ticket.id"), -1);
      assert_row_int (kinds[i], rig_count (rig, "created"), 1);
    }
}

static void
test_repeats_a_stored_error_until_the_key_dies (void)
{
  g_autoptr (Rig) rig = rig_new ("--fault", "status-stored:body=html,method=POST", NULL);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (Reply) reply = rig_create (rig, TICKET, "k1");
      g_autofree char *type = reply_header (reply, "Content-Type");

      assert_text (type, "text/html; charset=utf-8");
      assert_int (reply->status, 500);
    }
  assert_int (rig_count (rig, "created"), 0);
  g_autoptr (Reply) other = rig_create (rig, TICKET, "k2");
  assert_int (other->status, 201);
  rig_advance (rig, 7300);
  g_autoptr (Reply) later = rig_create (rig, TICKET, "k1");
  assert_int (later->status, 201);
}

static void
test_goes_on_working_after_the_client_is_gone (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  rig_set_faults (rig, "[{'kind':'drop-then-act','ms':300}]");
  g_autoptr (Reply) struck = rig_create (rig, TICKET, "k1");
  gint64 before = rig_count (rig, "created");
  g_autoptr (Reply) again = rig_create (rig, TICKET, "k1"); /* waits until the first has ended */

  assert_int (struck->result, CURLE_GOT_NOTHING);
  assert_int (before, 0);
  assert_int (again->status, 201);
  assert_int (rig_count (rig, "created"), 1);
  assert_int (rig_count (rig, "max_concurrent_same_key"), 2);
}

static void
test_makes_two_tickets_when_keys_do_not_help (void)
{
  g_autoptr (Rig) rig = rig_new ("--same-key", "duplicate", NULL);
  rig_set_faults (rig, "[{'kind':'drop-then-act','ms':30}]");
  assert_int (reply_take_status (rig_create (rig, TICKET, "k1")), 0);
  g_autoptr (Reply) again = rig_create (rig, TICKET, "k1");

  assert_int (again->status, 201);
  gint64 give_up = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;
  while (rig_count (rig, "created") < 2 && g_get_monotonic_time () < give_up)
    ; /* the first one is still at work */
  assert_int (rig_count (rig, "created"), 2);
  assert_int (rig_count (rig, "duplicates"), 1);
}

static void
test_makes_curl_resend_on_a_reused_connection (void)
{
  static const struct
  {
    const char *label, *fault;
    gint64 created;
  } cases[] = {
    { "not acted", "[{'kind':'close-idle','method':'POST'}]", 1 },
    { "acted", "[{'kind':'close-idle','method':'POST','acted':true}]", 2 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Rig) rig = rig_new (NULL);
      rig->reuse = TRUE;
      rig_set_faults (rig, cases[i].fault); /* this call leaves a connection to be reused */
      g_autoptr (Reply) reply = rig_create (rig, TICKET, NULL);

      assert_row_int (cases[i].label, reply->result, CURLE_OK);
      assert_row_int (cases[i].label, reply->status, 201);
      assert_row_int (cases[i].label, rig_count (rig, "created"), cases[i].created);
    }
}

/* Which of ten creations were struck: x or a point for each. */
static char *
pattern (Rig *rig)
{
  GString *seen = g_string_new (NULL);

  for (guint i = 0; i < 10; i++)
    {
      g_autofree char *body
          = g_strdup_printf ("{'ticket':{'comment':'text','external_id':'a:%u'}}", i / 2);
      g_autoptr (Reply) reply = rig_create (rig, body, NULL);

      g_string_append_c (seen, reply->status == 500 ? 'x' : '.');
    }
  return g_string_free (seen, FALSE);
}

static void
test_strikes_the_requests_that_are_meant (void)
{
  static const struct
  {
    const char *spec, *struck;
  } cases[] = {
    { "status", "x........." },
    { "status:at=3", "..x......." },
    { "status:after=3", "...x......" },
    { "status:count=0", "xxxxxxxxxx" },
    { "status:count=4", "xxxx......" },
    { "status:every=3", "x..x..x..x" },
    { "status:at=2,every=4,count=2", ".x...x...." },
    { "status:method=GET,count=0", ".........." },
    { "status:method=post,path=/api/v2/tickets,count=2", "xx........" },
    { "status:path=/api/v2/users,count=0", ".........." },
    { "status:external_id=a:2,count=0", "....xx...." },
    { "status:external_id=a:*,count=0", "xxxxxxxxxx" },
    { "status:per=external_id", "x.x.x.x.x." },
    { "status:per=external_id,at=2", ".x.x.x.x.x" },
    { "status:key=k,count=0", ".........." },
    { "status:probability=0.5,seed=7", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Rig) rig = rig_new ("--fault", cases[i].spec, NULL);
      g_autofree char *struck = pattern (rig);
      assert_int (reply_take_status (rig_call (rig, "POST", "/_emulator/reset", "", NULL)), 200);
      g_autofree char *again = pattern (rig);

      if (cases[i].struck != NULL)
        assert_row_text (cases[i].spec, struck, cases[i].struck);
      else
        assert_true (strchr (struck, 'x') != NULL && strchr (struck, '.') != NULL);
      assert_row_text (cases[i].spec, again, struck); /* a reset begins anew, chance included */
    }
}

static void
test_storms_as_long_as_asked (void)
{
  static const struct
  {
    const char *fault, *retry_after;
  } cases[] = {
    { "[{'kind':'storm'}]", "1" },
    { "[{'kind':'storm','retry_after':'none'}]", NULL },
    { "[{'kind':'storm','retry_after':'-17'}]", "-17" },
    { "[{'kind':'storm','retry_after':'Wed, 21 Oct 2015 07:28:00 GMT'}]",
      "Wed, 21 Oct 2015 07:28:00 GMT" },
    { "[{'kind':'storm','seconds':5}]", "5" },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      rig_set_faults (rig, cases[i].fault);
      g_autoptr (Reply) reply = rig_get (rig, "/api/v2/users/me");
      g_autofree char *retry_after = reply_header (reply, "Retry-After");

      assert_row_int (cases[i].fault, reply->status, 429);
      assert_row_text (cases[i].fault, retry_after, cases[i].retry_after);
    }
  g_autoptr (Reply) still = rig_get (rig, "/api/v2/users/me");
  rig_advance (rig, 6);
  g_autoptr (Reply) over = rig_get (rig, "/api/v2/users/me");
  assert_int (still->status, 429);
  assert_int (over->status, 200);
}

static void
test_refuses_a_fault_that_it_does_not_know (void)
{
  static const char *const specs[] = { "drop",
                                       "status:status",
                                       "status:colour=red",
                                       "status:status=99",
                                       "status:at=-1",
                                       "status:probability=2",
                                       "status:per=day",
                                       "html:acted=perhaps",
                                       "" };

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      const char *options[] = { "--fault", specs[i], NULL };
      g_autofree char *complaint = NULL;
      g_autoptr (Rig) rig = rig_new_list (options, &complaint);

      assert_true (rig->url == NULL);
      assert_contains (complaint, "zendesk-emulator: ");
    }
}

static void
test_takes_all_faults_of_a_list_or_none (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autofree char *bad = quoted ("[{'kind':'conflict'},{'kind':'nonsense'}]");
  g_autofree char *more = quoted ("{'kind':'forbidden'}");

  rig_set_faults (rig, "[{'kind':'conflict','at':99}]");
  g_autoptr (Reply) refused = rig_call (rig, "POST", "/_emulator/faults?append", bad, NULL);
  g_autoptr (Reply) appended = rig_call (rig, "POST", "/_emulator/faults?append", more, NULL);
  g_autoptr (Reply) cleared = rig_call (rig, "DELETE", "/_emulator/faults", NULL, NULL);

  assert_int (refused->status, 400);
  assert_int (number_at (appended->json, "#"), 2);
  assert_int (number_at (cleared->json, "#"), 0);
}

static const Promise promises[] = {
  { "breaks as asked and tells the truth", test_breaks_as_asked_and_tells_the_truth },
  { "hides the ticket when another answers", test_hides_the_ticket_when_another_answers },
  { "repeats a stored error until the key dies", test_repeats_a_stored_error_until_the_key_dies },
  { "goes on working after the client is gone", test_goes_on_working_after_the_client_is_gone },
  { "makes two tickets when keys do not help", test_makes_two_tickets_when_keys_do_not_help },
  { "makes curl resend on a reused connection", test_makes_curl_resend_on_a_reused_connection },
  { "strikes the requests that are meant", test_strikes_the_requests_that_are_meant },
  { "storms as long as asked", test_storms_as_long_as_asked },
  { "refuses a fault that it does not know", test_refuses_a_fault_that_it_does_not_know },
  { "takes all faults of a list or none", test_takes_all_faults_of_a_list_or_none },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator faults", promises, argc, argv);
}
