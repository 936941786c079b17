/* init.h: GMime, which wants to be told that it begins */
#pragma once

/* Makes it ready; before anything else of it, and as often as one likes.  Any thread. */
void email_init (void);
