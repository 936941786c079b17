/* emulator.c: an emulator of Zendesk for one test */
#include "desk.h"

#include <gio/gio.h>
#include <string.h>

/* It says where it listens as soon as it does. */
static char *
read_url (GSubprocess *process)
{
  static const char before[] = "listening on ";
  g_autoptr (GDataInputStream) lines
      = g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
  g_autofree char *line = g_data_input_stream_read_line (lines, NULL, NULL, NULL);

  if (line == NULL || !g_str_has_prefix (line, before))
    g_error ("the emulator does not start");
  return g_strdup (line + strlen (before));
}

Emulator *
emulator_new (const char *option, ...)
{
  Emulator *emulator = g_new0 (Emulator, 1);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  va_list arguments;

  g_ptr_array_add (words, (gpointer) g_getenv ("EMULATOR"));
  g_ptr_array_add (words, (gpointer) "--quiet");
  va_start (arguments, option);
  for (; option != NULL; option = va_arg (arguments, const char *))
    g_ptr_array_add (words, (gpointer) option);
  va_end (arguments);
  g_ptr_array_add (words, NULL);

  emulator->process = g_subprocess_newv ((const char *const *) words->pdata, G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                                         &error);
  if (emulator->process == NULL)
    g_error ("%s", error->message);
  emulator->url = read_url (emulator->process);
  return emulator;
}

void
emulator_free (Emulator *emulator)
{
  g_subprocess_force_exit (emulator->process);
  g_subprocess_wait (emulator->process, NULL, NULL);
  g_object_unref (emulator->process);
  g_free (emulator->url);
  g_free (emulator->ca_file);
  g_free (emulator);
}

static size_t
take (char *bytes, size_t size, size_t n, void *data)
{
  g_string_append_len (data, bytes, (gssize) (size * n));
  return size * n;
}

char *
emulator_ask (Emulator *emulator, const char *method, const char *path, const char *body)
{
  g_autofree char *url = g_strconcat (emulator->url, path, NULL);
  GString *out = g_string_new (NULL);
  CURL *curl = curl_easy_init ();

  curl_easy_setopt (curl, CURLOPT_URL, url);
  curl_easy_setopt (curl, CURLOPT_CUSTOMREQUEST, method);
  if (body != NULL)
    curl_easy_setopt (curl, CURLOPT_POSTFIELDS, body);
  if (emulator->ca_file != NULL)
    curl_easy_setopt (curl, CURLOPT_CAINFO, emulator->ca_file);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, out);
  curl_easy_perform (curl);
  curl_easy_cleanup (curl);
  return g_string_free (out, FALSE);
}

void
emulator_set_faults (Emulator *emulator, const char *faults)
{
  g_autofree char *json = g_strdelimit (g_strdup (faults), "'", '"');
  g_autofree char *answered = emulator_ask (emulator, "POST", "/_emulator/faults", json);

  if (*answered != '[')
    g_error ("the emulator does not take the faults: %s", answered);
}

gint64
emulator_count (Emulator *emulator, const char *name)
{
  g_autofree char *answered = emulator_ask (emulator, "GET", "/_emulator/counts", NULL);
  g_autofree char *quoted = g_strdup_printf ("\"%s\":", name);
  const char *found = strstr (answered, quoted);

  return found != NULL ? g_ascii_strtoll (found + strlen (quoted), NULL, 10) : -1;
}
