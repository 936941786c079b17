/* test_import.c: tickets with their past: what is sent, what is refused before, and what the emulator then has */
#include "comments.h"
#include "desk.h"
#include "promise.h"

#include <glib/gstdio.h>
#include <string.h>

#define URL "https://acme.zendesk.com"

static Desk *
new_desk (void)
{
  return desk_new ("url", URL, "access_token", "t", "run-tag", "false", "mode", "import", NULL);
}

/* --- columns --- */

static const struct
{
  const char *what, *columns, *message; /* NULL: they are taken */
} schemas[] = {
  { "a conversation", "requester_id bigint, comments jsonb", NULL },
  { "a description", "requester_id bigint, description text", NULL },
  { "all that only an import has",
    "requester.email text, submitter_id bigint, created_at timestamptz, updated_at timestamp, solved_at date, "
    "comments jsonb, description text, group text, assignee text, brand text, form text", NULL },
  { "nobody who asked", "comments jsonb", "an import needs to know who asked" },
  { "no text", "requester_id bigint, subject text", "a column \"comments\" or \"description\"" },
  { "a comment alone", "requester_id bigint, comment.body text", "is one of \"comments\" in an import" },
  { "a group in two ways", "requester_id bigint, description text, group text, group_id bigint",
    "\"group_id\" and \"group\" are both the ticket's group" },
  { "comments that are text", "requester_id bigint, comments text", "cast it with ::jsonb" },
  { "a time that is text", "requester_id bigint, description text, created_at text", "cast it with ::timestamptz" },
};

static void
test_columns_of_an_import (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemas); i++)
    {
      g_autoptr (Desk) desk = new_desk ();
      g_autoptr (GError) error = NULL;
      gboolean taken = desk_accept (desk, schemas[i].columns, &error);

      assert_row_int (schemas[i].what, taken, schemas[i].message == NULL);
      if (schemas[i].message != NULL)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, schemas[i].message);
      else
        assert_no_error (error);
    }
}

/* --- rendering --- */

#define BEGIN "{\"ticket\":{\"external_id\":\"desk:1\","
#define FIRST "\"author_id\":8,\"created_at\":\"2012-06-01T10:00:00Z\""

