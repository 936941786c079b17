/* text.c: text from and for strangers */
#include "text.h"

#include <string.h>

/* So far before the most that fits a line break is worth cutting at. */
#define NEAR_LINE 4096
#define NEAR_BLANK 256

/* Shorter ones are found in innocent words. */
#define LEAST_SECRET 4

char *
zendesk_text_clean (const char *text, gsize length, gsize max)
{
  gsize taken = MIN (length, max);
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) taken);
  GString *out = g_string_sized_new (taken);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar letter = g_utf8_get_char (p);

      if (g_unichar_isspace (letter) || g_unichar_iscntrl (letter))
        {
          if (out->len > 0 && out->str[out->len - 1] != ' ')
            g_string_append_c (out, ' ');
        }
      else
        g_string_append_unichar (out, letter);
      if (out->len + 6 > max)
        break;
    }
  g_strchomp (out->str);
  return g_string_free (out, FALSE);
}

void
zendesk_text_redact (GString *text, const char *const *secrets, guint n_secrets)
{
  for (guint i = 0; i < n_secrets; i++)
    if (secrets[i] != NULL && strlen (secrets[i]) >= LEAST_SECRET)
      g_string_replace (text, secrets[i], "***", 0);
}

gboolean
zendesk_text_is_blank (const char *text)
{
  while (text != NULL && g_unichar_isspace (g_utf8_get_char (text)))
    text = g_utf8_next_char (text);
  return text == NULL || *text == '\0';
}

/* Whether an odd number of backslashes stands before p, so that the last of them is about p. */
static gboolean
is_escaped (const char *text, const char *p)
{
  gsize n = 0;

  while (p - n > text && p[-1 - (gssize) n] == '\\')
    n++;
  return n % 2 == 1;
}

char *
zendesk_text_escape_braces (const char *text, gboolean html)
{
  GString *out;

  if (strstr (text, "{{") == NULL)
    return NULL;
  out = g_string_sized_new (strlen (text) + 64);
  for (const char *p = text; *p != '\0'; p++)
    {
      gboolean before = p > text && p[-1] == '{', after = *p == '{' && p[1] == '{';

      if (html && *p == '{' && (before || after))
        g_string_append (out, "&#123;");
      else
        {
          if (after && !is_escaped (text, p))
            g_string_append_c (out, '\\');
          g_string_append_c (out, *p);
        }
    }
  return g_string_free (out, FALSE);
}

gsize
zendesk_text_cut (const char *text, gsize max)
{
  gsize at = max;

  for (gsize back = 0; back < MIN (NEAR_LINE, max - 1); back++)
    if (text[max - 1 - back] == '\n')
      return max - back;
  for (gsize back = 0; back < MIN (NEAR_BLANK, max - 1); back++)
    if (text[max - 1 - back] == ' ')
      return max - back;
  while (at > 1 && ((guchar) text[at] & 0xC0) == 0x80)
    at--;
  return at;
}
