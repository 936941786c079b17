/* organizations.c: the organizations of the account, and which users belong to them */
#include "organizations.h"

#include <string.h>

#define ID_FLOOR G_GINT64_CONSTANT (19000000000001)
#define MEMBERSHIP_FLOOR G_GINT64_CONSTANT (21000000000001)

#define AT(member) G_STRUCT_OFFSET (EmuOrganization, member)

/* In the order in which they were recorded. */
static const EmuMember members[] = {
  { "url", EMU_MEMBER_URL, EMU_SHOWN, 0, "organizations" },
  { "id", EMU_MEMBER_ID, EMU_ACCEPTED, AT (id), NULL },
  { "name", EMU_MEMBER_TEXT, EMU_ACCEPTED, AT (name), NULL },
  { "shared_tickets", EMU_MEMBER_FLAG, EMU_SET, AT (shared_tickets), NULL },
  { "shared_comments", EMU_MEMBER_FLAG, EMU_SET, AT (shared_comments), NULL },
  { "external_id", EMU_MEMBER_TEXT, EMU_ACCEPTED, AT (external_id), NULL },
  { "created_at", EMU_MEMBER_TIME, EMU_SHOWN, AT (created), NULL },
  { "updated_at", EMU_MEMBER_TIME, EMU_SHOWN, AT (updated), NULL },
  { "domain_names", EMU_MEMBER_TAGS, EMU_ACCEPTED, AT (domains), NULL },
  { "details", EMU_MEMBER_TEXT, EMU_SET, AT (details), NULL },
  { "notes", EMU_MEMBER_TEXT, EMU_SET, AT (notes), NULL },
  { "group_id", EMU_MEMBER_ID, EMU_SET, AT (group), NULL },
  { "tags", EMU_MEMBER_TAGS, EMU_SET, AT (tags), NULL },
  { "organization_fields", EMU_MEMBER_VALUES, EMU_SET, AT (values), NULL },
  { NULL, EMU_MEMBER_HIDDEN, EMU_SHOWN, 0, NULL },
};

const EmuRecordKind emu_organization_kind = { members, "organization", AT (id) };

static void
organization_free (gpointer data)
{
  EmuOrganization *organization = data;

  if (organization == NULL)
    return;
  emu_record_clear (&emu_organization_kind, organization);
  g_ptr_array_unref (organization->memberships);
  g_free (organization);
}

EmuOrganizations *
emu_organizations_new (void)
{
  EmuOrganizations *organizations = g_new0 (EmuOrganizations, 1);

  organizations->all = g_ptr_array_new_with_free_func (organization_free);
  organizations->memberships = g_ptr_array_new_with_free_func (g_free);
  organizations->by_external = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  organizations->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  organizations->by_domain = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return organizations;
}

void
emu_organizations_free (EmuOrganizations *organizations)
{
  if (organizations == NULL)
    return;
  g_hash_table_unref (organizations->by_external);
  g_hash_table_unref (organizations->by_name);
  g_hash_table_unref (organizations->by_domain);
  g_ptr_array_unref (organizations->memberships);
  g_ptr_array_unref (organizations->all);
  g_free (organizations);
}

/* The element whose number is @id, when the first one's is @floor. */
static gpointer
get_by_number (const GPtrArray *all, gint64 floor, gint64 id)
{
  return id >= floor && id - floor < all->len ? all->pdata[id - floor] : NULL;
}

EmuOrganization *
emu_organizations_get (const EmuOrganizations *organizations, gint64 id)
{
  return get_by_number (organizations->all, ID_FLOOR, id);
}

static EmuOrganization *
find_folded (GHashTable *table, const char *text)
{
  g_autofree char *folded = emu_fold (text);

  return g_hash_table_lookup (table, folded);
}

EmuOrganization *
emu_organizations_find_external (const EmuOrganizations *organizations, const char *external_id)
{
  return find_folded (organizations->by_external, external_id);
}

EmuOrganization *
emu_organizations_find_name (const EmuOrganizations *organizations, const char *name)
{
  return find_folded (organizations->by_name, name);
}

EmuOrganization *
emu_organizations_find_domain (const EmuOrganizations *organizations, const char *email)
{
  const char *domain = email != NULL ? strrchr (email, '@') : NULL;

  return domain != NULL ? find_folded (organizations->by_domain, domain + 1) : NULL;
}

/* Takes away what stands under @text, if it is @organization. */
static void
unfile (GHashTable *table, const char *text, const EmuOrganization *organization)
{
  g_autofree char *folded = emu_fold (text);

  if (folded != NULL && g_hash_table_lookup (table, folded) == organization)
    g_hash_table_remove (table, folded);
}

EmuOrganization *
emu_organizations_add (EmuOrganizations *organizations, const char *name, gint64 now)
{
  EmuOrganization *organization = g_new0 (EmuOrganization, 1);

  organization->id = ID_FLOOR + organizations->all->len;
  organization->created = organization->updated = now;
  organization->memberships = g_ptr_array_new ();
  g_ptr_array_add (organizations->all, organization);
  organizations->n_live++;
  emu_organizations_rename (organizations, organization, name);
  return organization;
}

