/* resource.h: what can be read out of an account, and as which columns
 *
 * Tables, no I/O.
 */
#pragma once
#include <tallyman/plugin.h>

/* How a resource comes in pages. */
typedef enum
{
  ZENDESK_PAGING_CURSOR, /* an incremental export with a cursor */
  ZENDESK_PAGING_TIME,   /* an incremental export that goes on at the second where it ended, which comes again */
  ZENDESK_PAGING_LIST,   /* a list as it is now */
} ZendeskPaging;

/* A column and the member of the same name; a dot makes it a member of an object. */
typedef struct
{
  const char *name;
  TallyType type;
} ZendeskColumn;

/* Columns that no member has. */
#define ZENDESK_COLUMN_DELETED "deleted"
#define ZENDESK_COLUMN_SCRUBBED "scrubbed"
#define ZENDESK_COLUMN_COMMENTS "comments"
#define ZENDESK_COLUMN_RECORD "record"

typedef struct
{
  const char *name;             /* as the option has it */
  const char *path;             /* below /api/v2/, without .json */
  const char *list;             /* the answer's member that has the records */
  ZendeskPaging paging;
  const char *query;            /* (nullable) what the request says besides */
  const ZendeskColumn *columns; /* ended by one without a name */
  const char *fields;           /* (nullable) the list that describes custom fields, */
  const char *values;           /* and the member that has their values: an array by id, or an object by key */
  gboolean fields_have_keys;
} ZendeskResource;

/* The resource of a name; one that is not known is any list, as an id and the record as it is.  It points into name.
 * Fails with TALLY_ERROR_USAGE. */
gboolean zendesk_resource_find (const char *name, ZendeskResource *ret_resource, GError **error);
