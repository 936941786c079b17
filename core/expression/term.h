/* term.h: a typed expression, as the typer makes it and the evaluator runs it
 *
 * A term is a node that knows its type and, once it is evaluated for a batch, where its values are:
 * a vector and a validity bitmap, in its own scratch space, in the batch (columns), or one value
 * for all rows (constants; step is 0).  Terms, their constants and what functions prepare live in
 * the expression and go with it.
 */
#pragma once
#include "record/bitmap.h"
#include "expression.h"

/* Types beyond those of columns. */
enum
{
  TYPE_UNKNOWN = TALLY_N_TYPES, /* a literal in quotes, or NULL, that nobody has typed yet */
  TYPE_TEXT_ARRAY,              /* text[]; held as a jsonb array of strings and nulls */
  TYPE_ANY,                     /* in signatures only */
};

typedef union
{
  guint8 boolean;
  gint32 date;
  gint64 integer; /* bigint, timestamp, timestamptz */
  double real;
  TallyText text; /* text, numeric, bytea, jsonb, text[] */
  TallyInterval interval;
} Value;

typedef enum
{
  TERM_CONSTANT,
  TERM_COLUMN,
  TERM_CALL,     /* function over args */
  TERM_AND,      /* two args */
  TERM_OR,       /* two args */
  TERM_CASE,     /* args: condition, result, condition, result, …, else */
  TERM_COALESCE, /* args */
  TERM_SAME, /* the value of args[0], a term that stands elsewhere, too; worked out once, where it
                is first needed */
} TermKind;

typedef struct _Term Term;
typedef struct _Frame Frame;
typedef struct _Call Call;
typedef struct _Function Function;

struct _Term
{
  TermKind kind;
  guint8 type;
  guint n_args;
  Term **args;          /* (owned array) of terms that the expression owns */
  gsize offset, length; /* its place in the text, for complaints */

  guint column;             /* TERM_COLUMN */
  const Function *function; /* TERM_CALL */
  gint64 modifier; /* what the type or the operator was given: a length, precision and scale */
  gpointer data;   /* (owned) what prepare() made of constant arguments */
  GDestroyNotify free_data;

  gboolean is_null;   /* TERM_CONSTANT */
  Value constant;     /* TERM_CONSTANT; values points to it, or to here */
  Value borrowed;     /* TERM_CONSTANT of text: the copy of it that the batch at hand holds */
  gboolean is_folded; /* has been through tally_term_fold() */
  guint64 evaluation; /* the last one that worked it out */

  gpointer values;
  guint64 *validity;
  guint step;            /* from one row's value to the next: 1, or 0 for a constant */
  gpointer own_values;   /* (owned) scratch of capacity values */
  guint64 *own_validity; /* (owned) */
};

/* What one evaluation needs. */
struct _Frame
{
  TallyExpression *expression;
  TallyBatch *batch;
  guint n_rows;
  guint n_words;
  guint64 evaluation;  /* its number */
  guint64 *live;       /* rows that nobody has rejected */
  const guint64 *all;  /* validity of constants: every bit set */
  const guint64 *none; /* validity of NULL constants */
  gboolean folding;    /* one row, no batch of the user's: errors go to message */
  char *message;       /* (owned) (nullable) the first error while folding */
};

/* What a function sees of a call, for one row. */
struct _Call
{
  Frame *frame;
  TallyBatch *batch;
  Term *term;
  GString *scratch; /* empty; for results whose length is not known beforehand */
  guint64 nulls;    /* for functions that are not strict: bit i is set if argument i is NULL (of the
                       first 64) */
  gboolean is_null; /* set to TRUE for a result of NULL */
};

/* One row.  Arguments are not NULL unless the function says that it takes those. */
typedef gboolean (*ScalarFunc) (Call *call, const Value *args, Value *ret, GError **error);
/* All rows whose bit is set in term->validity, which is that of the result; may clear bits of it.
 */
typedef void (*KernelFunc) (Frame *frame, Term *term);
/* Looks at constant arguments once.  On failure the message becomes a complaint. */
typedef gboolean (*PrepareFunc) (Term *term, GError **error);

typedef enum
{
  FUNCTION_VOLATILE = 1 << 0,
  FUNCTION_TAKES_NULL = 1 << 1,
  FUNCTION_VARIADIC
  = 1 << 2, /* the last type of the signature stands for any number, from one on */
  FUNCTION_NULL_BY_FIRST
  = 1 << 3, /* only a constant NULL as first argument settles it before the others are looked at */
  FUNCTION_STABLE
  = 1 << 4, /* the same for all of a run, but not known before: not folded, nor volatile */
} FunctionFlags;

/* A signature has one letter a type; see function.c. */
struct _Function
{
  const char *name;
  const char *args;
  char result;
  ScalarFunc scalar;
  KernelFunc kernel;
  PrepareFunc prepare;
  FunctionFlags flags;
  gintptr detail; /* for functions that serve several entries */
};

#define MAX_ARGS 60

struct _TallyExpression
{
  GPtrArray *terms;      /* (owned) (element-type Term) all of them */
  Term *root;            /* (unowned) */
  TallySchema *schema;   /* (owned) */
  TallyBatch *constants; /* (owned) holds the memory of constants; one row, no columns */
  GString *scratch;      /* (owned) */
  guint64 *columns;      /* (owned) */
  gboolean is_volatile;
  guint64 n_evaluations;
  guint capacity;    /* of scratch vectors */
  guint64 *live;     /* (owned) */
  guint64 *bits;     /* (owned) every bit set, then as many that are clear */
  GPtrArray *spare;  /* (owned) (element-type guint64*) bitmaps not in use */
  guint64 *selected; /* (owned) the rows at the start */
};

/* Over the rows whose bit is set; the body may clear bits of rows. */
#define FOR_EACH_ROW(frame, bits, row)                                                             \
  for (guint word_ = 0; word_ < (frame)->n_words; word_++)                                         \
    for (guint64 rest_ = (bits)[word_]; rest_ != 0; rest_ &= rest_ - 1)                            \
      for (guint row = word_ * 64 + (guint)__builtin_ctzll (rest_), once_ = 1; once_; once_ = 0)

#define TERM_VALUES(term, Type) ((const Type *)(term)->values)

/* term.c */
gsize tally_term_type_size (guint type);
const char *tally_term_type_name (guint type);
gboolean tally_term_type_is_text (guint type); /* held as TallyText */
Term *tally_term_new (TallyExpression *expression, TermKind kind, guint type, guint n_args);
Term *tally_term_constant (TallyExpression *expression, guint type,
                           const Value *value); /* value: NULL for SQL's NULL */
void tally_term_free (gpointer term);
static inline gboolean
tally_term_is_null (const Term *term)
{
  return term->kind == TERM_CONSTANT && term->is_null;
}

/* evaluate.c */
void tally_term_evaluate (Frame *frame, Term *term, const guint64 *rows);
void tally_frame_fail (Frame *frame, guint row, const char *message);
void tally_frame_fail_error (Frame *frame, guint row, GError *error); /* takes error */
void tally_expression_reserve (TallyExpression *expression, guint capacity);
/* Copies text into the batch that is evaluated. */
TallyText tally_call_copy (Call *call, const char *data, gsize length);

/* fold.c: makes constants of what is constant; FALSE and a complaint where a value is an error. */
gboolean tally_term_fold (TallyExpression *expression, Term *term, TallyComplaint **ret_complaint);

/* A complaint about a place in the text; takes no strings. */
TallyComplaint *tally_complaint_new (gsize offset, gsize length, const char *hint,
                                     const char *format, ...) G_GNUC_PRINTF (4, 5);
