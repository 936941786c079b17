/* history.h: what really happened, in order
 *
 * This is the truth that a proof of "exactly once" reads: every request, whatever became of it,
 * every ticket that came into being and every file, recorded at that moment and before any answer
 * is sent.
 */
#pragma once
#include <glib.h>

typedef struct
{
  gint64 time;             /* virtual microseconds */
  gint64 ticket;           /* of a creation; 0 otherwise */
  const char *note;        /* (unowned) (nullable) what happened, if neither of these */
  GRefString *details;     /* (owned) (nullable) members of such an event, as JSON */
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
  gboolean leaked;   /* of a request: credentials came to a host that they are not for */
} EmuEvent;

typedef struct
{
  GArray *events; /* (owned) of EmuEvent */
} EmuHistory;

EmuHistory *emu_history_new (void);
void emu_history_free (EmuHistory *history);

/* Takes what @event holds; gives its place, which stays good. */
guint emu_history_add (EmuHistory *history, const EmuEvent *event);

/* Adds that something happened at @time: @what, and what there is to say of it, as members of an
 * object in JSON.  @what: lives as long as the program */
void emu_history_note (EmuHistory *history, gint64 time, const char *what, const char *details);

/* (unowned), until the next one is added */
EmuEvent *emu_history_get (EmuHistory *history, guint place);

/* Appends the line of JSON for the event at @place. */
void emu_history_write (EmuHistory *history, guint place, GString *out);

/* A hash of @length bytes at @data. */
guint64 emu_history_hash (const char *data, gsize length);
