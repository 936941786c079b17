/* writer.c: the members of a request's object */
#include "writer.h"

#include <string.h>

void
zendesk_writer_end (ZendeskWriter *writer)
{
  if (writer->group != NULL)
    g_string_append_c (writer->out, '}');
  writer->group = NULL;
}

void
zendesk_writer_begin (ZendeskWriter *writer, const char *name)
{
  const char *dot = strchr (name, '.');
  gsize length = dot != NULL ? (gsize) (dot - name) : 0;

  if (dot == NULL || writer->group == NULL || length != writer->group_length
      || strncmp (writer->group, name, length) != 0)
    {
      zendesk_writer_end (writer);
      g_string_append (writer->out, writer->first ? "" : ",");
      writer->first = FALSE;
      if (dot != NULL)
        {
          g_string_append_printf (writer->out, "\"%.*s\":{", (int) length, name);
          writer->group = name;
          writer->group_length = length;
          writer->group_first = TRUE;
        }
    }
  if (dot != NULL)
    {
      g_string_append (writer->out, writer->group_first ? "" : ",");
      writer->group_first = FALSE;
    }
  g_string_append_printf (writer->out, "\"%s\":", dot != NULL ? dot + 1 : name);
}
