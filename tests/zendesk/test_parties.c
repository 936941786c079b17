/* test_parties.c: users and organizations as far as no request is needed: columns, bytes, and who is taken for whom */
#include "belongings.h"
#include "desk.h"
#include "promise.h"

#include <string.h>

#define URL "https://acme.zendesk.com"
#define USERS "zendesk-users"
#define ORGANIZATIONS "zendesk-organizations"

static Desk *
new_desk (const char *plugin)
{
  return desk_new_for (plugin, "url", URL, "access_token", "t", NULL);
}

/* --- columns --- */

static const struct
{
  const char *what, *plugin, *columns;
  const char *message; /* (nullable) part of it; NULL: they are taken */
} schemas[] = {
  { "a name alone", ORGANIZATIONS, "name text", NULL },
  { "all that an organization has", ORGANIZATIONS,
    "name text, domain_names jsonb, details text, notes text, group_id bigint, tags text, shared_tickets boolean, "
    "shared_comments text, organization_fields.region text", NULL },
  { "no name", ORGANIZATIONS, "details text", "an organization needs a column \"name\"" },
  { "a slip", ORGANIZATIONS, "name text, domain_name text", "is a list: \"domain_names\"" },
  { "a slip of one letter", ORGANIZATIONS, "name text, detials text",
    "\"detials\" is no member of an organization; did you mean \"details\"?" },
  { "something else", ORGANIZATIONS, "name text, Fax machine text",
    "name it \"organization_fields.<key>\" to fill a custom field" },
  { "the reference", ORGANIZATIONS, "name text, external_id text", "an organization's external_id is filled by" },
  { "a ticket's field", ORGANIZATIONS, "name text, custom_fields.x text", "is no member of an organization" },
  { "a number for a name", ORGANIZATIONS, "name bigint", "cannot be of type bigint; cast it with ::text" },

  { "a user's name alone", USERS, "name text", NULL },
  { "all that a user has", USERS,
    "name text, email text, role text, custom_role_id bigint, phone text, alias text, organization_id bigint, "
    "organization_ids jsonb, identities text, verified boolean, suspended boolean, tags jsonb, notes text, details text, "
    "time_zone text, locale text, user_fields.vip boolean", NULL },
  { "a language by its id", USERS, "name text, locale_id bigint", NULL },
  { "two languages", USERS, "name text, locale text, locale_id bigint", "are both the user's language" },
  { "a nameless user", USERS, "email text", "a user needs a column \"name\"" },
  { "a user's slip", USERS, "name text, emial text", "did you mean \"email\"?" },
  { "a password", USERS, "name text, password text", "is not set by us" },
  { "a mail that nobody asked for", USERS, "name text, skip_verify_email boolean", "is what \"verify-email\" of the sink is for" },
  { "a time for a list of organizations", USERS, "name text, organization_ids date", "cannot be of type date" },
};

static void
test_columns_are_held_against_the_table (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemas); i++)
    {
      g_autoptr (Desk) desk = new_desk (schemas[i].plugin);
      g_autoptr (GError) error = NULL;
      gboolean taken = desk_accept (desk, schemas[i].columns, &error);

      assert_row_int (schemas[i].what, taken, schemas[i].message == NULL);
      if (schemas[i].message != NULL)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, schemas[i].message);
      else
        assert_no_error (error);
    }
}

