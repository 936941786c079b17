/* text.h: text from and for strangers */
#pragma once
#include <glib.h>

/* What a stranger wrote, fit for a message: one line of valid UTF-8 without control characters, at
 * most max bytes. */
char *zendesk_text_clean (const char *text, gsize length, gsize max);

/* Puts stars where one of the secrets stands.  secrets: (nullable elements) */
void zendesk_text_redact (GString *text, const char *const *secrets, guint n_secrets);

/* Whether there is nothing but white space.  text: (nullable) */
gboolean zendesk_text_is_blank (const char *text);

/* Zendesk takes "{{" for the beginning of a placeholder where an agent is the author.  (transfer full) the text with it
 * written so that it is none: as "\\{{" in plain text, as "&#123;&#123;" in HTML; NULL if it has none. */
char *zendesk_text_escape_braces (const char *text, gboolean html);

/* Where to cut text so that at most max bytes come before: after a line break, else after a blank,
 * if one is near; never within a letter.  length > max >= 8 */
gsize zendesk_text_cut (const char *text, gsize max);
