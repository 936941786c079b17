/* postgresql.h: the plugins of this shared object */
#pragma once
#include <tallyman/plugin.h>

extern const TallyPlugin postgresql_source;
extern const TallyPlugin postgresql_sink;
