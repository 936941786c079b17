/* context.c: what a context answers, for tests that drive a plugin without an engine */
#include "plugin/context.h"
#include <stdarg.h>

const char *
tally_context_position (TallyContext *ctx)
{
  return ctx->position;
}

const char *
tally_context_directory (TallyContext *ctx)
{
  return ctx->directory;
}

gboolean
tally_context_is_interrupted (TallyContext *ctx)
{
  return FALSE;
}

void
tally_context_warn (TallyContext *ctx, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  ctx->warn (message, ctx->warn_data);
}
