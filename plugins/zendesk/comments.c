/* comments.c: the conversation of an imported ticket */
#include "comments.h"
#include "parts.h"
#include "text.h"
#include "values.h"

#include <string.h>

static const char *const known[] = { "author_id", "created_at", "body", "html_body", "public", "attachments" };

void
zendesk_comment_free (ZendeskComment *comment)
{
  if (comment == NULL)
    return;
  g_free (comment->text);
  g_free (comment->files);
  g_free (comment);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZendeskComment, zendesk_comment_free)

/* --- reading --- */

/* Zendesk drops what it does not know without a word. */
static gboolean
check_names (json_object *object, GError **error)
{
  json_object_object_foreach (object, name, value)
    {
      gboolean found = FALSE;

      for (guint i = 0; i < G_N_ELEMENTS (known); i++)
        found |= g_str_equal (known[i], name);
      if (found)
        continue;

      g_autofree char *shown = zendesk_text_clean (name, strlen (name), 60);
      return tally_throw (error, TALLY_ERROR_DATA,
                          "\"%s\" is no member of a comment, which has: author_id, created_at, body or html_body, "
                          "public, attachments; \"columns\" of the lookup chooses and renames", shown);
    }
  return TRUE;
}

static gboolean
refuse (json_object *value, const char *what, GError **error)
{
  const char *text = json_object_get_string (value);
  g_autofree char *shown = zendesk_text_clean (text, strlen (text), 60);

  return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is no %s", shown, what);
}

static gboolean
read_author (const ZendeskRender *render, json_object *value, ZendeskComment *comment, guint *ret_notes, GError **error)
{
  if (value == NULL && render->placeholder == 0)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "author_id: it has no author; \"placeholder\" names a user for those who are not known");
  if (value == NULL)
    {
      comment->author_id = render->placeholder;
      *ret_notes |= ZENDESK_NOTE_PLACEHOLDER;
      return TRUE;
    }
  if (json_object_is_type (value, json_type_int))
    comment->author_id = json_object_get_int64 (value);
  else if (!json_object_is_type (value, json_type_string)
           || !g_ascii_string_to_signed (json_object_get_string (value), 10, 1, G_MAXINT64 - 1, &comment->author_id, NULL))
    comment->author_id = 0;
  if (zendesk_json_is_id (comment->author_id))
    return TRUE;
  refuse (value, "id: a whole number above zero", error);
  return tally_throw_prefix (error, "author_id");
}

/* ISO 8601; without a zone it is UTC. */
static gboolean
read_time (const ZendeskRender *render, json_object *value, ZendeskComment *comment, GError **error)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = NULL;

  if (value == NULL)
    return TRUE;
  if (json_object_is_type (value, json_type_string))
    time = g_date_time_new_from_iso8601 (json_object_get_string (value), utc);
  if (time == NULL)
    {
      refuse (value, "time, as \"2012-06-01T10:00:00Z\" is one", error);
      return tally_throw_prefix (error, "created_at");
    }
  comment->has_time = TRUE;
  comment->time = g_date_time_to_unix (time) * G_USEC_PER_SEC + g_date_time_get_microsecond (time);
  if (!zendesk_render_check_time (render, comment->time / G_USEC_PER_SEC, error))
    return tally_throw_prefix (error, "created_at");
  return TRUE;
}

static gboolean
read_public (json_object *value, ZendeskComment *comment, GError **error)
{
  comment->is_public = TRUE;
  if (value == NULL)
    return TRUE;
  if (json_object_is_type (value, json_type_boolean))
    comment->is_public = json_object_get_boolean (value);
  else if (!zendesk_word_boolean (json_object_get_string (value), &comment->is_public, error))
    return tally_throw_prefix (error, "public");
  return TRUE;
}

