/* exchange.h: the life of one request, from its headers to the last word of its answer
 *
 *   headers ──► arrive ──► begin ──► act ──► done
 *                            │  ▲      ▲       ▲
 *                 same key   ▼  │ wake │ time  │ time
 *                          parked    waiting  waiting
 *
 * The HTTP server calls emu_exchange_step() and does what that says; nothing in here knows how a
 * connection is held back or cut.  A request whose client has gone still acts: so does the service.
 */
#pragma once
#include "answer.h"
#include "emulator.h"

typedef enum
{
  EMU_STEP_GO_ON,  /* nothing yet; after the headers: read the body */
  EMU_STEP_WAIT,   /* come again after some time */
  EMU_STEP_PARK,   /* come again when woken */
  EMU_STEP_ANSWER, /* send the answer */
  EMU_STEP_CLOSE,  /* close the connection without a word */
} EmuStep;

typedef enum
{
  EMU_STAGE_ARRIVE,
  EMU_STAGE_BEGIN,
  EMU_STAGE_ACT,
  EMU_STAGE_DONE
} EmuStage;

typedef struct
{
  Emulator *emu;      /* (unowned) */
  const char *method; /* (unowned) */
  char *path;         /* (owned) as asked for */
  char *route;        /* (owned) without /api/v2/ and .json; "" for a path elsewhere */
  char *key, *authorization, *client, *address;                 /* (owned) (nullable) */
  char *content_type;                                           /* (owned) (nullable) */
  const char *(*query) (gpointer connection, const char *name); /* (nullable) values */
  GStrv (*query_all) (gpointer connection, const char *name);   /* (transfer full) of one name */
  gpointer connection;                                          /* (unowned) */
  guint connection_number;
  gboolean reused;
  GString *body; /* (owned) */
  gboolean too_large;
  gboolean control; /* asked of the emulator, not of the account: not counted */

  /* what became of it */
  EmuStage stage;
  guint generation;
  gint64 arrived;    /* virtual microseconds */
  json_object *json; /* (owned) (nullable) */
  EmuKey *entry;     /* (unowned) (nullable) from enter to leave */
  gboolean claimed;  /* it is the first one with its key */
  gboolean logged, in_flight;
  guint event; /* its place in the history */
  guint8 digest[EMU_DIGEST_SIZE];
  const char *lookup;   /* (unowned) (nullable) "hit" or "miss" */
  gboolean hide_lookup; /* the client is not told */
  char *newcomer;       /* (owned) (nullable) address of whom it is making a user */
  gint64 id;            /* number in the route */
  gint64 other;         /* the second one */
  const char *word;     /* (unowned) (nullable) word at the end of the route */
  EmuStrike strike;
  EmuAnswer answer;
  EmuBucketKind bucket; /* beside the account's */
  EmuBucketKind each;   /* and that of */
  gint64 subject;       /* which record */
  gboolean hang_up;     /* close towards the client at once, whatever the step */
  EmuStep result;       /* for the server: the last step, once it is ANSWER or CLOSE */
} EmuExchange;

EmuExchange *emu_exchange_new (Emulator *emu, const char *method, const char *path);
void emu_exchange_free (EmuExchange *x);

/* Whether the body is a file's content, not JSON. */
gboolean emu_exchange_is_upload (const EmuExchange *x);

/* Stores the answer that it has, which is an error, under its key. */
void emu_exchange_store (EmuExchange *x);

/* The whole answer was handed over to the network. */
void emu_exchange_answered (EmuExchange *x);

/* To be called when the headers are there: GO_ON or CLOSE. */
EmuStep emu_exchange_begin (EmuExchange *x);

/* To be called when the body is there, and again after each WAIT and PARK. */
EmuStep emu_exchange_step (EmuExchange *x, gint64 *ret_wait);
