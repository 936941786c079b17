/* http2.c: the server of http2.py, and a certificate for it */
#include "desk.h"
#include "promise.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

char *
make_certificate (void)
{
  g_autofree char *folder = g_dir_make_tmp ("tally-XXXXXX", NULL);
  g_autofree char *pem = g_build_filename (folder, "pem", NULL);
  const char *const words[] = { "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                                "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                                "-keyout", pem, NULL };
  g_autofree char *certificate = NULL, *key = NULL, *both = NULL;
  gint status = -1;

  if (!g_spawn_sync (NULL, (char **) words, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                     NULL, &certificate, NULL, &status, NULL)
      || status != 0)
    {
      skip_promise ("openssl makes no certificate");
      return NULL;
    }
  g_file_get_contents (pem, &key, NULL, NULL);
  both = g_strconcat (certificate, key, NULL);
  g_file_set_contents (pem, both, -1, NULL);
  return g_steal_pointer (&pem);
}

void
drop_certificate (const char *pem)
{
  g_autofree char *folder = g_path_get_dirname (pem);

  g_remove (pem);
  g_rmdir (folder);
}

Http2Server *
http2_server_new (const char *pem, const char *turn, ...)
{
  Http2Server *server = g_new0 (Http2Server, 1);
  g_autofree char *script = g_build_filename (g_getenv ("SOURCE_ROOT"), "tests", "zendesk", "http2.py", NULL);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autofree char *line = NULL;
  va_list arguments;

  g_ptr_array_add (words, (gpointer) "python3");
  g_ptr_array_add (words, script);
  g_ptr_array_add (words, (gpointer) pem);
  va_start (arguments, turn);
  for (; turn != NULL; turn = va_arg (arguments, const char *))
    g_ptr_array_add (words, (gpointer) turn);
  va_end (arguments);
  g_ptr_array_add (words, NULL);

  server->process
      = g_subprocess_newv ((const char *const *) words->pdata, G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL);
  if (server->process == NULL)
    g_error ("python3 does not start");
  server->lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (server->process));
  line = g_data_input_stream_read_line (server->lines, NULL, NULL, NULL);
  if (line == NULL || !g_str_has_prefix (line, "listening on "))
    g_error ("http2.py does not start");
  server->url = g_strdup (line + strlen ("listening on "));
  return server;
}

guint
http2_server_end (Http2Server *server)
{
  guint n = 0;
  char *line;

  g_subprocess_force_exit (server->process);
  while ((line = g_data_input_stream_read_line (server->lines, NULL, NULL, NULL)) != NULL)
    {
      g_free (line);
      n++;
    }
  g_subprocess_wait (server->process, NULL, NULL);
  g_object_unref (server->lines);
  g_object_unref (server->process);
  g_free (server->url);
  g_free (server);
  return n;
}
