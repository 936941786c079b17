/* organizations.h: the organizations of the account, and which users belong to them
 *
 * An organization is found by id, by external_id and by name, whatever their case.  A membership
 * joins a user and an organization; one of a user's memberships is the default one, whose
 * organization is the user's.
 */
#pragma once
#include "users.h"

typedef struct
{
  gint64 id;
  char *name;        /* (owned) */
  char *external_id; /* (owned) (nullable) */
  gint64 created, updated, group;
  char *details, *notes; /* (owned) (nullable) */
  gboolean shared_tickets, shared_comments;
  GStrv domains, tags;    /* (owned) (nullable) */
  json_object *values;    /* (owned) (nullable) */
  GPtrArray *memberships; /* (owned) of EmuMembership (unowned) */
} EmuOrganization;

typedef struct
{
  gint64 id;
  EmuUser *user;                 /* (unowned) */
  EmuOrganization *organization; /* (unowned) */
  gboolean is_default;
  gint64 created, updated;
} EmuMembership;

typedef struct
{
  GPtrArray *all; /* (owned) of EmuOrganization (owned), by creation; NULL for a deleted one */
  GPtrArray
      *memberships; /* (owned) of EmuMembership (owned), by creation; NULL for a deleted one */
  GHashTable *by_external; /* (owned) folded external_id to EmuOrganization (unowned) */
  GHashTable *by_name; /* (owned) folded name to EmuOrganization (unowned), the last that has it */
  GHashTable *by_domain; /* (owned) folded domain to EmuOrganization (unowned) */
  guint n_live, n_memberships;
} EmuOrganizations;

extern const EmuRecordKind emu_organization_kind;

EmuOrganizations *emu_organizations_new (void);
void emu_organizations_free (EmuOrganizations *organizations);

/* (nullable) (unowned) */
EmuOrganization *emu_organizations_get (const EmuOrganizations *organizations, gint64 id);
EmuOrganization *emu_organizations_find_external (const EmuOrganizations *organizations,
                                                  const char *external_id);
EmuOrganization *emu_organizations_find_name (const EmuOrganizations *organizations,
                                              const char *name);
/* whose domain @email is in */
EmuOrganization *emu_organizations_find_domain (const EmuOrganizations *organizations,
                                                const char *email);

EmuOrganization *emu_organizations_add (EmuOrganizations *organizations, const char *name,
                                        gint64 now);
void emu_organizations_rename (EmuOrganizations *organizations, EmuOrganization *organization,
                               const char *name);
void emu_organizations_set_external (EmuOrganizations *organizations, EmuOrganization *organization,
                                     const char *external_id);
/* Takes @domains. */
void emu_organizations_take_domains (EmuOrganizations *organizations, EmuOrganization *organization,
                                     GStrv domains);

/* Deletes it, with its memberships. */
void emu_organizations_delete (EmuOrganizations *organizations, EmuOrganization *organization);

/* (nullable) (unowned) */
EmuMembership *emu_memberships_get (const EmuOrganizations *organizations, gint64 id);
EmuMembership *emu_user_find_membership (const EmuUser *user, gint64 organization);

/* Makes @user, who is none yet, a member; the first organization is the default one. */
EmuMembership *emu_memberships_add (EmuOrganizations *organizations, EmuUser *user,
                                    EmuOrganization *organization, gint64 now);
void emu_membership_make_default (EmuMembership *membership, gint64 now);
void emu_memberships_drop (EmuOrganizations *organizations, EmuMembership *membership);

void emu_organization_write (const EmuOrganization *organization, const EmuFields *fields,
                             const char *base_url, GString *out);
void emu_membership_write (const EmuMembership *membership, const char *base_url, GString *out);
