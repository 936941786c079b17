/* sink.h: the instance of zendesk-tickets
 *
 *   sink.c      options, columns, profile, rendering: all that needs no network
 *   deliver.c   send, resolve and drive: one errand for each delivery
 *   deliver-update.c   send and resolve of updates
 */
#pragma once
#include "account.h"
#include "bulk.h"
#include "export.h"
#include "named.h"
#include "render.h"

/* Whether an idempotency key counts, as far as answers have shown. */
typedef enum
{
  ZENDESK_KEYS_UNPROVEN,
  ZENDESK_KEYS_HONOURED,
  ZENDESK_KEYS_IGNORED,
} ZendeskKeys;

typedef struct
{
  ZendeskAccount account;

  /* options */
  gint mode;           /* an index into zendesk_modes */
  gint long_body;      /* a ZendeskLongBody */
  char **tags, **ignore;
  gboolean run_tag;
  gint64 export_delay;
  gint64 placeholder;  /* a user's id; 0: none */
  gboolean archive, safe_update;
  char *attachments_root;
  gint64 max_attachment;
  gboolean fetch_urls;
  gboolean in_bulk;
  gint64 job_time;

  /* from accept() */
  ZendeskPlan plan;

  /* (owned) (nullable) from open() to close() */
  GPtrArray *fields;   /* (element-type ZendeskField) if the plan has custom ones */
  ZendeskFiles files;
  ZendeskNames *names[ZENDESK_N_NAMES]; /* those that the plan needs */
  ZendeskKeys keys;
  GPtrArray *errands;  /* (element-type ZendeskErrand) deliveries that are not settled */
  ZendeskExport *export;

  ZendeskNamed *named; /* whom the records name; made by the first of them */
  ZendeskBulkPlan planned;
  ZendeskJobs *jobs;   /* of imports */
  ZendeskBulk *bulk;   /* of imports that may share requests */
} ZendeskSink;

/* What is done with records. */
typedef struct
{
  const char *name;
  ZendeskMode mode;
  const char *entity;
  const char *path;    /* (nullable) where a record is sent to, if that is the same for all */
  gint64 key_life;     /* 0: the idempotency key is not known to count there */
} ZendeskModeRow;

extern const ZendeskModeRow zendesk_modes[];

/* Whether records may have files, whose tokens are others each time. */
gboolean zendesk_sink_has_files (const ZendeskSink *sink);

/* --- deliver.c --- */

void zendesk_send (gpointer self, TallyContext *ctx, TallyDelivery *delivery);
void zendesk_resolve (gpointer self, TallyContext *ctx, TallyDelivery *delivery);
/* For bulk.c: a creation in a request of its own. */
void zendesk_send_single (ZendeskErrand *errand);
/* For jobs.c. */
void zendesk_told_of_job (ZendeskErrand *errand, const ZendeskJobRow *row, ZendeskJobFate fate, gint64 over_at);
/* deliver-update.c */
void zendesk_send_update (gpointer self, TallyContext *ctx, TallyDelivery *delivery);
void zendesk_resolve_update (gpointer self, TallyContext *ctx, TallyDelivery *delivery);

gboolean zendesk_drive (gpointer self, TallyContext *ctx, gint64 wait, GError **error);
