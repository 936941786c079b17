/* imap-carrier.h: messages in the folders of a server */
#pragma once
#include "carrier.h"
#include "server.h"

typedef enum
{
  IMAP_KEEP,
  IMAP_SEEN,
  IMAP_MOVE,
} ImapAfter;

/* All (unowned). */
typedef struct
{
  const MailServer *server;
  char *const *folders; /* names and patterns */
  guint32 first, last;  /* UIDs: others are as if they were not there */
  gboolean changes;     /* whether messages that changed are read again */
  ImapAfter after;
  const char *move_to;  /* (nullable) the folder of IMAP_MOVE */
  gint64 max_message;
} ImapOptions;

/* Touches no network: that begins with the first call. */
MailCarrier *imap_carrier_new (const ImapOptions *options, GError **error);
