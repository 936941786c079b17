/* faults.h: things that go wrong on demand
 *
 * A fault is a rule: which requests it looks at, which of those it strikes, and what it does to
 * them.  It is written as KIND[:NAME=VALUE[,NAME=VALUE]...] on the command line (a comma inside a
 * value is written \,) and as an object with the same names in JSON.
 */
#pragma once
#include "json.h"

typedef enum
{
  EMU_FAULT_NONE,
  EMU_FAULT_DROP_BEFORE,
  EMU_FAULT_DROP_AFTER,
  EMU_FAULT_DROP_THEN_ACT,
  EMU_FAULT_CUT_BODY,
  EMU_FAULT_CLOSE_IDLE,
  EMU_FAULT_DELAY_BEFORE,
  EMU_FAULT_DELAY_AFTER,
  EMU_FAULT_STATUS,
  EMU_FAULT_STATUS_AFTER,
  EMU_FAULT_STATUS_STORED,
  EMU_FAULT_CONFLICT,
  EMU_FAULT_INVALID,
  EMU_FAULT_MISMATCH,
  EMU_FAULT_STORM,
  EMU_FAULT_REDIRECT,
  EMU_FAULT_HTML,
  EMU_FAULT_EMPTY,
  EMU_FAULT_NO_ID,
  EMU_FAULT_OTHER_EXTERNAL_ID,
  EMU_FAULT_UNAUTHORIZED,
  EMU_FAULT_FORBIDDEN,
  EMU_FAULT_WARN,
  EMU_FAULT_JOB_FAIL,
  EMU_FAULT_JOB_STALL,
  EMU_FAULT_JOB_SHORT,
  EMU_FAULT_JOB_GONE,
  EMU_FAULT_JOB_MIXED,
} EmuFaultKind;

typedef struct
{
  EmuFaultKind kind;
  /* which requests it looks at; NULL: any */
  char *method, *path, *external_id, *key; /* (owned) (nullable) */
  char *per; /* (owned) (nullable) "external_id" or "key": counts for each one apart */
  /* which of those it strikes */
  gint64 at, after, every, count;
  double probability; /* 0: always */
  gint64 seed, seconds;
  /* what it does */
  gint64 status, ms, records;
  gboolean acted, reset, rows;
  char *body, *retry_after, *content, *content_type, *location, *field, *message; /* (owned) */
  /* where it stands */
  gboolean count_given;
  gint64 matched, struck;
  gint64 storm_end; /* virtual microseconds; 0: has not begun */
  GRand *random;    /* (owned) (nullable) */
  GHashTable *each; /* (owned) (nullable) value to number of matches, for @per */
} EmuFault;

/* What a fault looks at in a request. */
typedef struct
{
  const char *method, *path;
  const char *external_id, *key; /* (nullable) */
  gboolean reused;               /* the connection has carried requests before */
  gint64 now;                    /* virtual microseconds */
} EmuFaultTarget;

/* Every fault that strikes one request. */
typedef struct
{
  EmuFault *main;       /* (owned) (nullable) a reference: the rules may be replaced meanwhile */
  EmuFault *job;        /* (owned) (nullable) what becomes of the job that it queues */
  gint64 before, after; /* milliseconds of delay */
  char *warn;           /* (owned) (nullable) */
} EmuStrike;

void emu_strike_clear (EmuStrike *strike);

typedef GPtrArray EmuFaults; /* of EmuFault (owned), in the order in which they are asked */

EmuFaults *emu_faults_new (void);

/* Reads "KIND:NAME=VALUE,…" and appends the fault. */
gboolean emu_faults_add_text (EmuFaults *faults, const char *spec, GError **error);

/* Reads a JSON object, or a list of them, and appends the faults: all, or none. */
gboolean emu_faults_add_json (EmuFaults *faults, json_object *list, GError **error);

/**
 * emu_faults_strike:
 * @early: %TRUE before the body is read, %FALSE after
 * @strike: (inout): what strikes is added to it
 *
 * Asks every fault once: drop-before before the body is read, unless it needs to know the body,
 * and the others after.  Each counts the requests that it looks at for itself.  Delays add up; of
 * the others the first that strikes is the one.
 */
void emu_faults_strike (EmuFaults *faults, const EmuFaultTarget *target, gboolean early,
                        EmuStrike *strike);

/* Writes the faults and how often each has matched and struck, as a JSON list. */
void emu_faults_write (const EmuFaults *faults, GString *out);

const char *emu_fault_get_name (EmuFaultKind kind);

/* Whether the request is still done, so that only its answer suffers. */
gboolean emu_fault_acts (const EmuFault *fault);
