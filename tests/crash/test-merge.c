/* test-merge.c: one account moves into another, by the pipelines of pipelines/zendesk-to-zendesk, killed on the way
 *
 * Both are emulators; what the new one holds is compared with what the old one had: people in their organizations, tickets with what was said, by
 * whom, when, for whom, and the bytes of the files. Nobody gets mail.
 */
#include "failures.h"
#include <json-c/json.h>
#include <signal.h>
#include <string.h>

#define N_TICKETS 12

/* A JSON document with ' for ". (transfer full) the answer's member. */
static json_object *
ask (Rig *rig, const char *method, const char *path, const char *body, const char *member)
{
  g_autofree char *text = body != NULL ? g_strdelimit (g_strdup (body), "'", '"') : NULL;
  g_autofree char *answer = rig_ask (rig, method, path, text);
  json_object *whole = json_tokener_parse (answer), *part = NULL;

  if (member == NULL)
    return whole;
  json_object_object_get_ex (whole, member, &part);
  if (part == NULL)
    g_printerr ("%s %s: %s\n", method, path, answer);
  json_object_get (part);
  json_object_put (whole);
  return part;
}

static char *
dup_text (json_object *object, const char *name)
{
  json_object *value = NULL;

  json_object_object_get_ex (object, name, &value);
  return g_strdup (value != NULL ? json_object_get_string (value) : "null");
}

/* (transfer full) the member of what was made. */
static char *
make (Rig *rig, const char *path, const char *body, const char *entity, const char *member)
{
  json_object *made = ask (rig, "POST", path, body, entity);
  char *text = dup_text (made, member);

  json_object_put (made);
  return text;
}

static void
forget (char *text)
{
  g_free (text);
}

static void
fill_old_account (Rig *old)
{
  forget (make (old, "/api/v2/organizations.json", "{'organization':{'name':'Acme','domain_names':['acme.example']}}", "organization",
                "id"));
  forget (make (old, "/api/v2/users.json", "{'user':{'name':'Ada','email':'ada@acme.example','skip_verify_email':true}}", "user", "id"));
  for (guint i = 1; i <= N_TICKETS; i++)
    {
      g_autofree char *content = g_strdup_printf ("the file of %u", i);
      g_autofree char *token = make (old, "/api/v2/uploads.json?filename=note.txt", content, "upload", "token");
      g_autofree char *body = g_strdup_printf ("{'ticket':{'subject':'Ticket %u','comment':{'body':'said %u','uploads':['%s']},"
                                               "'requester':{'email':'ada@acme.example'}}}", i, i, token);
      g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%u.json", i);

      forget (make (old, "/api/v2/tickets.json", body, "ticket", "id"));
      json_object_put (ask (old, "PUT", path, "{'ticket':{'status':'pending','comment':{'body':'a note','public':false}}}", "ticket"));
    }
  g_free (rig_ask (old, "POST", "/_emulator/clock", "{\"advance\":130}"));
}

static void
prepare (Rig *new, Rig *old, const char *placeholder)
{
  static const char *const names[] = { "organizations.yaml", "users.yaml", "tickets.yaml" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (g_getenv ("SOURCE_ROOT"), "pipelines/zendesk-to-zendesk", names[i], NULL), *text = NULL;

      g_file_get_contents (path, &text, NULL, NULL);
      rig_write (new, names[i], text);
    }
  rig_setenv (new, "TALLYMAN_CLOCK_RATE", RATE);
  rig_setenv (new, "OLD_URL", rig_url (old));
  rig_setenv (new, "OLD_TOKEN", "secret-of-old");
  rig_setenv (new, "ZENDESK_URL", rig_url (new));
  rig_setenv (new, "ZENDESK_TOKEN", "secret-of-new");
  rig_setenv (new, "ZENDESK_PLACEHOLDER", placeholder);
}

/* Id of the new account's ticket that was the old one's i. (transfer full) */
static json_object *
find_ticket (Rig *new, guint i)
{
  g_autofree char *path = g_strdup_printf ("/api/v2/tickets.json?external_id=old:%u", i);
  json_object *list = ask (new, "GET", path, NULL, "tickets"), *ticket = NULL;

  assert_row_int (path, json_object_array_length (list), 1);
  if (json_object_array_length (list) > 0)
    ticket = json_object_get (json_object_array_get_idx (list, 0));
  json_object_put (list);
  return ticket;
}

