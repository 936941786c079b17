/* diagnostic.c: the line, the caret and the hint */
#include "diagnostic.h"
#include <string.h>
#include <tallyman/batch.h>

/* Of a very long line this much is shown, from a little before the mistake. */
#define MAX_SHOWN 140
#define SHOWN_BEFORE 60

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define CYAN "\033[36m"
#define PLAIN "\033[0m"

void
tally_diagnostic_free (TallyDiagnostic *diagnostic)
{
  if (diagnostic == NULL)
    return;

  g_free (diagnostic->file);
  g_free (diagnostic->message);
  g_free (diagnostic->hint);
  g_free (diagnostic);
}

/* Text of a stranger must not steer the terminal. */
static void
append_harmless (const char *text, GString *out)
{
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar character = g_utf8_get_char (at);

      if (character == '\n' || !g_unichar_iscntrl (character))
        g_string_append_unichar (out, character);
      else
        g_string_append_c (out, ' ');
    }
}

static const char *
find_line (const char *source, guint line, gsize *ret_length)
{
  for (guint i = 1; i < line; i++)
    {
      source = strchr (source, '\n');
      if (source == NULL)
        return NULL;
      source++;
    }

  *ret_length = strcspn (source, "\r\n");
  return source;
}

static void
append_excerpt (const TallyDiagnostic *diagnostic, const char *source, gboolean colour,
                GString *out)
{
  gsize length;
  const char *line = find_line (source, diagnostic->line, &length), *from, *mark, *end;
  glong n_characters, column = diagnostic->column - 1, first;

  if (line == NULL)
    return;

  n_characters = g_utf8_strlen (line, length);
  column = MIN (column, n_characters);
  first = n_characters > MAX_SHOWN && column > SHOWN_BEFORE ? column - SHOWN_BEFORE : 0;
  from = g_utf8_offset_to_pointer (line, first);
  mark = g_utf8_offset_to_pointer (line, column);
  end = g_utf8_offset_to_pointer (line, MIN (n_characters, first + MAX_SHOWN));

  g_autofree char *shown = g_strndup (from, end - from);
  g_string_append_printf (out, "%5u | %s", diagnostic->line, first > 0 ? "…" : "");
  append_harmless (shown, out);
  g_string_append_printf (out, "%s\n      | %s", end < line + length ? "…" : "",
                          first > 0 ? " " : "");
  for (const char *at = from; at < mark; at = g_utf8_next_char (at))
    g_string_append (out, g_unichar_iswide (g_utf8_get_char (at)) ? "  " : " ");
  g_string_append (out, colour ? RED "^" : "^");
  for (glong i = 1;
       i < (glong) diagnostic->length && column + i < MIN (n_characters, first + MAX_SHOWN); i++)
    g_string_append_c (out, '~');
  g_string_append (out, colour ? PLAIN "\n" : "\n");
}

void
tally_diagnostic_format (const TallyDiagnostic *diagnostic, const char *source, gboolean colour,
                         GString *out)
{
  gboolean error = diagnostic->severity == TALLY_SEVERITY_ERROR;

  if (colour)
    g_string_append (out, BOLD);
  append_harmless (diagnostic->file, out);
  if (diagnostic->line > 0 && diagnostic->column > 0)
    g_string_append_printf (out, ":%u:%u", diagnostic->line, diagnostic->column);
  g_string_append (out, ": ");
  if (colour)
    g_string_append (out, error ? RED : YELLOW);
  g_string_append (out, error ? "error: " : "warning: ");
  if (colour)
    g_string_append (out, PLAIN);
  append_harmless (diagnostic->message, out);
  g_string_append_c (out, '\n');

  if (source != NULL && diagnostic->line > 0 && diagnostic->column > 0)
    append_excerpt (diagnostic, source, colour, out);
  if (diagnostic->hint == NULL)
    return;

  g_string_append (out, colour ? CYAN "hint: " PLAIN : "hint: ");
  append_harmless (diagnostic->hint, out);
  g_string_append_c (out, '\n');
}

static void
append_json_member (const char *name, const char *value, GString *out)
{
  g_string_append_printf (out, "\"%s\":", name);
  if (value == NULL)
    g_string_append (out, "null");
  else
    tally_json_append_string ((TallyText) { .data = value, .length = strlen (value) }, out);
}

void
tally_diagnostic_format_json (const TallyDiagnostic *diagnostic, GString *out)
{
  g_string_append_printf (out, "{\"severity\":\"%s\",",
                          diagnostic->severity == TALLY_SEVERITY_ERROR ? "error" : "warning");
  append_json_member ("file", diagnostic->file, out);
  g_string_append_printf (out, ",\"line\":%u,\"column\":%u,\"length\":%u,", diagnostic->line,
                          diagnostic->column, diagnostic->length);
  append_json_member ("message", diagnostic->message, out);
  g_string_append_c (out, ',');
  append_json_member ("hint", diagnostic->hint, out);
  g_string_append_c (out, '}');
}
