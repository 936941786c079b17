/* imap-carrier.c: messages in the folders of a server
 *
 * An origin is a folder.  Its UIDs and sizes are asked for first, then its messages, a chunk at a time and as they come: nothing
 * of a message but the one that is looked at is in memory.  Only what is done without a gap counts for the position, because
 * a server may answer in any order.
 */
#include "imap-carrier.h"
#include "flags.h"
#include "imap-folders.h"
#include "imap-marks.h"
#include "message.h"
#include <string.h>

/* Messages that one command asks for: so many are asked for again after a cut. */
#define CHUNK 100
/* So often in a row a server may end the connection over one message before that is set aside: once could be chance. */
#define MAX_BYES 3

typedef struct
{
  guint64 size;
  guint32 uid;
  gboolean is_done;
} Entry;

typedef struct
{
  MailCarrier base;
  ImapOptions options;
  Imap *imap;         /* (owned) */
  ImapPlaces *places; /* (owned) (nullable) until the first call */
  GPtrArray *folders; /* (owned) (nullable) (element-type ImapFolder) the same */
  guint index;        /* of the folder that is or will be read */
  TallyContext *ctx;  /* (unowned) of the last call */

  /* of that folder */
  gboolean is_entered;
  ImapPlace place;    /* behind the last message that counts */
  guint64 modseq;     /* of the folder when it was entered; 0: changes are not followed */
  GArray *entries;    /* (owned) (element-type Entry) by UID: those that changed, then new ones */
  guint n_changed;
  guint n_done;       /* so many of the first are done */
  guint chunk_end;    /* the command that is under way asks for those before */
  gboolean one_by_one; /* after a chunk was refused as a whole, until the message is found that is meant */
  guint n_byes;       /* said by the server since the last message */
  gboolean is_asking; /* a command is under way */
  GByteArray *nothing; /* (owned) the bytes of a message that was not asked for */
  char *flaw, *flags; /* (owned) (nullable) of the last message */
} ImapCarrier;

static ImapFolder *
folder_of (ImapCarrier *carrier)
{
  return g_ptr_array_index (carrier->folders, carrier->index);
}

static Entry *
entry_at (ImapCarrier *carrier, guint i)
{
  return &g_array_index (carrier->entries, Entry, i);
}

/* ---- What a folder has ---- */

typedef struct
{
  GArray *entries; /* (unowned) */
  guint32 first, last;
  guint64 own_first, own_last; /* changes that do not count */
} UidList;

static void
take_entry (const ImapResponse *response, gpointer data)
{
  UidList *list = data;
  ImapFetch fetch;

  /* 99:* gives the highest, too, if that is less. */
  if (!imap_fetch_parse (response, &fetch) || fetch.uid < list->first || fetch.uid > list->last || list->entries->len == IMAP_MAX_MESSAGES)
    return;
  if (fetch.modseq == 0 || fetch.modseq < list->own_first || fetch.modseq > list->own_last)
    g_array_append_vals (list->entries, &(Entry){ .uid = fetch.uid, .size = fetch.size }, 1);
}

static int
entry_compare (gconstpointer a, gconstpointer b)
{
  guint32 left = ((const Entry *)a)->uid, right = ((const Entry *)b)->uid;

  return (left > right) - (left < right);
}

/* What is done without a gap counts, and once all that changed is, so do the changes. */
static void
count_done (ImapCarrier *carrier)
{
  ImapPlace *place = &carrier->place;

  for (; carrier->n_done < carrier->entries->len && entry_at (carrier, carrier->n_done)->is_done; carrier->n_done++)
    place->uid = MAX (place->uid, entry_at (carrier, carrier->n_done)->uid);
  if (carrier->modseq > 0 && carrier->n_done >= carrier->n_changed)
    *place = (ImapPlace){ .validity = place->validity, .uid = place->uid, .modseq = carrier->modseq };
}

