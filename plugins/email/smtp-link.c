/* smtp-link.c: a connection to a server that takes mail: commands go out, answers come in */
#include "smtp-link.h"
#include <errno.h>
#include <poll.h>
#include <string.h>

#define MAX_IDLE (20 * G_USEC_PER_SEC) /* servers close what is idle for long */
#define GLANCE 1000 /* milliseconds */

struct _SmtpLink
{
  SmtpConfig config;
  SmtpCancelled cancelled;
  gpointer data;
  char *url;        /* (owned) */
  CURL *easy;       /* (owned) (nullable) while connected */
  gboolean busy;    /* something was begun to which no answer has come */
  gint64 used;      /* when it was the last time */
  SmtpOffer offer;
  SmtpAnswer answer; /* the last one */
  char problem[CURL_ERROR_SIZE];
};

SmtpLink *
smtp_link_new (const SmtpConfig *config, SmtpCancelled cancelled, gpointer data)
{
  SmtpLink *link = g_new0 (SmtpLink, 1);

  link->config = *config;
  link->cancelled = cancelled;
  link->data = data;
  link->url = g_strconcat (config->server->url, config->helo != NULL ? "/" : NULL, config->helo, NULL);
  smtp_answer_init (&link->answer);
  return link;
}

void
smtp_link_free (SmtpLink *link)
{
  size_t sent;

  if (link == NULL)
    return;
  if (link->easy != NULL && !link->busy)
    curl_easy_send (link->easy, "QUIT\r\n", 6, &sent); /* whose answer nobody needs */
  smtp_link_drop (link);
  smtp_answer_clear (&link->answer);
  g_free (link->url);
  g_free (link);
}

void
smtp_link_drop (SmtpLink *link)
{
  g_clear_pointer (&link->easy, curl_easy_cleanup);
  smtp_answer_break_off (&link->answer);
  link->busy = FALSE;
}

/* ---- What the server says ---- */

/* Before the first mail: the greeting, what it offers, STARTTLS, the login. */
static size_t
on_line (char *line, size_t size, size_t n, void *data)
{
  SmtpLink *link = data;

  smtp_answer_take_line (&link->answer, line, size * n);
  smtp_offer_take_line (&link->offer, line, size * n);
  return size * n;
}

/* ---- Waiting ---- */

static gboolean
fail (SmtpLink *link, const char *why)
{
  g_strlcpy (link->problem, why, sizeof link->problem);
  smtp_link_drop (link);
  return FALSE;
}

/* Until the socket is ready.  TLS may hold bytes of which the socket knows nothing: only for who was told to come again. */
static gboolean
await (SmtpLink *link, short events, gint64 deadline)
{
  struct pollfd polled = { .fd = -1, .events = events };
  int n;

  if (curl_easy_getinfo (link->easy, CURLINFO_ACTIVESOCKET, &polled.fd) != CURLE_OK || polled.fd < 0)
    return fail (link, "the connection has ended");
  do
    {
      if (link->cancelled (link->data))
        return fail (link, "stopped while waiting for the server");
      if (g_get_monotonic_time () > deadline)
        return fail (link, "no answer came in time");
      n = poll (&polled, 1, GLANCE);
    }
  while (n == 0 || (n < 0 && errno == EINTR));
  return n > 0 || fail (link, g_strerror (errno));
}

static gint64
patience (SmtpLink *link)
{
  return g_get_monotonic_time () + link->config.server->timeout;
}

/* What is there.  CURLE_AGAIN: nothing yet. */
static CURLcode
receive (SmtpLink *link)
{
  char block[4096];
  size_t got = 0;
  CURLcode code = curl_easy_recv (link->easy, block, sizeof block, &got);

  if (code == CURLE_OK && got == 0)
    return CURLE_GOT_NOTHING;
  if (code != CURLE_OK)
    return code;
  return smtp_answer_feed (&link->answer, block, got) ? CURLE_OK : CURLE_WEIRD_SERVER_REPLY;
}

static const char *
explain (CURLcode code)
{
  return code == CURLE_GOT_NOTHING          ? "the server has ended the connection"
         : code == CURLE_WEIRD_SERVER_REPLY ? "the server's answer does not end"
                                            : curl_easy_strerror (code);
}

