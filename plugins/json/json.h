/* json.h: what the shared object is made of */
#pragma once
#include <tallyman/plugin.h>

typedef enum
{
  JSON_FORMAT_LINES,
  JSON_FORMAT_ARRAY,
  JSON_FORMAT_AUTO, /* a source only */
} JsonFormat;

extern const TallyPlugin json_source;
extern const TallyPlugin json_sink;
