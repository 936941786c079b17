/* imap-wire.c: lines and literals of bounded size, and the few responses that a reader of mail needs */
#include "imap-wire.h"
#include <string.h>
#include <tallyman/plugin.h>

/* Lists within lists in what a FETCH says. */
#define MAX_DEPTH 64

struct _ImapWire
{
  gsize max_line;
  gsize max_literal;
  GByteArray *in;      /* (owned) not yet looked at, from @at */
  gsize at;
  GString *text;       /* (owned) of the response that is being read */
  GByteArray *literal; /* (owned) */
  guint64 literal_size;
  guint64 missing;     /* bytes of the literal still to come */
  gboolean is_done;    /* the caller has what is in @text */
};

ImapWire *
imap_wire_new (gsize max_line, gsize max_literal)
{
  ImapWire *wire = g_new0 (ImapWire, 1);

  *wire = (ImapWire){ .max_line = max_line, .max_literal = max_literal, .in = g_byte_array_sized_new (1), .text = g_string_new (NULL),
                      .literal = g_byte_array_sized_new (1) };
  return wire;
}

void
imap_wire_free (ImapWire *wire)
{
  if (wire == NULL)
    return;

  g_byte_array_unref (wire->in);
  g_byte_array_unref (wire->literal);
  g_string_free (wire->text, TRUE);
  g_free (wire);
}

void
imap_wire_feed (ImapWire *wire, const char *bytes, gsize size)
{
  g_byte_array_remove_range (wire->in, 0, (guint)wire->at);
  wire->at = 0;
  g_byte_array_append (wire->in, (const guint8 *)bytes, (guint)size);
}

/* TRUE: there is none, or all of it is here. */
static gboolean
take_literal (ImapWire *wire)
{
  gsize n = MIN (wire->missing, wire->in->len - wire->at);
  gsize kept = MIN (n, wire->max_literal - wire->literal->len);

  g_byte_array_append (wire->literal, wire->in->data + wire->at, (guint)kept);
  wire->at += n;
  wire->missing -= n;
  return wire->missing == 0;
}

/* "…{123}" at the end of a line announces 123 bytes.  @line is without what came before an earlier literal: a response may end
 * behind its literal, with nothing but the end of the line. */
static gboolean
announces_literal (const char *line, guint64 *ret_size)
{
  const char *open = strrchr (line, '{');
  char *end;

  if (open == NULL || !g_ascii_isdigit (open[1]))
    return FALSE;
  *ret_size = g_ascii_strtoull (open + 1, &end, 10);
  return strcmp (end, "}") == 0;
}

static void
begin_response (ImapWire *wire)
{
  g_string_truncate (wire->text, 0);
  g_byte_array_set_size (wire->literal, 0);
  wire->literal_size = 0;
  wire->is_done = FALSE;
}

ImapWireState
imap_wire_next (ImapWire *wire, ImapResponse *ret_response, GError **error)
{
  if (wire->is_done)
    begin_response (wire);
  while (take_literal (wire))
    {
      const guint8 *from = wire->in->data + wire->at;
      gsize size = wire->in->len - wire->at, line_at = wire->text->len;
      const guint8 *end = size == 0 ? NULL : memchr (from, '\n', size);

      if (line_at + (end == NULL ? size : (gsize)(end - from)) > wire->max_line)
        {
          tally_throw (error, TALLY_ERROR_DATA, "the server sent a line of more than %" G_GSIZE_FORMAT " bytes", wire->max_line);
          return IMAP_WIRE_BROKEN;
        }
      if (end == NULL)
        return IMAP_WIRE_MORE;
      g_string_append_len (wire->text, (const char *)from, end - from - (end > from && end[-1] == '\r'));
      wire->at += (gsize)(end - from) + 1;
      if (!announces_literal (wire->text->str + line_at, &wire->missing))
        {
          wire->missing = 0;
          wire->is_done = TRUE;
          *ret_response
              = (ImapResponse){ .text = wire->text->str, .literal = wire->literal, .literal_size = wire->literal_size };
          return IMAP_WIRE_RESPONSE;
        }
      wire->literal_size = wire->missing;
      g_byte_array_set_size (wire->literal, 0);
    }
  return IMAP_WIRE_MORE;
}

/* ---- What responses say ---- */

/* Goes over words that have to be there, in any case. */
static gboolean
pass (const char **at, const char *words)
{
  gsize length = strlen (words);

  if (g_ascii_strncasecmp (*at, words, length) != 0)
    return FALSE;
  *at += length;
  return TRUE;
}

static gboolean
pass_number (const char **at, guint64 most, guint64 *ret_number)
{
  char *end;

  if (!g_ascii_isdigit (**at))
    return FALSE;
  *ret_number = g_ascii_strtoull (*at, &end, 10);
  *at = end;
  return *ret_number <= most;
}

