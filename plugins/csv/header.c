/* header.c: a header is written by people, column names are used by programs */
#include "header.h"
#include <string.h>

static char *
clean_name (TallyText field, gboolean *ret_had_break)
{
  GString *name = g_string_sized_new (field.length);
  gboolean gap = FALSE;

  *ret_had_break = FALSE;
  for (gsize i = 0; i < field.length; i++)
    if (g_ascii_isspace (field.data[i]) || field.data[i] == '\v')
      {
        gap = TRUE;
        *ret_had_break |= field.data[i] == '\n' || field.data[i] == '\r';
      }
    else
      {
        if (gap && name->len > 0)
          g_string_append_c (name, ' ');
        gap = FALSE;
        g_string_append_c (name, field.data[i]);
      }

  return g_string_free (name, FALSE);
}

static char *
number_name (const char *name, GHashTable *taken)
{
  for (guint i = 2;; i++)
    {
      g_autofree char *numbered = g_strdup_printf ("%s_%u", name, i);

      if (!g_hash_table_contains (taken, numbered))
        return g_steal_pointer (&numbered);
    }
}

char **
csv_header_names (const TallyText *fields, guint n_fields, TallyContext *ctx)
{
  g_autoptr (GHashTable) taken = g_hash_table_new (g_str_hash, g_str_equal);
  char **names = g_new0 (char *, n_fields + 1);

  for (guint i = 0; i < n_fields; i++)
    {
      gboolean had_break;
      g_autofree char *name = clean_name (fields[i], &had_break);

      if (had_break && ctx != NULL)
        tally_context_warn (ctx, "the header has line breaks in column %u, which is read as \"%s\"", i + 1, name);
      if (*name == '\0')
        {
          g_free (name);
          name = g_strdup_printf ("column_%u", i + 1);
          if (ctx != NULL)
            tally_context_warn (ctx, "column %u has no name; it is called \"%s\"", i + 1, name);
        }
      if (g_hash_table_contains (taken, name))
        {
          char *numbered = number_name (name, taken);

          if (ctx != NULL)
            tally_context_warn (ctx, "column %u has the name \"%s\", which stands there already; it is called \"%s\"",
                                i + 1, name, numbered);
          g_free (name);
          name = numbered;
        }
      g_hash_table_add (taken, name);
      names[i] = g_steal_pointer (&name);
    }

  return names;
}

char **
csv_header_numbered (guint n_fields)
{
  char **names = g_new0 (char *, n_fields + 1);

  for (guint i = 0; i < n_fields; i++)
    names[i] = g_strdup_printf ("column_%u", i + 1);
  return names;
}