/* What has changed up to the place; all of it, if it is not known since when changes are to be followed. */
static TallyFlow
list_changed (ImapCarrier *carrier, GError **error)
{
  const ImapPlace *place = &carrier->place;
  guint32 first = carrier->options.first, last = MIN (carrier->options.last, place->uid);
  UidList list = { .entries = carrier->entries, .first = first, .last = last, .own_first = place->own_first, .own_last = place->own_last };

  if (carrier->modseq == 0 || last < first)
    return TALLY_FLOW_OK;
  if (place->modseq > 0)
    return imap_run (carrier->imap, take_entry, &list, error, "UID FETCH %u:%u (UID RFC822.SIZE) (CHANGEDSINCE %" G_GUINT64_FORMAT ")",
                     first, last, place->modseq);
  tally_context_warn (carrier->ctx, "folder \"%s\": which mails have changed since they were read is not known, all are read once more",
                      folder_of (carrier)->name);
  return imap_run (carrier->imap, take_entry, &list, error, "UID FETCH %u:%u (UID RFC822.SIZE)", first, last);
}

/* What lies behind the place. */
static TallyFlow
list_new (ImapCarrier *carrier, GError **error)
{
  UidList list = { .entries = carrier->entries, .last = carrier->options.last };
  g_autofree char *last = list.last == G_MAXUINT32 ? g_strdup ("*") : g_strdup_printf ("%u", list.last);

  if (carrier->place.uid >= list.last)
    return TALLY_FLOW_OK;
  list.first = MAX (carrier->place.uid + 1, carrier->options.first);
  return imap_run (carrier->imap, take_entry, &list, error, "UID FETCH %u:%s (UID RFC822.SIZE)", list.first, last);
}

static TallyFlow
list_messages (ImapCarrier *carrier, guint32 n_messages, GError **error)
{
  TallyFlow flow = TALLY_FLOW_OK;

  g_array_set_size (carrier->entries, 0);
  carrier->n_done = carrier->chunk_end = 0;
  carrier->one_by_one = FALSE;
  carrier->n_byes = 0;
  if (n_messages > 0)
    flow = list_changed (carrier, error);
  carrier->n_changed = carrier->entries->len;
  if (flow == TALLY_FLOW_OK && n_messages > 0)
    flow = list_new (carrier, error);
  if (flow != TALLY_FLOW_OK)
    return flow == TALLY_FLOW_REJECT ? TALLY_FLOW_FATAL : flow;
  if (carrier->entries->len == IMAP_MAX_MESSAGES)
    {
      tally_throw (error, TALLY_ERROR_LIMIT, "folder \"%s\" has %d messages or more", folder_of (carrier)->name, IMAP_MAX_MESSAGES);
      return TALLY_FLOW_FATAL;
    }
  g_array_sort (carrier->entries, entry_compare);
  count_done (carrier);
  return TALLY_FLOW_OK;
}

/* It has other UIDs now. */
static gboolean
start_over (ImapCarrier *carrier, const ImapMailbox *mailbox, GError **error)
{
  const char *name = folder_of (carrier)->name;
  ImapPlace *place = &carrier->place;

  if (carrier->options.first > 1 || carrier->options.last < G_MAXUINT32)
    return tally_throw (error, TALLY_ERROR_DATA, "it is not the one that was read before: its UIDVALIDITY was %u and is %u, so \"uids\" "
                        "means other mails now; look up which, and give the pipeline another name", place->validity, mailbox->validity);
  tally_context_warn (carrier->ctx, "folder \"%s\" is not the one that was read before: its UIDVALIDITY was %u and is %u; it is read "
                      "from the start", name, place->validity, mailbox->validity);
  *place = (ImapPlace){ .validity = mailbox->validity };
  return TRUE;
}

static void
warn_of_range (ImapCarrier *carrier)
{
  const char *name = folder_of (carrier)->name;
  guint32 uid = carrier->place.uid, first = carrier->options.first;

  if (uid > carrier->options.last)
    tally_context_warn (carrier->ctx, "folder \"%s\" was read up to UID %u, beyond \"uids\"; a pipeline of another name begins anew",
                        name, uid);
  if (uid > 0 && first > 1 && uid < first - 1)
    tally_context_warn (carrier->ctx, "folder \"%s\" was read up to UID %u, and \"uids\" begins at %u: what lies between is left out, also "
                        "by later runs", name, uid, first);
}

