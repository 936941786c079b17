/* test_answer.c: what an answer means, row by row */
#include "answer.h"
#include "json.h"
#include "promise.h"
#include "text.h"

#include <string.h>

#define REFERENCE "desk:7"
#define NOW 1700000000

#define D TALLY_VERDICT_DELIVERED
#define R TALLY_VERDICT_REJECTED
#define B TALLY_VERDICT_BUSY
#define M TALLY_VERDICT_MISMATCH
#define U TALLY_VERDICT_UNKNOWN
#define A TALLY_VERDICT_ABSENT
#define H TALLY_VERDICT_HALT

#define OURS "{\"ticket\":{\"id\":12,\"external_id\":\"desk:7\"}}"
#define PAGE "<!DOCTYPE html><html><body>Bad gateway</body></html>"

typedef struct
{
  const char *what;
  ZendeskAsk ask;
  gint status;
  const char *headers; /* (nullable) lines with \n between them */
  const char *body;
  TallyVerdict verdict;
  const char *detail;  /* (nullable) part of it */
  gint64 id;
  gint64 wait;         /* seconds */
  const char *entity;  /* (nullable) NULL: ticket */
} Row;

#define CREATE ZENDESK_ASK_CREATE
#define FIND ZENDESK_ASK_FIND
#define CONTINUE ZENDESK_ASK_CONTINUE
#define UPDATE ZENDESK_ASK_UPDATE

/* What is updated. */
#define TARGET 12