gboolean
smtp_link_hear (SmtpLink *link)
{
  gint64 deadline = patience (link);
  CURLcode code;

  if (link->easy == NULL)
    return FALSE;
  while (!smtp_answer_read (&link->answer))
    {
      code = receive (link);
      if (code != CURLE_OK && code != CURLE_AGAIN)
        return fail (link, explain (code));
      if (code == CURLE_AGAIN && !await (link, POLLIN, deadline))
        return FALSE;
    }
  link->busy = FALSE;
  link->used = g_get_monotonic_time ();
  /* What else it says is no answer to what comes next. */
  if (link->answer.heard->len > 0)
    fail (link, "the server says more than it was asked");
  return TRUE;
}

/* Whether the server says something, unasked or before its turn, or has gone. */
static gboolean
interjects (SmtpLink *link)
{
  CURLcode code;

  while ((code = receive (link)) == CURLE_OK)
    if (smtp_answer_read (&link->answer))
      return TRUE;
  if (code == CURLE_AGAIN)
    return link->answer.heard->len > 0 || link->answer.words->len > 0;
  fail (link, explain (code));
  return TRUE;
}

/* ---- What it is told ---- */

gboolean
smtp_link_give (SmtpLink *link, const char *bytes, gsize length, gboolean *ret_begun)
{
  gint64 deadline = patience (link);

  if (ret_begun != NULL)
    *ret_begun = FALSE;
  if (!link->busy)
    smtp_answer_forget (&link->answer);
  if (link->easy == NULL)
    return FALSE;
  link->busy = TRUE;
  while (length > 0)
    {
      size_t sent = 0;
      CURLcode code;

      if (interjects (link))
        return FALSE;
      if (ret_begun != NULL)
        *ret_begun = TRUE;
      code = curl_easy_send (link->easy, bytes, length, &sent);
      if (code == CURLE_AGAIN && !await (link, POLLIN | POLLOUT, deadline))
        return FALSE;
      /* Who has gone may have said why. */
      if (code != CURLE_OK && code != CURLE_AGAIN)
        return interjects (link) ? FALSE : fail (link, curl_easy_strerror (code));
      bytes += sent;
      length -= sent;
      if (sent > 0)
        deadline = patience (link);
    }
  return TRUE;
}

gboolean
smtp_link_ask (SmtpLink *link, const char *format, ...)
{
  g_autoptr (GString) command = g_string_new (NULL);
  va_list arguments;
  gboolean given;

  va_start (arguments, format);
  g_string_vprintf (command, format, arguments);
  va_end (arguments);
  g_string_append (command, "\r\n");
  given = smtp_link_give (link, command->str, command->len, NULL);
  /* "421" may come before it is asked for. */
  return smtp_link_hear (link) && (given || link->answer.code >= 400 || fail (link, "the server answers what it was not asked"));
}

gint
smtp_link_code (SmtpLink *link)
{
  return link->answer.whole ? link->answer.code : 0;
}

const char *
smtp_link_words (SmtpLink *link)
{
  return link->answer.words->str;
}

const char *
smtp_link_problem (SmtpLink *link)
{
  return link->problem;
}

const SmtpOffer *
smtp_link_offer (SmtpLink *link)
{
  return &link->offer;
}

/* ---- The beginning ---- */

static int
on_progress (void *data, curl_off_t total, curl_off_t now, curl_off_t upload_total, curl_off_t upload_now)
{
  SmtpLink *link = data;

  return link->cancelled (link->data);
}

static void
set_up (SmtpLink *link)
{
  link->easy = curl_easy_init ();
  link->offer = (SmtpOffer){ 0 };
  mail_server_set (link->config.server, link->easy);
  curl_easy_setopt (link->easy, CURLOPT_URL, link->url);
  curl_easy_setopt (link->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt (link->easy, CURLOPT_ERRORBUFFER, link->problem);
  curl_easy_setopt (link->easy, CURLOPT_HEADERFUNCTION, on_line);
  curl_easy_setopt (link->easy, CURLOPT_HEADERDATA, link);
  curl_easy_setopt (link->easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt (link->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt (link->easy, CURLOPT_XFERINFODATA, link);
}

CURLcode
smtp_link_open (SmtpLink *link)
{
  CURLcode code;

  smtp_answer_forget (&link->answer);
  link->problem[0] = '\0';
  if (link->easy != NULL && g_get_monotonic_time () - link->used < MAX_IDLE && !interjects (link))
    return CURLE_OK;

  smtp_link_drop (link);
  smtp_answer_forget (&link->answer);
  link->problem[0] = '\0';
  set_up (link);
  code = curl_easy_perform (link->easy);
  link->used = g_get_monotonic_time ();
  if (code == CURLE_OK)
    return code;
  if (link->problem[0] == '\0')
    g_strlcpy (link->problem, curl_easy_strerror (code), sizeof link->problem);
  smtp_link_drop (link);
  return code;
}
