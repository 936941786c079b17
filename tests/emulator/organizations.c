/* organizations.c: what the emulator promises about organizations and who belongs to them */
#include "promise.h"
#include "rig.h"
#include "talk.h"

static void
test_an_organization_is_made_changed_and_deleted (void)
{
  static const Line lines[] = {
    { "made",
      "POST",
      "organizations.json",
      "{'organization':{'name':'ACME','external_id':'O1','domain_names':['Acme.test'],"
      "'details':'d','tags':['x'],'organization_fields':{'region':'region_north'},'nmae':1}}",
      201,
      { { "organization.name", "ACME" },
        { "organization.domain_names", "[\"acme.test\"]" },
        { "organization.shared_tickets", "false" },
        { "organization.group_id", NULL },
        { "organization.organization_fields.region", "region_north" } },
      "o=organization.id" },
    { "changed",
      "PUT",
      "organizations/$o",
      "{'organization':{'notes':'n','domain_names':['b.test','c.test']}}",
      200,
      { { "organization.notes", "n" },
        { "organization.details", "d" },
        { "organization.domain_names.#", "2" } } },
    { "shown",
      "GET",
      "organizations/$o.json",
      NULL,
      200,
      { { "organization.external_id", "O1" } } },
    { "related",
      "GET",
      "organizations/$o/related",
      NULL,
      200,
      { { "organization_related.users_count", "0" } } },
    { "counted", "GET", "organizations/count", NULL, 200, { { "count.value", "1" } } },
    { "gone", "DELETE", "organizations/$o.json", NULL, 204, { { NULL } } },
    { "not shown", "GET", "organizations/$o", NULL, 404, { { "error", "RecordNotFound" } } },
    { "not twice", "DELETE", "organizations/$o", NULL, 404, { { NULL } } },
    { "the name is free",
      "POST",
      "organizations",
      "{'organization':{'name':'acme'}}",
      201,
      { { NULL } } },
    { "in the books",
      "GET",
      "/_emulator/counts",
      NULL,
      200,
      { { "organizations", "1" },
        { "organizations_created", "2" },
        { "organizations_deleted", "1" },
        { "duplicate_organizations", "0" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  g_autoptr (Reply) history = rig_get (rig, "/_emulator/history");
  assert_contains (history->body, "\"event\":\"created-organization\"");
  assert_contains (history->body, "\"external_id\":\"O1\",\"name\":\"ACME\"");
  talk_forget ();
}

static void
test_names_and_external_ids_are_taken_once (void)
{
  static const Line lines[] = {
    { "first",
      "POST",
      "organizations",
      "{'organization':{'name':'ACME','external_id':'O1'}}",
      201,
      { { NULL } },
      "o=organization.id" },
    { "name of other case",
      "POST",
      "organizations",
      "{'organization':{'name':'acme'}}",
      422,
      { { "details.name.0.description", "Name: has already been taken" },
        { "details.name.0.error", "DuplicateValue" } } },
    { "external id of other case",
      "POST",
      "organizations",
      "{'organization':{'name':'B','external_id':'o1'}}",
      422,
      { { "details.name.#", "1" } } },
    { "none", "POST", "organizations", "{'organization':{'external_id':'o2'}}", 422, { { NULL } } },
    { "its own", "PUT", "organizations/$o", "{'organization':{'name':'Acme'}}", 200, { { NULL } } },
    { "by external id",
      "POST",
      "organizations/create_or_update",
      "{'organization':{'name':'Acme 2','external_id':'o1'}}",
      200,
      { { "organization.id", "$o" } } },
    { "by id",
      "POST",
      "organizations/create_or_update.json",
      "{'organization':{'id':$o,'name':'Acme 3'}}",
      200,
      { { "organization.id", "$o" } } },
    { "never by name",
      "POST",
      "organizations/create_or_update",
      "{'organization':{'name':'Acme 3','external_id':'o3'}}",
      422,
      { { "details.name.0.error", "DuplicateValue" } } },
    { "new",
      "POST",
      "organizations/create_or_update",
      "{'organization':{'name':'Other','external_id':'o3'}}",
      201,
      { { NULL } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_a_race_may_let_two_have_one_name (void)
{
  static const Line lines[] = {
    { "first", "POST", "organizations", "{'organization':{'name':'ACME'}}", 201, { { NULL } } },
    { "just after",
      "POST",
      "organizations",
      "{'organization':{'name':'ACME'}}",
      201,
      { { NULL } } },
    { "an external id",
      "POST",
      "organizations",
      "{'organization':{'name':'B','external_id':'o1'}}",
      201,
      { { NULL } } },
    { "and again",
      "POST",
      "organizations",
      "{'organization':{'name':'C','external_id':'O1'}}",
      201,
      { { NULL } } },
    { "later", "POST", "/_emulator/clock", "{'advance':3}", 200, { { NULL } } },
    { "too late", "POST", "organizations", "{'organization':{'name':'ACME'}}", 422, { { NULL } } },
    { "both are found", "GET", "organizations/search?name=acme", NULL, 200, { { "count", "2" } } },
    { "the truth", "GET", "/_emulator/counts", NULL, 200, { { "duplicate_organizations", "2" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new ("--organization-race", "2", "--time-rate", "0", NULL);

  talk (rig, lines);
}

static void
test_lists_and_finds_organizations (void)
{
  static const Line lines[] = {
    { "b",
      "POST",
      "organizations",
      "{'organization':{'name':'Beta','external_id':'O,2'}}",
      201,
      { { NULL } },
      "b=organization.id" },
    { "a",
      "POST",
      "organizations",
      "{'organization':{'name':'Alpha','external_id':'o1'}}",
      201,
      { { NULL } },
      "a=organization.id" },
    { "all",
      "GET",
      "organizations.json?page%5Bsize%5D=1",
      NULL,
      200,
      { { "organizations.0.id", "$b" }, { "meta.has_more", "true" } } },
    { "many, by name",
      "GET",
      "organizations/show_many?ids=$b,$a,9",
      NULL,
      200,
      { { "count", "2" }, { "organizations.0.name", "Alpha" } } },
    { "by external id",
      "GET",
      "organizations/show_many?external_ids=O1",
      NULL,
      200,
      { { "count", "1" } } },
    { "exactly",
      "GET",
      "organizations/search?external_id=o,2",
      NULL,
      200,
      { { "organizations.0.id", "$b" } } },
    { "by name",
      "GET",
      "organizations/search.json?name=ALPHA",
      NULL,
      200,
      { { "organizations.0.id", "$a" } } },
    { "not by a part", "GET", "organizations/search?name=Alph", NULL, 200, { { "count", "0" } } },
    { "one or the other",
      "GET",
      "organizations/search?name=a&external_id=b",
      NULL,
      400,
      { { NULL } } },
    { "as recorded, not yet",
      "GET",
      "organizations/autocomplete.json?name=alp",
      NULL,
      200,
      { { "count", "0" } } },
    { "minutes", "POST", "/_emulator/clock", "{'advance':121}", 200, { { NULL } } },
    { "by its beginning",
      "GET",
      "organizations/autocomplete?name=alp",
      NULL,
      200,
      { { "count", "1" } } },
    { "fields",
      "GET",
      "organization_fields.json",
      NULL,
      200,
      { { "count", "3" }, { "organization_fields.0.key", "legacy_id" } },
      "f=organization_fields.2.id" },
    { "field",
      "GET",
      "organization_fields/$f",
      NULL,
      200,
      { { "organization_field.custom_field_options.0.value", "region_north" } } },
    { "user fields", "GET", "user_fields.json", NULL, 200, { { "user_fields.2.key", "vip" } } },
    { "no field", "GET", "user_fields/1", NULL, 404, { { NULL } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_people_belong_where_their_address_does (void)
{
  static const Line lines[] = {
    { "there before",
      "POST",
      "users",
      "{'user':{'name':'Ada','email':'a@acme.test'}}",
      201,
      { { "user.organization_id", NULL } },
      "a=user.id" },
    { "other",
      "POST",
      "organizations",
      "{'organization':{'name':'Other'}}",
      201,
      { { NULL } },
      "p=organization.id" },
    { "elsewhere",
      "POST",
      "users",
      "{'user':{'name':'Bo','email':'b@acme.test','organization_id':$p}}",
      201,
      { { NULL } },
      "b=user.id" },
    { "comes",
      "POST",
      "organizations",
      "{'organization':{'name':'ACME','domain_names':['acme.test']}}",
      201,
      { { NULL } },
      "o=organization.id" },
    { "is taken in", "GET", "users/$a", NULL, 200, { { "user.organization_id", "$o" } } },
    { "stays", "GET", "users/$b", NULL, 200, { { "user.organization_id", "$p" } } },
    { "new",
      "POST",
      "users",
      "{'user':{'name':'Cy','email':'c@ACME.test'}}",
      201,
      { { NULL } },
      "c=user.id" },
    { "belongs", "GET", "users/$c", NULL, 200, { { "user.organization_id", "$o" } } },
    { "in its list", "GET", "organizations/$o/users", NULL, 200, { { "count", "2" } } },
    { "when it goes", "DELETE", "organizations/$o", NULL, 204, { { NULL } } },
    { "they belong nowhere", "GET", "users/$c", NULL, 200, { { "user.organization_id", NULL } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  talk_forget ();
}

static void
test_a_user_may_belong_to_several (void)
{
  static const Line lines[] = {
    { "u", "POST", "users", "{'user':{'name':'Ada'}}", 201, { { NULL } }, "u=user.id" },
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
    { "first",
      "POST",
      "organization_memberships.json",
      "{'organization_membership':{'user_id':$u,'organization_id':$x}}",
      201,
      { { "organization_membership.default", "true" },
        { "organization_membership.organization_name", "One" } },
      "a=organization_membership.id" },
    { "again",
      "POST",
      "organization_memberships",
      "{'organization_membership':{'user_id':$u,'organization_id':$x}}",
      422,
      { { "details.user_id.0.error", "DuplicateValue" } } },
    { "nobody",
      "POST",
      "organization_memberships",
      "{'organization_membership':{'user_id':5,'organization_id':6}}",
      422,
      { { "details.user_id.#", "1" }, { "details.organization_id.#", "1" } } },
    { "second",
      "POST",
      "users/$u/organization_memberships",
      "{'organization_membership':{'organization_id':$y}}",
      201,
      { { "organization_membership.default", NULL } },
      "b=organization_membership.id" },
    { "now this one",
      "PUT",
      "users/$u/organization_memberships/$b/make_default",
      "{}",
      200,
      { { "organization_memberships.0.default", NULL },
        { "organization_memberships.1.default", "true" } } },
    { "is hers", "GET", "users/$u", NULL, 200, { { "user.organization_id", "$y" } } },
    { "of the organization",
      "GET",
      "organizations/$y/organization_memberships",
      NULL,
      200,
      { { "count", "1" } } },
    { "all", "GET", "organization_memberships", NULL, 200, { { "count", "2" } } },
    { "one of them",
      "GET",
      "organization_memberships/$a",
      NULL,
      200,
      { { "organization_membership.user_id", "$u" } } },
    { "not of another", "GET", "users/5/organization_memberships/$a", NULL, 404, { { NULL } } },
    { "left", "DELETE", "organization_memberships/$b", NULL, 204, { { NULL } } },
    { "the other one again", "GET", "users/$u", NULL, 200, { { "user.organization_id", "$x" } } },
    { "gone", "GET", "organization_memberships/$b", NULL, 404, { { NULL } } },
    { "counted",
      "GET",
      "/_emulator/counts",
      NULL,
      200,
      { { "memberships", "1" }, { "memberships_created", "2" } } },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  talk_forget ();
}

static const Promise promises[] = {
  { "an organization is made, changed and deleted",
    test_an_organization_is_made_changed_and_deleted },
  { "names and external ids are taken once", test_names_and_external_ids_are_taken_once },
  { "a race may let two have one name", test_a_race_may_let_two_have_one_name },
  { "lists and finds organizations", test_lists_and_finds_organizations },
  { "people belong where their address does", test_people_belong_where_their_address_does },
  { "a user may belong to several", test_a_user_may_belong_to_several },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator organizations", promises, argc, argv);
}
