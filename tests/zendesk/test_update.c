/* test_update.c: tickets that are there are changed: what is sent, and what happens once */
#include "desk.h"
#include "promise.h"
#include "update.h"

#include <glib/gstdio.h>
#include <string.h>

#define MARK "[tallyman 97f87cfe3f8d]"

static Desk *
new_desk (const char *url, const char *columns, const char *option, const char *value)
{
  Desk *desk = desk_new ("url", url, "access_token", "t0ken", "timeout", "10s", "mode", "update", NULL);
  g_autoptr (GError) error = NULL;

  desk_set (desk, option, value);
  assert_true (desk_check (desk, &error) && desk_accept (desk, columns, &error));
  assert_no_error (error);
  return desk;
}

static Desk *
open_desk (Emulator *emulator, const char *columns, const char *option, const char *value)
{
  Desk *desk = new_desk (emulator->url, columns, option, value);
  g_autoptr (GError) error = NULL;

  assert_true (desk_open (desk, &error));
  assert_no_error (error);
  return desk;
}

static char *
render (Desk *desk, const char *const *row)
{
  g_autoptr (GError) error = NULL;
  char *body;

  tally_batch_clear (desk->batch);
  desk_add_row (desk, row);
  body = desk_render (desk, 0, "desk:1", &error);
  return body != NULL ? body : g_strdup (error->message);
}

static TallyDelivery *
send_row (Desk *desk, const char *const *row)
{
  g_autofree char *body = render (desk, row);
  TallyDelivery *delivery = desk_send (desk, "k1", "desk:1", body);

  desk_finish (desk);
  return delivery;
}

static TallyDelivery *
look_up (Desk *desk, const char *const *row)
{
  g_autofree char *body = render (desk, row);
  TallyDelivery *delivery = desk_resolve (desk, "k1", "desk:1", body);

  desk_finish (desk);
  return delivery;
}

/* Tickets 1 and 2. */
static Emulator *
new_account (const char *status)
{
  Emulator *emulator = emulator_new (NULL);

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *body = g_strdup_printf ("{\"ticket\":{\"external_id\":\"desk:%u\",\"status\":\"%s\",\"tags\":[\"a\",\"b\"],"
                                               "\"priority\":\"low\",\"comment\":{\"body\":\"first\"}}}", i, status);

      g_free (emulator_ask (emulator, "POST", "/api/v2/tickets.json", body));
    }
  return emulator;
}

static guint
count (Emulator *emulator, const char *path, const char *part)
{
  g_autofree char *text = emulator_ask (emulator, "GET", path, NULL);
  guint n = 0;

  for (const char *at = text; (at = strstr (at, part)) != NULL; at++)
    n++;
  return n;
}

/* --- columns and rendering --- */

static const struct
{
  const char *what, *columns, *message; /* NULL: they are taken */
} schemas[] = {
  { "a member", "id bigint, problem_id bigint", NULL },
  { "a comment", "id text, comment.body text, comment.public boolean, comment.author_id bigint, attachments jsonb", NULL },
  { "no id", "problem_id bigint", "an update needs to know its ticket: a column \"id\"" },
  { "nothing else", "id bigint", "nothing would be updated" },
  { "the past", "id bigint, created_at timestamptz", "only \"mode: import\" can set it" },
  { "the reference", "id bigint, external_id text", "is filled by" },
};

static void
test_columns_of_an_update (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemas); i++)
    {
      g_autoptr (Desk) desk = desk_new ("url", "https://acme.zendesk.com", "access_token", "t", "mode", "update", NULL);
      g_autoptr (GError) error = NULL;

      assert_row_int (schemas[i].what, desk_accept (desk, schemas[i].columns, &error), schemas[i].message == NULL);
      if (schemas[i].message != NULL)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, schemas[i].message);
    }
}

