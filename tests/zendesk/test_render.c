/* test_render.c: which columns are taken, and the bytes that come of them */
#include "desk.h"
#include "parts.h"
#include "promise.h"
#include "text.h"

#include <string.h>

#define URL "https://acme.zendesk.com"

static Desk *
new_desk (void)
{
  return desk_new ("url", URL, "access_token", "t", "run-tag", "false", NULL);
}

/* --- columns --- */

static const struct
{
  const char *what, *columns;
  const char *message; /* (nullable) part of it; NULL: they are taken */
} schemas[] = {
  { "a text alone", "comment.body text", NULL },
  { "a description is a text", "description text", NULL },
  { "as HTML", "comment.html_body text", NULL },
  { "all that a ticket has",
    "subject text, comment.body text, comment.public boolean, comment.author_id bigint, comment.uploads jsonb, "
    "requester_id bigint, requester.name text, requester.email text, requester.locale_id bigint, submitter_id numeric, "
    "assignee_id text, group_id bigint, organization_id bigint, type text, priority text, status text, "
    "custom_status_id bigint, due_at timestamptz, problem_id bigint, brand_id bigint, ticket_form_id bigint, "
    "collaborators jsonb, email_ccs jsonb, followers jsonb, recipient text, via.channel text, "
    "via_followup_source_id bigint, tags text", NULL },
  { "custom fields, whatever their type", "comment.body text, custom_fields.Severity text, custom_fields.123 bigint", NULL },
  { "an ignored column", "comment.body text, old_id text", NULL },
  { "no text", "subject text", "a ticket needs a text: a column \"comment.body\"" },
  { "two texts", "comment.body text, description text", "\"description\" and \"comment.body\" are both" },
  { "two forms of a text", "comment.body text, comment.html_body text", "are both the ticket's text" },
  { "a slip", "comment.body text, priorty text", "did you mean \"priority\"?" },
  { "a slip behind a dot", "comment.boby text", "did you mean \"comment.body\"?" },
  { "something else", "comment.body text, Fix Version text", "column \"Fix Version\" is no member of a ticket; leave it out" },
  { "the reference", "comment.body text, external_id text", "is filled by the pipeline's \"origin\"" },
  { "the id", "comment.body text, id bigint", "is given by Zendesk; rename the column, or use it as the key" },
  { "a time that only an import sets", "comment.body text, created_at timestamptz", "only \"mode: import\" can set it" },
  { "an object as a whole", "comment.body text, requester jsonb", "name its members" },
  { "fields as a whole", "comment.body text, custom_fields jsonb", "as \"custom_fields.Severity\"" },
  { "a field without a name", "comment.body text, custom_fields. text", "names no field" },
  { "a number for a text", "comment.body text, subject bigint", "\"subject\" cannot be of type bigint; cast it with ::text" },
  { "a float for an id", "comment.body text, group_id float8", "cannot be of type double precision; cast it with ::bigint" },
  { "a text for a time", "comment.body text, type text, due_at text", "cast it with ::timestamptz" },
  { "a text for a list", "comment.body text, collaborators text", "cast it with ::jsonb" },
  { "a due time without a type", "comment.body text, due_at date", "there is no column \"type\"" },
};

static void
test_columns_are_held_against_the_table (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemas); i++)
    {
      g_autoptr (Desk) desk = desk_new ("url", URL, "access_token", "t", "ignore", "old_id", NULL);
      g_autoptr (GError) error = NULL;
      gboolean taken = desk_accept (desk, schemas[i].columns, &error);

      assert_row_int (schemas[i].what, taken, schemas[i].message == NULL);
      if (schemas[i].message != NULL)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, schemas[i].message);
      else
        assert_no_error (error);
    }
}

/* --- values --- */

#define BEGIN "{\"ticket\":{\"external_id\":\"desk:1\","
#define TEXT "\"comment\":{\"body\":\"x\",\"public\":true}"

