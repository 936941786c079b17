/* output.h: a file that appears as a whole, or not at all */
#pragma once
#include <glib.h>
#include <tallyman/context.h>

typedef struct _TallyOutput TallyOutput;

/* Opens NAME.partial beside the file, locked against another run.  What is no regular file (a pipe, a device, `-` for
 * standard output) is written at once.  Names that end in .gz or .zst are compressed. */
TallyOutput *tally_output_open (const char *name, GError **error);
/* The same, but nothing is opened or written: bytes are only counted.  Tells ctx which file it would be and what it would
 * replace, and at the commit how many bytes there would be. */
TallyOutput *tally_output_plan (const char *name, TallyContext *ctx, GError **error);
/* A sink's probe: room for the file, and whether another run is writing it. */
gboolean tally_output_probe (const char *name, TallyContext *ctx, GError **error);
/* What was not committed is removed. */
void tally_output_free (TallyOutput *output);

gboolean tally_output_write (TallyOutput *output, const char *data, gsize length, GError **error);
/* Makes all of it durable, then gives the file its name.  Nothing can be written after it. */
gboolean tally_output_commit (TallyOutput *output, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyOutput, tally_output_free)
