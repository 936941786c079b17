/* guess-text.h: what a stranger's file says, as a part of a pipeline
 *
 * Nothing of the file can leave its place: names and values are quoted for SQL, then for YAML.
 */
#pragma once
#include <glib.h>

/* As a column is named in an expression. */
void guess_append_identifier (GString *out, const char *name);
/* A text in an expression; on one line, whatever is in it. */
void guess_append_literal (GString *out, const char *text);
/* In a comment, on its line. */
void guess_append_comment (GString *out, const char *text);
/* A scalar that means its text, whatever is in it. */
void guess_append_yaml (GString *out, const char *text);
/* `name: value` at an indent. */
void guess_append_entry (GString *out, guint indent, const char *name, const char *value);
/* A column of a `set` and its expression, whose parts may stand on lines of their own. */
void guess_append_expression (GString *out, const char *column, const char *expression);
/* A path as a pipeline names it, in which a dollar sign is no reference.  (transfer full) */
char *guess_escape_reference (const char *text);
