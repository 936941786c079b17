/* own.c: functions that PostgreSQL does not have */
#include "own.h"
#include "reply.h"
#include "text.h"
#include <tallyman/html.h>
#include <cmark.h>
#include <stdlib.h>

/* Longer than any comment that a help desk takes; the parser is not linear for all texts. */
#define MAX_MARKDOWN (128 * 1024)

/* slug(text): ASCII's small letters and digits, with a hyphen for all between; letters with an
 * accent lose it. */
static gboolean
slug (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autofree char *text = tally_text_dup (args[0].text);
  g_autofree char *ascii = g_str_to_ascii (text, "C");
  gboolean gap = FALSE;

  for (const char *at = ascii; *at != '\0'; at++)
    if (g_ascii_isalnum (*at))
      {
        if (gap && call->scratch->len > 0)
          g_string_append_c (call->scratch, '-');
        g_string_append_c (call->scratch, g_ascii_tolower (*at));
        gap = FALSE;
      }
    else if (*at != '\'')
      gap = TRUE;
  return text_finish (call, ret, error);
}

/* mask_email(text): the first letter and the domain; of what is no address nothing is shown. */
static gboolean
mask_email (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  const char *at = memrchr (text.data, '@', text.length);

  if (text.length > 0 && at > text.data)
    g_string_append_len (call->scratch, text.data, (gssize)text_char_size (text, 0));
  if (text.length > 0)
    g_string_append (call->scratch, "***");
  if (at > text.data)
    g_string_append_len (call->scratch, at, (gssize)(text.data + text.length - at));
  return text_finish (call, ret, error);
}

static gboolean
html_to_text (Call *call, const Value *args, Value *ret, GError **error)
{
  tally_html_append_text (args[0].text, call->scratch);
  return text_finish (call, ret, error);
}

/* CommonMark; HTML in it and dangerous addresses are left out. */
static gboolean
markdown_to_html (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  char *html;

  if (text.length > MAX_MARKDOWN)
    return tally_throw (error, TALLY_ERROR_LIMIT, "markdown is longer than %d bytes", MAX_MARKDOWN);

  html = cmark_markdown_to_html (text.data, text.length, CMARK_OPT_DEFAULT);
  g_string_append (call->scratch, html);
  free (html);
  return text_finish (call, ret, error);
}

/* reply_text(text): what a mail says without the one that it answers. */
static gboolean
reply_text (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText own = tally_reply_text (args[0].text);

  g_string_append_len (call->scratch, own.data, (gssize)own.length);
  return text_finish (call, ret, error);
}

const Function tally_own_functions[] = {
  { "slug", "t", 't', slug },
  { "mask_email", "t", 't', mask_email },
  { "html_to_text", "t", 't', html_to_text },
  { "markdown_to_html", "t", 't', markdown_to_html },
  { "reply_text", "t", 't', reply_text },
  { "ref",
    "ttttt",
    't',
    .kernel = tally_ref_kernel,
    .prepare = tally_ref_prepare,
    .flags = FUNCTION_TAKES_NULL | FUNCTION_STABLE },
  { NULL },
};
