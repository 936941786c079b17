/* hooks.c: where a test build may kill us, switch a rule off, or let time fly
 *
 * Empty in the product.
 */
#include "hooks.h"

#ifdef TALLY_TESTING
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *broken_rule;
static void (*point_watcher) (const char *point, gpointer data);
static gpointer point_watcher_data;
static gint64 (*ledger_clock) (gpointer data);
static gpointer ledger_clock_data;

static struct
{
  char *crash_point; /* (nullable) */
  gint crash_count;
  gint64 rate;
  gint64 ledger_offset;
} settings;

static gint64
hook_number (const char *name, gint64 fallback)
{
  const char *text = g_getenv (name);

  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : fallback;
}

static void
hook_read_settings (void)
{
  static gsize read;

  if (!g_once_init_enter (&read))
    return;

  settings.rate = MAX (hook_number ("TALLYMAN_CLOCK_RATE", 1), 1);
  settings.ledger_offset = hook_number ("TALLYMAN_LEDGER_CLOCK_OFFSET", 0) * G_USEC_PER_SEC;
  broken_rule = g_getenv ("TALLYMAN_BREAK");
  if (g_getenv ("TALLYMAN_CRASH") != NULL)
    {
      g_auto (GStrv) parts = g_strsplit (g_getenv ("TALLYMAN_CRASH"), ":", 2);
      settings.crash_point = g_strdup (parts[0]);
      settings.crash_count = parts[0] != NULL && parts[1] != NULL ? atoi (parts[1]) : 1;
    }
  g_once_init_leave (&read, 1);
}

void
tally_hook_point (const char *point)
{
  hook_read_settings ();
  if (point_watcher != NULL)
    point_watcher (point, point_watcher_data);
  if (settings.crash_point != NULL && strcmp (settings.crash_point, point) == 0
      && g_atomic_int_dec_and_test (&settings.crash_count))
    {
      kill (getpid (), SIGKILL);
      pause ();
    }
}

gboolean
tally_hook_keeps (const char *rule)
{
  hook_read_settings ();
  return g_strcmp0 (broken_rule, rule) != 0;
}

gint64
tally_hook_time (gint64 microseconds)
{
  hook_read_settings ();
  return microseconds * settings.rate;
}

gint64
tally_hook_wait (gint64 microseconds)
{
  hook_read_settings ();
  return microseconds / settings.rate;
}

gint64
tally_hook_ledger_time (gint64 now)
{
  hook_read_settings ();
  return ledger_clock != NULL ? ledger_clock (ledger_clock_data) : now + settings.ledger_offset;
}

void
tally_hook_set_break (const char *rule)
{
  hook_read_settings ();
  broken_rule = rule;
}

void
tally_hook_set_point (void (*at_point) (const char *point, gpointer data), gpointer data)
{
  point_watcher = at_point;
  point_watcher_data = data;
}

void
tally_hook_set_ledger_clock (gint64 (*now) (gpointer data), gpointer data)
{
  ledger_clock = now;
  ledger_clock_data = data;
}
#endif
