/* flags.c: what a mailbox keeps of a message beside its words */
#include "flags.h"
#include "mime.h"
#include <string.h>

static const char *const names[] = { "seen", "answered", "flagged", "draft", "deleted", "passed" };
/* The same as letters: a Maildir's, an mbox's. */
static const char maildir_letters[] = "SRFDTP", mbox_letters[] = "RAFTD";

typedef struct
{
  guint known;         /* a bit for each name */
  GPtrArray *keywords; /* (owned) */
} Flags;

static void
add_letters (Flags *flags, const char *letters, gsize length, const char *order)
{
  for (gsize i = 0; i < length && letters[i] != '\0'; i++)
    {
      const char *found = strchr (order, letters[i]);

      if (found != NULL)
        flags->known |= 1U << (found - order);
    }
}

/* \Recent is this session's, and * no flag at all. */
static void
add_word (Flags *flags, const char *word)
{
  g_autofree char *name = word[0] == '\\' ? g_ascii_strdown (word + 1, -1) : g_strdup (word);

  for (guint i = 0; word[0] == '\\' && i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (name, names[i]))
      {
        flags->known |= 1U << i;
        return;
      }
  if (*name != '\0' && !g_str_equal (word, "\\*") && g_ascii_strcasecmp (word, "\\Recent") != 0)
    g_ptr_array_add (flags->keywords, g_steal_pointer (&name));
}

static int
compare_words (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static void
append_word (const char *word, GString *json)
{
  g_string_append (json, json->len > 1 ? ", " : "");
  mime_append_json (word, json);
}

static char *
end (Flags *flags)
{
  GString *json = g_string_new ("[");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (flags->known & 1U << i)
      append_word (names[i], json);
  g_ptr_array_sort (flags->keywords, compare_words);
  for (guint i = 0; i < flags->keywords->len; i++)
    if (i == 0 || !g_str_equal (g_ptr_array_index (flags->keywords, i), g_ptr_array_index (flags->keywords, i - 1)))
      append_word (g_ptr_array_index (flags->keywords, i), json);
  g_ptr_array_unref (flags->keywords);
  return g_string_free (g_string_append_c (json, ']'), FALSE);
}

static Flags
begin (void)
{
  return (Flags){ .keywords = g_ptr_array_new_with_free_func (g_free) };
}

char *
mail_flags_from_imap (TallyText list)
{
  g_autofree char *text = g_strndup (list.data, list.length);
  g_auto (GStrv) words = g_strsplit_set (text, " ()", -1);
  Flags flags = begin ();

  for (char **word = words; *word != NULL; word++)
    add_word (&flags, *word);
  return end (&flags);
}

char *
mail_flags_from_maildir (const char *file)
{
  const char *info = strrchr (file, ':');
  Flags flags = begin ();

  if (info != NULL && g_str_has_prefix (info, ":2,"))
    add_letters (&flags, info + 3, strlen (info + 3), maildir_letters);
  return end (&flags);
}

/* What follows a field's name at a line's beginning; NULL if another field does. */
static const char *
value_of (const char *line, const char *end, const char *field)
{
  gsize length = strlen (field);

  return (gsize)(end - line) >= length && g_ascii_strncasecmp (line, field, length) == 0 ? line + length : NULL;
}

char *
mail_flags_from_mbox (TallyText message)
{
  const char *line = message.data, *last = message.data + message.length;
  Flags flags = begin ();
  gboolean found = FALSE;

  for (const char *line_end; line < last && *line != '\n' && *line != '\r'; line = line_end + 1)
    {
      const char *value;

      line_end = memchr (line, '\n', (gsize)(last - line));
      line_end = line_end != NULL ? line_end : last - 1;
      value = value_of (line, line_end, "Status:");
      value = value != NULL ? value : value_of (line, line_end, "X-Status:");
      found |= value != NULL;
      if (value != NULL)
        add_letters (&flags, value, (gsize)(line_end - value), mbox_letters);
    }
  g_autofree char *json = end (&flags);

  return found ? g_steal_pointer (&json) : NULL;
}
