/* pack.c: gzip by zlib, zstd by libzstd, behind one pair of functions each way */
#include "pack.h"
#include <tallyman/plugin.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK (64 * 1024)
/* zlib's number for a gzip wrapper around the largest window. */
#define GZIP_WINDOW (15 + 16)

static const struct
{
  const char *name, *ending, *magic;
  gsize magic_length;
} packs[] = {
  [TALLY_PACK_NONE] = { "plain", NULL, NULL, 0 },
  [TALLY_PACK_GZIP] = { "gzip", ".gz", "\x1f\x8b", 2 },
  [TALLY_PACK_ZSTD] = { "zstd", ".zst", "\x28\xb5\x2f\xfd", 4 },
};

struct _TallyUnpacker
{
  TallyPack pack;
  TallyPull pull;
  gpointer from; /* (unowned) */
  z_stream gzip;
  ZSTD_DStream *zstd; /* (owned) (nullable) */
  guint8 *chunk;      /* (owned) packed bytes that were read */
  gsize start, end;   /* what of the chunk is still to be unpacked */
  gboolean inside;    /* of a member that has not ended */
};

struct _TallyPacker
{
  TallyPack pack;
  TallyPush push;
  gpointer into; /* (unowned) */
  z_stream gzip;
  ZSTD_CStream *zstd; /* (owned) (nullable) */
  guint8 *chunk;      /* (owned) */
};

TallyPack
tally_pack_from_name (const char *name)
{
  for (TallyPack pack = TALLY_PACK_GZIP; pack < G_N_ELEMENTS (packs); pack++)
    if (g_str_has_suffix (name, packs[pack].ending))
      return pack;

  return TALLY_PACK_NONE;
}

TallyPack
tally_pack_from_magic (const guint8 *data, gsize length)
{
  for (TallyPack pack = TALLY_PACK_GZIP; pack < G_N_ELEMENTS (packs); pack++)
    if (length >= packs[pack].magic_length && memcmp (data, packs[pack].magic, packs[pack].magic_length) == 0)
      return pack;

  return TALLY_PACK_NONE;
}

const char *
tally_pack_name (TallyPack pack)
{
  return packs[pack].name;
}

TallyUnpacker *
tally_unpacker_new (TallyPack pack, TallyPull pull, gpointer from)
{
  TallyUnpacker *unpacker = g_new0 (TallyUnpacker, 1);

  unpacker->pack = pack;
  unpacker->pull = pull;
  unpacker->from = from;
  unpacker->chunk = g_malloc (CHUNK);
  if (pack == TALLY_PACK_ZSTD)
    unpacker->zstd = ZSTD_createDStream ();
  else if (inflateInit2 (&unpacker->gzip, GZIP_WINDOW) != Z_OK)
    g_error ("no memory for zlib");
  return unpacker;
}

void
tally_unpacker_free (TallyUnpacker *unpacker)
{
  if (unpacker == NULL)
    return;

  if (unpacker->pack == TALLY_PACK_GZIP)
    inflateEnd (&unpacker->gzip);
  ZSTD_freeDStream (unpacker->zstd);
  g_free (unpacker->chunk);
  g_free (unpacker);
}

/* Unpacks what the chunk has into buffer, as much as fits. */
static gboolean
inflate_some (TallyUnpacker *unpacker, guint8 *buffer, gsize size, gsize *ret_n, GError **error)
{
  z_stream *gzip = &unpacker->gzip;
  int status;

  gzip->next_in = unpacker->chunk + unpacker->start;
  gzip->avail_in = unpacker->end - unpacker->start;
  gzip->next_out = buffer;
  gzip->avail_out = MIN (size, G_MAXUINT32);
  status = inflate (gzip, Z_NO_FLUSH);
  *ret_n = gzip->next_out - buffer;
  unpacker->start = unpacker->end - gzip->avail_in;
  if (status == Z_STREAM_END)
    inflateReset (gzip);
  else if (status != Z_OK && status != Z_BUF_ERROR)
    return tally_throw (error, TALLY_ERROR_DATA, "broken gzip data: %s", gzip->msg != NULL ? gzip->msg : "bad header");

  unpacker->inside = status != Z_STREAM_END;
  return TRUE;
}

