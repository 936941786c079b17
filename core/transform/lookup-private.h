/* lookup-private.h: the lookup step between being built and at work */
#pragma once
#include "digest.h"
#include "keyed.h"
#include "lookup.h"
#include "sort-order.h"

/* One part of the key: it is equal on both sides. */
typedef struct
{
  const char *name;            /* (unowned) of the other side's column */
  guint column;                /* of the other side */
  TallyType type;              /* of both, when they are compared */
  TallyExpression *expression; /* (owned) over the row that comes */
  TallyScratch scratch;        /* its values */
  TallyExpression *cast;       /* (owned) (nullable) of the other side's column, if that is of another type */
  TallyScratch cast_scratch;   /* its values */
} TallyLookupKey;

/* A column of the other side that goes on, as a column or as a member of an object. */
typedef struct
{
  guint column;
  char *name; /* (owned) here */
} TallyLookupColumn;

typedef struct
{
  TallyStep base;
  TallyLookupSide *side; /* (owned) */
  TallyLookupOptions options;
  GArray *keys;          /* (owned) (element-type TallyLookupKey) */
  GArray *columns;       /* (owned) (element-type TallyLookupColumn) */
  gint *from, *to;       /* (owned) their indexes on the other side, and in added */
  GArray *order;         /* (owned) (element-type TallySortColumn) of the rows of one key */
  gboolean collects;
  TallySchema *added;    /* (owned) the columns that the step adds */

  TallyDigester digester;
  TallyContext *ctx; /* (unowned) (nullable) from open to close */
  TallyKeyed *keyed; /* (owned) (nullable) the same */
  GByteArray *row, *place; /* (owned) scratch */
  GString *array;          /* (owned) scratch */
} TallyLookup;

/* The functions of the step's life, for who builds it. */
gboolean tally_lookup_open (TallyStep *step, TallyContext *ctx, GError **error);
TallyFlow tally_lookup_prepare (TallyStep *step, TallyReferences *references, GArray *rejects, GError **error);
TallyFlow tally_lookup_apply (TallyStep *step, TallyBatch *batch, GError **error);
void tally_lookup_interrupt (TallyStep *step);
void tally_lookup_close (TallyStep *step);
