/* interval.c: intervals in and out, and what is counted with them */
#include "datetime-private.h"
#include "value-private.h"
#include <math.h>
#include <string.h>

typedef struct
{
  GString *out;
  gboolean empty, negative; /* nothing yet; the last part was negative */
} Printer;

static void
print_part (Printer *printer, gint value, const char *unit)
{
  if (value == 0)
    return;

  g_string_append_printf (printer->out, "%s%s%d %s%s", printer->empty ? "" : " ",
                          printer->negative && value > 0 ? "+" : "", value, unit, value != 1 ? "s" : "");
  printer->empty = FALSE;
  printer->negative = value < 0;
}

void
tally_interval_append (TallyInterval interval, GString *out)
{
  Printer printer = { out, TRUE, FALSE };
  guint64 rest = interval.microseconds < 0 ? -(guint64) interval.microseconds : (guint64) interval.microseconds;

  print_part (&printer, interval.months / TALLY_MONTHS_PER_YEAR, "year");
  print_part (&printer, interval.months % TALLY_MONTHS_PER_YEAR, "mon");
  print_part (&printer, interval.days, "day");
  if (!printer.empty && rest == 0)
    return;

  g_string_append_printf (out, "%s%s%02" G_GUINT64_FORMAT ":%02u:%02u", printer.empty ? "" : " ",
                          interval.microseconds < 0 ? "-" : printer.negative ? "+" : "", rest / TALLY_USECS_PER_HOUR,
                          (guint) (rest / TALLY_USECS_PER_MINUTE % 60), (guint) (rest / TALLY_USECS_PER_SECOND % 60));
  if (rest % TALLY_USECS_PER_SECOND != 0)
    {
      g_string_append_printf (out, ".%06u", (guint) (rest % TALLY_USECS_PER_SECOND));
      while (out->str[out->len - 1] == '0')
        g_string_truncate (out, out->len - 1);
    }
}