static const struct
{
  const char *what, *columns;
  const char *values[4]; /* NULL is NULL */
  const char *result;    /* the request, or part of the reason why not */
  gboolean rejected;
} values[] = {
  { "a text", "comment.body text", { "x" }, BEGIN TEXT "}}" },
  { "escapes", "comment.body text", { "a\"b\\c\n\té\x01" },
    BEGIN "\"comment\":{\"body\":\"a\\\"b\\\\c\\n\\té\\u0001\",\"public\":true}}}" },
  { "a description is the first comment", "description text", { "x" }, BEGIN TEXT "}}" },
  { "HTML", "comment.html_body text", { "<p>x" }, BEGIN "\"comment\":{\"html_body\":\"<p>x\",\"public\":true}}}" },
  { "a private comment", "comment.body text, comment.public boolean", { "x", "f" },
    BEGIN "\"comment\":{\"body\":\"x\",\"public\":false}}}" },
  { "private in words", "comment.body text, comment.public text", { "x", "No" },
    BEGIN "\"comment\":{\"body\":\"x\",\"public\":false}}}" },
  { "members of one object stand together, whatever the columns' order",
    "requester.email text, subject text, comment.body text, requester.name text", { "a@b.c", "s", "x", "A" },
    BEGIN "\"subject\":\"s\"," TEXT ",\"requester\":{\"name\":\"A\",\"email\":\"a@b.c\"}}}" },
  { "NULL is left out", "comment.body text, subject text, priority text", { "x", NULL, NULL }, BEGIN TEXT "}}" },
  { "ids from text and numbers", "comment.body text, group_id text, assignee_id numeric", { "x", " 33144647570963 ", "7" },
    BEGIN TEXT ",\"assignee_id\":7,\"group_id\":33144647570963}}" },
  { "a time", "comment.body text, type text, due_at timestamptz", { "x", "task", "2023-09-18 23:25:58.5+02" },
    BEGIN TEXT ",\"type\":\"task\",\"due_at\":\"2023-09-18T21:25:58Z\"}}" },
  { "a time before 2000", "comment.body text, type text, due_at timestamp", { "x", "task", "1999-12-31 23:59:59.5" },
    BEGIN TEXT ",\"type\":\"task\",\"due_at\":\"1999-12-31T23:59:59Z\"}}" },
  { "a day", "comment.body text, type text, due_at date", { "x", "task", "2024-02-29" },
    BEGIN TEXT ",\"type\":\"task\",\"due_at\":\"2024-02-29T00:00:00Z\"}}" },
  { "tags of a text", "comment.body text, tags text", { "x", "a, b  c,a" }, BEGIN TEXT ",\"tags\":[\"a\",\"b\",\"c\"]}}" },
  { "tags of an array", "comment.body text, tags jsonb", { "x", "[\"a\", null, \"b\", 3]" },
    BEGIN TEXT ",\"tags\":[\"a\",\"b\",\"3\"]}}" },
  { "tags of a text in jsonb", "comment.body text, tags jsonb", { "x", "\"a,b\"" }, BEGIN TEXT ",\"tags\":[\"a\",\"b\"]}}" },
  { "no tags", "comment.body text, tags text", { "x", "" }, BEGIN TEXT "}}" },
  { "people", "comment.body text, collaborators jsonb", { "x", "[601, {\"email\": \"a@b.c\"}]" },
    BEGIN TEXT ",\"collaborators\":[601, {\"email\": \"a@b.c\"}]}}" },
  { "an upload", "comment.body text, comment.uploads text", { "x", "tok" },
    BEGIN "\"comment\":{\"body\":\"x\",\"public\":true,\"uploads\":[\"tok\"]}}}" },

  { "no text", "comment.body text", { NULL }, "the ticket has no text: \"comment.body\" is empty", TRUE },
  { "a blank text", "comment.body text", { " \n\xc2\xa0\t" }, "the ticket has no text", TRUE },
  { "an unknown priority", "comment.body text, priority text", { "x", "Major" },
    "priority: \"Major\" is none of: low, normal, high, urgent", TRUE },
  { "an empty status", "comment.body text, status text", { "x", "" }, "status: \"\" is none of: new, open", TRUE },
  { "an id of letters", "comment.body text, group_id text", { "x", "sales" }, "group_id: \"sales\" is no id", TRUE },
  { "id zero", "comment.body text, group_id bigint", { "x", "0" }, "is no id", TRUE },
  { "an id with a fraction", "comment.body text, group_id numeric", { "x", "1.5" }, "is no id", TRUE },
  { "no boolean", "comment.body text, comment.public text", { "x", "maybe" }, "comment.public: \"maybe\" is no boolean", TRUE },
  { "the end of time", "comment.body text, type text, due_at timestamptz", { "x", "task", "infinity" }, "due_at: ", TRUE },
  { "due, but no task", "comment.body text, type text, due_at date", { "x", "problem", "2024-02-29" },
    "\"due_at\" is set, but \"type\" is not \"task\"", TRUE },
  { "two requesters", "comment.body text, requester_id bigint, requester.email text", { "x", "5", "a@b.c" },
    "only one can count", TRUE },
  { "a tag of two words", "comment.body text, tags jsonb", { "x", "[\"two words\"]" },
    "tags: \"two words\" is no single word", TRUE },
  { "tags of an object", "comment.body text, tags jsonb", { "x", "{}" }, "tags: \"{}\" is no JSON array", TRUE },
  { "people in no list", "comment.body text, followers jsonb", { "x", "{\"user_id\": 1}" }, "is no JSON array", TRUE },
};

