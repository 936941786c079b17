/* reference.c: values from outside of the file, which never come out again in a message */
#include "reference.h"
#include "record/nearest.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <tallyman/error.h>
#include <unistd.h>

#define MAX_FILE (64 * 1024)
/* A value of a letter or two is no secret, and replacing it would garble every message. */
#define MIN_SECRET 4

void
tally_secret_free (TallySecret *secret)
{
  explicit_bzero (secret->value, strlen (secret->value));
  g_free (secret->value);
  g_free (secret->written);
  g_free (secret);
}

void
tally_reference_mistake_free (TallyReferenceMistake *mistake)
{
  g_free (mistake->message);
  g_free (mistake->hint);
  g_free (mistake);
}

/* ---- One reference ---- */

static gboolean
is_variable_name (const char *name)
{
  if (!g_ascii_isalpha (*name) && *name != '_')
    return FALSE;
  while (g_ascii_isalnum (*name) || *name == '_')
    name++;
  return *name == '\0';
}

static char *
get_variable (const char *name, char **ret_hint, GError **error)
{
  const char *value = g_getenv (name), *nearest;
  g_auto (GStrv) names = NULL;

  if (!is_variable_name (name))
    {
      *ret_hint = g_strdup (
          "write ${NAME}, ${file:PATH} or ${credential:NAME}; a literal \"${\" is written \"$${\"");
      tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is no name of an environment variable", name);
      return NULL;
    }
  if (value != NULL && g_utf8_validate (value, -1, NULL))
    return g_strdup (value);
  if (value != NULL)
    {
      tally_throw (error, TALLY_ERROR_USAGE, "environment variable \"%s\" is not UTF-8", name);
      return NULL;
    }

  names = g_listenv ();
  nearest = tally_nearest (name, (const char *const *) names, g_strv_length (names));
  *ret_hint = nearest != NULL ? g_strdup_printf ("\"%s\" is set; did you mean that?", nearest)
                              : g_strdup_printf ("set it: export %s=…", name);
  tally_throw (error, TALLY_ERROR_USAGE, "environment variable \"%s\" is not set", name);
  return NULL;
}

