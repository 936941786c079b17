/* harness.h: a plugin alone, for its tests
 *
 * A harness plays the engine for one plugin: it fills the options, opens it, takes rows from a source
 * or gives rows to a transform or sink, and shows what came out.
 *
 *   g_autoptr (TallyHarness) harness = tally_harness_new ("lines");
 *
 *   tally_harness_set (harness, "path", "three-lines.txt");
 *   g_assert_cmpint (tally_harness_pull (harness), ==, TALLY_FLOW_OK);
 *   g_autofree char *lines = tally_harness_get_column (harness, 0);
 *
 * Plugins are found as the engine finds them; set TALLYMAN_PLUGIN_PATH to the folder of the one under test.
 */
#pragma once
#include "plugin.h"

G_BEGIN_DECLS

/**
 * TallyHarness:
 *
 * One plugin under test.
 *
 * Since: 0.1
 */
typedef struct _TallyHarness TallyHarness;

/**
 * tally_harness_new:
 * @name: the name of a source, else of a transform, else of a sink
 *
 * Ends the program with a message if there is no such plugin.
 *
 * Returns: (transfer full): a harness; the plugin is not opened yet
 * Since: 0.1
 */
TallyHarness *tally_harness_new (const char *name);

/**
 * tally_harness_new_of_kind:
 * @kind: its kind
 * @name: its name
 *
 * As tally_harness_new(), where plugins of several kinds have one name.
 *
 * Returns: (transfer full): a harness
 * Since: 0.1
 */
TallyHarness *tally_harness_new_of_kind (TallyKind kind, const char *name);

/**
 * tally_harness_free:
 * @harness: (nullable) (transfer full): a harness
 *
 * Closes the plugin and lets go of everything.
 *
 * Since: 0.1
 */
void tally_harness_free (TallyHarness *harness);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyHarness, tally_harness_free)

/**
 * tally_harness_set:
 * @harness: a harness whose plugin is not open
 * @option: an option's name
 * @value: its value, in the form that a pipeline has it; for a list, one element more each call
 *
 * A mistake shows when the plugin is opened.
 *
 * Since: 0.1
 */
void tally_harness_set (TallyHarness *harness, const char *option, const char *value);

/**
 * tally_harness_set_columns:
 * @harness: a transform's or sink's harness whose plugin is not open
 * @columns: (array length=n_columns): what it will get; copied
 * @n_columns: their number
 *
 * Since: 0.1
 */
void tally_harness_set_columns (TallyHarness *harness, const TallyColumn *columns, guint n_columns);

/**
 * tally_harness_open:
 * @harness: a harness whose plugin is not open
 *
 * Fills the options, checks them, shows the columns to a transform or sink, and opens the plugin.
 * pull() and push() do this by themselves.
 *
 * Returns: %FALSE if something is wrong; tally_harness_error() says what
 * Since: 0.1
 */
gboolean tally_harness_open (TallyHarness *harness);

/**
 * tally_harness_pull:
 * @harness: a source's harness
 *
 * Reads one batch of at most 1000 rows.
 *
 * Returns: the source's verdict; %TALLY_FLOW_FATAL if it cannot be opened
 * Since: 0.1
 */
TallyFlow tally_harness_pull (TallyHarness *harness);

/**
 * tally_harness_add_row:
 * @harness: a transform's or sink's harness
 * @values: (array): for each column a text in PostgreSQL's input form, or %NULL
 *
 * Adds a row to the batch that tally_harness_push() hands over.  Ends the program if a text is no
 * value of its column's type.
 *
 * Since: 0.1
 */
void tally_harness_add_row (TallyHarness *harness, const char *const *values);

/**
 * tally_harness_push:
 * @harness: a transform's or sink's harness
 *
 * Hands the rows over that were added since the last push.  A sink that leaves open which of them it rejects is asked to
 * settle at once.
 *
 * Returns: the plugin's verdict; %TALLY_FLOW_FATAL if it cannot be opened
 * Since: 0.1
 */
TallyFlow tally_harness_push (TallyHarness *harness);

/**
 * tally_harness_commit:
 * @harness: a harness
 *
 * For a source: saves the position of the batch pulled last, as the engine does once its rows are
 * durable, and calls acknowledge().  For a sink: calls commit().
 *
 * Returns: a sink's verdict; of a source %TALLY_FLOW_FATAL if it could not acknowledge, else %TALLY_FLOW_OK
 * Since: 0.1
 */
TallyFlow tally_harness_commit (TallyHarness *harness);

/**
 * tally_harness_restart:
 * @harness: a harness
 *
 * Closes the plugin and begins with a new instance that has the same options, as after a crash: a
 * source goes on from the position that was committed last.
 *
 * Since: 0.1
 */
void tally_harness_restart (TallyHarness *harness);

/**
 * tally_harness_render:
 * @harness: a delivering sink's harness with rows added
 * @row: one of them
 * @reference: what the record must carry
 *
 * Returns: (transfer full) (nullable): the request's bytes; %NULL if the row is rejected or the
 *   plugin cannot be opened: tally_harness_error() says why
 * Since: 0.1
 */
char *tally_harness_render (TallyHarness *harness, guint row, const char *reference);

/**
 * tally_harness_render_update:
 * @harness: a harness of a delivering sink that can update, with rows added
 * @row: one of them
 * @reference: what the record carries
 * @target_id: (nullable): the id under which the target has it; %NULL to create it
 *
 * Returns: (transfer full) (nullable): the request's bytes, "" if there is nothing to send; %NULL if the
 *   row is rejected or the plugin cannot be opened: tally_harness_error() says why
 * Since: 0.1
 */
char *tally_harness_render_update (TallyHarness *harness, guint row, const char *reference,
                                   const char *target_id);

/**
 * tally_harness_batch:
 * @harness: a harness
 *
 * Returns: (transfer none) (nullable): the batch pulled or pushed last
 * Since: 0.1
 */
TallyBatch *tally_harness_batch (TallyHarness *harness);

/**
 * tally_harness_get_column:
 * @harness: a harness
 * @column: a column of the batch pulled or pushed last
 *
 * Returns: (transfer full): its values in PostgreSQL's output form, joined by line breaks; `\N` for NULL
 * Since: 0.1
 */
char *tally_harness_get_column (TallyHarness *harness, guint column);

/**
 * tally_harness_get_rejects:
 * @harness: a harness
 *
 * Returns: (transfer full): where each rejected record of the last batch came from and why it was
 *   rejected, as `origin: reason`, joined by line breaks
 * Since: 0.1
 */
char *tally_harness_get_rejects (TallyHarness *harness);

/**
 * tally_harness_position:
 * @harness: a source's harness
 *
 * Returns: (transfer none) (nullable): the position that tally_harness_commit() saved last
 * Since: 0.1
 */
const char *tally_harness_position (TallyHarness *harness);

/**
 * tally_harness_error:
 * @harness: a harness
 *
 * Returns: (transfer none) (nullable): the message of the last call that failed
 * Since: 0.1
 */
const char *tally_harness_error (TallyHarness *harness);

/**
 * tally_harness_get_warnings:
 * @harness: a harness
 *
 * Returns: (transfer full): what the plugin told by tally_context_warn(), joined by line breaks
 * Since: 0.1
 */
char *tally_harness_get_warnings (TallyHarness *harness);

G_END_DECLS
