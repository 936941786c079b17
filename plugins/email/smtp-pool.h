/* smtp-pool.h: several mails at once, each over a connection and on a thread of its own
 *
 * There are as many connections as mails were under way at once.  Only the calls here are for one thread; the work is not.
 */
#pragma once
#include "smtp.h"

typedef struct _SmtpPool SmtpPool;

SmtpPool *smtp_pool_new (const SmtpConfig *config);
/* Breaks off what is under way, which is not told of any more. */
void smtp_pool_free (SmtpPool *pool);

/* Begins.  mail: (unowned), with all that it points to, until it is told of. */
void smtp_pool_send (SmtpPool *pool, const SmtpMail *mail, gpointer data);
/* The data of a mail that has come to its end, and how; waits for one so many microseconds.  NULL: there is none yet. */
gpointer smtp_pool_take (SmtpPool *pool, gint64 wait, SmtpResult *ret_result);
/* From any thread: ends the wait. */
void smtp_pool_wake (SmtpPool *pool);