static const Row rows[] = {
  { "a ticket of ours", CREATE, 201, NULL, OURS, D, "HTTP 201", 12 },
  { "the same under 200", CREATE, 200, NULL, OURS, D, NULL, 12 },
  { "white space around it", CREATE, 201, NULL, "\r\n " OURS " \n", D, NULL, 12 },
  { "any content type", CREATE, 201, "Content-Type: text/plain", OURS, D, NULL, 12 },
  { "an id above 2^32", CREATE, 201, NULL,
    "{\"ticket\":{\"id\":33144647570963,\"external_id\":\"desk:7\"}}", D, NULL, 33144647570963 },
  { "names and text with escapes", CREATE, 201, NULL,
    "{\"\\u0074icket\":{\"\\u0069d\":12,\"external_id\":\"d\\u0065sk:7\"}}", D, NULL, 12 },
  { "of two members of a name the latter", CREATE, 201, NULL,
    "{\"ticket\":{\"id\":11,\"id\":12,\"external_id\":\"desk:7\"}}", D, NULL, 12 },
  { "members of what is nested do not count", CREATE, 201, NULL,
    "{\"ticket\":{\"via\":{\"id\":11},\"id\":12,\"external_id\":\"desk:7\",\"x\":[{\"id\":13}]}}", D, NULL, 12 },
  { "a ticket that is a list", CREATE, 201, NULL, "{\"ticket\":[{\"id\":12,\"external_id\":\"desk:7\"}]}", U,
    "not a ticket in JSON" },
  { "a flaw behind what counts", CREATE, 201, NULL, "{\"ticket\":{\"id\":12,\"external_id\":\"desk:7\"},\"x\":01}",
    U, "not a ticket in JSON" },
  { "an accepted request is not a ticket", CREATE, 202, NULL, OURS, U, "HTTP 202" },
  { "no content", CREATE, 204, NULL, "", U, "HTTP 204" },
  { "a page in place of a ticket", CREATE, 201, NULL, PAGE, U, "not a ticket in JSON: an HTML page" },
  { "an empty body", CREATE, 201, NULL, "", U, "not a ticket in JSON" },
  { "half a body", CREATE, 201, NULL, "{\"ticket\":{\"id\":12,", U, "not a ticket in JSON" },
  { "two bodies", CREATE, 201, NULL, OURS OURS, U, "not a ticket in JSON" },
  { "text", CREATE, 201, NULL, "created", U, "not a ticket in JSON: created" },
  { "no ticket in it", CREATE, 201, NULL, "{\"tickets\":[]}", U, "without a ticket's id" },
  { "a list", CREATE, 201, NULL, "[1]", U, "not a ticket in JSON" },
  { "null", CREATE, 201, NULL, "null", U, "not a ticket in JSON" },
  { "no id", CREATE, 201, NULL, "{\"ticket\":{\"external_id\":\"desk:7\"}}", U, "without a ticket's id" },
  { "id 0", CREATE, 201, NULL, "{\"ticket\":{\"id\":0,\"external_id\":\"desk:7\"}}", U, NULL },
  { "a negative id", CREATE, 201, NULL, "{\"ticket\":{\"id\":-3,\"external_id\":\"desk:7\"}}", U, NULL },
  { "an id in quotes", CREATE, 201, NULL, "{\"ticket\":{\"id\":\"12\",\"external_id\":\"desk:7\"}}", U, NULL },
  { "an id with a fraction", CREATE, 201, NULL, "{\"ticket\":{\"id\":1.5,\"external_id\":\"desk:7\"}}", U, NULL },
  { "an id beyond 2^63", CREATE, 201, NULL,
    "{\"ticket\":{\"id\":99999999999999999999,\"external_id\":\"desk:7\"}}", U, NULL },
  { "another external_id", CREATE, 201, NULL, "{\"ticket\":{\"id\":12,\"external_id\":\"desk:8\"}}", U,
    "ticket 12, whose external_id is not \"desk:7\"" },
  { "an external_id in other case", CREATE, 201, NULL, "{\"ticket\":{\"id\":12,\"external_id\":\"DESK:7\"}}", U, NULL },
  { "an external_id that is half a letter", CREATE, 201, NULL,
    "{\"ticket\":{\"id\":12,\"external_id\":\"desk:7\\ud83d\"}}", U, NULL },
  { "an external_id that goes on", CREATE, 201, NULL, "{\"ticket\":{\"id\":12,\"external_id\":\"desk:7\\u0000x\"}}", U, NULL },
  { "no external_id", CREATE, 201, NULL, "{\"ticket\":{\"id\":12,\"external_id\":null}}", U, NULL },
  { "bytes that are no UTF-8", CREATE, 201, NULL,
    "{\"ticket\":{\"id\":12,\"external_id\":\"desk:7\",\"subject\":\"\xff\"}}", U, NULL },

  { "the key with another body", CREATE, 400, NULL,
    "{\"error\":\"IdempotentRequestError\",\"description\":\"Request parameters don't match the given "
    "idempotency key\"}", M, "IdempotentRequestError: Request parameters don't match" },
  { "the same as a list of errors", CREATE, 400, NULL,
    "{\"errors\":[{\"code\":\"IdempotentRequestError\",\"title\":\"no match\"}]}", M, "no match" },
  { "a bad request", CREATE, 400, NULL,
    "{\"error\":{\"title\":\"Invalid attribute\",\"message\":\"You passed an invalid value for the id\"}}", R,
    "HTTP 400: Invalid attribute: You passed an invalid value for the id" },
  { "a bad request by somebody else", CREATE, 400, NULL, PAGE, U, "an HTML page" },
  { "a bad request without words", CREATE, 400, NULL, "{}", U, NULL },
  { "invalid data", CREATE, 422, NULL,
    "{\"error\":\"RecordInvalid\",\"description\":\"Record validation errors\",\"details\":{\"base\":[{"
    "\"description\":\"Description: cannot be blank\",\"error\":\"BlankValue\"}],\"email\":[{\"description\":"
    "\"Email: x is bad\"},\"and more\"]}}", R,
    "RecordInvalid: Record validation errors; base: Description: cannot be blank, BlankValue; email: Email: x "
    "is bad; email: and more" },
  { "invalid data, told as a list", CREATE, 422, NULL,
    "{\"errors\":[{\"code\":\"A\",\"title\":\"b\",\"detail\":\"c\"},{\"title\":\"d\"}]}", R, "A: b: c; d" },
  { "422 by somebody else", CREATE, 422, NULL, PAGE, U, NULL },
  { "422 in silence", CREATE, 422, NULL, "", U, NULL },
  { "too large", CREATE, 413, NULL, PAGE, R, "the request is too large: an HTML page" },

  { "credentials", CREATE, 401, NULL, "{\"error\":\"Couldn't authenticate you\"}", H,
    "does not accept the credentials: Couldn't authenticate you" },
  { "a token that ran out", CREATE, 401, NULL,
    "{\"error\":\"invalid_token\",\"error_description\":\"The access token provided is expired\"}", H,
    "invalid_token: The access token provided is expired" },
  { "rights", CREATE, 403, NULL, "{\"error\":{\"title\":\"Forbidden\",\"message\":\"no\"}}", H, "Forbidden: no" },
  { "no such address", CREATE, 404, NULL, "{\"error\":\"InvalidEndpoint\",\"description\":\"Not found\"}", H,
    "no Zendesk API at this address: InvalidEndpoint: Not found" },
  { "a redirect", CREATE, 302, "Location: https://other.zendesk.com/api/v2/tickets.json?x=1", "", H,
    "redirect to other.zendesk.com is not followed" },
  { "a redirect to nowhere", CREATE, 301, NULL, "", H, "a redirect is not followed" },
  { "a permanent redirect", CREATE, 308, "Location: /elsewhere", "", H, "is not followed" },
  { "not modified", CREATE, 304, NULL, "", H, NULL },

  { "a collision", CREATE, 409, NULL, "{\"error\":\"DatabaseConflict\",\"description\":\"Database collision\"}", B,
    "DatabaseConflict: Database collision" },
  { "another conflict", CREATE, 409, NULL, "", B, "HTTP 409" },
  { "too many", CREATE, 429, "Retry-After: 30",
    "{\"error\":\"APIRateLimitExceeded\",\"description\":\"Number of allowed API requests per minute exceeded\"}", B,
    "APIRateLimitExceeded", 0, 30 },
  { "too many, in plain text", CREATE, 429, NULL, "Number of allowed API requests per minute exceeded", B,
    "Number of allowed" },
  { "too many, for ever", CREATE, 429, "Retry-After: 99999999999", "", B, NULL, 0, 3600 },

  { "a failure", CREATE, 500, NULL, "{\"error\":\"InternalServerError\"}", U, "HTTP 500: InternalServerError" },
  { "a gateway", CREATE, 502, NULL, PAGE, U, "HTTP 502: an HTML page" },
  { "a pause", CREATE, 503, "Retry-After: 7", "", U, "HTTP 503", 0, 7 },
  { "a slow gateway", CREATE, 504, NULL, "", U, NULL },
  { "an unknown failure", CREATE, 520, NULL, PAGE, U, NULL },
  { "a very slow gateway", CREATE, 524, NULL, PAGE, U, NULL },
  { "a status of tomorrow", CREATE, 799, NULL, "", U, NULL },
  { "a teapot", CREATE, 418, NULL, "", U, NULL },
  { "the server's own timeout", CREATE, 408, NULL, "", U, NULL },

  { "nothing found", FIND, 200, NULL, "{\"tickets\":[],\"next_page\":null,\"count\":0}", A, NULL },
  { "one found", FIND, 200, NULL, "{\"tickets\":[{\"id\":5,\"external_id\":\"desk:7\"}]}", D, NULL, 5 },
  { "the oldest of three", FIND, 200, NULL,
    "{\"tickets\":[{\"id\":9,\"external_id\":\"desk:7\"},{\"id\":4,\"external_id\":\"desk:7\"},"
    "{\"id\":6,\"external_id\":\"desk:7\"}]}", D, NULL, 4 },
  { "only others", FIND, 200, NULL, "{\"tickets\":[{\"id\":9,\"external_id\":\"Desk:7\"},"
    "{\"id\":10,\"external_id\":null}]}", A, NULL },
  { "not a list", FIND, 200, NULL, "{\"ticket\":{}}", U, "not a list of tickets" },
  { "a page for a list", FIND, 200, NULL, PAGE, U, "not a list of tickets: an HTML page" },
  { "a ticket without an id", FIND, 200, NULL, "{\"tickets\":[{\"external_id\":\"desk:7\"}]}", U, "without an id" },
  { "pages of a kind that was not asked for", FIND, 200, NULL, "{\"tickets\":[],\"meta\":{\"has_more\":true}}", U,
    NULL },
  { "a lookup that is refused", FIND, 403, NULL, "", H, NULL },
  { "a lookup without credentials", FIND, 401, NULL, "", H, NULL },
  { "a lookup too many", FIND, 429, "Retry-After: 1", "", B, NULL, 0, 1 },
  { "a lookup at a bad time", FIND, 500, NULL, "", U, NULL },
  { "a lookup that is called invalid", FIND, 422, NULL, "{\"error\":\"invalid\"}", U, NULL },

  { "a step of a ticket that is there", CONTINUE, 200, NULL, "{}", D, NULL },
  { "refused credentials do not undo it", CONTINUE, 401, NULL, "", U, NULL },
  { "refused data does not undo it", CONTINUE, 422, NULL,
    "{\"error\":\"RecordInvalid\",\"details\":{\"status\":[{\"description\":\"closed prevents ticket update\"}]}}", U,
    "closed prevents ticket update" },
  { "a stale time does not undo it", CONTINUE, 409, NULL, "{\"error\":\"UpdateConflict\"}", U, "UpdateConflict" },
  { "gone in between", CONTINUE, 404, NULL, "", U, NULL },

  { "a user of ours", CREATE, 201, NULL, "{\"user\":{\"id\":12,\"external_id\":\"desk:7\"}}", D, NULL, 12, 0, "user" },
  { "a ticket in place of a user", CREATE, 201, NULL, OURS, U, "an answer without a user's id", 0, 0, "user" },
  { "an organization of ours", CREATE, 201, NULL, "{\"organization\":{\"id\":12,\"external_id\":\"desk:7\"}}", D, NULL, 12,
    0, "organization" },
  { "an organization that is a page", CREATE, 201, NULL, PAGE, U, "not an organization in JSON: an HTML page", 0, 0,
    "organization" },
  { "a list of users", FIND, 200, NULL, "{\"users\":[{\"id\":4,\"external_id\":\"desk:7\"}]}", D, NULL, 4, 0, "user" },
  { "a list of tickets in place of one of users", FIND, 200, NULL, "{\"tickets\":[]}", U, "not a list of users", 0, 0, "user" },
  { "a user in other case is another one", FIND, 200, NULL, "{\"users\":[{\"id\":4,\"external_id\":\"Desk:7\"}]}", A, NULL, 0,
    0, "user" },

  { "an update of the right one", UPDATE, 200, NULL, "{\"user\":{\"id\":12,\"external_id\":null}}", D, NULL, TARGET, 0, "user" },
  { "an update of another one", UPDATE, 200, NULL, "{\"user\":{\"id\":13}}", U, "an answer about user 13, not 12", TARGET, 0,
    "user" },
  { "an update that creates", UPDATE, 201, NULL, "{\"user\":{\"id\":12}}", U, NULL, TARGET, 0, "user" },
  { "an update without an answer's body", UPDATE, 200, NULL, "", U, "not a user in JSON", TARGET, 0, "user" },
  { "what was deleted", UPDATE, 404, NULL, "{\"error\":\"RecordNotFound\",\"description\":\"Not found\"}", A,
    "user 12 was deleted in the target", TARGET, 0, "user" },
  { "an address that is none", UPDATE, 404, NULL, "{\"error\":\"InvalidEndpoint\",\"description\":\"Not found\"}", H,
    "no Zendesk API at this address: InvalidEndpoint", TARGET, 0, "user" },
  { "a page that says 404", UPDATE, 404, NULL, PAGE, H, "an HTML page", TARGET, 0, "user" },
  { "an update with a flaw", UPDATE, 422, NULL, "{\"error\":\"RecordInvalid\"}", R, "RecordInvalid", TARGET, 0, "user" },
  { "an update at the limit", UPDATE, 429, "Retry-After: 3", "", B, NULL, TARGET, 3, "user" },
  { "an update that collides", UPDATE, 409, NULL, "{\"error\":\"DatabaseConflict\"}", B, NULL, TARGET, 0, "user" },
  { "an update behind a gateway", UPDATE, 504, NULL, PAGE, U, NULL, TARGET, 0, "user" },
};