static void
test_each_value_becomes_what_zendesk_wants (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (Desk) desk = new_desk ();
      g_autoptr (GError) error = NULL;

      assert_true (desk_accept (desk, values[i].columns, &error));
      assert_no_error (error);
      desk_add_row (desk, values[i].values);
      g_autofree char *body = desk_render (desk, 0, "desk:1", &error);
      if (values[i].rejected)
        {
          assert_row_text (values[i].what, body, NULL);
          assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, values[i].result);
        }
      else
        {
          assert_row_text (values[i].what, error != NULL ? error->message : body, values[i].result);
          g_clear_error (&error);
        }
    }
}

static void
test_tags_of_the_sink_and_of_the_run_are_added (void)
{
  g_autoptr (Desk) desk = desk_new ("url", URL, "access_token", "t", "tags", "legacy", "tags", "b", NULL);

  assert_true (desk_accept (desk, "comment.body text, tags text", NULL));
  desk_add_row (desk, (const char *[]){ "x", "a b" });
  g_autofree char *body = desk_render (desk, 0, "desk:1", NULL);
  assert_text (body, BEGIN TEXT ",\"tags\":[\"a\",\"b\",\"legacy\",\"run-1\"]}}");
}

static void
test_a_row_always_gives_the_same_bytes (void)
{
  g_autoptr (Desk) desk = new_desk ();

  assert_true (desk_accept (desk, "tags text, subject text, comment.body text", NULL));
  desk_add_row (desk, (const char *[]){ "b a", "s", "x" });
  g_autofree char *one = desk_render (desk, 0, "desk:1", NULL);
  g_autofree char *other = desk_render (desk, 0, "desk:1", NULL);
  assert_text (one, other);
}

static void
test_placeholders_are_warned_of (void)
{
  g_autoptr (Desk) desk = new_desk ();

  assert_true (desk_accept (desk, "comment.body text", NULL));
  desk_add_row (desk, (const char *[]){ "Dear {{ticket.requester.name}}" });
  g_autofree char *body = desk_render (desk, 0, "desk:1", NULL);
  assert_true (body != NULL);
  assert_int (desk->ctx.warnings->len, 1);
}

/* --- custom fields --- */

