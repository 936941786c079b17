/* imap-marks.c: what becomes of messages at the server once they are in the target
 *
 * To mark a message changes it, and a run that follows changes must not take its own marks for somebody's.  So marked is only what
 * nobody changed since it was read, and of each message that was marked the server tells the MODSEQ.  If the changes from the
 * first to the last of these are all our own, they are left out by the next run; if one of somebody else's lies between them, none is.
 */
#include "imap-marks.h"
#include <string.h>

typedef struct
{
  guint32 uid;
  guint64 modseq;
} Mark;

static int
mark_compare (gconstpointer a, gconstpointer b)
{
  guint32 left = ((const Mark *)a)->uid, right = ((const Mark *)b)->uid;

  return (left > right) - (left < right);
}

/* Of a message that we marked we hear no flags: we know them.  Of others that are told meanwhile we do. */
static void
take_mark (const ImapResponse *response, gpointer data)
{
  GArray *marks = data;
  ImapFetch fetch;

  if (imap_fetch_parse (response, &fetch) && fetch.uid > 0 && fetch.modseq > 0 && fetch.flags.length == 0
      && marks->len < IMAP_MAX_MESSAGES)
    g_array_append_vals (marks, &(Mark){ fetch.uid, fetch.modseq }, 1);
}

typedef struct
{
  GArray *marks; /* (unowned) (element-type Mark) by UID */
  guint64 first, last;
  gboolean has_others;
} Proof;

static void
take_change (const ImapResponse *response, gpointer data)
{
  Proof *proof = data;
  ImapFetch fetch;
  const Mark *mark;

  if (!imap_fetch_parse (response, &fetch) || fetch.modseq < proof->first || fetch.modseq > proof->last)
    return;
  mark = bsearch (&(Mark){ .uid = fetch.uid }, proof->marks->data, proof->marks->len, sizeof (Mark), mark_compare);
  proof->has_others |= mark == NULL || mark->modseq != fetch.modseq;
}

static TallyFlow
prove_own (Imap *imap, const char *uids, GArray *marks, ImapPlace *place, GError **error)
{
  Proof proof = { .marks = marks, .first = G_MAXUINT64 };
  TallyFlow flow;

  g_array_sort (marks, mark_compare);
  for (guint i = 0; i < marks->len; i++)
    {
      proof.first = MIN (proof.first, g_array_index (marks, Mark, i).modseq);
      proof.last = MAX (proof.last, g_array_index (marks, Mark, i).modseq);
    }
  flow = imap_run (imap, take_change, &proof, error, "UID FETCH %s (UID) (CHANGEDSINCE %" G_GUINT64_FORMAT ")", uids,
                   MAX (proof.first - 1, 1));
  if (flow == TALLY_FLOW_OK && !proof.has_others)
    {
      place->own_first = proof.first;
      place->own_last = proof.last;
    }
  return flow;
}

static TallyFlow
mark_unchanged (Imap *imap, const char *uids, ImapPlace *place, GError **error)
{
  g_autoptr (GArray) marks = g_array_new (FALSE, FALSE, sizeof (Mark));
  TallyFlow flow = imap_run (imap, take_mark, marks, error, "UID STORE %s (UNCHANGEDSINCE %" G_GUINT64_FORMAT ") +FLAGS.SILENT (\\Seen)",
                             uids, place->modseq);

  /* Where an earlier run's are still to be left out, one range more is not kept. */
  if (flow != TALLY_FLOW_OK || marks->len == 0 || place->own_last > 0)
    return flow;
  return prove_own (imap, uids, marks, place, error);
}

static void
take_any (const ImapResponse *response, gpointer data)
{
  ImapFetch fetch;

  *(gboolean *)data |= imap_fetch_parse (response, &fetch) && fetch.uid > 0;
}

static TallyFlow
move (Imap *imap, const char *uids, const char *name, GError **error)
{
  g_autofree char *target = imap_folder_quote (name, error);
  gboolean has_any = FALSE;
  TallyFlow flow = target == NULL ? TALLY_FLOW_FATAL : imap_run (imap, take_any, &has_any, error, "UID FETCH %s (UID)", uids);

  /* Servers refuse to move nothing. */
  if (flow != TALLY_FLOW_OK || !has_any)
    return flow;
  return imap_run (imap, NULL, NULL, error, "UID MOVE %s %s", uids, target);
}

TallyFlow
imap_mark (Imap *imap, const ImapOptions *options, const ImapFolder *folder, ImapPlace *place, GError **error)
{
  g_autofree char *uids = g_strdup_printf ("%u:%u", options->first, MIN (options->last, place->uid));
  ImapMailbox mailbox;
  TallyFlow flow = TALLY_FLOW_OK;

  /* 9:5 would be taken for 5:9. */
  if (place->uid < options->first)
    return TALLY_FLOW_OK;
  flow = imap_connect (imap, error);
  if (flow == TALLY_FLOW_OK)
    flow = imap_folder_enter (imap, "SELECT", folder, options->changes, &mailbox, error);
  if (flow != TALLY_FLOW_OK || mailbox.validity != place->validity || mailbox.n_messages == 0)
    return flow;
  if (options->after == IMAP_MOVE)
    return move (imap, uids, options->move_to, error);
  if (options->changes && place->modseq > 0)
    return mark_unchanged (imap, uids, place, error);
  return imap_run (imap, NULL, NULL, error, "UID STORE %s +FLAGS.SILENT (\\Seen)", uids);
}
