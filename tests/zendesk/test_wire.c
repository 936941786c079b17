/* test_wire.c: what goes over the wire, and what never goes twice */
#include "desk.h"
#include "promise.h"

#include <string.h>

#define KEY "0123456789abcdef"
#define BODY "{\"ticket\":{\"external_id\":\"desk:1\",\"comment\":{\"body\":\"x\"}}}"
#define ME "{\"user\":{\"id\":7,\"role\":\"admin\"}}"
/* An answer after which the connection is not kept. */
#define LAST_ME "HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: 32\r\n\r\n" ME
#define OURS "{\"ticket\":{\"id\":12,\"external_id\":\"desk:1\"}}"

static Desk *
open_desk (const char *url)
{
  Desk *desk = desk_new ("url", url, "access_token", "s3cret-token", "timeout", "10s", NULL);
  g_autoptr (GError) error = NULL;

  assert_true (desk_check (desk, &error));
  assert_no_error (error);
  assert_true (desk_accept (desk, "comment.body text", &error));
  assert_no_error (error);
  assert_true (desk_open (desk, &error));
  assert_no_error (error);
  desk->sink->keys = ZENDESK_KEYS_HONOURED; /* an earlier answer has shown it */
  return desk;
}

static void
test_a_creation_says_what_it_should (void)
{
  const Turn turns[] = { { answer (200, ME) }, { answer (201, OURS) } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery = desk_send (desk, KEY, "desk:1", BODY);

  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  assert_text (delivery->target_id, "12");
  g_autofree char *request = server_request (server, 1);
  assert_contains (request, "POST /api/v2/tickets.json HTTP/1.1\r\n");
  assert_contains (request, "\r\nIdempotency-Key: " KEY "\r\n");
  assert_contains (request, "\r\nAuthorization: Bearer s3cret-token\r\n");
  assert_contains (request, "\r\nContent-Type: application/json\r\n");
  assert_contains (request, "\r\nUser-Agent: tallyman/");
  assert_contains (request, "\r\n\r\n" BODY);
  assert_true (strstr (request, "Expect:") == NULL);
}

/* The control: left alone, libcurl does send a request again when the connection that it kept is dead. */
static void
test_libcurl_would_send_again (void)
{
  const Turn turns[] = { { answer (200, "{}") }, { NULL, TRUE }, { answer (201, OURS) } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  CURL *curl = curl_easy_init ();

  curl_easy_setopt (curl, CURLOPT_URL, server_url (server));
  curl_easy_setopt (curl, CURLOPT_POSTFIELDS, BODY);
  curl_easy_perform (curl);
  assert_int (curl_easy_perform (curl), CURLE_OK);
  assert_int (server_count (server), 3);
  curl_easy_cleanup (curl);
}

static void
test_a_creation_is_not_sent_again_on_a_dead_connection (void)
{
  const Turn turns[] = { { answer (200, ME) }, { NULL, TRUE }, { answer (201, OURS) } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery = desk_send (desk, KEY, "desk:1", BODY);

  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNKNOWN);
  assert_contains (delivery->detail, "no answer");
  assert_int (server_count (server), 2);
}

static void
test_a_large_creation_is_not_sent_again_either (void)
{
  const Turn turns[] = { { answer (200, ME) }, { NULL, TRUE }, { answer (201, OURS) } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  g_autofree char *filler = g_strnfill (3 << 20, 'x');
  g_autofree char *body = g_strdup_printf ("{\"ticket\":{\"comment\":{\"body\":\"%s\"}}}", filler);
  TallyDelivery *delivery = desk_send (desk, KEY, "desk:1", body);

  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNKNOWN);
  assert_int (server_count (server), 2);
}

static void
test_a_lookup_may_be_sent_again (void)
{
  const Turn turns[] = { { answer (200, ME) }, { NULL, TRUE }, { answer (200, "{\"tickets\":[]}") },
                         { answer (200, "{\"tickets\":[],\"after_cursor\":null,\"end_of_stream\":true}") } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery = desk_resolve (desk, KEY, "desk:1", BODY);

  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_ABSENT);
  assert_int (server_count (server), 4);
}

/* What waits for our own pace: a creation only so long, and it was not sent then; what only reads as long as it takes. */
static void
test_a_creation_that_is_held_goes_back (void)
{
  static const struct
  {
    const char *words, *closed;
    guint n_refusals;
    gint64 held_most; /* 0: as it is, a minute */
    TallyVerdict verdict;
    guint n_requests;
  } rows[] = {
    { "held for less: it goes", "POST", 5, 0, TALLY_VERDICT_DELIVERED, 3 },
    { "held for longer: back", "POST", G_MAXUINT, 1, TALLY_VERDICT_BUSY, 2 },
    { "a lookup is held: it waits on", "GET", 5, 1, TALLY_VERDICT_DELIVERED, 3 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const Turn turns[] = { { answer (200, ME) }, { answer (200, "{\"tickets\":[]}") }, { answer (201, OURS) } };
      g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
      g_autoptr (Desk) desk = desk_new ("url", server_url (server), "access_token", "s3cret-token", NULL);
      TallyDelivery *delivery;

      desk->sink->account.held_most = rows[i].held_most;
      assert_true (desk_accept (desk, "comment.body text", NULL) && desk_open (desk, NULL));
      desk->ctx.closed = rows[i].closed;
      desk->ctx.n_refusals = rows[i].n_refusals;
      delivery = desk_send (desk, KEY, "desk:1", BODY);
      desk_finish (desk);
      assert_row_int (rows[i].words, delivery->verdict, rows[i].verdict);
      assert_row_int (rows[i].words, server_count (server), rows[i].n_requests);
      if (rows[i].verdict == TALLY_VERDICT_BUSY)
        {
          assert_true (delivery->wait_all); /* it is no trouble of this record */
          assert_contains (delivery->detail, "not sent: the rate limit");
        }
    }
}

static void
test_a_fresh_connection_that_ends_is_unknown (void)
{
  const Turn turns[] = { { LAST_ME, TRUE }, { NULL, TRUE } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery = desk_send (desk, KEY, "desk:1", BODY);

  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNKNOWN);
  assert_int (server_count (server), 2);
}

static void
test_nobody_there_is_unsent (void)
{
  const Turn turns[] = { { LAST_ME, TRUE } };
  Server *server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery;

  server_free (server);
  delivery = desk_send (desk, KEY, "desk:1", BODY);
  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNSENT);
  assert_contains (delivery->detail, "not sent: ");
}

static void
test_half_an_answer_is_unknown (void)
{
  const Turn turns[] = { { answer (200, ME) },
                         { "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"ticket\":{\"id\":12", TRUE } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery = desk_send (desk, KEY, "desk:1", BODY);

  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNKNOWN);
  assert_contains (delivery->detail, "HTTP 201, but the answer did not come whole");
}

static void
test_an_endless_answer_is_cut_off (void)
{
  g_autofree char *filler = g_strnfill (5 << 20, ' ');
  g_autofree char *whole = g_strconcat (OURS, filler, NULL);
  const Turn turns[] = { { answer (200, ME) }, { answer (201, whole) } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery = desk_send (desk, KEY, "desk:1", BODY);

  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNKNOWN);
  assert_contains (delivery->detail, "the answer has more than");
}

static void
test_what_is_not_http_is_unknown (void)
{
  const Turn turns[] = { { answer (200, ME) }, { "SSH-2.0-OpenSSH\r\n", TRUE } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery = desk_send (desk, KEY, "desk:1", BODY);

  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNKNOWN);
}

static void
test_a_redirect_is_not_followed (void)
{
  const Turn turns[] = {
    { answer (200, ME) },
    { "HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n\r\n" },
  };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery = desk_send (desk, KEY, "desk:1", BODY);

  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_HALT);
  assert_contains (delivery->detail, "a redirect to 127.0.0.1 is not followed");
  assert_int (server_count (server), 2);
}

static void
test_a_provisional_answer_is_not_the_answer (void)
{
  g_autofree char *both = g_strconcat ("HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n", answer (201, OURS), NULL);
  const Turn turns[] = { { answer (200, ME) }, { both } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery = desk_send (desk, KEY, "desk:1", BODY);

  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (delivery->wait, 0);
}

static void
test_an_echoed_secret_is_not_told (void)
{
  const Turn turns[] = { { answer (200, ME) }, { answer (500, "you said Bearer s3cret-token") } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery = desk_send (desk, KEY, "desk:1", BODY);

  desk_finish (desk);
  assert_text (delivery->detail, "HTTP 500: you said Bearer ***");
}

static void
test_closing_forgets_what_is_in_flight (void)
{
  const Turn turns[] = { { answer (200, ME) } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery = desk_send (desk, KEY, "desk:1", BODY);

  desk_close (desk);
  assert_int (delivery->settled, 0);
}

static gpointer
interrupt_later (gpointer data)
{
  Desk *desk = data;

  desk->plugin->interrupt (desk->sink);
  return NULL;
}

static void
test_a_wait_can_be_interrupted_from_another_thread (void)
{
  const Turn turns[] = { { answer (200, ME) } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  gint64 begun = g_get_monotonic_time ();
  GThread *thread = g_thread_new ("interrupt", interrupt_later, desk);

  assert_true (desk->plugin->delivery->drive (desk->sink, &desk->ctx, 60 * G_USEC_PER_SEC, NULL));
  assert_true (g_get_monotonic_time () - begun < 30 * G_USEC_PER_SEC);
  g_thread_join (thread);
}

/* --- keys that may not count --- */

static void
test_what_may_have_been_sent_is_looked_up_until_keys_are_seen_to_count (void)
{
  g_autofree char *with_key = g_strdup_printf ("HTTP/1.1 201 X\r\nx-idempotency-lookup: miss\r\nContent-Length: %zu"
                                               "\r\n\r\n" OURS, strlen (OURS));
  const Turn turns[] = { { answer (200, ME) }, { answer (200, "{\"tickets\":[]}") }, { with_key }, { with_key } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));

  desk->sink->keys = ZENDESK_KEYS_UNPROVEN;
  desk_send (desk, KEY, "desk:1", BODY);
  desk_finish (desk);
  desk_send (desk, KEY, "desk:1", BODY);
  desk_finish (desk);
  g_autofree char *first = server_request (server, 1), *second = server_request (server, 2);
  g_autofree char *third = server_request (server, 3);
  assert_contains (first, "GET /api/v2/tickets.json?external_id=desk%3A1&");
  assert_contains (second, "POST /");
  assert_contains (third, "POST /");
  assert_int (((TallyDelivery *) desk->deliveries->pdata[1])->verdict, TALLY_VERDICT_DELIVERED);
}

static void
test_a_failed_look_before_sending_is_unsent (void)
{
  const Turn turns[] = { { answer (200, ME) }, { answer (500, "") }, { NULL, TRUE } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = open_desk (server_url (server));
  TallyDelivery *delivery;

  desk->sink->keys = ZENDESK_KEYS_UNPROVEN;
  delivery = desk_send (desk, KEY, "desk:1", BODY);
  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNSENT);
  assert_int (server_count (server), 2);
}

/* --- HTTP/2 --- */

static const char *const http2_breaks[] = { "refuse", "goaway", "close" };

/* Makes one request of each kind while the server breaks it off; how many requests came in all. */
static guint
meet_break (const char *pem, const char *turn, gboolean lookup, TallyVerdict *ret_verdict)
{
  Http2Server *server = http2_server_new (pem, "200=" ME, turn,
                                           "200={\"tickets\":[{\"id\":5,\"external_id\":\"desk:1\"}]}", NULL);
  g_autoptr (Desk) desk = desk_new ("url", server->url, "access_token", "t", "ca-file", pem, NULL);
  g_autoptr (GError) error = NULL;
  TallyDelivery *delivery;

  assert_true (desk_accept (desk, "comment.body text", &error) && desk_open (desk, &error));
  assert_no_error (error);
  desk->sink->keys = ZENDESK_KEYS_HONOURED;
  delivery = lookup ? desk_resolve (desk, KEY, "desk:1", BODY) : desk_send (desk, KEY, "desk:1", BODY);
  desk_finish (desk);
  *ret_verdict = delivery->verdict;
  return http2_server_end (server);
}

static void
test_a_creation_is_sent_once_over_http_2 (void)
{
  g_autofree char *pem = make_certificate ();
  TallyVerdict verdict;

  if (pem == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (http2_breaks); i++)
    {
      assert_row_int (http2_breaks[i], meet_break (pem, http2_breaks[i], /* lookup= */ FALSE, &verdict), 2);
      assert_row_int (http2_breaks[i], verdict, TALLY_VERDICT_UNKNOWN);
    }
  drop_certificate (pem);
}

/* The control: a lookup, which may be, is. */
static void
test_libcurl_would_send_again_over_http_2 (void)
{
  g_autofree char *pem = make_certificate ();
  TallyVerdict verdict;

  if (pem == NULL)
    return;
  assert_int (meet_break (pem, "refuse", /* lookup= */ TRUE, &verdict), 3);
  assert_int (verdict, TALLY_VERDICT_DELIVERED);
  drop_certificate (pem);
}

/* --- opening --- */

static const struct
{
  const char *what;
  gint status;
  const char *body;
  TallyError code;
  const char *message;
} doors[] = {
  { "an anonymous user", 200, "{\"user\":{\"id\":null,\"name\":\"Anonymous user\"}}", TALLY_ERROR_AUTH,
    "takes us for an anonymous user" },
  { "refused", 401, "{\"error\":\"Couldn't authenticate you\"}", TALLY_ERROR_AUTH, "credentials are not accepted" },
  { "no rights", 403, "{}", TALLY_ERROR_AUTH, "HTTP 403" },
  { "another service", 404, "<html>", TALLY_ERROR_USAGE, "HTTP 404 when asked for the user" },
  { "something else", 200, "{\"hello\":1}", TALLY_ERROR_USAGE, "does not answer like Zendesk" },
  { "out of order", 503, "<html>", TALLY_ERROR_NETWORK, "HTTP 503" },
  { "an echo of the secret", 401, "{\"error\":\"s3cret-token\"}", TALLY_ERROR_AUTH, "***" },
};

static void
test_wrong_credentials_are_found_before_anything_is_sent (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (doors); i++)
    {
      const Turn turns[] = { { answer (doors[i].status, doors[i].body) } };
      g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
      g_autoptr (Desk) desk = desk_new ("url", server_url (server), "access_token", "s3cret-token", NULL);
      g_autoptr (GError) error = NULL;

      assert_true (desk_accept (desk, "comment.body text", NULL));
      assert_true (!desk_open (desk, &error));
      assert_error (error, TALLY_ERROR, doors[i].code, doors[i].message);
    }
}

static void
test_opening_can_be_interrupted (void)
{
  const Turn turns[] = { { NULL } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = desk_new ("url", server_url (server), "access_token", "t", NULL);
  g_autoptr (GError) error = NULL;

  assert_true (desk_accept (desk, "comment.body text", NULL));
  desk->ctx.interrupted = TRUE;
  assert_true (!desk_open (desk, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_INTERRUPTED, "interrupted");
}

static const Promise promises[] = {
  { "a creation says what it should", test_a_creation_says_what_it_should },
  { "libcurl would send again", test_libcurl_would_send_again },
  { "a creation is not sent again on a dead connection", test_a_creation_is_not_sent_again_on_a_dead_connection },
  { "a large creation is not sent again either", test_a_large_creation_is_not_sent_again_either },
  { "a lookup may be sent again", test_a_lookup_may_be_sent_again },
  { "a creation that is held by our own pace goes back", test_a_creation_that_is_held_goes_back },
  { "a fresh connection that ends is unknown", test_a_fresh_connection_that_ends_is_unknown },
  { "nobody there is unsent", test_nobody_there_is_unsent },
  { "half an answer is unknown", test_half_an_answer_is_unknown },
  { "an endless answer is cut off", test_an_endless_answer_is_cut_off },
  { "what is not HTTP is unknown", test_what_is_not_http_is_unknown },
  { "a redirect is not followed", test_a_redirect_is_not_followed },
  { "a provisional answer is not the answer", test_a_provisional_answer_is_not_the_answer },
  { "an echoed secret is not told", test_an_echoed_secret_is_not_told },
  { "closing forgets what is in flight", test_closing_forgets_what_is_in_flight },
  { "a wait can be interrupted from another thread", test_a_wait_can_be_interrupted_from_another_thread },
  { "what may have been sent is looked up until keys are seen to count",
    test_what_may_have_been_sent_is_looked_up_until_keys_are_seen_to_count },
  { "a failed look before sending is unsent", test_a_failed_look_before_sending_is_unsent },
  { "a creation is sent once over HTTP/2", test_a_creation_is_sent_once_over_http_2 },
  { "libcurl would send again over HTTP/2", test_libcurl_would_send_again_over_http_2 },
  { "wrong credentials are found before anything is sent", test_wrong_credentials_are_found_before_anything_is_sent },
  { "opening can be interrupted", test_opening_can_be_interrupted },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk wire", promises, argc, argv);
}