static void
test_a_rule_that_is_none_is_refused (void)
{
  g_autoptr (Desk) organizations = desk_new_for (ORGANIZATIONS, "url", URL, "access_token", "t", "adopt", "email", NULL);
  g_autoptr (Desk) users = desk_new_for (USERS, "url", URL, "access_token", "t", "adopt", "email", "adopt", "name", NULL);
  g_autoptr (GError) error = NULL;

  assert_true (!desk_check (organizations, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "\"email\" in \"adopt\" is none of: name");
  g_clear_error (&error);
  assert_true (desk_check (users, &error));
  assert_no_error (error);
}

/* --- bytes --- */

#define O "{\"organization\":{\"external_id\":\"desk:1\",\"name\":\"Acme\""
#define U "{\"user\":{\"external_id\":\"desk:1\",\"name\":\"Ann\""
#define QUIET ",\"skip_verify_email\":true}}"

static const struct
{
  const char *what, *plugin, *columns;
  const char *values[4]; /* NULL is NULL */
  const char *result;    /* the request, or part of the reason why not */
  gboolean rejected;
} values[] = {
  { "a name", ORGANIZATIONS, "name text", { "Acme" }, O "}}" },
  { "domains of a text", ORGANIZATIONS, "name text, domain_names text", { "Acme", "acme.test, acme.example" },
    O ",\"domain_names\":[\"acme.test\",\"acme.example\"]}}" },
  { "domains of an array", ORGANIZATIONS, "name text, domain_names jsonb", { "Acme", "[\"acme.test\"]" },
    O ",\"domain_names\":[\"acme.test\"]}}" },
  { "no domains", ORGANIZATIONS, "name text, domain_names text", { "Acme", "" }, O ",\"domain_names\":[]}}" },
  { "NULL is left out", ORGANIZATIONS, "name text, notes text, group_id bigint", { "Acme", NULL, NULL }, O "}}" },
  { "what is shared", ORGANIZATIONS, "shared_comments boolean, name text, shared_tickets text", { "t", "Acme", "no" },
    O ",\"shared_tickets\":false,\"shared_comments\":true}}" },
  { "an organization without a name", ORGANIZATIONS, "name text", { " " }, "the organization has no name: \"name\" is empty", TRUE },
  { "NULL for a name", ORGANIZATIONS, "name text", { NULL }, "the organization has no name", TRUE },
  { "a group of letters", ORGANIZATIONS, "name text, group_id text", { "Acme", "sales" }, "group_id: \"sales\" is no id", TRUE },

  { "a user is created without a mail", USERS, "name text", { "Ann" }, U QUIET },
  { "with an address", USERS, "email text, name text", { "ann@acme.test", "Ann" }, U ",\"email\":\"ann@acme.test\"" QUIET },
  { "further addresses come after", USERS, "name text, identities text", { "Ann", "a@acme.test b@acme.test" },
    U QUIET "\n{\"identities\":[\"a@acme.test\",\"b@acme.test\"]}" },
  { "further organizations come after", USERS, "name text, organization_id bigint, organization_ids jsonb",
    { "Ann", "5", "[6, \"7\"]" }, U ",\"organization_id\":5" QUIET "\n{\"organization_ids\":[6,7]}" },
  { "organizations of a text", USERS, "name text, organization_ids text", { "Ann", "6, 7" }, U QUIET "\n{\"organization_ids\":[6,7]}" },
  { "one organization of a number", USERS, "name text, organization_ids bigint", { "Ann", "6" }, U QUIET "\n{\"organization_ids\":[6]}" },
  { "both", USERS, "name text, organization_ids text, identities jsonb", { "Ann", "6", "[\"a@acme.test\"]" },
    U QUIET "\n{\"identities\":[\"a@acme.test\"],\"organization_ids\":[6]}" },
  { "no further addresses", USERS, "name text, identities jsonb", { "Ann", "[]" }, U QUIET },
  { "a role", USERS, "name text, role text, suspended boolean", { "Ann", "agent", "t" },
    U ",\"role\":\"agent\",\"suspended\":true" QUIET },
  { "an unknown role", USERS, "name text, role text", { "Ann", "boss" }, "role: \"boss\" is none of: end-user, agent, admin", TRUE },
  { "a user without a name", USERS, "name text", { "" }, "the user has no name: \"name\" is empty", TRUE },
  { "an empty address", USERS, "name text, email text", { "Ann", "" }, "email: \"\" is no e-mail address; nullif(email, '')", TRUE },
  { "an address with a name", USERS, "name text, email text", { "Ann", "Ann <a@b.c>" }, "is no e-mail address", TRUE },
  { "an address without a host", USERS, "name text, email text", { "Ann", "ann@" }, "is no e-mail address", TRUE },
  { "two addresses in one", USERS, "name text, email text", { "Ann", "a@b@c" }, "is no e-mail address", TRUE },
  { "a further address that is none", USERS, "name text, identities text", { "Ann", "a@b.c, nobody" },
    "identities: \"nobody\" is no e-mail address", TRUE },
  { "an organization of letters", USERS, "name text, organization_ids text", { "Ann", "6, acme" },
    "organization_ids: \"acme\" is no id", TRUE },
};

static void
test_each_value_becomes_what_zendesk_wants (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (Desk) desk = new_desk (values[i].plugin);
      g_autoptr (GError) error = NULL;

      assert_true (desk_accept (desk, values[i].columns, &error));
      desk_add_row (desk, values[i].values);
      g_autofree char *body = desk_render (desk, 0, "desk:1", &error);
      if (values[i].rejected)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, values[i].result);
      else
        assert_row_text (values[i].what, body, values[i].result);
    }
}