/* Where to go on in a folder that is entered for the first time. */
static gboolean
find_place (ImapCarrier *carrier, const ImapMailbox *mailbox, GError **error)
{
  ImapPlace *place = &carrier->place;

  carrier->modseq = carrier->options.changes ? mailbox->modseq : 0;
  if (!imap_places_get (carrier->places, folder_of (carrier)->name, place))
    *place = (ImapPlace){ .validity = mailbox->validity };
  if (place->validity != mailbox->validity)
    return start_over (carrier, mailbox, error);
  warn_of_range (carrier);
  return TRUE;
}

/* Also after a cut: then what was listed stays, as long as it is the same folder. */
static TallyFlow
enter_folder (ImapCarrier *carrier, GError **error)
{
  const ImapPlace *place = &carrier->place;
  ImapMailbox mailbox;
  TallyFlow flow = imap_connect (carrier->imap, error);

  carrier->is_asking = FALSE;
  if (flow == TALLY_FLOW_OK)
    flow = imap_folder_enter (carrier->imap, "EXAMINE", folder_of (carrier), carrier->options.changes, &mailbox, error);
  if (flow != TALLY_FLOW_OK || (carrier->is_entered && place->validity == mailbox.validity))
    return flow;
  if (carrier->is_entered)
    {
      tally_throw (error, TALLY_ERROR_DATA, "the folder was made anew while it was read: its UIDVALIDITY was %u and is %u; the next run "
                   "reads it from the start", place->validity, mailbox.validity);
      return TALLY_FLOW_FATAL;
    }
  if (!find_place (carrier, &mailbox, error))
    return TALLY_FLOW_FATAL;
  flow = list_messages (carrier, mailbox.n_messages, error);
  carrier->is_entered = flow == TALLY_FLOW_OK;
  return flow;
}

/* ---- The folders ---- */

static TallyFlow
check_after (ImapCarrier *carrier, GError **error)
{
  char *const patterns[] = { (char *)carrier->options.move_to, NULL };
  g_autoptr (GPtrArray) found = NULL;

  if (carrier->options.after != IMAP_MOVE)
    return TALLY_FLOW_OK;
  if (imap_can (carrier->imap, "MOVE"))
    return imap_folders_list (carrier->imap, patterns, NULL, &found, error);
  tally_throw (error, TALLY_ERROR_UNSUPPORTED, "the server cannot move messages (RFC 6851); \"after: seen\" marks them where they are");
  return TALLY_FLOW_FATAL;
}

/* Before anything is read. */
static TallyFlow
check_changes (ImapCarrier *carrier, GError **error)
{
  TallyFlow flow = TALLY_FLOW_OK;

  if (!carrier->options.changes)
    return TALLY_FLOW_OK;
  if (!imap_can (carrier->imap, "CONDSTORE") && !imap_can (carrier->imap, "QRESYNC"))
    {
      tally_throw (error, TALLY_ERROR_UNSUPPORTED, "the server does not tell what has changed (CONDSTORE, RFC 7162); \"changes: false\" "
                   "reads what is new");
      return TALLY_FLOW_FATAL;
    }
  for (guint i = 0; flow == TALLY_FLOW_OK && i < carrier->folders->len; i++)
    {
      const ImapFolder *folder = g_ptr_array_index (carrier->folders, i);
      ImapMailbox mailbox;

      flow = imap_folder_enter (carrier->imap, "EXAMINE", folder, /* with_modseq= */ TRUE, &mailbox, error);
      if (flow != TALLY_FLOW_OK || mailbox.modseq > 0)
        continue;
      tally_throw (error, TALLY_ERROR_UNSUPPORTED, "the server does not keep what changes in folder \"%s\" (NOMODSEQ, RFC 7162); a "
                   "pipeline with \"changes: false\" reads what is new in it", folder->name);
      flow = TALLY_FLOW_FATAL;
    }
  return flow;
}

