/* twins.h: mails that have one Message-ID and are not the same */
#pragma once
#include <glib.h>

typedef struct _MailTwins MailTwins;

MailTwins *mail_twins_new (void);
void mail_twins_free (MailTwins *twins);
/* Whether the Message-ID of an identity was met lately with other content. */
gboolean mail_twins_met (MailTwins *twins, const char *identity);
