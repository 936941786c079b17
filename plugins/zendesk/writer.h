/* writer.h: the members of a request's object
 *
 * Members whose names have the same part before a dot, one after another, stand together in an object of that name.
 */
#pragma once
#include <glib.h>

typedef struct
{
  GString *out;        /* (unowned) */
  const char *group;   /* (nullable) (unowned) the name of the object that is open, */
  gsize group_length;  /* up to its dot */
  gboolean group_first, first;
} ZendeskWriter;

#define ZENDESK_WRITER_INIT(text) { .out = (text), .first = TRUE }

/* Writes the name of a member, which stays valid until the next one; its value is to follow. */
void zendesk_writer_begin (ZendeskWriter *writer, const char *name);
/* Closes the object that a dot has opened.  Those of the caller are the caller's. */
void zendesk_writer_end (ZendeskWriter *writer);
