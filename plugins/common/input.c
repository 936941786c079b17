/* input.c: descriptor → unpacker → decoder, each only where it is needed */
#include "input.h"
#include "charset.h"
#include <tallyman/plugin.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Enough to recognise a file by, and to tell one from another. */
#define HEAD (64 * 1024)
/* The longest byte-order mark. */
#define MARK 4
/* What of standard input can be given back. */
#define MOST_KEPT (16 * 1024 * 1024)

struct _TallyInput
{
  char *name; /* (owned) */
  int descriptor;
  int wake;
  gboolean is_regular;
  guint8 *head; /* (owned) the first bytes as they are on disk */
  gsize head_length, head_used;
  GByteArray *kept;        /* (owned) (nullable) all that was read of standard input */
  TallyUnpacker *unpacker; /* (owned) (nullable) */
  guint8 start[MARK];      /* the first unpacked bytes */
  gsize start_length, start_used;
  gsize mark_length;
  TallyDecoder *decoder; /* (owned) (nullable) */
  guint8 *rest;          /* (owned) (nullable) what was read beyond a place that was looked for */
  gsize rest_length, rest_used;
  char *encoding; /* (owned) */
  char *identity;        /* (owned) */
};

G_LOCK_DEFINE_STATIC (given_back);
static GBytes *given_back; /* (owned) (nullable) what of standard input was read but not consumed */

static gboolean
is_new (GHashTable *seen, const char *name)
{
  return g_hash_table_add (seen, g_strdup (name));
}

static gboolean
expand_pattern (const char *pattern, GHashTable *seen, GPtrArray *files, GError **error)
{
  glob_t found = { 0 };
  int status = glob (pattern, 0, NULL, &found);

  for (gsize i = 0; status == 0 && i < found.gl_pathc; i++)
    if (is_new (seen, found.gl_pathv[i]))
      g_ptr_array_add (files, g_strdup (found.gl_pathv[i]));
  globfree (&found);
  return status == 0 || tally_throw (error, TALLY_ERROR_USAGE, "no file matches \"%s\"", pattern);
}

GPtrArray *
tally_input_expand (char *const *names, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (; *names != NULL; names++)
    if (strpbrk (*names, "*?[") != NULL && !g_file_test (*names, G_FILE_TEST_EXISTS))
      {
        if (!expand_pattern (*names, seen, files, error))
          return NULL;
      }
    else if (is_new (seen, *names))
      g_ptr_array_add (files, g_strdup (*names));

  return g_steal_pointer (&files);
}

/* Reads the descriptor; a wait ends when the wake descriptor becomes readable. */
static gssize
read_descriptor (TallyInput *input, guint8 *buffer, gsize size, GError **error)
{
  struct pollfd polled[] = { { .fd = input->descriptor, .events = POLLIN }, { .fd = input->wake, .events = POLLIN } };
  gssize got;

  do
    {
      if (!input->is_regular && poll (polled, G_N_ELEMENTS (polled), -1) > 0 && polled[1].revents != 0)
        {
          tally_throw (error, TALLY_ERROR_INTERRUPTED, "interrupted while waiting for \"%s\"", input->name);
          return -1;
        }
      got = read (input->descriptor, buffer, size);
    }
  while (got < 0 && (errno == EINTR || errno == EAGAIN));

  if (got < 0)
    tally_throw_errno (error, errno, "could not read \"%s\"", input->name);
  return got;
}

/* A TallyPull: the bytes as they are on disk. */
static gssize
read_raw (gpointer self, guint8 *buffer, gsize size, GError **error)
{
  TallyInput *input = self;
  gsize n = MIN (size, input->head_length - input->head_used);
  gssize got;

  if (n > 0)
    {
      memcpy (buffer, input->head + input->head_used, n);
      input->head_used += n;
      return n;
    }

  got = read_descriptor (input, buffer, size, error);
  if (got > 0 && input->kept != NULL)
    {
      g_byte_array_append (input->kept, buffer, got);
      if (input->kept->len > MOST_KEPT)
        g_clear_pointer (&input->kept, g_byte_array_unref);
    }
  return got;
}

