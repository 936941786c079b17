/* delivery.h: sinks that create records in a target, one request each
 *
 * A delivering sink does not write.  It renders a record into the exact bytes of a request, sends
 * such bytes, and looks a record up in the target.  The core keeps the ledger around it: when to
 * send, what to send again under which key, when to look up, and what the fate of each record is.
 *
 * The core calls all of it on one thread.  send() and resolve() only begin the work; drive() moves all
 * that was begun; each delivery is settled exactly once for each send() or resolve(), in any order,
 * by tally_delivery_settle(), from within any of the three.
 *
 * A record that changed after it was delivered is sent again, if the sink can update: as the next
 * generation of its delivery, with a key and bytes of its own.  An update brings the target to a
 * state, so the core may send the same bytes again: one whose answer was lost waits until it can no
 * longer be at work, and is replayed, however old its key, without a lookup.  A sink whose target
 * does more than that with it (adds a comment, say) must itself look before it acts.
 */
#pragma once
#include "batch.h"
#include "context.h"

G_BEGIN_DECLS

/**
 * TallyInFlight:
 * @TALLY_IN_FLIGHT_UNKNOWN: nobody knows; taken for the worst
 * @TALLY_IN_FLIGHT_WAITS: the second request waits for the first one's answer
 * @TALLY_IN_FLIGHT_CONFLICT: the second is refused
 * @TALLY_IN_FLIGHT_DUPLICATES: both create
 *
 * What the target does with a second request under a key while the first is still at work.
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_IN_FLIGHT_UNKNOWN,
  TALLY_IN_FLIGHT_WAITS,
  TALLY_IN_FLIGHT_CONFLICT,
  TALLY_IN_FLIGHT_DUPLICATES,
} TallyInFlight;

/**
 * TallyDeliveryProfile:
 * @size: set by the core: the size of the struct that it knows
 * @entity: what is created: `ticket`
 * @key_life: microseconds for which the target honours an idempotency key; 0 if it honours none
 * @settle: microseconds after which a request whose answer was lost is surely no longer at work
 * @in_flight: what a second request under the same key meets
 * @can_resolve: whether resolve() can tell if a record exists
 * @max_in_flight: most deliveries at once, at least 1, at most 4096; fewer are given while the requests
 *   that are held come to 64 MiB
 * @look_first: whether resolve() also tells of a record that was never sent if the target shows it already, made by
 *   whomever; then the first few records of each run are looked up before they are sent, and all of them once it is known that
 *   others make records of the same origin
 * @per_request: most deliveries that send() gathers into one request; 0 and 1: each has its own.  Of a rate limit so many fewer
 *   requests are expected of those that have been handed over
 * @may_repeat: whether a record whose answer was lost is sent again although that may make it a second time: somebody would rather
 *   have it twice than not at all.  It waits @settle before; the run says "at least once"
 *
 * What the target promises.  Filled by the sink's profile() from its options.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize size;
  const char *entity;
  gint64 key_life;
  gint64 settle;
  TallyInFlight in_flight;
  gboolean can_resolve;
  guint max_in_flight;
  gboolean look_first;
  guint per_request;
  gboolean may_repeat;
} TallyDeliveryProfile;

/**
 * TallyDelivery:
 *
 * One record on its way.
 *
 * Since: 0.1
 */
typedef struct _TallyDelivery TallyDelivery;