static void
take_lines (ZendeskHeaders *headers, const char *lines)
{
  g_auto (GStrv) list = g_strsplit (lines != NULL ? lines : "", "\n", -1);

  for (char **line = list; *line != NULL; line++)
    {
      g_autofree char *whole = g_strconcat (*line, "\r\n", NULL);

      zendesk_headers_take (headers, whole, strlen (whole));
    }
}

static void
test_each_answer_has_one_meaning (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const Row *row = &rows[i];
      ZendeskHeaders headers;
      ZendeskFinding finding;
      ZendeskAnswer answer = { .entity = row->entity != NULL ? row->entity : "ticket", .status = row->status,
                               .body = row->body, .length = strlen (row->body), .headers = &headers, .now = NOW };

      zendesk_headers_init (&headers);
      zendesk_finding_init (&finding);
      finding.target_id = row->ask == UPDATE ? TARGET : 0;
      take_lines (&headers, row->headers);
      zendesk_judge (row->ask, &answer, REFERENCE, &finding);
      assert_row_int (row->what, finding.verdict, row->verdict);
      assert_row_int (row->what, finding.target_id, row->id);
      assert_row_int (row->what, finding.wait, row->wait * G_USEC_PER_SEC);
      assert_row_int (row->what, finding.status, row->status);
      if (row->detail != NULL && strstr (finding.detail->str, row->detail) == NULL)
        assert_row_text (row->what, finding.detail->str, row->detail);
      zendesk_finding_clear (&finding);
      zendesk_headers_clear (&headers);
    }
}

