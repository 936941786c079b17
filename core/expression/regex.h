/* regex.h: PostgreSQL's advanced regular expressions, by PCRE2
 *
 * PostgreSQL's engine and PCRE2 agree on whether a text matches, but not always on what matches:
 * PostgreSQL looks for the longest match (or the shortest), PCRE2 for the first by its order of
 * trying.  A pattern is read here letter by letter and written anew for PCRE2; what would mean
 * something else there is refused.  See README.md.
 */
#pragma once
#include <tallyman/error.h>
#include <tallyman/types.h>

typedef enum
{
  REGEX_TEST,     /* only whether it matches */
  REGEX_EXTENT,   /* where the match starts and ends */
  REGEX_CAPTURES, /* where its groups do, too */
} RegexUse;

typedef struct _Regex Regex;

/* What is wrong with the pattern is said in PostgreSQL's words: invalid regular expression: … */
Regex *tally_regex_new (TallyText pattern, gboolean ignore_case, RegexUse use, GError **error);
void tally_regex_free (gpointer regex);
guint tally_regex_n_captures (const Regex *regex);

/* Looks from byte start on.  ret_spans (nullable for REGEX_TEST): start and end of the match, then
 * of each group, or G_MAXSIZE. */
gboolean tally_regex_match (const Regex *regex, TallyText text, gsize start, gboolean *ret_matched,
                            gsize *ret_spans, GError **error);
#define REGEX_MAX_CAPTURES 9
