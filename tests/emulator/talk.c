/* talk.c: a conversation with the emulator as a table, one request after another */
#include "talk.h"

#include "promise.h"

#include <string.h>

static char *kept[26];

void
talk_forget (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    g_clear_pointer (&kept[i], g_free);
}

char *
talk_fill (const char *text)
{
  GString *out = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p++)
    if (*p == '$' && g_ascii_islower (p[1]) && kept[p[1] - 'a'] != NULL)
      g_string_append (out, kept[*++p - 'a']);
    else
      g_string_append_c (out, *p);
  return g_string_free (out, FALSE);
}

static void
keep (const Line *line, json_object *json)
{
  char **place = &kept[line->keep[0] - 'a'];

  g_free (*place);
  *place = at (json, line->keep + 2);
  if (*place == NULL)
    g_error ("%s: there is no %s", line->says, line->keep + 2);
}

static void
check_line (const Line *line, const Reply *reply)
{
  assert_row_int (line->says, reply->status, line->status);
  for (guint i = 0; i < G_N_ELEMENTS (line->is) && line->is[i].place != NULL; i++)
    {
      g_autofree char *label = g_strdup_printf ("%s: %s", line->says, line->is[i].place);
      g_autofree char *value = at (reply->json, line->is[i].place);
      g_autofree char *expected = line->is[i].value != NULL ? talk_fill (line->is[i].value) : NULL;

      assert_row_text (label, value, expected);
    }
}

void
talk (Rig *rig, const Line *lines)
{
  for (const Line *line = lines; line->method != NULL; line++)
    {
      g_autofree char *route = talk_fill (line->path);
      g_autofree char *path
          = *route == '/' ? g_strdup (route) : g_strconcat ("/api/v2/", route, NULL);
      g_autofree char *filled = line->body != NULL ? talk_fill (line->body) : NULL;
      g_autofree char *body = filled != NULL ? quoted (filled) : NULL;
      g_autoptr (Reply) reply = rig_call (rig, line->method, path, body, NULL);

      check_line (line, reply);
      if (line->keep != NULL)
        keep (line, reply->json);
    }
}
