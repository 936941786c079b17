/* rig.c: processes, files and one HTTP client around the product */
#include "rig.h"
#include "promise.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORIGIN "desk"
/* Of what was not created once, so many are named. */
#define NAMED_MOST 10
/* How long anything may take here before the test gives up on it. */
#define PATIENCE (120 * G_USEC_PER_SEC)

struct _Rig
{
  char *folder;
  char *program;
  char **environment;
  GPid emulator;
  char *url;
  CURL *curl;
  GPid run; /* 0: none in the background */
  char *output, *errors;
  struct rlimit file_size;
};

static void G_GNUC_NORETURN G_GNUC_PRINTF (1, 2)
give_up (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("\nrig: %s\n", message);
  exit (1);
}

const char *
rig_folder (const Rig *rig)
{
  return rig->folder;
}

const char *
rig_url (const Rig *rig)
{
  return rig->url;
}

char *
rig_path (const Rig *rig, const char *name)
{
  return g_build_filename (rig->folder, name, NULL);
}

void
rig_write (const Rig *rig, const char *name, const char *text)
{
  g_autofree char *path = rig_path (rig, name);
  g_autoptr (GError) error = NULL;

  if (!g_file_set_contents (path, text, -1, &error))
    give_up ("%s", error->message);
}

char *
rig_read (const Rig *rig, const char *name)
{
  g_autofree char *path = rig_path (rig, name);
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

guint
rig_count_lines (const Rig *rig, const char *name)
{
  g_autofree char *text = rig_read (rig, name);
  guint n = 0;

  for (const char *c = text; c != NULL && *c != '\0'; c++)
    n += *c == '\n';
  return n;
}

void
rig_write_rows (const Rig *rig, guint first, guint n)
{
  g_autoptr (GString) csv = g_string_new ("id,subject,body\n");

  for (guint i = first; i < first + n; i++)
    g_string_append_printf (csv, "%u,\"Subject, of %u\",\"Line one of %u\n\"\"line two\"\"\"\n", i, i, i);
  rig_write (rig, "tickets.csv", csv->str);
}

void
rig_write_pipeline (const Rig *rig, const char *ledger, const char *sink_lines, const char *error_lines)
{
  g_autoptr (GString) yaml = g_string_new (NULL);

  if (sink_lines == NULL)
    sink_lines = "";
  g_string_append_printf (yaml,
                          "pipeline: tickets\norigin: " ORIGIN "\n"
                          "source:\n  csv: { path: tickets.csv }\n"
                          "transform:\n  - rename: { comment.body: body }\n"
                          "sink:\n  zendesk-tickets:\n    url: %s\n    access_token: secret\n"
                          "    key: id\n%s%s",
                          rig->url, strstr (sink_lines, "settle:") == NULL ? "    settle: 1s\n" : "",
                          sink_lines);
  if (error_lines != NULL)
    g_string_append_printf (yaml, "errors:\n%s", error_lines);
  if (ledger != NULL)
    g_string_append_printf (yaml, "ledger: %s\n", ledger);
  rig_write (rig, "pipeline.yaml", yaml->str);
}

void
rig_setenv (Rig *rig, const char *name, const char *value)
{
  rig->environment = value != NULL ? g_environ_setenv (rig->environment, name, value, TRUE)
                                   : g_environ_unsetenv (rig->environment, name);
}

/* ---- Processes ---- */

/* What is started goes with the test, even with one that crashes. */
static void
go_with_the_test (gpointer data)
{
  const Rig *rig = data;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  /* Without this the kernel kills who writes beyond the limit, which a full disk does not. */
  signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &rig->file_size);
}

void
rig_limit_files (Rig *rig, guint64 bytes)
{
  rig->file_size.rlim_cur = bytes > 0 ? bytes : RLIM_INFINITY;
}

static GPid
spawn (Rig *rig, const char *const *arguments, const char *output, const char *errors)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *output_path = rig_path (rig, output);
  g_autofree char *errors_path = rig_path (rig, errors);
  int output_fd = g_open (output_path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  int errors_fd = g_open (errors_path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  GPid pid;

  if (output_fd < 0 || errors_fd < 0)
    give_up ("could not open \"%s\": %s", output_path, g_strerror (errno));
  if (!g_spawn_async_with_fds (rig->folder, (char **) arguments, rig->environment,
                               G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, go_with_the_test, rig,
                               &pid, -1, output_fd, errors_fd, &error))
    give_up ("%s", error->message);
  close (output_fd);
  close (errors_fd);
  return pid;
}

static int
reap (GPid pid)
{
  int status;

  while (waitpid (pid, &status, 0) < 0)
    if (errno != EINTR)
      give_up ("lost a child: %s", g_strerror (errno));
  return WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status);
}

static void
read_output (Rig *rig)
{
  g_free (rig->output);
  g_free (rig->errors);
  rig->output = rig_read (rig, "stdout");
  rig->errors = rig_read (rig, "stderr");
}