/* The outcome of a creation with these headers. */
static void
judge_with (gint status, const char *lines, const char *body, ZendeskFinding *finding)
{
  ZendeskHeaders headers;
  ZendeskAnswer answer = { .entity = "ticket", .status = status, .body = body, .length = strlen (body), .headers = &headers,
                           .now = NOW };

  zendesk_headers_init (&headers);
  take_lines (&headers, lines);
  zendesk_judge (CREATE, &answer, REFERENCE, finding);
  zendesk_headers_clear (&headers);
}

static void
test_a_repeated_answer_is_told_apart (void)
{
  ZendeskFinding finding;

  zendesk_finding_init (&finding);
  judge_with (201, "x-idempotency-lookup: hit", OURS, &finding);
  assert_true (finding.repeated);
  judge_with (201, "X-Idempotency-Lookup: MISS", OURS, &finding);
  assert_true (!finding.repeated);
  judge_with (201, NULL, OURS, &finding);
  assert_true (!finding.repeated);
  zendesk_finding_clear (&finding);
}

static void
test_a_rate_limit_holds_for_all_and_a_conflict_for_one (void)
{
  ZendeskFinding finding;

  zendesk_finding_init (&finding);
  judge_with (429, NULL, "", &finding);
  assert_true (finding.wait_all);
  judge_with (409, NULL, "", &finding);
  assert_true (!finding.wait_all);
  zendesk_finding_clear (&finding);
}