/**
 * TallyVerdict:
 * @TALLY_VERDICT_DELIVERED: the target answered with the id of what it created; of an update: with
 *   the same id, else it is in doubt; after resolve(): what it holds
 * @TALLY_VERDICT_REJECTED: the target will never take this record as it is; after resolve() only of a
 *   delivery with a receipt: its request was refused, and the target does not hold the record
 * @TALLY_VERDICT_UNSENT: surely not a byte of the request reached the target
 * @TALLY_VERDICT_BUSY: the target refused without acting and may take it later: a rate limit, a lock
 * @TALLY_VERDICT_MISMATCH: the target knows the key with another request; an update is rejected then
 * @TALLY_VERDICT_UNKNOWN: anything else: no answer, half an answer, an answer nobody understands
 * @TALLY_VERDICT_ABSENT: after resolve(): the target holds no such record, or, of an update with a
 *   receipt, the update surely never happens: the same bytes go again as the next generation.  Of an
 *   update, after send(): the record is not there any more; it is rejected, and nothing is created in
 *   its place
 * @TALLY_VERDICT_HALT: credentials, rights or address are wrong: no record can get through, and this
 *   one was not acted upon
 *
 * What became of a request.  In doubt, it is %TALLY_VERDICT_UNKNOWN.
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_VERDICT_DELIVERED,
  TALLY_VERDICT_REJECTED,
  TALLY_VERDICT_UNSENT,
  TALLY_VERDICT_BUSY,
  TALLY_VERDICT_MISMATCH,
  TALLY_VERDICT_UNKNOWN,
  TALLY_VERDICT_ABSENT,
  TALLY_VERDICT_HALT,
} TallyVerdict;

/**
 * TallyOutcome:
 * @size: sizeof (TallyOutcome)
 * @verdict: what became of it
 * @status: the protocol's status code, or 0 if there was no answer
 * @target_id: (nullable): the record's id in the target; needed with %TALLY_VERDICT_DELIVERED.  With
 *   %TALLY_VERDICT_REJECTED it says that the target has the record, although not as it was sent: once
 *   it is corrected it is updated, not created
 * @other_ids: (nullable): ids of further records with the same reference, joined by commas
 * @repeated: the target said that this is its answer to an earlier request under the key
 * @wait: microseconds for which the target asked to be left alone; 0 if it named none
 * @wait_all: whether @wait is meant for all requests, not for this record alone
 * @detail: (nullable): the answer in a line or two, for a person; never with a secret in it
 * @adopted: with %TALLY_VERDICT_DELIVERED: the target had the record before, not made by us, and it was
 *   taken over
 *
 * Everything is copied by tally_delivery_settle().
 *
 * Since: 0.1
 */
typedef struct
{
  gsize size;
  TallyVerdict verdict;
  gint status;
  const char *target_id;
  const char *other_ids;
  gboolean repeated;
  gint64 wait;
  gboolean wait_all;
  const char *detail;
  gboolean adopted;
} TallyOutcome;

#define TALLY_OUTCOME_INIT .size = sizeof (TallyOutcome)

/**
 * TallySurveyed:
 * @reference: what the record in the target carries, as render() got it
 * @target_id: its id
 * @data: as survey() got it
 *
 * Takes one record that a survey has found.
 *
 * Since: 0.1
 */
typedef void (*TallySurveyed) (const char *reference, const char *target_id, gpointer data);

