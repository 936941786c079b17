/* sample: a share of the rows, chosen by what is in them
 *
 * A row's values, its place in its origin and the seed decide by a digest, not the rows before it.
 * So the same rows pass whatever the batches' size, and wherever a run was resumed.
 */
#include "digest.h"
#include "kinds.h"
#include "record/bitmap.h"
#include "step-private.h"
#include <errno.h>
#include <string.h>

typedef struct
{
  TallyStep base;
  double share; /* above 0, at most 1 */
  guint64 seed;
  TallyDigester digester;
} SampleStep;

/* At least 0 and below 1, all values alike likely. */
static double
lot (SampleStep *sample, const TallyBatch *batch, guint row)
{
  guint8 digest[TALLY_DIGEST_SIZE];
  guint64 number;

  tally_digester_begin (&sample->digester);
  tally_digester_add_number (&sample->digester, sample->seed);
  tally_digester_add_number (&sample->digester, tally_batch_row_number (batch, row));
  for (guint i = 0; i < tally_schema_n_columns (sample->base.schema); i++)
    tally_digester_add (&sample->digester, batch, row, i);
  tally_digester_end (&sample->digester, digest);
  memcpy (&number, digest, sizeof number);
  return (double)(number >> 11) * 0x1p-53;
}

static TallyFlow
sample_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  SampleStep *sample = (SampleStep *)step;
  guint n_rows = tally_batch_n_rows (batch);
  g_autofree guint64 *keep = g_new0 (guint64, tally_bitmap_words (n_rows) + 1);

  for (guint row = 0; row < n_rows; row++)
    if (lot (sample, batch, row) < sample->share)
      tally_bitmap_set (keep, row);
  tally_batch_retain (batch, keep);
  return TALLY_FLOW_OK;
}

/* `0.5%`, `1 % seed 7` */
static gboolean
parse (const char *text, SampleStep *sample)
{
  double percent;
  char *end;

  if (!g_ascii_isdigit (*text))
    return FALSE;
  percent = g_ascii_strtod (text, &end);
  end += strspn (end, " ");
  if (*end++ != '%' || !(percent > 0 && percent <= 100))
    return FALSE;
  sample->share = percent / 100;
  if (*end == '\0')
    return TRUE;

  if (!g_str_has_prefix (end, " seed ") || !g_ascii_isdigit (end[6]))
    return FALSE;
  errno = 0;
  sample->seed = g_ascii_strtoull (end + 6, &end, 10);
  return *end == '\0' && errno == 0;
}

static void
sample_clear (TallyStep *step)
{
  tally_digester_clear (&((SampleStep *)step)->digester);
}

static TallyStep *
sample_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
              GPtrArray *complaints)
{
  g_autofree char *message = NULL;
  SampleStep wish = { 0 }, *sample;

  if (n_arguments != 1)
    return NULL;
  if (!parse (arguments[0].value, &wish))
    {
      message = g_strdup_printf ("\"sample\" takes a share of the rows, not \"%s\"",
                                 arguments[0].value);
      tally_step_complain (complaints, arguments, 0, /* in_name= */ FALSE, message,
                           "for example 1%, or 1% seed 7 for other rows");
      return NULL;
    }

  sample = tally_step_new (sizeof (SampleStep), tally_step_sample.name, schema);
  sample->share = wish.share;
  sample->seed = wish.seed;
  tally_digester_init (&sample->digester);
  sample->base.apply = sample_apply;
  sample->base.clear = sample_clear;
  return &sample->base;
}

const TallyStepKind tally_step_sample = {
  .name = "sample",
  .summary
  = "passes a share of the rows, the same ones each time; a seed chooses others: sample: 1% seed 7",
  .form = TALLY_STEP_SCALAR,
  .keeps_columns = TRUE,
  .build = sample_build,
};
