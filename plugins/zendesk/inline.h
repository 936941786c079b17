/* inline.h: images that stand in a text */
#pragma once
#include <glib.h>

/* Where an image of the text is, once it has been uploaded.  All (unowned). */
typedef struct
{
  const char *name, *cid, *path; /* (nullable) what the text may call it: cid:cid, cid:name, path, name */
  const char *url;
} ZendeskInline;

/* Puts the address of an image in place of what the text calls it, in each src="…". (transfer full) */
char *zendesk_inline_replace (const char *html, const ZendeskInline *images, guint n_images);
