/* party-errand.h: a user or an organization on its way */
#pragma once
#include "belongings.h"
#include "errand.h"
#include "party.h"

typedef struct
{
  ZendeskErrand base;
  ZendeskPartySink *sink;        /* (unowned) */
  char *reference;               /* (owned) */
  json_object *record;           /* (owned) what is to be there, as it is stored */
  ZendeskBelongings *belongings; /* (owned) (nullable) */
  GPtrArray *names;              /* (owned) (element-type utf8) that no two may share */
  gboolean sending;              /* send(), not resolve() */
  gboolean waiting;              /* for a name */
  gboolean acted;                /* a request was begun that creates, or takes over */
  gint64 quiet_at;               /* of one in a job: when that is surely over, on Zendesk's clock; G_MAXINT64: nobody knows */
  gboolean job_is_over;

  /* once Zendesk has not taken it */
  GString *complaint;            /* (owned) (nullable) its words */
  TallyVerdict refusal;
  GPtrArray *found;              /* (owned) (nullable) (element-type ZendeskFound) who is there */
  gint64 doubtful;               /* whose addresses are read */

  /* while its belongings are settled */
  GPtrArray *has;                /* (owned) (nullable) (element-type ZendeskBelonging) */
  guint page, steps;
} ZendeskPartyErrand;

/* --- endow.c --- */

/* The entity is there, as the finding says: sees to what belongs to it, then settles the errand. */
void zendesk_party_endow (ZendeskPartyErrand *errand);