static const struct
{
  const char *what;
  const char *comments, *description; /* (nullable) */
  const char *result;                 /* the request behind the requester, or part of the reason why not */
  gboolean rejected;
} conversations[] = {
  { "a description is the first comment", NULL, "x",
    "\"comments\":[{\"author_id\":5,\"created_at\":\"2012-06-01T08:00:00Z\",\"body\":\"x\",\"public\":true}]" },
  { "a comment with all", "[{\"author_id\":8,\"created_at\":\"2012-06-01T10:00:00Z\",\"body\":\"a\",\"public\":false}]", NULL,
    "\"comments\":[{" FIRST ",\"body\":\"a\",\"public\":false}]" },
  { "public in words, author in digits, a time with a zone",
    "[{\"author_id\":\"8\",\"created_at\":\"2012-06-01T12:00:00+02:00\",\"body\":\"a\",\"public\":\"no\"}]", NULL,
    "\"comments\":[{" FIRST ",\"body\":\"a\",\"public\":false}]" },
  { "HTML, and public because nothing is said", "[{\"author_id\":8,\"created_at\":\"2012-06-01 10:00:00\",\"html_body\":\"<p>a\"}]",
    NULL, "\"comments\":[{" FIRST ",\"html_body\":\"<p>a\",\"public\":true}]" },
  { "NULLs are as good as nothing",
    "[{\"author_id\":8,\"created_at\":\"2012-06-01T10:00:00Z\",\"body\":\"a\",\"html_body\":null,\"public\":null}]", NULL,
    "\"comments\":[{" FIRST ",\"body\":\"a\",\"public\":true}]" },
  { "in the order of their times, the description first",
    "[{\"author_id\":7,\"created_at\":\"2012-06-03T10:00:00Z\",\"body\":\"c\"},"
    "{\"author_id\":8,\"created_at\":\"2012-06-01T10:00:00.5Z\",\"body\":\"b\"},"
    "{\"author_id\":8,\"created_at\":\"2012-06-01T10:00:00Z\",\"body\":\"a\"}]", "x",
    "\"comments\":[{\"author_id\":5,\"created_at\":\"2012-06-01T08:00:00Z\",\"body\":\"x\",\"public\":true},"
    "{" FIRST ",\"body\":\"a\",\"public\":true},{" FIRST ",\"body\":\"b\",\"public\":true},"
    "{\"author_id\":7,\"created_at\":\"2012-06-03T10:00:00Z\",\"body\":\"c\",\"public\":true}]" },
  { "of one time in the order in which they came",
    "[{\"author_id\":8,\"created_at\":\"2012-06-01T10:00:00Z\",\"body\":\"b\"},"
    "{\"author_id\":8,\"created_at\":\"2012-06-01T10:00:00Z\",\"body\":\"a\"}]", NULL,
    "\"comments\":[{" FIRST ",\"body\":\"b\",\"public\":true},{" FIRST ",\"body\":\"a\",\"public\":true}]" },
  { "without times as they came", "[{\"author_id\":8,\"body\":\"b\"},{\"author_id\":7,\"body\":\"a\"}]", NULL,
    "\"comments\":[{\"author_id\":8,\"body\":\"b\",\"public\":true},{\"author_id\":7,\"body\":\"a\",\"public\":true}]" },
  { "braces", "[{\"author_id\":8,\"body\":\"{{a}} \\\\{{b {{{c {d\"},{\"author_id\":8,\"html_body\":\"<b>{{a}}{\"}]", NULL,
    "\"comments\":[{\"author_id\":8,\"body\":\"\\\\{{a}} \\\\{{b \\\\{\\\\{{c {d\",\"public\":true},"
    "{\"author_id\":8,\"html_body\":\"<b>&#123;&#123;a}}{\",\"public\":true}]" },

  { "nothing", NULL, NULL, "the ticket has no text", TRUE },
  { "no comment", "[]", " ", "the ticket has no text", TRUE },
  { "no array", "{}", NULL, "comments: it is no JSON array", TRUE },
  { "no object", "[3]", NULL, "comments: comment 1: it is no object", TRUE },
  { "no author", "[{\"author_id\":8,\"body\":\"a\"},{\"author_id\":null,\"body\":\"a\"}]", NULL,
    "comments: comment 2: author_id: it has no author; \"placeholder\" names", TRUE },
  { "an author by name", "[{\"author_id\":\"Ann\",\"body\":\"a\"}]", NULL, "author_id: \"Ann\" is no id", TRUE },
  { "no time", "[{\"author_id\":8,\"created_at\":\"June\",\"body\":\"a\"}]", NULL, "created_at: \"June\" is no time", TRUE },
  { "some without a time", "[{\"author_id\":8,\"created_at\":\"2012-06-01T10:00:00Z\",\"body\":\"a\"},{\"author_id\":8,\"body\":\"a\"}]",
    NULL, "comment 2: it has no \"created_at\", but others have", TRUE },
  { "before 1970", "[{\"author_id\":8,\"created_at\":\"1969-12-31T23:59:59Z\",\"body\":\"a\"}]", NULL,
    "comment 1: created_at: it lies before 1970", TRUE },
  { "to come", "[{\"author_id\":8,\"created_at\":\"2199-06-01T10:00:00Z\",\"body\":\"a\"}]", NULL,
    "created_at: it lies in the future", TRUE },
  { "a blank text", "[{\"author_id\":8,\"body\":\" \"}]", NULL, "comment 1: it has no text", TRUE },
  { "a text that is none", "[{\"author_id\":8,\"body\":3}]", NULL, "body: \"3\" is no text", TRUE },
  { "two texts", "[{\"author_id\":8,\"body\":\"a\",\"html_body\":\"a\"}]", NULL, "only one can count", TRUE },
  { "public of any kind", "[{\"author_id\":8,\"body\":\"a\",\"public\":\"maybe\"}]", NULL, "public: \"maybe\" is no boolean", TRUE },
  { "a column too many", "[{\"author_id\":8,\"body\":\"a\",\"poster\":\"Ann\"}]", NULL,
    "\"poster\" is no member of a comment, which has: author_id", TRUE },
  { "a NUL", "[{\"author_id\":8,\"body\":\"a\\u0000b\"}]", NULL, "NUL", TRUE },
};

