/* mbox.h: the messages of an mbox, one after the other */
#pragma once
#include "carrier.h"
#include "input.h"

/* How a line that begins with "From " is told from the one that begins a message. */
typedef enum
{
  MBOX_AUTO,
  MBOX_O,   /* ">From " for "From " */
  MBOX_RD,  /* one more ">" in front of ">From ", too */
  MBOX_CL,  /* as MBOX_O, and Content-Length tells where a message ends */
  MBOX_CL2, /* Content-Length alone */
} MboxDialect;

/* No line that begins a message is longer. */
#define MBOX_MAX_LINE 512

/* Whether a text's first line begins a message. */
gboolean mbox_begins_message (const char *at, gsize length);

typedef struct _MboxReader MboxReader;

/* Takes the input. */
MboxReader *mbox_reader_new (TallyInput *input, MboxDialect dialect, gint64 max_message);
void mbox_reader_free (MboxReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MboxReader, mbox_reader_free)

TallyFlow mbox_reader_next (MboxReader *reader, MailItem *ret_item, GError **error);

TallyInput *mbox_reader_input (MboxReader *reader);
guint64 mbox_reader_offset (MboxReader *reader);
gint64 mbox_reader_line (MboxReader *reader);
/* Goes on there; only before the first message.  ret_fits is FALSE if no message begins there. */
gboolean mbox_reader_resume (MboxReader *reader, guint64 offset, gint64 line, gboolean *ret_fits, GError **error);
