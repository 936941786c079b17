/* smtp.c: mails, one after the other, to a server that takes them */
#include "smtp.h"
#include <string.h>

#define MAX_REFUSED 10 /* recipients that are named */
#define BLOCK (64 * 1024)

struct _Smtp
{
  const MailServer *server; /* (unowned) */
  SmtpLink *link;           /* (owned) keeps the connection from mail to mail */
  gboolean begun;           /* a mail that the server has not taken, as far as is known */
  GString *block;           /* (owned) of a message, on its way */
};

Smtp *
smtp_new (const SmtpConfig *config, SmtpCancelled cancelled, gpointer data)
{
  Smtp *smtp = g_new0 (Smtp, 1);

  *smtp = (Smtp){ .server = config->server, .link = smtp_link_new (config, cancelled, data), .block = g_string_new (NULL) };
  return smtp;
}

void
smtp_free (Smtp *smtp)
{
  if (smtp == NULL)
    return;
  smtp_link_free (smtp->link);
  g_string_free (smtp->block, TRUE);
  g_free (smtp);
}

/* ---- What it means ---- */

static void
conclude (Smtp *smtp, SmtpResult *result, TallyVerdict verdict, gint status, const char *format, ...) G_GNUC_PRINTF (5, 6);

static void
conclude (Smtp *smtp, SmtpResult *result, TallyVerdict verdict, gint status, const char *format, ...)
{
  g_autoptr (GString) detail = g_string_new (NULL);
  va_list arguments;

  va_start (arguments, format);
  g_string_vprintf (detail, format, arguments);
  va_end (arguments);
  mail_server_redact (smtp->server, detail);
  *result = (SmtpResult){ .verdict = verdict, .status = status, .detail = g_string_free (g_steal_pointer (&detail), FALSE) };
  /* 421: the server as a whole goes away for a while. */
  result->wait_all = verdict == TALLY_VERDICT_BUSY && status == 421;
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
  const char *words = smtp_link_words (smtp->link), *problem = smtp_link_problem (smtp->link);
  gint status = smtp_link_code (smtp->link);

  if (status / 100 == 4)
    {
      conclude (smtp, result, TALLY_VERDICT_BUSY, status, "not sent: %s", words);
      result->wait_all = TRUE;
    }
  else if (code == CURLE_LOGIN_DENIED || wants_login (status))
    conclude (smtp, result, TALLY_VERDICT_HALT, status, "the login was refused: %s (%s)", words, problem);
  else if (mail_server_is_insecure (code))
    conclude (smtp, result, TALLY_VERDICT_HALT, status, "no secure connection: %s", problem);
  else
    conclude (smtp, result, TALLY_VERDICT_UNSENT, 0, "%s%s%s", problem, *words != '\0' ? ": " : "", words);
}

/* A refusal, by its first digit (RFC 5321, 4.2.1).  FALSE: it is none. */
static gboolean
judge_refusal (Smtp *smtp, SmtpResult *result)
{
  gint code = smtp_link_code (smtp->link);
  const char *words = smtp_link_words (smtp->link);

  if (wants_login (code))
    conclude (smtp, result, TALLY_VERDICT_HALT, code, "the server wants a login: %s", words);
  else if (code / 100 == 4)
    conclude (smtp, result, TALLY_VERDICT_BUSY, code, "%s", words);
  else if (code / 100 == 5)
    conclude (smtp, result, TALLY_VERDICT_REJECTED, code, "%s", words);
  return code / 100 == 4 || code / 100 == 5;
}

/* Before the message, or amid it. */
static void
judge_unsent (Smtp *smtp, SmtpResult *result)
{
  const char *words = smtp_link_words (smtp->link);

  if (judge_refusal (smtp, result))
    return;
  conclude (smtp, result, TALLY_VERDICT_UNSENT, 0, "not sent to its end: %s", *words != '\0' ? words : smtp_link_problem (smtp->link));
}

/* ---- A mail ---- */

static gboolean
is_code (Smtp *smtp, gint hundreds)
{
  return smtp_link_code (smtp->link) / 100 == hundreds;
}

static gboolean
ask_sender (Smtp *smtp, const SmtpMail *mail, SmtpResult *result)
{
  g_autofree char *size = smtp_link_offer (smtp->link)->size > 0 ? g_strdup_printf (" SIZE=%" G_GSIZE_FORMAT, mail->length) : g_strdup ("");

  if (smtp_link_ask (smtp->link, "MAIL FROM:<%s>%s%s", mail->from, size, mail->needs_utf8 ? " SMTPUTF8" : "") && is_code (smtp, 2))
    return TRUE;
  judge_unsent (smtp, result);
  return FALSE;
}

