/* Any bytes as HTML: what comes out of text is text, and not much longer; and what a reply says itself is a part of it. */
#include "expression/reply.h"
#include <tallyman/html.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *html = g_memdup2 (data, size); /* ends where it ends, for the sanitizer */
  g_autoptr (GString) out = g_string_new ("x");

  TallyText own = tally_reply_text ((TallyText){ html, size });

  g_assert (own.data >= html && own.data + own.length <= html + size);
  tally_html_append_text ((TallyText){ html, size }, out);
  g_assert (out->str[0] == 'x' && out->len <= 8 * size + 1);
  if (g_utf8_validate_len (html, size, NULL))
    g_assert (g_utf8_validate_len (out->str, out->len, NULL));
  return 0;
}
