/* input.h: the bytes of a file, unpacked, in UTF-8, without a byte-order mark */
#pragma once
#include <glib.h>

typedef struct _TallyInput TallyInput;

/* The files that names and patterns stand for: `-` is standard input; a pattern's matches are sorted; a file
 * that several name comes once.  (transfer full) (element-type utf8); fails with TALLY_ERROR_USAGE for a pattern
 * without a match. */
GPtrArray *tally_input_expand (char *const *names, GError **error);

/* What one of many inputs has in common with the others. */
typedef struct
{
  const char *encoding; /* (unowned) (nullable) UTF-8 unless a byte-order mark tells another */
  int wake;             /* a descriptor that becomes readable to end a wait, or -1 */
} TallyInputOptions;

TallyInput *tally_input_open (const char *name, const TallyInputOptions *options, GError **error);
/* What was read of standard input is kept for the next one who opens it, unless tally_input_consume() was called:
 * the columns can be described before the run opens it anew. */
void tally_input_free (TallyInput *input);
void tally_input_consume (TallyInput *input);

/* Up to size bytes, at least 64 of room; 0 at the end, -1 on error. */
gssize tally_input_read (TallyInput *input, guint8 *buffer, gsize size, GError **error);
/* Goes to an offset in what read() gives; only right after opening.  Fails with TALLY_ERROR_DATA if the
 * input is shorter. */
gboolean tally_input_seek (TallyInput *input, guint64 offset, GError **error);

/* What tells this input from another of the same name: its first bytes.  It stays the same while a file grows. */
const char *tally_input_identity (TallyInput *input);
/* Whether an input still begins as one whose identity was taken earlier. */
gboolean tally_input_is (TallyInput *input, const char *identity);
/* The encoding that is decoded: the one that was asked for, or a byte-order mark's. */
const char *tally_input_encoding (TallyInput *input);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyInput, tally_input_free)
