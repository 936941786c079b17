/* errand.h: one delivery at a sink of this folder
 *
 * Each delivery that the core hands over becomes an errand, which makes one request after another until it can be
 * settled.  What kinds of requests, each sink says for itself; this is what all have in common.  A sink's own struct
 * begins with a ZendeskErrand.
 *
 * An errand never makes the same acting request twice: what does not come to a clear end is settled as unknown, and the
 * core decides what follows.
 */
#pragma once
#include "account.h"
#include "answer.h"

typedef struct _ZendeskErrand ZendeskErrand;
struct _ZendeskErrand
{
  ZendeskWaiter waiter;
  ZendeskAccount *account; /* (unowned) */
  GPtrArray *errands;      /* (unowned) (element-type ZendeskErrand) the sink's, this one among them */
  TallyDelivery *delivery; /* (unowned) */
  const char *entity;      /* (unowned) what it is about: "ticket" */
  ZendeskFinding finding;  /* what is known so far */
  void (*clear) (ZendeskErrand *errand);
};

/* An errand of so many bytes, which begins with the delivery's.  clear: (nullable) frees what follows the base. */
gpointer zendesk_errand_new (gsize size, const char *entity, ZendeskAccount *account, GPtrArray *errands,
                             TallyDelivery *delivery, void (*clear) (ZendeskErrand *errand));
/* Of deliveries that will not be settled. */
void zendesk_errands_drop (GPtrArray *errands);

/* Starts a GET, or with a body (transfer full) a request that must not be made twice. */
void zendesk_errand_ask (ZendeskErrand *errand, const char *method, const char *path, char *body,
                         ZendeskHttpDone done);
/* Starts a POST of bytes of the delivery's that must not be made twice.  key: (nullable) under this. */
void zendesk_errand_create (ZendeskErrand *errand, const char *path, const char *key, TallyText body,
                            ZendeskHttpDone done);
/* Whether a whole answer came; if not, the finding says what is known. */
gboolean zendesk_errand_take_answer (ZendeskErrand *errand, ZendeskCall *call);
/* The same of a request that is not one errand's alone. */
gboolean zendesk_finding_take_answer (ZendeskFinding *finding, ZendeskAccount *account, ZendeskWaiter *waiter,
                                      ZendeskCall *call);
/* Sets the finding by the answer. */
void zendesk_errand_judge (ZendeskErrand *errand, ZendeskCall *call, ZendeskAsk ask);

/* The end: settles the delivery by the finding, and frees the errand. */
void zendesk_errand_settle (ZendeskErrand *errand);
/* By what was found about many. */
void zendesk_errand_settle_as (ZendeskErrand *errand, const ZendeskFinding *finding);
void zendesk_errand_settle_with (ZendeskErrand *errand, TallyVerdict verdict, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
