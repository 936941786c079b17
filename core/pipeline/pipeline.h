/* pipeline.h: a YAML file becomes a checked pipeline */
#pragma once
#include "diagnostic.h"
#include "plugin/instance.h"
#include "plugin/registry.h"
#include "reference-file.h"
#include "transform/step.h"

/* What a delivering sink takes besides its own options; the same for all of them (see pipeline/delivery-options.c). */
typedef struct
{
  gint key_column;      /* of sink_schema: a hidden one, text, filled by one of sink_expressions */
  gint64 settle;        /* microseconds; -1: as the profile says */
  gint64 in_flight;     /* most requests at once; 0: as the profile says */
  gint64 attempts;      /* sends of one generation before it is set aside; default 8 */
} TallyDeliveryOptions;

typedef struct
{
  char *name;
  GPtrArray *given;  /* (element-type utf8) rows as JSON objects */
  GPtrArray *lookups; /* (element-type GPtrArray) rows of the lookups, in the order of the steps; those left out are read */
  GPtrArray *expect;
  GHashTable *refs;  /* (nullable) what ref() finds: entity → (key → id) (element-type utf8 GHashTable) */
  guint line;
} TallyPipelineTest;

typedef struct _TallyReader TallyReader;

typedef struct
{
  char *file, *text;            /* (owned) as given, and the source */
  char *directory;              /* (owned) absolute */
  char *name, *description;     /* (owned) (description nullable) */
  char *origin;                 /* (owned) the pipeline's name if none is given */
  char **after;                 /* (owned) */
  TallyInstance *source, *sink; /* (owned) options filled, not opened */
  GPtrArray *steps;             /* (owned) (element-type TallyStep); built only if the source's schema is known */
  TallySchema *source_schema;   /* (owned) (nullable) as the source described it */
  TallySchema *sink_schema;     /* (owned) (nullable) what the sink gets, hidden columns of its expressions included at the end */
  GPtrArray *sink_expressions;  /* (owned) (element-type TallyExpression) for the hidden columns, in order */
  guint n_visible;              /* columns of sink_schema that are not hidden */
  TallyDeliveryOptions delivery; /* if sink->plugin->delivery */
  gint64 reject_limit;          /* most rejects; G_MAXINT64: no limit */
  double reject_percent;        /* most rejects of the records read, in per cent; 100: no limit */
  char *rejects_path;           /* (owned) (nullable) absolute */
  TallyReferenceFile *references; /* (owned) (nullable) what ref() finds where the ledger has nothing */
  char *ledger;                 /* (owned) (nullable) */
  GPtrArray *tests;             /* (owned) (element-type TallyPipelineTest) */
  GPtrArray *diagnostics;       /* (owned) (element-type TallyDiagnostic) */
  TallyReader *reader;  /* (owned) what was written where, for binding; see reader.h */
} TallyPipeline;

/* Reads file and finds everything that is wrong with it without touching a network: syntax, names, options, references.
 * Never NULL: see tally_pipeline_n_errors().  A source whose plugin is LOCAL is opened, described and closed, so that steps
 * and sink are typed; others are typed by tally_pipeline_bind() once they are open. */
TallyPipeline *tally_pipeline_load (const char *file, TallyRegistry *registry);
/* Reads of a file only what it is in a ledger, its name, and which ledger that is: for who asks after runs, where all else may be wrong,
 * or want variables that are not set.  Never NULL, and without errors it has a name. */
TallyPipeline *tally_pipeline_load_place (const char *file);
/* Types steps and sink for a source that gives schema; called by load for LOCAL sources, by the engine for others
 * (and again if the source describes itself otherwise when it is opened for the run).  FALSE if there are errors now. */
gboolean tally_pipeline_bind (TallyPipeline *pipeline, TallySchema *schema);
/* Whether all that there is to type has been typed, without a mistake. */
gboolean tally_pipeline_is_bound (const TallyPipeline *pipeline);
/* What a lookup takes besides tally_lookup_options, for who lists it; NULL behind the last. */
typedef struct
{
  const char *name, *summary, *example;
  const char *takes; /* "a map" */
  gboolean required;
} TallyLookupKeyInfo;
const TallyLookupKeyInfo *tally_pipeline_lookup_key (guint index);

/* Lookups are counted in the order of the steps.  The columns of a LOCAL source are known once the file is read; others must
 * be described, or assumed, before steps are typed.  Fails as the source does. */
guint tally_pipeline_n_lookups (const TallyPipeline *pipeline);
gboolean tally_pipeline_describe_lookups (TallyPipeline *pipeline, TallyContext *ctx, GError **error);
/* Opens one's source as a run would, describes it and lets it tell what it finds. */
gboolean tally_pipeline_probe_lookup (TallyPipeline *pipeline, guint index, TallyContext *ctx, GError **error);
TallySchema *tally_pipeline_lookup_schema (const TallyPipeline *pipeline, guint index); /* (transfer none) (nullable) */
void tally_pipeline_assume_lookup (TallyPipeline *pipeline, guint index, TallySchema *schema); /* that is not known */
gboolean tally_pipeline_lookup_is_local (const TallyPipeline *pipeline, guint index);
guint tally_pipeline_lookup_line (const TallyPipeline *pipeline, guint index);
/* What becomes of a row depends on those before it: such a run can only begin at the beginning. */
gboolean tally_pipeline_keeps_state (const TallyPipeline *pipeline);
/* The steps only, for who has no sink in mind. */
gboolean tally_pipeline_bind_steps (TallyPipeline *pipeline, TallySchema *schema);
guint tally_pipeline_n_errors (const TallyPipeline *pipeline);
/* (transfer full): message without the values that references stand for. */
char *tally_pipeline_redact (const TallyPipeline *pipeline, const char *message);
/* (transfer container) (element-type TallyDiagnostic) in order of position. */
GPtrArray *tally_pipeline_sorted_diagnostics (const TallyPipeline *pipeline);
/* All of them as text. */
void tally_pipeline_format_diagnostics (const TallyPipeline *pipeline, gboolean colour, GString *out);
void tally_pipeline_free (TallyPipeline *pipeline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyPipeline, tally_pipeline_free)

/* The pipelines of a folder's *.yaml, each after those that it names in `after`; or the one file.  Fails with TALLY_ERROR_USAGE: nothing there, a circle. */
char **tally_pipeline_order (const char *path, GError **error);
