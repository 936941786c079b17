/* update.c: what is asked of a ticket that is there, and whether it has been done */
#include "update.h"
#include "values.h"

#include <string.h>

#define MARK_DIGITS 12

char *
zendesk_update_mark (const char *reference)
{
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, reference, -1);

  return g_strdup_printf ("[tallyman %.*s]", MARK_DIGITS, hash);
}

gboolean
zendesk_update_read (ZendeskUpdate *update, TallyText stored)
{
  const char *end = stored.length > 0 ? memchr (stored.data, '\n', stored.length) : NULL;
  g_autofree char *id = end != NULL ? g_strndup (stored.data, (gsize) (end - stored.data)) : NULL;
  g_autoptr (json_object) request = NULL;
  json_object *ticket;

  *update = (ZendeskUpdate){ 0 };
  if (id == NULL || !g_ascii_string_to_signed (id, 10, 1, G_MAXINT64 - 1, &update->id, NULL))
    return FALSE;
  update->request = (TallyText){ end + 1, stored.length - (gsize) (end + 1 - stored.data) };
  request = zendesk_json_parse (update->request.data, update->request.length);
  ticket = zendesk_json_get (request, "ticket");
  if (!json_object_is_type (ticket, json_type_object))
    return FALSE;
  update->ticket = json_object_get (ticket);
  update->comments = zendesk_json_get (ticket, "comment") != NULL;
  return TRUE;
}

void
zendesk_update_clear (ZendeskUpdate *update)
{
  json_object_put (update->ticket);
  update->ticket = NULL;
}

/* --- whether it has been done --- */

static gboolean
is_same (json_object *wanted, json_object *found)
{
  return found != NULL && g_str_equal (json_object_get_string (wanted), json_object_get_string (found));
}

static gboolean
has_element (json_object *list, json_object *wanted)
{
  for (gsize i = 0; i < json_object_array_length (list); i++)
    if (is_same (wanted, json_object_array_get_idx (list, i)))
      return TRUE;
  return FALSE;
}

/* The same words, in whatever order. */
static gboolean
is_same_set (json_object *wanted, json_object *found)
{
  if (!json_object_is_type (found, json_type_array)
      || json_object_array_length (found) != json_object_array_length (wanted))
    return FALSE;
  for (gsize i = 0; i < json_object_array_length (wanted); i++)
    if (!has_element (found, json_object_array_get_idx (wanted, i)))
      return FALSE;
  return TRUE;
}

static gboolean
is_same_value (json_object *wanted, json_object *found)
{
  return json_object_is_type (wanted, json_type_array) ? is_same_set (wanted, found) : is_same (wanted, found);
}

/* [{"id":…,"value":…}]: those that are wanted are among those that there are. */
static gboolean
has_fields (json_object *wanted, json_object *found)
{
  gsize n = json_object_is_type (found, json_type_array) ? json_object_array_length (found) : 0;

  for (gsize i = 0; i < json_object_array_length (wanted); i++)
    {
      json_object *field = json_object_array_get_idx (wanted, i);
      gsize k = 0;

      while (k < n && !is_same (zendesk_json_get (field, "id"), zendesk_json_get (json_object_array_get_idx (found, k), "id")))
        k++;
      if (k == n || !is_same_value (zendesk_json_get (field, "value"),
                                    zendesk_json_get (json_object_array_get_idx (found, k), "value")))
        return FALSE;
    }
  return TRUE;
}

/* What a ticket does not show in the form in which it was sent (email_ccs, followers) counts as not done: it is put there
 * once more, which changes nothing. */
static gboolean
is_done (json_object *wanted, json_object *ticket)
{
  json_object_object_foreach (wanted, name, value)
    {
      json_object *found = zendesk_json_get (ticket, name);

      if (g_str_equal (name, "comment"))
        continue;
      if (!(g_str_equal (name, "custom_fields") ? has_fields (value, found) : is_same_value (value, found)))
        return FALSE;
    }
  return TRUE;
}

gboolean
zendesk_updatable_read (const ZendeskUpdate *update, const char *text, gsize length, ZendeskUpdatable *ret_ticket)
{
  g_autoptr (json_object) body = zendesk_json_parse (text, length);
  json_object *ticket = zendesk_json_get (body, "ticket");
  const char *updated_at = zendesk_json_get_text (ticket, "updated_at");
  gint64 id;

  if (!zendesk_json_get_id (ticket, "id", &id) || id != update->id || updated_at == NULL)
    return FALSE;
  ret_ticket->updated_at = g_strdup (updated_at);
  ret_ticket->closed = g_strcmp0 (zendesk_json_get_text (ticket, "status"), "closed") == 0;
  ret_ticket->done = is_done (update->ticket, ticket);
  return TRUE;
}

/* --- the comment --- */

static gboolean
has_mark (json_object *comment, const char *name, const char *mark)
{
  const char *text = zendesk_json_get_text (comment, name);

  return text != NULL && strstr (text, mark) != NULL;
}

gboolean
zendesk_update_find_mark (const char *text, gsize length, const char *mark, gboolean *ret_found, gboolean *ret_more)
{
  g_autoptr (json_object) page = zendesk_json_parse (text, length);
  json_object *comments = zendesk_json_get_array (page, "comments");

  if (comments == NULL)
    return FALSE;
  *ret_found = FALSE;
  for (gsize i = 0; i < json_object_array_length (comments) && !*ret_found; i++)
    {
      json_object *comment = json_object_array_get_idx (comments, i);

      *ret_found = has_mark (comment, "body", mark) || has_mark (comment, "plain_body", mark)
                   || has_mark (comment, "html_body", mark);
    }
  *ret_more = zendesk_json_get_text (page, "next_page") != NULL;
  return TRUE;
}

char *
zendesk_update_stamp (TallyText request, const char *updated_at)
{
  GString *out = g_string_new_len (request.data, (gssize) request.length);

  g_string_truncate (out, out->len - strlen ("}}"));
  g_string_append (out, ",\"safe_update\":true,\"updated_stamp\":");
  zendesk_append_string (updated_at, out);
  g_string_append (out, "}}");
  return g_string_free (out, FALSE);
}
