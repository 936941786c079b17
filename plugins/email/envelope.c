/* envelope.c: what is stored of a mail: to whom it goes, then the message itself */
#include "envelope.h"
#include "value.h"
#include <string.h>

static void
append_text (GString *out, const char *text)
{
  tally_json_append_string ((TallyText){ text, strlen (text) }, out);
}

gboolean
email_envelope_append (const EmailLetter *letter, const char *return_path, GString *out, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  const char *from = return_path != NULL ? return_path : email_addresses_get (letter->lists[EMAIL_FROM], 0);
  gboolean utf8 = !g_str_is_ascii (from);

  g_string_append (out, "{\"id\":");
  append_text (out, letter->message_id);
  g_string_append (out, ",\"from\":");
  append_text (out, from);
  g_string_append (out, ",\"to\":[");
  for (EmailColumn part = EMAIL_TO; part <= EMAIL_BCC; part++)
    for (guint i = 0; i < email_addresses_count (letter->lists[part]); i++)
      {
        const char *address = email_addresses_get (letter->lists[part], i);

        if (!g_hash_table_add (seen, (gpointer) address))
          continue;
        if (g_hash_table_size (seen) > 1)
          g_string_append_c (out, ',');
        append_text (out, address);
        utf8 = utf8 || !g_str_is_ascii (address);
      }
  g_string_append (out, "]}\n");
  if (g_hash_table_size (seen) == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "it goes to nobody: \"to\", \"cc\" and \"bcc\" have no address");
  /* SMTPUTF8 is asked for by the addresses of the envelope. */
  return utf8 || !(email_addresses_need_utf8 (letter->lists[EMAIL_REPLY_TO]) || email_addresses_need_utf8 (letter->lists[EMAIL_FROM]))
         || tally_throw (error, TALLY_ERROR_DATA,
                         "an address has letters beyond ASCII before its \"@\", and no address of the envelope has");
}

static gboolean
read_line (EmailEnvelope *envelope, const char *line)
{
  g_autoptr (json_object) json = email_json_parse (line);
  json_object *to = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gboolean good = TRUE;

  envelope->id = g_strdup (email_json_text (json, "id"));
  envelope->from = g_strdup (email_json_text (json, "from"));
  if (envelope->id == NULL || envelope->from == NULL || !json_object_object_get_ex (json, "to", &to) || !json_object_is_type (to, json_type_array)
      || json_object_array_length (to) == 0)
    return FALSE;
  envelope->mail.needs_utf8 = !g_str_is_ascii (envelope->from);
  for (gsize i = 0; i < json_object_array_length (to) && good; i++)
    {
      json_object *one = json_object_array_get_idx (to, i);

      good = email_json_is_text (one);
      if (good)
        g_strv_builder_add (builder, json_object_get_string (one));
      envelope->mail.needs_utf8 |= good && !g_str_is_ascii (json_object_get_string (one));
    }
  envelope->to = g_strv_builder_end (builder);
  return good;
}

EmailEnvelope *
email_envelope_read (TallyText stored)
{
  const char *end = stored.length > 0 ? memchr (stored.data, '\n', stored.length) : NULL;
  g_autofree char *line = end != NULL ? g_strndup (stored.data, (gsize) (end - stored.data)) : NULL;
  g_autoptr (EmailEnvelope) envelope = g_new0 (EmailEnvelope, 1);

  if (line == NULL || !read_line (envelope, line))
    return NULL;
  envelope->mail.from = envelope->from;
  envelope->mail.to = (const char *const *) envelope->to;
  envelope->mail.message = end + 1;
  envelope->mail.length = stored.length - (gsize) (end + 1 - stored.data);
  return g_steal_pointer (&envelope);
}

void
email_envelope_free (EmailEnvelope *envelope)
{
  if (envelope == NULL)
    return;
  g_free (envelope->id);
  g_free (envelope->from);
  g_strfreev (envelope->to);
  g_free (envelope);
}
