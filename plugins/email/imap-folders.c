/* imap-folders.c: the folders of a server, and where in each an earlier run has stopped */
#include "imap-folders.h"
#include <json-c/json.h>
#include <string.h>

#define MAX_FOLDERS 10000

/* ---- Names ---- */

/* RFC 3501, 5.1.3: modified UTF-7. */
static char *
name_of (const char *wire)
{
  char *name = g_convert (wire, -1, "UTF-8", "UTF-7-IMAP", NULL, NULL, NULL);

  /* A server that does not keep to it. */
  return name != NULL ? name : g_utf8_make_valid (wire, -1);
}

static gboolean
has_control (const char *text)
{
  for (; *text != '\0'; text++)
    if (g_ascii_iscntrl (*text))
      return TRUE;
  return FALSE;
}

char *
imap_folder_quote (const char *name, GError **error)
{
  g_autofree char *wire = has_control (name) ? NULL : g_convert (name, -1, "UTF-7-IMAP", "UTF-8", NULL, NULL, NULL);

  if (wire != NULL)
    return mail_server_quote (wire);
  tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is no name of a folder", name);
  return NULL;
}

static void
folder_free (gpointer data)
{
  ImapFolder *folder = data;

  g_free (folder->name);
  g_free (folder->quoted);
  g_free (folder);
}

static int
folder_compare (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(ImapFolder *const *)a)->name, (*(ImapFolder *const *)b)->name);
}

static gboolean
folder_equal (gconstpointer a, gconstpointer b)
{
  return g_str_equal (((const ImapFolder *)a)->name, ((const ImapFolder *)b)->name);
}

/* ---- The list ---- */

typedef struct
{
  GPtrArray *folders; /* (unowned) */
  const char *except; /* (unowned) (nullable) */
  guint n_matched;
} Listing;

static void
take_folder (const ImapResponse *response, gpointer data)
{
  Listing *listing = data;
  g_autofree char *wire = NULL;
  ImapFolder *folder;

  if (!imap_list_parse (response, &wire) || has_control (wire))
    return;
  listing->n_matched++;
  folder = g_new0 (ImapFolder, 1);
  folder->name = g_ascii_strcasecmp (wire, "INBOX") == 0 ? g_strdup ("INBOX") : name_of (wire);
  folder->quoted = mail_server_quote (wire);
  if (listing->folders->len >= MAX_FOLDERS || g_strcmp0 (folder->name, listing->except) == 0
      || g_ptr_array_find_with_equal_func (listing->folders, folder, folder_equal, NULL))
    folder_free (folder);
  else
    g_ptr_array_add (listing->folders, folder);
}

TallyFlow
imap_folders_list (Imap *imap, char *const *patterns, const char *except, GPtrArray **ret_folders, GError **error)
{
  g_autoptr (GPtrArray) folders = g_ptr_array_new_with_free_func (folder_free);

  for (; *patterns != NULL; patterns++)
    {
      Listing listing = { .folders = folders, .except = except };
      g_autofree char *quoted = imap_folder_quote (*patterns, error);
      TallyFlow flow = quoted != NULL ? imap_run (imap, take_folder, &listing, error, "LIST \"\" %s", quoted) : TALLY_FLOW_FATAL;

      if (flow != TALLY_FLOW_OK)
        return flow;
      if (listing.n_matched == 0)
        {
          tally_throw (error, TALLY_ERROR_USAGE, "the server has no folder \"%s\"; \"*\" in \"folders\" means all of them", *patterns);
          return TALLY_FLOW_FATAL;
        }
    }
  if (folders->len == MAX_FOLDERS)
    {
      tally_throw (error, TALLY_ERROR_LIMIT, "\"folders\" matches %d folders or more; a narrower pattern takes less", MAX_FOLDERS);
      return TALLY_FLOW_FATAL;
    }
  g_ptr_array_sort (folders, folder_compare);
  *ret_folders = g_steal_pointer (&folders);
  return TALLY_FLOW_OK;
}

