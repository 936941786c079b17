/* users.h: the people of the account and the ways to find them
 *
 * A person is found by id, by external_id, and by any address: that is an identity of type email,
 * of which a user has any number, and one is the first.  External ids and addresses belong to one
 * active user each, whatever their case.
 */
#pragma once
#include "record.h"

typedef struct EmuUser EmuUser;

typedef struct
{
  gint64 id;
  EmuUser *user;    /* (unowned) */
  const char *type; /* (unowned) */
  char *value;      /* (owned) */
  gboolean verified, primary;
  gint64 created, updated;
} EmuIdentity;

struct EmuUser
{
  gint64 id;
  char *name;        /* (owned) */
  char *email;       /* (owned) (nullable) of the first identity that is one */
  char *external_id; /* (owned) (nullable) */
  const char *role;  /* (unowned) */
  gint64 created, updated;
  char *phone, *alias, *signature, *details, *notes, *time_zone, *locale; /* (owned) (nullable) */
  const char *iana_time_zone, *ticket_restriction;                        /* (unowned) (nullable) */
  gint64 locale_id, organization, custom_role, default_group;
  gboolean verified, active, suspended, moderator, restricted, only_private;
  GStrv tags;             /* (owned) (nullable) */
  json_object *values;    /* (owned) (nullable) */
  GPtrArray *identities;  /* (owned) of EmuIdentity (owned) */
  GPtrArray *memberships; /* (owned) of EmuMembership (unowned) */
};

typedef struct
{
  GPtrArray *all;          /* (owned) of EmuUser (owned), by creation; deleted ones stay */
  GHashTable *by_id;       /* (owned) id to EmuUser (unowned) */
  GHashTable *by_external; /* (owned) folded external_id to EmuUser (unowned) */
  GHashTable *identities;  /* (owned) "type:value", folded, to EmuIdentity (unowned) */
  EmuUser *admin;          /* (unowned) whom every request acts for */
  gint64 next_identity;
  guint n_active;
} EmuUsers;

extern const EmuRecordKind emu_user_kind;
extern const char *const emu_identity_types[]; /* NULL-terminated */

EmuUsers *emu_users_new (const char *admin_email, gint64 now);
void emu_users_free (EmuUsers *users);

/* (nullable) (unowned): whose address @email is, of whatever case */
EmuUser *emu_users_find (const EmuUsers *users, const char *email);
EmuUser *emu_users_find_external (const EmuUsers *users, const char *external_id);
EmuUser *emu_users_get (const EmuUsers *users, gint64 id);

/**
 * emu_users_add:
 * @email: (nullable): of nobody yet
 *
 * The id is above 2^40 and comes from the address, so that the same person has the same id in
 * every emulator, whatever happened before.
 *
 * Returns: (transfer none): a new end user
 */
EmuUser *emu_users_add (EmuUsers *users, const char *name, const char *email, gint64 now);

/* Files @user under @external_id (nullable), which is nobody else's, instead of what it had. */
void emu_users_rename (EmuUsers *users, EmuUser *user, const char *external_id);
void emu_user_set_role (EmuUser *user, const char *role);

/* (nullable) (unowned): whose identity it is */
EmuIdentity *emu_users_find_identity (const EmuUsers *users, const char *type, const char *value);
EmuIdentity *emu_user_get_identity (const EmuUser *user, gint64 id);

/* @type: one of emu_identity_types; @value: nobody's yet */
EmuIdentity *emu_users_add_identity (EmuUsers *users, EmuUser *user, const char *type,
                                     const char *value, gboolean verified, gint64 now);
void emu_users_change_identity (EmuUsers *users, EmuIdentity *identity, const char *value);
void emu_users_drop_identity (EmuUsers *users, EmuIdentity *identity);
void emu_users_move_identity (EmuIdentity *identity, EmuUser *user, gint64 now);
void emu_user_make_primary (EmuIdentity *identity, gint64 now);

/* As the service deletes: the record stays, its addresses and its external_id are free again. */
void emu_users_delete (EmuUsers *users, EmuUser *user, gint64 now);

/* Writes the user as the service shows one. */
void emu_user_write (const EmuUser *user, const EmuFields *fields, const char *base_url,
                     GString *out);

/* Whom /users/me shows to somebody without credentials. */
void emu_user_write_anonymous (const EmuFields *fields, const char *base_url, GString *out);

void emu_identity_write (const EmuIdentity *identity, const char *base_url, GString *out);
