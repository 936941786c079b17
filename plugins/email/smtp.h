/* smtp.h: one connection to a server that takes mail
 *
 * libcurl speaks SMTP; this adds what an exactly-once sink needs to know: how far a message got.  A server takes a message by its
 * answer to the dot at the end.  libcurl writes that dot only when it has been given all of the message, so
 *
 *   cut before all was given to libcurl: surely nothing was taken;
 *   cut after that, without an answer: nobody knows;
 *   an answer: what it says.
 *
 * One call at a time; each blocks, so whoever wants several at once has several.  (libcurl's multi interface would block just so
 * while it waits for the answer to the dot; and it would write the dot after half a message if the transfer were removed.)
 */
#pragma once
#include "server.h"

typedef struct _Smtp Smtp;

/* All (unowned). */
typedef struct
{
  const MailServer *server;
  const char *helo; /* (nullable) what we call ourselves */
} SmtpConfig;

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

/* What a server has told at the beginning. */
typedef struct
{
  gboolean utf8, auth;
  gint64 size; /* largest message; 0: not told */
} SmtpOffer;

/* Looked at about once a second while a call blocks: TRUE ends it. */
typedef gboolean (*SmtpCancelled) (gpointer data);

Smtp *smtp_new (const SmtpConfig *config, SmtpCancelled cancelled, gpointer data);
/* Says good-bye. */
void smtp_free (Smtp *smtp);

/* Connects, logs in, and asks for nothing. */
gboolean smtp_greet (Smtp *smtp, SmtpOffer *ret_offer, GError **error);
void smtp_send (Smtp *smtp, const SmtpMail *mail, SmtpResult *ret_result);