void
emu_organizations_rename (EmuOrganizations *organizations, EmuOrganization *organization,
                          const char *name)
{
  char *copy = g_strdup (name);

  unfile (organizations->by_name, organization->name, organization);
  g_free (organization->name);
  organization->name = copy;
  g_hash_table_replace (organizations->by_name, emu_fold (copy), organization);
}

void
emu_organizations_set_external (EmuOrganizations *organizations, EmuOrganization *organization,
                                const char *external_id)
{
  char *copy = g_strdup (external_id);

  unfile (organizations->by_external, organization->external_id, organization);
  g_free (organization->external_id);
  organization->external_id = copy;
  if (copy != NULL)
    g_hash_table_replace (organizations->by_external, emu_fold (copy), organization);
}

void
emu_organizations_take_domains (EmuOrganizations *organizations, EmuOrganization *organization,
                                GStrv domains)
{
  for (guint i = 0; organization->domains != NULL && organization->domains[i] != NULL; i++)
    unfile (organizations->by_domain, organization->domains[i], organization);
  g_strfreev (organization->domains);
  organization->domains = domains;
  for (guint i = 0; domains != NULL && domains[i] != NULL; i++)
    g_hash_table_replace (organizations->by_domain, emu_fold (domains[i]), organization);
}

void
emu_organizations_delete (EmuOrganizations *organizations, EmuOrganization *organization)
{
  GPtrArray *memberships = organization->memberships;

  while (memberships->len > 0)
    emu_memberships_drop (organizations, memberships->pdata[memberships->len - 1]);
  unfile (organizations->by_name, organization->name, organization);
  emu_organizations_set_external (organizations, organization, NULL);
  emu_organizations_take_domains (organizations, organization, NULL);
  organizations->n_live--;
  organizations->all->pdata[organization->id - ID_FLOOR] = NULL;
  organization_free (organization);
}

/* --- memberships --- */

EmuMembership *
emu_memberships_get (const EmuOrganizations *organizations, gint64 id)
{
  return get_by_number (organizations->memberships, MEMBERSHIP_FLOOR, id);
}

EmuMembership *
emu_user_find_membership (const EmuUser *user, gint64 organization)
{
  for (guint i = 0; i < user->memberships->len; i++)
    {
      EmuMembership *membership = user->memberships->pdata[i];

      if (membership->organization->id == organization)
        return membership;
    }
  return NULL;
}

EmuMembership *
emu_memberships_add (EmuOrganizations *organizations, EmuUser *user, EmuOrganization *organization,
                     gint64 now)
{
  EmuMembership *membership = g_new0 (EmuMembership, 1);

  membership->id = MEMBERSHIP_FLOOR + organizations->memberships->len;
  membership->user = user;
  membership->organization = organization;
  membership->created = membership->updated = now;
  membership->is_default = user->memberships->len == 0;
  if (membership->is_default)
    user->organization = organization->id;
  g_ptr_array_add (organizations->memberships, membership);
  g_ptr_array_add (user->memberships, membership);
  g_ptr_array_add (organization->memberships, membership);
  organizations->n_memberships++;
  return membership;
}

void
emu_membership_make_default (EmuMembership *membership, gint64 now)
{
  EmuUser *user = membership->user;

  for (guint i = 0; i < user->memberships->len; i++)
    ((EmuMembership *)user->memberships->pdata[i])->is_default = FALSE;
  membership->is_default = TRUE;
  membership->updated = now;
  user->organization = membership->organization->id;
}

void
emu_memberships_drop (EmuOrganizations *organizations, EmuMembership *membership)
{
  EmuUser *user = membership->user;
  gboolean was_default = membership->is_default;

  g_ptr_array_remove (user->memberships, membership);
  g_ptr_array_remove_fast (membership->organization->memberships, membership);
  organizations->memberships->pdata[membership->id - MEMBERSHIP_FLOOR] = NULL;
  organizations->n_memberships--;
  g_free (membership);
  if (!was_default)
    return;
  user->organization = 0;
  if (user->memberships->len > 0)
    emu_membership_make_default (user->memberships->pdata[0],
                                 ((EmuMembership *)user->memberships->pdata[0])->updated);
}

/* --- what is shown --- */

void
emu_organization_write (const EmuOrganization *organization, const EmuFields *fields,
                        const char *base_url, GString *out)
{
  emu_record_write (&emu_organization_kind, organization, fields, base_url, out);
}

void
emu_membership_write (const EmuMembership *membership, const char *base_url, GString *out)
{
  g_string_append_printf (out,
                          "{\"url\":\"%s/api/v2/organization_memberships/%" G_GINT64_FORMAT
                          ".json\",\"id\":%" G_GINT64_FORMAT ",\"user_id\":%" G_GINT64_FORMAT
                          ",\"organization_id\":%" G_GINT64_FORMAT ",\"organization_name\":",
                          base_url, membership->id, membership->id, membership->user->id,
                          membership->organization->id);
  emu_json_add_text (out, membership->organization->name);
  g_string_append_printf (out, ",\"default\":%s,\"view_tickets\":true,\"created_at\":",
                          membership->is_default ? "true" : "null");
  emu_json_add_time (out, membership->created);
  g_string_append (out, ",\"updated_at\":");
  emu_json_add_time (out, membership->updated);
  g_string_append_c (out, '}');
}
