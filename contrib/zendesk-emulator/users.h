/* users.h: the people of the account, known by their e-mail address */
#pragma once
#include <glib.h>

typedef struct
{
  gint64 id;
  char *name;       /* (owned) */
  char *email;      /* (owned) (nullable) */
  const char *role; /* (unowned) "admin" or "end-user" */
  gint64 created;
} EmuUser;

typedef struct
{
  GHashTable *by_email; /* (owned) lower-case address to EmuUser (unowned) */
  GHashTable *by_id;    /* (owned) id to EmuUser (owned) */
  EmuUser *admin;       /* (unowned) whom every request acts for */
} EmuUsers;

EmuUsers *emu_users_new (const char *admin_email, gint64 now);
void emu_users_free (EmuUsers *users);

/* (nullable) (unowned).  The case of @email does not matter. */
EmuUser *emu_users_find (const EmuUsers *users, const char *email);
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

/* Writes the user as the service shows one; NULL is the anonymous user. */
void emu_user_write (const EmuUser *user, GString *out, const char *base_url);
