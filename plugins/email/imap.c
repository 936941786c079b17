/* imap.c: one connection to a server that keeps mail */
#include "imap.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BLOCK (16 * 1024)
/* Answers without their literals: a FETCH is some dozen bytes, a list of what the server can some hundred. */
#define MAX_LINE (64 * 1024)

struct _Imap
{
  const MailServer *server; /* (unowned) */
  gsize max_literal;
  int wake;           /* (owned) an eventfd that ends a wait */
  CURL *easy;         /* (owned) (nullable) while connected */
  ImapWire *wire;     /* (owned) (nullable) the same */
  char *capabilities; /* (owned) (nullable) the server's own line */
  GString *words;     /* (owned) the last that it said of the login, or as it went away */
  gboolean said_bye;
  guint32 session;    /* makes tags that nobody could know before */
  guint n_commands;
  char *tag;          /* (owned) (nullable) of the command that is under way */
  char problem[CURL_ERROR_SIZE];
};

Imap *
imap_new (const MailServer *server, gsize max_literal, GError **error)
{
  Imap *imap = g_new0 (Imap, 1);

  *imap = (Imap){ .server = server, .max_literal = max_literal, .wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK),
                  .words = g_string_new (NULL) };
  if (imap->wake >= 0)
    return imap;
  tally_throw_errno (error, errno, "could not make an eventfd");
  imap_free (imap);
  return NULL;
}

void
imap_free (Imap *imap)
{
  if (imap == NULL)
    return;

  if (imap->easy != NULL && imap->tag == NULL)
    imap_send (imap, NULL, "LOGOUT"); /* whose answer nobody needs */
  imap_drop (imap);
  if (imap->wake >= 0)
    close (imap->wake);
  g_string_free (imap->words, TRUE);
  g_free (imap);
}

gboolean
imap_said_bye (Imap *imap)
{
  return imap->said_bye;
}

void
imap_drop (Imap *imap)
{
  g_clear_pointer (&imap->easy, curl_easy_cleanup);
  g_clear_pointer (&imap->wire, imap_wire_free);
  g_clear_pointer (&imap->capabilities, g_free);
  g_clear_pointer (&imap->tag, g_free);
}

gboolean
imap_is_connected (Imap *imap)
{
  return imap->easy != NULL;
}

/* ---- Waiting ---- */

void
imap_interrupt (Imap *imap)
{
  eventfd_write (imap->wake, 1);
}

void
imap_resume (Imap *imap)
{
  eventfd_t count;

  eventfd_read (imap->wake, &count);
}

static gboolean
is_interrupted (Imap *imap)
{
  struct pollfd polled = { .fd = imap->wake, .events = POLLIN };

  return poll (&polled, 1, 0) > 0;
}

static TallyFlow
stop (Imap *imap, GError **error)
{
  imap_drop (imap);
  tally_throw (error, TALLY_ERROR_INTERRUPTED, "stopped while waiting for %s", imap->server->url);
  return TALLY_FLOW_FATAL;
}

static TallyFlow
lose (Imap *imap, const char *why, GError **error)
{
  mail_server_redact (imap->server, imap->words);
  tally_throw (error, TALLY_ERROR_NETWORK, "%s: %s%s%s", imap->server->url, why, imap->words->len > 0 ? ": " : "", imap->words->str);
  imap_drop (imap);
  return TALLY_FLOW_RETRY;
}

/* Until the socket is ready.  TLS may hold bytes of which the socket knows nothing: only for who was told to come again. */
static TallyFlow
await (Imap *imap, short events, GError **error)
{
  curl_socket_t socket = CURL_SOCKET_BAD;
  int n;

  curl_easy_getinfo (imap->easy, CURLINFO_ACTIVESOCKET, &socket);
  if (socket == CURL_SOCKET_BAD)
    return lose (imap, "the connection has ended", error);
  struct pollfd polled[] = { { .fd = socket, .events = events }, { .fd = imap->wake, .events = POLLIN } };

  do
    n = poll (polled, G_N_ELEMENTS (polled), (int)(imap->server->timeout / 1000));
  while (n < 0 && errno == EINTR);
  if (n > 0 && polled[1].revents != 0)
    return stop (imap, error);
  return n > 0 ? TALLY_FLOW_OK : lose (imap, "no answer came in time", error);
}

