/* world-private.h: what the files of the world share */
#pragma once
#include "world.h"

#define EPOCH (G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC)

/* Calls back at a time; data is freed by it. */
typedef void (*WorldEvent) (World *world, gpointer data);
void world_schedule (World *world, gint64 at, WorldEvent event, gpointer data,
                     GDestroyNotify free_data);
/* Moves the clock to the next event, or to `until`. */
void world_tick (World *world, gint64 until);
gboolean world_chance (World *world, double chance);
gint64 world_between (World *world, gint64 least, gint64 most);
gint64 world_target_now (const World *world);
/* As an answer's Date header does. */
void world_tell_time (Process *process);

/* ---- ledger.c ---- */
void world_ledger_run (World *world, Process *process, TallyErrand *errand);
TallyLedgerDelivery *world_copy_row (const TallyLedgerDelivery *row);
gboolean world_renew_lease (World *world, Process *process, GError **error);

/* The row of a key as the ledger has it now. */
const TallyLedgerDelivery *world_look (World *world, const char *key);

/* ---- sqlite.c ---- */
void world_sqlite_close (World *world);
gint64 world_sqlite_begin (World *world, Process *process);
void world_sqlite_end (World *world, Process *process);
gboolean world_sqlite_renew (World *world, Process *process, GError **error);
void world_sqlite_run (World *world, Process *process, TallyErrand *errand,
                       const TallyClock *clock);
const char *world_sqlite_id (World *world);
gint64 world_sqlite_scope (World *world);
void world_sqlite_look (World *world, const char *key);

/* ---- target.c ---- */
extern const TallyDeliverySink world_sink, world_updating_sink;
void world_target_init (World *world);
/* The process is gone: what it sent goes on without it. */
void world_forget_calls (Process *process);
