/* columns.h: which column fills which member of a request
 *
 * For each kind of record a table says what a column may be called, what it has to hold, and where it stands in
 * the request.  accept() holds the columns of a pipeline against it and notes their places in a plan.
 */
#pragma once
#include "forms.h"

/* What is done with records: one bit each, so that a member can say where it may be used. */
typedef enum
{
  ZENDESK_MODE_CREATE = 1 << 0,
  ZENDESK_MODE_IMPORT = 1 << 1, /* created with times of its own, and nobody is told */
  ZENDESK_MODE_UPDATE = 1 << 2,
} ZendeskMode;

typedef struct
{
  const char *name;           /* with a dot: of the object before it */
  guint modes;
  ZendeskForm form;
  const char *const *choices; /* (nullable) */
} ZendeskMember;

/* A name that people try, and what to say to them. */
typedef struct
{
  const char *name, *why;
} ZendeskRefusal;

/* More members than any kind of record has. */
#define ZENDESK_MAX_MEMBERS 64

/* More columns than any record has fields, and bytes of a field's name. */
#define ZENDESK_MAX_CUSTOM 200
#define ZENDESK_MAX_TITLE 128

/* A column that fills a custom field. */
typedef struct
{
  guint column;
  TallyType type;
  char name[ZENDESK_MAX_TITLE]; /* what follows the prefix */
  guint field;                  /* of the account's fields, once they are known */
} ZendeskCustomColumn;

typedef struct _ZendeskTable ZendeskTable;

/* Which column fills what.  Holds no memory of its own: accept() is called for a check alone, too,
 * after which nobody calls close(). */
typedef struct
{
  const ZendeskTable *table;         /* (unowned) */
  ZendeskMode mode;
  gint columns[ZENDESK_MAX_MEMBERS]; /* by the member's index; -1: none */
  TallyType types[ZENDESK_MAX_MEMBERS];
  ZendeskCustomColumn custom[ZENDESK_MAX_CUSTOM];
  guint n_custom;
} ZendeskPlan;

/* The members of one kind of record. */
struct _ZendeskTable
{
  const char *an_entity;         /* "a ticket" */
  const ZendeskMember *members;  /* in the order in which a request has them; those of an object stand together */
  guint n_members;
  const ZendeskRefusal *refused; /* (nullable) up to one without a name */
  const char *custom_prefix;     /* "custom_fields." */
  const char *custom_name;       /* what follows it: "title or id" */
  const char *field;             /* "ticket field" */
  const char *fields;            /* the list of them in an answer, and the end of its path: "ticket_fields" */
  gboolean fields_have_keys;     /* a field is named by its key, not by its title or id */
  gboolean (*check) (const ZendeskPlan *plan, GError **error); /* (nullable) rules between columns */
};

/* Holds the columns against the table.  ignored: (nullable) names of columns that are not sent.
 * Fails with TALLY_ERROR_USAGE. */
gboolean zendesk_plan_accept (ZendeskPlan *plan, const ZendeskTable *table, ZendeskMode mode, TallySchema *schema,
                              const char *const *ignored, GError **error);

/* Of a row: whether a member is given, that is there is a column for it which is not NULL here. */
gboolean zendesk_plan_gives (const ZendeskPlan *plan, const TallyBatch *batch, guint row, guint member);
/* (transfer full) (nullable) the text of a member, or NULL if it is not given. */
char *zendesk_plan_dup (const ZendeskPlan *plan, const TallyBatch *batch, guint row, guint member);
/* Appends the value of a member that is given, by its form.  Fails with TALLY_ERROR_DATA. */
gboolean zendesk_plan_append (const ZendeskPlan *plan, const TallyBatch *batch, guint row, guint member, GString *out,
                              GError **error);
