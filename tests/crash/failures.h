/* failures.h: what the failure suites share
 *
 * Promises carry the numbers of the table of failures in the README of this folder.  Time runs 20 times as fast for the
 * command (test build) and for the emulator's account, so that a minute of settling takes three seconds.
 */
#pragma once
#include "promise.h"
#include "rig.h"

#define RATE "20"

/* A rig whose clocks run at RATE, with rows 1 … n and a pipeline with the embedded ledger. */
Rig *failure_rig (guint n_rows, const char *const *emulator_options, const char *sink_lines);

/* Runs until nothing is left to do: exit code 0 within so many runs; says what was printed if not. */
gboolean failure_run_to_the_end (Rig *rig, const char *label, guint most_runs);

/* TALLYMAN_PROOF=long */
gboolean failure_is_long (void);

#define FAILURE_LEDGER "state/tallyman"
/* Puts a copy of the embedded ledger's files, which no run has open, from one folder of the rig into another; what is there goes, and
 * nothing comes in its place if from is NULL. */
void failure_copy_ledger (Rig *rig, const char *from, const char *to);

/* A run that is to die at a point, "after-send:3": its exit code. */
int failure_crash_at (Rig *rig, const char *point);

typedef struct
{
  const char *const *points;     /* to die at, */
  guint n_points, step;          /* of which a short proof takes each so-many-th */
  const char *const *behaviours; /* faults of the account */
  guint n_behaviours, shift;     /* the first that a short proof takes; each point has one of them, in turn */
  Rig *(*make) (guint n_rows);
  void (*check) (Rig *rig, guint n_rows, const char *label);
  guint n_rows;
} FailureCrashes;

/* Dies at a point, and at another one in the recovery, and is then let run to the end; in a long proof at every point under
 * every behaviour. */
void failure_crash_everywhere (const FailureCrashes *crashes);

/* The ledger's id of each record of a file is that of the entity which was made for it. */
void failure_right_ids (Rig *rig, const char *file, const char *entity, guint n_rows, const char *label);

/* Requests by POST whose path begins so. */
guint failure_count_posts (Rig *rig, const char *path);