#define FIELDS                                                                                     \
  "{\"ticket_fields\":["                                                                           \
  "{\"id\":1,\"type\":\"subject\",\"title\":\"Subject\",\"active\":true},"                         \
  "{\"id\":20,\"type\":\"text\",\"title\":\"Legacy number\",\"active\":true},"                     \
  "{\"id\":21,\"type\":\"checkbox\",\"title\":\"Escalated\",\"active\":true},"                     \
  "{\"id\":22,\"type\":\"date\",\"title\":\"Promised on\",\"active\":true},"                       \
  "{\"id\":23,\"type\":\"integer\",\"title\":\"Users\",\"active\":true},"                          \
  "{\"id\":24,\"type\":\"decimal\",\"title\":\"Refund v1.0\",\"active\":true},"                   \
  "{\"id\":25,\"type\":\"tagger\",\"title\":\"Severity\",\"active\":true,"                         \
  "\"custom_field_options\":[{\"value\":\"minor\"},{\"value\":\"major\"}]},"                       \
  "{\"id\":26,\"type\":\"multiselect\",\"title\":\"Components\",\"active\":true,"                  \
  "\"custom_field_options\":[{\"value\":\"mail\"},{\"value\":\"net\"}]},"                          \
  "{\"id\":27,\"type\":\"lookup\",\"title\":\"Contract\",\"active\":true},"                        \
  "{\"id\":28,\"type\":\"text\",\"title\":\"Region\",\"active\":true},"                            \
  "{\"id\":29,\"type\":\"text\",\"title\":\"Region\",\"active\":true},"                            \
  "{\"id\":30,\"type\":\"text\",\"title\":\"Fax\",\"active\":false},"                              \
  "{\"id\":31,\"type\":\"brandnew\",\"title\":\"New\",\"active\":true},"                           \
  "{\"title\":\"no id\"},3],\"next_page\":null}"

/* Accepts a text and one more column, and finds its field. */
static gboolean
resolve (Desk *desk, const char *column, GError **error)
{
  g_autofree char *columns = g_strconcat ("comment.body text, ", column, NULL);

  if (!desk_accept (desk, columns, error))
    return FALSE;
  g_clear_pointer (&desk->sink->fields, g_ptr_array_unref);
  desk->sink->fields = zendesk_fields_parse (&zendesk_ticket_table, FIELDS, strlen (FIELDS), error);
  return desk->sink->fields != NULL && zendesk_fields_resolve (desk->sink->fields, &desk->sink->plan, error);
}

static const struct
{
  const char *column, *value, *result;
  gboolean rejected;
} fields[] = {
  { "custom_fields.Legacy number text", "7 a", "{\"id\":20,\"value\":\"7 a\"}" },
  { "custom_fields.20 bigint", "7", "{\"id\":20,\"value\":\"7\"}" },
  { "custom_fields.New text", "x", "{\"id\":31,\"value\":\"x\"}" },
  { "custom_fields.Escalated boolean", "t", "{\"id\":21,\"value\":true}" },
  { "custom_fields.Escalated text", "no", "{\"id\":21,\"value\":false}" },
  { "custom_fields.Promised on date", "2021-04-16", "{\"id\":22,\"value\":\"2021-04-16\"}" },
  { "custom_fields.Promised on text", " 2021-04-16", "{\"id\":22,\"value\":\"2021-04-16\"}" },
  { "custom_fields.Users bigint", "-3", "{\"id\":23,\"value\":\"-3\"}" },
  { "custom_fields.Refund v1.0 numeric", "12.50", "{\"id\":24,\"value\":\"12.50\"}" },
  { "custom_fields.Severity text", "major", "{\"id\":25,\"value\":\"major\"}" },
  { "custom_fields.Components text", "net, mail", "{\"id\":26,\"value\":[\"net\",\"mail\"]}" },
  { "custom_fields.Components jsonb", "[\"mail\"]", "{\"id\":26,\"value\":[\"mail\"]}" },
  { "custom_fields.Contract bigint", "9", "{\"id\":27,\"value\":\"9\"}" },
  { "custom_fields.Promised on text", "16.4.2021", "custom_fields.Promised on: \"16.4.2021\" is no value of a field of type date", TRUE },
  { "custom_fields.Promised on text", "2021-02-30", "is no value", TRUE },
  { "custom_fields.Users text", "3.5", "is no value of a field of type integer", TRUE },
  { "custom_fields.Users text", "-", "is no value", TRUE },
  { "custom_fields.Refund v1.0 text", "1,5", "is no value of a field of type decimal", TRUE },
  { "custom_fields.Severity text", "Major", "\"Major\" is no option of this field; it has: minor, major", TRUE },
  { "custom_fields.Components text", "mail, fax", "\"fax\" is no option", TRUE },
  { "custom_fields.Escalated text", "sure", "is no boolean", TRUE },
};