static TallyFlow
list_folders (ImapCarrier *carrier, GError **error)
{
  const ImapOptions *options = &carrier->options;
  TallyFlow flow = imap_connect (carrier->imap, error);

  if (flow == TALLY_FLOW_OK)
    flow = check_after (carrier, error);
  if (flow == TALLY_FLOW_OK)
    flow = imap_folders_list (carrier->imap, options->folders, options->move_to, &carrier->folders, error);
  if (flow == TALLY_FLOW_OK)
    flow = check_changes (carrier, error);
  return flow == TALLY_FLOW_REJECT ? TALLY_FLOW_FATAL : flow;
}

static TallyFlow
imap_next_origin (MailCarrier *base, TallyContext *ctx, GError **error)
{
  ImapCarrier *carrier = (ImapCarrier *)base;
  TallyFlow flow;

  carrier->ctx = ctx;
  if (carrier->places == NULL)
    carrier->places = imap_places_parse (tally_context_position (ctx), error);
  if (carrier->places == NULL)
    return TALLY_FLOW_FATAL;
  flow = carrier->folders == NULL ? list_folders (carrier, error) : TALLY_FLOW_OK;
  if (flow != TALLY_FLOW_OK)
    return flow;
  carrier->index += carrier->is_entered;
  carrier->is_entered = FALSE;
  if (carrier->index == carrier->folders->len)
    return TALLY_FLOW_END;
  flow = enter_folder (carrier, error);
  if (flow != TALLY_FLOW_OK)
    tally_throw_prefix (error, "folder \"%s\"", folder_of (carrier)->name);
  return flow;
}

/* ---- The messages ---- */

static void
set_done (ImapCarrier *carrier, Entry *entry)
{
  entry->is_done = TRUE;
  carrier->n_byes = 0;
  count_done (carrier);
}

static void
set_flaw (ImapCarrier *carrier, MailItem *item, char *flaw)
{
  g_free (carrier->flaw);
  item->flaw = carrier->flaw = flaw;
}

static gboolean
is_too_large (ImapCarrier *carrier, guint64 size)
{
  return size > (guint64)carrier->options.max_message;
}

/* A message of which nothing was read. */
static TallyFlow
give_flaw (ImapCarrier *carrier, Entry *entry, char *flaw, MailItem *item)
{
  g_byte_array_set_size (carrier->nothing, 0);
  *item = (MailItem){ .bytes = carrier->nothing, .number = entry->uid, .folder = folder_of (carrier)->name };
  set_flaw (carrier, item, flaw);
  set_done (carrier, entry);
  carrier->one_by_one = FALSE;
  return TALLY_FLOW_OK;
}

static TallyFlow
give_message (ImapCarrier *carrier, Entry *entry, const ImapResponse *response, const ImapFetch *fetch, MailItem *item)
{
  g_free (carrier->flags);
  carrier->flags = fetch->flags.length > 0 ? mail_flags_from_imap (fetch->flags) : NULL;
  *item = (MailItem){ .bytes = response->literal, .number = entry->uid, .folder = folder_of (carrier)->name, .flags = carrier->flags };
  if (is_too_large (carrier, response->literal_size))
    {
      set_flaw (carrier, item, g_strdup_printf ("UID %u is larger than max-message", entry->uid));
      g_byte_array_set_size (response->literal, MIN (response->literal->len, MAIL_MOST_RAW));
    }
  set_done (carrier, entry);
  return TALLY_FLOW_OK;
}

/* Appends the UIDs of those before an end that were not given yet. */
static guint
append_uids (ImapCarrier *carrier, guint end, GString *out)
{
  guint n = 0;

  for (guint i = carrier->n_done; i < end; i++)
    if (!entry_at (carrier, i)->is_done)
      g_string_append_printf (out, "%s%u", n++ > 0 ? "," : "", entry_at (carrier, i)->uid);
  return n;
}