static gboolean
read_text (json_object *object, ZendeskComment *comment, GError **error)
{
  json_object *body = zendesk_json_get (object, "body"), *html = zendesk_json_get (object, "html_body");
  json_object *value = html != NULL ? html : body;
  const char *name = html != NULL ? "html_body" : "body";

  if (body != NULL && html != NULL)
    return tally_throw (error, TALLY_ERROR_DATA, "both \"body\" and \"html_body\" are given; only one can count");
  if (value != NULL && !json_object_is_type (value, json_type_string))
    {
      refuse (value, "text", error);
      return tally_throw_prefix (error, "%s", name);
    }
  comment->is_html = html != NULL;
  comment->text = value != NULL ? g_strdup (json_object_get_string (value)) : NULL;
  if (value != NULL && strlen (comment->text) != (gsize) json_object_get_string_len (value))
    return tally_throw (error, TALLY_ERROR_DATA, "%s: there is a NUL in the text", name);
  if (!zendesk_text_is_blank (comment->text))
    return TRUE;
  return tally_throw (error, TALLY_ERROR_DATA, "it has no text, and Zendesk takes no comment without; a \"filter\" in the "
                      "lookup leaves it out, a \"set\" there gives it one");
}

static gboolean
read_files (const ZendeskRender *render, json_object *value, ZendeskComment *comment, GError **error)
{
  GString *out = g_string_new (NULL);
  guint n = 0;
  gboolean good = zendesk_files_append (render->files, value, out, &n, error);

  comment->files = g_string_free (out, n == 0);
  return good || tally_throw_prefix (error, "attachments");
}

static gboolean
read_comment (const ZendeskRender *render, json_object *object, ZendeskComment *comment, guint *ret_notes, GError **error)
{
  if (!json_object_is_type (object, json_type_object))
    return tally_throw (error, TALLY_ERROR_DATA, "it is no object");
  return check_names (object, error)
         && read_author (render, zendesk_json_get (object, "author_id"), comment, ret_notes, error)
         && read_time (render, zendesk_json_get (object, "created_at"), comment, error)
         && read_public (zendesk_json_get (object, "public"), comment, error) && read_text (object, comment, error)
         && read_files (render, zendesk_json_get (object, "attachments"), comment, error);
}

GPtrArray *
zendesk_comments_parse (const ZendeskRender *render, const char *json, guint *ret_notes, GError **error)
{
  g_autoptr (json_object) list = zendesk_json_parse (json, strlen (json));
  g_autoptr (GPtrArray) comments = g_ptr_array_new_with_free_func ((GDestroyNotify) zendesk_comment_free);

  if (!json_object_is_type (list, json_type_array))
    {
      tally_throw (error, TALLY_ERROR_DATA, "it is no JSON array");
      return NULL;
    }
  for (gsize i = 0; i < json_object_array_length (list); i++)
    {
      ZendeskComment *comment = g_new0 (ZendeskComment, 1);

      comment->place = (guint) i + 1;
      g_ptr_array_add (comments, comment);
      if (!read_comment (render, json_object_array_get_idx (list, i), comment, ret_notes, error))
        {
          tally_throw_prefix (error, "comment %u", comment->place);
          return NULL;
        }
    }
  return g_steal_pointer (&comments);
}

/* --- order --- */

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  const ZendeskComment *one = *(ZendeskComment *const *) a, *other = *(ZendeskComment *const *) b;

  if (one->time != other->time)
    return one->time < other->time ? -1 : 1;
  return one->place < other->place ? -1 : one->place > other->place;
}

/* What has no time would be of the moment of the import, and stand last. */
gboolean
zendesk_comments_order (GPtrArray *comments, GError **error)
{
  guint n_timed = 0, untimed = 0;

  for (guint i = 0; i < comments->len; i++)
    if (((const ZendeskComment *) comments->pdata[i])->has_time)
      n_timed++;
    else
      untimed = ((const ZendeskComment *) comments->pdata[i])->place;
  if (n_timed > 0 && n_timed < comments->len)
    return tally_throw (error, TALLY_ERROR_DATA, "comment %u: it has no \"created_at\", but others have", untimed);
  if (n_timed > 0)
    g_ptr_array_sort (comments, compare_times);
  return TRUE;
}

/* --- length --- */