static GPid
spawn_command (Rig *rig, const char *output, const char *errors, const char *argument, va_list arguments)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();

  g_ptr_array_add (all, rig->program);
  for (const char *each = argument; each != NULL; each = va_arg (arguments, const char *))
    g_ptr_array_add (all, (gpointer) each);
  g_ptr_array_add (all, NULL);
  return spawn (rig, (const char *const *) all->pdata, output, errors);
}

int
rig_command (Rig *rig, const char *argument, ...)
{
  va_list arguments;
  int status;

  va_start (arguments, argument);
  status = reap (spawn_command (rig, "stdout", "stderr", argument, arguments));
  va_end (arguments);
  read_output (rig);
  return status;
}

gint64
rig_spawn (Rig *rig, const char *name, const char *argument, ...)
{
  g_autofree char *output = g_strconcat (name, ".out", NULL), *errors = g_strconcat (name, ".err", NULL);
  va_list arguments;
  GPid pid;

  va_start (arguments, argument);
  pid = spawn_command (rig, output, errors, argument, arguments);
  va_end (arguments);
  return pid;
}

gboolean
rig_has_ended (gint64 pid)
{
  siginfo_t gone = { 0 };

  return waitid (P_PID, (id_t) pid, &gone, WEXITED | WNOHANG | WNOWAIT) == 0 && gone.si_pid != 0;
}

int
rig_reap (gint64 pid)
{
  return reap ((GPid) pid);
}

int
rig_run (Rig *rig)
{
  return rig_command (rig, "run", "--json", "pipeline.yaml", NULL);
}

void
rig_start (Rig *rig)
{
  const char *const arguments[] = { rig->program, "run", "--json", "pipeline.yaml", NULL };

  rig->run = spawn (rig, arguments, "stdout", "stderr");
}

void
rig_signal (Rig *rig, int number)
{
  kill (rig->run, number);
}

gint64
rig_pid (const Rig *rig)
{
  return rig->run;
}

int
rig_wait (Rig *rig)
{
  int status = reap (rig->run);

  rig->run = 0;
  read_output (rig);
  return status;
}

const char *
rig_output (const Rig *rig)
{
  return rig->output;
}

const char *
rig_errors (const Rig *rig)
{
  return rig->errors;
}

gint64
rig_count (const Rig *rig, const char *name)
{
  json_object *summary = rig->output != NULL ? json_tokener_parse (rig->output) : NULL;
  json_object *counts = NULL, *count = NULL;
  gint64 value = -1;

  if (summary != NULL && json_object_object_get_ex (summary, "counts", &counts)
      && json_object_object_get_ex (counts, name, &count))
    value = json_object_get_int64 (count);
  json_object_put (summary);
  return value;
}

/* ---- The emulator ---- */

static size_t
append (char *data, size_t size, size_t n, void *into)
{
  g_string_append_len (into, data, size * n);
  return size * n;
}