static void
test_custom_fields_get_what_their_type_takes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_autoptr (Desk) desk = new_desk ();
      g_autoptr (GError) error = NULL;

      assert_true (resolve (desk, fields[i].column, &error));
      assert_no_error (error);
      desk_add_row (desk, (const char *[]){ "x", fields[i].value });
      g_autofree char *body = desk_render (desk, 0, "desk:1", &error);
      if (fields[i].rejected)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, fields[i].result);
      else
        {
          g_autofree char *whole = g_strconcat (BEGIN TEXT ",\"custom_fields\":[", fields[i].result, "]}}", NULL);

          assert_no_error (error);
          assert_row_text (fields[i].column, body, whole);
        }
    }
}

static const struct
{
  const char *column, *message;
} strangers[] = {
  { "custom_fields.Severety text", "did you mean \"Severity\"?" },
  { "custom_fields.Something else entirely text", "no active ticket field has the title \"Something else entirely\"" },
  { "custom_fields.Region text", "2 ticket fields have the title \"Region\"; name one by its id: 28, 29" },
  { "custom_fields.Fax text", "no active ticket field has the title \"Fax\"" },
  { "custom_fields.30 text", "no active ticket field has the id 30" },
  { "custom_fields.99999999999999999999 text", "no active ticket field has the id" },
  { "custom_fields.Subject text", "is a system field of type subject" },
  { "custom_fields.Escalated numeric", "of type numeric does not fit a field of type checkbox" },
  { "custom_fields.20 text, custom_fields.Legacy number text", "are the same field" },
};

static void
test_a_field_that_is_not_there_is_found_before_anything_is_sent (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (strangers); i++)
    {
      g_autoptr (Desk) desk = new_desk ();
      g_autoptr (GError) error = NULL;

      assert_row_int (strangers[i].column, resolve (desk, strangers[i].column, &error), FALSE);
      assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, strangers[i].message);
    }
}

static void
test_custom_fields_stand_in_the_order_of_their_ids (void)
{
  g_autoptr (Desk) desk = new_desk ();
  g_autoptr (GError) error = NULL;

  assert_true (resolve (desk, "custom_fields.Severity text, custom_fields.Legacy number text", &error));
  desk_add_row (desk, (const char *[]){ "x", "minor", "7" });
  g_autofree char *body = desk_render (desk, 0, "desk:1", &error);
  assert_no_error (error);
  assert_contains (body, "\"custom_fields\":[{\"id\":20,\"value\":\"7\"},{\"id\":25,\"value\":\"minor\"}]");
}

/* --- long texts --- */

