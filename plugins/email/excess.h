/* excess.h: what a message may have, looked at before anything is built of it */
#pragma once
#include <tallyman/types.h>

typedef struct
{
  gint64 max_message; /* bytes */
  gint64 max_depth;   /* of parts in parts */
  gint64 max_parts;
  gint64 max_headers;     /* fields of a message with all of its parts, */
  gint64 max_header_size; /* and their bytes */
} MailLimits;

/* (transfer full) (nullable) Why a message is refused: a parser would build more for it than the limits allow. */
char *mail_excess (TallyText message, const MailLimits *limits);