/* Who says what, for whom, with which files: "said 1|true|note.txt; a note|false|; " */
static char *
conversation (Rig *rig, const char *ticket)
{
  g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%s/comments.json", ticket);
  json_object *list = ask (rig, "GET", path, NULL, "comments");
  GString *out = g_string_new (NULL);

  for (gsize i = 0; i < json_object_array_length (list); i++)
    {
      json_object *comment = json_object_array_get_idx (list, i), *files = NULL;
      g_autofree char *body = dup_text (comment, "plain_body"), *is_public = dup_text (comment, "public");
      g_autofree char *at = dup_text (comment, "created_at");

      g_string_append_printf (out, "%s|%s|%s|", at, body, is_public);
      json_object_object_get_ex (comment, "attachments", &files);
      for (gsize k = 0; k < json_object_array_length (files); k++)
        {
          g_autofree char *name = dup_text (json_object_array_get_idx (files, k), "file_name");
          g_autofree char *url = dup_text (json_object_array_get_idx (files, k), "content_url");
          const char *place = strstr (url, "/attachments/");
          g_autofree char *content = place != NULL ? rig_ask (rig, "GET", place, NULL) : NULL;

          g_string_append_printf (out, "%s=%s", name, content);
        }
      g_string_append (out, "; ");
    }
  json_object_put (list);
  return g_string_free (out, FALSE);
}

static void
expect_same (Rig *old, Rig *new)
{
  g_autofree char *history = rig_ask (new, "GET", "/_emulator/history", NULL);

  assert_int (rig_tickets (new), N_TICKETS);
  assert_int (rig_emulator_count (new, "duplicates"), 0);
  assert_int (rig_emulator_count (new, "users_created"), 2);
  assert_int (rig_emulator_count (new, "organizations_created"), 1);
  assert_true (strstr (history, "\"notified\":true") == NULL);
  assert_true (strstr (history, "\"verification_mail\":true") == NULL);
  for (guint i = 1; i <= N_TICKETS; i++)
    {
      json_object *ticket = find_ticket (new, i);
      g_autofree char *number = g_strdup_printf ("%u", i), *id = dup_text (ticket, "id"), *status = dup_text (ticket, "status");
      g_autofree char *here = conversation (new, id), *there = conversation (old, number);

      assert_row_text (number, here, there);
      assert_contains (here, "note.txt=the file of ");
      assert_row_text (number, status, "pending");
      json_object_put (ticket);
    }
}

static void
test_an_account_moves (void)
{
  static const char *const points[] = { "after-send:1", "answer-read:2", "committed:2", "after-intent-commit:1", "after-send:7",
                                        "before-outcome-commit:2" };
  g_autoptr (Rig) old = rig_new (TRUE, "--time-rate", RATE, NULL);
  g_autoptr (Rig) new = rig_new (TRUE, "--time-rate", RATE, NULL);
  g_autofree char *nobody = make (new, "/api/v2/users.json", "{'user':{'name':'Nobody','skip_verify_email':true}}", "user", "id");
  int status = -1;

  fill_old_account (old);
  prepare (new, old, nobody);
  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    {
      rig_setenv (new, "TALLYMAN_CRASH", points[i]);
      status = rig_command (new, "run", rig_folder (new), NULL);
      if (status != 0 && status != 128 + SIGKILL)
        g_printerr ("%s", rig_errors (new));
    }
  rig_setenv (new, "TALLYMAN_CRASH", NULL);
  for (guint i = 0; i < 4 && status != 0; i++)
    status = rig_command (new, "run", rig_folder (new), NULL);
  if (!assert_int (status, 0))
    g_printerr ("%s", rig_errors (new));
  expect_same (old, new);
}

static const Promise promises[] = {
  { "one account moves into another, killed on the way", test_an_account_moves },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("failures: merge", promises, argc, argv);
}
