/* option.h: rows of an option table at work: texts become fields of an instance */
#pragma once
#include <tallyman/option.h>
#include <tallyman/error.h>

/* Most elements of a list, and most rows of a table. */
#define TALLY_OPTION_MAX_ELEMENTS 10000
#define TALLY_OPTION_MAX_ROWS 1000

/* The row named name, `-` and `_` being the same; NULL if there is none.  options may be NULL. */
const TallyOption *tally_option_find (const TallyOption *options, const char *name);
/* The name that was most likely meant, or NULL. */
const char *tally_option_nearest (const TallyOption *options, const char *name);
guint tally_option_count (const TallyOption *options);

/* Writes text into the option's field of self, replacing what was there; a list gets one element more.
 * shown is what a message may show in place of text, when text came from a reference.  directory is for paths.
 * Expressions are not for here: their field waits for a schema. */
gboolean tally_option_set (const TallyOption *option, gpointer self, const char *text, const char *shown,
                           const char *directory, GError **error);
/* Frees what the field holds; a secret is wiped. */
void tally_option_clear (const TallyOption *option, gpointer self);

/* Bytes of a field; 0 for a type that we do not know. */
gsize tally_option_field_size (TallyOptionType type);
/* "text", "size", …, as inspect and the READMEs have it. */
const char *tally_option_type_name (TallyOptionType type);
/* Whether min and max mean something. */
gboolean tally_option_has_bounds (const TallyOption *option);
/* Appends a number of the option's kind as a pipeline would have it: 64kB, 30s. */
void tally_option_append_number (const TallyOption *option, gint64 number, GString *out);
