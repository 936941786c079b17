/* http.h: many requests at once over few connections
 *
 * A thin layer over libcurl's multi interface that adds what an exactly-once sink needs: it knows
 * whether a byte of a request can have left, and a request that must not be sent twice is not,
 * also not by libcurl itself, which begins again on its own when a connection that it kept turns out dead.
 */
#pragma once
#include "headers.h"
#include <curl/curl.h>
#include <tallyman/context.h>

typedef struct _ZendeskHttp ZendeskHttp;
typedef struct _ZendeskCall ZendeskCall;

/* Bytes of the answer to a request that says ZENDESK_HTTP_LONG. */
#define ZENDESK_MAX_LONG_ANSWER (32 << 20)

/* What is the same for all requests; texts are (unowned). */
typedef struct
{
  const char *base;       /* https://host[:port] */
  const char *ca_file;    /* (nullable) */
  const char *user_agent;
  gint64 timeout;         /* microseconds for one request, */
  gint64 connect_timeout; /* and to connect */
  guint connections;      /* at once */
  gint64 held_most;       /* a request that acts and could not go for so long goes back: what was decided about it has grown old */
  TallyContext *ctx;      /* (nullable) lets each request go, by the account's rate limit */
} ZendeskHttpConfig;

typedef enum
{
  ZENDESK_HTTP_ONCE = 1 << 0, /* it acts: not to be begun again on a dead connection */
  ZENDESK_HTTP_LONG = 1 << 1, /* its answer may have ZENDESK_MAX_LONG_ANSWER bytes */
} ZendeskHttpFlags;

/* Called from within zendesk_http_drive(); call is freed when it returns. */
typedef void (*ZendeskHttpDone) (ZendeskCall *call, gpointer data);

/* Reads what is to be sent: so many bytes, 0 at the end, or -1 if it cannot be read. */
typedef gssize (*ZendeskHttpRead) (gpointer data, char *buffer, gsize size);

struct _ZendeskCall
{
  ZendeskHttp *http;         /* (unowned) */
  CURL *easy;                /* (owned) */
  struct curl_slist *lines;  /* (owned) header lines */
  char *own_body;            /* (owned) (nullable) */
  const char *body;          /* (unowned) (nullable) */
  gsize length, at;          /* of the body, and how much libcurl has taken */
  ZendeskHttpRead read;      /* (nullable) gives the body in place of memory */
  int into;                  /* -1, or the file that gets the answer */
  gsize most;                /* bytes that the answer may have */
  guint flags;
  guint begun;               /* times that libcurl set about writing the request */
  ZendeskHttpDone done;
  gpointer data;
  char *kind;                /* (owned) of request, as far as rate limits go */
  TallyAdmission *admission; /* (owned) (nullable) once it may go */
  gint64 waits_since;        /* monotonic; 0: it waits no more */

  /* The result, for done(). */
  gint status;               /* 0: no answer, or not all of it */
  gint half_status;          /* of an answer that did not come whole */
  GString *answer;           /* (owned) */
  gsize n_answer;            /* bytes of it */
  ZendeskHeaders headers;
  gboolean too_long;         /* the answer was cut off by us */
  gboolean held;             /* it was not sent, because the rate limit did not let it go for long */
  gboolean sent;             /* a byte may have reached the server */
  char problem[CURL_ERROR_SIZE + 100]; /* why there is no answer, for a person */
};

ZendeskHttp *zendesk_http_new (const ZendeskHttpConfig *config, GError **error);
/* Gives up what is in flight, without a call of done(). */
void zendesk_http_free (ZendeskHttp *http);

/* Begins a request, or lets it wait for the rate limit.  authorization: (nullable) the value of that header; key: (nullable) of
 * Idempotency-Key; body: (unowned) stays valid until done(), or NULL for a GET. */
void zendesk_http_start (ZendeskHttp *http, const char *method, const char *path,
                         const char *authorization, const char *key, const char *body, gsize length,
                         ZendeskHttpFlags flags, ZendeskHttpDone done, gpointer data);
/* The same with a body that the request takes over. */
void zendesk_http_start_with (ZendeskHttp *http, const char *method, const char *path,
                              const char *authorization, char *body, ZendeskHttpFlags flags,
                              ZendeskHttpDone done, gpointer data);

/* Begins to send length bytes that read() gives, as they are read.  data is read()'s, too. */
void zendesk_http_upload (ZendeskHttp *http, const char *path, const char *authorization, const char *type, gsize length,
                          ZendeskHttpRead read, ZendeskHttpDone done, gpointer data);
/* Begins to fetch a file from anywhere, without credentials, into an open file; a redirect may not leave the scheme.  Only
 * files of the account itself wait for its rate limit. */
void zendesk_http_fetch (ZendeskHttp *http, const char *url, int into, gsize most, ZendeskHttpDone done, gpointer data);

/* Forgets the requests that would call done() with data. */
void zendesk_http_give_up (ZendeskHttp *http, gpointer data);

/* Moves all on, waiting at most wait microseconds for something to happen. */
gboolean zendesk_http_drive (ZendeskHttp *http, gint64 wait, GError **error);
/* From any thread: ends the wait. */
void zendesk_http_wake (ZendeskHttp *http);
