/* organizations-api.c: the endpoints of organizations and of memberships */
#include "people-api.h"

#include <string.h>

void
emu_write_organization_row (const EmuList *list, gpointer row, GString *out)
{
  emu_organization_write (row, list->x->emu->organization_fields, list->x->emu->base_url, out);
}

void
emu_write_membership_row (const EmuList *list, gpointer row, GString *out)
{
  emu_membership_write (row, list->x->emu->base_url, out);
}

/* (nullable) with an answer */
static EmuOrganization *
find_organization (EmuExchange *x)
{
  EmuOrganization *organization = emu_organizations_get (x->emu->organizations, x->id);

  if (organization == NULL)
    emu_answer_not_found (&x->answer);
  return organization;
}

/* --- one organization --- */

static void
change (EmuExchange *x, EmuDeedKind kind)
{
  EmuDeed deed = emu_begin_deed (x, kind, "organization");

  if (kind == EMU_ORGANIZATION_DELETE || emu_api_has_json (x))
    emu_answer_deed (x, &deed, "organization", "organizations", emu_write_organization_row);
}

static void
create_organization (EmuExchange *x)
{
  change (x, EMU_ORGANIZATION_CREATE);
}

static void
create_or_update_organization (EmuExchange *x)
{
  change (x, EMU_ORGANIZATION_CREATE_OR_UPDATE);
}

static void
update_organization (EmuExchange *x)
{
  change (x, EMU_ORGANIZATION_UPDATE);
}

static void
delete_organization (EmuExchange *x)
{
  change (x, EMU_ORGANIZATION_DELETE);
}

static void
show_organization (EmuExchange *x)
{
  EmuOrganization *organization = find_organization (x);

  if (organization != NULL)
    emu_answer_record (x, "organization", organization, emu_write_organization_row);
}

static void
show_related (EmuExchange *x)
{
  const EmuOrganization *organization = find_organization (x);
  guint n = 0;

  if (organization == NULL)
    return;
  for (guint i = 0; i < x->emu->tickets->all->len; i++)
    {
      const EmuTicket *ticket = x->emu->tickets->all->pdata[i];

      n += !ticket->deleted && ticket->organization == organization->id;
    }
  g_string_append_printf (emu_answer_begin (&x->answer, 200, "shown"),
                          "{\"organization_related\":{\"tickets_count\":%u,\"users_count\":%u}}", n,
                          organization->memberships->len);
}

/* --- lists of organizations --- */

static void
count_organizations (EmuExchange *x)
{
  emu_answer_count (x, x->emu->organizations->n_live);
}

static gpointer
get_organization (const EmuList *list, guint place)
{
  return list->x->emu->organizations->all->pdata[place];
}

static void
list_organizations (EmuExchange *x)
{
  EmuList list = { .x = x,
                   .name = "organizations",
                   .order = "id",
                   .n_places = x->emu->organizations->all->len,
                   .n_rows = x->emu->organizations->n_live,
                   .get = get_organization,
                   .write = emu_write_organization_row,
                   .more = (char *)"" };

  emu_list_answer (&list);
}

static EmuOrganization *
find_external (EmuExchange *x, const char *external_id)
{
  EmuOrganization *organization
      = emu_organizations_find_external (x->emu->organizations, external_id);

  return organization != NULL
                 && emu_is_known (x->emu, organization->created, x->emu->config.lookup_lag)
             ? organization
             : NULL;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  const EmuOrganization *one = *(EmuOrganization *const *)a;
  const EmuOrganization *other = *(EmuOrganization *const *)b;

  return strcmp (one->name, other->name);
}

/* Sorted by name, as they were recorded. */
static void
show_many (EmuExchange *x)
{
  gboolean external = emu_query (x, "external_ids") != NULL;
  g_auto (GStrv) words = emu_query_words (x, external ? "external_ids" : "ids");
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  if (words == NULL)
    return;
  for (char **word = words; *word != NULL; word++)
    {
      EmuOrganization *organization
          = external
                ? find_external (x, *word)
                : emu_organizations_get (x->emu->organizations, g_ascii_strtoll (*word, NULL, 10));

      if (organization != NULL && !g_ptr_array_find (rows, organization, NULL))
        g_ptr_array_add (rows, organization);
    }
  g_ptr_array_sort (rows, compare_names);
  emu_answer_rows (x, "organizations", rows, emu_write_organization_row);
}

/* Exactly one of external_id and name, whatever its case. */
static void
search_organizations (EmuExchange *x)
{
  const char *external_id = emu_query (x, "external_id"), *name = emu_query (x, "name");
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  if ((external_id == NULL) == (name == NULL))
    {
      emu_answer_bad_attribute (&x->answer, "You must pass either external_id or name");
      return;
    }
  if (external_id != NULL)
    {
      EmuOrganization *organization = find_external (x, external_id);

      if (organization != NULL)
        g_ptr_array_add (rows, organization);
    }
  else
    {
      g_autofree char *folded = emu_fold (name);

      for (guint i = 0; i < x->emu->organizations->all->len; i++)
        {
          EmuOrganization *organization = x->emu->organizations->all->pdata[i];
          g_autofree char *other = organization != NULL ? emu_fold (organization->name) : NULL;

          if (g_strcmp0 (other, folded) == 0)
            g_ptr_array_add (rows, organization);
        }
    }
  emu_answer_pages (x, "organizations", rows, emu_write_organization_row);
}

