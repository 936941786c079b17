/* function.h: which function or operator a call means, by PostgreSQL's rules
 *
 * The tables' signatures have a letter for each type:
 *   t text  b boolean  i bigint  d double precision  n numeric  D date  s timestamp  z timestamptz
 * v interval  y bytea j jsonb  A text[]  * any type
 */
#pragma once
#include "term.h"

/* Ended by an entry without a name. */
extern const Function tally_operator_functions[];
extern const Function tally_number_functions[];
extern const Function tally_plain_text_functions[];
extern const Function tally_text_functions[];
extern const Function tally_array_functions[];
extern const Function tally_pattern_functions[];
extern const Function tally_time_functions[];
extern const Function tally_json_functions[];
extern const Function tally_own_functions[]; /* not PostgreSQL's */

typedef enum
{
  RESOLVE_FOUND,
  RESOLVE_UNKNOWN_NAME,
  RESOLVE_NO_MATCH,
  RESOLVE_AMBIGUOUS,
} ResolveResult;

guint tally_type_of_letter (char letter);
/* ret_types: MAX_ARGS types that the arguments are to be coerced to; TYPE_ANY takes what comes. */
ResolveResult tally_function_resolve (const char *name, gboolean is_operator, const guint8 *types,
                                      guint n_types, const Function **ret_function,
                                      guint8 *ret_types);
/* The known function whose name is closest, or NULL. */
const char *tally_function_nearest (const char *name);
/* Is it one that PostgreSQL does not have? */
gboolean tally_function_is_own (const char *name);

typedef enum
{
  CAST_NONE,
  CAST_EXPLICIT,
  CAST_IMPLICIT,
} CastContext;

/* The function that casts, NULL if the value stays as it is (and the result says whether it may).
 */
CastContext tally_cast_find (guint from, guint to, const Function **ret_function);
gboolean tally_cast_is_implicit (guint from, guint to);
/* PostgreSQL's type categories: types of one may be mixed in CASE, COALESCE, IN and so on. */
char tally_type_category (guint type);
gboolean tally_type_is_preferred (guint type);

/* Functions that the typer puts in by itself. */
extern const Function tally_is_null_function, tally_is_not_null_function, tally_not_function,
    tally_boolean_test_function, tally_is_distinct_function, tally_is_not_distinct_function,
    tally_nullif_function, tally_in_function, tally_greatest_function, tally_least_function;
extern const Function tally_limit_numeric_function, tally_limit_text_function,
    tally_limit_time_function, tally_narrow_function;
extern const Function tally_text_concat_function, tally_bytea_concat_function,
    tally_jsonb_concat_function, tally_array_concat_function, tally_array_function,
    tally_array_element_function, tally_array_append_function, tally_array_prepend_function,
    tally_any_function, tally_jsonb_member_function, tally_jsonb_element_function;

/* Below 0, 0, above 0 in the type's order. */
gint tally_value_compare (guint type, const Value *a, const Value *b);