#define N "{\"user\":{\"name\":\"Ann\""

static const struct
{
  const char *what, *plugin, *columns;
  const char *values[4];
  const char *result;
} updates[] = {
  { "an organization", ORGANIZATIONS, "name text, domain_names text", { "Acme", "acme.test" },
    "{\"organization\":{\"name\":\"Acme\",\"domain_names\":[\"acme.test\"]}}" },
  { "a user", USERS, "name text, notes text", { "Ann", "x" }, N ",\"notes\":\"x\"}}" },
  { "an address is no member of an update", USERS, "name text, email text", { "Ann", "ann@acme.test" },
    N "}}\n{\"email\":\"ann@acme.test\"}" },
  { "one organization is", USERS, "name text, organization_id bigint", { "Ann", "5" }, N ",\"organization_id\":5}}" },
  { "of several it would end the others", USERS, "name text, organization_id bigint, organization_ids text", { "Ann", "5", "6" },
    N "}}\n{\"organization_ids\":[6],\"organization_id\":5}" },
  { "several may be none", USERS, "name text, organization_id bigint, organization_ids text", { "Ann", "5", "" },
    N "}}\n{\"organization_ids\":[],\"organization_id\":5}" },
};

static void
test_an_update_says_no_more_than_it_should (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (updates); i++)
    {
      g_autoptr (Desk) desk = new_desk (updates[i].plugin);

      assert_true (desk_accept (desk, updates[i].columns, NULL));
      desk_add_row (desk, updates[i].values);
      g_autofree char *body = desk_render_update (desk, 0, "desk:1", "5", NULL);
      assert_row_text (updates[i].what, body, updates[i].result);
    }
}

/* More of them could not be read back, and the record would never be settled. */
static void
test_belongings_are_bounded (void)
{
  static const char *const columns[] = { "name text, organization_ids text", "name text, identities text" };

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    for (guint extra = 0; extra < 2; extra++)
      {
        g_autoptr (Desk) desk = new_desk (USERS);
        g_autoptr (GString) list = g_string_new (NULL);
        g_autoptr (GError) error = NULL;

        for (guint k = 1; k <= ZENDESK_MAX_BELONGINGS + extra; k++)
          g_string_append_printf (list, "%s%u%s ", i == 0 ? "" : "a", k, i == 0 ? "" : "@acme.test");
        assert_true (desk_accept (desk, columns[i], NULL));
        desk_add_row (desk, (const char *[]){ "Ann", list->str });
        g_autofree char *body = desk_render (desk, 0, "desk:1", &error);
        if (extra > 0)
          assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "more than 300");
        else
          {
            ZendeskBelongings *wanted = NULL;

            assert_row_int (columns[i], zendesk_belongings_parse ((TallyText){ body, strlen (body) }, &wanted), TRUE);
            zendesk_belongings_free (wanted);
          }
      }
}

static void
test_a_mail_is_sent_only_where_it_is_asked_for (void)
{
  g_autoptr (Desk) desk = desk_new_for (USERS, "url", URL, "access_token", "t", "verify-email", "true", NULL);

  assert_true (desk_accept (desk, "name text", NULL));
  desk_add_row (desk, (const char *[]){ "Ann" });
  g_autofree char *body = desk_render (desk, 0, "desk:1", NULL);
  assert_text (body, U "}}");
}

/* --- who is there already --- */

