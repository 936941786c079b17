/* reply.h: what a reply says itself, without what it quotes */
#pragma once
#include <tallyman/types.h>

/* The part of text (a view into it) that is left when the message that it answers is taken off its end or its beginning, with the
 * line that says who wrote that one.  Quotes between own lines stay, because the answers make no sense without them; so does all
 * of a text that says nothing itself.  Takes time in proportion to the length of text. */
TallyText tally_reply_text (TallyText text);