/* Goes over "…", with \ before a quote that belongs to it. */
static gboolean
pass_quoted (const char **at, GString *out)
{
  const char *p = *at + 1;

  for (; *p != '"'; p++)
    {
      if (*p == '\\')
        p++;
      if (*p == '\0')
        return FALSE;
      if (out != NULL)
        g_string_append_c (out, *p);
    }
  *at = p + 1;
  return TRUE;
}

/* Goes over a value, whatever it is: an atom, "…", {N}, a list of values. */
static gboolean
pass_value (const char **at, guint depth)
{
  if (**at == '"')
    return pass_quoted (at, NULL);
  if (**at != '(')
    {
      gsize length = strcspn (*at, " ()\"");

      *at += length;
      return length > 0;
    }
  if (depth == MAX_DEPTH)
    return FALSE;
  for (++*at; **at != ')';)
    if (**at == ' ')
      ++*at;
    else if (!pass_value (at, depth + 1))
      return FALSE;
  ++*at;
  return TRUE;
}

/* NIL and an empty text are a message of no bytes, and leave the literal empty. */
static gboolean
pass_body (const char **at, ImapFetch *fetch)
{
  fetch->has_body = **at == '{' || g_str_has_prefix (*at, "NIL") || g_str_has_prefix (*at, "\"\"");
  return pass_value (at, 0);
}

static gboolean
pass_flags (const char **at, ImapFetch *fetch)
{
  const char *from = *at;

  if (*from != '(' || !pass_value (at, 0))
    return FALSE;
  fetch->flags = (TallyText){ from, (gsize)(*at - from) };
  return TRUE;
}

static gboolean
pass_modseq (const char **at, ImapFetch *fetch)
{
  return pass (at, "(") && pass_number (at, G_MAXINT64, &fetch->modseq) && pass (at, ")");
}

gboolean
imap_fetch_parse (const ImapResponse *response, ImapFetch *ret_fetch)
{
  const char *at = response->text;
  ImapFetch fetch = { 0 };
  guint64 number;

  if (!pass (&at, "* ") || !pass_number (&at, G_MAXUINT32, &number) || !pass (&at, " FETCH ("))
    return FALSE;
  while (*at != ')')
    {
      gboolean good = TRUE;

      if (pass (&at, "UID "))
        good = pass_number (&at, G_MAXUINT32, &number) && (fetch.uid = (guint32)number) > 0;
      else if (pass (&at, "RFC822.SIZE "))
        good = pass_number (&at, G_MAXUINT64, &fetch.size);
      else if (pass (&at, "FLAGS "))
        good = pass_flags (&at, &fetch);
      else if (pass (&at, "MODSEQ "))
        good = pass_modseq (&at, &fetch);
      else if (pass (&at, "BODY[] "))
        good = pass_body (&at, &fetch);
      else
        good = pass_value (&at, 0) && pass (&at, " ") && pass_value (&at, 0);
      if (!good || (*at != ')' && !pass (&at, " ")))
        return FALSE;
    }
  *ret_fetch = fetch;
  return TRUE;
}

static gboolean
can_be_opened (const char *flags, const char *end)
{
  g_autofree char *list = g_ascii_strdown (flags, end - flags);

  return strstr (list, "\\noselect") == NULL && strstr (list, "\\nonexistent") == NULL;
}

gboolean
imap_list_parse (const ImapResponse *response, char **ret_name)
{
  g_autoptr (GString) name = g_string_new (NULL);
  const char *at = response->text, *flags;

  if (!pass (&at, "* LIST ") || *at != '(')
    return FALSE;
  flags = at;
  if (!pass_value (&at, 0) || !can_be_opened (flags, at) || !pass (&at, " ") || !pass_value (&at, 0) || !pass (&at, " "))
    return FALSE;
  if (*at == '"')
    {
      if (!pass_quoted (&at, name))
        return FALSE;
    }
  else if (*at == '{')
    g_string_append_len (name, (const char *)response->literal->data, response->literal->len);
  else
    g_string_append (name, at);
  if (name->len == 0 || strlen (name->str) != name->len)
    return FALSE;
  *ret_name = g_string_free (g_steal_pointer (&name), FALSE);
  return TRUE;
}

gboolean
imap_code_parse (const ImapResponse *response, const char *word, guint64 most, guint64 *ret_number)
{
  const char *at = response->text;
  guint64 number;

  if (!pass (&at, "* OK [") || !pass (&at, word) || !pass (&at, " ") || !pass_number (&at, most, &number) || *at != ']')
    return FALSE;
  *ret_number = number;
  return TRUE;
}

gboolean
imap_exists_parse (const ImapResponse *response, guint32 *ret_number)
{
  const char *at = response->text;
  guint64 number;

  if (!pass (&at, "* ") || !pass_number (&at, G_MAXUINT32, &number) || !pass (&at, " EXISTS") || *at != '\0')
    return FALSE;
  *ret_number = (guint32)number;
  return TRUE;
}
