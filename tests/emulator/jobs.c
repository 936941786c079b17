/* jobs.c: what the emulator promises about jobs, which do many records by and by */
#include "promise.h"
#include "rig.h"
#include "talk.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define STILL "--time-rate", "0", "--job-wait", "10", "--job-pace", "1", "--bulk-users", "on"

#define JOB "job_statuses/$j.json"
#define RESULT "job_status.results."

/* A bulk call's path, and what its body lists @n times; the whole body. */
static char *
make_list (const char *names, const char *row, guint n)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "{\"%s\":[", names);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (out, "%s%s", i > 0 ? "," : "", row);
  g_string_append (out, "]}");
  return g_string_free (out, FALSE);
}

static void
test_a_job_is_done_by_and_by (void)
{
  static const Line lines[] = {
    { "queued",
      "POST",
      "organizations/create_many.json",
      "{'organizations':[{'name':'A'},{'name':'B'},{'name':'C'}]}",
      200,
      { { "job_status.status", "queued" },
        { "job_status.total", "3" },
        { "job_status.progress", NULL },
        { "job_status.message", NULL },
        { "job_status.results", NULL },
        { "job_status.job_type", "Bulk Create Organization" } },
      "j=job_status.id" },
    { "still", "GET", JOB, NULL, 200, { { "job_status.status", "queued" } } },
    { "until then", "POST", "/_emulator/clock", "{'advance':10.5}", 200, { { NULL } } },
    { "begun",
      "GET",
      JOB,
      NULL,
      200,
      { { "job_status.status", "working" }, { "job_status.progress", "0" } } },
    { "nothing yet", "GET", "organizations", NULL, 200, { { "count", "0" } } },
    { "two are done", "POST", "/_emulator/clock", "{'advance':2}", 200, { { NULL } } },
    { "half way",
      "GET",
      JOB,
      NULL,
      200,
      { { "job_status.status", "working" },
        { "job_status.progress", "2" },
        { "job_status.message", "Creating organization #2" },
        { "job_status.results", NULL } } },
    { "these are there", "GET", "organizations", NULL, 200, { { "count", "2" } } },
    { "the rest", "POST", "/_emulator/clock", "{'advance':1}", 200, { { NULL } } },
    { "done",
      "GET",
      JOB,
      NULL,
      200,
      { { "job_status.status", "completed" },
        { "job_status.progress", "3" },
        { RESULT "#", "3" },
        { RESULT "0.#", "2" },
        { RESULT "0.status", "Created" },
        { RESULT "1.id", "19000000000002" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);

  talk (rig, lines);
  g_autofree char *path = talk_fill ("/api/v2/" JOB);
  g_autoptr (Reply) reply = rig_get (rig, path);
  g_autofree char *message = at (reply->json, "job_status.message");
  assert_true (g_regex_match_simple ("^Completed at [0-9]{4}-[0-9]{2}-[0-9]{2} "
                                     "[0-9]{2}:[0-9]{2}:[0-9]{2} \\+0000$",
                                     message, 0, 0));
  g_autofree char *id = at (reply->json, "job_status.id");
  assert_true (g_regex_match_simple ("^V3-[0-9a-f]{32}$", id, 0, 0));
  talk_forget ();
}

/* The rows of each kind, good ones and bad, as they were recorded or are told of. */
static void
test_results_differ_from_kind_to_kind (void)
{
  static const Line lines[] = {
    { "users",
      "POST",
      "users/create_many",
      "{'users':[{'name':'A','email':'a@ex.org','external_id':'u1'},{'name':''},{'name':'B'}]}",
      200,
      { { NULL } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "user rows",
      "GET",
      JOB,
      NULL,
      200,
      { { "job_status.status", "completed" },
        { RESULT "0.#", "4" },
        { RESULT "0.external_id", "u1" },
        { RESULT "1",
          "{\"id\":1,\"error\":\"UserCreateError\",\"details\":\"Name: is too short (minimum is 1 "
          "characters)\",\"status\":\"Failed\"}" },
        { RESULT "2.#", "2" },
        { RESULT "2.status", "Created" } },
      "a=job_status.results.0.id" },
    { "or update",
      "POST",
      "users/create_or_update_many",
      "{'users':[{'name':'A2','external_id':'U1'},{'name':'C','email':'x@'},{'name':'D'}]}",
      200,
      { { NULL } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "rows of both",
      "GET",
      JOB,
      NULL,
      200,
      { { RESULT "0",
          "{\"id\":$a,\"status\":\"Updated\",\"email\":\"a@ex.org\",\"external_id\":\"U1\"}" },
        { RESULT "1.id", "1" },
        { RESULT "1.error", "UserUpdateError" },
        { RESULT "2.status", "Created" } } },
    { "update",
      "PUT",
      "users/update_many?external_ids=u1,u7",
      "{'user':{'notes':'n'}}",
      200,
      { { "job_status.total", "2" } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "rows of updates",
      "GET",
      JOB,
      NULL,
      200,
      { { RESULT "0", "{\"action\":\"update\",\"id\":$a,\"status\":\"Updated\",\"success\":true}" },
        { RESULT "1.success", "false" },
        { RESULT "1.error", "RecordNotFound" },
        { RESULT "1.index", "1" } } },
    { "by rows",
      "PUT",
      "users/update_many",
      "{'users':[{'external_id':'U1','name':'A3'}]}",
      200,
      { { NULL } } },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "changed", "GET", "users/$a", NULL, 200, { { "user.name", "A3" }, { "user.notes", "n" } } },
    { "delete",
      "DELETE",
      "users/destroy_many?ids=$a",
      NULL,
      200,
      { { "job_status.job_type", "Bulk Update User" } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "rows of deletions",
      "GET",
      JOB,
      NULL,
      200,
      { { RESULT "0",
          "{\"action\":\"delete\",\"id\":$a,\"status\":\"Deleted\",\"success\":true}" } } },
    { 0 },
  };
  static const Line others[] = {
    { "organizations",
      "POST",
      "organizations/create_many",
      "{'organizations':[{'name':'A'},{'name':'a'}]}",
      200,
      { { NULL } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "rows",
      "GET",
      JOB,
      NULL,
      200,
      { { RESULT "0.#", "2" },
        { RESULT "1.error", "OrganizationCreateError" },
        { RESULT "1.details", "Name: has already been taken" },
        { RESULT "1.index", NULL },
        { RESULT "1.id", NULL } },
      "o=job_status.results.0.id" },
    { "u", "POST", "users", "{'user':{'name':'U'}}", 201, { { NULL } }, "u=user.id" },
    { "memberships",
      "POST",
      "organization_memberships/create_many",
      "{'organization_memberships':[{'user_id':$u,'organization_id':$o},"
      "{'user_id':$u,'organization_id':$o}]}",
      200,
      { { NULL } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "rows",
      "GET",
      JOB,
      NULL,
      200,
      { { RESULT "0.#", "2" },
        { RESULT "0.index", "0" },
        { RESULT "1.index", "1" },
        { RESULT "1.details", "User: has already been taken" } } },
    { "update",
      "PUT",
      "organizations/update_many",
      "{'organizations':[{'id':$o,'notes':'n'},{'id':7,'notes':'n'}]}",
      200,
      { { NULL } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "rows",
      "GET",
      JOB,
      NULL,
      200,
      { { RESULT "0.status", "Updated" }, { RESULT "1.status", "Failed" } } },
    { "delete",
      "DELETE",
      "organizations/destroy_many?ids=$o",
      NULL,
      200,
      { { NULL } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "rows", "GET", JOB, NULL, 200, { { RESULT "0.status", "Deleted" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);

  talk (rig, lines);
  talk (rig, others);
  talk_forget ();
}

static void
test_an_organization_that_failed_may_say_where_it_stood (void)
{
  static const struct
  {
    const char *form, *name;
  } rows[] = { { "bare", NULL }, { "index", "index" }, { "id", "id" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const Line lines[] = {
        { "queued",
          "POST",
          "organizations/create_many",
          "{'organizations':[{'name':'A'},{'name':'a'}]}",
          200,
          { { NULL } },
          "j=job_status.id" },
        { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
        { rows[i].form,
          "GET",
          JOB,
          NULL,
          200,
          { { RESULT "1.index",
              rows[i].name != NULL && *rows[i].name == 'i' && rows[i].name[1] == 'n' ? "1" : NULL },
            { RESULT "1.id", g_strcmp0 (rows[i].name, "id") == 0 ? "1" : NULL } } },
        { 0 },
      };
      g_autoptr (Rig) rig = rig_new (STILL, "--organization-rows", rows[i].form, NULL);

      talk (rig, lines);
    }
  talk_forget ();
}

static void
test_tickets_of_a_job_have_ids_in_no_order (void)
{
  static const char *const bulks[] = { "tickets/create_many.json", "imports/tickets/create_many" };

  for (guint i = 0; i < G_N_ELEMENTS (bulks); i++)
    {
      const Line lines[] = {
        { "queued",
          "POST",
          bulks[i],
          "{'tickets':[{'subject':'0','comment':'c'},{'subject':'1','comment':'c'},{'subject':'2'},"
          "{'subject':'3','comment':'c'},{'subject':'4','comment':'c'}]}",
          200,
          { { "job_status.job_type", "Bulk Create Ticket" } },
          "j=job_status.id" },
        { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
        { "rows",
          "GET",
          JOB,
          NULL,
          200,
          { { "job_status.status", "completed" },
            { RESULT "#", "5" },
            { RESULT "3.index", "3" },
            { RESULT "3.#", "3" },
            { RESULT "3.account_id", "185" },
            { RESULT "2",
              "{\"index\":2,\"error\":\"TicketCreateFailed\",\"details\":\"Description: cannot be "
              "blank\"}" } } },
        { 0 },
      };
      g_autoptr (Rig) rig = rig_new (STILL, NULL);
      gboolean in_order = TRUE;
      gint64 before = 0;

      talk (rig, lines);
      g_autofree char *path = talk_fill ("/api/v2/" JOB);
      g_autoptr (Reply) job = rig_get (rig, path);
      for (guint k = 0; k < 5; k++)
        {
          g_autofree char *place = g_strdup_printf (RESULT "%u.id", k);
          gint64 id = number_at (job->json, place);
          g_autofree char *ticket = g_strdup_printf ("/api/v2/tickets/%d", (int)id);
          g_autofree char *number = g_strdup_printf ("%u", k);

          if (k == 2)
            continue;
          g_autoptr (Reply) reply = rig_get (rig, ticket);
          g_autofree char *subject = at (reply->json, "ticket.subject");

          assert_row_text (place, subject, number);
          in_order = in_order && id > before;
          before = id;
        }
      assert_int (in_order, FALSE);
      assert_int (rig_count (rig, "created"), 4);
      /* Triggers run, unless it is an import. */
      g_autoptr (Reply) history = rig_get (rig, "/_emulator/history");
      assert_contains (history->body, i == 0 ? "\"notified\":true" : "\"notified\":false");
    }
  talk_forget ();
}

static void
test_a_row_that_is_no_record_fails_alone (void)
{
  static const Line lines[] = {
    { "tickets",
      "POST",
      "tickets/create_many",
      "{'tickets':[3,{'comment':'c'},null]}",
      200,
      { { NULL } },
      "j=job_status.id" },
    { "users",
      "POST",
      "users/create_many",
      "{'users':[null,[],{'name':'A'},'x']}",
      200,
      { { NULL } },
      "u=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "rows",
      "GET",
      JOB,
      NULL,
      200,
      { { "job_status.status", "completed" },
        { RESULT "0.error", "TicketCreateFailed" },
        { RESULT "1.id", "1" },
        { RESULT "2.index", "2" } } },
    { "user rows",
      "GET",
      "job_statuses/$u",
      NULL,
      200,
      { { RESULT "1.status", "Failed" },
        { RESULT "2.status", "Created" },
        { RESULT "3.id", "3" } } },
    { "only these",
      "GET",
      "/_emulator/counts",
      NULL,
      200,
      { { "created", "1" }, { "users_created", "1" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_only_an_import_goes_into_the_archive (void)
{
  static const struct
  {
    const char *path, *listed;
  } rows[] = { { "imports/tickets/create_many?archive_immediately=true", "0" },
               { "imports/tickets/create_many", "1" },
               { "tickets/create_many?archive_immediately=true", "1" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const Line lines[] = {
        { "queued",
          "POST",
          rows[i].path,
          "{'tickets':[{'comment':'c','status':'closed'}]}",
          200,
          { { NULL } } },
        { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
        { rows[i].path, "GET", "tickets", NULL, 200, { { "count", rows[i].listed } } },
        { "there", "GET", "tickets/1", NULL, 200, { { "ticket.status", "closed" } } },
        { 0 },
      };
      g_autoptr (Rig) rig = rig_new (STILL, NULL);

      talk (rig, lines);
    }
}

static void
test_a_job_of_failures_has_failed (void)
{
  static const Line lines[] = {
    { "queued",
      "POST",
      "tickets/create_many",
      "{'tickets':[{'subject':'x'},{}]}",
      200,
      { { NULL } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "failed",
      "GET",
      JOB,
      NULL,
      200,
      { { "job_status.status", "failed" },
        { "job_status.progress", "0" },
        { RESULT "#", "2" },
        { RESULT "1.error", "TicketCreateFailed" } } },
    { "counted",
      "GET",
      "/_emulator/counts",
      NULL,
      200,
      { { "jobs", "1" }, { "jobs_failed", "1" }, { "jobs_active", "0" }, { "created", "0" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);

  talk (rig, lines);
  g_autofree char *path = talk_fill ("/api/v2/" JOB);
  g_autoptr (Reply) reply = rig_get (rig, path);
  assert_contains (reply->body, "\"message\":\"Failed at ");
  talk_forget ();
}

static void
test_updates_of_tickets_are_safe (void)
{
  static const Line lines[] = {
    { "a", "POST", "tickets", "{'ticket':{'comment':'c'}}", 201, { { NULL } }, "a=ticket.id" },
    { "b", "POST", "tickets", "{'ticket':{'comment':'c'}}", 201, { { NULL } }, "b=ticket.id" },
    { "c",
      "POST",
      "tickets",
      "{'ticket':{'comment':'c','status':'closed'}}",
      201,
      { { NULL } },
      "c=ticket.id" },
    { "a day", "POST", "/_emulator/clock", "{'advance':10}", 200, { { NULL } } },
    { "queued",
      "PUT",
      "tickets/update_many.json?ids=$a,$b,$c,99",
      "{'ticket':{'priority':'high'}}",
      200,
      { { "job_status.job_type", "Bulk Update Ticket" } },
      "j=job_status.id" },
    { "meanwhile", "POST", "/_emulator/clock", "{'advance':2}", 200, { { NULL } } },
    { "somebody else", "PUT", "tickets/$b", "{'ticket':{'priority':'low'}}", 200, { { NULL } } },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "rows",
      "GET",
      JOB,
      NULL,
      200,
      { { RESULT "0.status", "Updated" },
        { RESULT "1.error", "UpdateConflict" },
        { RESULT "1.success", "false" },
        { RESULT "2.error", "TicketUpdateFailed" },
        { RESULT "3.error", "RecordNotFound" } } },
    { "as it was", "GET", "tickets/$b", NULL, 200, { { "ticket.priority", "low" } } },
    { "done", "GET", "tickets/$a", NULL, 200, { { "ticket.priority", "high" } } },
    { "with stamps",
      "PUT",
      "tickets/update_many",
      "{'tickets':[{'id':$a,'subject':'s','safe_update':true,'updated_stamp':'2001-01-01T00:00:00Z'"
      "}]}",
      200,
      { { NULL } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "stale", "GET", JOB, NULL, 200, { { RESULT "0.error", "UpdateConflict" } } },
    { "deleted",
      "DELETE",
      "tickets/destroy_many?ids=$a,$b",
      NULL,
      200,
      { { NULL } },
      "j=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "rows", "GET", JOB, NULL, 200, { { RESULT "1.status", "Deleted" } } },
    { "counted", "GET", "/_emulator/counts", NULL, 200, { { "deleted", "2" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_more_than_a_hundred_are_refused_as_a_whole (void)
{
  static const struct
  {
    const char *path, *names, *row, *body;
  } rows[] = {
    { "users/create_many", "users", "{\"name\":\"A\"}",
      "{\"error\":\"TooManyValues\",\"description\":\"Maximum 100 users may be created per "
      "call\"}" },
    { "organizations/create_many", "organizations", "{\"name\":\"A\"}",
      "{\"error\":\"TooManyValues\",\"description\":\"Parameter  cannot specify more than 100 "
      "values\",\"max_count\":100}" },
    { "tickets/create_many", "tickets", "{\"comment\":\"c\"}",
      "{\"error\":\"TooManyValues\",\"description\":\"Parameter  cannot specify more than 100 "
      "values\",\"max_count\":100}" },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strconcat ("/api/v2/", rows[i].path, NULL);
      g_autofree char *most = make_list (rows[i].names, rows[i].row, 100);
      g_autofree char *more = make_list (rows[i].names, rows[i].row, 101);
      g_autofree char *none = make_list (rows[i].names, rows[i].row, 0);
      g_autoptr (Reply) refused = rig_call (rig, "POST", path, more, NULL);

      assert_row_int (rows[i].path, refused->status, 400);
      assert_row_text (rows[i].path, refused->body, rows[i].body);
      assert_row_int (rows[i].path, rig_count (rig, "jobs"), i);
      assert_row_int (rows[i].path, reply_take_status (rig_call (rig, "POST", path, none, NULL)),
                      400);
      assert_row_int (rows[i].path, reply_take_status (rig_call (rig, "POST", path, most, NULL)),
                      200);
    }
}

static void
test_users_in_bulk_have_to_be_allowed (void)
{
  static const Line off[] = {
    { "create",
      "POST",
      "users/create_many",
      "{'users':[{'name':'A'}]}",
      403,
      { { "error", "Forbidden" } } },
    { "or update",
      "POST",
      "users/create_or_update_many",
      "{'users':[{'name':'A'}]}",
      403,
      { { NULL } } },
    { "update is allowed",
      "PUT",
      "users/update_many",
      "{'users':[{'id':1,'name':'A'}]}",
      200,
      { { NULL } } },
    { 0 },
  };
  static const Line object[] = {
    { "create",
      "POST",
      "users/create_many",
      "{'users':[{'name':'A'}]}",
      403,
      { { "error.title", "Forbidden" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Rig) other = rig_new ("--bulk-users", "off-object", NULL);

  talk (rig, off);
  talk (other, object);
}

static void
test_only_so_many_jobs_at_once (void)
{
  static const Line lines[] = {
    { "one",
      "POST",
      "organizations/create_many",
      "{'organizations':[{'name':'A'}]}",
      200,
      { { NULL } },
      "a=job_status.id" },
    { "two",
      "POST",
      "organizations/create_many",
      "{'organizations':[{'name':'B'}]}",
      200,
      { { NULL } },
      "b=job_status.id" },
    { "three",
      "PUT",
      "users/update_many",
      "{'users':[{'id':1}]}",
      429,
      { { "error", "TooManyJobs" },
        { "description",
          "Too many UserBulkUpdateJobV2 jobs are currently queued or running. Try again later." },
        { "current_job_ids.0", "$a" },
        { "current_job_ids.1", "$b" } } },
    { "later", "POST", "/_emulator/clock", "{'advance':11}", 200, { { NULL } } },
    { "there is room",
      "PUT",
      "users/update_many",
      "{'users':[{'id':1}]}",
      200,
      { { NULL } },
      "c=job_status.id" },
    { "in one call",
      "GET",
      "job_statuses/show_many?ids=$b,$a,nothing",
      NULL,
      200,
      { { "count", "2" }, { "job_statuses.0.id", "$b" } } },
    { "the newest first",
      "GET",
      "job_statuses.json?page%5Bsize%5D=2",
      NULL,
      200,
      { { "job_statuses.#", "2" },
        { "job_statuses.0.id", "$c" },
        { "job_statuses.1.id", "$b" },
        { "meta.has_more", "true" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, "--job-limit", "2", NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_a_job_is_forgotten_in_the_end (void)
{
  static const Line lines[] = {
    { "queued",
      "POST",
      "organizations/create_many",
      "{'organizations':[{'name':'A'}]}",
      200,
      { { NULL } },
      "j=job_status.id" },
    { "an hour less a second", "POST", "/_emulator/clock", "{'advance':3599}", 200, { { NULL } } },
    { "known", "GET", JOB, NULL, 200, { { "job_status.status", "completed" } } },
    { "an hour", "POST", "/_emulator/clock", "{'advance':1}", 200, { { NULL } } },
    { "not any more", "GET", JOB, NULL, 404, { { "error", "RecordNotFound" } } },
    { "nor listed", "GET", "job_statuses", NULL, 200, { { "count", "0" } } },
    { "never was", "GET", "job_statuses/V3-0", NULL, 404, { { NULL } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, "--job-life", "3600", NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_a_job_fails_is_lost_or_falls_short_on_demand (void)
{
  static const Line lines[] = {
    { "fails",
      "POST",
      "organizations/create_many",
      "{'organizations':[{'name':'A'},{'name':'B'},{'name':'C'}]}",
      200,
      { { NULL } },
      "a=job_status.id" },
    { "fails and tells",
      "POST",
      "organizations/create_many",
      "{'organizations':[{'name':'D'},{'name':'E'}]}",
      200,
      { { NULL } },
      "b=job_status.id" },
    { "is lost",
      "POST",
      "organizations/create_many",
      "{'organizations':[{'name':'F'}]}",
      200,
      { { NULL } },
      "c=job_status.id" },
    { "is killed",
      "POST",
      "organizations/create_many",
      "{'organizations':[{'name':'J'},{'name':'K'}]}",
      200,
      { { NULL } },
      "e=job_status.id" },
    { "stalls",
      "POST",
      "organizations/create_many",
      "{'organizations':[{'name':'L'},{'name':'M'}]}",
      200,
      { { NULL } },
      "f=job_status.id" },
    { "falls short",
      "POST",
      "organizations/create_many",
      "{'organizations':[{'name':'G'},{'name':'H'},{'name':'I'}]}",
      200,
      { { NULL } },
      "d=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "after two",
      "GET",
      "job_statuses/$a",
      NULL,
      200,
      { { "job_status.status", "failed" }, { "job_status.results", NULL } } },
    { "after one",
      "GET",
      "job_statuses/$b",
      NULL,
      200,
      { { "job_status.status", "failed" },
        { RESULT "#", "1" },
        { RESULT "0.status", "Created" } } },
    { "nowhere", "GET", "job_statuses/$c", NULL, 404, { { NULL } } },
    { "not listed",
      "GET",
      "job_statuses",
      NULL,
      200,
      { { "job_statuses.#", "5" }, { "count", "5" } } },
    { "too few",
      "GET",
      "job_statuses/$d",
      NULL,
      200,
      { { "job_status.status", "completed" },
        { "job_status.progress", "3" },
        { RESULT "#", "1" } } },
    { "at once",
      "GET",
      "job_statuses/$e",
      NULL,
      200,
      { { "job_status.status", "killed" }, { "job_status.progress", "0" } } },
    { "what was done", "GET", "organizations", NULL, 200, { { "count", "8" } } },
    { "hours later", "POST", "/_emulator/clock", "{'advance':80000}", 200, { { NULL } } },
    { "still at work",
      "GET",
      "job_statuses/$f",
      NULL,
      200,
      { { "job_status.status", "working" },
        { "job_status.progress", "1" },
        { "job_status.results", NULL } } },
    { "counts as such", "GET", "/_emulator/counts", NULL, 200, { { "jobs_active", "1" } } },
    { "a day later", "POST", "/_emulator/clock", "{'advance':8000}", 200, { { NULL } } },
    { "forgotten", "GET", "job_statuses/$f", NULL, 404, { { NULL } } },
    { "in the end", "GET", "/_emulator/counts", NULL, 200, { { "jobs_active", "0" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);

  rig_set_faults (
      rig,
      "[{'kind':'job-fail','records':2,'path':'/api/v2/organizations'},"
      "{'kind':'job-fail','records':1,'rows':true,'at':2,'path':'/api/v2/organizations'},"
      "{'kind':'job-gone','at':3,'path':'/api/v2/organizations'},"
      "{'kind':'job-fail','records':0,'message':'killed','at':4,'path':'/api/v2/organizations'},"
      "{'kind':'job-stall','records':1,'at':5,'path':'/api/v2/organizations'},"
      "{'kind':'job-short','records':2,'at':6,'path':'/api/v2/organizations'}]");
  talk (rig, lines);
  g_autoptr (Reply) history = rig_get (rig, "/_emulator/history");
  assert_contains (history->body, "\"fault\":\"job-fail\"");
  talk_forget ();
}

static void
test_a_jobs_rows_are_mixed_up_on_demand (void)
{
  static const Line lines[] = {
    { "users",
      "POST",
      "users/create_many",
      "{'users':[{'name':''},{'name':'A','external_id':'u1'},{'name':'B','external_id':'u2'}]}",
      200,
      { { NULL } },
      "u=job_status.id" },
    { "tickets",
      "POST",
      "tickets/create_many",
      "{'tickets':[{'subject':'no comment'},{'comment':'c'}]}",
      200,
      { { NULL } },
      "t=job_status.id" },
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "the last user first",
      "GET",
      "job_statuses/$u",
      NULL,
      200,
      { { "job_status.status", "completed" },
        { RESULT "0.external_id", "u2" },
        { RESULT "1.external_id", "u1" },
        { RESULT "2.id", "2" },
        { RESULT "2.status", "Failed" } } },
    { "and other tickets' places",
      "GET",
      "job_statuses/$t",
      NULL,
      200,
      { { RESULT "0.index", "0" },
        { RESULT "0.account_id", "185" },
        { RESULT "1.index", "1" },
        { RESULT "1.error", "TicketCreateFailed" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);

  rig_set_faults (rig, "{'kind':'job-mixed','count':0}");
  talk (rig, lines);
  talk_forget ();
}

static void
test_a_job_is_done_though_its_answer_was_lost (void)
{
  static const Line lines[] = {
    { "later", "POST", "/_emulator/clock", "{'advance':20}", 200, { { NULL } } },
    { "done", "GET", "organizations/search?external_id=o1", NULL, 200, { { "count", "1" } } },
    { "to be found",
      "GET",
      "job_statuses",
      NULL,
      200,
      { { "job_statuses.0.status", "completed" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (STILL, NULL);

  rig_set_faults (rig, "{'kind':'drop-after','path':'/api/v2/organizations/create_many'}");
  g_autoptr (Reply) reply
      = rig_call (rig, "POST", "/api/v2/organizations/create_many",
                  "{\"organizations\":[{\"name\":\"A\",\"external_id\":\"o1\"}]}", NULL);
  assert_int (reply->status, 0);
  talk (rig, lines);
}

static void
test_a_job_goes_on_after_a_kill_where_it_was (void)
{
  static const Line before[] = {
    { "users",
      "POST",
      "users/create_many",
      "{'users':[{'name':'A','external_id':'u1'},{'name':''},{'name':'C'},{'name':'D'}]}",
      200,
      { { NULL } },
      "u=job_status.id" },
    { "tickets",
      "POST",
      "tickets/create_many",
      "{'tickets':[{'comment':'0'},{'comment':'1'},{'comment':'2'},{'comment':'3'}]}",
      200,
      { { NULL } },
      "j=job_status.id" },
    { "half", "POST", "/_emulator/clock", "{'advance':12}", 200, { { NULL } } },
    { "two of each", "GET", JOB, NULL, 200, { { "job_status.progress", "2" } } },
    { "are there",
      "GET",
      "/_emulator/counts",
      NULL,
      200,
      { { "created", "2" }, { "users_created", "1" } } },
    { 0 },
  };
  static const Line after[] = {
    { "no more yet",
      "GET",
      "/_emulator/counts",
      NULL,
      200,
      { { "created", "2" }, { "users_created", "1" }, { "jobs_active", "2" } } },
    { "still",
      "GET",
      JOB,
      NULL,
      200,
      { { "job_status.progress", "2" }, { "job_status.status", "working" } } },
    { "the rest", "POST", "/_emulator/clock", "{'advance':3600}", 200, { { NULL } } },
    { "four",
      "GET",
      JOB,
      NULL,
      200,
      { { "job_status.status", "completed" }, { RESULT "#", "4" }, { RESULT "3.index", "3" } } },
    { "users",
      "GET",
      "job_statuses/$u",
      NULL,
      200,
      { { RESULT "0.external_id", "u1" }, { RESULT "1.status", "Failed" } } },
    { "each once",
      "GET",
      "/_emulator/counts",
      NULL,
      200,
      { { "created", "4" }, { "users_created", "3" }, { "tickets", "4" } } },
    { 0 },
  };
  static const Line again[] = {
    { "the same",
      "GET",
      JOB,
      NULL,
      200,
      { { "job_status.status", "completed" }, { RESULT "#", "4" } } },
    { "each once",
      "GET",
      "/_emulator/counts",
      NULL,
      200,
      { { "created", "4" }, { "users_created", "3" } } },
    { 0 },
  };
  g_autofree char *state = g_build_filename (g_get_tmp_dir (), "emulator-jobs-XXXXXX", NULL);
  g_autoptr (Rig) rig = NULL;

  close (g_mkstemp (state));
  rig = rig_new ("--state", state, STILL, NULL);
  talk (rig, before);
  /* The clock of the one that comes after stands at the last change. */
  rig_restart (rig, "--state", state, STILL, NULL);
  talk (rig, after);
  rig_restart (rig, "--state", state, STILL, NULL);
  talk (rig, again);
  g_unlink (state);
  talk_forget ();
}

static void
test_a_job_needs_no_request_to_go_on (void)
{
  g_autofree char *state = g_build_filename (g_get_tmp_dir (), "emulator-jobs-XXXXXX", NULL);
  g_autofree char *text = NULL;
  g_autoptr (Rig) rig = NULL;

  close (g_mkstemp (state));
  rig = rig_new ("--state", state, "--job-wait", "0.05", "--job-pace", "0", NULL);
  g_autoptr (Reply) reply = rig_call (rig, "POST", "/api/v2/organizations/create_many",
                                      "{\"organizations\":[{\"name\":\"A\"}]}", NULL);
  assert_int (reply->status, 200);
  for (guint i = 0; i < 500 && (text == NULL || strstr (text, "\"step\"") == NULL); i++)
    {
      g_usleep (10000);
      g_clear_pointer (&text, g_free);
      g_file_get_contents (state, &text, NULL, NULL);
    }
  assert_contains (text, "\"do\":\"step\"");
  g_unlink (state);
}

static void
test_a_key_protects_no_bulk_call (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (Reply) reply
          = rig_call (rig, "POST", "/api/v2/tickets/create_many",
                      "{\"tickets\":[{\"comment\":\"c\"}]}", "Idempotency-Key: k1");
      g_autofree char *lookup = reply_header (reply, "x-idempotency-lookup");

      assert_int (reply->status, 200);
      assert_text (lookup, NULL);
    }
  assert_int (rig_count (rig, "jobs"), 2);
}

static const Promise promises[] = {
  { "a job is done by and by", test_a_job_is_done_by_and_by },
  { "results differ from kind to kind", test_results_differ_from_kind_to_kind },
  { "an organization that failed may say where it stood",
    test_an_organization_that_failed_may_say_where_it_stood },
  { "tickets of a job have ids in no order", test_tickets_of_a_job_have_ids_in_no_order },
  { "a row that is no record fails alone", test_a_row_that_is_no_record_fails_alone },
  { "only an import goes into the archive", test_only_an_import_goes_into_the_archive },
  { "a job of failures has failed", test_a_job_of_failures_has_failed },
  { "updates of tickets are safe", test_updates_of_tickets_are_safe },
  { "more than a hundred are refused as a whole", test_more_than_a_hundred_are_refused_as_a_whole },
  { "users in bulk have to be allowed", test_users_in_bulk_have_to_be_allowed },
  { "only so many jobs at once", test_only_so_many_jobs_at_once },
  { "a job is forgotten in the end", test_a_job_is_forgotten_in_the_end },
  { "a job fails, is lost or falls short on demand",
    test_a_job_fails_is_lost_or_falls_short_on_demand },
  { "a job's rows are mixed up on demand", test_a_jobs_rows_are_mixed_up_on_demand },
  { "a job is done though its answer was lost", test_a_job_is_done_though_its_answer_was_lost },
  { "a job goes on after a kill where it was", test_a_job_goes_on_after_a_kill_where_it_was },
  { "a key protects no bulk call", test_a_key_protects_no_bulk_call },
  { "a job needs no request to go on", test_a_job_needs_no_request_to_go_on },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator jobs", promises, argc, argv);
}
