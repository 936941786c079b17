/* kinds.h: the built-in steps, one file each */
#pragma once
#include "step.h"

extern const TallyStepKind tally_step_assert;
extern const TallyStepKind tally_step_cast;
extern const TallyStepKind tally_step_distinct;
extern const TallyStepKind tally_step_drop;
extern const TallyStepKind tally_step_filter;
extern const TallyStepKind tally_step_group;
extern const TallyStepKind tally_step_keep;
extern const TallyStepKind tally_step_limit;
extern const TallyStepKind tally_step_lookup;
extern const TallyStepKind tally_step_rename;
extern const TallyStepKind tally_step_sample;
extern const TallyStepKind tally_step_set;
extern const TallyStepKind tally_step_sort;
extern const TallyStepKind tally_step_thread;
extern const TallyStepKind tally_step_unnest;
