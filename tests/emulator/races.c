/* races.c: what the emulator promises when requests about the same people meet */
#include "promise.h"
#include "rig.h"
#include "talk.h"

#define BODY "{'ticket':{'comment':'c','requester':{'name':'Ada','email':'a@ex.org'}}}"

static guint
count_status (const GPtrArray *replies, long status)
{
  guint n = 0;

  for (guint i = 0; i < replies->len; i++)
    n += ((Reply *)replies->pdata[i])->status == status;
  return n;
}

static void
test_one_of_several_makes_a_new_requester (void)
{
  static const struct
  {
    const char *race;
    long status;
    const char *said;
  } rows[] = {
    { "off", 201, NULL },
    { "conflict", 409, "{\"error\":\"DatabaseConflict\",\"description\":\"Database collision\"}" },
    { "invalid", 422, "Email: a@ex.org is already being used by another user" },
    { "collision", 409, "Requester creation collision - please try again" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      gboolean off = rows[i].said == NULL;
      g_autoptr (Rig) rig = rig_new ("--requester-race", rows[i].race, "--delay", "300",
                                     "--idempotency", "off", NULL);
      g_autoptr (GPtrArray) first = rig_create_at_once (rig, BODY, "k", 3);
      g_autoptr (GPtrArray) second = rig_create_at_once (rig, BODY, "k", 3);

      assert_row_int (rows[i].race, count_status (first, 201), off ? 3 : 1);
      assert_row_int (rows[i].race, count_status (first, rows[i].status), off ? 3 : 2);
      for (guint k = 0; k < first->len && !off; k++)
        if (((Reply *)first->pdata[k])->status != 201)
          assert_contains (((Reply *)first->pdata[k])->body, rows[i].said);
      /* Who is there already is no race. */
      assert_row_int (rows[i].race, count_status (second, 201), 3);
      assert_row_int (rows[i].race, rig_count (rig, "users_created"), 1);
      assert_row_int (rows[i].race, rig_count (rig, "created"), off ? 6 : 4);
    }
}

static void
test_users_race_however_they_are_made (void)
{
  static const struct
  {
    const char *path, *body;
  } rows[] = {
    { "users", "{'user':{'name':'A','email':'A@ex.org'}}" },
    { "users/create_or_update.json", "{'user':{'name':'B','email':'b@ex.org'}}" },
    { "imports/tickets", "{'ticket':{'comment':'c','requester':{'name':'C','email':'c@ex.org'}}}" },
  };
  g_autoptr (Rig) rig = rig_new ("--requester-race", "conflict", "--delay", "300", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strconcat ("/api/v2/", rows[i].path, NULL);
      g_autoptr (GPtrArray) replies = rig_post_at_once (rig, path, rows[i].body, NULL, 3);

      assert_row_int (rows[i].path, count_status (replies, 201), 1);
      assert_row_int (rows[i].path, count_status (replies, 409), 2);
      assert_row_int (rows[i].path, rig_count (rig, "users_created"), i + 1);
    }
}

static void
test_a_ticket_may_have_to_name_people_that_are_there (void)
{
  static const Line lines[] = {
    { "made", "POST", "users", "{'user':{'name':'Ada'}}", 201, { { NULL } }, "a=user.id" },
    { "gone", "POST", "users", "{'user':{'name':'Bo'}}", 201, { { NULL } }, "b=user.id" },
    { "deleted", "DELETE", "users/$b", NULL, 200, { { NULL } } },
    { "good",
      "POST",
      "tickets",
      "{'ticket':{'comment':{'body':'c','author_id':$a},'requester_id':$a,'submitter_id':$a}}",
      201,
      { { "ticket.requester_id", "$a" } },
      "t=ticket.id" },
    { "nobody",
      "POST",
      "tickets",
      "{'ticket':{'comment':'c','requester_id':5}}",
      422,
      { { "details.requester_id.0.description", "Requester: is invalid" } } },
    { "somebody deleted",
      "POST",
      "tickets",
      "{'ticket':{'comment':'c','requester_id':$b}}",
      422,
      { { NULL } } },
    { "an import",
      "POST",
      "imports/tickets",
      "{'ticket':{'requester_id':$a,'comments':[{'value':'c','author_id':6}]}}",
      422,
      { { "details.base.#", "1" } } },
    { "no organization",
      "PUT",
      "tickets/$t",
      "{'ticket':{'organization_id':7}}",
      422,
      { { "details.organization_id.#", "1" } } },
    { "no one at all", "PUT", "tickets/$t", "{'ticket':{'assignee_id':null}}", 200, { { NULL } } },
    { "in a job",
      "POST",
      "tickets/create_many",
      "{'tickets':[{'comment':'c','requester_id':5},{'comment':'c','requester_id':$a}]}",
      200,
      { { NULL } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':9}", 200, { { NULL } } },
    { "rows",
      "GET",
      "job_statuses/$j",
      NULL,
      200,
      { { "job_status.results.0.details", "Requester: is invalid" },
        { "job_status.results.1.#", "3" } } },
    { "only these", "GET", "/_emulator/counts", NULL, 200, { { "created", "2" } } },
    { 0 },
  };
  g_autoptr (Rig) strict = rig_new ("--check-people", "on", NULL);
  g_autoptr (Rig) lenient = rig_new (NULL);

  talk (strict, lines);
  g_autoptr (Reply) reply
      = rig_create (lenient, "{'ticket':{'comment':'c','requester_id':5}}", NULL);
  assert_int (reply->status, 201);
  talk_forget ();
}

static void
test_a_suspended_user_may_be_refused (void)
{
  static const Line lines[] = {
    { "suspended", "POST", "users", "{'user':{'name':'S','suspended':true}}", 201, { { NULL } }, "s=user.id" },
    { "requester", "POST", "imports/tickets", "{'ticket':{'requester_id':$s,'comments':[{'value':'c'}]}}", 422,
      { { "details.requester_id.0.description", "Requester: is invalid" } } },
    { "author", "POST", "imports/tickets", "{'ticket':{'comments':[{'value':'c','author_id':$s}]}}", 422,
      { { "details.base.0.description", "Author: is invalid" } } },
    { "not suspended any more", "PUT", "users/$s", "{'user':{'suspended':false}}", 200, { { NULL } } },
    { "taken", "POST", "imports/tickets", "{'ticket':{'requester_id':$s,'comments':[{'value':'c','author_id':$s}]}}", 201, { { NULL } } },
    { "nobody", "POST", "tickets", "{'ticket':{'comment':'c','requester_id':5}}", 201, { { NULL } } },
    { 0 },
  };
  static const Line taken[] = {
    { "suspended", "POST", "users", "{'user':{'name':'S','suspended':true}}", 201, { { NULL } }, "s=user.id" },
    { "as requester and author", "POST", "imports/tickets", "{'ticket':{'requester_id':$s,'comments':[{'value':'c','author_id':$s}]}}", 201,
      { { NULL } } },
    { 0 },
  };
  g_autoptr (Rig) strict = rig_new ("--suspended-people", "refuse", NULL);
  g_autoptr (Rig) lenient = rig_new ("--check-people", "on", "--check-authors", NULL);

  talk (strict, lines);
  talk (lenient, taken);
  talk_forget ();
}

static const Promise promises[] = {
  { "one of several makes a new requester", test_one_of_several_makes_a_new_requester },
  { "users race however they are made", test_users_race_however_they_are_made },
  { "a ticket may have to name people that are there",
    test_a_ticket_may_have_to_name_people_that_are_there },
  { "a suspended user may be refused", test_a_suspended_user_may_be_refused },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator races", promises, argc, argv);
}
