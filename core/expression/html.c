/* html.c: HTML to a text that a person can read
 *
 * One pass over the bytes, with no tree: mail and old help desks are full of HTML that closes what
 * it never opened, and what is wanted is only the words and where lines break.  libxml2's parser
 * would be less to write, but takes time in the square of unclosed elements and of attributes.
 */
#include "html-entities.h"
#include <tallyman/html.h>
#include <stdlib.h>
#include <string.h>

/* Levels of lists beyond which they are not indented further. */
#define MAX_INDENT 8
/* And of quotes, beyond which they are not marked further. */
#define MAX_QUOTE 4
#define MAX_ENTITY 10
#define MAX_URL 2048

typedef enum
{
  ELEMENT_LINE = 1 << 0,      /* on lines of its own */
  ELEMENT_PARAGRAPH = 1 << 1, /* with an empty line around it, too */
  ELEMENT_BREAK = 1 << 2,
  ELEMENT_LIST = 1 << 3,
  ELEMENT_ITEM = 1 << 4,
  ELEMENT_CELL = 1 << 5,
  ELEMENT_LINK = 1 << 6,
  ELEMENT_IMAGE = 1 << 7,
  ELEMENT_PREFORMATTED = 1 << 8,
  ELEMENT_DROPPED = 1 << 9, /* with all up to its end */
  ELEMENT_QUOTE = 1 << 10,  /* each line is marked */
} ElementFlags;

static const struct
{
  const char *name;
  ElementFlags flags;
} elements[] = {
  { "a", ELEMENT_LINK },
  { "address", ELEMENT_LINE },
  { "article", ELEMENT_LINE },
  { "aside", ELEMENT_LINE },
  { "blockquote", ELEMENT_PARAGRAPH | ELEMENT_QUOTE },
  { "br", ELEMENT_BREAK },
  { "caption", ELEMENT_LINE },
  { "center", ELEMENT_LINE },
  { "dd", ELEMENT_LINE },
  { "div", ELEMENT_LINE },
  { "dl", ELEMENT_PARAGRAPH },
  { "dt", ELEMENT_LINE },
  { "fieldset", ELEMENT_LINE },
  { "figcaption", ELEMENT_LINE },
  { "figure", ELEMENT_LINE },
  { "footer", ELEMENT_LINE },
  { "form", ELEMENT_LINE },
  { "h1", ELEMENT_PARAGRAPH },
  { "h2", ELEMENT_PARAGRAPH },
  { "h3", ELEMENT_PARAGRAPH },
  { "h4", ELEMENT_PARAGRAPH },
  { "h5", ELEMENT_PARAGRAPH },
  { "h6", ELEMENT_PARAGRAPH },
  { "header", ELEMENT_LINE },
  { "hr", ELEMENT_PARAGRAPH },
  { "img", ELEMENT_IMAGE },
  { "li", ELEMENT_LINE | ELEMENT_ITEM },
  { "main", ELEMENT_LINE },
  { "nav", ELEMENT_LINE },
  { "ol", ELEMENT_LIST },
  { "option", ELEMENT_LINE },
  { "p", ELEMENT_PARAGRAPH },
  { "pre", ELEMENT_PARAGRAPH | ELEMENT_PREFORMATTED },
  { "script", ELEMENT_DROPPED },
  { "section", ELEMENT_LINE },
  { "style", ELEMENT_DROPPED },
  { "table", ELEMENT_PARAGRAPH },
  { "td", ELEMENT_CELL },
  { "template", ELEMENT_DROPPED },
  { "th", ELEMENT_CELL },
  { "title", ELEMENT_DROPPED },
  { "tr", ELEMENT_LINE },
  { "ul", ELEMENT_LIST },
};

typedef struct
{
  const char *at, *end;
  gboolean no_more[2]; /* that no double, no single quote follows is known */

  GString *out;
  gsize start;    /* of ours in out */
  guint breaks;   /* lines to break before the next word */
  gboolean space; /* a blank before it, unless the line starts with it */
  gboolean item, in_row;
  guint list_depth, preformatted_depth, quote_depth;

  GString *url;     /* of the link that is open, or empty */
  gsize link_start; /* where its text starts in out */
} Html;

/* Writing. */

