/* email.h: what the shared object is made of */
#pragma once
#include <tallyman/plugin.h>

extern const TallyPlugin email_source;
extern const TallyPlugin imap_source;
extern const TallyPlugin email_sink;
