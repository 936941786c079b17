/* descriptor.h: a plugin's own words, looked through and brought to today's size */
#pragma once
#include <tallyman/plugin.h>

typedef struct
{
  TallyPlugin plugin;         /* first, so that it can be found by its address; points into the rest */
  TallyOption *options;       /* (owned) */
  TallyDeliverySink delivery; /* if the plugin has one */
} TallyDescriptor;

/* Copies what an older plugin has and leaves zeros where it is too old to know.  Fails with TALLY_ERROR_USAGE if its interface
 * is not ours, or if it lacks what its kind must have. */
TallyDescriptor *tally_descriptor_new (const TallyPlugin *plugin, GError **error);
void tally_descriptor_free (TallyDescriptor *descriptor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyDescriptor, tally_descriptor_free)

/* Lower case, digits, `-` and `_`, a letter first, at most 64 bytes. */
gboolean tally_descriptor_is_name (const char *name);
/* "source", "transform", "sink" */
const char *tally_kind_name (TallyKind kind);

/* What every delivering sink takes besides its own options; ended by an empty row.  The fields are those of
 * TallyDeliveryOptions. */
extern const TallyOption tally_delivery_options[];