static void
trim_end (Html *html)
{
  gsize length = html->out->len;

  while (length > html->start
         && (html->out->str[length - 1] == ' ' || html->out->str[length - 1] == '\t'))
    length--;
  g_string_truncate (html->out, length);
}

static void
break_line (Html *html, guint breaks)
{
  html->breaks = MAX (html->breaks, breaks);
  html->space = FALSE;
}

/* What stands before a word: line breaks, the marks of quotes and of an item, a blank. */
static void
start_word (Html *html)
{
  gboolean is_first = html->out->len == html->start, begins_line;

  if (html->breaks > 0 && !is_first)
    {
      trim_end (html);
      for (guint i = 0; i < html->breaks; i++)
        g_string_append_c (html->out, '\n');
    }
  begins_line = is_first || html->out->str[html->out->len - 1] == '\n';
  for (guint i = 0; begins_line && i < MIN (html->quote_depth, MAX_QUOTE); i++)
    g_string_append (html->out, "> ");
  if (html->item)
    {
      for (guint i = 1; i < MIN (html->list_depth, MAX_INDENT); i++)
        g_string_append (html->out, "  ");
      g_string_append (html->out, "- ");
    }
  else if (html->space && !begins_line
           && html->out->str[html->out->len - 1] != '\t')
    g_string_append_c (html->out, ' ');
  html->breaks = 0;
  html->item = html->space = FALSE;
}

static void
put_text (Html *html, const char *text, gsize length)
{
  start_word (html);
  g_string_append_len (html->out, text, (gssize)length);
}

static void
put_blank (Html *html, char blank)
{
  if (html->preformatted_depth == 0)
    html->space = TRUE;
  else if (blank == '\n')
    {
      start_word (html);
      trim_end (html);
      g_string_append_c (html->out, '\n');
    }
  else if (blank != '\r')
    put_text (html, &blank, 1);
}

/* Reading. */

static gboolean
is_blank (char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static gint
compare_entities (gconstpointer name, gconstpointer entity)
{
  return strcmp (name, ((const HtmlEntity *)entity)->name);
}

/* The character of &name; or &#number; and its length in the text, or 0. */
static gunichar
read_named (const char *at, const char *end, gsize *ret_length)
{
  char name[MAX_ENTITY];
  gsize n = 0;
  const HtmlEntity *found;

  while (n + 1 < sizeof name && at + 1 + n < end && g_ascii_isalnum (at[1 + n]))
    {
      name[n] = at[1 + n];
      n++;
    }
  name[n] = '\0';
  found = bsearch (name, html_entities, G_N_ELEMENTS (html_entities), sizeof html_entities[0],
                   compare_entities);
  if (found == NULL)
    return 0;

  *ret_length = 1 + n + (at + 1 + n < end && at[1 + n] == ';');
  return found->character;
}

static gunichar
read_numbered (const char *at, const char *end, gsize *ret_length)
{
  const char *digit = at + 2;
  gboolean hex = digit < end && (*digit == 'x' || *digit == 'X');
  const char *first = digit + hex;
  guint32 number = 0;

  for (digit = first; digit < end && (hex ? g_ascii_isxdigit (*digit) : g_ascii_isdigit (*digit));
       digit++)
    number = MIN (number * (hex ? 16 : 10) + (guint32)g_ascii_xdigit_value (*digit), 0x110000);
  if (digit == first)
    return 0;

  *ret_length = (gsize)(digit - at) + (digit < end && *digit == ';');
  return number != 0 && g_unichar_validate (number) ? number : 0xfffd;
}

static gunichar
read_reference (const char *at, const char *end, gsize *ret_length)
{
  if (at + 1 < end && at[1] == '#')
    return read_numbered (at, end, ret_length);
  return read_named (at, end, ret_length);
}

static void
append_decoded (TallyText text, GString *out)
{
  for (const char *at = text.data, *end = at + text.length; at < end;)
    {
      gsize length = 1;
      gunichar c = *at == '&' ? read_reference (at, end, &length) : 0;

      if (c != 0)
        g_string_append_unichar (out, c);
      else
        g_string_append_len (out, at, (gssize)length);
      at += length;
    }
}

/* The end of a quoted value, or NULL if the quote is never closed. */
static const char *
find_quote (Html *html, const char *at)
{
  gboolean single = *at == '\'';
  const char *found = NULL;

  if (!html->no_more[single])
    found = memchr (at + 1, *at, (gsize)(html->end - at - 1));
  html->no_more[single] |= found == NULL;
  return found;
}

/* One attribute, or FALSE at the end of the tag, which html->at is behind then. */
static gboolean
read_attribute (Html *html, TallyText *ret_name, TallyText *ret_value)
{
  const char *quote = NULL, *start;

  while (html->at < html->end && (is_blank (*html->at) || *html->at == '/'))
    html->at++;
  if (html->at >= html->end || *html->at == '>')
    {
      html->at += html->at < html->end;
      return FALSE;
    }

  start = html->at++;
  while (html->at < html->end && !is_blank (*html->at) && strchr ("=>/", *html->at) == NULL)
    html->at++;
  *ret_name = (TallyText){ start, (gsize)(html->at - start) };
  *ret_value = (TallyText){ "", 0 };
  while (html->at < html->end && is_blank (*html->at))
    html->at++;
  if (html->at >= html->end || *html->at != '=')
    return TRUE;

  for (html->at++; html->at < html->end && is_blank (*html->at);)
    html->at++;
  if (html->at < html->end && (*html->at == '"' || *html->at == '\''))
    quote = find_quote (html, html->at);
  start = html->at + (quote != NULL);
  if (quote != NULL)
    html->at = quote;
  else
    while (html->at < html->end && !is_blank (*html->at) && *html->at != '>')
      html->at++;
  *ret_value = (TallyText){ start, (gsize)(html->at - start) };
  html->at += quote != NULL;
  return TRUE;
}

static gboolean
is_named (TallyText name, const char *other)
{
  return name.length == strlen (other) && g_ascii_strncasecmp (name.data, other, name.length) == 0;
}

/* Reads to the end of the tag; the value of the attribute of this name, or an empty text. */
static TallyText
read_attributes (Html *html, const char *wanted)
{
  TallyText name, value, found = { "", 0 };

  while (read_attribute (html, &name, &value))
    if (wanted != NULL && found.length == 0 && is_named (name, wanted))
      found = value;
  return found;
}

static ElementFlags
find_element (TallyText name)
{
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++)
    if (is_named (name, elements[i].name))
      return elements[i].flags;

  return 0;
}