#define ADOPT_EMAIL ZENDESK_ADOPT_EMAIL
#define ADOPT_NAME ZENDESK_ADOPT_NAME
#define NONE ZENDESK_MATCH_NONE
#define OURS ZENDESK_MATCH_OURS
#define ADOPT ZENDESK_MATCH_ADOPT
#define CONFLICT ZENDESK_MATCH_CONFLICT

#define END_USER "\"role\":\"end-user\",\"active\":true,\"suspended\":false"

static const struct
{
  const char *what;
  const char *entity, *email; /* (nullable) the record's */
  guint adopts;
  const char *found;          /* with ' for ", between the brackets of the list */
  ZendeskMatch match;
  gint64 id;
  const char *detail;         /* (nullable) part of it */
} matches[] = {
  { "nobody", "user", "ann@acme.test", 0, "", NONE },
  { "our own", "user", "ann@acme.test", 0, "{'id':5,'external_id':'desk:1','email':'ann@acme.test'}", OURS, 5 },
  { "our own with another address", "user", "ann@acme.test", 0, "{'id':5,'external_id':'desk:1','email':'x@acme.test'}", OURS, 5 },
  { "our own, deleted", "user", NULL, 0, "{'id':5,'external_id':'desk:1','active':false}", CONFLICT, 0,
    "user 5 (deleted) has this record's external_id" },
  { "our external_id in other letters", "user", NULL, 0, "{'id':5,'external_id':'DESK:1'}", CONFLICT, 0,
    "user 5 has the external_id \"DESK:1\", which Zendesk takes for \"desk:1\"" },
  { "two users, both of whom could be it", "user", "ann@acme.test", ADOPT_EMAIL,
    "{'id':5,'external_id':'desk:1','email':'x@acme.test'},{'id':6,'external_id':null,'email':'ann@acme.test'}", CONFLICT, 0,
    "the external_id is that of user 5, but the e-mail address that of user 6: merge the two" },
  { "the address of one without an external_id", "user", "ann@acme.test", 0, "{'id':6,'external_id':null,'email':'ANN@acme.test'}",
    CONFLICT, 0, "user 6 has this e-mail address and no external_id; \"adopt: [email]\" would take it over" },
  { "the same where that is allowed", "user", "ann@acme.test", ADOPT_EMAIL, "{'id':6,'external_id':'','email':'ANN@acme.test'}",
    ADOPT, 6 },
  { "adoption by name is not adoption by address", "user", "ann@acme.test", ADOPT_NAME,
    "{'id':6,'name':'Bob','external_id':null,'email':'ann@acme.test'}", CONFLICT, 0, "\"adopt: [email]\"" },
  { "the address of somebody else's", "user", "ann@acme.test", ADOPT_EMAIL,
    "{'id':6,'external_id':'crm:9','email':'ann@acme.test'}", CONFLICT, 0,
    "user 6 has this e-mail address and the external_id \"crm:9\", where this record's would be \"desk:1\"" },
  { "a suspended one is named so", "user", "ann@acme.test", 0,
    "{'id':6,'external_id':null,'email':'ann@acme.test','suspended':true}", CONFLICT, 0, "user 6 (suspended) has this" },
  { "a deleted one is not taken over", "user", "ann@acme.test", ADOPT_EMAIL,
    "{'id':6,'external_id':null,'email':'ann@acme.test','active':false}", CONFLICT, 0, "user 6 (deleted)" },
  { "an agent is not taken over", "user", "ann@acme.test", ADOPT_EMAIL,
    "{'id':6,'external_id':null,'email':'ann@acme.test','role':'admin'}", CONFLICT, 0, "works for the help desk" },
  { "two who hold the address", "user", "ann@acme.test", ADOPT_EMAIL,
    "{'id':6,'email':'ann@acme.test'},{'id':7,'email':'ann@acme.test'}", CONFLICT, 0, "user 6 and user 7 could both be meant" },
  { "somebody whom the search found besides", "user", "ann@acme.test", ADOPT_EMAIL, "{'id':6,'email':'joann@acme.test'}", NONE },
  { "a namesake is another person", "user", "ann@acme.test", ADOPT_EMAIL, "{'id':6,'name':'Ann'}", NONE },
  { "a namesake where that counts", "user", "ann@acme.test", ADOPT_NAME, "{'id':6,'name':'Ann','email':null,'role':'end-user'}",
    ADOPT, 6 },
  { "a namesake with an address of its own", "user", "ann@acme.test", ADOPT_NAME, "{'id':6,'name':'Ann','email':'a@x.test'}", NONE },
  { "a namesake who is somebody's", "user", NULL, ADOPT_NAME, "{'id':6,'name':'Ann','external_id':'crm:9'}", NONE },
  { "two namesakes", "user", NULL, ADOPT_NAME, "{'id':6,'name':'Ann'},{'id':7,'name':'Ann'}", CONFLICT, 0,
    "user 6 and user 7 could both be meant" },
  { "a namesake at the help desk", "user", NULL, ADOPT_NAME, "{'id':6,'name':'Ann','role':'agent'}", CONFLICT, 0,
    "user 6 has this name, but works for the help desk" },

  { "our own organization", "organization", NULL, 0, "{'id':5,'name':'ANN','external_id':'desk:1'}", OURS, 5 },
  { "of two of ours the elder", "organization", NULL, 0,
    "{'id':8,'name':'Ann','external_id':'desk:1'},{'id':5,'name':'Ann','external_id':'desk:1'}", OURS, 5 },
  { "our own organization, and another of its name", "organization", NULL, 0,
    "{'id':5,'name':'Bob','external_id':'desk:1'},{'id':8,'name':'Ann'}", CONFLICT, 0,
    "organization 5, but the name that of organization 8" },
  { "the name of one without an external_id", "organization", NULL, 0, "{'id':6,'name':'ann'}", CONFLICT, 0,
    "organization 6 has this name and no external_id; \"adopt: [name]\"" },
  { "an organization is taken over", "organization", NULL, ADOPT_NAME, "{'id':6,'name':'ann'}", ADOPT, 6 },
  { "an organization that is somebody's", "organization", NULL, ADOPT_NAME, "{'id':6,'name':'Ann','external_id':'crm:9'}", CONFLICT, 0,
    "the external_id \"crm:9\"" },
  { "an organization of another name", "organization", NULL, ADOPT_NAME, "{'id':6,'name':'Annex'}", NONE },
};

