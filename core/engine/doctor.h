/* doctor.h: what would stand in a run's way, found out by looking
 *
 * All that a run opens is opened and asked; nothing is changed anywhere.  Each thing is told as soon as it is found, so that whoever
 * waits for a server sees which one.
 */
#pragma once
#include "engine.h"

typedef struct
{
  const char *part;    /* `source "csv"`, `ledger`, … */
  TallyFinding state;
  const char *message; /* may have several lines */
  const char *remedy;  /* (nullable) the way out */
} TallyDoctorFinding;

typedef struct
{
  const char *ledger; /* (nullable) overrides the pipeline's */
  void (*found) (const TallyDoctorFinding *finding, gpointer data);
  gpointer data;
} TallyDoctorOptions;

/* COMPLETE: no problem was found; USAGE: the columns that come today do not fit the pipeline; else FAILED. */
TallyExit tally_doctor_examine (TallyPipeline *pipeline, const TallyDoctorOptions *options);
