/* fields.h: the ticket fields of the account, its own ones and those that every account has */
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
  char *pattern; /* (owned) (nullable) regular expression for its values */
  gboolean active, required;
  GArray *options; /* (owned) (nullable) of EmuOption: what a drop-down offers */
} EmuField;

typedef struct
{
  GPtrArray *system; /* (owned) of EmuField */
  GPtrArray *custom; /* (owned) of EmuField; a ticket's values stand in this order */
} EmuFields;

/**
 * emu_fields_new:
 * @file: (nullable): JSON list of more custom fields, or NULL
 *
 * Returns: (transfer full): the fields; NULL if @file cannot be read
 */
EmuFields *emu_fields_new (const char *file, GError **error);
void emu_fields_free (EmuFields *fields);

/* The place of the custom field @id among a ticket's values, or -1. */
gint emu_fields_find (const EmuFields *fields, gint64 id);

/* Whether @value may stand in @field: an option that exists, a date that is one, and so on. */
gboolean emu_field_accepts (const EmuField *field, json_object *value);

/* Writes the field as the service shows it. */
void emu_field_write (const EmuField *field, GString *out, guint position, gboolean custom,
                      const char *base_url);
