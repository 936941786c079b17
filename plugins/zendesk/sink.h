/* sink.h: the instance of zendesk-tickets
 *
 *   sink.c      options, columns, profile, rendering: all that needs no network
 *   account.c   what is asked of Zendesk before the first record: credentials, fields
 *   deliver.c   send, resolve and drive: one errand for each delivery
 *   access.c    the Authorization header, and a token that ran out
 */
#pragma once
#include "http.h"
#include "render.h"

#define ZENDESK_API "/api/v2"

/* What an account lends us for a while, or for good. */
typedef struct
{
  char *header;        /* (owned) (nullable) the value of Authorization */
  char *token;         /* (owned) (nullable) of OAuth, fetched by us */
  guint generation;    /* counts the tokens that were fetched */
  gboolean proven;     /* an answer other than 401 came to the present one */
  gboolean refreshing; /* another one is being fetched */
  GPtrArray *waiting;  /* (owned) (element-type ZendeskErrand) for it */
} ZendeskAccess;

/* Whether an idempotency key counts, as far as answers have shown. */
typedef enum
{
  ZENDESK_KEYS_UNPROVEN,
  ZENDESK_KEYS_HONOURED,
  ZENDESK_KEYS_IGNORED,
} ZendeskKeys;

typedef struct
{
  /* options */
  char *url, *access_token, *email, *token, *client_id, *client_secret, *scope;
  gint mode;           /* an index into zendesk_modes */
  gint long_body;      /* a ZendeskLongBody */
  char **tags, **ignore;
  gboolean run_tag;
  gint64 timeout, connect_timeout, lookup_lag;
  char *ca_file, *user_agent;

  /* from accept() */
  ZendeskPlan plan;

  /* (owned) (nullable) from open() to close() */
  char *base;          /* https://acme.zendesk.com, without a slash at the end */
  char *agent;
  ZendeskHttp *http;   /* interrupt() looks at it from other threads */
  ZendeskAccess access;
  GPtrArray *fields;   /* (element-type ZendeskField) if the plan has custom ones */
  ZendeskKeys keys;
  GPtrArray *errands;  /* (element-type ZendeskErrand) deliveries that are not settled */
  TallyContext *ctx;   /* (unowned) */
} ZendeskSink;

/* What is done with records. */
typedef struct
{
  const char *name;
  ZendeskMode mode;
  const char *path;    /* where a record is sent to */
  gint64 key_life;     /* 0: the idempotency key is not known to count there */
} ZendeskModeRow;

extern const ZendeskModeRow zendesk_modes[];

/* --- account.c --- */

/* Takes "https://Acme.zendesk.com/" apart.  ret_base: without the slash; ret_target: host[:port], in lower case.
 * Fails with TALLY_ERROR_USAGE; plain http is for this machine alone. */
gboolean zendesk_url_parse (const char *url, char **ret_base, char **ret_target, GError **error);
/* Fetches a token if need be, and proves the credentials. */
gboolean zendesk_account_enter (ZendeskSink *sink, GError **error);
/* Reads the ticket fields, and finds those of the plan. */
gboolean zendesk_account_read_fields (ZendeskSink *sink, GError **error);
/* Whether tickets may be created and found, for `tallyman doctor`. */
gboolean zendesk_account_probe (ZendeskSink *sink, GError **error);

/* --- access.c --- */

typedef struct _ZendeskErrand ZendeskErrand;

void zendesk_access_init (ZendeskSink *sink);
void zendesk_access_clear (ZendeskAccess *access);
/* Whether the token is one that can be fetched again. */
gboolean zendesk_access_renews (const ZendeskSink *sink);
/* The body of POST /oauth/tokens. (transfer full) */
char *zendesk_access_request (const ZendeskSink *sink);
/* Takes the token out of the answer to it. */
gboolean zendesk_access_take (ZendeskSink *sink, gint status, const char *text, gsize length,
                              GError **error);
/* Puts stars where a secret of ours stands. */
void zendesk_access_redact (const ZendeskSink *sink, GString *text);

/* --- deliver.c --- */

/* Hands on what the headers of any answer tell: the time, the rate limit, a warning. */
void zendesk_report_headers (ZendeskSink *sink, const ZendeskHeaders *headers);
void zendesk_send (gpointer self, TallyContext *ctx, TallyDelivery *delivery);
void zendesk_resolve (gpointer self, TallyContext *ctx, TallyDelivery *delivery);
gboolean zendesk_drive (gpointer self, TallyContext *ctx, gint64 wait, GError **error);
void zendesk_errands_drop (ZendeskSink *sink);
