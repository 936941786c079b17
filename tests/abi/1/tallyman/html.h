/* html.h: a readable text of HTML, however broken */
#pragma once
#include "types.h"

G_BEGIN_DECLS

/**
 * tally_html_append_text:
 * @html: HTML in UTF-8
 * @out: gets the text
 *
 * What the expression `html_to_text()` gives.  Block elements and `<br>` become line breaks, list items start with "- ", lines of
 * quotes with "> ", table cells are parted by tabs, a link is followed by its address in parentheses, an image is its alt text;
 * character references are decoded, scripts, styles, titles and comments dropped.  Takes time in proportion to the length of @html.
 *
 * Since: 0.1
 */
void tally_html_append_text (TallyText html, GString *out);

G_END_DECLS
