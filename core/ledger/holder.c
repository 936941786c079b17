/* holder.c: which process holds a lease, and whether it still lives
 *
 * Only a process of this very start of the machine, seen from the same pid namespace, can be asked
 * after: elsewhere, and in another container, the same number means another process.
 */
#include "database.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The boot, and the namespace that pids are numbers in. */
static char *
read_boot_id (void)
{
  g_autofree char *boot = NULL;
  char space[64];
  gssize length = readlink ("/proc/self/ns/pid", space, sizeof space - 1);

  if (!g_file_get_contents ("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL))
    return g_strdup ("unknown");
  space[MAX (length, 0)] = '\0';
  return g_strdup_printf ("%s %s", g_strstrip (boot), space);
}

/* State and start of a process; FALSE if it cannot be seen. */
static gboolean
look_at (gint64 pid, char *ret_state, gint64 *ret_started)
{
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/stat", pid);
  g_autofree char *text = NULL;
  const char *after;
  long long started;

  /* The name in parentheses may hold anything, so the fields are counted from its end: 3 is the
   * state, 22 the start. */
  if (!g_file_get_contents (path, &text, NULL, NULL) || (after = strrchr (text, ')')) == NULL
      || sscanf (
             after,
             ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld",
             ret_state, &started)
             != 2)
    return FALSE;

  *ret_started = started;
  return TRUE;
}

TallyHolder *
tally_holder_self (const char *command)
{
  TallyHolder *holder = g_new0 (TallyHolder, 1);
  char state;

  holder->host = g_utf8_make_valid (g_get_host_name (), -1);
  holder->boot_id = read_boot_id ();
  holder->pid = getpid ();
  if (!look_at (holder->pid, &state, &holder->started_at))
    holder->started_at = 0;
  holder->command = g_utf8_make_valid (command, -1);
  return holder;
}

TallyHolder *
tally_holder_copy (const TallyHolder *holder)
{
  TallyHolder *copy = g_new0 (TallyHolder, 1);

  copy->host = g_strdup (holder->host);
  copy->boot_id = g_strdup (holder->boot_id);
  copy->pid = holder->pid;
  copy->started_at = holder->started_at;
  copy->command = g_strdup (holder->command);
  return copy;
}

void
tally_holder_free (TallyHolder *holder)
{
  if (holder == NULL)
    return;

  g_free (holder->host);
  g_free (holder->boot_id);
  g_free (holder->command);
  g_free (holder);
}

gboolean
tally_holder_is_gone (const TallyHolder *holder)
{
  g_autofree char *boot_id = read_boot_id ();
  gint64 started_at;
  char state;

  if (!g_str_equal (holder->host, g_get_host_name ()) || !g_str_equal (holder->boot_id, boot_id)
      || g_str_equal (boot_id, "unknown") || holder->pid <= 0 || holder->pid > G_MAXINT)
    return FALSE;
  if (kill (holder->pid, 0) != 0 && errno == ESRCH)
    return TRUE;
  /* It is there, or another one with its number; where /proc hides that, it counts as alive. */
  if (!look_at (holder->pid, &state, &started_at))
    return FALSE;
  return state == 'Z' || state == 'X'
         || (holder->started_at != 0 && started_at != holder->started_at);
}
