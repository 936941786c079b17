/* rig.h: the whole product against the emulator, in a folder of its own
 *
 * A rig has a temporary folder (the pipeline, its data, the state directory), an emulator of Zendesk
 * on a port of its own, and runs the tallyman command in it.  What it compares with is the
 * emulator's history, never what the product says of itself.  All of it goes with the test.
 */
#pragma once
#include <glib.h>

typedef struct _Rig Rig;

/* Starts an emulator with these options, up to NULL.  hooked: the test build, which knows
 * TALLYMAN_CRASH and the like; otherwise the product. */
Rig *rig_new (gboolean hooked, const char *emulator_option, ...) G_GNUC_NULL_TERMINATED;
void rig_free (Rig *rig);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rig, rig_free)

const char *rig_folder (const Rig *rig);
char *rig_path (const Rig *rig, const char *name);
void rig_write (const Rig *rig, const char *name, const char *text);
/* (nullable) if it is not there */
char *rig_read (const Rig *rig, const char *name);
/* 0 if it is not there */
guint rig_count_lines (const Rig *rig, const char *name);
/* tickets.csv with n rows: id, subject, body; ids from first on. */
void rig_write_rows (const Rig *rig, guint first, guint n);
/* pipeline.yaml from tickets.csv to zendesk-tickets.  sink, errors: more lines of these, or NULL.  settle is 1 s if
 * sink does not name it. */
void rig_write_pipeline (const Rig *rig, const char *ledger, const char *sink_lines, const char *error_lines);

/* An environment variable for what is started from now on; NULL unsets it. */
void rig_setenv (Rig *rig, const char *name, const char *value);

/* No file that is written from now on may grow beyond this, as on a full disk; 0: no limit. */
void rig_limit_files (Rig *rig, guint64 bytes);

/* Runs `tallyman` with arguments up to NULL, to its end.  Returns the exit code, or 128 + the signal that killed it. */
int rig_command (Rig *rig, const char *argument, ...) G_GNUC_NULL_TERMINATED;
/* `tallyman run --json pipeline.yaml`, likewise. */
int rig_run (Rig *rig);
/* What the last command printed. */
const char *rig_output (const Rig *rig);
const char *rig_errors (const Rig *rig);
/* A count of the last summary: "delivered". */
gint64 rig_count (const Rig *rig, const char *name);

/* The same in the background. */
void rig_start (Rig *rig);
void rig_signal (Rig *rig, int number);
gint64 rig_pid (const Rig *rig);
/* Waits for its end. */
int rig_wait (Rig *rig);
/* Waits until the emulator has at least n tickets, or the run ends. */
void rig_wait_for_tickets (Rig *rig, gint64 n);

/* Starts `tallyman` with arguments up to NULL, beside whatever else runs; what it prints is in NAME.out and NAME.err. */
gint64 rig_spawn (Rig *rig, const char *name, const char *argument, ...) G_GNUC_NULL_TERMINATED;
/* It has ended, and rig_reap() will not wait. */
gboolean rig_has_ended (gint64 pid);
/* Waits for its end; the exit code, as of rig_command(). */
int rig_reap (gint64 pid);

/* Talks to the emulator: "GET", "/_emulator/history", NULL.  The body of the answer. */
char *rig_ask (Rig *rig, const char *method, const char *path, const char *body);
/* The same of what may be no text. */
GString *rig_fetch (Rig *rig, const char *path);
void rig_faults (Rig *rig, const char *json);
void rig_clear_faults (Rig *rig);
gint64 rig_emulator_count (Rig *rig, const char *name);
gint64 rig_tickets (Rig *rig);
const char *rig_url (const Rig *rig);

/* By the emulator's history: how often each external_id was created, by the event that it has of that: "created-user".
 * (transfer full) (element-type utf8 guint) */
GHashTable *rig_count_creations (Rig *rig, const char *event);
/* By the same: of the keys first … first + n - 1 of origin "desk", how many were created twice or more, and
 * how many were never created.  TRUE, if both are 0 and nothing else was created; says what is wrong. */
gboolean rig_exactly_once (Rig *rig, guint first, guint n, const char *label);
/* The same of other entities. */
gboolean rig_exactly_once_of (Rig *rig, const char *event, guint first, guint n, const char *label);
