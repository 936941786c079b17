/* attached.c: a file that a record names, to be attached to something */
#include "attached.h"
#include <tallyman/error.h>

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_NAME 255

/* What a path is once all links are followed. (transfer full) */
static char *
resolve (const char *path, GError **error)
{
  char *found = realpath (path, NULL);
  char *copy = g_strdup (found);
  int problem = errno;

  free (found);
  if (copy == NULL)
    tally_throw (error, TALLY_ERROR_DATA, "could not open \"%s\": %s", path, g_strerror (problem));
  return copy;
}

static gboolean
is_within (const char *path, const char *root)
{
  gsize length = strlen (root);

  return g_str_has_prefix (path, root) && (path[length] == '/' || g_str_has_suffix (root, "/"));
}

gboolean
tally_attached_open (TallyAttached *file, const char *path, const char *root, GError **error)
{
  g_autofree char *real = resolve (path, error), *real_root = NULL;
  struct stat facts;

  if (real == NULL)
    return FALSE;
  if (root != NULL && (real_root = resolve (root, error)) == NULL)
    return FALSE;
  if (root != NULL && !is_within (real, real_root))
    return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" lies outside \"attachments-root\"", path);

  /* Not to hang on a pipe; and what became a link meanwhile is not followed. */
  file->descriptor = open (real, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
  if (file->descriptor < 0 || fstat (file->descriptor, &facts) < 0)
    return tally_throw (error, TALLY_ERROR_DATA, "could not open \"%s\": %s", path, g_strerror (errno));
  if (!S_ISREG (facts.st_mode))
    return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is no file", path);
  file->size = facts.st_size;
  return TRUE;
}

void
tally_attached_close (TallyAttached *file)
{
  if (file->descriptor >= 0)
    close (file->descriptor);
  file->descriptor = -1;
}

gboolean
tally_attached_is_name (const char *name)
{
  for (const char *p = name; *p != '\0'; p++)
    if (*p == '/' || g_ascii_iscntrl (*p))
      return FALSE;
  return *name != '\0' && !g_str_equal (name, ".") && strlen (name) <= MAX_NAME && g_utf8_validate (name, -1, NULL);
}

gboolean
tally_attached_is_type (const char *type)
{
  const char *slash = strchr (type, '/');

  for (const char *p = type; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("/!#$&^_.+-", *p) == NULL)
      return FALSE;
  return slash != NULL && slash > type && slash[1] != '\0' && strchr (slash + 1, '/') == NULL;
}

char *
tally_attached_guess_type (const char *name)
{
  g_autofree char *guessed = g_content_type_guess (name, NULL, 0, NULL);
  g_autofree char *type = g_content_type_get_mime_type (guessed);

  return g_strdup (type != NULL && tally_attached_is_type (type) ? type : "application/octet-stream");
}
