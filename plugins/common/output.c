/* output.c: written beside the final name, synced, renamed */
#include "output.h"
#include "pack.h"
#include <tallyman/plugin.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BUFFER (256 * 1024)

struct _TallyOutput
{
  char *name;    /* (owned) as the user wrote it, for messages */
  char *final;   /* (owned) (nullable) where it belongs; NULL if it is written in place */
  char *partial; /* (owned) (nullable) */
  int descriptor;
  TallyPacker *packer; /* (owned) (nullable) */
  guint8 *buffer;      /* (owned) */
  gsize used;
  TallyContext *plan; /* (unowned) (nullable) of a plan: nothing is written */
  guint64 n_bytes;    /* of a plan */
};

static gboolean
write_all (TallyOutput *output, const guint8 *data, gsize length, GError **error)
{
  if (output->plan != NULL)
    {
      output->n_bytes += length;
      return TRUE;
    }
  while (length > 0)
    {
      gssize n = write (output->descriptor, data, length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return tally_throw_errno (error, errno, "could not write \"%s\"", output->name);
      data += n;
      length -= n;
    }

  return TRUE;
}

static gboolean
flush (TallyOutput *output, GError **error)
{
  gsize length = output->used;

  output->used = 0;
  return write_all (output, output->buffer, length, error);
}

/* A TallyPush: many small pieces become few large writes. */
static gboolean
write_buffered (gpointer self, const guint8 *data, gsize length, GError **error)
{
  TallyOutput *output = self;

  if (length > BUFFER - output->used && !flush (output, error))
    return FALSE;
  if (length > BUFFER)
    return write_all (output, data, length, error);

  memcpy (output->buffer + output->used, data, length);
  output->used += length;
  return TRUE;
}

/* Another run that ends just now renames its partial file: then the lock is on a file that has become the final
 * one, and must not be touched. */
static gboolean
is_still_partial (TallyOutput *output)
{
  struct stat ours, named;

  return fstat (output->descriptor, &ours) == 0 && stat (output->partial, &named) == 0
         && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

static gboolean
open_partial (TallyOutput *output, GError **error)
{
  for (;;)
    {
      output->descriptor = open (output->partial, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
      if (output->descriptor < 0)
        return tally_throw_errno (error, errno, "could not create \"%s\"", output->partial);
      if (flock (output->descriptor, LOCK_EX | LOCK_NB) < 0)
        {
          int number = errno;

          /* It is the other run's: free() must leave it where it is. */
          close (output->descriptor);
          output->descriptor = -1;
          if (number == EWOULDBLOCK)
            return tally_throw (error, TALLY_ERROR_IO, "another run is writing \"%s\"", output->name);
          return tally_throw_errno (error, number, "could not lock \"%s\"", output->partial);
        }
      if (is_still_partial (output))
        break;
      close (output->descriptor);
    }

  if (ftruncate (output->descriptor, 0) < 0)
    return tally_throw_errno (error, errno, "could not empty \"%s\"", output->partial);
  return TRUE;
}

static gboolean
open_in_place (TallyOutput *output, GError **error)
{
  output->descriptor = g_str_equal (output->name, "-") ? dup (STDOUT_FILENO)
                                                       : open (output->name, O_WRONLY | O_CLOEXEC);
  return output->descriptor >= 0 || tally_throw_errno (error, errno, "could not open \"%s\"", output->name);
}

/* What a link points to is replaced, not the link. */
static char *
find_final (const char *name)
{
  char resolved[PATH_MAX];

  return g_strdup (realpath (name, resolved) != NULL ? resolved : name);
}

TallyOutput *
tally_output_open (const char *name, GError **error)
{
  g_autoptr (TallyOutput) output = g_new0 (TallyOutput, 1);
  TallyPack pack = tally_pack_from_name (name);
  struct stat status;
  gboolean exists = stat (name, &status) == 0;

  output->name = g_strdup (name);
  output->buffer = g_malloc (BUFFER);
  output->descriptor = -1;
  if (g_str_equal (name, "-") || (exists && !S_ISREG (status.st_mode) && !S_ISDIR (status.st_mode)))
    {
      if (!open_in_place (output, error))
        return NULL;
    }
  else
    {
      if (exists && S_ISDIR (status.st_mode))
        {
          tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is a folder", name);
          return NULL;
        }
      output->final = find_final (name);
      output->partial = g_strconcat (output->final, ".partial", NULL);
      if (!open_partial (output, error))
        return NULL;
    }

  if (pack != TALLY_PACK_NONE)
    output->packer = tally_packer_new (pack, write_buffered, output);
  return g_steal_pointer (&output);
}

TallyOutput *
tally_output_plan (const char *name, TallyContext *ctx, GError **error)
{
  g_autoptr (TallyOutput) output = NULL;
  TallyPack pack = tally_pack_from_name (name);
  g_autofree char *final = find_final (name), *folder = g_path_get_dirname (final);
  struct stat status;
  gboolean is_stdout = g_str_equal (name, "-"), exists = !is_stdout && stat (name, &status) == 0;

  if (exists && S_ISDIR (status.st_mode))
    tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is a folder", name);
  else if (!is_stdout && (!exists || S_ISREG (status.st_mode)) && access (folder, W_OK | X_OK) != 0)
    tally_throw_errno (error, errno, "could not create \"%s\"", name);
  else
    output = g_new0 (TallyOutput, 1);
  if (output == NULL)
    return NULL;

  output->name = g_strdup (name);
  output->buffer = g_malloc (BUFFER);
  output->descriptor = -1;
  output->plan = ctx;
  if (pack != TALLY_PACK_NONE)
    output->packer = tally_packer_new (pack, write_buffered, output);
  tally_context_plan_text (ctx, "file", is_stdout ? "standard output" : name);
  if (exists && S_ISREG (status.st_mode))
    tally_context_plan_number (ctx, "replaced_bytes", status.st_size);
  return g_steal_pointer (&output);
}

/* A partial file that nobody holds is left over from a run that was killed, and the next one takes it. */
static gboolean
is_being_written (const char *final)
{
  g_autofree char *partial = g_strconcat (final, ".partial", NULL);
  int descriptor = open (partial, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  gboolean held = descriptor >= 0 && flock (descriptor, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;

  if (descriptor >= 0)
    close (descriptor);
  return held;
}

gboolean
tally_output_probe (const char *name, TallyContext *ctx, GError **error)
{
  g_autofree char *final = find_final (name), *folder = g_path_get_dirname (final);
  struct statvfs room;

  if (g_str_equal (name, "-"))
    return TRUE;
  if (is_being_written (final))
    tally_context_tell (ctx, TALLY_FINDING_WARNING, "wait for it, or end it there", "another run is writing \"%s\"", name);
  if (statvfs (folder, &room) < 0)
    return tally_throw_errno (error, errno, "could not look at the folder \"%s\"", folder);
  tally_context_tell (ctx, TALLY_FINDING_OK, NULL, "\"%s\" can be written; %" G_GUINT64_FORMAT " MiB are free there", name,
                      (guint64) room.f_bavail * room.f_frsize / (1024 * 1024));
  return TRUE;
}

void
tally_output_free (TallyOutput *output)
{
  if (output == NULL)
    return;

  if (output->partial != NULL && output->descriptor >= 0)
    unlink (output->partial);
  if (output->descriptor >= 0)
    close (output->descriptor);
  tally_packer_free (output->packer);
  g_free (output->name);
  g_free (output->final);
  g_free (output->partial);
  g_free (output->buffer);
  g_free (output);
}

gboolean
tally_output_write (TallyOutput *output, const char *data, gsize length, GError **error)
{
  return output->packer != NULL ? tally_packer_write (output->packer, (const guint8 *) data, length, error)
                                : write_buffered (output, (const guint8 *) data, length, error);
}

/* The new name is durable only once the folder is. */
static gboolean
sync_folder (TallyOutput *output, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (output->final);
  int descriptor = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean synced = descriptor >= 0 && fsync (descriptor) == 0;
  int number = errno;

  if (descriptor >= 0)
    close (descriptor);
  return synced || tally_throw_errno (error, number, "could not sync the folder \"%s\"", folder);
}

gboolean
tally_output_commit (TallyOutput *output, GError **error)
{
  if ((output->packer != NULL && !tally_packer_finish (output->packer, error)) || !flush (output, error))
    return FALSE;
  if (output->plan != NULL)
    tally_context_plan_number (output->plan, "bytes", (gint64) output->n_bytes);
  if (output->final == NULL)
    return TRUE;

  if (fsync (output->descriptor) < 0)
    return tally_throw_errno (error, errno, "could not sync \"%s\"", output->partial);
  if (rename (output->partial, output->final) < 0)
    return tally_throw_errno (error, errno, "could not rename \"%s\"", output->partial);
  g_clear_pointer (&output->partial, g_free);
  return sync_folder (output, error);
}