static TallyFlow
receive (Imap *imap, GError **error)
{
  char block[BLOCK];
  size_t got = 0;
  CURLcode code;

  while ((code = curl_easy_recv (imap->easy, block, sizeof block, &got)) == CURLE_AGAIN)
    {
      TallyFlow flow = await (imap, POLLIN, error);

      if (flow != TALLY_FLOW_OK)
        return flow;
    }
  if (code != CURLE_OK || got == 0)
    return lose (imap, code != CURLE_OK ? curl_easy_strerror (code) : "the server has ended the connection", error);
  imap_wire_feed (imap->wire, block, got);
  return TALLY_FLOW_OK;
}

static TallyFlow
send_all (Imap *imap, const char *text, GError **error)
{
  for (gsize length = strlen (text), sent = 0, n = 0; sent < length; sent += n)
    {
      CURLcode code;

      while ((code = curl_easy_send (imap->easy, text + sent, length - sent, &n)) == CURLE_AGAIN)
        {
          TallyFlow flow = await (imap, POLLOUT, error);

          if (flow != TALLY_FLOW_OK)
            return flow;
        }
      if (code != CURLE_OK)
        return lose (imap, curl_easy_strerror (code), error);
    }
  return TALLY_FLOW_OK;
}

/* ---- Commands ---- */

static TallyFlow
send_list (Imap *imap, GError **error, const char *format, va_list arguments)
{
  g_autofree char *command = g_strdup_vprintf (format, arguments);
  g_autofree char *line = NULL;

  g_free (imap->tag);
  imap->tag = g_strdup_printf ("T%08x%u", imap->session, ++imap->n_commands);
  line = g_strdup_printf ("%s %s\r\n", imap->tag, command);
  g_string_truncate (imap->words, 0);
  imap->said_bye = FALSE;
  return send_all (imap, line, error);
}

TallyFlow
imap_send (Imap *imap, GError **error, const char *format, ...)
{
  va_list arguments;
  TallyFlow flow;

  va_start (arguments, format);
  flow = send_list (imap, error, format, arguments);
  va_end (arguments);
  return flow;
}

/* How the command ended: OK, NO or BAD. */
static TallyFlow
conclude (Imap *imap, const char *answer, GError **error)
{
  g_autoptr (GString) words = g_string_new (NULL);

  g_clear_pointer (&imap->tag, g_free);
  if (g_ascii_strncasecmp (answer, "OK", 2) == 0)
    return TALLY_FLOW_END;
  mail_server_append_words (words, answer, strlen (answer));
  mail_server_redact (imap->server, words);
  if (g_ascii_strncasecmp (answer, "NO", 2) == 0)
    {
      tally_throw (error, TALLY_ERROR_DATA, "%s: the server says %s", imap->server->url, words->str);
      return TALLY_FLOW_REJECT;
    }
  tally_throw (error, TALLY_ERROR_UNSUPPORTED, "%s: the server does not understand us: %s", imap->server->url, words->str);
  return TALLY_FLOW_FATAL;
}

TallyFlow
imap_next (Imap *imap, ImapResponse *ret_response, GError **error)
{
  for (;;)
    {
      ImapWireState state = imap_wire_next (imap->wire, ret_response, error);
      gsize length = strlen (imap->tag);
      TallyFlow flow;

      if (state == IMAP_WIRE_BROKEN)
        {
          imap_drop (imap);
          tally_throw_prefix (error, "%s", imap->server->url);
          return TALLY_FLOW_FATAL;
        }
      if (state == IMAP_WIRE_MORE)
        {
          flow = receive (imap, error);
          if (flow != TALLY_FLOW_OK)
            return flow;
        }
      else if (strncmp (ret_response->text, imap->tag, length) == 0 && ret_response->text[length] == ' ')
        return conclude (imap, ret_response->text + length + 1, error);
      else if (g_ascii_strncasecmp (ret_response->text, "* BYE", 5) == 0)
        {
          imap->said_bye = TRUE;
          mail_server_append_words (imap->words, ret_response->text + 2, strlen (ret_response->text + 2));
        }
      else
        return TALLY_FLOW_OK;
    }
}

