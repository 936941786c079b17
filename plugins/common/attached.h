/* attached.h: a file that a record names, to be attached to something */
#pragma once
#include <glib.h>

/* It is read once, from its beginning to its end. */
typedef struct
{
  int descriptor;
  gint64 size;
} TallyAttached;

#define TALLY_ATTACHED_INIT { -1, 0 }

/* Opens a file that may be read.  root: (nullable) the folder outside of which it may not lie, whatever links say.  Fails with
 * TALLY_ERROR_DATA. */
gboolean tally_attached_open (TallyAttached *file, const char *path, const char *root, GError **error);
void tally_attached_close (TallyAttached *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TallyAttached, tally_attached_close)

/* Whether it can be the name of a file that is received: one part of a path, in UTF-8, of 255 bytes at most. */
gboolean tally_attached_is_name (const char *name);
/* Whether it is the type of a file, as "image/png" is one, which may stand in a header. */
gboolean tally_attached_is_type (const char *type);
/* (transfer full) the type that a file has by its name; application/octet-stream if it is not known. */
char *tally_attached_guess_type (const char *name);
