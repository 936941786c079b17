/* limits.c: what the emulator promises about the limits of single endpoints and records */
#include "promise.h"
#include "rig.h"
#include "talk.h"

#define STILL "--plan", "enterprise-plus", "--time-rate", "0"
#define NOON                                                                                       \
  {                                                                                                \
    "noon", "POST", "/_emulator/clock", "{'set':'2030-01-01T12:00:00Z'}", 200,                     \
    {                                                                                              \
      {                                                                                            \
        NULL                                                                                       \
      }                                                                                            \
    }                                                                                              \
  }
#define SECOND                                                                                     \
  {                                                                                                \
    "a second", "POST", "/_emulator/clock", "{'advance':1}", 200,                                  \
    {                                                                                              \
      {                                                                                            \
        NULL                                                                                       \
      }                                                                                            \
    }                                                                                              \
  }

static void
test_a_user_is_changed_once_a_second_and_five_times_a_minute (void)
{
  static const Line lines[] = {
    NOON,
    { "a",
      "POST",
      "users",
      "{'user':{'name':'A','external_id':'u1'}}",
      201,
      { { NULL } },
      "a=user.id" },
    { "b",
      "POST",
      "users",
      "{'user':{'name':'B','email':'b@ex.org'}}",
      201,
      { { NULL } },
      "b=user.id" },
    { "1", "PUT", "users/$a", "{'user':{'notes':'1'}}", 200, { { NULL } } },
    { "the same second",
      "PUT",
      "users/$b",
      "{'user':{'notes':'1'}}",
      429,
      { { "error", "APIRateLimitExceeded" } } },
    SECOND,
    { "2", "PUT", "users/$a", "{'user':{'notes':'2'}}", 200, { { NULL } } },
    SECOND,
    { "3", "PUT", "users/$a", "{'user':{'notes':'3'}}", 200, { { NULL } } },
    SECOND,
    { "4", "PUT", "users/$a", "{'user':{'notes':'4'}}", 200, { { NULL } } },
    SECOND,
    { "5", "PUT", "users/$a", "{'user':{'notes':'5'}}", 200, { { NULL } } },
    SECOND,
    { "no sixth", "PUT", "users/$a", "{'user':{'notes':'6'}}", 429, { { NULL } } },
    { "as it was", "GET", "users/$a", NULL, 200, { { "user.notes", "5" } } },
    SECOND,
    { "of another one", "PUT", "users/$b", "{'user':{'notes':'1'}}", 200, { { NULL } } },
    { "the next minute",
      "POST",
      "/_emulator/clock",
      "{'set':'2030-01-01T12:01:00Z'}",
      200,
      { { NULL } } },
    { "again", "PUT", "users/$a", "{'user':{'notes':'6'}}", 200, { { NULL } } },
    { 0 },
  };
  static const Line either[] = {
    NOON,
    { "1",
      "POST",
      "users/create_or_update",
      "{'user':{'name':'A','external_id':'u1'}}",
      201,
      { { NULL } } },
    { "the same second",
      "POST",
      "users/create_or_update",
      "{'user':{'name':'B'}}",
      429,
      { { NULL } } },
    SECOND,
    { "2", "POST", "users/create_or_update", "{'user':{'external_id':'U1'}}", 200, { { NULL } } },
    SECOND,
    { "3", "POST", "users/create_or_update", "{'user':{'external_id':'u1'}}", 200, { { NULL } } },
    SECOND,
    { "4", "POST", "users/create_or_update", "{'user':{'external_id':'u1'}}", 200, { { NULL } } },
    SECOND,
    { "5", "POST", "users/create_or_update", "{'user':{'external_id':'u1'}}", 200, { { NULL } } },
    SECOND,
    { "no sixth",
      "POST",
      "users/create_or_update",
      "{'user':{'external_id':'u1'}}",
      429,
      { { NULL } } },
    SECOND,
    { "somebody else",
      "POST",
      "users/create_or_update",
      "{'user':{'name':'B'}}",
      201,
      { { NULL } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);
  g_autoptr (Rig) other = rig_new (STILL, NULL);
  g_autoptr (Rig) free_rig = rig_new (NULL);

  talk (rig, lines);
  talk (other, either);
  for (guint i = 0; i < 8; i++)
    assert_int (
        reply_take_status (rig_call (free_rig, "POST", "/api/v2/users/create_or_update",
                                     "{\"user\":{\"name\":\"A\",\"external_id\":\"u\"}}", NULL)),
        i == 0 ? 201 : 200);
  talk_forget ();
}

static void
test_an_organization_is_changed_five_times_a_minute (void)
{
  static const Line before[] = {
    NOON,
    { "o",
      "POST",
      "organizations",
      "{'organization':{'name':'A'}}",
      201,
      { { NULL } },
      "o=organization.id" },
    { "p",
      "POST",
      "organizations",
      "{'organization':{'name':'B'}}",
      201,
      { { NULL } },
      "p=organization.id" },
    { 0 },
  };
  static const Line change[] = {
    { "change", "PUT", "organizations/$o", "{'organization':{'notes':'n'}}", 200, { { NULL } } },
    { 0 },
  };
  static const Line after[] = {
    { "no sixth",
      "PUT",
      "organizations/$o",
      "{'organization':{'notes':'n'}}",
      429,
      { { "errors.0.code", "TooManyRequests" },
        { "errors.0.title", "Too many requests to update" } } },
    { "of another one",
      "PUT",
      "organizations/$p",
      "{'organization':{'notes':'n'}}",
      200,
      { { NULL } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);

  talk (rig, before);
  for (guint i = 0; i < 5; i++)
    talk (rig, change);
  talk (rig, after);
  g_autofree char *path = talk_fill ("/api/v2/organizations/$o");
  g_autoptr (Reply) reply = rig_call (rig, "PUT", path, "{\"organization\":{}}", NULL);
  g_autofree char *retry_after = reply_header (reply, "Retry-After");
  assert_text (retry_after, "60");
  talk_forget ();
}

static void
test_a_ticket_is_changed_thirty_times_in_ten_minutes (void)
{
  static const Line lines[] = {
    { "set", "POST", "/_emulator/clock", "{'set':'2030-01-01T12:08:00Z'}", 200, { { NULL } } },
    { "a", "POST", "tickets", "{'ticket':{'comment':'c'}}", 201, { { NULL } } },
    { "b", "POST", "tickets", "{'ticket':{'comment':'c'}}", 201, { { NULL } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);

  talk (rig, lines);
  for (guint i = 0; i < 30; i++)
    assert_int (
        reply_take_status (rig_call (rig, "PUT", "/api/v2/tickets/1", "{\"ticket\":{}}", NULL)),
        200);
  rig_advance (rig, 60); /* another minute, but the same ten */
  g_autoptr (Reply) refused = rig_call (rig, "PUT", "/api/v2/tickets/1", "{\"ticket\":{}}", NULL);
  g_autofree char *said = reply_header (refused, "Zendesk-RateLimit-per-ticket-updates");
  g_autofree char *retry_after = reply_header (refused, "Retry-After");
  g_autoptr (Reply) other = rig_call (rig, "PUT", "/api/v2/tickets/2", "{\"ticket\":{}}", NULL);
  g_autofree char *both = reply_header (other, "Zendesk-RateLimit-tickets-update");
  rig_advance (rig, 60);
  g_autoptr (Reply) again = rig_call (rig, "PUT", "/api/v2/tickets/1", "{\"ticket\":{}}", NULL);

  assert_int (refused->status, 429);
  assert_text (said, "total=30; remaining=0; resets=60");
  assert_text (retry_after, "60");
  assert_int (other->status, 200);
  assert_text (both, "total=100; remaining=98; resets=60");
  assert_int (again->status, 200);
}

static void
test_tells_how_many_jobs_there_may_be (void)
{
  g_autoptr (Rig) rig = rig_new ("--time-rate", "0", "--job-limit", "1", NULL);
  const char *body = "{\"organizations\":[{\"name\":\"A\"}]}";
  g_autoptr (Reply) one = rig_call (rig, "POST", "/api/v2/organizations/create_many", body, NULL);
  g_autoptr (Reply) two = rig_call (rig, "POST", "/api/v2/organizations/create_many", body, NULL);
  g_autofree char *said_one = reply_header (one, "Zendesk-RateLimit-inflight-jobs");
  g_autofree char *said_two = reply_header (two, "zendesk-rate-limit-inflight-jobs");
  g_autofree char *retry_after = reply_header (two, "Retry-After");

  assert_int (one->status, 200);
  assert_text (said_one, "total=1; remaining=0; resets=60");
  assert_int (two->status, 429);
  assert_text (said_two, "total=1; remaining=0; resets=60");
  assert_text (retry_after, "2"); /* until the first one is done: 1.08 */
}

static void
test_tells_limits_as_in_the_year_asked_for (void)
{
  static const struct
  {
    const char *year;
    gboolean old, new;
  } rows[] = { { "both", TRUE, TRUE }, { "2023", TRUE, FALSE }, { "2024", FALSE, TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new (STILL, "--limit-headers", rows[i].year, NULL);
      g_autoptr (Reply) reply = rig_call (rig, "PUT", "/api/v2/tickets/1", "{\"ticket\":{}}", NULL);
      g_autofree char *always = reply_header (reply, "x-rate-limit");
      g_autofree char *old = reply_header (reply, "rate-limit-remaining");
      g_autofree char *new = reply_header (reply, "ratelimit-remaining");
      g_autofree char *old_bucket = reply_header (reply, "zendesk-rate-limit-tickets-update");
      g_autofree char *new_bucket = reply_header (reply, "Zendesk-RateLimit-tickets-update");

      assert_row_text (rows[i].year, always, "2500");
      assert_row_int (rows[i].year, old != NULL, rows[i].old);
      assert_row_int (rows[i].year, old_bucket != NULL, rows[i].old);
      assert_row_int (rows[i].year, new != NULL, rows[i].new);
      assert_row_int (rows[i].year, new_bucket != NULL, rows[i].new);
    }
}

static const Promise promises[] = {
  { "a user is changed once a second and five times a minute",
    test_a_user_is_changed_once_a_second_and_five_times_a_minute },
  { "an organization is changed five times a minute",
    test_an_organization_is_changed_five_times_a_minute },
  { "a ticket is changed thirty times in ten minutes",
    test_a_ticket_is_changed_thirty_times_in_ten_minutes },
  { "tells how many jobs there may be", test_tells_how_many_jobs_there_may_be },
  { "tells limits as in the year asked for", test_tells_limits_as_in_the_year_asked_for },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator limits", promises, argc, argv);
}
