/* jobs.h: what the service does by and by, many records in one request
 *
 *   queued ──wait──► working ──pace──► working ── … ──► completed, or failed
 *
 * A job's records are done one after another as the account's clock goes on, so a job may be half
 * done at any moment.  Each record that was done, or could not be, is a line in the state file.
 */
#pragma once
#include "json.h"

typedef enum
{
  EMU_JOB_TICKETS_CREATE,
  EMU_JOB_TICKETS_IMPORT,
  EMU_JOB_TICKETS_UPDATE,
  EMU_JOB_TICKETS_DELETE,
  EMU_JOB_TICKETS_SCRUB,
  EMU_JOB_USERS_CREATE,
  EMU_JOB_USERS_CREATE_OR_UPDATE,
  EMU_JOB_USERS_UPDATE,
  EMU_JOB_USERS_DELETE,
  EMU_JOB_ORGANIZATIONS_CREATE,
  EMU_JOB_ORGANIZATIONS_UPDATE,
  EMU_JOB_ORGANIZATIONS_DELETE,
  EMU_JOB_MEMBERSHIPS_CREATE,
  EMU_N_JOBS,
} EmuJobKind;

/* What the row of an organization that could not be created says of its place. */
typedef enum
{
  EMU_ROW_BARE,  /* nothing */
  EMU_ROW_INDEX, /* "index" */
  EMU_ROW_ID,    /* "id", as for users */
} EmuRowForm;

typedef struct
{
  gint64 wait, pace, life; /* microseconds: queued, for each record, known after its creation */
  guint limit;             /* queued or working at once */
  EmuRowForm organization_rows;
} EmuJobConfig;

#define EMU_JOB_ID_SIZE 36 /* "V3-" and 32 digits */

typedef struct
{
  guint number;
  char id[EMU_JOB_ID_SIZE];
  EmuJobKind kind;
  gint64 created, finished; /* virtual microseconds; finished: 0 as long as it is not */
  json_object *items;       /* (owned) (nullable) list of {"id"?, "wish"?}; NULL when finished */
  guint total, done, failed;
  GPtrArray *rows;              /* (owned) of char * (owned) (nullable): JSON, by place */
  GRefString *client, *address; /* (owned) (nullable) who asked for it */
  gboolean archive;
  /* faults */
  gint64 fail_after;   /* records after which it fails; -1: never */
  gint64 stall_after;  /* records after which it does no more, and does not end; -1: never */
  GRefString *failure; /* (owned) (nullable) what its status is then, if not "failed" */
  gint64 n_short;      /* rows that are missing from its results */
  gboolean gone;       /* nobody knows it any more, though it is done */
  gboolean mixed;      /* its results begin at the end, and name their places in that order */
  gboolean keep_rows;  /* when it fails by a fault, it still tells of what it has done */
} EmuJob;

typedef struct
{
  GPtrArray *all;           /* (owned) of EmuJob (owned), oldest first */
  GHashTable *by_id;        /* (owned) id to EmuJob (unowned) */
  GPtrArray *active;        /* (owned) of EmuJob (unowned) */
  guint n_queued, n_failed; /* ever */
} EmuJobs;

typedef struct Emulator Emulator;

EmuJobs *emu_jobs_new (void);
void emu_jobs_free (EmuJobs *jobs);

/* A job that is not queued yet; the caller sets the rest. */
EmuJob *emu_job_new (EmuJobs *jobs, EmuJobKind kind, json_object *items, gint64 created);

/* Takes @job, which begins. */
void emu_jobs_queue (Emulator *emu, EmuJob *job);

/* (nullable) (unowned): as long as the service remembers it */
EmuJob *emu_jobs_find (const Emulator *emu, const char *id);

/* Does all that is due by now, and forgets what is too old. */
void emu_jobs_run (Emulator *emu);

/* Real microseconds until something is due; -1: nothing is. */
gint64 emu_jobs_get_wait (const Emulator *emu);

/* Virtual microseconds at which the first of the jobs ends. */
gint64 emu_jobs_get_next_end (const Emulator *emu);

/* The job as the service shows it. */
void emu_job_write (const Emulator *emu, const EmuJob *job, GString *out);

/* "users-create", as it stands in the state file, and back; EMU_N_JOBS for what is none */
const char *emu_job_get_name (EmuJobKind kind);
EmuJobKind emu_job_find_kind (const char *name);

/* The service's own name for this kind of job. */
const char *emu_job_get_class (EmuJobKind kind);

/* A line of the state file, read again: a job, or a step of one. */
gboolean emu_job_replay (Emulator *emu, json_object *line, gint64 now);
gboolean emu_job_replay_step (Emulator *emu, json_object *line, gint64 now);
