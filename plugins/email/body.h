/* body.h: which parts of a message are its text, and which are attached to it */
#pragma once
#include "mime.h"

typedef struct
{
  GPtrArray *text;        /* (owned) (element-type GMimeObject) what a reader of text sees, in order; also HTML that has no other form */
  GPtrArray *html;        /* (owned) the same of HTML */
  GPtrArray *attachments; /* (owned) all others */
} MailBody;

/* FALSE if parts are nested deeper than that. */
gboolean mail_find_body (GMimeMessage *message, gint64 max_depth, MailBody *ret_body);
void mail_body_clear (MailBody *body);

gboolean mail_is_html (GMimeObject *part);
/* (transfer full) Type and subtype in small letters. */
char *mail_type (GMimeObject *part);
/* (transfer full) (nullable) The name that a part is to be saved under, without folders. */
char *mail_part_name (GMimeObject *part);
/* Appends a part's text as UTF-8. */
void mail_append_part_text (GMimeObject *part, GString *out);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MailBody, mail_body_clear)
