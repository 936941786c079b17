/* literals.h: lists of texts, each ending in NULL */
#pragma once

extern const char *const bigint_literals[];
extern const char *const double_literals[];
extern const char *const boolean_literals[];
extern const char *const bytea_literals[];
extern const char *const numeric_literals[];
extern const char *const moment_literals[]; /* of dates and timestamps */
extern const char *const interval_literals[];
extern const char *const jsonb_literals[];