/* ---- What a folder has ---- */

static void
take_mailbox (const ImapResponse *response, gpointer data)
{
  ImapMailbox *mailbox = data;
  guint64 number;

  if (imap_code_parse (response, "UIDVALIDITY", G_MAXUINT32, &number))
    mailbox->validity = (guint32)number;
  else if (imap_code_parse (response, "UIDNEXT", G_MAXUINT32, &number))
    mailbox->next_uid = (guint32)number;
  else if (!imap_code_parse (response, "HIGHESTMODSEQ", G_MAXINT64, &mailbox->modseq))
    imap_exists_parse (response, &mailbox->n_messages);
}

TallyFlow
imap_folder_enter (Imap *imap, const char *command, const ImapFolder *folder, gboolean with_modseq, ImapMailbox *ret_mailbox,
                   GError **error)
{
  TallyFlow flow;

  *ret_mailbox = (ImapMailbox){ 0 };
  flow = imap_run (imap, take_mailbox, ret_mailbox, error, "%s %s%s", command, folder->quoted, with_modseq ? " (CONDSTORE)" : "");
  if (flow == TALLY_FLOW_OK && ret_mailbox->validity == 0)
    {
      tally_throw (error, TALLY_ERROR_UNSUPPORTED, "the server gives no UIDVALIDITY, without which no message can be told from others");
      flow = TALLY_FLOW_FATAL;
    }
  return flow == TALLY_FLOW_REJECT ? TALLY_FLOW_FATAL : flow;
}

/* ---- Places ---- */

ImapPlaces *
imap_places_parse (const char *text, GError **error)
{
  json_object *places = text != NULL ? json_tokener_parse (text) : json_object_new_object ();

  if (json_object_is_type (places, json_type_object))
    return places;
  json_object_put (places);
  tally_throw (error, TALLY_ERROR_DATA, "the position is none of folders: \"%s\"", text);
  return NULL;
}

static gboolean
get_number (json_object *array, size_t index, guint64 most, guint64 *ret_number)
{
  json_object *number = json_object_array_get_idx (array, index);

  *ret_number = (guint64)json_object_get_int64 (number);
  return json_object_is_type (number, json_type_int) && *ret_number <= most;
}

gboolean
imap_places_get (ImapPlaces *places, const char *name, ImapPlace *ret_place)
{
  json_object *array; /* (unowned) */
  guint64 numbers[5] = { 0 };
  size_t length;

  if (!json_object_object_get_ex (places, name, &array) || !json_object_is_type (array, json_type_array))
    return FALSE;
  length = json_object_array_length (array);
  if (length != 2 && length != 3 && length != 5)
    return FALSE;
  for (size_t i = 0; i < length; i++)
    if (!get_number (array, i, i < 2 ? G_MAXUINT32 : G_MAXINT64, &numbers[i]))
      return FALSE;
  *ret_place = (ImapPlace){ (guint32)numbers[0], (guint32)numbers[1], numbers[2], numbers[3], numbers[4] };
  return TRUE;
}

void
imap_places_set (ImapPlaces *places, const char *name, const ImapPlace *place)
{
  const guint64 numbers[] = { place->validity, place->uid, place->modseq, place->own_first, place->own_last };
  json_object *array = json_object_new_array ();
  guint n = place->own_last > 0 ? 5 : place->modseq > 0 ? 3 : 2;

  for (guint i = 0; i < n; i++)
    json_object_array_add (array, json_object_new_int64 ((gint64)numbers[i]));
  json_object_object_add (places, name, array);
}

const char *
imap_places_format (ImapPlaces *places)
{
  return json_object_to_json_string_ext (places, JSON_C_TO_STRING_PLAIN);
}

void
imap_places_free (ImapPlaces *places)
{
  json_object_put (places);
}
