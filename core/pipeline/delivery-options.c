/* delivery-options.c: what every delivering sink takes besides its own options */
#include "pipeline.h"
#include "plugin/descriptor.h"
#include "reader.h"

const TallyOption tally_delivery_options[] = {
  { .name = "key",
    .type = TALLY_OPTION_EXPRESSION,
    .flags = TALLY_OPTION_REQUIRED,
    .offset = G_STRUCT_OFFSET (TallyDeliveryOptions, key_column),
    .summary = "What identifies a record in its source, the same in every run",
    .example = "id" },
  { .name = "settle",
    .type = TALLY_OPTION_DURATION,
    .min = 0,
    .max = G_GINT64_CONSTANT (86400000000),
    .offset = G_STRUCT_OFFSET (TallyDeliveryOptions, settle),
    .summary
    = "Wait before a request whose answer was lost is sent again or looked up; the sink's own if not given",
    .example = "60s" },
  { .name = "in-flight",
    .type = TALLY_OPTION_INT,
    .min = 1,
    .max = 4096,
    .offset = G_STRUCT_OFFSET (TallyDeliveryOptions, in_flight),
    .summary = "Most requests at once; the sink's own if not given",
    .example = "8" },
  { .name = "attempts",
    .type = TALLY_OPTION_INT,
    .fallback = "8",
    .min = 1,
    .max = 1000,
    .offset = G_STRUCT_OFFSET (TallyDeliveryOptions, attempts),
    .summary = "Sends of one record before it is set aside" },
  { 0 },
};

/* An instance of these options alone, so that they are filled like those of any plugin. */
const TallyPlugin tally_delivery_options_plugin = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "delivery",
  .summary = "The core's part of a delivering sink",
  .instance_size = sizeof (TallyDeliveryOptions),
  .options = tally_delivery_options,
};
