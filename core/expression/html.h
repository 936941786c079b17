/* html.h: a readable text of HTML, however broken */
#pragma once
#include <tallyman/types.h>

/* Appends it.  Block elements and <br> become line breaks, list items start with "- ", lines of quotes with "> ", table cells
 * are parted by tabs, a link is followed by its address in parentheses, an image is its alt text;
 * character references are decoded, scripts, styles, titles and comments dropped.  Takes time in
 * proportion to the length of html. */
void tally_html_append_text (TallyText html, GString *out);
