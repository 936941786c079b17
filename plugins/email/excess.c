/* excess.c: what a message may have, looked at before anything is built of it
 *
 * A parser makes objects of a few hundred bytes out of four bytes of a hostile message.  So lines are counted first that could begin
 * a part or belong to a header, whether or not they do: never too few, and too many only where a text has thousands of lines that begin
 * with two hyphens.
 */
#include "excess.h"
#include <string.h>

/* A group of addresses may stand in a group, and a parser goes down for each; nobody writes so many. */
#define MAX_COLONS 1000

typedef struct
{
  guint64 n_parts, n_headers, n_header_bytes, n_colons;
  gboolean in_header;    /* fields may come */
  gboolean in_type;      /* the last one is Content-Type */
  gboolean in_addresses; /* it has addresses */
  gboolean has_message;  /* a field of the header says that another header follows it */
  gboolean has_digest;   /* a part may be a message without a word about it */
} Count;

static const char *const address_fields[] = { "from", "sender", "reply-to", "to", "cc", "bcc" };

static gboolean
begins_with (TallyText line, const char *word)
{
  return line.length >= strlen (word) && g_ascii_strncasecmp (line.data, word, strlen (word)) == 0;
}

static gboolean
has_word (TallyText line, const char *word)
{
  for (; line.length > 0; line = (TallyText){ line.data + 1, line.length - 1 })
    if (begins_with (line, word))
      return TRUE;
  return FALSE;
}

static void
begin_field (Count *count, TallyText line)
{
  count->n_headers++;
  count->n_colons = 0;
  count->in_type = begins_with (line, "content-type");
  count->in_addresses = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (address_fields); i++)
    count->in_addresses |= begins_with (line, address_fields[i]);
}

static void
count_field_line (Count *count, TallyText line)
{
  if (line.data[0] != ' ' && line.data[0] != '\t')
    begin_field (count, line);
  count->n_header_bytes += line.length;
  if (count->in_type)
    {
      count->has_digest |= has_word (line, "digest");
      count->has_message |= has_word (line, "message");
    }
  if (count->in_addresses)
    for (gsize i = 0; i < line.length; i++)
      count->n_colons += line.data[i] == ':';
}

static void
count_line (Count *count, TallyText line)
{
  if (begins_with (line, "--"))
    {
      count->n_parts++;
      count->in_header = TRUE;
      count->in_type = count->in_addresses = FALSE;
      count->has_message = count->has_digest;
    }
  else if (count->in_header && (line.length == 0 || (line.length == 1 && line.data[0] == '\r')))
    {
      count->in_header = count->has_message;
      count->in_type = count->in_addresses = count->has_message = FALSE;
    }
  else if (count->in_header)
    count_field_line (count, line);
}

static char *
verdict (const Count *count, const MailLimits *limits)
{
  if (count->n_parts > (guint64)limits->max_parts)
    return g_strdup_printf ("has more than %" G_GINT64_FORMAT " lines that could begin a part (max-parts)", limits->max_parts);
  if (count->n_headers > (guint64)limits->max_headers)
    return g_strdup_printf ("has more than %" G_GINT64_FORMAT " header fields (max-headers)", limits->max_headers);
  if (count->n_header_bytes > (guint64)limits->max_header_size)
    return g_strdup_printf ("has header fields of more than %" G_GINT64_FORMAT " bytes (max-header-size)", limits->max_header_size);
  if (count->n_colons > MAX_COLONS)
    return g_strdup_printf ("has more than %d groups in a field of addresses", MAX_COLONS);
  return NULL;
}

char *
mail_excess (TallyText message, const MailLimits *limits)
{
  Count count = { .in_header = TRUE };
  const char *at = message.data, *end = message.data + message.length;
  char *reason = NULL;

  while (at < end && reason == NULL)
    {
      const char *line_end = memchr (at, '\n', (gsize)(end - at));
      gsize length = (gsize)((line_end != NULL ? line_end : end) - at);

      count_line (&count, (TallyText){ at, length });
      reason = verdict (&count, limits);
      at += MIN (length + 1, (gsize)(end - at));
    }
  return reason;
}