/* Elements. */

/* An address worth showing; that of a mail without its scheme. */
static void
open_link (Html *html, TallyText href)
{
  g_string_truncate (html->url, 0);
  html->link_start = html->out->len;
  if (href.length > MAX_URL)
    return;

  append_decoded (href, html->url);
  g_strstrip (html->url->str);
  g_string_set_size (html->url, strlen (html->url->str));
  if (html->url->str[0] == '#' || g_ascii_strncasecmp (html->url->str, "javascript:", 11) == 0)
    g_string_truncate (html->url, 0);
  else if (g_ascii_strncasecmp (html->url->str, "mailto:", 7) == 0)
    g_string_erase (html->url, 0, 7);
}

static void
close_link (Html *html)
{
  const char *text;

  if (html->url->len == 0)
    return;
  text = html->out->str + MIN (html->link_start, html->out->len);
  while (is_blank (*text) || g_str_has_prefix (text, "- ") || g_str_has_prefix (text, "> "))
    text++;
  if (strcmp (text, html->url->str) != 0)
    {
      html->space = *text != '\0' || html->space;
      put_text (html, "(", 1);
      g_string_append_len (html->out, html->url->str, (gssize)html->url->len);
      g_string_append_c (html->out, ')');
    }
  g_string_truncate (html->url, 0);
}

static void
change_depth (guint *depth, gboolean closing)
{
  if (!closing)
    (*depth)++;
  else if (*depth > 0)
    (*depth)--;
}

static void
put_layout (Html *html, ElementFlags flags, gboolean closing)
{
  if (flags & ELEMENT_LIST)
    {
      break_line (html, html->list_depth > (guint)closing ? 1 : 2);
      change_depth (&html->list_depth, closing);
    }
  if (flags & ELEMENT_PREFORMATTED)
    change_depth (&html->preformatted_depth, closing);
  if (flags & ELEMENT_QUOTE)
    change_depth (&html->quote_depth, closing);
  if (flags & (ELEMENT_LINE | ELEMENT_PARAGRAPH))
    {
      /* A paragraph in a list is one of its lines. */
      break_line (html, flags & ELEMENT_PARAGRAPH && html->list_depth == 0 ? 2 : 1);
      html->in_row = FALSE;
    }
  if (flags & ELEMENT_ITEM)
    html->item = !closing;
}

