/* warnings.h: what plugins tell the user, each thing once */
#pragma once
#include <glib.h>

typedef struct _TallyWarnings TallyWarnings;

TallyWarnings *tally_warnings_new (void (*show) (const char *message, gpointer data), gpointer data);
/* Tells how often the repeated ones came. */
void tally_warnings_free (TallyWarnings *warnings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyWarnings, tally_warnings_free)

/* On any thread; has the form of TallyContextWarn. */
void tally_warnings_add (const char *message, gpointer warnings);
