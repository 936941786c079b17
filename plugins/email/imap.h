/* imap.h: one connection to a server that keeps mail
 *
 * libcurl connects, begins TLS and logs in.  The commands after that are our own, over its curl_easy_send() and curl_easy_recv():
 * what libcurl does of IMAP itself marks messages as read, hands no literals on, and looks for the end of an answer in the text of
 * a mail, too.
 */
#pragma once
#include "imap-wire.h"
#include "server.h"

typedef struct _Imap Imap;

/* server: (unowned), as long as this lives. */
Imap *imap_new (const MailServer *server, gsize max_literal, GError **error);
/* Says good-bye. */
void imap_free (Imap *imap);

/* Any thread: ends a wait, and each one after it, until imap_resume(). */
void imap_interrupt (Imap *imap);
void imap_resume (Imap *imap);

/* Logs in, unless the connection stands.  OK; RETRY: the server is away; FATAL: it does not let us in, or nobody could trust it. */
TallyFlow imap_connect (Imap *imap, GError **error);
gboolean imap_is_connected (Imap *imap);
/* Whether the server has ended the connection with a word, since the last command was sent. */
gboolean imap_said_bye (Imap *imap);
/* Ends the connection in the middle of whatever it is at. */
void imap_drop (Imap *imap);
/* Whether the server has said that it knows something, as "MOVE". */
gboolean imap_can (Imap *imap, const char *capability);

/* Begins a command, for which imap_next() gives the answers.  RETRY: the connection is lost, and dropped. */
TallyFlow imap_send (Imap *imap, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* OK: a response; END: the command is done; REJECT: the server says no; RETRY: as above; FATAL. */
TallyFlow imap_next (Imap *imap, ImapResponse *ret_response, GError **error);

typedef void (*ImapTake) (const ImapResponse *response, gpointer data);
/* A whole command: take (nullable) gets each response.  OK when it is done, else as imap_next(). */
TallyFlow imap_run (Imap *imap, ImapTake take, gpointer data, GError **error, const char *format, ...) G_GNUC_PRINTF (5, 6);
