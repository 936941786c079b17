/* report.c: from bytes of the source to diagnostics */
#include "reader.h"
#include <string.h>

#define MAX_DIAGNOSTICS 100
#define MAX_NAMES_SHOWN 12

/* The file's name is any bytes, and libraries cut what they quote in the middle of a character. */
static void
add (TallyPipeline *pipeline, TallySeverity severity, guint line, guint column, guint length,
     const char *message, const char *hint)
{
  g_autofree char *valid = NULL;
  TallyDiagnostic *diagnostic;

  if (pipeline->diagnostics->len >= MAX_DIAGNOSTICS)
    return;

  valid = g_utf8_make_valid (message, -1);
  diagnostic = g_new0 (TallyDiagnostic, 1);
  diagnostic->severity = severity;
  diagnostic->file = g_utf8_make_valid (pipeline->file, -1);
  diagnostic->line = line;
  diagnostic->column = column;
  diagnostic->length = length;
  diagnostic->message = tally_pipeline_redact (pipeline, valid);
  diagnostic->hint = hint != NULL ? tally_pipeline_redact (pipeline, hint) : NULL;
  g_ptr_array_add (pipeline->diagnostics, diagnostic);
}

char *
tally_pipeline_redact (const TallyPipeline *pipeline, const char *message)
{
  return tally_secrets_redact (pipeline->reader->secrets, message);
}

guint
tally_pipeline_line (const TallyPipeline *pipeline, gsize offset)
{
  guint line = 1;

  for (gsize i = 0; i < offset && pipeline->text[i] != '\0'; i++)
    line += pipeline->text[i] == '\n';
  return line;
}

void
tally_pipeline_report (TallyPipeline *pipeline, TallySeverity severity, gsize offset, gsize length,
                       const char *message, const char *hint)
{
  gsize size = strlen (pipeline->text), line_start = 0, end;
  guint line = 1;

  offset = MIN (offset, size);
  /* The end of the file stands on its last line, not on the empty one after it. */
  if (offset == size && offset > 0 && pipeline->text[offset - 1] == '\n')
    offset--;
  for (gsize i = 0; i < offset; i++)
    if (pipeline->text[i] == '\n')
      {
        line++;
        line_start = i + 1;
      }
  end = offset + strcspn (pipeline->text + offset, "\r\n");
  end = MIN (end, offset + MAX (length, 1));
  add (pipeline, severity, line,
       g_utf8_strlen (pipeline->text + line_start, offset - line_start) + 1,
       MAX (g_utf8_strlen (pipeline->text + offset, end - offset), 1), message, hint);
}

void
tally_pipeline_report_whole (TallyPipeline *pipeline, const char *message, const char *hint)
{
  add (pipeline, TALLY_SEVERITY_ERROR, 0, 0, 0, message, hint);
}

void
tally_pipeline_report_node (TallyPipeline *pipeline, const TallyYamlNode *node, const char *message,
                            const char *hint)
{
  gsize start = node->start, length = node->end - node->start;

  /* A value that is not there is looked for at its key. */
  if (length == 0 && node->key != NULL)
    {
      start = node->key->start;
      length = node->key->end - node->key->start;
    }
  tally_pipeline_report (pipeline, TALLY_SEVERITY_ERROR, start, length, message, hint);
}

void
tally_pipeline_report_part (TallyPipeline *pipeline, TallySeverity severity,
                            const TallyYamlNode *scalar, gsize offset, gsize length,
                            const char *message, const char *hint)
{
  gsize start = tally_yaml_source_offset (scalar, pipeline->text, offset);
  gsize last
      = length > 1 ? tally_yaml_source_offset (scalar, pipeline->text, offset + length - 1) : start;

  tally_pipeline_report (pipeline, severity, start, last > start ? last - start + 1 : 1, message,
                         hint);
}

void
tally_pipeline_report_error (TallyPipeline *pipeline, const TallyYamlNode *node,
                             const GError *error)
{
  const char *question = strstr (error->message, "; did you mean ");
  g_autofree char *message = NULL;

  if (question == NULL)
    {
      tally_pipeline_report_node (pipeline, node, error->message, NULL);
      return;
    }

  message = g_strndup (error->message, question - error->message);
  tally_pipeline_report_node (pipeline, node, message, question + strlen ("; "));
}

char *
tally_pipeline_name_hint (const char *what, const char *const *names, guint n_names,
                          const char *nearest)
{
  g_autoptr (GString) hint = NULL;

  if (nearest != NULL)
    return g_strdup_printf ("did you mean \"%s\"?", nearest);

  hint = g_string_new (what);
  for (guint i = 0; i < MIN (n_names, MAX_NAMES_SHOWN); i++)
    g_string_append_printf (hint, "%s%s", i > 0 ? ", " : " ", names[i]);
  if (n_names > MAX_NAMES_SHOWN)
    g_string_append (hint, ", …");
  return g_string_free (g_steal_pointer (&hint), FALSE);
}

/* ---- All of them ---- */

static gint
compare_positions (gconstpointer a, gconstpointer b)
{
  const TallyDiagnostic *first = *(const TallyDiagnostic *const *) a,
                        *second = *(const TallyDiagnostic *const *) b;

  if (first->line != second->line)
    return first->line < second->line ? -1 : 1;

  return first->column < second->column ? -1 : first->column > second->column;
}

guint
tally_pipeline_n_errors (const TallyPipeline *pipeline)
{
  guint n = 0;

  for (guint i = 0; i < pipeline->diagnostics->len; i++)
    n += ((TallyDiagnostic *) pipeline->diagnostics->pdata[i])->severity == TALLY_SEVERITY_ERROR;
  return n;
}

GPtrArray *
tally_pipeline_sorted_diagnostics (const TallyPipeline *pipeline)
{
  GPtrArray *sorted = g_ptr_array_new ();

  for (guint i = 0; i < pipeline->diagnostics->len; i++)
    g_ptr_array_add (sorted, pipeline->diagnostics->pdata[i]);
  g_ptr_array_sort (sorted, compare_positions);
  return sorted;
}

void
tally_pipeline_format_diagnostics (const TallyPipeline *pipeline, gboolean colour, GString *out)
{
  g_autoptr (GPtrArray) sorted = tally_pipeline_sorted_diagnostics (pipeline);

  for (guint i = 0; i < sorted->len; i++)
    tally_diagnostic_format (sorted->pdata[i], pipeline->text, colour, out);
}
