/* failures.c: a rig on which time flies */
#include "failures.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

Rig *
failure_rig (guint n_rows, const char *const *emulator_options, const char *sink_lines)
{
  const char *first = emulator_options != NULL ? emulator_options[0] : NULL;
  const char *second = first != NULL ? emulator_options[1] : NULL;
  const char *third = second != NULL ? emulator_options[2] : NULL;
  const char *fourth = third != NULL ? emulator_options[3] : NULL;
  Rig *rig = rig_new (TRUE, "--time-rate", RATE, first, second, third, fourth, NULL);

  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", RATE);
  rig_write_rows (rig, 1, n_rows);
  rig_write_pipeline (rig, NULL, sink_lines != NULL ? sink_lines : "    settle: 20s\n", NULL);
  return rig;
}

gboolean
failure_run_to_the_end (Rig *rig, const char *label, guint most_runs)
{
  int status = -1;

  for (guint i = 0; i < most_runs && status != 0; i++)
    status = rig_run (rig);
  if (status != 0)
    g_printerr ("\n%s: %s%s", label, rig_output (rig), rig_errors (rig));
  return assert_row_int (label, status, 0);
}

gboolean
failure_is_long (void)
{
  return g_strcmp0 (g_getenv ("TALLYMAN_PROOF"), "long") == 0;
}

/* Who was killed has left a log beside the ledger, which belongs to it; the memory that runs shared is made anew. */
void
failure_copy_ledger (Rig *rig, const char *from, const char *to)
{
  static const char *const parts[] = { "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm" };
  g_autofree char *folder = rig_path (rig, to);

  g_mkdir (folder, 0700);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *target = g_build_filename (folder, parts[i], NULL), *data = NULL;
      g_autofree char *source = from != NULL ? g_build_filename (rig_folder (rig), from, parts[i], NULL) : NULL;
      gsize length;

      g_unlink (target);
      if (source != NULL && i < 2 && g_file_get_contents (source, &data, &length, NULL))
        assert_true (g_file_set_contents (target, data, (gssize) length, NULL));
    }
}

int
failure_crash_at (Rig *rig, const char *point)
{
  int status;

  rig_setenv (rig, "TALLYMAN_CRASH", point);
  status = rig_run (rig);
  rig_setenv (rig, "TALLYMAN_CRASH", NULL);
  return status;
}

static void
crash_once (const FailureCrashes *crashes, guint point, const char *behaviour, guint *n_killed)
{
  const char *first = crashes->points[point], *again = crashes->points[(point + 5) % crashes->n_points];
  g_autofree char *label = g_strdup_printf ("%s, then %s, under %s", first, again, behaviour);
  g_autoptr (Rig) rig = crashes->make (crashes->n_rows);

  rig_faults (rig, behaviour);
  *n_killed += failure_crash_at (rig, first) == 128 + SIGKILL;
  *n_killed += failure_crash_at (rig, again) == 128 + SIGKILL;
  failure_run_to_the_end (rig, label, 1);
  crashes->check (rig, crashes->n_rows, label);
}

void
failure_crash_everywhere (const FailureCrashes *crashes)
{
  guint n_killed = 0, n_runs = 0;

  for (guint i = 0; i < crashes->n_points; i += failure_is_long () ? 1 : crashes->step)
    for (guint j = 0; j < (failure_is_long () ? crashes->n_behaviours : 1); j++)
      {
        crash_once (crashes, i, crashes->behaviours[(i + j + crashes->shift) % crashes->n_behaviours], &n_killed);
        n_runs++;
      }
  g_print (" (%u kills)", n_killed);
  assert_true (n_killed > n_runs);
}

void
failure_right_ids (Rig *rig, const char *file, const char *entity, guint n_rows, const char *label)
{
  g_autofree char *history = rig_ask (rig, "GET", "/_emulator/history", NULL);
  g_autofree char *yaml = g_strdup_printf ("pipeline: ids\norigin: desk\nsource:\n  csv: { path: %s }\n"
                                           "transform:\n  - set: { made: \"ref('%s', id)\" }\n  - keep: [made, id]\n"
                                           "sink:\n  csv: { path: ids.csv }\n", file, entity);
  guint n_right = 0;

  rig_write (rig, "ids.yaml", yaml);
  assert_row_int (label, rig_command (rig, "run", "ids.yaml", NULL), 0);
  g_autofree char *ids = rig_read (rig, "ids.csv");
  g_auto (GStrv) lines = g_strsplit (ids != NULL ? ids : "", "\n", -1);
  for (guint i = 1; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      g_auto (GStrv) cells = g_strsplit (g_strchomp (lines[i]), ",", 2);
      g_autofree char *made = g_strdup_printf ("\"id\":%s,\"external_id\":\"desk:%s\"", cells[0], cells[1]);

      n_right += strstr (history, made) != NULL;
    }
  assert_row_int (label, n_right, n_rows);
}

guint
failure_count_posts (Rig *rig, const char *path)
{
  g_autofree char *history = rig_ask (rig, "GET", "/_emulator/history", NULL);
  g_autofree char *wanted = g_strdup_printf ("\"method\":\"POST\",\"path\":\"%s", path);
  guint n = 0;

  for (const char *at = history; (at = strstr (at, wanted)) != NULL; at += strlen (wanted))
    n++;
  return n;
}
