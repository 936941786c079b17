/* history.h: what really happened, in order
 *
 * This is the truth that a proof of "exactly once" reads: every request, whatever became of it,
 * and every ticket that came into being, recorded at that moment and before any answer is sent.
 */
#pragma once
#include <glib.h>

typedef struct
{
  gint64 time;             /* virtual microseconds */
  gint64 ticket;           /* of a creation; 0 for a request */
  GRefString *path;        /* (owned) of a request */
  GRefString *key;         /* (owned) (nullable) */
  GRefString *external_id; /* (owned) (nullable) */
  const char *method;      /* (unowned) */
  const char *outcome;     /* (unowned) (nullable) while at work */
  const char *fault;       /* (unowned) (nullable) */
  const char *lookup;      /* (unowned) (nullable) "hit" or "miss" */
  guint64 body;            /* a hash of the bytes, to see whether two were the same */
  guint connection;
  guint16 status;    /* 0: none was sent, or not yet */
  gboolean answered; /* of a request: the whole answer was handed over */
  gboolean notified; /* of a creation: a customer would have got mail */
} EmuEvent;

typedef struct
{
  GArray *events; /* (owned) of EmuEvent */
} EmuHistory;

EmuHistory *emu_history_new (void);
void emu_history_free (EmuHistory *history);

/* Takes what @event holds; gives its place, which stays good. */
guint emu_history_add (EmuHistory *history, const EmuEvent *event);

/* (unowned), until the next one is added */
EmuEvent *emu_history_get (EmuHistory *history, guint place);

/* Appends the line of JSON for the event at @place. */
void emu_history_write (EmuHistory *history, guint place, GString *out);

/* A hash of @length bytes at @data. */
guint64 emu_history_hash (const char *data, gsize length);
