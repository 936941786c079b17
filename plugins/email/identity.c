/* identity.c: what tells a mail from all others, wherever it lies
 *
 * A hash of the header fields that its author wrote and of its body, both in DKIM's relaxed form (RFC 6376, 3.4.2 and 3.4.4), which was
 * made to outlive transport.  It is worked out from the bytes alone: a record must stay what it is when a library learns to read more.
 */
#include "identity.h"
#include <string.h>

/* A Message-ID that is longer stays out of the identity, which must fit where keys go. */
#define MAX_ID 150
#define SHORT_DIGITS 16
#define LONG_DIGITS 32

/* What no transport changes, in the order in which it is hashed. */
static const char *const fields[] = { "message-id", "date", "from", "to", "cc", "subject", "in-reply-to", "references" };

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

/* The line at *at, without what ends it; *at moves behind. */
static TallyText
take_line (const char **at, const char *end)
{
  const char *line_end = memchr (*at, '\n', (gsize)(end - *at));
  TallyText line = { *at, (gsize)((line_end != NULL ? line_end : end) - *at) };

  *at = line_end != NULL ? line_end + 1 : end;
  while (line.length > 0 && line.data[line.length - 1] == '\r')
    line.length--;
  return line;
}

/* Runs of blanks as one, and none at the end. */
static void
append_relaxed (TallyText text, GString *out)
{
  gboolean blank = FALSE;

  for (gsize i = 0; i < text.length; i++)
    if (is_blank (text.data[i]))
      blank = TRUE;
    else
      {
        if (blank)
          g_string_append_c (out, ' ');
        blank = FALSE;
        g_string_append_c (out, text.data[i]);
      }
}

/* Which of the fields a line begins, or -1; ret_value is what follows the colon. */
static gint
field_of (TallyText line, TallyText *ret_value)
{
  const char *colon = memchr (line.data, ':', line.length);
  gsize length = colon != NULL ? (gsize)(colon - line.data) : 0;

  while (length > 0 && is_blank (line.data[length - 1]))
    length--;
  for (guint i = 0; length > 0 && i < G_N_ELEMENTS (fields); i++)
    if (strlen (fields[i]) == length && g_ascii_strncasecmp (fields[i], line.data, length) == 0)
      {
        *ret_value = (TallyText){ colon + 1, line.length - (gsize)(colon + 1 - line.data) };
        return (gint)i;
      }
  return -1;
}

/* Reads the header's fields, unfolded; at is behind the empty line after them then. */
static void
read_header (const char **at, const char *end, GString *values[])
{
  gint field = -1;

  while (*at < end)
    {
      TallyText line = take_line (at, end), value = line;

      if (line.length == 0)
        return;
      if (!is_blank (line.data[0]))
        {
          field = field_of (line, &value);
          if (field >= 0)
            g_string_append_c (values[field], '\n');
        }
      if (field < 0)
        continue;
      /* A value begins with its first word, on whichever line that is. */
      while (values[field]->str[values[field]->len - 1] == '\n' && value.length > 0 && is_blank (value.data[0]))
        value = (TallyText){ value.data + 1, value.length - 1 };
      append_relaxed (value, values[field]);
    }
}

/* A body, line by line; what a mailbox put in front of "From " does not count, nor do empty lines at the end. */
static void
hash_body (const char *at, const char *end, GChecksum *sum)
{
  g_autoptr (GString) relaxed = g_string_new (NULL);
  guint64 n_empty = 0;

  while (at < end)
    {
      TallyText line = take_line (&at, end);
      gsize quotes = 0;

      while (quotes < line.length && line.data[quotes] == '>')
        quotes++;
      if (line.length - quotes >= 5 && memcmp (line.data + quotes, "From ", 5) == 0)
        line = (TallyText){ line.data + quotes, line.length - quotes };
      g_string_truncate (relaxed, 0);
      append_relaxed (line, relaxed);
      if (relaxed->len == 0)
        {
          n_empty++;
          continue;
        }
      for (; n_empty > 0; n_empty--)
        g_checksum_update (sum, (const guchar *)"\n", 1);
      g_string_append_c (relaxed, '\n');
      g_checksum_update (sum, (const guchar *)relaxed->str, (gssize)relaxed->len);
    }
}

/* The id between its brackets, or NULL if it is none that a key could show. */
static char *
id_of (const char *value)
{
  const char *open = strchr (value, '<'), *start = open != NULL ? open + 1 : value + (*value == '\n');
  gsize length = strcspn (start, open != NULL ? ">\n" : "\n");

  if (length == 0 || length > MAX_ID)
    return NULL;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (start[i]))
      return NULL;
  return g_strndup (start, length);
}

char *
mail_identity (TallyText message)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  const char *at = message.data, *end = message.data + message.length;
  GString *values[G_N_ELEMENTS (fields)];
  g_autofree char *id = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    values[i] = g_string_new (NULL);
  read_header (&at, end, values);
  id = id_of (values[0]->str);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_checksum_update (sum, (const guchar *)values[i]->str, (gssize)values[i]->len + 1);
      g_string_free (values[i], TRUE);
    }
  hash_body (at, end, sum);

  if (id == NULL)
    return g_strndup (g_checksum_get_string (sum), LONG_DIGITS);
  return g_strdup_printf ("%s/%.*s", id, SHORT_DIGITS, g_checksum_get_string (sum));
}
