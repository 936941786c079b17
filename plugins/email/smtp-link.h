/* smtp-link.h: a connection to a server that takes mail: commands go out, answers come in
 *
 * libcurl connects, begins TLS and logs in.  The commands after that are our own, over its curl_easy_send() and curl_easy_recv():
 * what libcurl does of SMTP itself hears nothing while it sends a message, and decides on its own when the dot at the end goes.
 *
 * One call at a time; each blocks.
 */
#pragma once
#include "server.h"
#include "smtp-answer.h"

typedef struct _SmtpLink SmtpLink;

/* All (unowned). */
typedef struct
{
  const MailServer *server;
  const char *helo; /* (nullable) what we call ourselves */
} SmtpConfig;

/* Looked at about once a second while a call blocks: TRUE ends it. */
typedef gboolean (*SmtpCancelled) (gpointer data);

SmtpLink *smtp_link_new (const SmtpConfig *config, SmtpCancelled cancelled, gpointer data);
/* Says good-bye if the connection is free for a command. */
void smtp_link_free (SmtpLink *link);

/* Connects and logs in, unless a connection stands and has been idle for a short time only. */
CURLcode smtp_link_open (SmtpLink *link);
const SmtpOffer *smtp_link_offer (SmtpLink *link);
/* Ends the connection in the middle of whatever it is at; what was said last stays. */
void smtp_link_drop (SmtpLink *link);

/* A command and its answer.  FALSE: none came. */
gboolean smtp_link_ask (SmtpLink *link, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Sends all of it, as it is.  FALSE: not all has gone, because the connection is lost or the server says something meanwhile.
 * ret_begun: (optional) whether any of it may have left. */
gboolean smtp_link_give (SmtpLink *link, const char *bytes, gsize length, gboolean *ret_begun);
/* Waits for the answer to what was given.  FALSE: none came. */
gboolean smtp_link_hear (SmtpLink *link);

/* Of the last answer; 0 and "" if there is none. */
gint smtp_link_code (SmtpLink *link);
const char *smtp_link_words (SmtpLink *link);
/* Why there is none. */
const char *smtp_link_problem (SmtpLink *link);
