/* reader.h: what the parts of the pipeline's reader share */
#pragma once
#include "pipeline.h"
#include "transform/lookup.h"
#include "reference.h"
#include "yaml.h"

/* A plugin's source, sink or step as written. */
typedef struct
{
  TallyKind kind;
  TallyYamlNode *name;       /* (unowned) (nullable) the plugin's name */
  TallyYamlNode *options;    /* (unowned) (nullable) the map of its options */
  const TallyPlugin *plugin; /* (unowned) (nullable) */
  gboolean good;             /* its options have no mistakes */
} TallyPluginDraft;

/* A lookup's own part of a step as written. */
typedef struct
{
  TallyPluginDraft source;
  TallyInstance *instance;  /* (owned) (nullable) of the source, for the run */
  TallySchema *schema;      /* (owned) (nullable) what the source gives, as far as that is known */
  GPtrArray *steps;         /* (owned) (element-type TallyStepDraft) that its rows go through */
  TallyInstance *options;   /* (owned) of tally_lookup_options */
  TallyLookupWish wish;     /* but for the arguments, which are the step's, and the options */
  gboolean good;            /* nothing is wrong that needs no columns to be seen */
} TallyLookupDraft;

/* A step as written, before it is known which columns come: a built-in one, or a plugin's. */
typedef struct
{
  const TallyStepKind *kind; /* (nullable) NULL: a plugin's */
  TallyYamlNode *node; /* (unowned) its value; the key is the step's name */
  GArray *arguments;   /* (owned) (element-type TallyStepArgument) pointing into the nodes */
  GPtrArray *nodes;    /* (owned) (element-type TallyYamlNode) (unowned) of the arguments, each with its key if it has one */
  TallyPluginDraft plugin;
  TallyInstance *instance; /* (owned) (nullable) of the plugin */
  TallyLookupDraft *lookup; /* (owned) (nullable) */
  TallyStep *step;     /* (unowned) (nullable) once it is bound; NULL if it is wrong */
} TallyStepDraft;

struct _TallyReader
{
  TallyYamlNode *root;     /* (owned) (nullable) */
  TallyPluginDraft source, sink;
  TallyInstance *delivery; /* (owned) (nullable) the core's options of a delivering sink */
  GPtrArray *steps;        /* (owned) (element-type TallyStepDraft) */
  TallySchema *accepted;   /* (owned) (nullable) what the sink's accept() got */
  GPtrArray *secrets;      /* (owned) (element-type TallySecret) */
  gboolean bound;          /* steps and sink are typed for source_schema, without errors */
  guint n_unbound;         /* diagnostics that do not come from binding */
  GPtrArray *binding;      /* (unowned) (nullable) the steps that are typed now or were last: a list of drafts */
  TallySchema *binding_schema; /* (unowned) (nullable) of the rows that come to them */
};

extern const TallyPlugin tally_delivery_options_plugin;

/* ---- Saying what is wrong; messages are redacted ---- */

void tally_pipeline_report (TallyPipeline *pipeline, TallySeverity severity, gsize offset, gsize length,
                            const char *message, const char *hint);
void tally_pipeline_report_whole (TallyPipeline *pipeline, const char *message, const char *hint);
/* At a node: a scalar as a whole, of a list or map its beginning. */
void tally_pipeline_report_node (TallyPipeline *pipeline, const TallyYamlNode *node, const char *message, const char *hint);
/* At bytes of a scalar's text. */
void tally_pipeline_report_part (TallyPipeline *pipeline, TallySeverity severity, const TallyYamlNode *scalar, gsize offset,
                                 gsize length, const char *message, const char *hint);
/* An error whose message may end with "; did you mean …?", which becomes the hint. */
void tally_pipeline_report_error (TallyPipeline *pipeline, const TallyYamlNode *node, const GError *error);
guint tally_pipeline_line (const TallyPipeline *pipeline, gsize offset);
/* "did you mean …?", or the known names. */
char *tally_pipeline_name_hint (const char *what, const char *const *names, guint n_names, const char *nearest);

/* ---- The parts ---- */

/* A scalar with its references replaced; NULL if there is none or it has mistakes, which are reported. */
char *tally_pipeline_dup_scalar (TallyPipeline *pipeline, const TallyYamlNode *node);
/* source: and sink: */
void tally_pipeline_read_plugin (TallyPipeline *pipeline, TallyRegistry *registry, TallyKind kind, TallyYamlNode *node);
/* The name and the options of a plugin, from the node whose key is its name.  FALSE: they are no map, which is reported. */
gboolean tally_pipeline_read_options (TallyPipeline *pipeline, TallyPluginDraft *draft, TallyYamlNode *node);
/* The instance of draft's plugin with its options filled from draft's; good tells whether they have no mistakes. */
TallyInstance *tally_pipeline_read_instance (TallyPipeline *pipeline, TallyPluginDraft *draft, TallyInstance *delivery);
/* Hides what may be a secret under a name that is unknown. */
void tally_pipeline_blot (TallyPipeline *pipeline, const TallyYamlNode *node);
/* Sets an option of instance to what a node says; what is wrong is reported. */
void tally_pipeline_set_option (TallyPipeline *pipeline, TallyInstance *instance, const TallyOption *option,
                                TallyYamlNode *node);
/* Finds the plugin of draft's kind that a node names, with a map of its options.  FALSE: there is none, which is reported. */
gboolean tally_pipeline_find_plugin (TallyPipeline *pipeline, TallyRegistry *registry, TallyPluginDraft *draft,
                                     TallyYamlNode *node);
/* Opens a source, whose options are good, to see its columns; and lets it look about, if ctx is told of it. */
TallySchema *tally_pipeline_look (TallyPipeline *pipeline, const TallyPluginDraft *draft, TallyContext *ctx, GError **error);
/* The same for a LOCAL source at check time: that it cannot be opened is reported. */
TallySchema *tally_pipeline_describe_source (TallyPipeline *pipeline, const TallyPluginDraft *draft);
/* transform: adds what a list of steps says to drafts (element-type TallyStepDraft). */
void tally_pipeline_read_steps (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node, GPtrArray *drafts);
void tally_pipeline_add_argument (TallyPipeline *pipeline, TallyStepDraft *draft, TallyYamlNode *node);
void tally_step_draft_free (TallyStepDraft *draft);
/* lookup: */
void tally_pipeline_read_lookup (TallyPipeline *pipeline, TallyRegistry *registry, TallyStepDraft *draft);
void tally_lookup_draft_free (TallyLookupDraft *draft);
/* Types the steps of a list, each for the columns that the one before it gives, and adds them to steps.  Returns the
 * columns that leave the last; NULL if a wrong step leaves them unknown, or a lookup whose source is not known yet. */
TallySchema *tally_pipeline_bind_list (TallyPipeline *pipeline, GPtrArray *drafts, TallySchema *schema, GPtrArray *steps);
/* tests: */
void tally_pipeline_read_tests (TallyPipeline *pipeline, TallyYamlNode *node);
void tally_pipeline_test_free (TallyPipelineTest *test);