static void
test_nobody_is_taken_for_another (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (matches); i++)
    {
      g_autofree char *list = g_strdup_printf ("{'%ss':[%s]}", matches[i].entity, matches[i].found);
      g_autoptr (GPtrArray) found = zendesk_found_new ();
      g_autoptr (GString) detail = g_string_new (NULL);
      ZendeskWanted wanted = { .entity = matches[i].entity, .reference = "desk:1", .name = "Ann", .email = matches[i].email,
                               .adopts = matches[i].adopts };
      gboolean more = TRUE;
      gint64 id = 0;

      g_strdelimit (list, "'", '"');
      assert_true (zendesk_found_read (found, matches[i].entity, list, strlen (list), &more));
      assert_true (!more);
      assert_row_int (matches[i].what, zendesk_match (&wanted, found, &id, detail), matches[i].match);
      assert_row_int (matches[i].what, id, matches[i].id);
      if (matches[i].detail != NULL && strstr (detail->str, matches[i].detail) == NULL)
        assert_row_text (matches[i].what, detail->str, matches[i].detail);
    }
}

static const struct
{
  const char *what, *body;
  gboolean good, more;
  guint n;
} lists[] = {
  { "two", "{\"users\":[{\"id\":1},{\"id\":2}],\"next_page\":null}", TRUE, FALSE, 2 },
  { "one twice", "{\"users\":[{\"id\":1},{\"id\":1}]}", TRUE, FALSE, 1 },
  { "a list that goes on", "{\"users\":[],\"next_page\":\"x\"}", TRUE, TRUE, 0 },
  { "a list with a cursor", "{\"users\":[],\"meta\":{\"has_more\":true}}", TRUE, TRUE, 0 },
  { "one without an id", "{\"users\":[{}]}", FALSE },
  { "a list of others", "{\"organizations\":[]}", FALSE },
  { "a page", "<html>", FALSE },
};