/* Asks for the next ones, up to one that is too large. */
static TallyFlow
ask (ImapCarrier *carrier, GError **error)
{
  g_autoptr (GString) uids = g_string_new (NULL);
  guint most = carrier->n_done + (carrier->one_by_one ? 1 : CHUNK), end = carrier->n_done;

  while (end < MIN (most, carrier->entries->len) && !is_too_large (carrier, entry_at (carrier, end)->size))
    end++;
  append_uids (carrier, end, uids);
  carrier->chunk_end = end;
  carrier->is_asking = TRUE;
  return imap_send (carrier->imap, error, "UID FETCH %s (UID FLAGS BODY.PEEK[])", uids->str);
}

/* The one that an answer is about, if it was asked for and not yet given.  Nothing in place of its bytes is what Dovecot says of one
 * that has gone meanwhile. */
static Entry *
entry_for (ImapCarrier *carrier, const ImapResponse *response, ImapFetch *ret_fetch)
{
  const Entry *entry;
  Entry *found;

  if (!imap_fetch_parse (response, ret_fetch) || !ret_fetch->has_body)
    return NULL;
  entry = &(Entry){ .uid = ret_fetch->uid };
  found = bsearch (entry, carrier->entries->data, carrier->chunk_end, sizeof (Entry), entry_compare);
  return found != NULL && !found->is_done && (response->literal_size > 0 || found->size == 0) ? found : NULL;
}

/* Which of those that were asked for and did not come the server still has. */
static TallyFlow
list_left (ImapCarrier *carrier, GArray *left, GError **error)
{
  g_autoptr (GString) uids = g_string_new (NULL);
  UidList list = { .entries = left, .first = 1, .last = G_MAXUINT32 };
  TallyFlow flow = TALLY_FLOW_OK;

  if (append_uids (carrier, carrier->chunk_end, uids) > 0)
    flow = imap_run (carrier->imap, take_entry, &list, error, "UID FETCH %s (UID)", uids->str);
  return flow == TALLY_FLOW_REJECT ? TALLY_FLOW_FATAL : flow;
}

/* The next message is set aside: it was asked for alone. */
static TallyFlow
give_refused (ImapCarrier *carrier, const char *why, MailItem *item)
{
  Entry *entry = entry_at (carrier, carrier->n_done);

  return give_flaw (carrier, entry, g_strdup_printf ("UID %u: %s", entry->uid, why), item);
}

/* What was asked for and did not come has gone meanwhile; that is made sure, for it would be lost.  Of several that are still there
 * nobody knows which one the server means: each is asked for by itself. */
static TallyFlow
end_chunk (ImapCarrier *carrier, const char *why, MailItem *item, gboolean *ret_found, GError **error)
{
  g_autoptr (GArray) left = g_array_new (FALSE, FALSE, sizeof (Entry));
  gboolean is_alone = carrier->one_by_one;
  TallyFlow flow;

  carrier->is_asking = FALSE;
  flow = list_left (carrier, left, error);
  if (flow != TALLY_FLOW_OK)
    return flow;
  if (left->len > 0)
    {
      carrier->one_by_one = TRUE;
      *ret_found = is_alone;
      return is_alone ? give_refused (carrier, why, item) : TALLY_FLOW_OK;
    }
  for (; carrier->n_done < carrier->chunk_end; carrier->one_by_one = FALSE)
    set_done (carrier, entry_at (carrier, carrier->n_done));
  return TALLY_FLOW_OK;
}

/* The server has ended the connection with a word, as Dovecot does over a message that it cannot read. */
static TallyFlow
end_with_bye (ImapCarrier *carrier, const GError *why, MailItem *item, gboolean *ret_found)
{
  carrier->one_by_one = TRUE;
  *ret_found = ++carrier->n_byes == MAX_BYES;
  return *ret_found ? give_refused (carrier, why->message, item) : TALLY_FLOW_RETRY;
}

