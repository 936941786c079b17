/* account.h: one Zendesk account, and the way to it
 *
 * What every source and sink of this folder has in common: the address, the credentials, the connections, and
 * what is asked before the first record.
 *
 *   account.c   options, connecting, questions that are waited for
 *   probe.c     what is asked for `tallyman doctor`
 *   access.c    the Authorization header, and a token that ran out
 */
#pragma once
#include "http.h"
#include "json.h"
#include <tallyman/plugin.h>

#define ZENDESK_API "/api/v2"

/* What an account lends us for a while, or for good. */
typedef struct
{
  char *header;        /* (owned) (nullable) the value of Authorization */
  char *token;         /* (owned) (nullable) of OAuth, fetched by us */
  guint generation;    /* counts the tokens that were fetched */
  gboolean proven;     /* an answer other than 401 came to the present one */
  gboolean refreshing; /* another one is being fetched */
  GPtrArray *waiting;  /* (owned) (element-type ZendeskWaiter) for it */
} ZendeskAccess;

typedef struct
{
  /* options */
  char *url, *access_token, *email, *token, *client_id, *client_secret, *scope;
  gint64 timeout, connect_timeout;
  char *ca_file, *user_agent;
  char **reserve;

  const char *admin_for; /* (unowned) (nullable) set before zendesk_account_probe(): what only an admin may do, "an export" */

  gint64 held_most;  /* see ZendeskHttpConfig; 0: a minute */

  /* from zendesk_account_open() to zendesk_account_close() */
  char *base;        /* (owned) https://acme.zendesk.com, without a slash at the end */
  char *agent;       /* (owned) */
  ZendeskHttp *http; /* (owned) interrupt() looks at it from other threads */
  ZendeskAccess access;
  TallyContext *ctx; /* (unowned) */
  gint64 skew;       /* seconds by which its clock is ahead of ours, as its last answer told */
  gint64 limit;      /* requests a minute, as its last answer told; 0: it did not */
} ZendeskAccount;

#define ZENDESK_MINUTE (60 * G_USEC_PER_SEC)

/* The options of every plugin here; its instance has a ZendeskAccount named `account`. */
#define ZENDESK_ACCOUNT_OPTIONS(Instance)                                                                       \
  { .name = "url", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_REQUIRED,                                   \
    .offset = G_STRUCT_OFFSET (Instance, account.url),                                                          \
    .summary = "Address of the account; http:// for this machine alone",                                        \
    .example = "https://acme.zendesk.com" },                                                                    \
  { .name = "access_token", .type = TALLY_OPTION_SECRET,                                                        \
    .offset = G_STRUCT_OFFSET (Instance, account.access_token), .summary = "OAuth access token",                \
    .example = "${ZENDESK_TOKEN}" },                                                                            \
  { .name = "email", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (Instance, account.email),            \
    .summary = "User that an API token acts for; with token", .example = "importer@acme.example" },             \
  { .name = "token", .type = TALLY_OPTION_SECRET, .offset = G_STRUCT_OFFSET (Instance, account.token),          \
    .summary = "API token; with email", .example = "${ZENDESK_API_TOKEN}" },                                    \
  { .name = "client_id", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (Instance, account.client_id),    \
    .summary = "OAuth client that fetches access tokens by itself; with client_secret", .example = "tallyman" }, \
  { .name = "client_secret", .type = TALLY_OPTION_SECRET,                                                       \
    .offset = G_STRUCT_OFFSET (Instance, account.client_secret), .summary = "Secret of the OAuth client; with client_id", \
    .example = "${ZENDESK_CLIENT_SECRET}" },                                                                    \
  { .name = "scope", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (Instance, account.scope),            \
    .fallback = "read write", .summary = "Scopes that the OAuth client asks for",                               \
    .example = "tickets:read tickets:write users:read" }

/* Percent of the rate limit that are left to the account's people, if they do not say. */
#define ZENDESK_RESERVE 20

#define ZENDESK_NETWORK_OPTIONS(Instance)                                                                       \
  { .name = "reserve", .type = TALLY_OPTION_LIST, .offset = G_STRUCT_OFFSET (Instance, account.reserve),        \
    .summary = "Part of the rate limit that is left to others, also by hours of the day; 20% if it is not given", \
    .example = "[08-18=50%, else=0%]" },                                                                        \
  { .name = "timeout", .type = TALLY_OPTION_DURATION, .offset = G_STRUCT_OFFSET (Instance, account.timeout),    \
    .fallback = "60s", .min = G_USEC_PER_SEC / 10, .max = 60 * (gint64) ZENDESK_MINUTE,                         \
    .summary = "Longest time for one request and its answer", .example = "90s" },                               \
  { .name = "connect-timeout", .type = TALLY_OPTION_DURATION,                                                   \
    .offset = G_STRUCT_OFFSET (Instance, account.connect_timeout), .fallback = "15s",                           \
    .min = G_USEC_PER_SEC / 10, .max = 10 * (gint64) ZENDESK_MINUTE,                                            \
    .summary = "Longest time to connect", .example = "5s" },                                                    \
  { .name = "ca-file", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_PATH,                                   \
    .offset = G_STRUCT_OFFSET (Instance, account.ca_file),                                                      \
    .summary = "Certificates to trust in place of the system's (PEM)", .example = "proxy-ca.pem" },             \
  { .name = "user-agent", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (Instance, account.user_agent),  \
    .summary = "Words added to the User-Agent, which Zendesk keeps with each ticket",                           \
    .example = "acme-migration" }