static void
test_a_conversation_is_sent_as_it_was (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (conversations); i++)
    {
      const char *row[] = { "5", "2012-06-01 10:00:00+02", conversations[i].comments, conversations[i].description };
      g_autoptr (Desk) desk = new_desk ();
      g_autoptr (GError) error = NULL;

      assert_true (desk_accept (desk, "requester_id bigint, created_at timestamptz, comments jsonb, description text", &error));
      assert_no_error (error);
      desk_add_row (desk, row);
      g_autofree char *body = desk_render (desk, 0, "desk:1", &error);
      g_autofree char *whole = g_strconcat (BEGIN, conversations[i].result,
                                            ",\"requester_id\":5,\"created_at\":\"2012-06-01T08:00:00Z\"}}", NULL);

      if (conversations[i].rejected)
        {
          assert_row_text (conversations[i].what, body, NULL);
          assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, conversations[i].result);
        }
      else
        {
          assert_row_text (conversations[i].what, error != NULL ? error->message : body, whole);
          g_clear_error (&error);
        }
    }
}

static const struct
{
  const char *what, *columns, *values[5], *result;
  gboolean rejected;
} members[] = {
  { "its times", "requester_id bigint, description text, updated_at timestamp, solved_at date",
    { "5", "x", "2012-06-03 10:00:00", "2012-06-02" },
    "\"requester_id\":5,\"updated_at\":\"2012-06-03T10:00:00Z\",\"solved_at\":\"2012-06-02T00:00:00Z\"" },
  { "the submitter wrote the description", "requester_id bigint, description text, submitter_id bigint", { "5", "x", "6" },
    "\"comments\":[{\"author_id\":6," },
  { "a new requester", "requester.email text, requester.name text, description text", { "a@b.c", "A", "x" },
    "\"comments\":[{\"body\":\"x\",\"public\":true}],\"requester\":{\"name\":\"A\",\"email\":\"a@b.c\"}" },
  { "solved before 1970", "requester_id bigint, description text, solved_at date", { "5", "x", "1969-01-01" },
    "solved_at: it lies before 1970", TRUE },
  { "updated tomorrow", "requester_id bigint, description text, updated_at date", { "5", "x", "2999-01-01" },
    "updated_at: it lies in the future", TRUE },
  { "nobody asked", "requester_id bigint, description text", { NULL, "x" }, "requester_id: nobody is given; \"placeholder\"", TRUE },
  { "nobody asked, by address", "requester.email text, description text", { NULL, "x" }, "requester_id: nobody is given", TRUE },
  { "nobody submitted", "requester_id bigint, submitter_id bigint, description text", { "5", NULL, "x" },
    "submitter_id: nobody is given", TRUE },
  { "a wrong status", "requester_id bigint, description text, status text", { "5", "x", "done" }, "status: \"done\" is none of", TRUE },
};

static void
test_members_of_an_import (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_autoptr (Desk) desk = new_desk ();
      g_autoptr (GError) error = NULL;

      assert_true (desk_accept (desk, members[i].columns, &error));
      assert_no_error (error);
      desk_add_row (desk, members[i].values);
      g_autofree char *body = desk_render (desk, 0, "desk:1", &error);
      if (members[i].rejected)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, members[i].result);
      else
        {
          assert_no_error (error);
          assert_contains (body != NULL ? body : members[i].what, members[i].result);
        }
    }
}

static void
test_somebody_stands_for_those_who_are_not_known (void)
{
  g_autoptr (Desk) desk = new_desk ();
  g_autoptr (GError) error = NULL;

  desk->sink->placeholder = 99;
  assert_true (desk_accept (desk, "requester_id bigint, submitter_id bigint, comments jsonb", &error));
  desk_add_row (desk, (const char *[]){ NULL, NULL, "[{\"body\":\"a\"},{\"author_id\":8,\"body\":\"b\"}]" });
  g_autofree char *body = desk_render (desk, 0, "desk:1", &error);
  assert_no_error (error);
  assert_text (body, BEGIN "\"comments\":[{\"author_id\":99,\"body\":\"a\",\"public\":true},"
                           "{\"author_id\":8,\"body\":\"b\",\"public\":true}],\"requester_id\":99,\"submitter_id\":99}}");
  assert_int (desk->ctx.warnings->len, 1);
  assert_contains (desk->ctx.warnings->pdata[0], "who is not known");
}

