/* smtp.c: one connection to a server that takes mail */
#include "smtp.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One L less since 8.2. */
#if LIBCURL_VERSION_NUM < 0x080200
#define CURLOPT_MAIL_RCPT_ALLOWFAILS CURLOPT_MAIL_RCPT_ALLLOWFAILS
#endif

#define MAX_IDLE 20L     /* seconds; servers close what is idle for long */
#define MAX_REFUSED 10   /* recipients that are named */

struct _Smtp
{
  SmtpConfig config;
  SmtpCancelled cancelled;
  gpointer data;
  CURL *easy;              /* (owned) keeps the connection from call to call */
  char *url;               /* (owned) */
  SmtpOffer offer;         /* of the connection that is open */

  /* of one call */
  const SmtpMail *mail;    /* (unowned) (nullable) */
  guint n_to;
  gsize given;             /* bytes of the message that libcurl has */
  gboolean begun;          /* the connection is ready, and answers are to commands about the mail */
  gboolean needs_more;     /* the server does not offer what the mail needs */
  guint n_answers;         /* to MAIL, to each RCPT, to DATA, to the dot */
  gboolean over;           /* what comes now, to QUIT say, is about something else */
  gboolean answered;       /* the last one was to the dot */
  gboolean failed;         /* the last call: nobody knows what else the connection holds */
  GString *words;          /* (owned) of the last answer */
  gboolean whole;          /* it has its last line */
  gint code;               /* its code */
  GString *refused;        /* (owned) recipients, and what the server says of each */
  guint n_refused, n_refused_for_good;
  char problem[CURL_ERROR_SIZE];
};

/* ---- What the server says ---- */

/* Before the mail: the greeting, what it offers, STARTTLS, the login. */
static void
take_offer (Smtp *smtp, const char *line, gsize length)
{
  g_autofree char *word = length > 4 ? g_strndup (line + 4, length - 4) : g_strdup ("");

  g_strchomp (word);
  if (strncmp (line, "220", 3) == 0)
    smtp->offer = (SmtpOffer){ 0 }; /* what counts is what it says next */
  else if (strncmp (line, "250", 3) != 0)
    return;
  else if (g_ascii_strcasecmp (word, "SMTPUTF8") == 0)
    smtp->offer.utf8 = TRUE;
  else if (g_ascii_strncasecmp (word, "AUTH ", 5) == 0)
    smtp->offer.auth = TRUE;
  else if (g_ascii_strncasecmp (word, "SIZE ", 5) == 0)
    smtp->offer.size = MAX (g_ascii_strtoll (word + 5, NULL, 10), 0);
}

static void
take_refusal (Smtp *smtp)
{
  smtp->n_refused++;
  smtp->n_refused_for_good += smtp->code / 100 == 5;
  if (smtp->n_refused <= MAX_REFUSED)
    g_string_append_printf (smtp->refused, "%s<%s>: %s", smtp->n_refused > 1 ? "; " : "", smtp->mail->to[smtp->n_answers - 2],
                            smtp->words->str);
}

/* libcurl asks for one thing at a time, in this order: MAIL, each RCPT, DATA, the message.  FALSE: no more. */
static gboolean
take_answer (Smtp *smtp)
{
  guint n = ++smtp->n_answers, n_data = smtp->n_to + 2;

  if (n > 1 && n < n_data && smtp->code / 100 != 2)
    take_refusal (smtp);
  smtp->answered = n > n_data && smtp->given == smtp->mail->length;
  smtp->over = n > n_data || (n == 1 && smtp->code / 100 != 2) || (n == n_data - 1 && smtp->n_refused > 0)
               || (n == n_data && smtp->code != 354);
  return n != n_data - 1 || !smtp->over;
}

