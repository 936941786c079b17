/* smtp.h: mails, one after the other, to a server that takes them
 *
 * A server takes a message by its answer to the dot at the end.  Nothing is written of that dot before all else is, so
 *
 *   cut before: surely nothing was taken;
 *   cut after that, without an answer: nobody knows;
 *   an answer, also one that comes amid the message: what it says.
 *
 * One call at a time; each blocks, so whoever wants several at once has several.
 */
#pragma once
#include "smtp-link.h"

typedef struct _Smtp Smtp;

typedef struct
{
  const char *from;               /* addresses of the envelope, */
  const char *const *to;          /* ended by NULL */
  gboolean needs_utf8;            /* one of them is beyond ASCII */
  const char *message;            /* lines end in CRLF */
  gsize length;
} SmtpMail;

typedef struct
{
  TallyVerdict verdict;
  gint status;       /* the server's last code, or 0 */
  gboolean wait_all; /* it is not this message's fault */
  char *detail;      /* (owned) the server's words, or why there are none; never with a secret in it */
} SmtpResult;

Smtp *smtp_new (const SmtpConfig *config, SmtpCancelled cancelled, gpointer data);
/* Says good-bye. */
void smtp_free (Smtp *smtp);

/* Connects, logs in, and asks for nothing. */
gboolean smtp_greet (Smtp *smtp, SmtpOffer *ret_offer, GError **error);
void smtp_send (Smtp *smtp, const SmtpMail *mail, SmtpResult *ret_result);
