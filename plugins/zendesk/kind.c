/* kind.c: requests that may share a limit of their own */
#include "kind.h"

#include <string.h>

char *
zendesk_kind (const char *method, const char *path)
{
  GString *kind = g_string_new (method);
  const char *p = path;

  g_string_append_c (kind, ' ');
  while (*p != '\0' && *p != '?' && strcmp (p, ".json") != 0 && !g_str_has_prefix (p, ".json?"))
    if (g_ascii_isdigit (*p) && kind->str[kind->len - 1] == '/')
      {
        g_string_append_c (kind, '#');
        p += strspn (p, "0123456789");
      }
    else
      g_string_append_c (kind, *p++);
  if (strstr (kind->str, "/incremental/") != NULL)
    g_string_assign (kind, "exports");
  else if (strstr (kind->str, "/job_statuses/") != NULL)
    g_string_assign (kind, "job statuses");
  else if (strstr (kind->str, "_many") != NULL && strstr (kind->str, "/show_many") == NULL)
    g_string_assign (kind, "jobs");
  return g_string_free (kind, FALSE);
}