/* A TallyPull: the bytes unpacked, in the file's encoding. */
static gssize
read_unpacked (gpointer self, guint8 *buffer, gsize size, GError **error)
{
  TallyInput *input = self;
  gsize n = MIN (size, input->start_length - input->start_used);

  if (n > 0)
    {
      memcpy (buffer, input->start + input->start_used, n);
      input->start_used += n;
      return n;
    }
  if (input->unpacker == NULL)
    return read_raw (input, buffer, size, error);

  gssize got = tally_unpacker_read (input->unpacker, buffer, size, error);
  if (got < 0)
    tally_throw_prefix (error, "could not read \"%s\"", input->name);
  return got;
}

static gssize
read_decoded (TallyInput *input, guint8 *buffer, gsize size, GError **error)
{
  return input->decoder != NULL ? tally_decoder_read (input->decoder, buffer, size, error)
                                : read_unpacked (input, buffer, size, error);
}

gssize
tally_input_read (TallyInput *input, guint8 *buffer, gsize size, GError **error)
{
  gsize n = MIN (size, input->rest_length - input->rest_used);

  if (n == 0)
    return read_decoded (input, buffer, size, error);

  memcpy (buffer, input->rest + input->rest_used, n);
  input->rest_used += n;
  return n;
}

/* Takes what an earlier reader of standard input gave back, then goes on reading. */
static gboolean
read_head (TallyInput *input, GError **error)
{
  gsize size = HEAD;

  if (input->kept != NULL)
    {
      G_LOCK (given_back);
      g_autoptr (GBytes) before = g_steal_pointer (&given_back);
      G_UNLOCK (given_back);
      gsize length = before != NULL ? g_bytes_get_size (before) : 0;

      size = MAX (HEAD, length);
      input->head = g_malloc (size);
      if (length > 0)
        memcpy (input->head, g_bytes_get_data (before, NULL), length);
      input->head_length = length;
    }
  else
    input->head = g_malloc (size);

  while (input->head_length < size)
    {
      gssize got = read_descriptor (input, input->head + input->head_length, size - input->head_length, error);

      if (got < 0)
        return FALSE;
      if (got == 0)
        break;
      input->head_length += got;
    }
  if (input->kept != NULL)
    g_byte_array_append (input->kept, input->head, input->head_length);
  return TRUE;
}

static char *
identity_of (const guint8 *head, gsize length)
{
  g_autofree char *sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, head, length);

  return g_strdup_printf ("%" G_GSIZE_FORMAT "-%.32s", length, sum);
}

static gboolean
open_descriptor (TallyInput *input, GError **error)
{
  struct stat status;

  if (g_str_equal (input->name, "-"))
    {
      input->descriptor = dup (STDIN_FILENO);
      input->kept = g_byte_array_new ();
    }
  else
    input->descriptor = open (input->name, O_RDONLY | O_CLOEXEC);
  if (input->descriptor < 0 || fstat (input->descriptor, &status) < 0)
    return tally_throw_errno (error, errno, "could not open \"%s\"", input->name);
  if (S_ISDIR (status.st_mode))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is a folder", input->name);

  /* Standard input may have begun in the middle of a file, so that offsets in it are not the file's. */
  input->is_regular = S_ISREG (status.st_mode) && input->kept == NULL;
  if (input->is_regular)
    posix_fadvise (input->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  return TRUE;
}

static gboolean
recognise_pack (TallyInput *input, GError **error)
{
  TallyPack named = tally_pack_from_name (input->name);
  TallyPack pack = tally_pack_from_magic (input->head, input->head_length);

  if (pack != named && named != TALLY_PACK_NONE && input->head_length > 0)
    return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" does not hold %s data", input->name, tally_pack_name (named));

  if (pack != TALLY_PACK_NONE)
    input->unpacker = tally_unpacker_new (pack, read_raw, input);
  return TRUE;
}

