/* users.c: what the emulator promises about users and their addresses */
#include "promise.h"
#include "rig.h"
#include "talk.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void
test_a_user_is_made_as_asked_and_shown_whole (void)
{
  static const char *const members[] = {
    "id",
    "url",
    "name",
    "email",
    "created_at",
    "updated_at",
    "time_zone",
    "locale_id",
    "role",
    "verified",
    "tags",
    "active",
    "shared",
    "shared_agent",
    "moderator",
    "suspended",
    "user_fields",
    "restricted_agent",
    "ticket_restriction",
    "report_csv",
  };
  static const Line lines[] = {
    { "made",
      "POST",
      "users.json",
      "{'user':{'name':'Ada','email':'Ada@ex.org','external_id':'U-1','role':'agent','phone':'1',"
      "'notes':'n','details':'d','tags':['A','b c'],'verified':true,'user_fields':{'vip':true,"
      "'customer_since':'2020-01-02','plan':'plan_paid','nonsense':1}}}",
      201,
      { { "user.email", "Ada@ex.org" },
        { "user.role", "agent" },
        { "user.tags", "[\"a\",\"b\",\"c\"]" },
        { "user.verified", "true" },
        { "user.ticket_restriction", NULL },
        { "user.user_fields.customer_since", "2020-01-02T00:00:00Z" },
        { "user.user_fields.nonsense", NULL },
        { "user.user_fields.seats", NULL } },
      "a=user.id" },
    { "shown",
      "GET",
      "users/$a.json",
      NULL,
      200,
      { { "user.external_id", "U-1" },
        { "user.phone", "1" },
        { "user.notes", "n" },
        { "user.details", "d" } } },
    { "a name is enough",
      "POST",
      "users",
      "{'user':{'name':'Bo'}}",
      201,
      { { "user.email", NULL },
        { "user.role", "end-user" },
        { "user.restricted_agent", "true" } } },
    { "suspended",
      "PUT",
      "users/$a",
      "{'user':{'suspended':true}}",
      200,
      { { "user.suspended", "true" }, { "user.notes", "n" } } },
    { "counted", "GET", "users/count", NULL, 200, { { "count.value", "3" } } },
    { "nobody", "GET", "users/7", NULL, 404, { { "error", "RecordNotFound" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);

  g_autofree char *path = talk_fill ("/api/v2/users/$a.json");
  g_autoptr (Reply) reply = rig_get (rig, path);
  json_object *user = json_object_object_get (reply->json, "user");
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    assert_row_int (members[i], json_object_object_get_ex (user, members[i], NULL), TRUE);
  talk_forget ();
}

static void
test_tells_where_a_new_user_is_and_what_it_did_not_know (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) reply = rig_call (rig, "POST", "/api/v2/users.json",
                                      "{\"user\":{\"name\":\"Ada\",\"emial\":\"a@ex.org\"}}", NULL);
  g_autofree char *id = at (reply->json, "user.id");
  g_autofree char *place = g_strdup_printf ("%s/api/v2/users/%s.json", rig->url, id);
  g_autofree char *location = reply_header (reply, "Location");
  g_autofree char *warning = reply_header (reply, "x-zendesk-api-warn");

  assert_text (location, place);
  assert_contains (warning, "\"user.emial\"");
  assert_contains (warning, ":controller=>\"users\", :action=>\"create\"");
}

static void
test_refuses_what_another_user_has (void)
{
  static const Line lines[] = {
    { "first",
      "POST",
      "users",
      "{'user':{'name':'Ada','email':'a@ex.org','external_id':'U1'}}",
      201,
      { { NULL } },
      "a=user.id" },
    { "second address",
      "POST",
      "users/$a/identities",
      "{'identity':{'type':'email','value':'b@ex.org'}}",
      201,
      { { NULL } } },
    { "address of other case",
      "POST",
      "users",
      "{'user':{'name':'B','email':'A@EX.org'}}",
      422,
      { { "error", "RecordInvalid" },
        { "details.email.0.error", "DuplicateValue" },
        { "details.email.0.description",
          "Email: A@EX.org is already being used by another user" } } },
    { "any of its addresses",
      "POST",
      "users",
      "{'user':{'name':'B','email':'B@ex.org'}}",
      422,
      { { "details.email.0.error", "DuplicateValue" } } },
    { "external id of other case",
      "POST",
      "users",
      "{'user':{'name':'B','external_id':'u1'}}",
      422,
      { { "details.name.0.description", "External has already been taken" } } },
    { "no name, no address, no role",
      "POST",
      "users",
      "{'user':{'name':' ','email':'nonsense','role':'king'}}",
      422,
      { { "details.name.0.description", "Name: is too short (minimum is 1 characters)" },
        { "details.email.0.description", "Email:  nonsense is not properly formatted" },
        { "details.role.0.error", "InvalidValue" } } },
    { "no such organization",
      "POST",
      "users",
      "{'user':{'name':'B','organization_id':5}}",
      422,
      { { "details.organization.0.error", "InvalidValue" } } },
    { "no such value",
      "POST",
      "users",
      "{'user':{'name':'B','user_fields':{'plan':'plan_gold','seats':'many'}}}",
      422,
      { { "details.base.#", "2" } } },
    { "an update that takes it",
      "POST",
      "users",
      "{'user':{'name':'C'}}",
      201,
      { { NULL } },
      "c=user.id" },
    { "of another one", "PUT", "users/$c", "{'user':{'external_id':'U1'}}", 422, { { NULL } } },
    { "no JSON", "POST", "users", "{", 400, { { NULL } } },
    { "only these",
      "GET",
      "/_emulator/counts",
      NULL,
      200,
      { { "users_created", "2" }, { "duplicate_users", "0" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_an_update_adds_an_address_and_replaces_the_organization (void)
{
  static const Line lines[] = {
    { "one",
      "POST",
      "organizations",
      "{'organization':{'name':'One'}}",
      201,
      { { NULL } },
      "x=organization.id" },
    { "two",
      "POST",
      "organizations",
      "{'organization':{'name':'Two'}}",
      201,
      { { NULL } },
      "y=organization.id" },
    { "made",
      "POST",
      "users",
      "{'user':{'name':'Ada','email':'a@ex.org','external_id':'u1','organization_id':$x}}",
      201,
      { { "user.organization_id", "$x" } },
      "a=user.id" },
    { "also in two",
      "POST",
      "organization_memberships",
      "{'organization_membership':{'user_id':$a,'organization_id':$y}}",
      201,
      { { "organization_membership.default", NULL } } },
    { "an address more",
      "PUT",
      "users/$a",
      "{'user':{'email':'new@ex.org','name':'Ada L','external_id':'U1'}}",
      200,
      { { "user.email", "a@ex.org" }, { "user.name", "Ada L" }, { "user.external_id", "U1" } } },
    { "both are hers",
      "GET",
      "users/$a/identities",
      NULL,
      200,
      { { "count", "2" },
        { "identities.0.primary", "true" },
        { "identities.1.value", "new@ex.org" },
        { "identities.1.primary", "false" } } },
    { "the same again", "PUT", "users/$a", "{'user':{'email':'NEW@ex.org'}}", 200, { { NULL } } },
    { "is no third", "GET", "users/$a/identities", NULL, 200, { { "count", "2" } } },
    { "still in both",
      "GET",
      "users/$a/organization_memberships",
      NULL,
      200,
      { { "count", "2" } } },
    { "moved",
      "PUT",
      "users/$a",
      "{'user':{'organization_id':$y}}",
      200,
      { { "user.organization_id", "$y" } } },
    { "out of all others",
      "GET",
      "users/$a/organization_memberships",
      NULL,
      200,
      { { "count", "1" },
        { "organization_memberships.0.organization_id", "$y" },
        { "organization_memberships.0.default", "true" } } },
    { "out of all",
      "PUT",
      "users/$a",
      "{'user':{'organization_id':null}}",
      200,
      { { "user.organization_id", NULL } } },
    { "that is none", "GET", "users/$a/organization_memberships", NULL, 200, { { "count", "0" } } },
    { "by name",
      "PUT",
      "users/$a",
      "{'user':{'organization':{'name':'TWO'}}}",
      200,
      { { "user.organization_id", "$y" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_create_or_update_finds_by_external_id_or_address (void)
{
  static const Line lines[] = {
    { "new",
      "POST",
      "users/create_or_update",
      "{'user':{'name':'Ada','email':'a@ex.org','external_id':'U1'}}",
      201,
      { { NULL } },
      "a=user.id" },
    { "by external id",
      "POST",
      "users/create_or_update.json",
      "{'user':{'name':'Ada 2','external_id':'u1'}}",
      200,
      { { "user.id", "$a" }, { "user.name", "Ada 2" }, { "user.external_id", "u1" } } },
    { "by address",
      "POST",
      "users/create_or_update",
      "{'user':{'email':'A@ex.org'}}",
      200,
      { { "user.id", "$a" }, { "user.name", "Ada 2" } } },
    { "somebody else",
      "POST",
      "users/create_or_update",
      "{'user':{'name':'Bo','email':'b@ex.org'}}",
      201,
      { { NULL } },
      "b=user.id" },
    { "by a second address",
      "POST",
      "users/$b/identities",
      "{'identity':{'type':'email','value':'b2@ex.org'}}",
      201,
      { { NULL } } },
    { "which is as good",
      "POST",
      "users/create_or_update",
      "{'user':{'email':'b2@ex.org'}}",
      200,
      { { "user.id", "$b" } } },
    { 0 },
  };
  static const Line two[] = {
    { "of two users",
      "POST",
      "users/create_or_update",
      "{'user':{'name':'X','external_id':'u1','email':'b@ex.org'}}",
      422,
      { { "details.email.0.error", "DuplicateValue" } } },
    { 0 },
  };
  static const Line wins[] = {
    { "of two users",
      "POST",
      "users/create_or_update",
      "{'user':{'name':'X','external_id':'u1','email':'b@ex.org'}}",
      200,
      { { "user.id", "$a" }, { "user.name", "X" }, { "user.email", "a@ex.org" } } },
    { "whose address stays hers", "GET", "users/$b", NULL, 200, { { "user.email", "b@ex.org" } } },
    { 0 },
  };
  g_autoptr (Rig) strict = rig_new (NULL);
  g_autoptr (Rig) lenient = rig_new ("--both-match", "external-id", NULL);

  talk (strict, lines);
  talk (strict, two);
  talk (lenient, lines);
  talk (lenient, wins);
  talk_forget ();
}

static void
test_identities_are_added_changed_and_taken_away (void)
{
  static const Line lines[] = {
    { "made with two",
      "POST",
      "users",
      "{'user':{'name':'Ada','email':'a@ex.org','identities':[{'type':'email','value':'b@ex.org'},"
      "{'type':'twitter','value':'ada'}]}}",
      201,
      { { NULL } },
      "a=user.id" },
    { "three in all",
      "GET",
      "users/$a/identities.json",
      NULL,
      200,
      { { "count", "3" }, { "identities.2.type", "twitter" }, { "identities.2.primary", "true" } },
      "i=identities.1.id" },
    { "one",
      "GET",
      "users/$a/identities/$i",
      NULL,
      200,
      { { "identity.value", "b@ex.org" },
        { "identity.user_id", "$a" },
        { "identity.verified", "false" },
        { "identity.deliverable_state", "deliverable" } } },
    { "as recorded",
      "POST",
      "users/$a/identities",
      "{'identity':{'type':'email','value':'B@ex.org'}}",
      422,
      { { "details.value.0.description", "Value: B@ex.org is already being used by another user" },
        { "details.value.0.error", "DuplicateValue" } } },
    { "of no kind",
      "POST",
      "users/$a/identities",
      "{'identity':{'type':'fax','value':'1'}}",
      422,
      { { NULL } } },
    { "the first one now",
      "PUT",
      "users/$a/identities/$i/make_primary.json",
      "{}",
      200,
      { { "identities.#", "3" },
        { "identities.0.primary", "false" },
        { "identities.1.primary", "true" },
        { "identities.2.primary", "true" } } },
    { "is shown", "GET", "users/$a", NULL, 200, { { "user.email", "b@ex.org" } } },
    { "verified",
      "PUT",
      "users/$a/identities/$i/verify",
      NULL,
      200,
      { { "identity.verified", "true" } } },
    { "never taken back",
      "PUT",
      "users/$a/identities/$i",
      "{'identity':{'verified':false,'value':'c@ex.org'}}",
      200,
      { { "identity.verified", "true" }, { "identity.value", "c@ex.org" } } },
    { "free again",
      "POST",
      "users",
      "{'user':{'name':'Bo','email':'b@ex.org'}}",
      201,
      { { NULL } },
      "b=user.id" },
    { "of another user", "DELETE", "users/$b/identities/$i", NULL, 404, { { NULL } } },
    { "gone", "DELETE", "users/$a/identities/$i", NULL, 204, { { NULL } } },
    { "the next is first", "GET", "users/$a", NULL, 200, { { "user.email", "a@ex.org" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_lists_and_finds_users (void)
{
  static const Line lines[] = {
    { "a",
      "POST",
      "users",
      "{'user':{'name':'Ada One','email':'a@ex.org','external_id':'U1'}}",
      201,
      { { NULL } },
      "a=user.id" },
    { "b",
      "POST",
      "users",
      "{'user':{'name':'Bo','role':'agent','external_id':'u2'}}",
      201,
      { { NULL } },
      "b=user.id" },
    { "c",
      "POST",
      "users",
      "{'user':{'name':'Cy','role':'admin'}}",
      201,
      { { NULL } },
      "c=user.id" },
    { "all",
      "GET",
      "users.json?per_page=2",
      NULL,
      200,
      { { "count", "4" }, { "users.#", "2" }, { "users.0.role", "admin" } } },
    { "by cursor",
      "GET",
      "users?page%5Bsize%5D=3",
      NULL,
      200,
      { { "users.#", "3" }, { "meta.has_more", "true" } } },
    { "of a role",
      "GET",
      "users?role=agent",
      NULL,
      200,
      { { "count", "1" }, { "users.0.id", "$b" } } },
    { "of two roles",
      "GET",
      "users?role%5B%5D=agent&role%5B%5D=admin",
      NULL,
      200,
      { { "count", "3" } } },
    { "by external id",
      "GET",
      "users?external_id=u1",
      NULL,
      200,
      { { "count", "1" }, { "users.0.id", "$a" } } },
    { "by none", "GET", "users?external_id=u9", NULL, 200, { { "count", "0" } } },
    { "search by it",
      "GET",
      "users/search.json?external_id=U2",
      NULL,
      200,
      { { "users.0.id", "$b" } } },
    { "many",
      "GET",
      "users/show_many?ids=$c,$a,5,$a",
      NULL,
      200,
      { { "count", "2" }, { "next_page", NULL } } },
    { "many by external id",
      "GET",
      "users/show_many?external_ids=u2,U1,u9",
      NULL,
      200,
      { { "count", "2" } } },
    { "not yet", "GET", "users/search?query=email:a@ex.org", NULL, 200, { { "count", "0" } } },
    { "minutes", "POST", "/_emulator/clock", "{'advance':121}", 200, { { NULL } } },
    { "found",
      "GET",
      "users/search?query=email:A@ex.org",
      NULL,
      200,
      { { "count", "1" }, { "users.0.id", "$a" } } },
    { "by words", "GET", "users/search?query=one%20ada", NULL, 200, { { "count", "1" } } },
    { "by what only one has",
      "GET",
      "users/search?query=name:bo%20role:agent",
      NULL,
      200,
      { { "count", "1" } } },
    { "related",
      "GET",
      "users/$a/related",
      NULL,
      200,
      { { "user_related.requested_tickets", "0" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);
  GString *ids = g_string_new ("/api/v2/users/show_many.json?ids=1");

  talk (rig, lines);
  for (guint i = 0; i < 100; i++)
    g_string_append (ids, ",1");
  g_autoptr (Reply) reply = rig_get (rig, ids->str);
  assert_int (reply->status, 400);
  assert_contains (reply->body, "\"TooManyValues\"");
  g_string_free (ids, TRUE);
  talk_forget ();
}

static void
test_a_lookup_may_lag (void)
{
  static const Line lines[] = {
    { "made", "POST", "users", "{'user':{'name':'Ada','external_id':'u1'}}", 201, { { NULL } } },
    { "too early", "GET", "users?external_id=u1", NULL, 200, { { "count", "0" } } },
    { "here too", "GET", "users/show_many?external_ids=u1", NULL, 200, { { "count", "0" } } },
    { "later", "POST", "/_emulator/clock", "{'advance':6}", 200, { { NULL } } },
    { "there", "GET", "users?external_id=u1", NULL, 200, { { "count", "1" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new ("--lookup-lag", "5", NULL);

  talk (rig, lines);
}

static void
test_deleting_frees_what_a_user_had (void)
{
  static const Line lines[] = {
    { "made",
      "POST",
      "users",
      "{'user':{'name':'Ada','email':'a@ex.org','external_id':'u1'}}",
      201,
      { { NULL } },
      "a=user.id" },
    { "has a ticket",
      "POST",
      "tickets",
      "{'ticket':{'comment':'c','requester_id':$a}}",
      201,
      { { NULL } },
      "t=ticket.id" },
    { "which is open",
      "DELETE",
      "users/$a",
      NULL,
      422,
      { { "details.base.0.description",
          "User: is the requester of 1 tickets that are not closed" } } },
    { "solved", "PUT", "tickets/$t", "{'ticket':{'status':'solved'}}", 200, { { NULL } } },
    { "gone",
      "DELETE",
      "users/$a.json",
      NULL,
      200,
      { { "user.active", "false" }, { "user.email", NULL }, { "user.external_id", NULL } } },
    { "but shown", "GET", "users/$a", NULL, 200, { { "user.active", "false" } } },
    { "not listed", "GET", "users", NULL, 200, { { "count", "1" } } },
    { "not twice", "DELETE", "users/$a", NULL, 404, { { NULL } } },
    { "free",
      "POST",
      "users",
      "{'user':{'name':'Bo','email':'a@ex.org','external_id':'U1'}}",
      201,
      { { NULL } } },
    { "counted",
      "GET",
      "/_emulator/counts",
      NULL,
      200,
      { { "users_created", "2" }, { "users_deleted", "1" }, { "users", "2" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_merging_gives_one_all_that_two_had (void)
{
  static const Line lines[] = {
    { "a",
      "POST",
      "users",
      "{'user':{'name':'Ada','email':'a@ex.org'}}",
      201,
      { { NULL } },
      "a=user.id" },
    { "b",
      "POST",
      "users",
      "{'user':{'name':'Ada','email':'a2@ex.org'}}",
      201,
      { { NULL } },
      "b=user.id" },
    { "agent",
      "POST",
      "users",
      "{'user':{'name':'Cy','role':'agent'}}",
      201,
      { { NULL } },
      "c=user.id" },
    { "ticket",
      "POST",
      "tickets",
      "{'ticket':{'comment':'c','requester_id':$a}}",
      201,
      { { NULL } },
      "t=ticket.id" },
    { "not into an agent", "PUT", "users/$a/merge", "{'user':{'id':$c}}", 422, { { NULL } } },
    { "not into itself", "PUT", "users/$a/merge", "{'user':{'id':$a}}", 422, { { NULL } } },
    { "not into nobody", "PUT", "users/$a/merge", "{'user':{'id':5}}", 404, { { NULL } } },
    { "merged",
      "PUT",
      "users/$a/merge.json",
      "{'user':{'id':$b}}",
      200,
      { { "user.id", "$b" }, { "user.email", "a2@ex.org" } } },
    { "both addresses",
      "GET",
      "users/$b/identities",
      NULL,
      200,
      { { "count", "2" },
        { "identities.1.value", "a@ex.org" },
        { "identities.1.primary", "false" } } },
    { "and the ticket", "GET", "tickets/$t", NULL, 200, { { "ticket.requester_id", "$b" } } },
    { "gone", "GET", "users/$a", NULL, 200, { { "user.active", "false" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_tells_to_whom_mail_would_have_gone (void)
{
  static const Line lines[] = {
    { "told",
      "POST",
      "users",
      "{'user':{'name':'A','email':'a@ex.org','external_id':'u1'}}",
      201,
      { { NULL } } },
    { "spared",
      "POST",
      "users",
      "{'user':{'name':'B','email':'b@ex.org','external_id':'u2','skip_verify_email':true}}",
      201,
      { { NULL } } },
    { "no address",
      "POST",
      "users",
      "{'user':{'name':'C','external_id':'u3'}}",
      201,
      { { NULL } } },
    { "by a ticket",
      "POST",
      "tickets",
      "{'ticket':{'comment':'c','requester':{'name':'D','email':'d@ex.org'}}}",
      201,
      { { NULL } } },
    { "counted",
      "GET",
      "/_emulator/counts",
      NULL,
      200,
      { { "verification_mails", "1" }, { "users_created", "4" }, { "created", "1" } } },
    { 0 },
  };
  static const char *const events[]
      = { "\"external_id\":\"u1\",\"email\":\"a@ex.org\",\"verification_mail\":true",
          "\"external_id\":\"u2\",\"email\":\"b@ex.org\",\"verification_mail\":false",
          "\"external_id\":\"u3\",\"email\":null,\"verification_mail\":false",
          "\"external_id\":null,\"email\":\"d@ex.org\",\"verification_mail\":false" };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  g_autoptr (Reply) history = rig_get (rig, "/_emulator/history");
  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    assert_contains (history->body, events[i]);
  assert_contains (history->body, "\"event\":\"created-user\"");
}

static void
test_knows_its_users_after_a_kill (void)
{
  static const Line before[] = {
    { "org",
      "POST",
      "organizations",
      "{'organization':{'name':'One','external_id':'o1','domain_names':['ex.org']}}",
      201,
      { { NULL } },
      "o=organization.id" },
    { "a",
      "POST",
      "users",
      "{'user':{'name':'Ada','email':'a@ex.org','external_id':'u1'}}",
      201,
      { { NULL } },
      "a=user.id" },
    { "b",
      "POST",
      "users/create_or_update",
      "{'user':{'name':'Bo','external_id':'u2'}}",
      201,
      { { NULL } },
      "b=user.id" },
    { "c",
      "POST",
      "users",
      "{'user':{'name':'Cy','email':'c@ex.org'}}",
      201,
      { { NULL } },
      "c=user.id" },
    { "d", "POST", "users", "{'user':{'name':'Di'}}", 201, { { NULL } }, "d=user.id" },
    { "renamed",
      "PUT",
      "users/$a",
      "{'user':{'name':'Ada L','email':'a2@other.org'}}",
      200,
      { { NULL } } },
    { "identity",
      "POST",
      "users/$b/identities",
      "{'identity':{'type':'email','value':'b@ex.org'}}",
      201,
      { { NULL } },
      "i=identity.id" },
    { "verified", "PUT", "users/$b/identities/$i/verify", NULL, 200, { { NULL } } },
    { "merged", "PUT", "users/$c/merge", "{'user':{'id':$a}}", 200, { { NULL } } },
    { "member",
      "POST",
      "organization_memberships",
      "{'organization_membership':{'user_id':$b,'organization_id':$o}}",
      201,
      { { NULL } },
      "m=organization_membership.id" },
    { "dropped", "DELETE", "users/$d", NULL, 200, { { NULL } } },
    { "requester",
      "POST",
      "tickets",
      "{'ticket':{'comment':'c','requester':{'name':'E','email':'e@ex.org'}}}",
      201,
      { { NULL } } },
    { "refused", "POST", "users", "{'user':{'name':'Ada','external_id':'U1'}}", 422, { { NULL } } },
    { 0 },
  };
  static const char *const shown[]
      = { "users.json",    "users/$a/identities",      "users/$b/identities",
          "organizations", "organization_memberships", "users/$c",
          "users/$d" };
  g_autofree char *state = g_build_filename (g_get_tmp_dir (), "emulator-people-XXXXXX", NULL);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (Rig) rig = NULL;

  close (g_mkstemp (state));
  rig = rig_new ("--state", state, NULL);
  talk (rig, before);
  for (guint round = 0; round < 2; round++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (shown); i++)
        {
          g_autofree char *route = talk_fill (shown[i]);
          g_autofree char *path = g_strconcat ("/api/v2/", route, NULL);
          g_autoptr (Reply) reply = rig_get (rig, path);
          GString *text = g_string_new (reply->body);

          g_string_replace (text, rig->url, "URL", 0);
          g_ptr_array_add (texts, g_string_free (text, FALSE));
        }
      if (round == 0)
        rig_restart (rig, "--state", state, NULL);
    }
  for (guint i = 0; i < G_N_ELEMENTS (shown); i++)
    assert_row_text (shown[i], texts->pdata[G_N_ELEMENTS (shown) + i], texts->pdata[i]);
  assert_int (rig_count (rig, "users_created"), 5);
  assert_int (rig_count (rig, "users_deleted"), 2);
  assert_int (rig_count (rig, "memberships_created"), 4);
  g_unlink (state);
  talk_forget ();
}

static const Promise promises[] = {
  { "a user is made as asked and shown whole", test_a_user_is_made_as_asked_and_shown_whole },
  { "tells where a new user is and what it did not know",
    test_tells_where_a_new_user_is_and_what_it_did_not_know },
  { "refuses what another user has", test_refuses_what_another_user_has },
  { "an update adds an address and replaces the organization",
    test_an_update_adds_an_address_and_replaces_the_organization },
  { "create_or_update finds by external id or address",
    test_create_or_update_finds_by_external_id_or_address },
  { "identities are added, changed and taken away",
    test_identities_are_added_changed_and_taken_away },
  { "lists and finds users", test_lists_and_finds_users },
  { "a lookup may lag", test_a_lookup_may_lag },
  { "deleting frees what a user had", test_deleting_frees_what_a_user_had },
  { "merging gives one all that two had", test_merging_gives_one_all_that_two_had },
  { "tells to whom mail would have gone", test_tells_to_whom_mail_would_have_gone },
  { "knows its users after a kill", test_knows_its_users_after_a_kill },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator users", promises, argc, argv);
}
