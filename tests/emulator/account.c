/* account.c: what the emulator promises about what an account has beside tickets */
#include "promise.h"
#include "rig.h"

#include <unistd.h>
#include <glib/gstdio.h>
#include <string.h>

/* An emulator whose account is @json, with @option, which may be NULL. */
static Rig *
rig_with_account (const char *json, const char *option, char **ret_complaint)
{
  g_autofree char *text = quoted (json), *path = NULL;
  int fd = g_file_open_tmp ("account-XXXXXX", &path, NULL);
  const char *options[] = { "--account", path, option, NULL };
  Rig *rig;

  close (fd);
  g_file_set_contents (path, text, -1, NULL);
  rig = rig_new_list (options, ret_complaint);
  g_unlink (path);
  return rig;
}

static void
test_has_what_every_account_has (void)
{
  static const struct
  {
    const char *path, *place, *value;
  } rows[] = {
    { "groups.json", "groups.0.name", "Support" },
    { "groups/360000001001.json", "group.default", "true" },
    { "groups/assignable.json", "count", "1" },
    { "groups/360000001001/memberships", "group_memberships.0.group_id", "360000001001" },
    { "brands.json", "brands.0.active", "true" },
    { "brands/360000002001", "brand.ticket_form_ids.0", "360000003001" },
    { "ticket_forms.json", "ticket_forms.0.raw_name", "Default Ticket Form" },
    { "custom_statuses.json", "count", "5" },
    { "custom_statuses/360000004004", "custom_status.end_user_label", "On-hold" },
    { "custom_roles.json", "custom_roles.1.name", "Team lead" },
    { "locales.json", "locales.1.locale", "de" },
    { "locales/8", "locale.id", "8" },
    { "locales/current", "locale.locale", "en-US" },
    { "group_memberships.json", "group_memberships.0.default", "true" },
    { "group_memberships/360000006001", "group_membership.group_id", "360000001001" },
    { "account/settings.json", "settings.tickets.custom_statuses_enabled", "true" },
    { "groups.json?page%5Bsize%5D=1", "meta.has_more", "false" },
    { "groups/7.json", "error", "RecordNotFound" },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strconcat ("/api/v2/", rows[i].path, NULL);
      g_autoptr (Reply) reply = rig_get (rig, path);
      g_autofree char *value = at (reply->json, rows[i].place);

      assert_row_text (rows[i].path, value, rows[i].value);
    }
}

static const char account[]
    = "{'groups':[{'id':80,'name':'First','default':true},{'name':'Second'}],"
      "'brands':[{'id':12,'name':'B'}],"
      "'settings':{'tickets':{'tagging':false}},"
      "'agents':[{'name':'Ann','email':'ann@x.example','groups':['Second',80]},"
      "{'name':'Bob','email':'bob@x.example','role':'admin','groups':[80]}]}";

static gint64
find_user (Rig *rig, const char *group)
{
  g_autofree char *path = g_strdup_printf ("/api/v2/groups/%s/memberships", group);
  g_autoptr (Reply) reply = rig_get (rig, path);
  gint64 last = number_at (reply->json, "group_memberships.#") - 1;
  g_autofree char *place = g_strdup_printf ("group_memberships.%d.user_id", (int)last);

  return number_at (reply->json, place);
}

static void
test_has_what_it_is_told_to_have (void)
{
  g_autoptr (Rig) rig = rig_with_account (account, NULL, NULL);
  gint64 ann = find_user (rig, "360000001002");
  g_autofree char *path = g_strdup_printf ("/api/v2/users/%" G_GINT64_FORMAT ".json", ann);
  g_autofree char *groups = g_strdup_printf ("/api/v2/users/%" G_GINT64_FORMAT "/groups", ann);
  g_autoptr (Reply) user = rig_get (rig, path);
  g_autoptr (Reply) member = rig_get (rig, groups);
  g_autoptr (Reply) settings = rig_get (rig, "/api/v2/account/settings");
  g_autoptr (Reply) brand = rig_get (rig, "/api/v2/brands/12.json");
  g_autofree char *name = at (user->json, "user.name"), *role = at (user->json, "user.role");
  g_autofree char *tagging = at (settings->json, "settings.tickets.tagging");
  g_autofree char *other = at (settings->json, "settings.tickets.collaboration");
  g_autofree char *first = at (member->json, "groups.0.name");
  g_autofree char *second = at (member->json, "groups.1.name");

  assert_text (name, "Ann");
  assert_text (role, "agent");
  assert_text (first, "Second");
  assert_text (second, "First");
  assert_text (tagging, "false");
  assert_text (other, "true");
  assert_int (brand->status, 200);
}