/* Further comments of the same author and time, for what does not fit into one. */
static gboolean
split_comment (const ZendeskRender *render, const ZendeskComment *comment, const char *reference, GPtrArray *into,
               GError **error)
{
  gsize length = strlen (comment->text);
  g_autoptr (GPtrArray) parts = NULL;

  if (comment->is_html || render->long_body == ZENDESK_LONG_REJECT)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "comment %u: its text has %" G_GSIZE_FORMAT " bytes, and Zendesk would cut it off after %d%s",
                        comment->place, length, ZENDESK_MAX_BODY,
                        comment->is_html ? "" : "; \"long-body: split\" makes several comments of it");
  parts = zendesk_parts_split (comment->text, ZENDESK_MAX_BODY, ZENDESK_MAX_COMMENTS, reference);
  for (guint i = 0; parts != NULL && i < parts->len; i++)
    {
      ZendeskComment *part = g_memdup2 (comment, sizeof *comment);

      part->text = g_strdup (parts->pdata[i]);
      part->files = i == 0 ? g_strdup (comment->files) : NULL;
      g_ptr_array_add (into, part);
    }
  return parts != NULL
         || tally_throw (error, TALLY_ERROR_DATA, "comment %u: its text is too long for any number of comments",
                         comment->place);
}

/* (transfer full) (nullable) all, each of which fits. */
static GPtrArray *
cut_all (const ZendeskRender *render, const GPtrArray *comments, const char *reference, guint *ret_notes, GError **error)
{
  g_autoptr (GPtrArray) cut = g_ptr_array_new_with_free_func ((GDestroyNotify) zendesk_comment_free);

  for (guint i = 0; i < comments->len; i++)
    {
      ZendeskComment *comment = comments->pdata[i];
      char *escaped = zendesk_text_escape_braces (comment->text, comment->is_html);

      if (escaped != NULL)
        {
          g_free (comment->text);
          comment->text = escaped;
          *ret_notes |= ZENDESK_NOTE_ESCAPED;
        }
      if (strlen (comment->text) > ZENDESK_MAX_BODY)
        {
          if (!split_comment (render, comment, reference, cut, error))
            return NULL;
          continue;
        }
      ZendeskComment *whole = g_memdup2 (comment, sizeof *comment);
      whole->text = g_strdup (comment->text);
      whole->files = g_strdup (comment->files);
      g_ptr_array_add (cut, whole);
    }
  return g_steal_pointer (&cut);
}

/* --- writing --- */

static void
append_comment (const ZendeskComment *comment, GString *out)
{
  g_string_append_c (out, '{');
  if (comment->author_id != 0)
    g_string_append_printf (out, "\"author_id\":%" G_GINT64_FORMAT ",", comment->author_id);
  if (comment->has_time)
    {
      g_string_append (out, "\"created_at\":");
      zendesk_append_time (comment->time / G_USEC_PER_SEC, out);
      g_string_append_c (out, ',');
    }
  g_string_append_printf (out, "\"%s\":", comment->is_html ? "html_body" : "body");
  zendesk_append_string (comment->text, out);
  g_string_append_printf (out, ",\"public\":%s", comment->is_public ? "true" : "false");
  if (comment->files != NULL)
    g_string_append_printf (out, ",\"uploads\":%s", comment->files);
  g_string_append_c (out, '}');
}

gboolean
zendesk_comments_append (const ZendeskRender *render, const GPtrArray *comments, const char *reference, GString *out,
                         guint *ret_notes, GError **error)
{
  g_autoptr (GPtrArray) cut = cut_all (render, comments, reference, ret_notes, error);

  if (cut == NULL)
    return FALSE;
  if (cut->len > ZENDESK_MAX_COMMENTS)
    return tally_throw (error, TALLY_ERROR_DATA, "there are %u comments, and a ticket takes %d", cut->len,
                        ZENDESK_MAX_COMMENTS);
  g_string_append_c (out, '[');
  for (guint i = 0; i < cut->len; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      append_comment (cut->pdata[i], out);
    }
  g_string_append_c (out, ']');
  return TRUE;
}
