/* desk.h: pipelines between files and a database of its own */
#pragma once
#include "cluster.h"
#include "promise.h"
#include "rig.h"

typedef struct
{
  Rig *rig;  /* (owned) */
  char *uri; /* (owned) of an empty database */
} Desk;

/* NULL, and the promise is skipped, where there is no server.  hooked: see rig_new(). */
Desk *desk_new (gboolean hooked);
void desk_free (Desk *desk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Desk, desk_free)

/* pipeline.yaml; $URI in it stands for the database. */
void desk_write_pipeline (Desk *desk, const char *text);
/* Runs it.  The exit code. */
int desk_run (Desk *desk);
/* Of the database: the first value that SQL gives. */
void desk_expect (Desk *desk, const char *label, const char *sql, const char *expected);
void desk_do (Desk *desk, const char *sql);
