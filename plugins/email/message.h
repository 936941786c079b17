/* message.h: a message as a row, wherever its bytes came from */
#pragma once
#include "carrier.h"
#include "excess.h"

typedef struct
{
  MailLimits limits;
  const char *attachments_folder; /* (unowned) (nullable) */
} MailOptions;

/* The columns of every message. */
TallySchema *mail_schema (void);

/* A reject shows no more of a message. */
#define MAIL_MOST_RAW 4096

/* Adds a message that is not flawed to a batch, as a row with its number, or as a reject that says why.  Its bytes may be changed.
 * ret_identity: (transfer full) the row's, NULL of a reject.  Fails only if this machine does, not for anything that a message is. */
gboolean mail_add_row (TallyBatch *batch, const MailItem *item, const MailOptions *options, char **ret_identity, GError **error);
