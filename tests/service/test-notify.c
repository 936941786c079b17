/* test-notify.c: what a service manager hears of a run, at a socket of its kind */
#include "promise.h"
#include "rig.h"
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

/* A manager that waits longer for a word has none to expect. */
#define PATIENCE 60 /* seconds */
#define MANY 300    /* messages */

static GSocket *
listen_at (const char *name)
{
  gboolean is_abstract = *name == '@';
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new_with_type (
      is_abstract ? name + 1 : name, -1, is_abstract ? G_UNIX_SOCKET_ADDRESS_ABSTRACT : G_UNIX_SOCKET_ADDRESS_PATH);
  g_autoptr (GError) error = NULL;

  g_socket_set_timeout (socket, PATIENCE);
  g_socket_bind (socket, address, FALSE, &error);
  assert_no_error (error);
  return g_steal_pointer (&socket);
}

/* The next message, as long as one comes. (transfer full) (nullable) */
static char *
hear (GSocket *socket)
{
  char buffer[4096];
  gssize n = g_socket_receive (socket, buffer, sizeof buffer - 1, NULL, NULL);

  return n >= 0 ? g_strndup (buffer, (gsize) n) : NULL;
}

/* All that has been said. (transfer full) (element-type utf8) */
static GPtrArray *
hear_all (GSocket *socket)
{
  GPtrArray *messages = g_ptr_array_new_with_free_func (g_free);

  g_socket_set_blocking (socket, FALSE);
  for (char *message; (message = hear (socket)) != NULL;)
    g_ptr_array_add (messages, message);
  return messages;
}

/* Hears on until a message begins so. (transfer full) (nullable) */
static char *
hear_until (GSocket *socket, const char *start)
{
  for (guint i = 0; i < MANY; i++)
    {
      char *message = hear (socket);

      if (message == NULL || g_str_has_prefix (message, start))
        return message;
      g_free (message);
    }
  return NULL;
}

static char *
socket_name (const Rig *rig, gboolean is_abstract)
{
  g_autofree char *path = rig_path (rig, "notify");

  return is_abstract ? g_strconcat ("@", path, NULL) : g_steal_pointer (&path);
}

static Rig *
rig_of (const char *delay, guint n_rows)
{
  Rig *rig = rig_new (FALSE, "--plan", "none", "--delay", delay, NULL);

  rig_write_rows (rig, 1, n_rows);
  rig_write_pipeline (rig, "sqlite:led.sqlite", "    in-flight: 1\n", NULL);
  rig_setenv (rig, "NOTIFY_SOCKET", NULL);
  rig_setenv (rig, "WATCHDOG_USEC", NULL);
  return rig;
}

static void
test_a_run_is_told_of (void)
{
  for (guint is_abstract = 0; is_abstract < 2; is_abstract++)
    {
      g_autoptr (Rig) rig = rig_of ("20", 20);
      g_autofree char *name = socket_name (rig, is_abstract);
      g_autoptr (GSocket) socket = listen_at (name);
      g_autoptr (GPtrArray) messages = NULL;

      rig_setenv (rig, "NOTIFY_SOCKET", name);
      assert_int (rig_run (rig), 0);
      messages = hear_all (socket);
      assert_row_int (name, messages->len >= 2, TRUE);
      if (messages->len < 2)
        return;
      assert_row_text (name, messages->pdata[0], "READY=1");
      assert_contains (messages->pdata[1], "STATUS=tickets: ");
      assert_contains (messages->pdata[1], " delivered");
      for (guint i = 1; i < messages->len; i++)
        assert_row_int (messages->pdata[i], g_str_has_prefix (messages->pdata[i], "STATUS="), TRUE);
    }
}

static void
test_nobody_is_told_who_did_not_ask (void)
{
  g_autoptr (Rig) rig = rig_of ("0", 3);
  g_autofree char *name = socket_name (rig, FALSE);
  g_autoptr (GSocket) socket = listen_at (name);
  g_autoptr (GPtrArray) messages = NULL;

  rig_setenv (rig, "WATCHDOG_USEC", "1000000");
  assert_int (rig_run (rig), 0);
  messages = hear_all (socket);
  assert_int (messages->len, 0);
}