static char *
render_long (Desk *desk, const char *member, gsize length, guint n, GError **error)
{
  g_autofree char *text = g_strnfill (length, 'a');
  GString *json = g_string_new ("[");

  for (guint i = 0; i < n; i++)
    g_string_append_printf (json, "%s{\"author_id\":8,\"created_at\":\"2012-06-01T10:00:00Z\",\"%s\":\"%s\",\"public\":false}",
                            i > 0 ? "," : "", member, text);
  g_string_append_c (json, ']');
  g_autofree char *comments = g_string_free (json, FALSE);
  assert_true (desk_accept (desk, "requester_id bigint, comments jsonb", NULL));
  desk_add_row (desk, (const char *[]){ "5", comments });
  return desk_render (desk, 0, "desk:1", error);
}

static guint
count (const char *text, const char *part)
{
  guint n = 0;

  while ((text = strstr (text, part)) != NULL)
    {
      text += strlen (part);
      n++;
    }
  return n;
}

static void
test_a_long_comment_becomes_several_of_one_author_and_time (void)
{
  g_autoptr (Desk) strict = new_desk (), desk = new_desk (), html = new_desk (), many = new_desk ();
  g_autoptr (GError) error = NULL;
  g_autofree char *refused = render_long (strict, "body", ZENDESK_MAX_BODY + 1, 1, &error);

  assert_text (refused, NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "comments: comment 1: its text has 65536 bytes");
  g_clear_error (&error);

  desk->sink->long_body = html->sink->long_body = many->sink->long_body = ZENDESK_LONG_SPLIT;
  g_autofree char *body = render_long (desk, "body", 2 * ZENDESK_MAX_BODY, 1, &error);
  assert_no_error (error);
  assert_int (count (body, FIRST), 3);
  assert_int (count (body, "\"public\":false"), 3);
  assert_contains (body, "[part 2 of 3, tallyman ");
  assert_true (strchr (body, '\n') == NULL);

  g_autofree char *whole = render_long (html, "html_body", ZENDESK_MAX_BODY + 1, 1, &error);
  assert_text (whole, NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "its text has 65536 bytes");
  g_clear_error (&error);

  g_autofree char *most = render_long (many, "body", 1, ZENDESK_MAX_COMMENTS, &error);
  assert_no_error (error);
  assert_int (count (most, FIRST), ZENDESK_MAX_COMMENTS);
  g_autoptr (Desk) more = new_desk ();
  g_autofree char *beyond = render_long (more, "body", 1, ZENDESK_MAX_COMMENTS + 1, &error);
  assert_text (beyond, NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "there are 5001 comments, and a ticket takes 5000");
}

/* --- against the emulator --- */

static Desk *
open_desk (Emulator *emulator, const char *columns, const char *option, const char *value)
{
  Desk *desk = desk_new ("url", emulator->url, "access_token", "t0ken", "timeout", "10s", "run-tag", "false", "mode", "import",
                         option, value, NULL);
  g_autoptr (GError) error = NULL;

  assert_true (desk_check (desk, &error) && desk_accept (desk, columns, &error) && desk_open (desk, &error));
  assert_no_error (error);
  return desk;
}

static TallyDelivery *
send_row (Desk *desk, const char *const *row)
{
  g_autoptr (GError) error = NULL;
  TallyDelivery *delivery;

  tally_batch_clear (desk->batch);
  desk_add_row (desk, row);
  g_autofree char *body = desk_render (desk, 0, "desk:1", &error);
  assert_no_error (error);
  delivery = desk_send (desk, "k1", "desk:1", body);
  desk_finish (desk);
  return delivery;
}