TallyFlow
imap_run (Imap *imap, ImapTake take, gpointer data, GError **error, const char *format, ...)
{
  ImapResponse response;
  va_list arguments;
  TallyFlow flow;

  va_start (arguments, format);
  flow = send_list (imap, error, format, arguments);
  va_end (arguments);
  while (flow == TALLY_FLOW_OK)
    {
      flow = imap_next (imap, &response, error);
      if (flow == TALLY_FLOW_OK && take != NULL)
        take (&response, data);
    }
  return flow == TALLY_FLOW_END ? TALLY_FLOW_OK : flow;
}

/* ---- The beginning ---- */

static size_t
on_line (char *line, size_t size, size_t n, void *data)
{
  Imap *imap = data;

  g_string_truncate (imap->words, 0);
  mail_server_append_words (imap->words, line, size * n);
  return size * n;
}

static int
on_progress (void *data, curl_off_t total, curl_off_t now, curl_off_t upload_total, curl_off_t upload_now)
{
  return is_interrupted (data);
}

static void
set_up (Imap *imap)
{
  imap->easy = curl_easy_init ();
  imap->wire = imap_wire_new (MAX_LINE, imap->max_literal);
  imap->session = g_random_int ();
  imap->problem[0] = '\0';
  g_string_truncate (imap->words, 0);
  mail_server_set (imap->server, imap->easy);
  curl_easy_setopt (imap->easy, CURLOPT_URL, imap->server->url);
  curl_easy_setopt (imap->easy, CURLOPT_PROTOCOLS_STR, "imap,imaps");
  if (imap->server->access_token != NULL)
    curl_easy_setopt (imap->easy, CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2");
  curl_easy_setopt (imap->easy, CURLOPT_ERRORBUFFER, imap->problem);
  curl_easy_setopt (imap->easy, CURLOPT_HEADERFUNCTION, on_line);
  curl_easy_setopt (imap->easy, CURLOPT_HEADERDATA, imap);
  curl_easy_setopt (imap->easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt (imap->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt (imap->easy, CURLOPT_XFERINFODATA, imap);
}

static TallyFlow
judge (Imap *imap, CURLcode code, GError **error)
{
  const MailServer *server = imap->server;

  mail_server_redact (server, imap->words);
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return stop (imap, error);
  if (code == CURLE_LOGIN_DENIED && strstr (imap->words->str, "[UNAVAILABLE]") == NULL)
    tally_throw (error, TALLY_ERROR_AUTH, "%s: the login of \"%s\" was refused, see to \"user\" and \"%s\": %s", server->url,
                 server->user, server->password != NULL ? "password" : "access-token", imap->words->str);
  else if (mail_server_is_insecure (code))
    tally_throw (error, TALLY_ERROR_AUTH, "%s: no secure connection: %s", server->url,
                 imap->problem[0] != '\0' ? imap->problem : curl_easy_strerror (code));
  else
    return lose (imap, imap->problem[0] != '\0' ? imap->problem : curl_easy_strerror (code), error);
  imap_drop (imap);
  return TALLY_FLOW_FATAL;
}

static void
take_capabilities (const ImapResponse *response, gpointer data)
{
  Imap *imap = data;

  if (g_ascii_strncasecmp (response->text, "* CAPABILITY ", 13) != 0)
    return;
  g_free (imap->capabilities);
  imap->capabilities = g_strconcat (response->text + 12, " ", NULL);
}

TallyFlow
imap_connect (Imap *imap, GError **error)
{
  CURLcode code;

  if (imap->easy != NULL)
    return TALLY_FLOW_OK;
  set_up (imap);
  code = curl_easy_perform (imap->easy);
  if (code != CURLE_OK)
    return judge (imap, code, error);
  /* What was offered before the login is not what is offered after it. */
  return imap_run (imap, take_capabilities, imap, error, "CAPABILITY");
}

gboolean
imap_can (Imap *imap, const char *capability)
{
  g_autofree char *word = g_strdup_printf (" %s ", capability), *known = NULL;

  if (imap->capabilities == NULL)
    return FALSE;
  known = g_ascii_strup (imap->capabilities, -1);
  return strstr (known, word) != NULL;
}