static void
test_a_pipeline_that_is_wrong_is_not_ready (void)
{
  g_autoptr (Rig) rig = rig_of ("0", 3);
  g_autofree char *name = socket_name (rig, FALSE);
  g_autoptr (GSocket) socket = listen_at (name);
  g_autoptr (GPtrArray) messages = NULL;

  rig_setenv (rig, "NOTIFY_SOCKET", name);
  rig_write (rig, "pipeline.yaml", "pipeline: desk\n");
  assert_int (rig_run (rig), 2);
  messages = hear_all (socket);
  assert_int (messages->len, 0);
}

static void
test_an_address_of_another_kind (void)
{
  const char *const names[] = { "", "@", "vsock:2:1234", "relative", "/" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (Rig) rig = rig_of ("0", 1);

      rig_setenv (rig, "NOTIFY_SOCKET", names[i]);
      assert_row_int (names[i], rig_run (rig), 0);
      assert_contains (rig_errors (rig), "warning: the service manager is told nothing");
    }
}

static void
test_a_signal_is_told_with_the_time_it_takes (void)
{
  g_autoptr (Rig) rig = rig_of ("50", 400);
  g_autofree char *name = socket_name (rig, FALSE), *ready = NULL, *stopping = NULL;
  g_autoptr (GSocket) socket = listen_at (name);
  gint64 pid;

  rig_setenv (rig, "NOTIFY_SOCKET", name);
  pid = rig_spawn (rig, "run", "run", "--drain", "20", "pipeline.yaml", NULL);
  ready = hear_until (socket, "READY=1");
  rig_wait_for_tickets (rig, 5);
  kill ((pid_t) pid, SIGTERM);
  stopping = hear_until (socket, "STOPPING=1");
  assert_text (stopping, "STOPPING=1\nEXTEND_TIMEOUT_USEC=50000000");
  assert_int (rig_reap (pid), 130);
}

/* Answers come, and there are signs of life; then none comes any more, and the status is told on, but no sign of life. */
static void
test_a_hang_is_silent (void)
{
  g_autoptr (Rig) rig = rig_of ("20", 200);
  g_autofree char *name = socket_name (rig, FALSE);
  g_autoptr (GSocket) socket = listen_at (name);
  guint n_beats = 0, n_silent = 0;
  gint64 pid;

  rig_setenv (rig, "NOTIFY_SOCKET", name);
  rig_setenv (rig, "WATCHDOG_USEC", "200000");
  rig_faults (rig, "[{\"kind\":\"delay-before\",\"method\":\"POST\",\"after\":30,\"ms\":100000}]");
  pid = rig_spawn (rig, "run", "run", "pipeline.yaml", NULL);
  for (guint i = 0; i < MANY && n_silent < 3; i++)
    {
      g_autofree char *message = hear (socket);

      if (message == NULL)
        break;
      if (g_str_equal (message, "WATCHDOG=1"))
        {
          n_beats++;
          n_silent = 0;
        }
      else if (n_beats > 3 && g_str_has_prefix (message, "STATUS="))
        n_silent++;
    }
  assert_true (n_beats > 3);
  assert_int (n_silent, 3);
  kill ((pid_t) pid, SIGKILL);
  assert_int (rig_reap (pid), 128 + SIGKILL);
}

static const Promise promises[] = {
  { "a run is told of, at a path and behind an @", test_a_run_is_told_of },
  { "nobody is told who did not ask", test_nobody_is_told_who_did_not_ask },
  { "a pipeline that is wrong is not ready", test_a_pipeline_that_is_wrong_is_not_ready },
  { "an address of another kind is warned of", test_an_address_of_another_kind },
  { "a signal is told, with the time that it takes", test_a_signal_is_told_with_the_time_it_takes },
  { "a hang is silent", test_a_hang_is_silent },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("notify", promises, argc, argv);
}
