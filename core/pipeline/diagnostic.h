/* diagnostic.h: mistakes in a pipeline file, shown as a good compiler shows them */
#pragma once
#include <glib.h>

typedef enum { TALLY_SEVERITY_ERROR, TALLY_SEVERITY_WARNING } TallySeverity;

/* All texts are valid UTF-8. */
typedef struct
{
  TallySeverity severity;
  char *file;
  guint line, column; /* from 1; columns count characters; 0: the file as a whole */
  guint length;       /* characters to underline */
  char *message;
  char *hint;         /* (nullable) */
} TallyDiagnostic;

void tally_diagnostic_free (TallyDiagnostic *diagnostic);

/* Appends "file:line:column: error: message", the source line, carets and the hint.  source: the file's text, never with a
 * secret's value in it, since references are shown as they are written.  colour: ANSI. */
void tally_diagnostic_format (const TallyDiagnostic *diagnostic, const char *source, gboolean colour, GString *out);
/* The same as one JSON object. */
void tally_diagnostic_format_json (const TallyDiagnostic *diagnostic, GString *out);