/* --- account.c --- */

/* Takes "https://Acme.zendesk.com/" apart.  ret_base: without the slash; ret_target: host[:port], in lower case.
 * Fails with TALLY_ERROR_USAGE; plain http is for this machine alone. */
gboolean zendesk_url_parse (const char *url, char **ret_base, char **ret_target, GError **error);
/* What is left to others in each hour, by the option `reserve`: "20%", or "08-18=50%" and "else=0%"; list may be NULL. */
gboolean zendesk_reserve_parse (const char *const *list, guint8 ret_reserve[TALLY_HOURS], GError **error);
/* The rules between the options above. */
gboolean zendesk_account_check (const ZendeskAccount *account, GError **error);
/* Connects, fetches a token if need be, and proves the credentials.  ret_target: (optional) host[:port], which tells
 * this account from any other. */
gboolean zendesk_account_open (ZendeskAccount *account, TallyContext *ctx, char **ret_target, GError **error);
/* Also after a failed zendesk_account_open(), and twice. */
void zendesk_account_close (ZendeskAccount *account);
/* From any thread. */
void zendesk_account_interrupt (ZendeskAccount *account);

/* An answer that is waited for. */
typedef struct
{
  ZendeskAccount *account; /* (unowned) */
  gboolean done;
  gint status;
  char *body;      /* (owned) (nullable) */
  gsize length;
  gint64 date;     /* Unix seconds; 0: not said */
  gint64 wait;     /* microseconds that the account asks for */
  gboolean too_long; /* the answer had more bytes than are read */
  char *problem;   /* (owned) (nullable) */
} ZendeskReply;

void zendesk_reply_clear (ZendeskReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZendeskReply, zendesk_reply_clear)

/* Asks and waits, unless the run is interrupted.  what: "the ticket fields", for a message.  Fails unless the answer is 200. */
gboolean zendesk_account_get (ZendeskAccount *account, const char *path, const char *what, ZendeskReply *reply,
                              GError **error);
/* The same for a source's read(), of an answer that may be long: TALLY_FLOW_RETRY if it may be better later, for which the account's wishes are handed on. */
TallyFlow zendesk_account_read (ZendeskAccount *account, const char *path, const char *what, ZendeskReply *reply,
                                GError **error);
/* The verdict on an answer other than 200, and why. */
TallyFlow zendesk_account_refuse (ZendeskAccount *account, const ZendeskReply *reply, const char *what, GError **error);
/* While something is waited for, it is looked this often whether the run is to stop. */
#define ZENDESK_GLANCE (G_USEC_PER_SEC / 4)

/* Moves requests on, waiting at most so many microseconds, or ZENDESK_GLANCE.  Fails, too, if the run is to stop. */
gboolean zendesk_account_glance (ZendeskAccount *account, gint64 most, GError **error);
/* Takes over what a call brought. */
void zendesk_reply_take (ZendeskReply *reply, ZendeskCall *call);
/* Hands on what the headers of any answer tell: the time, the rate limit, a warning. */
void zendesk_account_report (ZendeskAccount *account, const ZendeskHeaders *headers);

/* The role in an answer to /users/me, which is 200 also to credentials that are not valid. */
gboolean zendesk_account_read_user (ZendeskAccount *account, const ZendeskReply *reply, char **ret_role, GError **error);

/* --- probe.c --- */

/* For `tallyman doctor`: whose the credentials are and what he may do, the account's limit, its features and its clock. */
gboolean zendesk_account_probe (ZendeskAccount *account, GError **error);

/* --- access.c --- */

/* Something that was refused because its token ran out.  None of it was acted upon. */
typedef struct _ZendeskWaiter ZendeskWaiter;
struct _ZendeskWaiter
{
  guint generation; /* of the token that its last request had */
  /* BUSY: there is a new token, or none just now; HALT: there will be none. */
  void (*on_token) (ZendeskWaiter *waiter, TallyVerdict verdict, const char *detail);
};

void zendesk_access_init (ZendeskAccount *account);
void zendesk_access_clear (ZendeskAccess *access);
/* Whether the token is one that can be fetched again. */
gboolean zendesk_access_renews (const ZendeskAccount *account);
/* The body of POST /oauth/tokens. (transfer full) */
char *zendesk_access_request (const ZendeskAccount *account);
/* Takes the token out of the answer to it. */
gboolean zendesk_access_take (ZendeskAccount *account, gint status, const char *text, gsize length, GError **error);
/* An answer came that was not about the token. */
void zendesk_access_note (ZendeskAccount *account, const ZendeskWaiter *waiter, gint status);
/* A refusal of the token itself: TRUE if on_token() was, or will be called. */
gboolean zendesk_access_refused (ZendeskAccount *account, ZendeskWaiter *waiter);
/* While another token is being fetched nothing else goes: TRUE if on_token() will be called. */
gboolean zendesk_access_queue (ZendeskAccount *account, ZendeskWaiter *waiter);
/* on_token() will not be called. */
void zendesk_access_forget (ZendeskAccount *account, ZendeskWaiter *waiter);
/* Puts stars where a secret of ours stands. */
void zendesk_access_redact (const ZendeskAccount *account, GString *text);
