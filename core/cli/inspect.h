/* inspect.h: what the two faces of inspect share */
#pragma once
#include "plugin/registry.h"

/* Appends `"name":"value"`, or null; no comma. */
void tally_inspect_append_member (const char *name, const char *value, GString *out);
/* The JSON Schema of a pipeline with these plugins (element-type TallyPlugin), for editors. */
void tally_inspect_append_editor_schema (const GPtrArray *plugins, GString *out);