static size_t
on_line (char *line, size_t size, size_t n, void *data)
{
  Smtp *smtp = data;
  gsize length = size * n;
  gboolean last = length == 5 || (length > 3 && line[3] == ' ');

  if (smtp->over)
    return length;
  if (smtp->whole)
    g_string_truncate (smtp->words, 0);
  mail_server_append_words (smtp->words, line, length);
  smtp->whole = last && length > 3 && g_ascii_isdigit (line[0]) && g_ascii_isdigit (line[1]) && g_ascii_isdigit (line[2]);
  if (smtp->whole)
    smtp->code = atoi (line);
  if (!smtp->begun)
    take_offer (smtp, line, length);
  else if (smtp->whole && smtp->mail != NULL && !take_answer (smtp))
    return 0;
  return length;
}

/* ---- What libcurl asks for ---- */

static size_t
on_read (char *buffer, size_t size, size_t n, void *data)
{
  Smtp *smtp = data;
  gsize length = MIN (size * n, smtp->mail->length - smtp->given);

  if (smtp->cancelled (smtp->data))
    return CURL_READFUNC_ABORT;
  memcpy (buffer, smtp->mail->message + smtp->given, length);
  smtp->given += length;
  return length;
}

/* What was given is not given again. */
static int
on_seek (void *data, curl_off_t offset, int origin)
{
  return CURL_SEEKFUNC_FAIL;
}