static const struct
{
  const char *what, *columns, *values[4], *result;
} rows[] = {
  { "what is given", "id bigint, problem_id bigint, priority text", { "2", "1", NULL }, "2\n{\"ticket\":{\"problem_id\":1}}" },
  { "a comment with its mark", "id bigint, comment.body text", { "2", "x" },
    "2\n{\"ticket\":{\"comment\":{\"body\":\"x\\n\\n" MARK "\",\"public\":true}}}" },
  { "a comment in HTML", "id bigint, comment.html_body text, comment.public boolean", { "2", "<b>x", "f" },
    "2\n{\"ticket\":{\"comment\":{\"html_body\":\"<b>x<p>" MARK "</p>\",\"public\":false}}}" },
  { "no comment, and what belongs to it", "id bigint, comment.body text, comment.public boolean, status text",
    { "2", NULL, "f", "open" }, "2\n{\"ticket\":{\"status\":\"open\"}}" },
  { "a blank comment", "id bigint, comment.body text", { "2", " " }, "the ticket has no text" },
  { "nothing", "id bigint, problem_id bigint", { "2", NULL }, "nothing is given to update; a \"filter\"" },
  { "no ticket", "id bigint, problem_id bigint", { NULL, "1" }, "\"id\" is NULL: which ticket is it?" },
  { "no id", "id text, problem_id bigint", { "x", "1" }, "id: \"x\" is no id" },
};

static void
test_only_what_is_given_is_sent (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Desk) desk = new_desk ("https://acme.zendesk.com", rows[i].columns, NULL, NULL);
      g_autofree char *body = render (desk, rows[i].values);

      if (rows[i].result[0] == '2')
        assert_row_text (rows[i].what, body, rows[i].result);
      else
        assert_contains (body, rows[i].result);
    }
}

static void
test_options_that_would_harm_are_refused (void)
{
  static const char *const options[][3] = { { "tags", "a", "would replace the tags" },
                                            { "long-body", "split", "appends one comment" },
                                            { "archive-immediately", "true", "is for \"mode: import\"" } };

  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      g_autoptr (Desk) desk = desk_new ("url", "https://acme.zendesk.com", "access_token", "t", "mode", "update", NULL);
      g_autoptr (GError) error = NULL;

      desk_set (desk, options[i][0], options[i][1]);
      assert_true (!desk_check (desk, &error));
      assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, options[i][2]);
    }
}

/* --- against the emulator --- */

static void
test_a_ticket_is_changed_and_nothing_else_of_it (void)
{
  g_autoptr (Emulator) emulator = new_account ("open");
  g_autoptr (Desk) desk = open_desk (emulator, "id bigint, priority text", NULL, NULL);
  TallyDelivery *delivery = send_row (desk, (const char *[]){ "2", "high" });
  TallyDeliveryProfile profile = { .size = sizeof profile };

  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  assert_text (delivery->target_id, "2");
  g_autofree char *ticket = emulator_ask (emulator, "GET", "/api/v2/tickets/2.json", NULL);
  assert_contains (ticket, "\"priority\":\"high\"");
  assert_contains (ticket, "\"tags\":[\"a\",\"b\"]");
  assert_contains (ticket, "\"external_id\":\"desk:1\"");
  assert_int (count (emulator, "/api/v2/tickets/2/comments.json", "\"type\":\"Comment\""), 1);
  assert_int (count (emulator, "/api/v2/tickets/1.json", "\"priority\":\"low\""), 1);
  desk->plugin->delivery->profile (desk->sink, &profile);
  assert_text (profile.entity, "ticket update");
  assert_int (profile.key_life, 0);
}

static void
test_a_ticket_is_linked (void)
{
  g_autoptr (Emulator) emulator = new_account ("open");
  g_autoptr (Desk) desk = open_desk (emulator, "id bigint, type text, problem_id bigint", NULL, NULL);

  assert_int (send_row (desk, (const char *[]){ "2", "incident", "1" })->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (count (emulator, "/api/v2/tickets/2.json", "\"problem_id\":1,"), 1);
}

static const struct
{
  const char *what, *id, *status;
  TallyVerdict verdict;
  const char *detail;
} tickets[] = {
  { "closed", "2", "closed", TALLY_VERDICT_REJECTED, "closed" },
  { "not there", "77", "open", TALLY_VERDICT_REJECTED, "HTTP 404" },
};

static void
test_a_ticket_that_cannot_be_changed_is_told (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (tickets); i++)
    for (guint safe = 0; safe < 2; safe++)
      {
        g_autoptr (Emulator) emulator = new_account (tickets[i].status);
        g_autoptr (Desk) desk = open_desk (emulator, "id bigint, priority text", "safe-update", safe ? "true" : "false");
        TallyDelivery *delivery = send_row (desk, (const char *[]){ tickets[i].id, "high" });

        assert_row_int (tickets[i].what, delivery->verdict, tickets[i].verdict);
        assert_contains (delivery->detail, tickets[i].detail);
        assert_int (look_up (desk, (const char *[]){ tickets[i].id, "high" })->verdict, TALLY_VERDICT_ABSENT);
      }
}