static void
put_break (Html *html)
{
  html->breaks = MIN (html->breaks + 1, 2);
  html->space = FALSE;
}

static void
put_cell (Html *html)
{
  html->space = FALSE;
  if (html->in_row)
    put_text (html, "\t", 1);
  html->in_row = TRUE;
}

/* Skips to the end tag of a dropped element, or to the end of all. */
static void
drop_content (Html *html, TallyText name)
{
  while ((html->at = memchr (html->at, '<', (gsize)(html->end - html->at))) != NULL)
    {
      if ((gsize)(html->end - html->at) >= name.length + 2 && html->at[1] == '/'
          && g_ascii_strncasecmp (html->at + 2, name.data, name.length) == 0)
        {
          html->at += name.length + 2;
          read_attributes (html, NULL);
          return;
        }
      html->at++;
    }
  html->at = html->end;
}

static void
read_tag (Html *html)
{
  gboolean closing = html->at[1] == '/';
  TallyText name = { html->at + 1 + closing, 0 }, value;
  ElementFlags flags;

  while (name.data + name.length < html->end && g_ascii_isalnum (name.data[name.length]))
    name.length++;
  html->at = name.data + name.length;
  flags = find_element (name);
  value = read_attributes (html, flags & ELEMENT_LINK    ? "href"
                                 : flags & ELEMENT_IMAGE ? "alt"
                                                         : NULL);

  if (flags & ELEMENT_LINK)
    close_link (html);
  if (flags & ELEMENT_LINK && !closing)
    open_link (html, value);
  if (flags & ELEMENT_IMAGE && value.length > 0)
    {
      start_word (html);
      append_decoded (value, html->out);
    }
  if (flags & ELEMENT_BREAK)
    put_break (html);
  if (flags & ELEMENT_CELL && !closing)
    put_cell (html);
  put_layout (html, flags, closing);
  if (flags & ELEMENT_DROPPED && !closing)
    drop_content (html, name);
}

/* <!-- … -->, <!DOCTYPE …>, <? … > */
static void
skip_declaration (Html *html)
{
  gsize left = (gsize)(html->end - html->at);
  gboolean comment = left >= 4 && memcmp (html->at, "<!--", 4) == 0;
  const char *found
      = comment ? memmem (html->at + 2, left - 2, "-->", 3) : memchr (html->at, '>', left);

  html->at = found == NULL ? html->end : found + (comment ? 3 : 1);
}

static void
read_character (Html *html)
{
  gsize length = 1;
  gunichar c = *html->at == '&' ? read_reference (html->at, html->end, &length) : 0;
  char bytes[6];

  if (c == 0xa0)
    put_text (html, " ", 1);
  else if (c != 0 && c < 0x80 && is_blank ((char)c))
    put_blank (html, (char)c);
  else if (c != 0)
    put_text (html, bytes, (gsize)g_unichar_to_utf8 (c, bytes));
  else if (is_blank (*html->at))
    put_blank (html, *html->at);
  else
    put_text (html, html->at, 1);
  html->at += length;
}

static gboolean
is_tag (const Html *html)
{
  const char *at = html->at;

  return html->end - at >= 2
         && (g_ascii_isalpha (at[1])
             || (at[1] == '/' && html->end - at >= 3 && g_ascii_isalpha (at[2])));
}

void
tally_html_append_text (TallyText text, GString *out)
{
  g_autoptr (GString) url = g_string_new (NULL);
  Html html = {
    .at = text.data,
    .end = text.data + text.length,
    .out = out,
    .start = out->len,
    .url = url,
  };

  while (html.at < html.end)
    if (*html.at == '<' && is_tag (&html))
      read_tag (&html);
    else if (*html.at == '<' && html.end - html.at >= 2 && (html.at[1] == '!' || html.at[1] == '?'))
      skip_declaration (&html);
    else
      read_character (&html);

  close_link (&html);
  while (out->len > html.start && is_blank (out->str[out->len - 1]))
    g_string_truncate (out, out->len - 1);
}