static gboolean
unzstd_some (TallyUnpacker *unpacker, guint8 *buffer, gsize size, gsize *ret_n, GError **error)
{
  ZSTD_inBuffer in = { unpacker->chunk, unpacker->end, unpacker->start };
  ZSTD_outBuffer out = { buffer, size, 0 };
  gsize left = ZSTD_decompressStream (unpacker->zstd, &out, &in);

  if (ZSTD_isError (left))
    return tally_throw (error, TALLY_ERROR_DATA, "broken zstd data: %s", ZSTD_getErrorName (left));

  *ret_n = out.pos;
  unpacker->start = in.pos;
  unpacker->inside = left != 0;
  return TRUE;
}

gssize
tally_unpacker_read (TallyUnpacker *unpacker, guint8 *buffer, gsize size, GError **error)
{
  gsize n = 0;

  while (n == 0)
    {
      gboolean starved = unpacker->start == unpacker->end;

      if (starved)
        {
          gssize got = unpacker->pull (unpacker->from, unpacker->chunk, CHUNK, error);

          if (got < 0)
            return -1;
          unpacker->start = 0;
          unpacker->end = got;
          if (got == 0 && !unpacker->inside)
            return 0;
        }
      if (!(unpacker->pack == TALLY_PACK_GZIP ? inflate_some : unzstd_some) (unpacker, buffer, size, &n, error))
        return -1;
      if (n == 0 && starved && unpacker->end == 0)
        {
          tally_throw (error, TALLY_ERROR_DATA, "the file ends in the middle of its %s data",
                       packs[unpacker->pack].name);
          return -1;
        }
    }

  return n;
}

TallyPacker *
tally_packer_new (TallyPack pack, TallyPush push, gpointer into)
{
  TallyPacker *packer = g_new0 (TallyPacker, 1);

  packer->pack = pack;
  packer->push = push;
  packer->into = into;
  packer->chunk = g_malloc (CHUNK);
  if (pack == TALLY_PACK_ZSTD)
    packer->zstd = ZSTD_createCStream ();
  else if (deflateInit2 (&packer->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY)
           != Z_OK)
    g_error ("no memory for zlib");
  return packer;
}

void
tally_packer_free (TallyPacker *packer)
{
  if (packer == NULL)
    return;

  if (packer->pack == TALLY_PACK_GZIP)
    deflateEnd (&packer->gzip);
  ZSTD_freeCStream (packer->zstd);
  g_free (packer->chunk);
  g_free (packer);
}

static gboolean
deflate_all (TallyPacker *packer, const guint8 *data, gsize length, int flush, GError **error)
{
  z_stream *gzip = &packer->gzip;

  gzip->next_in = (guint8 *) data;
  gzip->avail_in = length;
  do
    {
      gzip->next_out = packer->chunk;
      gzip->avail_out = CHUNK;
      deflate (gzip, flush);
      if (!packer->push (packer->into, packer->chunk, CHUNK - gzip->avail_out, error))
        return FALSE;
    }
  while (gzip->avail_out == 0);

  return TRUE;
}

static gboolean
zstd_all (TallyPacker *packer, const guint8 *data, gsize length, ZSTD_EndDirective end, GError **error)
{
  ZSTD_inBuffer in = { data, length, 0 };
  gsize left;

  do
    {
      ZSTD_outBuffer out = { packer->chunk, CHUNK, 0 };

      left = ZSTD_compressStream2 (packer->zstd, &out, &in, end);
      if (ZSTD_isError (left))
        return tally_throw (error, TALLY_ERROR_IO, "could not compress: %s", ZSTD_getErrorName (left));
      if (!packer->push (packer->into, packer->chunk, out.pos, error))
        return FALSE;
    }
  while (end == ZSTD_e_end ? left != 0 : in.pos < in.size);

  return TRUE;
}

gboolean
tally_packer_write (TallyPacker *packer, const guint8 *data, gsize length, GError **error)
{
  if (packer->pack == TALLY_PACK_ZSTD)
    return zstd_all (packer, data, length, ZSTD_e_continue, error);

  /* zlib counts in 32 bits. */
  for (gsize done = 0; done < length; done += G_MAXINT32)
    if (!deflate_all (packer, data + done, MIN (length - done, G_MAXINT32), Z_NO_FLUSH, error))
      return FALSE;
  return TRUE;
}

gboolean
tally_packer_finish (TallyPacker *packer, GError **error)
{
  return packer->pack == TALLY_PACK_ZSTD ? zstd_all (packer, NULL, 0, ZSTD_e_end, error)
                                         : deflate_all (packer, NULL, 0, Z_FINISH, error);
}
