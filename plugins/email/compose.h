/* compose.h: a message as it goes over the wire
 *
 *   compose-row.c    the columns of a row: what the message is made of, checked
 *   compose-files.c  the files that go with it
 *   compose.c        the message itself, by GMime
 *
 * Lines end in CRLF and have 998 bytes at most; nothing but addresses is in more than 7 bits.
 */
#pragma once
#include "address.h"
#include "init.h"
#include <tallyman/plugin.h>

/* In the order in which they stand in the message. */
typedef enum
{
  EMAIL_FROM,
  EMAIL_TO,
  EMAIL_CC,
  EMAIL_BCC,
  EMAIL_REPLY_TO,
  EMAIL_N_LISTS,
  EMAIL_SUBJECT = EMAIL_N_LISTS,
  EMAIL_TEXT,
  EMAIL_HTML,
  EMAIL_DATE,
  EMAIL_MESSAGE_ID,
  EMAIL_IN_REPLY_TO,
  EMAIL_REFERENCES,
  EMAIL_HEADERS,
  EMAIL_ATTACHMENTS,
  EMAIL_RAW,
  EMAIL_N_COLUMNS,
} EmailColumn;

/* Which column of the rows that come is which; -1: there is none. */
typedef struct
{
  gint columns[EMAIL_N_COLUMNS];
  TallyType types[EMAIL_N_COLUMNS];
} EmailPlan;

/* A file that goes with a message. */
typedef struct
{
  char *name, *type; /* (owned) */
  char *cid;         /* (owned) (nullable) by which HTML shows it */
  GBytes *content;   /* (owned) */
} EmailFile;

typedef struct
{
  const char *directory; /* (unowned) where relative paths begin */
  const char *root;      /* (unowned) (nullable) no file may lie outside */
  gint64 most;           /* bytes of a whole message */
  const char *from, *to; /* (unowned) (nullable) of a row that names none */
} EmailRules;

void email_file_free (gpointer file);

/* Seconds from 1970 to 2000, where our times begin. */
#define EMAIL_EPOCH G_GINT64_CONSTANT (946684800)

/* What one message is made of. */
typedef struct
{
  InternetAddressList *lists[EMAIL_N_LISTS]; /* (owned) may be empty */
  char *subject, *text, *html;               /* (owned) (nullable) */
  GDateTime *date;                           /* (owned) */
  char *message_id;                          /* (owned) without < and > */
  char *in_reply_to, *references;            /* (owned) (nullable) */
  GPtrArray *headers;                        /* (owned) (element-type utf8) name, value, name, value, … */
  GPtrArray *files;                          /* (owned) (element-type EmailFile) */
} EmailLetter;

void email_letter_clear (EmailLetter *letter);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EmailLetter, email_letter_clear)

/* Fails with TALLY_ERROR_USAGE if a column is none of a message's, see EmailColumn; those of the key, and ignored ones, need not
 * be.  takes_raw: a column "raw" may hold the whole message. */
gboolean email_plan_accept (EmailPlan *plan, TallySchema *schema, const char *const *ignored, gboolean takes_raw,
                            GError **error);
gboolean email_plan_gives (const EmailPlan *plan, const TallyBatch *batch, guint row, EmailColumn column);

/* reference: what the Message-ID is made from if no column gives one.  Fails with TALLY_ERROR_DATA. */
gboolean email_letter_read (EmailLetter *letter, const EmailPlan *plan, const EmailRules *rules, const TallyBatch *batch,
                            guint row, const char *reference, GError **error);

/* Appends the files that a JSON text, or a path, names. */
gboolean email_files_read (GPtrArray *files, const EmailRules *rules, const char *text, gboolean is_json, GError **error);

/* Appends the message.  keep_bcc: whether it says who gets it unseen by the others. */
gboolean email_compose (const EmailLetter *letter, gboolean keep_bcc, gint64 most, GString *out, GError **error);