static void
test_a_list_is_read_whole_or_not_at_all (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autoptr (GPtrArray) found = zendesk_found_new ();
      gboolean more = FALSE;

      assert_row_int (lists[i].what, zendesk_found_read (found, "user", lists[i].body, strlen (lists[i].body), &more), lists[i].good);
      assert_row_int (lists[i].what, more, lists[i].more);
      if (lists[i].good)
        assert_row_int (lists[i].what, found->len, lists[i].n);
    }
}

/* --- belongings --- */

static ZendeskBelongings *
parse_wanted (const char *stored, gboolean *ret_good)
{
  ZendeskBelongings *wanted = NULL;

  *ret_good = zendesk_belongings_parse ((TallyText){ stored, strlen (stored) }, &wanted);
  return wanted;
}

static const struct
{
  const char *what, *stored;
  gboolean good, any;
} stored_lines[] = {
  { "one line", "{}", TRUE, FALSE },
  { "two lines", "{}\n{\"identities\":[\"a@b.c\"],\"organization_ids\":[5]}", TRUE, TRUE },
  { "an empty second line", "{}\n", FALSE },
  { "half a second line", "{}\n{\"identities\":[", FALSE },
  { "an address that is a number", "{}\n{\"identities\":[5]}", FALSE },
  { "an organization that is a text", "{}\n{\"organization_ids\":[\"5\"]}", FALSE },
  { "organization 0", "{}\n{\"organization_id\":0}", FALSE },
};

static void
test_stored_bytes_are_read_as_they_were_written (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (stored_lines); i++)
    {
      gboolean good;
      g_autoptr (ZendeskBelongings) wanted = parse_wanted (stored_lines[i].stored, &good);

      assert_row_int (stored_lines[i].what, good, stored_lines[i].good);
      assert_row_int (stored_lines[i].what, wanted != NULL, stored_lines[i].any);
    }
}

static const struct
{
  const char *what, *stored; /* the second line */
  const char *identities;    /* what the user has, with ' for " */
  const char *next;          /* (nullable) */
  gint64 id;
} addresses[] = {
  { "all are there", "{\"identities\":[\"a@b.c\"]}", "{'id':1,'type':'email','value':'A@B.C','primary':true}", NULL },
  { "one is missing", "{\"identities\":[\"a@b.c\",\"d@b.c\"]}", "{'id':1,'type':'email','value':'a@b.c','primary':true}", "d@b.c" },
  { "another kind of identity is no address", "{\"identities\":[\"a@b.c\"]}", "{'id':1,'type':'twitter','value':'a@b.c'}", "a@b.c" },
  { "the first one is not there", "{\"email\":\"a@b.c\"}", "{'id':1,'type':'email','value':'x@b.c','primary':true}", "a@b.c" },
  { "the first one is there, but not first", "{\"email\":\"a@b.c\"}",
    "{'id':1,'type':'email','value':'x@b.c','primary':true},{'id':2,'type':'email','value':'a@b.c','primary':false}", "a@b.c", 2 },
  { "it is first", "{\"email\":\"a@b.c\"}", "{'id':2,'type':'email','value':'a@b.c','primary':true}", NULL },
};

static void
test_only_what_is_missing_is_added (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      g_autofree char *stored = g_strconcat ("{}\n", addresses[i].stored, NULL);
      g_autofree char *page = g_strdup_printf ("{'identities':[%s]}", addresses[i].identities);
      gboolean good, more = FALSE;
      g_autoptr (ZendeskBelongings) wanted = parse_wanted (stored, &good);
      g_autoptr (GPtrArray) has = zendesk_belonging_list_new ();
      gint64 id;

      g_strdelimit (page, "'", '"');
      assert_true (zendesk_identities_read (has, page, strlen (page), &more));
      assert_row_text (addresses[i].what, zendesk_next_identity (wanted, has, &id), addresses[i].next);
      assert_row_int (addresses[i].what, id, addresses[i].id);
    }
}

