/* message.h: a message as a row, wherever its bytes came from */
#pragma once
#include "excess.h"
#include <tallyman/plugin.h>

typedef struct
{
  MailLimits limits;
  const char *attachments_folder; /* (unowned) (nullable) */
} MailOptions;

/* The columns of every message. */
TallySchema *mail_schema (void);

/* A reject shows no more of a message. */
#define MAIL_MOST_RAW 4096

/* Adds a message to a batch, as a row with its number, or as a reject that says why.  bytes may be changed.
 * ret_identity: (transfer full) the row's, NULL of a reject.  Fails only if this machine does, not for anything that a message is. */
gboolean mail_add_row (TallyBatch *batch, GByteArray *bytes, gint64 number, const char *folder, const MailOptions *options,
                       char **ret_identity, GError **error);