#define TALK                                                                                                    \
  "[{\"author_id\":8,\"created_at\":\"2012-06-02T10:00:00Z\",\"body\":\"second\",\"public\":false},"           \
  "{\"author_id\":7,\"created_at\":\"2012-06-01T10:00:00Z\",\"body\":\"first\"}]"

static void
test_an_import_keeps_its_past_and_nobody_is_told (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator, "requester_id bigint, created_at timestamptz, status text, comments jsonb",
                                     NULL, NULL);
  TallyDelivery *delivery = send_row (desk, (const char *[]){ "7", "2012-06-01 10:00:00Z", "solved", TALK });

  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  assert_text (delivery->target_id, "1");
  g_autofree char *ticket = emulator_ask (emulator, "GET", "/api/v2/tickets/1.json", NULL);
  g_autofree char *comments = emulator_ask (emulator, "GET", "/api/v2/tickets/1/comments.json", NULL);
  g_autofree char *history = emulator_ask (emulator, "GET", "/_emulator/history", NULL);
  assert_contains (ticket, "\"created_at\":\"2012-06-01T10:00:00Z\"");
  assert_contains (ticket, "\"external_id\":\"desk:1\"");
  assert_int (count (comments, "\"type\":\"Comment\""), 2);
  assert_true (strstr (comments, "\"body\":\"first\"") < strstr (comments, "\"body\":\"second\""));
  assert_contains (comments, "\"created_at\":\"2012-06-02T10:00:00Z\"");
  assert_contains (history, "\"notified\":false");
  assert_contains (history, "\"key\":null,\"external_id\":\"desk:1\"");
  assert_int (desk->ctx.warnings->len, 0);
}

static void
test_no_key_counts_for_an_import (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator, "requester_id bigint, description text", NULL, NULL);
  TallyDeliveryProfile profile = { .size = sizeof profile };

  desk->plugin->delivery->profile (desk->sink, &profile);
  assert_int (profile.key_life, 0);
  assert_true (profile.can_resolve);
  assert_text (profile.entity, "ticket");
}

static void
test_a_closed_ticket_goes_to_the_archive (void)
{
  g_autoptr (Emulator) emulator = emulator_new (NULL);
  g_autoptr (Desk) desk = open_desk (emulator, "requester_id bigint, description text, status text", "archive-immediately",
                                     "true");
  TallyDelivery *delivery = send_row (desk, (const char *[]){ "7", "x", "closed" });

  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  g_autofree char *found = emulator_ask (emulator, "GET", "/api/v2/tickets.json?external_id=desk:1", NULL);
  g_autofree char *ticket = emulator_ask (emulator, "GET", "/api/v2/tickets/1.json", NULL);
  assert_contains (found, "\"tickets\":[]");
  assert_contains (ticket, "\"external_id\":\"desk:1\"");
}

static void
test_an_author_who_is_nobody_is_told (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--check-authors", NULL);
  g_autoptr (Desk) desk = open_desk (emulator, "requester_id bigint, comments jsonb", NULL, NULL);
  TallyDelivery *delivery = send_row (desk, (const char *[]){ "7", "[{\"author_id\":404404,\"body\":\"a\"}]" });

  assert_int (delivery->verdict, TALLY_VERDICT_REJECTED);
  assert_contains (delivery->detail, "HTTP 422: RecordInvalid");
  assert_int (emulator_count (emulator, "created"), 0);
}

/* --- names and the placeholder --- */

static char *
write_account (void)
{
  static const char json[] = "{\"groups\":[{\"id\":80,\"name\":\"Billing\",\"default\":true},{\"id\":81,\"name\":\"Twice\"},"
                             "{\"id\":82,\"name\":\"Twice\"}],"
                             "\"agents\":[{\"id\":500,\"name\":\"Ann\",\"email\":\"Ann@shop.example\",\"role\":\"agent\",\"groups\":[80]}],"
                             "\"brands\":[{\"id\":90,\"name\":\"Shop\"}],\"ticket_forms\":[{\"id\":95,\"name\":\"Default form\"}]}";
  char *path = NULL;
  int file = g_file_open_tmp ("account-XXXXXX.json", &path, NULL);

  g_close (file, NULL);
  g_file_set_contents (path, json, -1, NULL);
  return path;
}