static void
test_a_long_text_is_never_cut_in_silence (void)
{
  g_autoptr (Desk) desk = new_desk ();
  g_autoptr (GError) error = NULL;
  g_autofree char *fits = g_strnfill (ZENDESK_MAX_BODY, 'a');
  g_autofree char *beyond = g_strnfill (ZENDESK_MAX_BODY + 1, 'a');

  assert_true (desk_accept (desk, "comment.body text", NULL));
  desk_add_row (desk, (const char *[]){ fits });
  desk_add_row (desk, (const char *[]){ beyond });
  g_autofree char *body = desk_render (desk, 0, "desk:1", &error);
  assert_no_error (error);
  assert_contains (body, fits);
  assert_true (desk_render (desk, 1, "desk:1", &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "\"comment.body\" has 65536 bytes");
}

static Desk *
new_splitting_desk (const char *columns)
{
  Desk *desk = desk_new ("url", URL, "access_token", "t", "run-tag", "false", "long-body", "split", NULL);

  assert_true (desk_accept (desk, columns, NULL));
  return desk;
}

static void
test_a_split_text_loses_no_letter (void)
{
  g_autoptr (Desk) desk = new_splitting_desk ("comment.body text");
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) joined = g_string_new (NULL);
  g_autoptr (GPtrArray) parts = NULL;

  for (guint i = 0; text->len < 3 * ZENDESK_MAX_BODY; i++)
    g_string_append_printf (text, "%s%u%s", i % 7 == 0 ? "ü" : "€", i, i % 1000 == 0 ? "\n" : "");
  parts = zendesk_parts_split (text->str, ZENDESK_MAX_BODY, 30, "desk:1");
  assert_int (parts->len, 4);
  for (guint i = 0; i < parts->len; i++)
    {
      const char *part = parts->pdata[i];
      const char *from = i == 0 ? part : strstr (part, "\n\n") + 2;
      gsize length = i == 0 ? (gsize) (g_strrstr (part, "\n\n[part 1 of 4") - part) : strlen (from);

      assert_true (strlen (part) <= ZENDESK_MAX_BODY);
      assert_true (g_utf8_validate (part, -1, NULL));
      g_string_append_len (joined, from, (gssize) length);
    }
  assert_true (g_string_equal (joined, text));

  desk_add_row (desk, (const char *[]){ text->str });
  g_autofree char *stored = desk_render (desk, 0, "desk:1", NULL);
  TallyText bytes = { stored, strlen (stored) }, first = zendesk_parts_first (bytes);
  g_autoptr (GPtrArray) further = NULL;
  assert_true (zendesk_parts_further (bytes, &further));
  assert_int (further->len, 3);
  for (guint i = 0; i < 3; i++)
    assert_text (further->pdata[i], parts->pdata[i + 1]);
  assert_true (first.data[first.length - 1] == '}' && stored[first.length] == '\n');
}

static void
test_what_cannot_be_split_is_rejected (void)
{
  g_autofree char *beyond = g_strnfill (ZENDESK_MAX_BODY + 1, 'a');
  g_autofree char *endless = g_strnfill (31 * ZENDESK_MAX_BODY, 'a');
  g_autoptr (Desk) html = new_splitting_desk ("comment.html_body text");
  g_autoptr (Desk) closed = new_splitting_desk ("comment.body text, status text");
  g_autoptr (GError) error = NULL;

  desk_add_row (html, (const char *[]){ beyond });
  assert_true (desk_render (html, 0, "desk:1", &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "\"comment.html_body\" has 65536 bytes");
  desk_add_row (closed, (const char *[]){ beyond, "closed" });
  assert_true (desk_render (closed, 0, "desk:1", &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "a closed ticket takes no more comments");
  desk_add_row (closed, (const char *[]){ endless, "open" });
  assert_true (desk_render (closed, 1, "desk:1", &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "more than fit into 30 comments");
}

static const struct
{
  const char *what, *text;
  gsize max, cut;
} cuts[] = {
  { "after the last line break", "line\nline\nlonger", 12, 10 },
  { "after the last blank", "some words here", 12, 11 },
  { "anywhere else", "abcdefghijklmnop", 10, 10 },
  { "not within a letter", "aaaaaaaaa€", 10, 9 },
  { "not within a letter of four bytes", "aaaaaaa\xf0\x9f\x98\x80", 10, 7 },
};

static void
test_texts_are_cut_where_it_hurts_least (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cuts); i++)
    assert_row_int (cuts[i].what, (gint64) zendesk_text_cut (cuts[i].text, cuts[i].max), (gint64) cuts[i].cut);
}

static void
test_damaged_bytes_are_not_sent (void)
{
  static const char *const damaged[] = { "{}\n", "{}\n[", "{}\n[]", "{}\n[1]", "{}\n{\"a\":1}", "{}\n[\"a\"] x" };
  GPtrArray *parts = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (damaged); i++)
    assert_row_int (damaged[i], zendesk_parts_further ((TallyText){ damaged[i], strlen (damaged[i]) }, &parts), FALSE);
  assert_true (zendesk_parts_further ((TallyText){ NULL, 0 }, &parts));
  assert_true (parts == NULL);
}

/* --- options --- */

static void
check_fails (Desk *taken, const char *message)
{
  g_autoptr (Desk) desk = taken;
  g_autoptr (GError) error = NULL;

  assert_row_int (message, desk_check (desk, &error), FALSE);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, message);
}

