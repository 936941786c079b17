/* sinks.h: the sink of this folder */
#pragma once
#include <tallyman/plugin.h>

extern const TallyPlugin email_sink;
