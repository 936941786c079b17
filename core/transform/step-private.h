/* step-private.h: what the steps share; each step's own struct begins with a TallyStep */
#pragma once
#include "step.h"

struct _TallyStep
{
  const char *name;     /* (unowned) */
  TallySchema *schema;  /* (owned) of the rows that leave it */
  GPtrArray *warnings;  /* (owned) (nullable) (element-type utf8) */
  gboolean (*open) (TallyStep *step, TallyContext *ctx, GError **error); /* (nullable) */
  TallyFlow (*prepare) (TallyStep *step, TallyReferences *references, GArray *rejects, GError **error); /* (nullable) */
  void (*close) (TallyStep *step);                                       /* (nullable) */
  void (*interrupt) (TallyStep *step);                                   /* (nullable) */
  TallyFlow (*apply) (TallyStep *step, TallyBatch *batch, GError **error);
  TallyFlow (*drain) (TallyStep *step, TallyBatch *batch, GError **error); /* (nullable) of a step that holds rows back */
  guint64 n_held; /* rows that apply has taken out with tally_batch_withhold(), and that drain has not accounted for */
  void (*clear) (TallyStep *step); /* (nullable) frees what the step's own struct holds */
};

/* A zeroed struct of size bytes that begins with a TallyStep. */
gpointer tally_step_new (gsize size, const char *name, TallySchema *schema);
void tally_step_warn (TallyStep *step, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* ---- Rows that are remembered or held back ---- */

#define TALLY_STEP_MEMORY (64 * 1024 * 1024) /* bytes of a step; what is more goes to disk */

/* Whether a batch that is drained into is to be handed on: it has no room, or its rows are so long that they take their share
 * of the memory. */
gboolean tally_step_has_filled (const TallyBatch *batch);

/* ---- Complaints ---- */

/* About bytes of an argument's name or value; length 0: all of it. */
void tally_step_complain (GPtrArray *complaints, const TallyStepArgument *arguments, guint argument, gboolean in_name,
                          const char *message, const char *hint);
/* About the step as a whole. */
void tally_step_complain_of_all (GPtrArray *complaints, const char *message, const char *hint);
/* Takes over what the compiler said of argument's value, which stood prefix bytes later in the text that was compiled. */
void tally_step_take_complaint (GPtrArray *complaints, guint argument, const TallyStepArgument *arguments, gsize prefix,
                                TallyComplaint *complaint);
/* The index of the column that argument's name or value names; -1 with a complaint. */
gint tally_step_find_column (GPtrArray *complaints, const TallyStepArgument *arguments, guint argument, gboolean in_name,
                             TallySchema *schema);
/* The same; the hint begins with who has the columns: "The step gets". */
gint tally_step_find_column_in (GPtrArray *complaints, const TallyStepArgument *arguments, guint argument,
                                gboolean in_name, TallySchema *schema, const char *who);
/* The column that each argument's value names; NULL with complaints about unknown ones and those named twice. */
gint *tally_step_find_columns (GPtrArray *complaints, const TallyStepArgument *arguments, guint n_arguments,
                               TallySchema *schema);
/* Compiles an argument's value, or its name, that must be boolean; NULL with a complaint. */
TallyExpression *tally_step_compile_condition (GPtrArray *complaints, const TallyStepArgument *arguments, guint argument,
                                               gboolean in_name, TallySchema *schema);

/* (transfer full) `"name"::`, quoted as an SQL identifier, which a type may follow. */
char *tally_step_cast_prefix (const char *column);

/* ---- Rows ---- */

/* A step's scratch: one value for each row of a batch of any capacity. */
typedef struct
{
  gpointer vector;   /* (owned) */
  guint64 *validity; /* (owned) */
  guint capacity;
} TallyScratch;

/* Room for capacity values of type; validity is all clear. */
void tally_scratch_prepare (TallyScratch *scratch, TallyType type, guint capacity);
void tally_scratch_clear (TallyScratch *scratch);
/* The rows for which a boolean expression is true, as a bitmap; those rejected by it are not among them. */
const guint64 *tally_scratch_evaluate (TallyScratch *scratch, TallyExpression *expression, TallyBatch *batch);

/* ---- Columns that are worked out: set and cast ---- */

typedef struct _TallyAssignments TallyAssignments;

TallyAssignments *tally_assignments_new (void);
void tally_assignments_free (TallyAssignments *assignments);
/* Adds (transfer full) expression, whose value becomes the column name. */
void tally_assignments_add (TallyAssignments *assignments, const char *name, TallyExpression *expression);
/* (transfer full) The columns that come out: those of schema, replaced in place, then new ones. */
TallySchema *tally_assignments_finish (TallyAssignments *assignments, TallySchema *schema);
/* All expressions see the row as it came in. */
void tally_assignments_apply (TallyAssignments *assignments, TallyBatch *batch, TallySchema *schema);
