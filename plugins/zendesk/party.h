/* party.h: users and organizations, which are delivered in the same way
 *
 *   organizations.c  members, request and options of zendesk-organizations
 *   users.c          the same of zendesk-users
 *   party.c          what both sinks do without a network
 *   settle.c         send, resolve and drive: one errand for each delivery
 *   foretell.c       what would become of creations that are only planned
 *   match.c          what is there already, and whether it may be taken over
 *   claims.c         names that are being created
 *   belongings.c     what a user has beside its own record: addresses and memberships
 */
#pragma once
#include "bulk.h"
#include "claims.h"
#include "fields.h"
#include "json.h"
#include "match.h"

typedef struct
{
  const char *entity;           /* "user" */
  const char *path, *many;      /* of the list: "/api/v2/users"; and where many are created */
  const ZendeskTable *table;
  guint name;                   /* the member that no two may share: an index into the table */
  const char *name_called;      /* "e-mail address" */
} ZendeskPartyKind;

typedef struct
{
  ZendeskAccount account;

  /* options */
  char **ignore, **adopt;
  gboolean verify_email;       /* of users alone */
  gint64 lookup_lag;
  gboolean in_bulk;
  gint64 job_time;

  /* from accept() */
  const ZendeskPartyKind *kind; /* (unowned) */
  ZendeskPlan plan;
  guint adopts;                 /* ZendeskAdopt bits */

  /* (owned) (nullable) from open() to close() */
  GPtrArray *fields;   /* (element-type ZendeskField) if the plan has custom ones */
  GPtrArray *errands;  /* (element-type ZendeskErrand) deliveries that are not settled */
  ZendeskClaims *claims;
  ZendeskJobs *jobs;
  ZendeskBulk *bulk;   /* of records that may share requests */
  GHashTable *alone;   /* (element-type utf8) references of those that a job did not make */
  ZendeskBulkPlan planned;
} ZendeskPartySink;

#define ZENDESK_PARTY_OPTIONS                                                                                       \
  ZENDESK_BULK_OPTIONS (ZendeskPartySink, "records that take one request"),                                         \
  { .name = "ignore", .type = TALLY_OPTION_LIST, .offset = G_STRUCT_OFFSET (ZendeskPartySink, ignore),              \
    .summary = "Columns that are not sent, beyond those that only the key needs", .example = "[legacy_id]" },       \
  { .name = "lookup-lag", .type = TALLY_OPTION_DURATION, .offset = G_STRUCT_OFFSET (ZendeskPartySink, lookup_lag),  \
    .fallback = "0s", .min = 0, .max = 60 * (gint64) ZENDESK_MINUTE,                                                \
    .summary = "Time after a request during which a lookup that finds nothing is not believed", .example = "120s" }

/* --- party.c --- */

gboolean zendesk_party_check (ZendeskPartySink *sink, const char *const *adoptable, GError **error);
gboolean zendesk_party_accept (ZendeskPartySink *sink, const ZendeskPartyKind *kind, TallySchema *schema, GError **error);
void zendesk_party_profile (const ZendeskPartySink *sink, const char *entity, TallyDeliveryProfile *ret_profile);
gboolean zendesk_party_open (gpointer self, TallyContext *ctx, GError **error);
gboolean zendesk_party_probe (gpointer self, TallyContext *ctx, GError **error);
void zendesk_party_interrupt (gpointer self);
void zendesk_party_close (gpointer self);

/* Appends {"user":{…}} of a row.  reference: (nullable) the external_id; NULL: an update, which has none.  left_out: bits
 * of members that stand elsewhere, or nowhere.  last: (nullable) a member as it is, at the end.  Fails with TALLY_ERROR_DATA. */
gboolean zendesk_party_render (const ZendeskPartySink *sink, const TallyBatch *batch, guint row, const char *reference,
                               guint64 left_out, const char *last, GString *out, GError **error);

/* Marks the rendered creation of a record that may go in bulk.  One that takes more than its creation, a look before it or
 * steps after it, goes alone. */
void zendesk_party_mark (const ZendeskPartySink *sink, GString *request);

/* Texts are those of record and reference. */
ZendeskWanted zendesk_party_wanted (const ZendeskPartySink *sink, json_object *record, const char *reference);
/* Where it is asked who is there already. (transfer full) */
char *zendesk_party_reference_path (const ZendeskPartyKind *kind, const char *reference);
/* unique: by what no two may share; of users, if not, by that which two may share. */
char *zendesk_party_name_path (const ZendeskPartyKind *kind, const ZendeskWanted *wanted, gboolean unique);
char *zendesk_party_addresses_path (gint64 user);

/* --- foretell.c --- */

gboolean zendesk_party_foretell (gpointer self, TallyContext *ctx, TallyForetold *const *ones, guint n, GError **error);

/* --- settle.c --- */

/* For bulk.c: a creation in a request of its own. */
void zendesk_party_send_single (ZendeskErrand *errand);
/* For jobs.c. */
void zendesk_party_told (ZendeskErrand *errand, const ZendeskJobRow *row, ZendeskJobFate fate, gint64 over_at);
/* Whether a user of that name is looked for before one is created. */
gboolean zendesk_party_looks_first (const ZendeskPartySink *sink);

void zendesk_party_send (gpointer self, TallyContext *ctx, TallyDelivery *delivery);
void zendesk_party_resolve (gpointer self, TallyContext *ctx, TallyDelivery *delivery);
gboolean zendesk_party_drive (gpointer self, TallyContext *ctx, gint64 wait, GError **error);
