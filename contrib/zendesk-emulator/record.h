/* record.h: records whose members are a table: users, organizations and what belongs to them
 *
 * One table says which members a record has, where they stand in its struct, which of them a
 * request may set, and in which order the service shows them.
 */
#pragma once
#include "fields.h"
#include "problems.h"

typedef enum
{
  EMU_MEMBER_TEXT,     /* char * (owned) */
  EMU_MEMBER_WORD,     /* const char * (unowned) */
  EMU_MEMBER_ID,       /* gint64; 0 is null */
  EMU_MEMBER_TIME,     /* gint64, Unix seconds; 0 is null; never set from a request */
  EMU_MEMBER_FLAG,     /* gboolean */
  EMU_MEMBER_TAGS,     /* GStrv (owned) */
  EMU_MEMBER_VALUES,   /* json_object * (owned) of the fields that the account has, by their keys */
  EMU_MEMBER_CONSTANT, /* @constant, as JSON */
  EMU_MEMBER_URL,      /* the address, under @constant */
  EMU_MEMBER_HIDDEN,   /* only in requests */
} EmuMemberType;

typedef enum
{
  EMU_SHOWN,    /* a request that sets it is not heard */
  EMU_SET,      /* set from a request */
  EMU_ACCEPTED, /* known in a request, which the owner of the record reads by itself */
} EmuMemberUse;

typedef struct
{
  const char *name;
  EmuMemberType type;
  EmuMemberUse use;
  gsize offset; /* in the record */
  const char *constant;
} EmuMember;

typedef struct
{
  const EmuMember *members; /* the last has no name */
  const char *name;         /* "user" */
  gsize id_offset;
} EmuRecordKind;

/* Checks what @wish sets, and names what is not known. */
void emu_record_check (const EmuRecordKind *kind, json_object *wish, const EmuFields *fields,
                       EmuProblems *problems);

/* Sets what @wish sets; whatever is not good in it is left as it is. */
void emu_record_apply (const EmuRecordKind *kind, json_object *wish, const EmuFields *fields,
                       gpointer record);

void emu_record_write (const EmuRecordKind *kind, gconstpointer record, const EmuFields *fields,
                       const char *base_url, GString *out);

/* Frees what the members own. */
void emu_record_clear (const EmuRecordKind *kind, gpointer record);

/* (transfer full): @text as texts are compared that differ in case only; NULL for NULL */
char *emu_fold (const char *text);
