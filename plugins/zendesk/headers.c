/* headers.c: what the headers of an answer tell */
#include "headers.h"
#include "text.h"

#include <curl/curl.h>
#include <string.h>

/* Windows of limits, in seconds. */
#define MINUTE 60
#define LONG_WINDOW 600 /* of those that end later than within a minute */

/* When no more jobs are taken, it is looked again after so long: one may be done at any time. */
#define JOBS_WAIT (5 * G_USEC_PER_SEC)

typedef enum
{
  HEADER_DATE,
  HEADER_TEXT,
  HEADER_NUMBER,
  HEADER_LOOKUP,
} HeaderType;

#define AT(member) G_STRUCT_OFFSET (ZendeskHeaders, member)

static const struct
{
  const char *name;
  HeaderType type;
  gsize offset;
} known[] = {
  { "date", HEADER_DATE, AT (date) },
  { "retry-after", HEADER_TEXT, AT (retry_after) },
  { "location", HEADER_TEXT, AT (location) },
  { "x-request-id", HEADER_TEXT, AT (request_id) },
  { "x-zendesk-request-id", HEADER_TEXT, AT (request_id) },
  { "x-zendesk-api-warn", HEADER_TEXT, AT (warning) },
  { "x-idempotency-lookup", HEADER_LOOKUP, AT (lookup) },
  { "x-rate-limit", HEADER_NUMBER, AT (account.limit) },
  { "rate-limit", HEADER_NUMBER, AT (account.limit) },
  { "ratelimit-limit", HEADER_NUMBER, AT (account.limit) },
  { "x-rate-limit-remaining", HEADER_NUMBER, AT (account.remaining) },
  { "rate-limit-remaining", HEADER_NUMBER, AT (account.remaining) },
  { "ratelimit-remaining", HEADER_NUMBER, AT (account.remaining) },
  { "rate-limit-reset", HEADER_NUMBER, AT (account.reset) },
  { "ratelimit-reset", HEADER_NUMBER, AT (account.reset) },
};

/* `total=100; remaining=98; resets=30` */
static const struct
{
  const char *name;
  gsize offset;
} bucket_parts[] = {
  { "total", G_STRUCT_OFFSET (ZendeskBudget, limit) },
  { "remaining", G_STRUCT_OFFSET (ZendeskBudget, remaining) },
  { "resets", G_STRUCT_OFFSET (ZendeskBudget, reset) },
};

void
zendesk_headers_init (ZendeskHeaders *headers)
{
  *headers = (ZendeskHeaders){ .account = { -1, -1, -1, 0 }, .bucket = { -1, -1, -1, 0 }, .jobs = -1 };
}

void
zendesk_headers_clear (ZendeskHeaders *headers)
{
  g_free (headers->retry_after);
  g_free (headers->location);
  g_free (headers->request_id);
  g_free (headers->warning);
  zendesk_headers_init (headers);
}

/* A count as a header has it; -1 if it is none. */
static gint64
read_number (const char *text)
{
  gint64 number;

  return g_ascii_string_to_signed (text, 10, 0, G_MAXINT32, &number, NULL) ? number : -1;
}

/* Unix seconds; 0 if it is no date.  Many answers come within a second, and say the same. */
static gint64
read_date (const char *text)
{
  static _Thread_local struct
  {
    char text[40];
    gint64 seconds;
  } last;

  if (strcmp (text, last.text) != 0)
    {
      last.seconds = MAX (curl_getdate (text, NULL), 0);
      g_strlcpy (last.text, strlen (text) < sizeof last.text ? text : "", sizeof last.text);
    }
  return last.seconds;
}

/* `total=100; remaining=98; resets=30` */
static ZendeskBudget
read_parts (const char *value)
{
  ZendeskBudget said = { -1, -1, -1, 0 };
  g_auto (GStrv) parts = g_strsplit (value, ";", 8);

  for (char **part = parts; *part != NULL; part++)
    for (guint i = 0; i < G_N_ELEMENTS (bucket_parts); i++)
      {
        const char *name = g_strstrip (*part);
        gsize length = strlen (bucket_parts[i].name);

        if (g_ascii_strncasecmp (name, bucket_parts[i].name, length) == 0 && name[length] == '=')
          *(gint64 *) G_STRUCT_MEMBER_P (&said, bucket_parts[i].offset)
              = read_number (name + length + 1);
      }
  return said;
}