static int
on_ready (void *data, char *address, char *local, int port, int local_port)
{
  Smtp *smtp = data;
  gboolean again = smtp->begun;

  smtp->begun = TRUE;
  smtp->needs_more = smtp->mail != NULL && smtp->mail->needs_utf8 && !smtp->offer.utf8;
  return again || smtp->needs_more ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static int
on_progress (void *data, curl_off_t total, curl_off_t now, curl_off_t upload_total, curl_off_t upload_now)
{
  Smtp *smtp = data;

  return smtp->cancelled (smtp->data);
}

/* ---- Calls ---- */

static void
set_server (Smtp *smtp)
{
  const MailServer *server = smtp->config.server;

  curl_easy_setopt (smtp->easy, CURLOPT_URL, smtp->url);
  curl_easy_setopt (smtp->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  mail_server_set (server, smtp->easy);
  curl_easy_setopt (smtp->easy, CURLOPT_MAXAGE_CONN, MAX_IDLE);
  curl_easy_setopt (smtp->easy, CURLOPT_MAXCONNECTS, 1L);
  curl_easy_setopt (smtp->easy, CURLOPT_FRESH_CONNECT, (long) smtp->failed);
  curl_easy_setopt (smtp->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt (smtp->easy, CURLOPT_LOW_SPEED_TIME, (long) MAX (server->timeout / G_USEC_PER_SEC, 1));
}

static void
set_callbacks (Smtp *smtp)
{
  curl_easy_setopt (smtp->easy, CURLOPT_ERRORBUFFER, smtp->problem);
  curl_easy_setopt (smtp->easy, CURLOPT_HEADERFUNCTION, on_line);
  curl_easy_setopt (smtp->easy, CURLOPT_HEADERDATA, smtp);
  curl_easy_setopt (smtp->easy, CURLOPT_PREREQFUNCTION, on_ready);
  curl_easy_setopt (smtp->easy, CURLOPT_PREREQDATA, smtp);
  curl_easy_setopt (smtp->easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt (smtp->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt (smtp->easy, CURLOPT_XFERINFODATA, smtp);
}

/* A line that begins with a dot grows by one on its way, and libcurl may take the message for finished as soon as what it has
 * written is as long as what it was told. */
static gboolean
has_dots (const SmtpMail *mail)
{
  return (mail->length > 0 && mail->message[0] == '.') || memmem (mail->message, mail->length, "\n.", 2) != NULL;
}

static struct curl_slist *
set_mail (Smtp *smtp)
{
  const SmtpMail *mail = smtp->mail;
  struct curl_slist *recipients = NULL;

  for (guint i = 0; i < smtp->n_to; i++)
    recipients = curl_slist_append (recipients, mail->to[i]);
  curl_easy_setopt (smtp->easy, CURLOPT_MAIL_FROM, mail->from);
  curl_easy_setopt (smtp->easy, CURLOPT_MAIL_RCPT, recipients);
  curl_easy_setopt (smtp->easy, CURLOPT_MAIL_RCPT_ALLOWFAILS, 1L); /* all are asked for, so that all can be named */
  curl_easy_setopt (smtp->easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt (smtp->easy, CURLOPT_INFILESIZE_LARGE, has_dots (mail) ? (curl_off_t) -1 : (curl_off_t) mail->length);
  curl_easy_setopt (smtp->easy, CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt (smtp->easy, CURLOPT_READDATA, smtp);
  curl_easy_setopt (smtp->easy, CURLOPT_SEEKFUNCTION, on_seek);
  return recipients;
}

static CURLcode
call (Smtp *smtp, const SmtpMail *mail)
{
  struct curl_slist *recipients = NULL;
  CURLcode code;

  smtp->mail = mail;
  smtp->n_to = mail != NULL ? g_strv_length ((char **) mail->to) : 0;
  smtp->given = 0;
  smtp->begun = smtp->needs_more = smtp->whole = smtp->over = smtp->answered = FALSE;
  smtp->n_answers = smtp->n_refused = smtp->n_refused_for_good = 0;
  smtp->code = 0;
  smtp->problem[0] = '\0';
  g_string_truncate (smtp->words, 0);
  g_string_truncate (smtp->refused, 0);

  curl_easy_reset (smtp->easy); /* the connection stays */
  set_server (smtp);
  set_callbacks (smtp);
  if (mail != NULL)
    recipients = set_mail (smtp);
  else
    {
      curl_easy_setopt (smtp->easy, CURLOPT_CUSTOMREQUEST, "NOOP");
      curl_easy_setopt (smtp->easy, CURLOPT_NOBODY, 1L);
    }
  code = curl_easy_perform (smtp->easy);
  smtp->failed = code != CURLE_OK;
  if (code != CURLE_OK && smtp->problem[0] == '\0')
    g_strlcpy (smtp->problem, curl_easy_strerror (code), sizeof smtp->problem);
  curl_easy_setopt (smtp->easy, CURLOPT_MAIL_RCPT, NULL);
  curl_slist_free_all (recipients);
  return code;
}

/* ---- What it means ---- */

static void
conclude (Smtp *smtp, SmtpResult *result, TallyVerdict verdict, const char *format, ...) G_GNUC_PRINTF (4, 5);

static void
conclude (Smtp *smtp, SmtpResult *result, TallyVerdict verdict, const char *format, ...)
{
  g_autoptr (GString) detail = g_string_new (NULL);
  va_list arguments;

  va_start (arguments, format);
  g_string_vprintf (detail, format, arguments);
  va_end (arguments);
  mail_server_redact (smtp->config.server, detail);
  result->verdict = verdict;
  result->status = verdict == TALLY_VERDICT_UNSENT || (verdict == TALLY_VERDICT_UNKNOWN && !smtp->answered)
                       ? 0 : smtp->code;
  /* 421: the server as a whole goes away for a while. */
  result->wait_all = verdict == TALLY_VERDICT_BUSY && (smtp->code == 421 || !smtp->begun);
  result->detail = g_string_free (g_steal_pointer (&detail), FALSE);
}

/* By the first digit (RFC 5321, 4.2.1). */
static TallyVerdict
judge_code (gint code)
{
  switch (code / 100)
    {
    case 2:
      return TALLY_VERDICT_DELIVERED;
    case 4:
      return TALLY_VERDICT_BUSY;
    case 5:
      return TALLY_VERDICT_REJECTED;
    default:
      return TALLY_VERDICT_UNKNOWN;
    }
}

/* Of the login, which may also be asked for when a mail begins. */
static gboolean
wants_login (gint code)
{
  return code == 530 || code == 534 || code == 535 || code == 538;
}

/* The connection did not come about: nothing was sent. */
static void
judge_connection (Smtp *smtp, CURLcode code, SmtpResult *result)
{
  const char *words = smtp->words->str;

  if (smtp->needs_more)
    conclude (smtp, result, TALLY_VERDICT_REJECTED,
              "an address has letters beyond ASCII before its \"@\", and the server does not offer SMTPUTF8");
  else if (smtp->code / 100 == 4)
    conclude (smtp, result, TALLY_VERDICT_BUSY, "not sent: %s", words);
  else if (code == CURLE_LOGIN_DENIED || wants_login (smtp->code))
    conclude (smtp, result, TALLY_VERDICT_HALT, "the login was refused: %s (%s)", words, smtp->problem);
  else if (mail_server_is_insecure (code))
    conclude (smtp, result, TALLY_VERDICT_HALT, "no secure connection: %s", smtp->problem);
  else
    conclude (smtp, result, TALLY_VERDICT_UNSENT, "not sent: %s%s%s", smtp->problem, *words != '\0' ? ": " : "", words);
}

static void
judge (Smtp *smtp, CURLcode code, SmtpResult *result)
{
  const char *words = smtp->words->str;

  if (smtp->n_refused > 0)
    conclude (smtp, result, smtp->n_refused_for_good > 0 ? TALLY_VERDICT_REJECTED : TALLY_VERDICT_BUSY,
              "sent to nobody, because the server refuses %u of %u recipients: %s", smtp->n_refused, smtp->n_to,
              smtp->refused->str);
  else if (!smtp->begun || smtp->needs_more)
    judge_connection (smtp, code, result);
  else if (smtp->answered)
    conclude (smtp, result, judge_code (smtp->code), "%s", words);
  else if (smtp->n_answers > smtp->n_to + 2)
    conclude (smtp, result, TALLY_VERDICT_UNKNOWN, "the server answered before the end of the message: %s", words);
  else if (smtp->given == smtp->mail->length)
    conclude (smtp, result, TALLY_VERDICT_UNKNOWN, "the message was sent to its end, and no answer came: %s", smtp->problem);
  else if (smtp->given == 0 && smtp->whole && wants_login (smtp->code))
    conclude (smtp, result, TALLY_VERDICT_HALT, "the server wants a login: %s", words);
  else if (smtp->given == 0 && smtp->whole && smtp->code >= 400)
    conclude (smtp, result, judge_code (smtp->code), "%s", words);
  else
    conclude (smtp, result, TALLY_VERDICT_UNSENT, "not sent to its end: %s", smtp->problem);
}

void
smtp_send (Smtp *smtp, const SmtpMail *mail, SmtpResult *ret_result)
{
  CURLcode code = call (smtp, mail);

  judge (smtp, code, ret_result);
  smtp->mail = NULL;
}

gboolean
smtp_greet (Smtp *smtp, SmtpOffer *ret_offer, GError **error)
{
  CURLcode code = call (smtp, NULL);
  g_autofree char *detail = NULL;
  SmtpResult result = { 0 };

  if (code == CURLE_OK)
    {
      *ret_offer = smtp->offer;
      return TRUE;
    }
  judge_connection (smtp, code, &result);
  detail = result.detail;
  return tally_throw (error, result.verdict == TALLY_VERDICT_HALT ? TALLY_ERROR_AUTH : TALLY_ERROR_NETWORK, "%s: %s",
                      smtp->config.server->url, detail);
}

/* ---- Life ---- */

Smtp *
smtp_new (const SmtpConfig *config, SmtpCancelled cancelled, gpointer data)
{
  Smtp *smtp = g_new0 (Smtp, 1);

  smtp->config = *config;
  smtp->cancelled = cancelled;
  smtp->data = data;
  smtp->easy = curl_easy_init ();
  smtp->url = g_strconcat (config->server->url, config->helo != NULL ? "/" : NULL, config->helo, NULL);
  smtp->words = g_string_new (NULL);
  smtp->refused = g_string_new (NULL);
  return smtp;
}

void
smtp_free (Smtp *smtp)
{
  curl_socket_t socket = CURL_SOCKET_BAD;

  if (smtp == NULL)
    return;
  /* libcurl says QUIT and would wait two minutes for an answer that nobody needs. */
  if (curl_easy_getinfo (smtp->easy, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK && socket != CURL_SOCKET_BAD)
    shutdown (socket, SHUT_RD);
  curl_easy_cleanup (smtp->easy);
  g_string_free (smtp->words, TRUE);
  g_string_free (smtp->refused, TRUE);
  g_free (smtp->url);
  g_free (smtp);
}
