/* fields.h: the fields of tickets, users and organizations
 *
 * Tickets have those of every account and the account's own, by number; users and organizations
 * have only its own, by key.
 */
#pragma once
#include "json.h"

typedef struct
{
  char *name;  /* (owned) */
  char *value; /* (owned) */
} EmuOption;

typedef struct
{
  gint64 id;
  char *type;    /* (owned) */
  char *title;   /* (owned) */
  char *key;     /* (owned) (nullable) */
  char *pattern; /* (owned) (nullable) regular expression for its values */
  gboolean active, required;
  GArray *options; /* (owned) (nullable) of EmuOption: what a drop-down offers */
} EmuField;

typedef struct
{
  GPtrArray *system; /* (owned) of EmuField */
  GPtrArray *custom; /* (owned) of EmuField; a ticket's values stand in this order */
} EmuFields;

typedef enum
{
  EMU_FIELDS_TICKET,
  EMU_FIELDS_USER,
  EMU_FIELDS_ORGANIZATION,
} EmuFieldsOf;

/**
 * emu_fields_new:
 * @file: (nullable): JSON list of more custom fields, or NULL
 *
 * Returns: (transfer full): the fields; NULL if @file cannot be read
 */
EmuFields *emu_fields_new (EmuFieldsOf of, const char *file, GError **error);
void emu_fields_free (EmuFields *fields);

/* The place of the custom field @id among a ticket's values, or -1. */
gint emu_fields_find (const EmuFields *fields, gint64 id);

/* (nullable) (unowned): the custom field that goes by @key */
const EmuField *emu_fields_find_key (const EmuFields *fields, const char *key);

/* Whether @value may stand in @field: an option that exists, a date that is one, and so on. */
gboolean emu_field_accepts (const EmuField *field, json_object *value);

/* Writes the field as the service shows it. */
void emu_field_write (const EmuField *field, GString *out, guint position, gboolean custom,
                      const char *base_url);

/* The same for a field that goes by its key; @route: "user_fields" */
void emu_field_write_keyed (const EmuField *field, GString *out, guint position, const char *route,
                            const char *base_url);
