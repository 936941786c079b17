/* feed.c: which file is read, and where in it */
#include "feed.h"
#include "charset.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean
tally_feed_check (char *const *paths, const char *encoding, GError **error)
{
  if (encoding != NULL && !tally_charset_is_utf8 (encoding) && !tally_charset_check (encoding, error))
    return FALSE;
  if (paths[0] == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"path\" names no file");
  if (paths[1] != NULL && g_strv_contains ((const char *const *) paths, "-"))
    return tally_throw (error, TALLY_ERROR_USAGE, "standard input (\"-\") cannot be read together with files");
  return TRUE;
}

gboolean
tally_feed_open (TallyFeed *feed, char *const *paths, GError **error)
{
  feed->names = tally_input_expand (paths, error);
  if (feed->names == NULL)
    return FALSE;

  feed->index = 0;
  feed->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  return feed->wake >= 0 || tally_throw_errno (error, errno, "could not make an eventfd");
}

void
tally_feed_close (TallyFeed *feed)
{
  g_clear_pointer (&feed->names, g_ptr_array_unref);
  tally_place_sum_clear (&feed->before);
  if (feed->wake > 0)
    close (feed->wake);
  feed->wake = 0;
}

void
tally_feed_interrupt (TallyFeed *feed)
{
  if (feed->wake > 0)
    eventfd_write (feed->wake, 1);
}

const char *
tally_feed_name (TallyFeed *feed)
{
  return feed->index < feed->names->len ? g_ptr_array_index (feed->names, feed->index) : NULL;
}

TallyInput *
tally_feed_open_input (TallyFeed *feed, const char *encoding, GError **error)
{
  return tally_input_open (tally_feed_name (feed), &(TallyInputOptions) { encoding, feed->wake }, error);
}

/* A file in the pipeline's folder is called as the pipeline calls it. */
static const char *
short_name (const char *name, const char *folder)
{
  gsize length = folder != NULL ? strlen (folder) : 0;

  if (g_str_equal (name, "-"))
    return "standard input";
  if (length > 0 && strncmp (name, folder, length) == 0 && name[length] == '/')
    return name + length + 1;
  return name;
}

void
tally_feed_probe (TallyFeed *feed, TallyContext *ctx)
{
  gint64 bytes = 0;

  if (g_str_equal (g_ptr_array_index (feed->names, 0), "-"))
    return;
  for (guint i = 0; i < feed->names->len; i++)
    {
      struct stat status = { 0 };

      if (stat (g_ptr_array_index (feed->names, i), &status) == 0)
        bytes += status.st_size;
    }
  tally_context_tell (ctx, TALLY_FINDING_OK, NULL, "%u file%s of %" G_GINT64_FORMAT " bytes", feed->names->len,
                      feed->names->len == 1 ? "" : "s", bytes);
}

void
tally_feed_set_origin_name (const char *name, TallyContext *ctx, TallyBatch *batch)
{
  tally_batch_set_origin (batch, short_name (name, tally_context_directory (ctx)));
}

void
tally_feed_set_origin (TallyFeed *feed, TallyContext *ctx, TallyBatch *batch)
{
  tally_feed_set_origin_name (tally_feed_name (feed), ctx, batch);
}

void
tally_feed_set_place (TallyFeed *feed, const char *identity, guint64 offset, gint64 line, TallyBatch *batch)
{
  g_autofree char *before = tally_place_before (&feed->before, feed->names, feed->index);
  TallyPlace place = {
    .offset = offset,
    .line = line,
    .identity = (char *) identity,
    .before = before,
    .name = (char *) tally_feed_name (feed),
  };
  g_autofree char *position = tally_place_format (&place);

  tally_batch_set_position (batch, position);
}

void
tally_feed_set_position (TallyFeed *feed, TallyInput *input, guint64 offset, gint64 line, TallyBatch *batch)
{
  tally_feed_set_place (feed, tally_input_identity (input), offset, line, batch);
}

gboolean
tally_feed_find_place (TallyFeed *feed, TallyContext *ctx, TallyPlace *ret_place)
{
  const char *position = tally_context_position (ctx);
  gint index;

  if (position == NULL)
    return FALSE;

  index = tally_place_parse (position, ret_place) ? tally_place_find (ret_place, feed->names) : -1;
  if (index < 0)
    tally_feed_start_over (feed, ctx, "the list of files");
  else
    feed->index = index;
  return index >= 0;
}

void
tally_feed_start_over (TallyFeed *feed, TallyContext *ctx, const char *changed)
{
  tally_context_warn (ctx, "%s changed since the last run, which stopped in the middle; reading from the start", changed);
  feed->index = 0;
}
