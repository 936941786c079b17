/* parts.c: a text that is too long for one comment */
#include "parts.h"
#include "json.h"
#include "text.h"
#include "values.h"

#include <string.h>

/* Room for a mark and the line breaks around it. */
#define MARK_ROOM 64
/* Of the reference's hash, enough to tell one text's parts from another's. */
#define MARK_DIGITS 12

/* [part 2 of 3, tallyman 0123456789ab]: nothing in it is touched by Markdown, or by the collapsing of
 * blanks. */
static char *
make_mark (guint part, guint n_parts, const char *reference)
{
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, reference, -1);

  return g_strdup_printf ("[part %u of %u, tallyman %.*s]", part, n_parts, MARK_DIGITS, hash);
}

/* Adds the marks, now that the number of parts is known. */
static void
mark_parts (GPtrArray *parts, const char *reference)
{
  for (guint i = 0; i < parts->len; i++)
    {
      g_autofree char *mark = make_mark (i + 1, parts->len, reference);
      g_autofree char *text = parts->pdata[i];

      parts->pdata[i] = i == 0 ? g_strdup_printf ("%s\n\n%s", text, mark)
                               : g_strdup_printf ("%s\n\n%s", mark, text);
    }
}

GPtrArray *
zendesk_parts_split (const char *text, gsize max, guint most, const char *reference)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);
  gsize left = strlen (text), room = max - MARK_ROOM;

  while (left > 0)
    {
      gsize length = left > room ? zendesk_text_cut (text, room) : left;

      if (parts->len == most)
        return NULL;
      g_ptr_array_add (parts, g_strndup (text, length));
      text += length;
      left -= length;
    }
  mark_parts (parts, reference);
  return g_steal_pointer (&parts);
}

TallyText
zendesk_parts_first (TallyText stored)
{
  const char *end = stored.length > 0 ? memchr (stored.data, '\n', stored.length) : NULL;

  return (TallyText){ stored.data, end != NULL ? (gsize) (end - stored.data) : stored.length };
}

gboolean
zendesk_parts_further (TallyText stored, GPtrArray **ret_parts)
{
  TallyText first = zendesk_parts_first (stored);
  g_autoptr (GPtrArray) parts = NULL;
  g_autoptr (json_object) list = NULL;

  if (first.length == stored.length)
    {
      *ret_parts = NULL;
      return TRUE;
    }
  list = zendesk_json_parse (stored.data + first.length + 1, stored.length - first.length - 1);
  if (!json_object_is_type (list, json_type_array) || json_object_array_length (list) == 0)
    return FALSE;

  parts = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; i < json_object_array_length (list); i++)
    {
      json_object *part = json_object_array_get_idx (list, i);

      if (!json_object_is_type (part, json_type_string))
        return FALSE;
      g_ptr_array_add (parts, g_strdup (json_object_get_string (part)));
    }
  *ret_parts = g_steal_pointer (&parts);
  return TRUE;
}

void
zendesk_thread_init (ZendeskThread *thread, const char *reference, guint n_parts)
{
  *thread = (ZendeskThread){ .reference = reference, .n_parts = n_parts, .n_present = 1 };
}

/* The number of the part that a comment is, or 0. */
static guint
find_part (const ZendeskThread *thread, const char *body)
{
  while (g_ascii_isspace (*body))
    body++;
  for (guint part = 2; part <= thread->n_parts && *body == '['; part++)
    {
      g_autofree char *mark = make_mark (part, thread->n_parts, thread->reference);

      if (g_str_has_prefix (body, mark))
        return part;
    }
  return 0;
}

static void
read_comment (ZendeskThread *thread, json_object *comment)
{
  const char *plain = zendesk_json_get_text (comment, "plain_body");
  const char *body = zendesk_json_get_text (comment, "body");
  guint part;

  if (thread->n_comments++ == 0)
    {
      zendesk_json_get_id (comment, "author_id", &thread->author_id);
      thread->is_public = json_object_get_boolean (zendesk_json_get (comment, "public"));
    }
  part = find_part (thread, body != NULL ? body : "");
  if (part == 0)
    part = find_part (thread, plain != NULL ? plain : "");
  if (part == thread->n_present + 1)
    thread->n_present = part;
  else if (part > thread->n_present + 1)
    thread->gap = TRUE;
}

gboolean
zendesk_thread_read (ZendeskThread *thread, const char *text, gsize length)
{
  g_autoptr (json_object) page = zendesk_json_parse (text, length);
  json_object *comments = zendesk_json_get_array (page, "comments");

  if (comments == NULL)
    return FALSE;
  for (gsize i = 0; i < json_object_array_length (comments); i++)
    read_comment (thread, json_object_array_get_idx (comments, i));
  thread->more = zendesk_json_get_text (page, "next_page") != NULL;
  return TRUE;
}

gboolean
zendesk_ticket_read (const char *text, gsize length, gint64 id, char **ret_updated_at,
                     gboolean *ret_solved)
{
  g_autoptr (json_object) body = zendesk_json_parse (text, length);
  json_object *ticket = zendesk_json_get (body, "ticket");
  const char *updated_at = zendesk_json_get_text (ticket, "updated_at");
  gint64 found;

  if (!zendesk_json_get_id (ticket, "id", &found) || found != id || updated_at == NULL)
    return FALSE;
  *ret_updated_at = g_strdup (updated_at);
  *ret_solved = g_strcmp0 (zendesk_json_get_text (ticket, "status"), "solved") == 0;
  return TRUE;
}

char *
zendesk_parts_update (const ZendeskThread *thread, const char *part, const char *updated_at,
                      gboolean solved)
{
  GString *out = g_string_new ("{\"ticket\":{\"comment\":{\"body\":");

  zendesk_append_string (part, out);
  g_string_append_printf (out, ",\"public\":%s", thread->is_public ? "true" : "false");
  if (thread->author_id != 0)
    g_string_append_printf (out, ",\"author_id\":%" G_GINT64_FORMAT, thread->author_id);
  g_string_append (out, "},");
  if (solved) /* a requester's comment would open the ticket again */
    g_string_append (out, "\"status\":\"solved\",");
  g_string_append (out, "\"safe_update\":true,\"updated_stamp\":");
  zendesk_append_string (updated_at, out);
  g_string_append (out, "}}");
  return g_string_free (out, FALSE);
}