/* A byte-order mark wins over the default, and is never part of the data. */
static gboolean
recognise_encoding (TallyInput *input, const char *wanted, GError **error)
{
  const char *marked;
  gsize n = 0;

  while (n < MARK)
    {
      gssize got = input->unpacker != NULL ? tally_unpacker_read (input->unpacker, input->start + n, MARK - n, error)
                                           : read_raw (input, input->start + n, MARK - n, error);

      if (got < 0)
        return tally_throw_prefix (error, "could not read \"%s\"", input->name);
      if (got == 0)
        break;
      n += got;
    }
  input->start_length = n;

  marked = tally_charset_from_mark (input->start, n, &input->mark_length);
  if (marked != NULL
      && (wanted == NULL || tally_charset_is_utf8 (wanted) || g_ascii_strncasecmp (wanted, marked, 6) == 0))
    {
      input->start_used = input->mark_length;
      wanted = marked;
    }
  else
    input->mark_length = 0;

  input->encoding = g_strdup (wanted != NULL ? wanted : "UTF-8");
  if (!tally_charset_is_utf8 (input->encoding))
    input->decoder = tally_decoder_new (input->encoding, read_unpacked, input, error);
  return tally_charset_is_utf8 (input->encoding) || input->decoder != NULL;
}

TallyInput *
tally_input_open (const char *name, const TallyInputOptions *options, GError **error)
{
  g_autoptr (TallyInput) input = g_new0 (TallyInput, 1);

  input->name = g_strdup (name);
  input->wake = options->wake;
  input->descriptor = -1;
  if (!open_descriptor (input, error) || !read_head (input, error) || !recognise_pack (input, error))
    return NULL;

  input->identity = identity_of (input->head, MIN (input->head_length, HEAD));
  if (!recognise_encoding (input, options->encoding, error))
    return NULL;

  return g_steal_pointer (&input);
}

void
tally_input_consume (TallyInput *input)
{
  g_clear_pointer (&input->kept, g_byte_array_unref);
}

void
tally_input_free (TallyInput *input)
{
  if (input == NULL)
    return;

  if (input->kept != NULL)
    {
      G_LOCK (given_back);
      g_clear_pointer (&given_back, g_bytes_unref);
      given_back = g_byte_array_free_to_bytes (g_steal_pointer (&input->kept));
      G_UNLOCK (given_back);
    }
  if (input->descriptor >= 0)
    close (input->descriptor);
  tally_unpacker_free (input->unpacker);
  tally_decoder_free (input->decoder);
  g_free (input->name);
  g_free (input->head);
  g_free (input->rest);
  g_free (input->encoding);
  g_free (input->identity);
  g_free (input);
}

static gboolean
seek_descriptor (TallyInput *input, guint64 offset, GError **error)
{
  struct stat status;

  if (fstat (input->descriptor, &status) < 0 || lseek (input->descriptor, offset, SEEK_SET) < 0)
    return tally_throw_errno (error, errno, "could not seek in \"%s\"", input->name);
  if (offset > (guint64) status.st_size)
    return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is shorter than it was", input->name);

  input->head_used = input->head_length;
  input->start_used = input->start_length;
  return TRUE;
}

gboolean
tally_input_seek (TallyInput *input, guint64 offset, GError **error)
{
  if (input->is_regular && input->unpacker == NULL && input->decoder == NULL)
    return seek_descriptor (input, offset + input->mark_length, error);

  input->rest = g_malloc (HEAD);
  while (offset > 0)
    {
      gssize got = read_decoded (input, input->rest, HEAD, error);

      if (got < 0)
        return FALSE;
      if (got == 0)
        return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is shorter than it was", input->name);
      input->rest_length = got;
      input->rest_used = MIN (offset, (guint64) got);
      offset -= input->rest_used;
    }
  return TRUE;
}

const char *
tally_input_identity (TallyInput *input)
{
  return input->identity;
}

gboolean
tally_input_is (TallyInput *input, const char *identity)
{
  guint64 length = g_ascii_strtoull (identity, NULL, 10);

  if (length > MIN (input->head_length, HEAD))
    return FALSE;

  g_autofree char *now = identity_of (input->head, length);
  return g_str_equal (now, identity);
}

const char *
tally_input_encoding (TallyInput *input)
{
  return input->encoding;
}