/**
 * TallyCostFlags:
 * @TALLY_COST_EARLY: it is sent as one of the first, before any delivery has been answered
 * @TALLY_COST_LOOKED_UP: resolve() gets it first, see tally_delivery_is_first_look()
 *
 * How a delivery goes out that is planned.
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_COST_EARLY = 1 << 0,
  TALLY_COST_LOOKED_UP = 1 << 1,
} TallyCostFlags;

/**
 * TallyForetold:
 * @size: set by the core: the size of the struct that it knows
 * @reference: what the record would carry, as render() got it
 * @body: what render() has made of it
 * @verdict: %TALLY_VERDICT_ABSENT when foretell() gets it, and left so if the record would be created;
 *   %TALLY_VERDICT_DELIVERED: the target has it, and it would be taken over; %TALLY_VERDICT_REJECTED: what the target
 *   has stands in its way
 * @detail: (transfer full) (nullable): with %TALLY_VERDICT_REJECTED why, in a line or two, for a person; freed by g_free()
 *
 * A creation of a run that is only planned.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize size;
  const char *reference;
  TallyText body;
  TallyVerdict verdict;
  char *detail;
} TallyForetold;

/**
 * TallyDeliverySink:
 * @size: sizeof (TallyDeliverySink)
 * @profile: says what the target promises; called after check(), before open(), and again at work:
 *   a sink that has learnt that keys do not count says so by a key_life of 0 from then on
 * @render: appends to @ret_body the exact bytes of the request for a row.  @reference is what the
 *   created record must carry so that it can be found again (origin, a colon, the key).  The same
 *   row must always give the same bytes.  Fails with %TALLY_ERROR_DATA to reject the row
 * @send: begins to send tally_delivery_body() under tally_delivery_key(); must not resend by itself
 * @resolve: begins to look for tally_delivery_reference() in the target; if there is a
 *   tally_delivery_receipt(), begins to ask by it what became of the request
 * @drive: moves on what was begun, waiting at most @wait microseconds for something to happen;
 *   %NULL if send() and resolve() settle before they return.  Fails only if nothing can work any more
 * @render_update: (nullable): as @render, for a record that the target has under @target_id and that
 *   has changed since: the bytes of a request that brings it to what the row says.  No bytes: there is
 *   nothing to send, and the record counts as unchanged.  %NULL: what was delivered stays as it is
 * @survey: (nullable): calls @found for each record in the target that carries a reference, whoever made it,
 *   and was created or changed at @since or later, in microseconds since 1970 on the target's clock; 0: for
 *   all.  If several carry the same reference the oldest comes first.  What it reads must be as new as the
 *   moment at which it is called.  It blocks, and fails if it cannot see all; it looks at
 *   tally_context_is_interrupted() now and then.  %NULL: a ledger that has lost commits cannot be refilled
 *   from this target
 * @cost: (nullable): tells by tally_context_plan_requests() what it takes to send @body, which render() has made just now, or
 *   render_update() for @target_id (nullable), if nothing goes wrong.  It asks the target nothing.  %NULL: `tallyman plan` does not say what requests a run would make
 * @foretell: (nullable): finds out for `tallyman plan` what would become of some creations: looks in the target for what is there already,
 *   by all that would lead a run to it, changes nothing there, and keeps to the target's pace.  Tells by tally_context_plan_requests()
 *   what it takes to deliver those that are there; @cost is called for the others.  It blocks, and looks at
 *   tally_context_is_interrupted() now and then.  If it fails with %TALLY_ERROR_NETWORK it is asked again after a while,
 *   with what it has filled in by then.  %NULL: what the target has already is not known to a plan
 * @foretell_end: (nullable): for `tallyman plan`, after the last record: may look in the target for what the records name, and tells
 *   what it finds by tally_context_plan_number() and tally_context_warn(); otherwise as @foretell
 *
 * The callbacks of a delivering sink, in place of write() and commit().
 *
 * Since: 0.1
 */
typedef struct
{
  gsize size;
  void (*profile) (gpointer self, TallyDeliveryProfile *ret_profile);
  gboolean (*render) (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row,
                      const char *reference, GString *ret_body, GError **error);
  void (*send) (gpointer self, TallyContext *ctx, TallyDelivery *delivery);
  void (*resolve) (gpointer self, TallyContext *ctx, TallyDelivery *delivery);
  gboolean (*drive) (gpointer self, TallyContext *ctx, gint64 wait, GError **error);
  gboolean (*render_update) (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row,
                             const char *reference, const char *target_id, GString *ret_body,
                             GError **error);
  gboolean (*survey) (gpointer self, TallyContext *ctx, gint64 since, TallySurveyed found,
                      gpointer data, GError **error);
  void (*cost) (gpointer self, TallyContext *ctx, TallyText body, const char *target_id, TallyCostFlags flags);
  gboolean (*foretell) (gpointer self, TallyContext *ctx, TallyForetold *const *ones, guint n, GError **error);
  gboolean (*foretell_end) (gpointer self, TallyContext *ctx, GError **error);
} TallyDeliverySink;

#define TALLY_DELIVERY_SINK_INIT .size = sizeof (TallyDeliverySink)

/**
 * tally_delivery_key:
 * @delivery: a delivery
 *
 * Returns: (transfer none): the idempotency key: 64 lower-case hexadecimal digits
 * Since: 0.1
 */
const char *tally_delivery_key (const TallyDelivery *delivery);

/**
 * tally_delivery_reference:
 * @delivery: a delivery
 *
 * Returns: (transfer none): what the record carries in the target: origin, a colon, the source's key
 * Since: 0.1
 */
const char *tally_delivery_reference (const TallyDelivery *delivery);

/**
 * tally_delivery_target_id:
 * @delivery: a delivery
 *
 * Returns: (transfer none) (nullable): the id under which the target has the record, if this is an
 *   update of it; %NULL if it is to be created
 * Since: 0.1
 */
const char *tally_delivery_target_id (const TallyDelivery *delivery);

