/* failures.c: a rig on which time flies */
#include "failures.h"
#include <glib/gstdio.h>

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