static void
test_the_other_tickets_are_told (void)
{
  ZendeskFinding finding;

  zendesk_finding_init (&finding);
  zendesk_finding_add (&finding, 9);
  zendesk_finding_add (&finding, 4);
  zendesk_finding_add (&finding, 6);
  assert_int (finding.target_id, 4);
  assert_text (finding.other_ids->str, "9,6");
  zendesk_finding_clear (&finding);
}

static void
test_a_long_complaint_is_bounded (void)
{
  g_autofree char *filler = g_strnfill (100000, 'x');
  g_autofree char *body = g_strdup_printf ("{\"error\":\"E\",\"details\":{\"a\":\"%s\"}}", filler);
  ZendeskFinding finding;

  zendesk_finding_init (&finding);
  judge_with (422, NULL, body, &finding);
  assert_int (finding.verdict, R);
  assert_contains (finding.detail->str, "HTTP 422: E; a: xxx");
  assert_true (finding.detail->len <= ZENDESK_MAX_DETAIL + 100);
  judge_with (500, NULL, filler, &finding);
  assert_true (finding.detail->len <= ZENDESK_MAX_DETAIL + 100);
  judge_with (500, NULL, "two\r\nlines\tand a \x1b[31mcolour", &finding);
  assert_text (finding.detail->str, "HTTP 500: two lines and a [31mcolour");
  judge_with (500, "x-request-id: abc-1", "", &finding);
  assert_text (finding.detail->str, "HTTP 500; request abc-1");
  zendesk_finding_clear (&finding);
}

