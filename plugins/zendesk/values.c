/* values.c: a batch's values as JSON, each in the way that Zendesk wants it */
#include "values.h"
#include "json.h"
#include "text.h"

#include <string.h>

/* The most that a message shows of a value. */
#define SHOWN 60

char *
zendesk_value_dup_text (const TallyBatch *batch, guint row, guint column)
{
  GString *text = g_string_new (NULL);

  tally_batch_append_value (batch, row, column, text);
  return g_string_free (text, FALSE);
}

static gboolean
refuse (const char *text, const char *what, GError **error)
{
  g_autofree char *shown = zendesk_text_clean (text, strlen (text), SHOWN);

  return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is no %s", shown, what);
}

gboolean
zendesk_value_id (const TallyBatch *batch, guint row, guint column, TallyType type, GString *out,
                  GError **error)
{
  g_autofree char *text = zendesk_value_dup_text (batch, row, column);

  return zendesk_id_append (text, out, error);
}

gboolean
zendesk_id_append (char *text, GString *out, GError **error)
{
  gint64 id;

  if (!g_ascii_string_to_signed (g_strstrip (text), 10, 1, G_MAXINT64 - 1, &id, NULL))
    return refuse (text, "id: a whole number above zero", error);
  g_string_append_printf (out, "%" G_GINT64_FORMAT, id);
  return TRUE;
}

/* PostgreSQL's words of a boolean, without their abbreviations. */
static const struct
{
  const char *word;
  gboolean value;
} booleans[] = {
  { "true", TRUE },  { "t", TRUE },  { "yes", TRUE }, { "y", TRUE }, { "on", TRUE },   { "1", TRUE },
  { "false", FALSE }, { "f", FALSE }, { "no", FALSE }, { "n", FALSE }, { "off", FALSE }, { "0", FALSE },
};

gboolean
zendesk_word_boolean (const char *text, gboolean *ret_value, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (booleans); i++)
    if (g_ascii_strcasecmp (booleans[i].word, text) == 0)
      {
        *ret_value = booleans[i].value;
        return TRUE;
      }
  return refuse (text, "boolean: true or false", error);
}

gboolean
zendesk_value_boolean (const TallyBatch *batch, guint row, guint column, TallyType type,
                       gboolean *ret_value, GError **error)
{
  if (type == TALLY_TYPE_BOOLEAN)
    {
      *ret_value = tally_batch_get_int (batch, row, column) != 0;
      return TRUE;
    }

  g_autofree char *text = zendesk_value_dup_text (batch, row, column);
  return zendesk_word_boolean (g_strstrip (text), ret_value, error);
}

gboolean
zendesk_value_seconds (const TallyBatch *batch, guint row, guint column, TallyType type, gint64 *ret_seconds,
                       GError **error)
{
  gint64 value = tally_batch_get_int (batch, row, column), seconds;
  g_autoptr (GDateTime) time = NULL;

  if (type == TALLY_TYPE_DATE)
    seconds = value * 86400;
  else /* rounded down, before 2000 as well */
    seconds = value / G_USEC_PER_SEC - (value % G_USEC_PER_SEC < 0);
  if (ABS (seconds) < G_GINT64_CONSTANT (1) << 50)
    time = g_date_time_new_from_unix_utc (seconds + TALLY_EPOCH_UNIX);
  if (time == NULL)
    {
      g_autofree char *text = zendesk_value_dup_text (batch, row, column);

      return refuse (text, "time between the years 1 and 9999", error);
    }
  *ret_seconds = seconds + TALLY_EPOCH_UNIX;
  return TRUE;
}

void
zendesk_append_time (gint64 seconds, GString *out)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);
  g_autofree char *text = g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ");

  zendesk_append_string (text, out);
}

gboolean
zendesk_value_time (const TallyBatch *batch, guint row, guint column, TallyType type, GString *out,
                    GError **error)
{
  gint64 seconds = 0;

  if (!zendesk_value_seconds (batch, row, column, type, &seconds, error))
    return FALSE;
  zendesk_append_time (seconds, out);
  return TRUE;
}

gboolean
zendesk_value_list (const TallyBatch *batch, guint row, guint column, GString *out, GError **error)
{
  TallyText json = tally_batch_get_text (batch, row, column);

  if (json.length == 0 || json.data[0] != '[')
    {
      g_autofree char *text = tally_text_dup (json);

      return refuse (text, "JSON array", error);
    }
  g_string_append_len (out, json.data, (gssize) json.length);
  return TRUE;
}

void
zendesk_words_add (GPtrArray *words, char *word)
{
  if (*word == '\0' || g_ptr_array_find_with_equal_func (words, word, g_str_equal, NULL))
    g_free (word);
  else
    g_ptr_array_add (words, word);
}

static void
split_text (const char *text, const char *separators, GPtrArray *words)
{
  g_auto (GStrv) parts = g_strsplit_set (text, separators, -1);

  for (char **part = parts; *part != NULL; part++)
    zendesk_words_add (words, g_strdup (*part));
}

static gboolean
take_elements (json_object *array, const char *separators, GPtrArray *words, GError **error)
{
  for (gsize i = 0; i < json_object_array_length (array); i++)
    {
      json_object *element = json_object_array_get_idx (array, i);
      const char *text = json_object_get_string (element);

      if (element == NULL)
        continue;
      if (json_object_is_type (element, json_type_object)
          || json_object_is_type (element, json_type_array))
        return refuse (text, "text, but an element of the array", error);
      if (strpbrk (text, separators) != NULL)
        return refuse (text, "single word: a blank or comma would make two of it", error);
      zendesk_words_add (words, g_strdup (text));
    }
  return TRUE;
}

GPtrArray *
zendesk_value_words (const TallyBatch *batch, guint row, guint column, TallyType type,
                     const char *separators, GError **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *text = zendesk_value_dup_text (batch, row, column);

  if (type != TALLY_TYPE_JSONB)
    {
      split_text (text, separators, words);
      return g_steal_pointer (&words);
    }

  g_autoptr (json_object) json = zendesk_json_parse (text, strlen (text));
  if (json_object_is_type (json, json_type_string))
    split_text (json_object_get_string (json), separators, words);
  else if (!json_object_is_type (json, json_type_array))
    {
      refuse (text, "JSON array", error);
      return NULL;
    }
  else if (!take_elements (json, separators, words, error))
    return NULL;
  return g_steal_pointer (&words);
}

void
zendesk_words_append (const GPtrArray *words, GString *out)
{
  g_string_append_c (out, '[');
  for (guint i = 0; i < words->len; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      zendesk_append_string (words->pdata[i], out);
    }
  g_string_append_c (out, ']');
}

void
zendesk_append_string (const char *text, GString *out)
{
  tally_json_append_string ((TallyText){ text, strlen (text) }, out);
}
