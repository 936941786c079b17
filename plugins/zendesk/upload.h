/* upload.h: the files of a request go first
 *
 * A stored request holds descriptions of its files, see files.h.  Each time that it is sent the files are uploaded anew,
 * one after another, and the tokens that this gives stand in the place of the descriptions.  A token is good for an
 * hour, and for one comment; what was uploaded for nothing vanishes by itself.
 */
#pragma once
#include "errand.h"
#include "files.h"

typedef struct _ZendeskUploads ZendeskUploads;

/* Whether a request names files. */
gboolean zendesk_uploads_needed (TallyText request);
/* NULL if the request is not as we wrote it.  rules: (unowned). */
ZendeskUploads *zendesk_uploads_new (ZendeskErrand *errand, const ZendeskFiles *rules, TallyText request);
/* How many there are; ret_bytes: those of files of this machine. */
guint zendesk_uploads_count (const ZendeskUploads *uploads, guint64 *ret_bytes);
void zendesk_uploads_free (ZendeskUploads *uploads);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZendeskUploads, zendesk_uploads_free)

/* Uploads all.  Then calls done() with the request as it is to be sent, which stays the uploads'; or settles the errand:
 * nothing of its record has been acted upon then. */
void zendesk_uploads_go (ZendeskUploads *uploads, void (*done) (ZendeskErrand *errand, TallyText request));
