/* files.h: messages in files: an mbox, a Maildir, one message a file */
#pragma once
#include "carrier.h"
#include "mbox.h"

typedef enum
{
  FILES_AUTO,
  FILES_MBOX,
  FILES_MAILDIR,
  FILES_EML,
} FilesFormat;

typedef struct
{
  char *const *paths; /* (unowned) files, folders, patterns */
  FilesFormat format;
  MboxDialect dialect;
  gint64 max_message;
} FilesOptions;

MailCarrier *files_carrier_new (const FilesOptions *options, GError **error);