/**
 * tally_delivery_body:
 * @delivery: a delivery
 *
 * Returns: the request's bytes, exactly as render() or render_update() made them, however long ago; valid until the
 *   delivery is settled
 * Since: 0.1
 */
TallyText tally_delivery_body (const TallyDelivery *delivery);

/**
 * tally_delivery_set_receipt:
 * @delivery: a delivery that send() or resolve() got, not settled yet
 * @receipt: by what its fate can be asked for later: 1 to 1024 bytes of UTF-8
 *
 * Some targets take many records in one job, and do the work later.  What the job is called, and which
 * part of it this delivery is, is kept in the ledger, by the next commit and before anything else of the
 * delivery.  If its answer is lost then, or the program ends, it is not sent again: resolve() gets it, and
 * asks by the receipt.  Another receipt takes the place of the first.  The next generation has none.
 *
 * Since: 0.1
 */
void tally_delivery_set_receipt (TallyDelivery *delivery, const char *receipt);

/**
 * tally_delivery_receipt:
 * @delivery: a delivery
 *
 * Returns: (transfer none) (nullable): what tally_delivery_set_receipt() last set for this generation,
 *   however long ago
 * Since: 0.1
 */
const char *tally_delivery_receipt (const TallyDelivery *delivery);

/**
 * tally_delivery_intended_at:
 * @delivery: a delivery
 *
 * No request of this generation can have reached the target before this moment, so that whoever reads a
 * list of what was created from here on misses none.  Where the clocks involved do not agree, it is the
 * earliest of what they say, less five minutes.
 *
 * Returns: microseconds since 1970, on the target's clock as far as tally_context_report_target_time()
 *   told it, or the ledger's if it never did
 * Since: 0.1
 */
gint64 tally_delivery_intended_at (const TallyDelivery *delivery);

/**
 * tally_delivery_sent_at:
 * @delivery: a delivery that resolve() got
 *
 * The moment up to which requests of it that were sent before may have been at work.  Only a view of the
 * target that is as new as this, or newer, can tell that the record is absent; with an older one resolve()
 * answers %TALLY_VERDICT_UNKNOWN, and says in @wait when it will know.
 *
 * Returns: microseconds since 1970, on the target's clock as tally_context_report_target_time() told it
 *   last, or the ledger's if it never did
 * Since: 0.1
 */
gint64 tally_delivery_sent_at (const TallyDelivery *delivery);

/**
 * tally_delivery_is_first_look:
 * @delivery: a delivery that resolve() got
 *
 * Whether it is looked for before anything is sent, see @look_first of #TallyDeliveryProfile.  What is at hand at once will do
 * then: %TALLY_VERDICT_ABSENT only says that the target does not show it.
 *
 * Returns: %FALSE if what resolve() answers decides whether it is sent again
 * Since: 0.1
 */
gboolean tally_delivery_is_first_look (const TallyDelivery *delivery);

/**
 * tally_delivery_may_send:
 * @delivery: a delivery that send() got
 *
 * Whether a request of it may still go out.  The core has looked just before send(); a sink that does other things
 * first, which take their time, asks again before the one request that acts, and answers %TALLY_VERDICT_UNSENT if it may
 * not.
 *
 * Returns: %FALSE if the run has lost its lease, or waits for the delivery no longer
 * Since: 0.1
 */
gboolean tally_delivery_may_send (const TallyDelivery *delivery);

/**
 * tally_delivery_set_user_data:
 * @delivery: a delivery
 * @data: (nullable): whatever the sink wants to find again; not freed
 *
 * Since: 0.1
 */
void tally_delivery_set_user_data (TallyDelivery *delivery, gpointer data);

/**
 * tally_delivery_user_data:
 * @delivery: a delivery
 *
 * Returns: (transfer none) (nullable): what tally_delivery_set_user_data() set
 * Since: 0.1
 */
gpointer tally_delivery_user_data (const TallyDelivery *delivery);

/**
 * tally_delivery_settle:
 * @delivery: (transfer full): a delivery that send() or resolve() got; gone after this
 * @outcome: what became of it; copied
 *
 * Since: 0.1
 */
void tally_delivery_settle (TallyDelivery *delivery, const TallyOutcome *outcome);

G_END_DECLS
