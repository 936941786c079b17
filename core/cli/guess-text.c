/* guess-text.c: what a stranger's file says, quoted for SQL and for YAML */
#include "guess-text.h"

void
guess_append_identifier (GString *out, const char *name)
{
  g_string_append_c (out, '"');
  for (; *name != '\0'; name++)
    {
      if (*name == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *name);
    }
  g_string_append_c (out, '"');
}

static gboolean
is_breaking (gunichar character)
{
  return g_unichar_iscntrl (character) || character == 0x2028 || character == 0x2029 || character == 0xfeff;
}

static gboolean
has_breaking (const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    if (is_breaking (g_utf8_get_char (text)))
      return TRUE;

  return FALSE;
}

void
guess_append_literal (GString *out, const char *text)
{
  gboolean escapes = has_breaking (text);

  g_string_append (out, escapes ? "E'" : "'");
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar character = g_utf8_get_char (text);

      if (character == '\'' || (escapes && character == '\\'))
        g_string_append_c (out, (char) character);
      if (character == '\n')
        g_string_append (out, "\\n");
      else if (is_breaking (character))
        g_string_append_printf (out, "\\u%04x", character);
      else
        g_string_append_unichar (out, character);
    }
  g_string_append_c (out, '\'');
}

/* Words that YAML, or an older one, takes for something else than text. */
static gboolean
is_plain (const char *text)
{
  static const char *const taken[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n", NULL };
  g_autofree char *lower = g_ascii_strdown (text, -1);

  if (!g_ascii_isalpha (*text) || g_strv_contains (taken, lower))
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && *text != '_' && *text != '.' && *text != '-')
      return FALSE;
  return TRUE;
}

void
guess_append_yaml (GString *out, const char *text)
{
  if (is_plain (text))
    {
      g_string_append (out, text);
      return;
    }

  g_string_append_c (out, '"');
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar character = g_utf8_get_char (text);

      if (character == '"' || character == '\\')
        g_string_append_printf (out, "\\%c", (char) character);
      else if (is_breaking (character))
        g_string_append_printf (out, "\\u%04x", character);
      else
        g_string_append_unichar (out, character);
    }
  g_string_append_c (out, '"');
}

void
guess_append_comment (GString *out, const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar character = g_utf8_get_char (text);

      g_string_append_unichar (out, is_breaking (character) ? ' ' : character);
    }
}

void
guess_append_entry (GString *out, guint indent, const char *name, const char *value)
{
  g_string_append_printf (out, "%*s", (int) indent, "");
  guess_append_yaml (out, name);
  g_string_append (out, ": ");
  guess_append_yaml (out, value);
  g_string_append_c (out, '\n');
}

/* A block needs no quoting: expressions have no line breaks in their texts, and those between their parts fold to blanks. */
void
guess_append_expression (GString *out, const char *column, const char *expression)
{
  g_auto (GStrv) lines = g_strsplit (expression, "\n", -1);

  g_string_append (out, "      ");
  guess_append_yaml (out, column);
  g_string_append (out, ": >-\n");
  for (char **line = lines; *line != NULL; line++)
    g_string_append_printf (out, "        %s\n", *line);
}

char *
guess_escape_reference (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "$", -1);

  return g_strjoinv ("$$", parts);
}
