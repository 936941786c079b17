/* promise.c: CUnit underneath, one line a promise on top */
#include "promise.h"
#include <CUnit/TestRun.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static gboolean skipped;
static guint n_skipped;

static gboolean
hold (gboolean kept, const char *file, int line, const char *format, ...) G_GNUC_PRINTF (4, 5);

static gboolean
hold (gboolean kept, const char *file, int line, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (!kept)
    fprintf (stderr, "\n%s:%d: %s\n", file, line, message);
  CU_assertImplementation (kept, line, message, file, "", CU_FALSE);
  return kept;
}

gboolean
promise_true (gboolean value, const char *what, const char *file, int line)
{
  return hold (value, file, line, "%s does not hold", what);
}

gboolean
promise_int (gint64 value, gint64 expected, const char *what, const char *file, int line)
{
  return hold (value == expected, file, line,
               "%s is %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT, what, value, expected);
}

gboolean
promise_double (double value, double expected, const char *what, const char *file, int line)
{
  return hold (memcmp (&value, &expected, sizeof value) == 0 || value == expected, file, line,
               "%s is %.17g, expected %.17g", what, value, expected);
}

gboolean
promise_text (const char *value, const char *expected, const char *what, const char *file, int line)
{
  return hold (g_strcmp0 (value, expected) == 0, file, line, "%s is\n  “%s”, expected\n  “%s”", what,
               value != NULL ? value : "(NULL)", expected != NULL ? expected : "(NULL)");
}

gboolean
promise_contains (const char *value, const char *part, const char *what, const char *file, int line)
{
  return hold (value != NULL && strstr (value, part) != NULL, file, line,
               "%s is\n  “%s”, which does not contain\n  “%s”", what,
               value != NULL ? value : "(NULL)", part);
}

gboolean
promise_no_error (GError **error, const char *file, int line)
{
  gboolean kept = hold (*error == NULL, file, line, "unexpected error: %s",
                        *error != NULL ? (*error)->message : "");

  g_clear_error (error);
  return kept;
}

gboolean
promise_error (GError **error, GQuark domain, gint code, const char *part, const char *file, int line)
{
  gboolean kept = *error != NULL && g_error_matches (*error, domain, code)
                  && strstr ((*error)->message, part) != NULL;

  hold (kept, file, line, "error is %s %d “%s”, expected %s %d “…%s…”",
        *error != NULL ? g_quark_to_string ((*error)->domain) : "none",
        *error != NULL ? (*error)->code : 0, *error != NULL ? (*error)->message : "",
        g_quark_to_string (domain), code, part);
  g_clear_error (error);
  return kept;
}

void
skip_promise (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *why = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  printf (" [skipped: %s] ", why);
  skipped = TRUE;
}

static void
show_start (const CU_pTest test, const CU_pSuite suite)
{
  skipped = FALSE;
  printf ("  %s …", test->pName);
}

static void
show_end (const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failures)
{
  printf (" %s\n", failures != NULL ? "BROKEN" : skipped ? "skipped" : "kept");
  if (skipped)
    n_skipped++;
}

int
keep_promises (const char *suite_name, const Promise *promises, int argc, char **argv)
{
  CU_pSuite suite;
  guint n_run = 0, n_failed;

  setvbuf (stdout, NULL, _IONBF, 0);
  if (CU_initialize_registry () != CUE_SUCCESS)
    return 1;
  suite = CU_add_suite (suite_name, NULL, NULL);
  for (const Promise *promise = promises; promise->name != NULL; promise++)
    if (argc < 2 || strstr (promise->name, argv[1]) != NULL)
      {
        CU_add_test (suite, promise->name, promise->test);
        n_run++;
      }

  printf ("%s:\n", suite_name);
  CU_set_test_start_handler (show_start);
  CU_set_test_complete_handler (show_end);
  CU_run_all_tests ();
  n_failed = CU_get_number_of_failures ();
  CU_cleanup_registry ();
  if (n_run == 0)
    fprintf (stderr, "no promise has \"%s\" in its name\n", argv[1]);
  printf ("%s: %u promises, %u failed assertions, %u skipped\n", suite_name, n_run, n_failed,
          n_skipped);
  return n_failed > 0 || n_run == 0 ? 1 : n_run == n_skipped ? 77 : 0;
}