#define COMMENTS() count (emulator, "/api/v2/tickets/2/comments.json", "\"type\":\"Comment\"")

static void
test_a_comment_is_appended_once (void)
{
  static const struct
  {
    const char *fault;
    gboolean acted;
  } faults[] = {
    { "'kind':'drop-after'", TRUE },  { "'kind':'drop-before'", FALSE }, { "'kind':'status-after','status':502", TRUE },
    { "'kind':'status','status':500", FALSE }, { "'kind':'cut-body'", TRUE }, { "'kind':'empty'", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autoptr (Emulator) emulator = new_account ("open");
      g_autoptr (Desk) desk = open_desk (emulator, "id bigint, comment.body text", NULL, NULL);
      g_autofree char *fault = g_strdup_printf ("{%s,'method':'PUT'}", faults[i].fault);
      const char *row[] = { "2", "see the manual" };

      emulator_set_faults (emulator, fault);
      assert_row_int (faults[i].fault, send_row (desk, row)->verdict, TALLY_VERDICT_UNKNOWN);
      assert_row_int (faults[i].fault, look_up (desk, row)->verdict,
                      faults[i].acted ? TALLY_VERDICT_DELIVERED : TALLY_VERDICT_ABSENT);
      if (!faults[i].acted)
        assert_int (send_row (desk, row)->verdict, TALLY_VERDICT_DELIVERED);
      assert_row_int (faults[i].fault, COMMENTS (), 2);
      assert_int (look_up (desk, row)->verdict, TALLY_VERDICT_DELIVERED);
    }
}

static void
test_the_state_of_a_ticket_tells_whether_it_was_updated (void)
{
  static const char columns[] = "id bigint, priority text, tags text, custom_fields.Legacy number text";
  g_autoptr (Emulator) emulator = new_account ("open");
  g_autoptr (Desk) desk = open_desk (emulator, columns, NULL, NULL);
  const char *row[] = { "2", "high", "b, c", "X-7" };

  assert_int (look_up (desk, row)->verdict, TALLY_VERDICT_ABSENT);
  emulator_set_faults (emulator, "{'kind':'drop-after','method':'PUT'}");
  assert_int (send_row (desk, row)->verdict, TALLY_VERDICT_UNKNOWN);
  assert_int (look_up (desk, row)->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (look_up (desk, (const char *[]){ "2", "high", "c b", "X-7" })->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (look_up (desk, (const char *[]){ "2", "high", "c", "X-7" })->verdict, TALLY_VERDICT_ABSENT);
  assert_int (look_up (desk, (const char *[]){ "2", "high", "b c", "X-8" })->verdict, TALLY_VERDICT_ABSENT);
  assert_int (look_up (desk, (const char *[]){ "2", "low", "b c", "X-7" })->verdict, TALLY_VERDICT_ABSENT);
}

static void
test_a_ticket_that_changed_meanwhile_is_read_again (void)
{
  const Turn turns[] = {
    { answer (200, "{\"user\":{\"id\":7,\"role\":\"admin\"}}") },
    { answer (200, "{\"ticket\":{\"id\":2,\"status\":\"open\",\"updated_at\":\"2023-01-01T00:00:00Z\"}}") },
    { answer (409, "{\"error\":\"UpdateConflict\",\"description\":\"Safe Update prevented the update\"}") },
    { answer (200, "{\"ticket\":{\"id\":2,\"status\":\"open\",\"updated_at\":\"2023-01-01T00:00:09Z\"}}") },
    { answer (200, "{\"ticket\":{\"id\":2}}") },
  };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = new_desk (server_url (server), "id bigint, priority text", NULL, NULL);
  const char *row[] = { "2", "high" };

  assert_true (desk_open (desk, NULL));
  assert_int (send_row (desk, row)->verdict, TALLY_VERDICT_BUSY);
  assert_int (send_row (desk, row)->verdict, TALLY_VERDICT_DELIVERED);
  g_autofree char *first = server_request (server, 2), *second = server_request (server, 4);
  assert_contains (first, "PUT /api/v2/tickets/2.json");
  assert_contains (first, "{\"ticket\":{\"priority\":\"high\",\"safe_update\":true,\"updated_stamp\":\"2023-01-01T00:00:00Z\"}}");
  assert_contains (second, "\"updated_stamp\":\"2023-01-01T00:00:09Z\"}}");
}

static void
test_without_safety_it_is_one_request (void)
{
  const Turn turns[] = { { answer (200, "{\"user\":{\"id\":7,\"role\":\"admin\"}}") }, { answer (200, "{\"ticket\":{\"id\":2}}") } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = new_desk (server_url (server), "id bigint, priority text", "safe-update", "false");

  assert_true (desk_open (desk, NULL));
  assert_int (send_row (desk, (const char *[]){ "2", "high" })->verdict, TALLY_VERDICT_DELIVERED);
  g_autofree char *request = server_request (server, 1);
  assert_contains (request, "\r\n\r\n{\"ticket\":{\"priority\":\"high\"}}");
}

static void
test_an_answer_about_another_ticket_is_unknown (void)
{
  const Turn turns[] = { { answer (200, "{\"user\":{\"id\":7,\"role\":\"admin\"}}") }, { answer (200, "{\"ticket\":{\"id\":3}}") } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  g_autoptr (Desk) desk = new_desk (server_url (server), "id bigint, priority text", "safe-update", "false");

  assert_true (desk_open (desk, NULL));
  assert_int (send_row (desk, (const char *[]){ "2", "high" })->verdict, TALLY_VERDICT_UNKNOWN);
}

static void
test_a_read_that_fails_acts_on_nothing (void)
{
  g_autoptr (Emulator) emulator = new_account ("open");
  g_autoptr (Desk) desk = open_desk (emulator, "id bigint, comment.body text", NULL, NULL);
  const char *row[] = { "2", "x" };

  emulator_set_faults (emulator, "[{'kind':'status','status':500,'method':'GET','path':'/api/v2/tickets/2'}]");
  assert_int (send_row (desk, row)->verdict, TALLY_VERDICT_BUSY);
  emulator_set_faults (emulator, "[{'kind':'status','status':500,'method':'GET','path':'/api/v2/tickets/2/comments'}]");
  assert_int (look_up (desk, row)->verdict, TALLY_VERDICT_BUSY);
  assert_int (COMMENTS (), 1);
}

static void
test_nothing_is_updated_once_the_run_may_not (void)
{
  g_autoptr (Emulator) emulator = new_account ("open");
  g_autoptr (Desk) desk = open_desk (emulator, "id bigint, priority text", NULL, NULL);
  TallyDelivery *delivery = desk_send (desk, "k1", "desk:1", "2\n{\"ticket\":{\"priority\":\"high\"}}");

  delivery->barred = TRUE;
  desk_finish (desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNSENT);
  assert_int (count (emulator, "/api/v2/tickets/2.json", "\"priority\":\"low\""), 1);
}

static void
test_an_appended_comment_has_its_files (void)
{
  g_autofree char *folder = g_dir_make_tmp ("update-XXXXXX", NULL), *path = g_build_filename (folder, "a.txt", NULL);
  g_autoptr (Emulator) emulator = new_account ("open");
  g_autoptr (Desk) desk = open_desk (emulator, "id bigint, comment.body text, attachments text", NULL, NULL);

  g_file_set_contents (path, "hello", -1, NULL);
  assert_int (send_row (desk, (const char *[]){ "2", "x", path })->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (count (emulator, "/api/v2/tickets/2/comments.json", "\"file_name\":\"a.txt\""), 1);
  g_unlink (path);
  g_rmdir (folder);
}

static const Promise promises[] = {
  { "columns of an update", test_columns_of_an_update },
  { "only what is given is sent", test_only_what_is_given_is_sent },
  { "options that would harm are refused", test_options_that_would_harm_are_refused },
  { "a ticket is changed, and nothing else of it", test_a_ticket_is_changed_and_nothing_else_of_it },
  { "a ticket is linked", test_a_ticket_is_linked },
  { "a ticket that cannot be changed is told", test_a_ticket_that_cannot_be_changed_is_told },
  { "G9: a comment is appended once", test_a_comment_is_appended_once },
  { "the state of a ticket tells whether it was updated", test_the_state_of_a_ticket_tells_whether_it_was_updated },
  { "a ticket that changed meanwhile is read again", test_a_ticket_that_changed_meanwhile_is_read_again },
  { "without safety it is one request", test_without_safety_it_is_one_request },
  { "an answer about another ticket is unknown", test_an_answer_about_another_ticket_is_unknown },
  { "a read that fails acts on nothing", test_a_read_that_fails_acts_on_nothing },
  { "nothing is updated once the run may not", test_nothing_is_updated_once_the_run_may_not },
  { "an appended comment has its files", test_an_appended_comment_has_its_files },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk update", promises, argc, argv);
}