/* Begins with the next ones.  END: there are none; REJECT: the next one is not even asked for. */
static TallyFlow
go_on (ImapCarrier *carrier, MailItem *item, GError **error)
{
  Entry *entry;

  if (!imap_is_connected (carrier->imap))
    return enter_folder (carrier, error);
  if (carrier->is_asking)
    return TALLY_FLOW_OK;
  if (carrier->n_done == carrier->entries->len)
    return TALLY_FLOW_END;
  entry = entry_at (carrier, carrier->n_done);
  if (!is_too_large (carrier, entry->size))
    return ask (carrier, error);
  give_flaw (carrier, entry, g_strdup_printf ("UID %u is larger than max-message", entry->uid), item);
  return TALLY_FLOW_REJECT;
}

/* One answer; it may be a message. */
static TallyFlow
take_answer (ImapCarrier *carrier, MailItem *item, gboolean *ret_found, GError **error)
{
  g_autoptr (GError) failure = NULL;
  ImapResponse response;
  ImapFetch fetch;
  TallyFlow flow = imap_next (carrier->imap, &response, &failure);
  Entry *entry = flow == TALLY_FLOW_OK ? entry_for (carrier, &response, &fetch) : NULL;

  *ret_found = entry != NULL;
  if (entry != NULL)
    return give_message (carrier, entry, &response, &fetch, item);
  if (flow == TALLY_FLOW_END || flow == TALLY_FLOW_REJECT)
    return end_chunk (carrier, failure != NULL ? failure->message : "the server does not give it in a form that can be read", item,
                      ret_found, error);
  if (flow == TALLY_FLOW_RETRY && imap_said_bye (carrier->imap))
    flow = end_with_bye (carrier, failure, item, ret_found);
  if (flow != TALLY_FLOW_OK)
    g_propagate_error (error, g_steal_pointer (&failure));
  return flow;
}

static TallyFlow
imap_carrier_next (MailCarrier *base, MailItem *ret_item, GError **error)
{
  ImapCarrier *carrier = (ImapCarrier *)base;
  gboolean found = FALSE;
  TallyFlow flow = TALLY_FLOW_OK;

  while (!found && flow == TALLY_FLOW_OK)
    {
      flow = go_on (carrier, ret_item, error);
      if (flow == TALLY_FLOW_REJECT)
        return TALLY_FLOW_OK;
      if (flow == TALLY_FLOW_OK && carrier->is_asking)
        flow = take_answer (carrier, ret_item, &found, error);
    }
  if (flow != TALLY_FLOW_OK && flow != TALLY_FLOW_END)
    tally_throw_prefix (error, "folder \"%s\"", folder_of (carrier)->name);
  return flow;
}

static void
imap_set_origin (MailCarrier *base, TallyContext *ctx, TallyBatch *batch)
{
  ImapCarrier *carrier = (ImapCarrier *)base;
  g_autofree char *name = g_strdup_printf ("%s/%s", carrier->options.server->url, folder_of (carrier)->name);

  tally_batch_set_origin (batch, name);
}

static void
imap_set_position (MailCarrier *base, TallyBatch *batch)
{
  ImapCarrier *carrier = (ImapCarrier *)base;

  imap_places_set (carrier->places, folder_of (carrier)->name, &carrier->place);
  tally_batch_set_position (batch, imap_places_format (carrier->places));
}

/* ---- After a run ---- */

/* Once more over a new connection: a server ends one on which nothing was said for long. */
static gboolean
mark_patiently (ImapCarrier *carrier, const ImapFolder *folder, ImapPlace *place, GError **error)
{
  g_autoptr (GError) failure = NULL;
  TallyFlow flow = imap_mark (carrier->imap, &carrier->options, folder, place, &failure);

  if (flow == TALLY_FLOW_RETRY)
    {
      g_clear_error (&failure);
      flow = imap_mark (carrier->imap, &carrier->options, folder, place, &failure);
    }
  if (flow == TALLY_FLOW_OK)
    return TRUE;
  g_propagate_prefixed_error (error, g_steal_pointer (&failure), "folder \"%s\": ", folder->name);
  return FALSE;
}

