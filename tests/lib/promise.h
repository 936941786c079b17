/* promise.h: CUnit suites as tables of promises, and assertions that show both values
 *
 *   static const Promise promises[] = {
 *     { "resumes at the next line", test_resumes_at_the_next_line },
 *     { NULL },
 *   };
 *
 *   int main (int argc, char **argv) { return keep_promises ("lines", promises, argc, argv); }
 *
 * A word on the command line runs only the promises whose name has it.
 */
#pragma once
#include <CUnit/CUnit.h>
#include <glib.h>

typedef struct
{
  const char *name;
  void (*test) (void);
} Promise;

/* Returns 0 if all were kept, 77 if all were skipped, else 1. */
int keep_promises (const char *suite, const Promise *promises, int argc, char **argv);

/* Says why the running test is skipped; return from it then. */
void skip_promise (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Each shows file, line, what was expected and what came; the test goes on.  TRUE if it held. */
#define assert_true(value) promise_true ((value), #value, __FILE__, __LINE__)
#define assert_int(value, expected) promise_int ((value), (expected), #value, __FILE__, __LINE__)
#define assert_text(value, expected) promise_text ((value), (expected), #value, __FILE__, __LINE__)
#define assert_contains(value, part) promise_contains ((value), (part), #value, __FILE__, __LINE__)
#define assert_double(value, expected) promise_double ((value), (expected), #value, __FILE__, __LINE__)
/* As assert_text, with a label that says which row of a table it was. */
#define assert_row_text(label, value, expected) promise_text ((value), (expected), (label), __FILE__, __LINE__)
#define assert_row_int(label, value, expected) promise_int ((value), (expected), (label), __FILE__, __LINE__)
#define assert_no_error(error) promise_no_error (&(error), __FILE__, __LINE__)
/* The error is there, of domain and code, and is cleared. */
#define assert_error(error, domain, code, part)                                                    \
  promise_error (&(error), (domain), (code), (part), __FILE__, __LINE__)

gboolean promise_true (gboolean value, const char *what, const char *file, int line);
gboolean promise_int (gint64 value, gint64 expected, const char *what, const char *file, int line);
gboolean promise_double (double value, double expected, const char *what, const char *file, int line);
gboolean promise_text (const char *value, const char *expected, const char *what, const char *file, int line);
gboolean promise_contains (const char *value, const char *part, const char *what, const char *file, int line);
gboolean promise_no_error (GError **error, const char *file, int line);
gboolean promise_error (GError **error, GQuark domain, gint code, const char *part, const char *file, int line);
