/* pack.h: gzip and zstd, as streams */
#pragma once
#include <glib.h>

typedef enum
{
  TALLY_PACK_NONE,
  TALLY_PACK_GZIP,
  TALLY_PACK_ZSTD,
} TallyPack;

/* Gives up to size bytes; 0 at the end, -1 on error. */
typedef gssize (*TallyPull) (gpointer from, guint8 *buffer, gsize size, GError **error);
/* Takes all of the bytes. */
typedef gboolean (*TallyPush) (gpointer into, const guint8 *data, gsize length, GError **error);

/* By the ending of a file's name: .gz, .zst. */
TallyPack tally_pack_from_name (const char *name);
/* By the first bytes of the data. */
TallyPack tally_pack_from_magic (const guint8 *data, gsize length);
const char *tally_pack_name (TallyPack pack);

typedef struct _TallyUnpacker TallyUnpacker;

TallyUnpacker *tally_unpacker_new (TallyPack pack, TallyPull pull, gpointer from);
void tally_unpacker_free (TallyUnpacker *unpacker);
/* As a TallyPull.  Data that ends too early is an error; members that follow each other are one stream. */
gssize tally_unpacker_read (TallyUnpacker *unpacker, guint8 *buffer, gsize size, GError **error);

typedef struct _TallyPacker TallyPacker;

TallyPacker *tally_packer_new (TallyPack pack, TallyPush push, gpointer into);
void tally_packer_free (TallyPacker *packer);
gboolean tally_packer_write (TallyPacker *packer, const guint8 *data, gsize length, GError **error);
/* Writes what ends the stream. */
gboolean tally_packer_finish (TallyPacker *packer, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyUnpacker, tally_unpacker_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyPacker, tally_packer_free)
