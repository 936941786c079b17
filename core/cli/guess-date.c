/* guess-date.c: which of the usual forms a date has */
#include "guess.h"
#include <string.h>

/* The likelier of two that fit the same values first. */
static const GuessFormat formats[] = {
  { "YYYY-MM-DD", "date" },
  { "YYYY-MM-DD HH24:MI", "timestamp" },
  { "YYYY-MM-DD HH24:MI:SS", "timestamp" },
  { "YYYY-MM-DDTHH24:MI", "timestamp" },
  { "YYYY-MM-DDTHH24:MI:SS", "timestamp" },
  { "YYYY-MM-DD HH24:MI:SSTZ", "timestamptz" },
  { "YYYY-MM-DD HH24:MI:SS TZ", "timestamptz" },
  { "YYYY-MM-DDTHH24:MI:SSTZ", "timestamptz" },
  { "DD/Mon/YY HH24:MI", NULL },
  { "DD/Mon/YYYY HH24:MI", NULL },
  { "DD/Mon/YY HH12:MI AM", NULL },
  { "DD/Mon/YYYY HH12:MI AM", NULL },
  { "DD/Mon/YY", NULL },
  { "DD-Mon-YY", NULL },
  { "DD-Mon-YYYY", NULL },
  { "DD-Mon-YYYY HH24:MI:SS", NULL },
  { "DD Mon YYYY", NULL },
  { "DD Mon YYYY HH24:MI", NULL },
  { "Mon DD, YYYY", NULL },
  { "MM/DD/YYYY", NULL },
  { "MM/DD/YYYY HH24:MI", NULL },
  { "MM/DD/YYYY HH24:MI:SS", NULL },
  { "MM/DD/YYYY HH24:MI:SS TZHTZM", NULL },
  { "MM/DD/YYYY HH12:MI AM", NULL },
  { "MM/DD/YYYY HH12:MI:SS AM", NULL },
  { "MM/DD/YY", NULL },
  { "MM/DD/YY HH24:MI", NULL },
  { "DD/MM/YYYY", NULL },
  { "DD/MM/YYYY HH24:MI", NULL },
  { "DD/MM/YYYY HH24:MI:SS", NULL },
  { "DD/MM/YYYY HH24:MI:SS TZHTZM", NULL },
  { "DD/MM/YY", NULL },
  { "DD/MM/YY HH24:MI", NULL },
  { "DD.MM.YYYY", NULL },
  { "DD.MM.YYYY HH24:MI", NULL },
  { "DD.MM.YYYY HH24:MI:SS", NULL },
  { "DD.MM.YY", NULL },
  { "YYYY/MM/DD", NULL },
  { "YYYY/MM/DD HH24:MI", NULL },
  { "YYYY/MM/DD HH24:MI:SS", NULL },
};

G_STATIC_ASSERT (G_N_ELEMENTS (formats) <= 64);

static const struct
{
  const char *word;
  gint least, most; /* of a number; most 0: see match_word() */
  guint least_digits, most_digits;
} words[] = {
  { "YYYY", 1000, 9999, 4, 4 }, { "YY", 0, 99, 2, 2 },   { "TZHTZM", 0, 0, 0, 0 }, { "TZ", 0, 0, 0, 0 },
  { "HH24", 0, 23, 1, 2 },      { "HH12", 1, 12, 1, 2 }, { "Mon", 0, 0, 0, 0 },    { "MM", 1, 12, 1, 2 },
  { "MI", 0, 59, 2, 2 },        { "DD", 1, 31, 1, 2 },   { "SS", 0, 59, 2, 2 },    { "AM", 0, 0, 0, 0 },
};

static gboolean
match_number (const char **text, guint word, gboolean fraction)
{
  guint n = 0;
  gint value = 0;

  for (; n < words[word].most_digits && g_ascii_isdigit (**text); n++)
    value = value * 10 + *(*text)++ - '0';
  if (n < words[word].least_digits || value < words[word].least || value > words[word].most)
    return FALSE;

  if (fraction && (*text)[0] == '.' && g_ascii_isdigit ((*text)[1]))
    for ((*text)++; g_ascii_isdigit (**text); (*text)++)
      ;
  return TRUE;
}

static gboolean
match_zone (const char **text, gboolean is_iso)
{
  const char *zone = *text;

  if (is_iso && *zone == 'Z')
    {
      *text += 1;
      return TRUE;
    }
  if ((zone[0] != '+' && zone[0] != '-') || !g_ascii_isdigit (zone[1]) || !g_ascii_isdigit (zone[2]))
    return FALSE;

  zone += 3;
  if (is_iso && *zone == ':')
    zone++;
  if (g_ascii_isdigit (zone[0]) && g_ascii_isdigit (zone[1]))
    zone += 2;
  else if (!is_iso)
    return FALSE;
  *text = zone;
  return TRUE;
}

/* A word that is no number: a month, a half of the day, a zone. */
static gboolean
match_word (const char **text, const char *word)
{
  static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

  if (g_str_has_prefix (word, "TZ"))
    return match_zone (text, g_str_equal (word, "TZ"));
  if (g_str_equal (word, "AM"))
    {
      if (g_ascii_strncasecmp (*text, "AM", 2) != 0 && g_ascii_strncasecmp (*text, "PM", 2) != 0)
        return FALSE;
      *text += 2;
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (months); i++)
    if (g_ascii_strncasecmp (*text, months[i], 3) == 0)
      {
        *text += 3;
        return TRUE;
      }
  return FALSE;
}

static gboolean
matches (const char *text, const GuessFormat *format)
{
  const char *pattern = format->pattern;

  while (*pattern != '\0')
    {
      guint word = 0;

      while (word < G_N_ELEMENTS (words) && !g_str_has_prefix (pattern, words[word].word))
        word++;
      if (word == G_N_ELEMENTS (words))
        {
          if (*text++ != *pattern++)
            return FALSE;
          continue;
        }
      if (!(words[word].most_digits > 0
                ? match_number (&text, word, format->cast != NULL && g_str_equal (words[word].word, "SS"))
                : match_word (&text, words[word].word)))
        return FALSE;
      pattern += strlen (words[word].word);
    }

  return *text == '\0';
}

guint64
guess_formats_of (const char *text, gsize length)
{
  char copy[40];
  guint64 found = 0;

  if (length < 6 || length >= sizeof copy)
    return 0;

  memcpy (copy, text, length);
  copy[length] = '\0';
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (matches (copy, &formats[i]))
      found |= (guint64) 1 << i;
  return found;
}

const GuessFormat *
guess_format (guint64 set)
{
  return &formats[__builtin_ctzll (set)];
}

gboolean
guess_is_ambiguous (guint64 set)
{
  return (set & (set - 1)) != 0;
}
