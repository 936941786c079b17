/* lookup.h: a step that looks rows up in another source */
#pragma once
#include "lookup-side.h"
#include <tallyman/option.h>

enum { TALLY_LOOKUP_MISSING_KEEP, TALLY_LOOKUP_MISSING_REJECT, TALLY_LOOKUP_MISSING_DROP };
enum { TALLY_LOOKUP_MANY_REJECT, TALLY_LOOKUP_MANY_FIRST };
enum { TALLY_LOOKUP_ERRORS_FAIL, TALLY_LOOKUP_ERRORS_REJECT };

/* What a lookup takes besides names and expressions. */
typedef struct
{
  gint missing, many, errors; /* choices, see above */
  gint64 memory;              /* bytes */
} TallyLookupOptions;

extern const TallyOption tally_lookup_options[];

/* Some of a step's arguments. */
typedef struct
{
  guint first, n;
} TallyStepArguments;

typedef struct
{
  const TallyStepArgument *arguments;
  TallyStepArguments match;   /* name: a column of the other side; value: an expression over the row that comes */
  TallyStepArguments columns; /* value: a column of the other side; name: (nullable) what it is called here; n 0: all */
  TallyStepArguments collect; /* value: the column that gets all rows; n 0: columns are added */
  TallyStepArguments order;   /* value: as in ORDER BY */
  TallyLookupOptions options;
} TallyLookupWish;

/* Makes the step for rows of schema.  side: (transfer full).  As with the build function of a TallyStepKind, all that is
 * wrong goes to complaints; NULL then. */
TallyStep *tally_step_new_lookup (TallyLookupSide *side, const TallyLookupWish *wish, TallySchema *schema,
                                  GPtrArray *complaints);
/* (nullable) The other side of a step, if it is a lookup. */
TallyLookupSide *tally_step_lookup_side (TallyStep *step);
