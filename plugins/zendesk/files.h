/* files.h: the attachments of a record
 *
 * A column, or a comment, names them: a list of paths, of addresses, or of objects with more about each.  When the
 * record is rendered they are looked at and described; the stored request holds the descriptions in the place of the
 * tokens that uploading gives, see upload.h:
 *
 *   "uploads":[{"path":"/srv/old/7/log.txt","name":"log.txt","type":"text/plain","size":12,"sha256":"…"}]
 */
#pragma once
#include "json.h"
#include <tallyman/plugin.h>

/* Of one comment. */
#define ZENDESK_MAX_FILES 100

typedef struct
{
  const char *directory; /* (unowned) where relative paths begin */
  const char *root;      /* (unowned) (nullable) none may lie outside */
  gint64 max_size;
  gboolean fetch_urls;
} ZendeskFiles;

/* Appends the JSON array of descriptions, or nothing if there are no files.  list: (nullable) an array, or one element.
 * ret_n: how many.  Fails with TALLY_ERROR_DATA. */
gboolean zendesk_files_append (const ZendeskFiles *rules, json_object *list, GString *out, guint *ret_n, GError **error);
