/* flow.c: lines that a sender broke only for the way (RFC 3676)
 *
 * A line that ends in a blank goes on in the next one of the same depth of quotes; a blank in front of a line is stuffing.
 */
#include "flow.h"
#include <string.h>

typedef struct
{
  gsize depth;    /* of quotes */
  TallyText text; /* without marks of quotes and stuffing */
  gboolean goes_on;
} Line;

static Line
read_line (const char *at, gsize length)
{
  Line line = { .text = { at, length } };

  while (line.text.length > 0 && *line.text.data == '>')
    {
      line.text = (TallyText){ line.text.data + 1, line.text.length - 1 };
      line.depth++;
    }
  if (line.text.length > 0 && *line.text.data == ' ')
    line.text = (TallyText){ line.text.data + 1, line.text.length - 1 };
  /* The line above a signature ends in a blank for a reason of its own. */
  line.goes_on = line.text.length > 0 && line.text.data[line.text.length - 1] == ' ' && !tally_text_equal (line.text, "-- ");
  return line;
}

static void
begin_line (gsize depth, GString *out)
{
  for (gsize i = 0; i < depth; i++)
    g_string_append_c (out, '>');
  if (depth > 0)
    g_string_append_c (out, ' ');
}

void
mail_append_unflowed (TallyText text, gboolean drop_space, GString *out)
{
  const char *at = text.data, *end = text.data + text.length;
  Line before = { 0 };

  while (at < end)
    {
      const char *line_end = memchr (at, '\n', (gsize)(end - at));
      Line line = read_line (at, (gsize)((line_end != NULL ? line_end : end) - at));
      gboolean joins = before.goes_on && before.depth == line.depth && !tally_text_equal (line.text, "-- ");

      if (!joins && before.goes_on)
        g_string_append_c (out, '\n');
      if (!joins)
        begin_line (line.depth, out);
      g_string_append_len (out, line.text.data, (gssize)(line.text.length - (line.goes_on && drop_space)));
      if (!line.goes_on && line_end != NULL)
        g_string_append_c (out, '\n');
      before = line;
      at = line_end != NULL ? line_end + 1 : end;
    }
}
