/* warnings.c: equal messages are shown once and counted */
#include "warnings.h"

/* Messages are made of a stranger's data; what is different beyond this is not shown any more. */
#define MAX_MESSAGES 1000

struct _TallyWarnings
{
  GMutex lock;
  GHashTable *counts; /* (owned) message (owned) → how often */
  guint64 n_dropped;
  void (*show) (const char *message, gpointer data);
  gpointer data;
};

TallyWarnings *
tally_warnings_new (void (*show) (const char *message, gpointer data), gpointer data)
{
  TallyWarnings *warnings = g_new0 (TallyWarnings, 1);

  g_mutex_init (&warnings->lock);
  warnings->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  warnings->show = show;
  warnings->data = data;
  return warnings;
}

static void
show (TallyWarnings *warnings, const char *message)
{
  if (warnings->show != NULL)
    warnings->show (message, warnings->data);
}

void
tally_warnings_free (TallyWarnings *warnings)
{
  GHashTableIter iter;
  gpointer message, count;

  if (warnings == NULL)
    return;

  g_hash_table_iter_init (&iter, warnings->counts);
  while (g_hash_table_iter_next (&iter, &message, &count))
    if (GPOINTER_TO_UINT (count) > 1)
      {
        g_autofree char *again
            = g_strdup_printf ("%s (%u times)", (char *) message, GPOINTER_TO_UINT (count));
        show (warnings, again);
      }
  if (warnings->n_dropped > 0)
    {
      g_autofree char *more
          = g_strdup_printf ("%" G_GUINT64_FORMAT " more warnings of other kinds", warnings->n_dropped);
      show (warnings, more);
    }
  g_hash_table_destroy (warnings->counts);
  g_mutex_clear (&warnings->lock);
  g_free (warnings);
}

void
tally_warnings_add (const char *message, gpointer data)
{
  TallyWarnings *warnings = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&warnings->lock);
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (warnings->counts, message));

  if (count == 0 && g_hash_table_size (warnings->counts) >= MAX_MESSAGES)
    {
      warnings->n_dropped++;
      return;
    }
  g_hash_table_insert (warnings->counts, g_strdup (message), GUINT_TO_POINTER (count + 1));
  if (count == 0)
    show (warnings, message);
}
