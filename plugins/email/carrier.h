/* carrier.h: where messages come from
 *
 * A carrier knows files, folders or servers and nothing of what a message is; message.c knows messages and nothing of where they lay.
 * Messages of one origin follow each other: next_origin, then next until it has no more, then next_origin again.
 */
#pragma once
#include <tallyman/plugin.h>

typedef struct
{
  GByteArray *bytes;  /* (unowned) the message as it was sent, until the next call; the reader may change it */
  gint64 number;      /* tells it from others of its origin: a line, a UID */
  const char *folder; /* (unowned) (nullable) what its owner calls the place where it lay */
  const char *flags;  /* (unowned) (nullable) what the mailbox keeps of it, as flags.h makes it */
  const char *flaw;   /* (nullable) why it cannot be had; bytes have what was read of it then */
} MailItem;

typedef struct _MailCarrier MailCarrier;

typedef struct
{
  /* Goes on to the next origin, the first time to where an earlier run has stopped. */
  TallyFlow (*next_origin) (MailCarrier *carrier, TallyContext *ctx, GError **error);
  /* The next message of the origin. */
  TallyFlow (*next) (MailCarrier *carrier, MailItem *ret_item, GError **error);
  /* Names the origin in a batch that has rows of it. */
  void (*set_origin) (MailCarrier *carrier, TallyContext *ctx, TallyBatch *batch);
  /* Offers the place behind the last message. */
  void (*set_position) (MailCarrier *carrier, TallyBatch *batch);
  /* (nullable) Marks, where they lie, the messages up to a position as done. */
  gboolean (*acknowledge) (MailCarrier *carrier, TallyContext *ctx, const char *position, GError **error);
  /* What doctor is told. */
  void (*probe) (MailCarrier *carrier, TallyContext *ctx);
  /* Any thread: ends a wait. */
  void (*interrupt) (MailCarrier *carrier);
  void (*free) (MailCarrier *carrier);
} MailCarrierClass;

/* The first member of each carrier. */
struct _MailCarrier
{
  const MailCarrierClass *class;
};