static void
test_options_are_held_against_each_other (void)
{
  check_fails (desk_new ("url", URL, NULL), "credentials are given in one of three ways");
  check_fails (desk_new ("url", URL, "access_token", "t", "email", "a@b.c", "token", "u", NULL), "in one way only");
  check_fails (desk_new ("url", URL, "email", "a@b.c", NULL), "\"email\" needs \"token\" with it");
  check_fails (desk_new ("url", URL, "client_secret", "s", NULL), "\"client_secret\" needs \"client_id\" with it");
  check_fails (desk_new ("url", URL, "access_token", "a\nX-Evil: 1", NULL), "\"access_token\" has a blank or line break");
  check_fails (desk_new ("url", URL, "access_token", "", NULL), "\"access_token\" is empty");
  check_fails (desk_new ("url", URL, "access_token", "t", "user-agent", "a\r\nb", NULL), "\"user-agent\" has");
  check_fails (desk_new ("url", URL, "access_token", "t", "tags", "two words", NULL), "\"two words\" in \"tags\"");
}

static const struct
{
  const char *url, *target; /* target: part of the message, if it is refused */
  gboolean refused;
} urls[] = {
  { "https://acme.zendesk.com", "acme.zendesk.com" },
  { "https://ACME.Zendesk.com/", "acme.zendesk.com" },
  { "https://acme.zendesk.com:443", "acme.zendesk.com" },
  { "https://acme.zendesk.com:8443", "acme.zendesk.com:8443" },
  { "http://127.0.0.1:8080", "127.0.0.1:8080" },
  { "http://localhost", "localhost" },
  { "http://[::1]:80/", "[::1]" },
  { "http://acme.zendesk.com", "has to begin with https://", TRUE },
  { "http://127.0.0.1.evil.example", "has to begin with https://", TRUE },
  { "http://10.0.0.1", "has to begin with https://", TRUE },
  { "ftp://acme.zendesk.com", "not \"ftp://\"", TRUE },
  { "https://acme.zendesk.com/api/v2", "is added by the sink itself", TRUE },
  { "https://acme.zendesk.com?x=1", "ends with the host", TRUE },
  { "https://me:secret@acme.zendesk.com", "credentials have options of their own", TRUE },
  { "acme.zendesk.com", "is no address", TRUE },
  { "https://", "names no host", TRUE },
  { "", "is no address", TRUE },
};

static void
test_an_address_is_one_account (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (urls); i++)
    {
      g_autofree char *base = NULL, *target = NULL;
      g_autoptr (GError) error = NULL;
      gboolean taken = zendesk_url_parse (urls[i].url, &base, &target, &error);

      assert_row_int (urls[i].url, taken, !urls[i].refused);
      if (taken)
        assert_row_text (urls[i].url, target, urls[i].target);
      else
        assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, urls[i].target);
    }
}

static const Promise promises[] = {
  { "columns are held against the table", test_columns_are_held_against_the_table },
  { "each value becomes what Zendesk wants", test_each_value_becomes_what_zendesk_wants },
  { "tags of the sink and of the run are added", test_tags_of_the_sink_and_of_the_run_are_added },
  { "a row always gives the same bytes", test_a_row_always_gives_the_same_bytes },
  { "placeholders are warned of", test_placeholders_are_warned_of },
  { "custom fields get what their type takes", test_custom_fields_get_what_their_type_takes },
  { "a field that is not there is found before anything is sent",
    test_a_field_that_is_not_there_is_found_before_anything_is_sent },
  { "custom fields stand in the order of their ids", test_custom_fields_stand_in_the_order_of_their_ids },
  { "a long text is never cut in silence", test_a_long_text_is_never_cut_in_silence },
  { "a split text loses no letter", test_a_split_text_loses_no_letter },
  { "what cannot be split is rejected", test_what_cannot_be_split_is_rejected },
  { "texts are cut where it hurts least", test_texts_are_cut_where_it_hurts_least },
  { "damaged bytes are not sent", test_damaged_bytes_are_not_sent },
  { "options are held against each other", test_options_are_held_against_each_other },
  { "an address is one account", test_an_address_is_one_account },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk rendering", promises, argc, argv);
}
