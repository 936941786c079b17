/* attachment.h: what is attached to a message, told and kept */
#pragma once
#include "mime.h"

/* Appends the parts as an array of objects: name, type, size, sha256, cid, disposition, and path if their content is kept.
 * folder: (nullable) where to keep it, under its SHA-256; made if it is not there. */
gboolean mail_append_attachments (GPtrArray *parts, const char *folder, GString *json, GError **error);
