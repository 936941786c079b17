/* error.c: the one-line way to report */
#include <tallyman/error.h>

G_DEFINE_QUARK (tally-error-quark, tally_error)

static void
set_from_format (GError **error, TallyError code, const char *format, va_list arguments)
{
  if (error == NULL)
    return;

  g_warn_if_fail (*error == NULL);
  g_clear_error (error);
  *error = g_error_new_valist (TALLY_ERROR, code, format, arguments);
}

gboolean
tally_throw (GError **error, TallyError code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  set_from_format (error, code, format, arguments);
  va_end (arguments);
  return FALSE;
}

gboolean
tally_throw_errno (GError **error, int number, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return tally_throw (error, TALLY_ERROR_IO, "%s: %s", what, g_strerror (number));
}

gboolean
tally_throw_prefix (GError **error, const char *format, ...)
{
  va_list arguments;

  if (error == NULL || *error == NULL)
    return FALSE;

  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_prefix_error (error, "%s: ", what);
  return FALSE;
}
