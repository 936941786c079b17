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
get_number (json_object *array, size_t index, guint32 *ret_number)
{
  gint64 number = json_object_get_int64 (json_object_array_get_idx (array, index));

  *ret_number = (guint32)CLAMP (number, 0, G_MAXUINT32);
  return number == *ret_number;
}

gboolean
imap_places_get (ImapPlaces *places, const char *name, ImapPlace *ret_place)
{
  json_object *array; /* (unowned) */

  return json_object_object_get_ex (places, name, &array) && json_object_is_type (array, json_type_array)
         && json_object_array_length (array) == 2 && get_number (array, 0, &ret_place->validity)
         && get_number (array, 1, &ret_place->uid);
}

void
imap_places_set (ImapPlaces *places, const char *name, const ImapPlace *place)
{
  json_object *array = json_object_new_array ();

  json_object_array_add (array, json_object_new_int64 (place->validity));
  json_object_array_add (array, json_object_new_int64 (place->uid));
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
