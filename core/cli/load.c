/* load.c: see load.h */
#include "load.h"
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

GPtrArray *
tally_command_load_all (char **arguments, TallyRegistry *registry)
{
  g_autoptr (GPtrArray) pipelines = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_pipeline_free);
  gboolean good = TRUE;

  for (char **argument = arguments; *argument != NULL; argument++)
    {
      g_autoptr (GError) error = NULL;
      g_auto (GStrv) files = tally_pipeline_order (*argument, &error);

      if (files == NULL)
        {
          tally_command_complain ("%s", error->message);
          good = FALSE;
          continue;
        }
      for (char **file = files; *file != NULL; file++)
        {
          TallyPipeline *pipeline = tally_pipeline_load (*file, registry);
          g_autoptr (GString) text = g_string_new (NULL);

          g_ptr_array_add (pipelines, pipeline);
          tally_pipeline_format_diagnostics (pipeline, tally_command_has_colour (STDERR_FILENO), text);
          if (text->len > 0)
            {
              g_string_truncate (text, text->len - 1);
              tally_command_log (tally_pipeline_n_errors (pipeline) > 0 ? LOG_ERR : LOG_WARNING, text->str);
            }
          good = good && tally_pipeline_n_errors (pipeline) == 0;
        }
    }

  return good ? g_steal_pointer (&pipelines) : NULL;
}
