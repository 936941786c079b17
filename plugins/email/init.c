/* init.c: GMime, which wants to be told that it begins */
#include "init.h"
#include <gmime/gmime.h>

void
email_init (void)
{
  static gsize done = 0;

  if (g_once_init_enter (&done))
    {
      g_mime_init ();
      g_once_init_leave (&done, 1);
    }
}
