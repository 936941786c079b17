/* headers.h: what the headers of an answer tell
 *
 * All are optional, and each has been seen under several names; none is believed further than it
 * has to be.
 */
#pragma once
#include <tallyman/context.h>

/* No header of ours is longer; what is beyond is not looked at. */
#define ZENDESK_MAX_HEADER 2048

/* Nobody is waited for longer than this because a header says so. */
#define ZENDESK_MAX_WAIT (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

typedef enum
{
  ZENDESK_LOOKUP_UNSAID,
  ZENDESK_LOOKUP_MISS, /* the key was new */
  ZENDESK_LOOKUP_HIT,  /* this is the answer to an earlier request under the key */
} ZendeskLookup;

/* Requests that may still be made in a window. */
typedef struct
{
  gint64 limit, remaining; /* -1: not said */
  gint64 reset;            /* seconds; -1: not said */
  gint64 period;           /* seconds of the window; 0: not known */
} ZendeskBudget;

typedef struct
{
  gint64 date;           /* Unix seconds by the server's clock; 0: not said */
  char *retry_after;     /* (owned) (nullable) as it came, see zendesk_headers_wait() */
  char *location;        /* (owned) (nullable) */
  char *request_id;      /* (owned) (nullable) for Zendesk's support to find the request by */
  char *warning;         /* (owned) (nullable) x-zendesk-api-warn */
  ZendeskLookup lookup;
  ZendeskBudget account; /* of all requests */
  ZendeskBudget bucket;  /* of this kind of request alone */
  gint64 jobs;           /* that may still be begun; -1: not said */
} ZendeskHeaders;

void zendesk_headers_init (ZendeskHeaders *headers);
void zendesk_headers_clear (ZendeskHeaders *headers);

/* Takes one line as it came, line end included.  A status line forgets what came before it: the
 * headers of an earlier, provisional answer. */
void zendesk_headers_take (ZendeskHeaders *headers, const char *line, gsize length);

/* Microseconds to leave the server alone for: seconds or a date, at most ZENDESK_MAX_WAIT; 0 if
 * nothing usable is said.  now: Unix seconds, in case the server does not tell its time. */
gint64 zendesk_headers_wait (const ZendeskHeaders *headers, gint64 now);

/* What the rate limits are, as far as is said. */
void zendesk_headers_tell (const ZendeskHeaders *headers, gint status, TallyAnswerNews *news);

/* The members of a request that the server has left out, `"ticket.id", "ticket.foo"`, or the
 * warning itself if they cannot be told; NULL if there is none. */
char *zendesk_headers_dup_warning (const ZendeskHeaders *headers);
