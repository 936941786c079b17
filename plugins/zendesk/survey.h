/* survey.h: all of an account that carries an external_id, for a ledger that has lost commits */
#pragma once
#include "account.h"

/* An export of people is behind by no more than this; of tickets it is an option. */
#define ZENDESK_EXPORT_DELAY (2 * (gint64) ZENDESK_MINUTE)

/* The survey of a sink: of tickets, users or organizations, by their incremental export, deleted ones too.  It is read until it tells of the moment
 * at which this was called, export_delay microseconds later. */
gboolean zendesk_survey (ZendeskAccount *account, const char *resource, gint64 since, gint64 export_delay,
                         TallySurveyed found, gpointer data, GError **error);