/* What is not said takes nothing away from what another header has said. */
static void
read_bucket (ZendeskHeaders *headers, const char *name, const char *value)
{
  ZendeskBudget said = read_parts (value), *bucket = &headers->bucket;

  if (g_ascii_strcasecmp (name, "inflight-jobs") == 0)
    headers->jobs = said.remaining; /* how many are at work, not how many were asked for */
  else if (g_ascii_strncasecmp (name, "per-", 4) != 0 /* of one record, not of all requests of this kind */
           && said.remaining >= 0 && (bucket->remaining < 0 || said.remaining < bucket->remaining))
    {
      *bucket = said;
      bucket->period = g_ascii_strcasecmp (name, "create-update-user") == 0 ? 1
                       : said.reset > MINUTE                                ? LONG_WINDOW
                                                                            : MINUTE;
    }
}

static void
take_value (ZendeskHeaders *headers, guint i, const char *value)
{
  gpointer into = G_STRUCT_MEMBER_P (headers, known[i].offset);

  switch (known[i].type)
    {
    case HEADER_DATE:
      *(gint64 *) into = read_date (value);
      break;
    case HEADER_TEXT:
      g_free (*(char **) into);
      *(char **) into = zendesk_text_clean (value, strlen (value), ZENDESK_MAX_HEADER);
      break;
    case HEADER_NUMBER:
      *(gint64 *) into = read_number (value);
      break;
    case HEADER_LOOKUP:
      *(ZendeskLookup *) into = g_ascii_strcasecmp (value, "hit") == 0    ? ZENDESK_LOOKUP_HIT
                                : g_ascii_strcasecmp (value, "miss") == 0 ? ZENDESK_LOOKUP_MISS
                                                                          : ZENDESK_LOOKUP_UNSAID;
      break;
    }
}

void
zendesk_headers_take (ZendeskHeaders *headers, const char *line, gsize length)
{
  g_autofree char *text = g_strndup (line, MIN (length, ZENDESK_MAX_HEADER));
  char *value;

  if (g_ascii_strncasecmp (text, "HTTP/", 5) == 0)
    {
      zendesk_headers_clear (headers);
      return;
    }
  if ((value = strchr (text, ':')) == NULL)
    return;
  *value++ = '\0';
  g_strchomp (text);
  g_strstrip (value);

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_ascii_strcasecmp (known[i].name, text) == 0)
      {
        take_value (headers, i, value);
        return;
      }
  if (g_ascii_strncasecmp (text, "zendesk-ratelimit-", 18) == 0)
    read_bucket (headers, text + 18, value);
  else if (g_ascii_strncasecmp (text, "zendesk-rate-limit-", 19) == 0)
    read_bucket (headers, text + 19, value);
}

gint64
zendesk_headers_wait (const ZendeskHeaders *headers, gint64 now)
{
  const char *text = headers->retry_after;
  char *end;
  double seconds;
  gint64 then;

  if (text == NULL)
    return 0;
  seconds = g_ascii_strtod (text, &end);
  if (end == text || *end != '\0')
    {
      then = curl_getdate (text, NULL);
      if (then < 0)
        return 0;
      seconds = (double) then - (double) (headers->date > 0 ? headers->date : now);
    }
  if (!(seconds > 0)) /* nor if it is not a number */
    return 0;
  if (seconds >= (double) (ZENDESK_MAX_WAIT / G_USEC_PER_SEC))
    return ZENDESK_MAX_WAIT;
  return (gint64) (seconds * G_USEC_PER_SEC);
}

void
zendesk_headers_tell (const ZendeskHeaders *headers, gint status, TallyAnswerNews *news)
{
  const ZendeskBudget *bucket = &headers->bucket;

  news->target_time = headers->date * G_USEC_PER_SEC;
  news->limit = headers->account.limit;
  news->remaining = headers->account.remaining;
  if (bucket->limit > 0 && bucket->remaining >= 0)
    {
      news->kind_limit = bucket->limit;
      news->kind_remaining = bucket->remaining;
      news->kind_period = bucket->period * G_USEC_PER_SEC;
    }
  news->refused = status == 429;
  if (news->refused)
    news->wait = zendesk_headers_wait (headers, g_get_real_time () / G_USEC_PER_SEC);
  else if (headers->jobs == 0)
    news->wait = JOBS_WAIT;
}

char *
zendesk_headers_dup_warning (const ZendeskHeaders *headers)
{
  static const char marker[] = ":unpermitted_keys=>[";
  const char *names, *end;

  if (headers->warning == NULL)
    return NULL;
  names = strstr (headers->warning, marker);
  end = names != NULL ? strchr (names, ']') : NULL;
  if (end == NULL || end == names + strlen (marker))
    return g_strdup (headers->warning);
  names += strlen (marker);
  return g_strndup (names, end - names);
}