static gboolean
imap_acknowledge (MailCarrier *base, TallyContext *ctx, const char *position, GError **error)
{
  ImapCarrier *carrier = (ImapCarrier *)base;
  g_autoptr (ImapPlaces) places = imap_places_parse (position, error);

  if (places == NULL)
    return FALSE;
  if (carrier->options.after == IMAP_KEEP || carrier->folders == NULL)
    return TRUE;
  imap_resume (carrier->imap);
  if (carrier->is_asking)
    imap_drop (carrier->imap);
  carrier->is_asking = FALSE;
  for (guint i = 0; i < carrier->folders->len; i++)
    {
      const ImapFolder *folder = g_ptr_array_index (carrier->folders, i);
      ImapPlace place;

      if (!imap_places_get (places, folder->name, &place) || place.uid == 0)
        continue;
      if (!mark_patiently (carrier, folder, &place, error))
        return FALSE;
      imap_places_set (places, folder->name, &place);
    }
  if (carrier->options.changes)
    tally_context_move_position (ctx, imap_places_format (places));
  return TRUE;
}

/* ---- The carrier ---- */

static void
tell_mailbox (TallyContext *ctx, const ImapFolder *folder, const ImapMailbox *mailbox)
{
  g_autofree char *uids = mailbox->next_uid > 0 ? g_strdup_printf (", their UIDs are below %u", mailbox->next_uid) : g_strdup ("");

  tally_context_tell (ctx, TALLY_FINDING_OK, NULL, "%u message%s in %s%s", mailbox->n_messages, mailbox->n_messages == 1 ? "" : "s",
                      folder->name, uids);
}

static void
imap_probe (MailCarrier *base, TallyContext *ctx)
{
  ImapCarrier *carrier = (ImapCarrier *)base;
  g_autoptr (GError) error = NULL;
  TallyFlow flow = list_folders (carrier, &error);

  if (flow == TALLY_FLOW_OK)
    tally_context_tell (ctx, TALLY_FINDING_OK, NULL, "the server takes the login of \"%s\"", carrier->options.server->user);
  for (guint i = 0; flow == TALLY_FLOW_OK && i < carrier->folders->len; i++)
    {
      const ImapFolder *folder = g_ptr_array_index (carrier->folders, i);
      ImapMailbox mailbox;

      flow = imap_folder_enter (carrier->imap, "EXAMINE", folder, /* with_modseq= */ FALSE, &mailbox, &error);
      if (flow == TALLY_FLOW_OK)
        tell_mailbox (ctx, folder, &mailbox);
    }
  if (flow != TALLY_FLOW_OK)
    tally_context_tell (ctx, TALLY_FINDING_PROBLEM, "see to the server's address, the login and the names of folders", "%s",
                        error->message);
}

static void
imap_carrier_interrupt (MailCarrier *base)
{
  imap_interrupt (((ImapCarrier *)base)->imap);
}

static void
imap_carrier_free (MailCarrier *base)
{
  ImapCarrier *carrier = (ImapCarrier *)base;

  imap_free (carrier->imap);
  g_clear_pointer (&carrier->places, imap_places_free);
  g_clear_pointer (&carrier->folders, g_ptr_array_unref);
  g_array_unref (carrier->entries);
  g_byte_array_unref (carrier->nothing);
  g_free (carrier->flaw);
  g_free (carrier->flags);
  g_free (carrier);
}

static const MailCarrierClass imap_class = {
  .next_origin = imap_next_origin,
  .next = imap_carrier_next,
  .set_origin = imap_set_origin,
  .set_position = imap_set_position,
  .acknowledge = imap_acknowledge,
  .probe = imap_probe,
  .interrupt = imap_carrier_interrupt,
  .free = imap_carrier_free,
};

MailCarrier *
imap_carrier_new (const ImapOptions *options, GError **error)
{
  Imap *imap = imap_new (options->server, (gsize)options->max_message, error);
  ImapCarrier *carrier;

  if (imap == NULL)
    return NULL;
  carrier = g_new0 (ImapCarrier, 1);
  carrier->base.class = &imap_class;
  carrier->options = *options;
  carrier->imap = imap;
  carrier->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  carrier->nothing = g_byte_array_new ();
  return &carrier->base;
}
