/* threads.h: which names belong to one conversation, however many there are
 *
 * Names and who answers whom are kept in a temporary database; what is at work of it at a time fits into the memory that it is given.
 */
#pragma once
#include <tallyman/types.h>

typedef struct _TallyThreads TallyThreads;

/* memory: bytes. */
TallyThreads *tally_threads_new (gsize memory, GError **error);
void tally_threads_free (TallyThreads *threads);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyThreads, tally_threads_free)

/* The number of a name, which is above 0; a new one is a conversation by itself. */
gboolean tally_threads_find (TallyThreads *threads, TallyText name, gint64 *ret_number, GError **error);
/* Says that one answers the other, so that their conversations are one. */
gboolean tally_threads_link (TallyThreads *threads, gint64 parent, gint64 child, GError **error);
/* When all are linked: settles what each conversation is called, so many names at a time, until it says that it is done.  That is the
 * name that answers none; of several of them, or of all where each answers another, the one that is least byte by byte. */
gboolean tally_threads_finish (TallyThreads *threads, guint most, gboolean *ret_done, GError **error);
/* What the conversation of a name is called.  ret_name: valid until the next call. */
gboolean tally_threads_get (TallyThreads *threads, gint64 number, TallyText *ret_name, GError **error);
