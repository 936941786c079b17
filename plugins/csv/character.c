/* character.c: `;`, `tab`, `none` */
#include "character.h"
#include <tallyman/plugin.h>
#include <string.h>

static const struct
{
  const char *name;
  guint8 character;
} names[] = {
  { "tab", '\t' }, { "\\t", '\t' }, { "space", ' ' }, { "none", '\0' }, { "", '\0' },
};

gboolean
csv_character_parse (const char *option, const char *text, guint8 *ret_character, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (text, names[i].name))
      {
        *ret_character = names[i].character;
        return TRUE;
      }

  if (strlen (text) != 1 || !g_ascii_isprint (*text))
    {
      if (strlen (text) != 1 || *text != '\t')
        return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" takes one ASCII character, tab, space or none, not \"%s\"",
                            option, text);
    }

  *ret_character = *text;
  return TRUE;
}