/* A file's text without the newline that an editor puts at its end. */
static char *
read_secret_file (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  g_autofree char *text = g_malloc0 (MAX_FILE + 2);
  gsize length = 0;
  gssize n = 1;

  if (fd < 0)
    {
      tally_throw_errno (error, errno, "could not open \"%s\"", path);
      return NULL;
    }
  while (length <= MAX_FILE && (n = read (fd, text + length, MAX_FILE + 1 - length)) > 0)
    length += n;
  if (n < 0)
    tally_throw_errno (error, errno, "could not read \"%s\"", path);
  close (fd);
  if (n < 0)
    return NULL;

  if (length > MAX_FILE)
    tally_throw (error, TALLY_ERROR_LIMIT, "\"%s\" is longer than 64 KiB", path);
  else if (!g_utf8_validate (text, length, NULL))
    tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is not UTF-8 text", path);
  else
    {
      if (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
      if (length > 0 && text[length - 1] == '\r')
        text[--length] = '\0';
      return g_steal_pointer (&text);
    }
  explicit_bzero (text, length);
  return NULL;
}

static char *
get_file (const char *name, const char *directory, char **ret_hint, GError **error)
{
  g_autofree char *path = g_canonicalize_filename (name, directory);

  if (*name == '\0')
    {
      tally_throw (error, TALLY_ERROR_USAGE, "\"${file:}\" names no file");
      return NULL;
    }
  return read_secret_file (path, error);
}

static char *
get_credential (const char *name, char **ret_hint, GError **error)
{
  const char *folder = g_getenv ("CREDENTIALS_DIRECTORY");
  g_autofree char *path = NULL;

  if (*name == '\0' || *name == '.' || strchr (name, '/') != NULL)
    {
      tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is no name of a credential", name);
      return NULL;
    }
  if (folder == NULL)
    {
      *ret_hint = g_strdup_printf ("systemd passes it with LoadCredential=%s:PATH", name);
      tally_throw (error, TALLY_ERROR_USAGE,
                   "credential \"%s\" is not passed: CREDENTIALS_DIRECTORY is not set", name);
      return NULL;
    }

  path = g_build_filename (folder, name, NULL);
  return read_secret_file (path, error);
}

static char *
get_value (const char *name, const char *directory, char **ret_hint, GError **error)
{
  if (g_str_has_prefix (name, "file:"))
    return get_file (name + strlen ("file:"), directory, ret_hint, error);
  if (g_str_has_prefix (name, "credential:"))
    return get_credential (name + strlen ("credential:"), ret_hint, error);

  return get_variable (name, ret_hint, error);
}

/* ---- A text with references ---- */

static void
complain (GPtrArray *mistakes, gsize offset, gsize length, const char *message, char *hint)
{
  TallyReferenceMistake *mistake = g_new (TallyReferenceMistake, 1);

  *mistake = (TallyReferenceMistake) {
    .offset = offset, .length = length, .message = g_strdup (message), .hint = hint
  };
  g_ptr_array_add (mistakes, mistake);
}

static void
append_reference (const char *text, gsize offset, gsize length, const char *directory,
                  GString *value, GPtrArray *secrets, GPtrArray *mistakes)
{
  g_autofree char *name = g_strndup (text + offset + 2, length - 3);
  g_autoptr (GError) error = NULL;
  char *hint = NULL;
  char *inner = get_value (name, directory, &hint, &error);
  TallySecret *secret;

  if (inner == NULL)
    {
      complain (mistakes, offset, length, error->message, hint);
      return;
    }

  g_string_append (value, inner);
  secret = g_new (TallySecret, 1);
  *secret = (TallySecret) { .value = inner, .written = g_strndup (text + offset, length) };
  g_ptr_array_add (secrets, secret);
}

char *
tally_reference_expand (const char *text, const char *directory, GPtrArray *secrets,
                        GPtrArray *mistakes)
{
  g_autoptr (GString) value = g_string_new (NULL);
  guint n_before = mistakes->len;
  gsize at = 0;

  while (text[at] != '\0')
    if (g_str_has_prefix (text + at, "$${"))
      {
        g_string_append (value, "${");
        at += strlen ("$${");
      }
    else if (g_str_has_prefix (text + at, "${"))
      {
        gsize length = strcspn (text + at, "}");

        if (text[at + length] != '}')
          {
            complain (mistakes, at, 2, "\"${\" is never closed",
                      g_strdup ("close it with \"}\"; a literal \"${\" is written \"$${\""));
            break;
          }
        append_reference (text, at, length + 1, directory, value, secrets, mistakes);
        at += length + 1;
      }
    else
      g_string_append_c (value, text[at++]);

  return mistakes->len == n_before ? g_string_free (g_steal_pointer (&value), FALSE) : NULL;
}

/* ---- Messages ---- */

static gint
compare_lengths (gconstpointer a, gconstpointer b)
{
  gsize first = strlen ((*(const TallySecret *const *) a)->value),
        second = strlen ((*(const TallySecret *const *) b)->value);

  return first > second ? -1 : first < second;
}

char *
tally_secrets_redact (const GPtrArray *secrets, const char *text)
{
  g_autoptr (GString) clean = g_string_new (text);
  g_autoptr (GPtrArray) longest_first = g_ptr_array_copy ((GPtrArray *) secrets, NULL, NULL);

  /* A secret may be part of another one. */
  g_ptr_array_set_free_func (longest_first, NULL);
  g_ptr_array_sort (longest_first, compare_lengths);
  for (guint i = 0; i < longest_first->len; i++)
    {
      const TallySecret *secret = longest_first->pdata[i];

      if (strlen (secret->value) >= MIN_SECRET)
        g_string_replace (clean, secret->value, secret->written, 0);
    }
  return g_string_free (g_steal_pointer (&clean), FALSE);
}