static const struct
{
  const char *what, *stored, *memberships;
  gint64 next, id;
} organizations[] = {
  { "all are there", "{\"organization_ids\":[5,6]}", "{'id':1,'organization_id':5},{'id':2,'organization_id':6}", 0 },
  { "one is missing", "{\"organization_ids\":[5,6]}", "{'id':1,'organization_id':5}", 6 },
  { "the default is another", "{\"organization_ids\":[5],\"organization_id\":6}",
    "{'id':1,'organization_id':5,'default':true},{'id':2,'organization_id':6,'default':null}", 6, 2 },
  { "the default is no member", "{\"organization_ids\":[5],\"organization_id\":6}", "{'id':1,'organization_id':5,'default':true}", 6 },
  { "the default is the default", "{\"organization_id\":6}", "{'id':2,'organization_id':6,'default':true}", 0 },
};

static void
test_only_memberships_that_are_missing_are_added (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (organizations); i++)
    {
      g_autofree char *stored = g_strconcat ("{}\n", organizations[i].stored, NULL);
      g_autofree char *page = g_strdup_printf ("{'organization_memberships':[%s]}", organizations[i].memberships);
      gboolean good, more = FALSE;
      g_autoptr (ZendeskBelongings) wanted = parse_wanted (stored, &good);
      g_autoptr (GPtrArray) has = zendesk_belonging_list_new ();
      gint64 id;

      g_strdelimit (page, "'", '"');
      assert_true (zendesk_memberships_read (has, page, strlen (page), &more));
      assert_row_int (organizations[i].what, zendesk_next_membership (wanted, has, &id), organizations[i].next);
      assert_row_int (organizations[i].what, id, organizations[i].id);
    }
}

/* --- names that are being created --- */

static void
test_a_name_is_held_by_one_record_at_a_time (void)
{
  g_autoptr (GPtrArray) one = g_ptr_array_new (), both = g_ptr_array_new ();
  ZendeskClaims *claims = zendesk_claims_new ();
  gint64 wait = 0;

  g_ptr_array_add (one, (gpointer) "a");
  g_ptr_array_add (both, (gpointer) "b");
  g_ptr_array_add (both, (gpointer) "a");
  assert_int (zendesk_claims_take (claims, one, "desk:1", 100, &wait), ZENDESK_CLAIM_TAKEN);
  assert_int (zendesk_claims_take (claims, both, "desk:2", 100, &wait), ZENDESK_CLAIM_HELD);
  zendesk_claims_release (claims, one, "desk:2", 0); /* not its own */
  assert_int (zendesk_claims_take (claims, one, "desk:3", 100, &wait), ZENDESK_CLAIM_HELD);
  zendesk_claims_release (claims, one, "desk:1", 150);
  assert_int (zendesk_claims_take (claims, both, "desk:2", 110, &wait), ZENDESK_CLAIM_DOUBT);
  assert_int (wait, 40);
  assert_int (zendesk_claims_take (claims, one, "desk:1", 110, &wait), ZENDESK_CLAIM_TAKEN); /* its own again */
  zendesk_claims_release (claims, one, "desk:1", 150);
  assert_int (zendesk_claims_take (claims, both, "desk:2", 150, &wait), ZENDESK_CLAIM_TAKEN);
  zendesk_claims_release (claims, both, "desk:2", 0);
  assert_int (zendesk_claims_take (claims, one, "desk:3", 150, &wait), ZENDESK_CLAIM_TAKEN);
  zendesk_claims_free (claims);
}

static const Promise promises[] = {
  { "columns are held against the table", test_columns_are_held_against_the_table },
  { "a rule that is none is refused", test_a_rule_that_is_none_is_refused },
  { "each value becomes what Zendesk wants", test_each_value_becomes_what_zendesk_wants },
  { "an update says no more than it should", test_an_update_says_no_more_than_it_should },
  { "belongings are bounded", test_belongings_are_bounded },
  { "a mail is sent only where it is asked for", test_a_mail_is_sent_only_where_it_is_asked_for },
  { "nobody is taken for another", test_nobody_is_taken_for_another },
  { "a list is read whole or not at all", test_a_list_is_read_whole_or_not_at_all },
  { "stored bytes are read as they were written", test_stored_bytes_are_read_as_they_were_written },
  { "only what is missing is added", test_only_what_is_missing_is_added },
  { "only memberships that are missing are added", test_only_memberships_that_are_missing_are_added },
  { "a name is held by one record at a time", test_a_name_is_held_by_one_record_at_a_time },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk parties", promises, argc, argv);
}
