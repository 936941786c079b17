/* kind.h: requests that may share a limit of their own */
#pragma once
#include <glib.h>

/* Those of one method and path, whatever ids it has: "PUT /api/v2/tickets/#"; all exports are one kind, all that begin
 * jobs, and all that ask about one.  (transfer full) */
char *zendesk_kind (const char *method, const char *path);
