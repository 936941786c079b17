/* examples.h: a pipeline's own tests: rows that are given, steps, rows that are expected */
#pragma once
#include "pipeline/pipeline.h"

/* What is not as it was expected: a value; or, without a column, a whole row, as JSON. */
typedef struct
{
  guint row;      /* from 1, of those that came out */
  char *column;   /* (owned) (nullable) */
  char *expected; /* (owned) (nullable) JSON; NULL: no such row was expected */
  char *found;    /* (owned) (nullable) JSON; NULL: there is no such row, or column */
  char *note;     /* (owned) (nullable) why they cannot be the same */
} TallyDifference;

typedef struct
{
  char *problem;      /* (owned) (nullable) why the steps could not be run over the rows at all */
  GArray *differences; /* (owned) (element-type TallyDifference) */
  TallyBatch *batch;   /* (owned) (nullable) what came out, and the rejects on the way */
} TallyExampleResult;

/* Types the steps: for the columns of the source where they are known, else for those that the rows of all tests have.
 * FALSE if there are mistakes, which are among the pipeline's diagnostics. */
gboolean tally_examples_bind (TallyPipeline *pipeline);
/* Runs one test of a pipeline that is so bound. */
void tally_example_run (TallyPipeline *pipeline, const TallyPipelineTest *test, TallyExampleResult *ret_result);
gboolean tally_example_passed (const TallyExampleResult *result);
void tally_example_clear (TallyExampleResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TallyExampleResult, tally_example_clear)