static void
test_deep_json_is_not_followed (void)
{
  g_autoptr (GString) deep = g_string_new (NULL);

  for (guint i = 0; i < 100; i++)
    g_string_append_c (deep, '[');
  for (guint i = 0; i < 100; i++)
    g_string_append_c (deep, ']');
  g_autoptr (json_object) value = zendesk_json_parse (deep->str, deep->len);
  assert_true (value == NULL);
}

static const struct
{
  const char *what, *headers;
  gint64 wait; /* seconds */
} waits[] = {
  { "nothing said", "Server: x", 0 },
  { "seconds", "Retry-After: 60", 60 },
  { "blanks around it", "retry-after:   5  ", 5 },
  { "part of a second", "Retry-After: 0.5", 0 },
  { "zero", "Retry-After: 0", 0 },
  { "less than zero", "Retry-After: -5", 0 },
  { "a date, by the server's clock",
    "Date: Tue, 14 Nov 2023 22:00:00 GMT\nRetry-After: Tue, 14 Nov 2023 22:02:05 GMT", 125 },
  { "a date, by our clock", "Retry-After: Tue, 14 Nov 2023 22:13:50 GMT", 30 },
  { "a date gone by", "Retry-After: Tue, 14 Nov 2023 22:00:00 GMT", 0 },
  { "next century", "Retry-After: Tue, 14 Nov 2123 22:00:00 GMT", 3600 },
  { "an absurd number", "Retry-After: 1e300", 3600 },
  { "no number", "Retry-After: nan", 0 },
  { "words", "Retry-After: soon", 0 },
  { "empty", "Retry-After:", 0 },
  { "two answers, of which the last counts", "Retry-After: 9\nHTTP/1.1 429 Too Many\nRetry-After: 4", 4 },
};

static void
test_waits_are_understood_and_bounded (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (waits); i++)
    {
      ZendeskHeaders headers;

      zendesk_headers_init (&headers);
      take_lines (&headers, waits[i].headers);
      assert_row_int (waits[i].what, zendesk_headers_wait (&headers, NOW) / G_USEC_PER_SEC, waits[i].wait);
      zendesk_headers_clear (&headers);
    }
}

static const struct
{
  const char *what, *headers;
  gint64 limit, remaining;
  gint64 kind_limit, kind_remaining, kind_period; /* seconds */
  gint64 wait;                                    /* seconds */
} budgets[] = {
  { "nothing said", "Server: x", -1, -1, -1, -1, 0, 0 },
  { "as in 2023", "x-rate-limit: 700\nx-rate-limit-remaining: 670\nrate-limit: 700\nrate-limit-remaining: 670\n"
    "rate-limit-reset: 2", 700, 670, -1, -1, 0, 0 },
  { "as in 2024", "X-Rate-Limit: 400\nRateLimit-Limit: 400\nRateLimit-Remaining: 399\nRateLimit-Reset: 31",
    400, 399, -1, -1, 0, 0 },
  { "a limit of its own", "ratelimit-limit: 700\nratelimit-remaining: 600\nratelimit-reset: 10\n"
    "Zendesk-RateLimit-ticket-request-create-by-user-and-ip: total=300; remaining=12; resets=50", 700, 600, 300, 12, 60, 0 },
  { "as it was spelt in 2023", "zendesk-rate-limit-tickets-index: total=100; remaining=98; resets=30", -1, -1, 100, 98, 60, 0 },
  { "ten minutes", "Zendesk-RateLimit-x: total=100; remaining=98; resets=61", -1, -1, 100, 98, 600, 0 },
  { "a second", "Zendesk-RateLimit-create-update-user: total=1; remaining=0; resets=1", -1, -1, 1, 0, 1, 0 },
  { "the tighter of two", "Zendesk-RateLimit-a: total=100; remaining=98; resets=1\n"
    "Zendesk-RateLimit-b: total=50; remaining=20; resets=1", -1, -1, 50, 20, 60, 0 },
  { "one ticket's is not all tickets'", "Zendesk-RateLimit-per-ticket-updates: total=30; remaining=1; resets=400", -1, -1, -1,
    -1, 0, 0 },
  { "room for jobs", "Zendesk-RateLimit-inflight-jobs: total=30; remaining=1; resets=60", -1, -1, -1, -1, 0, 0 },
  { "no more jobs", "Zendesk-RateLimit-inflight-jobs: total=30; remaining=0; resets=60", -1, -1, -1, -1, 0, 5 },
  { "a number that is none", "ratelimit-limit: many\nratelimit-remaining: -4", -1, -1, -1, -1, 0, 0 },
};

