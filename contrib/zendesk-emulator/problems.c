/* problems.c: what is wrong with a request, and what of it is dropped in silence */
#include "problems.h"

#include "json.h"

#define MAX_UNPERMITTED 2048 /* bytes of the warning */
#define MAX_PROBLEMS 100

void
emu_problems_init (EmuProblems *problems)
{
  problems->list = g_ptr_array_new_with_free_func (g_free);
  problems->texts = g_ptr_array_new_with_free_func (g_free);
  problems->unpermitted = g_string_new (NULL);
}

void
emu_problems_clear (EmuProblems *problems)
{
  g_ptr_array_unref (problems->list);
  g_ptr_array_unref (problems->texts);
  g_string_free (problems->unpermitted, TRUE);
}

void
emu_problems_add (EmuProblems *problems, const char *field, const char *description,
                  const char *code)
{
  GString *entry;

  if (problems->texts->len >= MAX_PROBLEMS)
    return;
  entry = g_string_new ("{\"description\":");
  emu_json_add_text (entry, description);
  g_string_append (entry, ",\"error\":");
  emu_json_add_text (entry, code);
  g_string_append_c (entry, '}');
  g_ptr_array_add (problems->list, g_strdup (field));
  g_ptr_array_add (problems->list, g_string_free (entry, FALSE));
  g_ptr_array_add (problems->texts, g_strdup (description));
}

void
emu_problems_add_bad_value (EmuProblems *problems, const char *name, const char *shown)
{
  g_autofree char *label = g_strdup (name);
  g_autofree char *description = NULL;

  label[0] = g_ascii_toupper (label[0]);
  description = g_strdup_printf ("%s: %.100s is not valid", label, shown != NULL ? shown : "value");
  if (!g_utf8_validate (description, -1, NULL)) /* cut in the middle of a letter */
    {
      g_free (description);
      description = g_strdup_printf ("%s: is not valid", label);
    }
  emu_problems_add (problems, name, description, "InvalidValue");
}

/* Adds prefix.name as Ruby's inspect would write it. */
void
emu_problems_add_unpermitted (EmuProblems *problems, const char *prefix, const char *name)
{
  GString *out = problems->unpermitted;

  if (out->len > MAX_UNPERMITTED)
    return;
  if (out->len > 0)
    g_string_append (out, ", ");
  g_string_append_printf (out, "\"%s", prefix);
  for (const char *p = name; *p != '\0'; p++)
    {
      if (*p == '"' || *p == '\\')
        g_string_append_c (out, '\\');
      if ((guchar)*p >= 0x20 && (guchar)*p < 0x7f)
        g_string_append_c (out, *p);
      else
        g_string_append_printf (out, "\\x%02X", (guchar)*p);
    }
  g_string_append_c (out, '"');
}

gboolean
emu_problems_any (const EmuProblems *problems)
{
  return problems->texts->len > 0;
}

char *
emu_problems_dup_details (const EmuProblems *problems)
{
  const GPtrArray *list = problems->list;
  GString *out;

  if (list->len == 0)
    return NULL;
  out = g_string_new (NULL);
  for (guint i = 0; i < list->len; i += 2)
    {
      gboolean seen = FALSE, first = TRUE;

      for (guint k = 0; k < i && !seen; k += 2)
        seen = g_str_equal (list->pdata[k], list->pdata[i]);
      if (seen)
        continue;
      g_string_append_printf (out, "%s\"%s\":[", out->len > 0 ? "," : "", (char *)list->pdata[i]);
      for (guint k = i; k < list->len; k += 2)
        if (g_str_equal (list->pdata[k], list->pdata[i]))
          {
            g_string_append (out, first ? "" : ",");
            g_string_append (out, list->pdata[k + 1]);
            first = FALSE;
          }
      g_string_append_c (out, ']');
    }
  return g_string_free (out, FALSE);
}

char *
emu_problems_dup_line (const EmuProblems *problems)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < problems->texts->len; i++)
    g_string_append_printf (out, "%s%s", i > 0 ? ", " : "", (char *)problems->texts->pdata[i]);
  return g_string_free (out, FALSE);
}

char *
emu_problems_dup_warning (const EmuProblems *problems, const char *controller, const char *action)
{
  if (problems->unpermitted->len == 0)
    return NULL;
  return g_strdup_printf ("{:allowed_parameters=>{:controller=>\"%s\", :action=>\"%s\", "
                          ":unpermitted_keys=>[%s], :invalid_values=>[]}}",
                          controller, action, problems->unpermitted->str);
}
