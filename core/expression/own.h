/* own.h: functions that PostgreSQL does not have and that have a file of their own */
#pragma once
#include "term.h"

gboolean tally_ref_prepare (Term *term, GError **error);
void tally_ref_kernel (Frame *frame, Term *term);