static GString *
ask (Rig *rig, const char *method, const char *path, const char *body)
{
  GString *answer = g_string_new (NULL);
  g_autofree char *url = g_strconcat (rig->url, path, NULL);
  CURLcode code;

  curl_easy_reset (rig->curl);
  curl_easy_setopt (rig->curl, CURLOPT_URL, url);
  curl_easy_setopt (rig->curl, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt (rig->curl, CURLOPT_TIMEOUT, 60L);
  curl_easy_setopt (rig->curl, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt (rig->curl, CURLOPT_WRITEDATA, answer);
  if (body != NULL)
    curl_easy_setopt (rig->curl, CURLOPT_POSTFIELDS, body);
  code = curl_easy_perform (rig->curl);
  if (code != CURLE_OK)
    give_up ("%s %s: %s", method, url, curl_easy_strerror (code));
  return answer;
}

char *
rig_ask (Rig *rig, const char *method, const char *path, const char *body)
{
  return g_string_free (ask (rig, method, path, body), FALSE);
}

GString *
rig_fetch (Rig *rig, const char *path)
{
  return ask (rig, "GET", path, NULL);
}

void
rig_faults (Rig *rig, const char *json)
{
  g_free (rig_ask (rig, "POST", "/_emulator/faults", json));
}

void
rig_clear_faults (Rig *rig)
{
  g_free (rig_ask (rig, "DELETE", "/_emulator/faults", NULL));
}

gint64
rig_emulator_count (Rig *rig, const char *name)
{
  g_autofree char *answer = rig_ask (rig, "GET", "/_emulator/counts", NULL);
  json_object *counts = json_tokener_parse (answer), *count = NULL;
  gint64 value;

  if (!json_object_object_get_ex (counts, name, &count))
    give_up ("the emulator counts no \"%s\": %s", name, answer);
  value = json_object_get_int64 (count);
  json_object_put (counts);
  return value;
}

gint64
rig_tickets (Rig *rig)
{
  return rig_emulator_count (rig, "tickets");
}

void
rig_wait_for_tickets (Rig *rig, gint64 n)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  while (rig_tickets (rig) < n)
    {
      if (rig_has_ended (rig->run))
        return;
      if (g_get_monotonic_time () > deadline)
        give_up ("the emulator has not come to %" G_GINT64_FORMAT " tickets", n);
      g_thread_yield ();
    }
}

/* ---- What really happened ---- */

GHashTable *
rig_count_creations (Rig *rig, const char *created)
{
  g_autofree char *history = rig_ask (rig, "GET", "/_emulator/history", NULL);
  g_auto (GStrv) lines = g_strsplit (history, "\n", -1);
  GHashTable *creations = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (char **line = lines; *line != NULL; line++)
    {
      json_object *event = **line != '\0' ? json_tokener_parse (*line) : NULL;
      json_object *kind = NULL, *id = NULL;

      if (event != NULL && json_object_object_get_ex (event, "event", &kind)
          && g_str_equal (json_object_get_string (kind), created))
        {
          const char *name = json_object_object_get_ex (event, "external_id", &id) && id != NULL
                                 ? json_object_get_string (id)
                                 : "(none)";
          guint n = GPOINTER_TO_UINT (g_hash_table_lookup (creations, name));

          g_hash_table_insert (creations, g_strdup (name), GUINT_TO_POINTER (n + 1));
        }
      json_object_put (event);
    }

  return creations;
}

gboolean
rig_exactly_once (Rig *rig, guint first, guint n, const char *label)
{
  return rig_exactly_once_of (rig, "created", first, n, label);
}

gboolean
rig_exactly_once_of (Rig *rig, const char *event, guint first, guint n, const char *label)
{
  g_autoptr (GHashTable) creations = rig_count_creations (rig, event);
  guint n_missing = 0, n_doubled = 0, n_others = g_hash_table_size (creations);
  gboolean good;

  for (guint i = first; i < first + n; i++)
    {
      g_autofree char *name = g_strdup_printf (ORIGIN ":%u", i);
      guint times = GPOINTER_TO_UINT (g_hash_table_lookup (creations, name));

      n_missing += times == 0;
      n_doubled += times > 1;
      n_others -= times > 0;
      if (times != 1 && n_missing + n_doubled <= NAMED_MOST)
        g_printerr ("\n%s: %s was created %u times", label, name, times);
    }

  good = assert_row_int (label, n_missing, 0);
  good = assert_row_int (label, n_doubled, 0) && good;
  return assert_row_int (label, n_others, 0) && good;
}

/* ---- Beginning and end ---- */

static void
start_emulator (Rig *rig, const char *option, va_list options)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_autofree char *port_file = rig_path (rig, "port");
  g_autofree char *port = NULL;
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_ptr_array_add (all, (gpointer) g_getenv ("EMULATOR"));
  g_ptr_array_add (all, (gpointer) "--quiet");
  g_ptr_array_add (all, (gpointer) "--port-file");
  g_ptr_array_add (all, port_file);
  for (; option != NULL; option = va_arg (options, const char *))
    g_ptr_array_add (all, (gpointer) option);
  g_ptr_array_add (all, NULL);
  rig->emulator = spawn (rig, (const char *const *) all->pdata, "emulator.out", "emulator.err");

  while (!g_file_get_contents (port_file, &port, NULL, NULL) || strchr (port, '\n') == NULL)
    {
      g_clear_pointer (&port, g_free);
      if (g_get_monotonic_time () > deadline)
        give_up ("the emulator does not start; see emulator.err in %s", rig->folder);
      g_thread_yield ();
    }
  g_strchomp (port);
  rig->url = g_strconcat ("http://127.0.0.1:", port, NULL);
}

Rig *
rig_new (gboolean hooked, const char *emulator_option, ...)
{
  Rig *rig = g_new0 (Rig, 1);
  g_autofree char *state = NULL;
  va_list options;

  rig->folder = g_dir_make_tmp ("tallyman-rig-XXXXXX", NULL);
  rig->program = g_strdup (g_getenv (hooked ? "TALLYMAN_HOOKS" : "TALLYMAN"));
  rig->environment = g_get_environ ();
  rig->curl = curl_easy_init ();
  rig->file_size = (struct rlimit) { RLIM_INFINITY, RLIM_INFINITY };
  state = rig_path (rig, "state");
  rig_setenv (rig, "XDG_STATE_HOME", state);
  /* Each of the two commands finds its own library; the test runner's path would give both the same. */
  rig_setenv (rig, "LD_LIBRARY_PATH", NULL);

  va_start (options, emulator_option);
  start_emulator (rig, emulator_option, options);
  va_end (options);
  return rig;
}

static void
remove_folder (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR) && !g_file_test (child, G_FILE_TEST_IS_SYMLINK))
        remove_folder (child);
      else
        g_unlink (child);
    }
  g_rmdir (path);
}

void
rig_free (Rig *rig)
{
  if (rig == NULL)
    return;

  if (rig->run != 0)
    {
      kill (rig->run, SIGKILL);
      reap (rig->run);
    }
  kill (rig->emulator, SIGKILL);
  reap (rig->emulator);
  remove_folder (rig->folder);
  curl_easy_cleanup (rig->curl);
  g_strfreev (rig->environment);
  g_free (rig->folder);
  g_free (rig->program);
  g_free (rig->url);
  g_free (rig->output);
  g_free (rig->errors);
  g_free (rig);
}
