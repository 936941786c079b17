/* csv.h: what the shared object is made of */
#pragma once
#include <tallyman/plugin.h>

extern const TallyPlugin csv_source;
extern const TallyPlugin csv_sink;
