/* values.h: a batch's values as JSON, each in the way that Zendesk wants it
 *
 * All append to out, of a value that is not NULL, and fail with TALLY_ERROR_DATA.  The message does
 * not name the column: the caller does.
 */
#pragma once
#include <tallyman/plugin.h>

/* (transfer full) the value as PostgreSQL prints it. */
char *zendesk_value_dup_text (const TallyBatch *batch, guint row, guint column);

gboolean zendesk_value_id (const TallyBatch *batch, guint row, guint column, TallyType type,
                           GString *out, GError **error);
/* The same of a text, blanks around it or not. */
gboolean zendesk_id_append (char *text, GString *out, GError **error);
/* true, yes, on, 1 and so on. */
gboolean zendesk_word_boolean (const char *text, gboolean *ret_value, GError **error);
gboolean zendesk_value_boolean (const TallyBatch *batch, guint row, guint column, TallyType type,
                                gboolean *ret_value, GError **error);
/* Unix seconds, rounded down. */
gboolean zendesk_value_seconds (const TallyBatch *batch, guint row, guint column, TallyType type,
                                gint64 *ret_seconds, GError **error);
gboolean zendesk_value_time (const TallyBatch *batch, guint row, guint column, TallyType type,
                             GString *out, GError **error);
/* A jsonb array, as it is. */
gboolean zendesk_value_list (const TallyBatch *batch, guint row, guint column, GString *out,
                             GError **error);

/* The words of a jsonb array of texts, or of a text: with separators it is cut at each of these,
 * without it is one word.  A word that has a separator in it can only come from an array, and is an
 * error.  Empty words are left out, as are those that came before. (transfer full) (element-type utf8) */
GPtrArray *zendesk_value_words (const TallyBatch *batch, guint row, guint column, TallyType type,
                                const char *separators, GError **error);
/* Adds word unless it is there. (transfer full) */
void zendesk_words_add (GPtrArray *words, char *word);
/* As a JSON array. */
void zendesk_words_append (const GPtrArray *words, GString *out);

/* Unix seconds as "2023-09-18T23:25:58Z", in quotes.  They are in the years 1 to 9999. */
void zendesk_append_time (gint64 seconds, GString *out);
/* Any text as a JSON string. */
void zendesk_append_string (const char *text, GString *out);