static void
test_budgets_are_read_in_all_spellings (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (budgets); i++)
    {
      TallyAnswerNews news = { TALLY_ANSWER_NEWS_INIT };
      ZendeskHeaders headers;

      zendesk_headers_init (&headers);
      take_lines (&headers, budgets[i].headers);
      zendesk_headers_tell (&headers, 200, &news);
      assert_row_int (budgets[i].what, news.limit, budgets[i].limit);
      assert_row_int (budgets[i].what, news.remaining, budgets[i].remaining);
      assert_row_int (budgets[i].what, news.kind_limit, budgets[i].kind_limit);
      assert_row_int (budgets[i].what, news.kind_remaining, budgets[i].kind_remaining);
      assert_row_int (budgets[i].what, news.kind_period / G_USEC_PER_SEC, budgets[i].kind_period);
      assert_row_int (budgets[i].what, news.wait / G_USEC_PER_SEC, budgets[i].wait);
      zendesk_headers_clear (&headers);
    }
}

static void
test_a_warning_names_the_members (void)
{
  static const char line[] = "x-zendesk-api-warn: {:allowed_parameters=>{:controller=>\"tickets\", :action=>\"create\", "
                             ":unpermitted_keys=>[\"ticket.foo\", \"ticket.id\"], :invalid_values=>[]}}";
  ZendeskHeaders headers;

  zendesk_headers_init (&headers);
  take_lines (&headers, line);
  g_autofree char *names = zendesk_headers_dup_warning (&headers);
  assert_text (names, "\"ticket.foo\", \"ticket.id\"");
  take_lines (&headers, "X-Zendesk-API-Warn: something else");
  g_autofree char *other = zendesk_headers_dup_warning (&headers);
  assert_text (other, "something else");
  zendesk_headers_clear (&headers);
}

static void
test_secrets_are_struck_out (void)
{
  static const char *const secrets[] = { "hunter2", NULL, "abc" };
  g_autoptr (GString) text = g_string_new ("token hunter2, abc");

  zendesk_text_redact (text, secrets, G_N_ELEMENTS (secrets));
  assert_text (text->str, "token ***, abc");
}

static const Promise promises[] = {
  { "each answer has one meaning", test_each_answer_has_one_meaning },
  { "a repeated answer is told apart", test_a_repeated_answer_is_told_apart },
  { "a rate limit holds for all, and a conflict for one", test_a_rate_limit_holds_for_all_and_a_conflict_for_one },
  { "the other tickets are told", test_the_other_tickets_are_told },
  { "a long complaint is bounded", test_a_long_complaint_is_bounded },
  { "deep JSON is not followed", test_deep_json_is_not_followed },
  { "waits are understood and bounded", test_waits_are_understood_and_bounded },
  { "budgets are read in all spellings", test_budgets_are_read_in_all_spellings },
  { "a warning names the members", test_a_warning_names_the_members },
  { "secrets are struck out", test_secrets_are_struck_out },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk answers", promises, argc, argv);
}
