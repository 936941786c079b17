/* state.h: what to do next with one delivery
 *
 * Pure: no clock, no ledger, no network; all that counts is in a TallyStanding.
 */
#pragma once
#include "ledger/ledger.h"
#include <tallyman/delivery.h>

/* Records of a run that are looked up before they are sent, if nobody else's is found. */
#define TALLY_FIRST_LOOKS 16

#define TALLY_KEY_MARGIN (5 * 60 * G_USEC_PER_SEC)
#define TALLY_LOOKUPS_MOST 8     /* lookups of one delivery in one run that could not tell */
#define TALLY_GENERATIONS_MOST 3 /* new generations of one delivery in one run */

typedef enum
{
  TALLY_MOVE_SEND,    /* no request of it can have been acted upon */
  TALLY_MOVE_REPLAY,  /* the same bytes under the same key */
  TALLY_MOVE_WAIT,    /* until an earlier request is surely no longer at work */
  TALLY_MOVE_RESOLVE, /* look it up */
  TALLY_MOVE_LOOK,    /* look whether the target shows it, before anything is sent */
  TALLY_MOVE_RENEW,   /* surely absent: the same bytes under the next generation's key */
  TALLY_MOVE_REJECT,  /* surely absent, and the target does not want it */
  TALLY_MOVE_LEAVE,   /* in doubt; another run, or the user, may settle it */
} TallyMove;

typedef struct
{
  gboolean in_doubt;  /* a request of it may have been acted upon */
  gboolean touched;   /* a request of it reached the target and was sent back */
  gboolean refused;   /* the target refused it under its key, so that sending it again is no use */
  gboolean set_aside; /* it has ended the program as often as it may */
  gboolean absent;    /* a lookup that is to be believed did not find it */
  gboolean is_update; /* the target has it already: its bytes may be sent again, whatever became of them */
  gboolean look_first;  /* somebody else may have made it, and nobody has looked yet */
  gboolean has_receipt; /* the target can be asked by it what became of the last request */
  gint64 since_send;  /* since the last moment at which a request of it can have left */
  gint64 age;         /* of its key, see tally_state_age() */
  gboolean age_is_sure; /* more than one clock says so */
  guint attempts, attempts_most;
  guint lookups;  /* that could not tell */
  guint renewals; /* generations made in this run */
  gint64 key_life, settle;
  gboolean can_resolve;
  gboolean may_repeat; /* rather twice than not at all */
  gboolean wait; /* FALSE: leave it rather than wait */
} TallyStanding;

/* ret_wait is set for WAIT, ret_why (transfer none) for LEAVE and REJECT: words for a person. */
TallyMove tally_state_next (const TallyStanding *standing, gint64 *ret_wait, const char **ret_why);

typedef enum
{
  TALLY_ROW_GOES,      /* as the next generation: created, or updated if the target has it */
  TALLY_ROW_UNCHANGED, /* nothing is to be done */
  TALLY_ROW_DRIFTED,   /* it has changed, but what the target has cannot be */
  TALLY_ROW_REJECTED,  /* as it was before */
  TALLY_ROW_UNSETTLED, /* its last delivery comes first */
} TallyRowMove;

/* What becomes of a row whose delivery the ledger knows.  drifted: the row is not as it was; can_update: the sink can change
 * what the target has. */
TallyRowMove tally_state_known_row (const TallyLedgerDelivery *known, gboolean drifted, gboolean can_update);

typedef enum
{
  TALLY_FATE_DELIVERED,
  TALLY_FATE_ADOPTED, /* found by lookup */
  TALLY_FATE_REJECTED,
  TALLY_FATE_REFUSED, /* will not be taken, but an earlier request of it may have been: look */
  TALLY_FATE_AGAIN,   /* this request, or lookup, did nothing: the same again, later */
  TALLY_FATE_DOUBT,
  TALLY_FATE_ABSENT,
  TALLY_FATE_UNCLEAR, /* the lookup could not tell */
  TALLY_FATE_HALT,
} TallyFate;

/* What an answer is held against. */
typedef struct
{
  gboolean is_lookup;
  gboolean has_id;      /* it names an id; of an update: the one that is known */
  gboolean in_doubt;    /* an earlier request of the delivery may have been acted upon */
  gboolean is_update;
  gboolean has_receipt;
} TallyHearing;

/* What an answer means (R9, R10). */
TallyFate tally_state_judge (TallyVerdict verdict, const TallyHearing *hearing);

/* Whether the ledger's clock has kept step with the target's since the intent; FALSE if a time is
 * not known. */
gboolean tally_state_clocks_agree (gint64 intended_at, gint64 ledger_now, gint64 intended_target,
                                   gint64 target_now);

/* Before this, on the target's clock, no request of a generation can have left: the earliest of the
 * readings, minus a margin for what clocks do.  Times that are not known are 0. */
gint64 tally_state_intended (gint64 intended_at, gint64 ledger_now, gint64 intended_target,
                             gint64 target_now);

/* R5: the age of a key: the oldest of three readings.  Times that are not known are 0; here is what
 * our own clock says, 0 if the intent is an earlier run's.  G_MAXINT64 if a clock went backwards,
 * so that nobody knows. */
gint64 tally_state_age (gint64 intended_at, gint64 ledger_now, gint64 intended_target,
                        gint64 target_now, gint64 here);
