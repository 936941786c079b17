/* desk.c: pipelines between files and a database of its own */
#include "desk.h"

Desk *
desk_new (gboolean hooked)
{
  Desk *desk;

  if (!cluster_is_available ())
    {
      skip_promise ("no PostgreSQL server is installed");
      return NULL;
    }
  desk = g_new0 (Desk, 1);
  desk->rig = rig_new (hooked, "--plan", "none", NULL);
  desk->uri = cluster_create_database (cluster_shared ());
  return desk;
}

void
desk_free (Desk *desk)
{
  if (desk == NULL)
    return;

  rig_free (desk->rig);
  g_free (desk->uri);
  g_free (desk);
}

void
desk_write_pipeline (Desk *desk, const char *text)
{
  g_autoptr (GString) whole = g_string_new (text);

  g_string_replace (whole, "$URI", desk->uri, 0);
  rig_write (desk->rig, "pipeline.yaml", whole->str);
}

int
desk_run (Desk *desk)
{
  return rig_run (desk->rig);
}

void
desk_expect (Desk *desk, const char *label, const char *sql, const char *expected)
{
  g_autofree char *found = cluster_query (desk->uri, sql);

  assert_row_text (label, found, expected);
}

void
desk_do (Desk *desk, const char *sql)
{
  g_free (cluster_query (desk->uri, sql));
}
