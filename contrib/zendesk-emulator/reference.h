/* reference.h: what an account has before there is any ticket: groups, agents, brands and so on
 *
 * The records are JSON from the beginning to the end: a file may give them, and what it does not
 * say of one comes from a template.  Nothing in them ever changes.
 */
#pragma once
#include "json.h"
#include "users.h"

typedef enum
{
  EMU_GROUPS,
  EMU_BRANDS,
  EMU_TICKET_FORMS,
  EMU_CUSTOM_STATUSES,
  EMU_CUSTOM_ROLES,
  EMU_LOCALES,
  EMU_GROUP_MEMBERSHIPS, /* made from what the agents say */
  EMU_N_KINDS
} EmuKind;

typedef struct
{
  GPtrArray *rows[EMU_N_KINDS]; /* (owned) of json_object (owned) */
  json_object *settings;        /* (owned) */
  json_object *agents;          /* (owned) (nullable) list */
} EmuReference;

/* @file: (nullable): JSON object with a list for each kind, "agents" and "settings" */
EmuReference *emu_reference_new (const char *file, GError **error);
void emu_reference_free (EmuReference *reference);

/* "groups", "group"; and the kind with that name, or -1 */
const char *emu_kind_get_plural (EmuKind kind);
const char *emu_kind_get_singular (EmuKind kind);
gint emu_kind_find (const char *plural);

/* (nullable) (unowned) */
json_object *emu_reference_find (const EmuReference *reference, EmuKind kind, gint64 id);
json_object *emu_reference_find_name (const EmuReference *reference, EmuKind kind,
                                      const char *name);
json_object *emu_reference_find_default (const EmuReference *reference, EmuKind kind);

/* Makes the agents users, and members of their groups. */
void emu_reference_hire (EmuReference *reference, EmuUsers *users, gint64 now);

/* Whether @user is an agent of @group. */
gboolean emu_reference_is_member (const EmuReference *reference, gint64 user, gint64 group);

/* The id of the status that @category has by default, or 0; and the category of a status, or NULL
 * (unowned). */
gint64 emu_reference_get_status (const EmuReference *reference, const char *category);
const char *emu_reference_get_category (const EmuReference *reference, gint64 status);

/* Writes the row as the service shows it. */
void emu_reference_write (EmuKind kind, json_object *row, const char *base_url, GString *out);
