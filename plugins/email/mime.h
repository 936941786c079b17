/* mime.h: GMime as we use it */
#pragma once
#include <gmime/gmime.h>
#include <tallyman/types.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GMimeContentDisposition, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GMimeContentType, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GMimeMessage, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GMimeParser, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GMimeReferences, g_mime_references_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GMimeStream, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (InternetAddressList, g_object_unref)

/* (transfer none) How strangers' mail is read; makes GMime ready.  Any thread. */
GMimeParserOptions *mime_options (void);

/* (transfer full) (nullable) NULL if the bytes, which must stay as long as the message, are none at all. */
GMimeMessage *mime_parse (GByteArray *bytes);

/* (transfer full) A part's content without its transfer encoding; of a message or multipart, all of it. */
GByteArray *mime_content (GMimeObject *part);

/* A view of bytes, also of none. */
TallyText mime_view (const GByteArray *bytes);

/* Appends what a stranger wrote: UTF-8 without NUL and with LF alone, whatever it was. */
void mime_append_text (TallyText text, GString *out);
/* The same as a JSON string; NULL is null. */
void mime_append_json (const char *text, GString *out);
/* As a member of an object, ", " and all but in front of the first. */
void mime_append_member (const char *name, const char *text, GString *out);
