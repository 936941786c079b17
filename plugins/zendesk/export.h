/* export.h: whether a ticket is there that no list shows
 *
 * Archived and deleted tickets are left out of all lists; the incremental export has them, some time late.  It is read
 * from the oldest moment that anybody asks about, once for all: what a page holds is remembered, so that a delivery
 * which asks later is answered without another request, or by the pages that follow.
 *
 * There are few exports a minute.  While one is refused, a single delivery waits for it here; the others are sent back
 * to the core, with the time after which it is worth to ask again.
 */
#pragma once
#include "account.h"
#include "answer.h"

typedef struct _ZendeskExport ZendeskExport;
typedef struct _ZendeskSought ZendeskSought;
typedef struct _ZendeskSighting ZendeskSighting;

/* What is looked for.  Times are microseconds since 1970 on Zendesk's clock. */
struct _ZendeskSought
{
  const char *reference;     /* (unowned) the external_id */
  gint64 from, until;        /* when it can have been made, if it was */
  ZendeskFinding *finding;   /* (unowned) gets verdict, ids, wait and detail */
  gboolean deleted;          /* it was made, but is in the trash */
  void (*done) (ZendeskSought *sought);
  ZendeskSighting *sighting; /* private (unowned) (nullable) once what is read is held against it */
};

/* delay: how far the export is behind, in microseconds. */
ZendeskExport *zendesk_export_new (ZendeskAccount *account, gint64 delay);
/* Forgets what waits, without a call of done(). */
void zendesk_export_free (ZendeskExport *export);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZendeskExport, zendesk_export_free)

/* Microseconds from now, on Zendesk's clock, until the export tells all about a moment; 0: it does already. */
gint64 zendesk_export_lag (const ZendeskExport *export, gint64 until, gint64 now);
/* Calls done(), at once or later.  The export must tell about its time already. */
void zendesk_export_seek (ZendeskExport *export, ZendeskSought *sought);
/* done() will not be called. */
void zendesk_export_forget (ZendeskExport *export, ZendeskSought *sought);
/* Begins what is due.  Microseconds until it is to be called again, at most wait. */
gint64 zendesk_export_advance (ZendeskExport *export, gint64 wait);