static const struct
{
  const char *what, *values[4], *result;
  gboolean rejected;
} names[] = {
  { "all by name", { "Billing", "ANN@shop.example", "Shop", "Default form" },
    "\"assignee_id\":31994256429744,\"group_id\":80,\"brand_id\":90,\"ticket_form_id\":95" },
  { "none", { NULL }, "\"requester_id\":7}}" },
  { "a slip", { "Biling" }, "group: the account has no active group \"Biling\"; did you mean \"Billing\"?", TRUE },
  { "two of them", { "Twice" }, "group: several are called \"Twice\"; name it by its id, in a column \"group_id\"", TRUE },
  { "no agent", { NULL, "who@x" }, "assignee: the account has no active agent \"who@x\"", TRUE },
  { "no brand", { NULL, NULL, "Shopp" }, "brand: the account has no active brand \"Shopp\"; did you mean \"Shop\"?", TRUE },
  { "no form", { NULL, NULL, NULL, "zzz" }, "form: the account has no active ticket form \"zzz\"", TRUE },
};

static void
test_what_the_account_has_is_found_by_name (void)
{
  g_autofree char *account = write_account ();
  g_autoptr (Emulator) emulator = emulator_new ("--account", account, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (Desk) desk = open_desk (emulator, "requester_id bigint, description text, group text, assignee text, brand text, "
                                                   "form text", NULL, NULL);
      g_autoptr (GError) error = NULL;

      desk_add_row (desk, (const char *[]){ "7", "x", names[i].values[0], names[i].values[1], names[i].values[2], names[i].values[3] });
      g_autofree char *body = desk_render (desk, 0, "desk:1", &error);
      if (names[i].rejected)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, names[i].result);
      else
        {
          assert_no_error (error);
          assert_contains (body != NULL ? body : names[i].what, names[i].result);
        }
    }
  g_unlink (account);
}

static const struct
{
  const char *what, *user, *message; /* NULL: good */
} placeholders[] = {
  { "good", "{\"user\":{\"id\":99,\"active\":true,\"suspended\":false}}", NULL },
  { "suspended", "{\"user\":{\"id\":99,\"active\":true,\"suspended\":true}}", "placeholder 99: this user is suspended" },
  { "deleted", "{\"user\":{\"id\":99,\"active\":false,\"suspended\":false}}", "placeholder 99: this user has been deleted" },
  { "another", "{\"user\":{\"id\":98}}", "placeholder 99: the answer is not about this user" },
};

static void
test_the_placeholder_is_looked_at_first (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (placeholders); i++)
    {
      const Turn turns[] = { { answer (200, "{\"user\":{\"id\":7,\"role\":\"admin\"}}") }, { answer (200, placeholders[i].user) } };
      g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
      g_autoptr (Desk) desk = desk_new ("url", server_url (server), "access_token", "t", "mode", "import", "placeholder", "99",
                                        NULL);
      g_autoptr (GError) error = NULL;

      assert_true (desk_accept (desk, "requester_id bigint, description text", NULL));
      assert_row_int (placeholders[i].what, desk_open (desk, &error), placeholders[i].message == NULL);
      if (placeholders[i].message != NULL)
        assert_contains (error->message, placeholders[i].message);
    }
}

static const Promise promises[] = {
  { "columns of an import", test_columns_of_an_import },
  { "a conversation is sent as it was", test_a_conversation_is_sent_as_it_was },
  { "members of an import", test_members_of_an_import },
  { "somebody stands for those who are not known", test_somebody_stands_for_those_who_are_not_known },
  { "a long comment becomes several of one author and time", test_a_long_comment_becomes_several_of_one_author_and_time },
  { "an import keeps its past, and nobody is told", test_an_import_keeps_its_past_and_nobody_is_told },
  { "no key counts for an import", test_no_key_counts_for_an_import },
  { "a closed ticket goes to the archive", test_a_closed_ticket_goes_to_the_archive },
  { "an author who is nobody is told", test_an_author_who_is_nobody_is_told },
  { "what the account has is found by name", test_what_the_account_has_is_found_by_name },
  { "the placeholder is looked at first", test_the_placeholder_is_looked_at_first },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk import", promises, argc, argv);
}