/* All are asked for, so that all that are refused can be named. */
static gboolean
ask_recipients (Smtp *smtp, const SmtpMail *mail, SmtpResult *result)
{
  guint n_to = g_strv_length ((char **) mail->to), n_refused = 0, n_for_good = 0;
  g_autoptr (GString) refused = g_string_new (NULL);
  gint code = 0;

  for (guint i = 0; i < n_to && code != 421; i++)
    {
      if (!smtp_link_ask (smtp->link, "RCPT TO:<%s>", mail->to[i]) || is_code (smtp, 3))
        break;
      if (is_code (smtp, 2))
        continue;
      code = smtp_link_code (smtp->link);
      if (wants_login (code))
        return !judge_refusal (smtp, result);
      n_for_good += code / 100 == 5;
      if (++n_refused <= MAX_REFUSED)
        g_string_append_printf (refused, "%s<%s>: %s", n_refused > 1 ? "; " : "", mail->to[i], smtp_link_words (smtp->link));
    }
  if (n_refused > 0)
    conclude (smtp, result, n_for_good > 0 ? TALLY_VERDICT_REJECTED : TALLY_VERDICT_BUSY, code,
              "sent to nobody, because the server refuses %u of %u recipients: %s", n_refused, n_to, refused->str);
  else if (!is_code (smtp, 2))
    judge_unsent (smtp, result);
  return n_refused == 0 && is_code (smtp, 2);
}

/* The next bytes of a message; a dot at the beginning of a line is doubled (RFC 5321, 4.5.2). */
static void
fill_block (GString *block, const SmtpMail *mail, gsize *given)
{
  g_string_truncate (block, 0);
  while (*given < mail->length && block->len < BLOCK)
    {
      const char *line = mail->message + *given;
      gsize most = MIN (mail->length - *given, BLOCK);
      const char *end = memchr (line, '\n', most);
      gsize length = end != NULL ? (gsize) (end - line) + 1 : most;

      if (*line == '.' && (*given == 0 || line[-1] == '\n'))
        g_string_append_c (block, '.');
      g_string_append_len (block, line, (gssize) length);
      *given += length;
    }
}

static gboolean
give_message (Smtp *smtp, const SmtpMail *mail)
{
  for (gsize given = 0; given < mail->length;)
    {
      fill_block (smtp->block, mail, &given);
      if (!smtp_link_give (smtp->link, smtp->block->str, smtp->block->len, NULL))
        return FALSE;
    }
  return TRUE;
}

static void
give_mail (Smtp *smtp, const SmtpMail *mail, SmtpResult *result)
{
  SmtpLink *link = smtp->link;
  gboolean ended = FALSE; /* the dot may have left */
  gboolean whole, heard;

  if (!ask_sender (smtp, mail, result) || !ask_recipients (smtp, mail, result))
    return;
  if (!smtp_link_ask (link, "DATA") || smtp_link_code (link) != 354)
    {
      judge_unsent (smtp, result);
      return;
    }

  whole = give_message (smtp, mail) && smtp_link_give (link, ".\r\n", 3, &ended);
  heard = smtp_link_hear (link);
  if (!whole && heard)
    smtp_link_drop (link); /* it answers, and nobody knows what it takes for commands now */
  if (heard && judge_refusal (smtp, result))
    return;
  if (heard && whole && is_code (smtp, 2))
    conclude (smtp, result, TALLY_VERDICT_DELIVERED, smtp_link_code (link), "%s", smtp_link_words (link));
  else if (heard)
    conclude (smtp, result, TALLY_VERDICT_UNKNOWN, 0, "the server answered %s: %s",
              whole ? "what is no answer to a message" : "before the end of the message", smtp_link_words (link));
  else if (ended)
    conclude (smtp, result, TALLY_VERDICT_UNKNOWN, 0, "the message was sent to its end, and no answer came: %s", smtp_link_problem (link));
  else
    judge_unsent (smtp, result);
}

/* A mail that was begun is to be forgotten; a server that does not say so is left. */
static CURLcode
open_link (Smtp *smtp)
{
  if (smtp->begun && !(smtp_link_ask (smtp->link, "RSET") && is_code (smtp, 2)))
    smtp_link_drop (smtp->link);
  smtp->begun = FALSE;
  return smtp_link_open (smtp->link);
}

void
smtp_send (Smtp *smtp, const SmtpMail *mail, SmtpResult *ret_result)
{
  CURLcode code = open_link (smtp);

  if (code != CURLE_OK)
    judge_connection (smtp, code, ret_result);
  else if (mail->needs_utf8 && !smtp_link_offer (smtp->link)->utf8)
    conclude (smtp, ret_result, TALLY_VERDICT_REJECTED, 0,
              "an address has letters beyond ASCII before its \"@\", and the server does not offer SMTPUTF8");
  else
    {
      give_mail (smtp, mail, ret_result);
      smtp->begun = ret_result->verdict != TALLY_VERDICT_DELIVERED;
    }
}

gboolean
smtp_greet (Smtp *smtp, SmtpOffer *ret_offer, GError **error)
{
  CURLcode code = smtp_link_open (smtp->link);
  g_autofree char *detail = NULL;
  SmtpResult result = { 0 };

  if (code == CURLE_OK)
    {
      *ret_offer = *smtp_link_offer (smtp->link);
      return TRUE;
    }
  judge_connection (smtp, code, &result);
  detail = result.detail;
  return tally_throw (error, result.verdict == TALLY_VERDICT_HALT ? TALLY_ERROR_AUTH : TALLY_ERROR_NETWORK, "%s: %s",
                      smtp->server->url, detail);
}
