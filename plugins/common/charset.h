/* charset.h: any encoding to UTF-8, as a stream */
#pragma once
#include "pack.h"

/* Stands in the decoded stream for bytes that the encoding does not know; never valid in UTF-8, so that
 * whoever reads the stream refuses the record that has it. */
#define TALLY_UNDECODABLE 0xff

typedef struct _TallyDecoder TallyDecoder;

/* Whether the name says UTF-8, which needs no decoder. */
gboolean tally_charset_is_utf8 (const char *name);
/* The encoding that a byte-order mark tells, or NULL; ret_length gets the mark's. */
const char *tally_charset_from_mark (const guint8 *data, gsize length, gsize *ret_length);
/* Fails with TALLY_ERROR_USAGE if there is no such encoding. */
gboolean tally_charset_check (const char *name, GError **error);

TallyDecoder *tally_decoder_new (const char *charset, TallyPull pull, gpointer from, GError **error);
void tally_decoder_free (TallyDecoder *decoder);
gssize tally_decoder_read (TallyDecoder *decoder, guint8 *buffer, gsize size, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyDecoder, tally_decoder_free)