static void
test_says_what_is_wrong_with_the_account (void)
{
  static const struct
  {
    const char *json, *complaint;
  } rows[] = {
    { "[]", "is no JSON object" },
    { "{'group':[]}", "\"group\" is nothing to be given here" },
    { "{'groups':{}}", "\"groups\" is no list" },
    { "{'agents':[1]}", "\"agents\" is no list" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *complaint = NULL;
      g_autoptr (Rig) rig G_GNUC_UNUSED = rig_with_account (rows[i].json, NULL, &complaint);

      assert_contains (complaint, rows[i].complaint);
    }
}

static long
assign (Rig *rig, gint64 user, const char *group)
{
  g_autofree char *body = g_strdup_printf (
      "{'ticket':{'comment':'c','assignee_id':%" G_GINT64_FORMAT ",'group_id':%s}}", user, group);

  return reply_take_status (rig_create (rig, body, NULL));
}

static void
test_assigns_to_agents_of_the_group_if_told_so (void)
{
  g_autoptr (Rig) rig = rig_with_account (account, "--check-assignees", NULL);
  gint64 ann = find_user (rig, "360000001002"), bob = find_user (rig, "80");
  g_autofree char *end_user = quoted ("{'ticket':{'comment':'c','requester':{'name':'E',"
                                      "'email':'e@x.example'},'group_id':80}}");
  g_autofree char *move = quoted ("{'ticket':{'group_id':360000001002}}");

  assert_int (assign (rig, ann, "80"), 201);
  assert_int (assign (rig, ann, "360000001002"), 201);
  assert_int (assign (rig, bob, "80"), 201);
  assert_int (assign (rig, bob, "360000001002"), 422);
  assert_int (assign (rig, bob, "null"), 201);
  assert_int (assign (rig, 7, "80"), 422);
  g_autoptr (Reply) made = rig_create (rig, end_user, NULL);
  assert_int (assign (rig, number_at (made->json, "ticket.requester_id"), "80"), 422);
  /* Also when only the group is changed. */
  assert_int (reply_take_status (rig_call (rig, "PUT", "/api/v2/tickets/1", move, NULL)), 200);
  assert_int (reply_take_status (rig_call (rig, "PUT", "/api/v2/tickets/3", move, NULL)), 422);
}

static void
test_keeps_status_and_custom_status_in_step (void)
{
  static const char own[] = "{'custom_statuses':[{'status_category':'open','default':true},"
                            "{'id':9,'status_category':'pending','agent_label':'Waiting'}]}";
  g_autoptr (Rig) rig = rig_with_account (own, NULL, NULL);
  g_autoptr (Reply) custom
      = rig_create (rig, "{'ticket':{'comment':'c','custom_status_id':9}}", NULL);
  g_autoptr (Reply) plain = rig_create (rig, "{'ticket':{'comment':'c','status':'open'}}", NULL);
  g_autofree char *status = at (custom->json, "ticket.status");

  assert_text (status, "pending");
  assert_int (number_at (custom->json, "ticket.custom_status_id"), 9);
  assert_int (number_at (plain->json, "ticket.custom_status_id"), 360000004001);
}

static void
test_sends_groups_along (void)
{
  g_autoptr (Rig) rig = rig_with_account (account, NULL, NULL);

  reply_free (rig_create (rig, "{'ticket':{'comment':'c','group_id':80}}", NULL));
  g_autoptr (Reply) reply = rig_get (rig, "/api/v2/tickets.json?include=groups,custom_statuses");
  g_autofree char *name = at (reply->json, "groups.0.name");
  g_autofree char *label = at (reply->json, "custom_statuses.0.agent_label");

  assert_text (name, "First");
  assert_text (label, "New");
}

static void
test_lets_a_deleted_ticket_come_back (void)
{
  g_autofree char *folder = g_dir_make_tmp ("emulator-XXXXXX", NULL);
  g_autofree char *state = g_build_filename (folder, "state", NULL);
  g_autoptr (Rig) rig = rig_new ("--state", state, NULL);

  for (guint i = 0; i < 3; i++)
    reply_free (rig_create (
        rig, "{'ticket':{'subject':'s','status':'open','comment':'c','external_id':'x'}}", NULL));
  for (guint i = 1; i <= 2; i++)
    {
      g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%u.json", i);

      reply_free (rig_call (rig, "DELETE", path, NULL, NULL));
    }
  assert_int (rig_count (rig, "duplicates"), 0);
  g_autoptr (Reply) deleted = rig_get (rig, "/api/v2/deleted_tickets.json");
  g_autofree char *before = at (deleted->json, "deleted_tickets.0.previous_state");
  g_autofree char *actor = at (deleted->json, "deleted_tickets.1.actor.name");
  assert_int (number_at (deleted->json, "count"), 2);
  assert_text (before, "open");
  assert_text (actor, "Emulator Admin");

  g_autoptr (Reply) restored
      = rig_call (rig, "PUT", "/api/v2/deleted_tickets/1/restore.json", NULL, NULL);
  assert_int (restored->status, 200);
  assert_text (restored->body, "{}");
  assert_int (reply_take_status (
                  rig_call (rig, "PUT", "/api/v2/deleted_tickets/1/restore.json", NULL, NULL)),
              404);
  assert_int (reply_take_status (rig_call (
                  rig, "PUT", "/api/v2/deleted_tickets/restore_many?ids=1,2,9", NULL, NULL)),
              200);
  rig_restart (rig, "--state", state, NULL);
  g_autoptr (Reply) none = rig_get (rig, "/api/v2/deleted_tickets.json");
  g_autoptr (Reply) listed = rig_get (rig, "/api/v2/tickets.json");
  assert_int (number_at (none->json, "count"), 0);
  assert_int (number_at (listed->json, "count"), 3);
  assert_int (rig_count (rig, "duplicates"), 1);
  assert_int (rig_count (rig, "tickets"), 3);
  g_unlink (state);
  g_rmdir (folder);
}

static void
test_deletes_for_good_and_says_so_in_exports (void)
{
  g_autofree char *folder = g_dir_make_tmp ("emulator-XXXXXX", NULL);
  g_autofree char *state = g_build_filename (folder, "state", NULL);
  g_autoptr (Rig) rig = rig_new ("--state", state, NULL);
  static const char export[] = "/api/v2/incremental/tickets.json?start_time=0";
  static const char events[]
      = "/api/v2/incremental/ticket_events.json?start_time=0&include=comment_events";
  g_autoptr (Reply) taken = rig_send (rig, "/api/v2/uploads?filename=a", "text/plain", "secret", 6);
  g_autofree char *token = at (taken->json, "upload.token");
  g_autofree char *content = at (taken->json, "upload.attachment.content_url");
  g_autofree char *body = g_strdup_printf (
      "{'ticket':{'subject':'s','tags':['t'],'comment':{'body':'secret','uploads':['%s']}}}",
      token);

  reply_free (rig_create (rig, body, NULL));
  assert_int (reply_take_status (rig_call (rig, "DELETE", "/api/v2/deleted_tickets/1", NULL, NULL)),
              404);
  reply_free (rig_call (rig, "DELETE", "/api/v2/tickets/1", NULL, NULL));
  rig_advance (rig, 100);
  g_autoptr (Reply) soft = rig_get (rig, export);
  g_autofree char *soft_status = at (soft->json, "tickets.0.status");
  g_autofree char *soft_subject = at (soft->json, "tickets.0.subject");
  assert_text (soft_status, "deleted");
  assert_text (soft_subject, "s");

  g_autoptr (Reply) queued = rig_call (rig, "DELETE", "/api/v2/deleted_tickets/1", NULL, NULL);
  g_autofree char *id = at (queued->json, "job_status.id");
  g_autofree char *path = g_strdup_printf ("/api/v2/job_statuses/%s", id);
  assert_int (queued->status, 200);
  rig_advance (rig, 100);
  g_autoptr (Reply) job = rig_get (rig, path);
  g_autofree char *status = at (job->json, "job_status.status");
  g_autofree char *success = at (job->json, "job_status.results.success");
  g_autofree char *total = at (job->json, "job_status.total");
  assert_text (status, "completed");
  assert_text (success, "true");
  assert_text (total, NULL);

  rig_restart (rig, "--state", state, NULL);
  rig_advance (rig, 100);
  g_autoptr (Reply) hard = rig_get (rig, export);
  g_autoptr (Reply) told = rig_get (rig, events);
  g_autofree char *subject = at (hard->json, "tickets.0.subject");
  g_autofree char *text = at (hard->json, "tickets.0.description");
  assert_text (subject, "SCRUBBED");
  assert_text (text, "X");
  assert_int (number_at (hard->json, "tickets.0.tags.#"), 0);
  assert_true (strstr (told->body, "secret") == NULL);
  assert_int (reply_take_status (rig_get (rig, strstr (content, "/attachments"))), 404);
  assert_int (
      reply_take_status (rig_call (rig, "PUT", "/api/v2/deleted_tickets/1/restore", NULL, NULL)),
      404);
  reply_free (rig_call (rig, "POST", "/_emulator/reset", NULL, NULL));
  g_unlink (state);
  g_rmdir (folder);
}

static void
test_lists_what_was_deleted_ten_times_a_minute (void)
{
  g_autoptr (Rig) rig = rig_new ("--plan", "enterprise", "--time-rate", "0", NULL);

  for (guint i = 0; i < 10; i++)
    assert_int (reply_take_status (rig_get (rig, "/api/v2/deleted_tickets")), 200);
  g_autoptr (Reply) refused = rig_get (rig, "/api/v2/deleted_tickets");
  g_autofree char *told = reply_header (refused, "Zendesk-RateLimit-deleted-tickets-index");
  assert_int (refused->status, 429);
  assert_contains (told, "total=10; remaining=0");
}

static const Promise promises[] = {
  { "has what every account has", test_has_what_every_account_has },
  { "has what it is told to have", test_has_what_it_is_told_to_have },
  { "says what is wrong with the account", test_says_what_is_wrong_with_the_account },
  { "assigns to agents of the group if told so", test_assigns_to_agents_of_the_group_if_told_so },
  { "keeps status and custom status in step", test_keeps_status_and_custom_status_in_step },
  { "sends groups along", test_sends_groups_along },
  { "lets a deleted ticket come back", test_lets_a_deleted_ticket_come_back },
  { "deletes for good, and says so in exports", test_deletes_for_good_and_says_so_in_exports },
  { "lists what was deleted ten times a minute", test_lists_what_was_deleted_ten_times_a_minute },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator account", promises, argc, argv);
}
