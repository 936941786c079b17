/* flow.h: lines that a sender broke only for the way (RFC 3676) */
#pragma once
#include <tallyman/types.h>

/* Appends a text of format=flowed with its paragraphs in one line each.  drop_space: the blank at a soft break is no part of it. */
void mail_append_unflowed (TallyText text, gboolean drop_space, GString *out);