/* What begins with the text, once the index has it. */
static void
autocomplete (EmuExchange *x)
{
  const char *name = emu_query (x, "name");
  g_autofree char *folded = emu_fold (name != NULL ? name : "");
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  for (guint i = 0; i < x->emu->organizations->all->len; i++)
    {
      EmuOrganization *organization = x->emu->organizations->all->pdata[i];
      g_autofree char *other = organization != NULL ? emu_fold (organization->name) : NULL;

      if (other != NULL && g_str_has_prefix (other, folded)
          && emu_is_known (x->emu, organization->updated, x->emu->config.search_lag))
        g_ptr_array_add (rows, organization);
    }
  emu_answer_pages (x, "organizations", rows, emu_write_organization_row);
}

static void
list_organization_users (EmuExchange *x)
{
  EmuOrganization *organization = find_organization (x);
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  if (organization == NULL)
    return;
  for (guint i = 0; i < organization->memberships->len; i++)
    g_ptr_array_add (rows, ((EmuMembership *)organization->memberships->pdata[i])->user);
  emu_answer_pages (x, "users", rows, emu_write_user_row);
}

/* --- memberships --- */

static void
change_membership (EmuExchange *x, EmuDeedKind kind)
{
  EmuDeed deed = emu_begin_deed (x, kind, "organization_membership");

  if (kind == EMU_MEMBERSHIP_CREATE && !emu_api_has_json (x))
    return;
  if (kind != EMU_MEMBERSHIP_CREATE && x->other == 0)
    {
      deed.id = 0;
      deed.other = x->id;
    }
  emu_answer_deed (x, &deed, "organization_membership", "organization_memberships",
                   emu_write_membership_row);
}

static void
create_membership (EmuExchange *x)
{
  change_membership (x, EMU_MEMBERSHIP_CREATE);
}

static void
delete_membership (EmuExchange *x)
{
  change_membership (x, EMU_MEMBERSHIP_DELETE);
}

static gpointer
get_membership (const EmuList *list, guint place)
{
  return list->x->emu->organizations->memberships->pdata[place];
}

static void
list_memberships (EmuExchange *x)
{
  EmuList list = { .x = x,
                   .name = "organization_memberships",
                   .order = "id",
                   .n_places = x->emu->organizations->memberships->len,
                   .n_rows = x->emu->organizations->n_memberships,
                   .get = get_membership,
                   .write = emu_write_membership_row,
                   .more = (char *)"" };

  emu_list_answer (&list);
}

static void
list_memberships_of_user (EmuExchange *x)
{
  EmuUser *user = emu_users_get (x->emu->users, x->id);

  if (user != NULL)
    emu_answer_pages (x, "organization_memberships", user->memberships, emu_write_membership_row);
  else
    emu_answer_not_found (&x->answer);
}

static void
list_memberships_of_organization (EmuExchange *x)
{
  EmuOrganization *organization = find_organization (x);

  if (organization != NULL)
    emu_answer_pages (x, "organization_memberships", organization->memberships,
                      emu_write_membership_row);
}

/* The answer is the whole list. */
static void
make_default (EmuExchange *x)
{
  change_membership (x, EMU_MEMBERSHIP_DEFAULT);
  if (x->answer.status == 200)
    list_memberships_of_user (x);
}

/* (nullable): of the user in the route, where there is one */
static void
show_membership (EmuExchange *x)
{
  gint64 id = x->other != 0 ? x->other : x->id;
  EmuMembership *membership = emu_memberships_get (x->emu->organizations, id);

  if (membership != NULL && (x->other == 0 || membership->user->id == x->id))
    emu_answer_record (x, "organization_membership", membership, emu_write_membership_row);
  else
    emu_answer_not_found (&x->answer);
}

static void
list_organization_fields (EmuExchange *x)
{
  emu_answer_fields (x, x->emu->organization_fields, "organization_fields");
}

static void
show_organization_field (EmuExchange *x)
{
  emu_answer_field (x, x->emu->organization_fields, "organization_fields", "organization_field");
}

const EmuRoute emu_organization_routes[] = {
  { "GET", "organizations", list_organizations },
  { "POST", "organizations", create_organization },
  { "POST", "organizations/create_or_update", create_or_update_organization, EMU_BUCKET_ACCOUNT,
    EMU_BUCKET_UPDATE_ORGANIZATION },
  { "GET", "organizations/count", count_organizations },
  { "GET", "organizations/show_many", show_many },
  { "GET", "organizations/search", search_organizations },
  { "GET", "organizations/autocomplete", autocomplete },
  { "GET", "organizations/#", show_organization },
  { "PUT", "organizations/#", update_organization, EMU_BUCKET_ACCOUNT,
    EMU_BUCKET_UPDATE_ORGANIZATION },
  { "DELETE", "organizations/#", delete_organization },
  { "GET", "organizations/#/related", show_related },
  { "GET", "organizations/#/users", list_organization_users },
  { "GET", "organizations/#/organization_memberships", list_memberships_of_organization },
  { "GET", "organization_memberships", list_memberships },
  { "POST", "organization_memberships", create_membership },
  { "GET", "organization_memberships/#", show_membership },
  { "DELETE", "organization_memberships/#", delete_membership },
  { "GET", "users/#/organization_memberships", list_memberships_of_user },
  { "POST", "users/#/organization_memberships", create_membership },
  { "GET", "users/#/organization_memberships/#", show_membership },
  { "DELETE", "users/#/organization_memberships/#", delete_membership },
  { "PUT", "users/#/organization_memberships/#/make_default", make_default },
  { "GET", "organization_fields", list_organization_fields },
  { "GET", "organization_fields/#", show_organization_field },
  { 0 },
};
