/* uploads.h: files that were sent, and what became of them
 *
 * A file waits under a token, alone or with others, until a comment names the token or its time is
 * over.  With a state file the contents are kept in a folder beside that; without one they are kept
 * in memory up to a limit, beyond which the oldest are let go: then their names, sizes and
 * checksums are all that is left, and they can no longer be downloaded.
 */
#pragma once
#include "draft.h"
#include "history.h"

typedef struct
{
  gint64 id;
  char *file_name;    /* (owned) */
  char *content_type; /* (owned) */
  char *secret;       /* (owned) in the address of the content: whoever has it may read */
  char *sha256;       /* (owned) of the content, in hex */
  gsize size;
  GBytes *content;  /* (owned) (nullable) */
  gboolean deleted; /* with its upload, or with its ticket */
} EmuAttachment;

typedef struct
{
  char *token;            /* (owned) */
  gint64 expires;         /* Unix seconds */
  GPtrArray *attachments; /* (owned) of EmuAttachment (unowned) */
  gboolean used;          /* a comment has them */
} EmuUpload;

typedef struct
{
  GHashTable *by_token;  /* (owned) token (unowned) to EmuUpload (owned) */
  GHashTable *by_id;     /* (owned) id (unowned) to EmuAttachment (owned) */
  GHashTable *by_secret; /* (owned) secret (unowned) to EmuAttachment (unowned) */
  char *folder;          /* (owned) (nullable) for the contents */
  GQueue by_age;         /* of EmuUpload (unowned), oldest first, until it expires */
  GQueue held;           /* of EmuAttachment (unowned) whose content is in memory, oldest first */
  gsize n_held, most_held;
} EmuUploads;

/* @state: (nullable): the state file; @most_held: bytes of contents in memory */
EmuUploads *emu_uploads_new (const char *state, gsize most_held);
void emu_uploads_free (EmuUploads *uploads);

/* Deletes the contents on disk. */
void emu_uploads_erase (EmuUploads *uploads);

/* Forgets what nobody has named in time, with its contents. */
void emu_uploads_expire (EmuUploads *uploads, gint64 now);

/* (nullable) (unowned): an upload that a comment may still name. */
EmuUpload *emu_uploads_find (const EmuUploads *uploads, const char *token, gint64 now);
EmuAttachment *emu_uploads_get (const EmuUploads *uploads, gint64 id);
EmuAttachment *emu_uploads_get_by_secret (const EmuUploads *uploads, const char *secret);

/* (transfer full): a text that nobody guesses. */
char *emu_uploads_make_secret (void);

/* A new upload under @token. */
EmuUpload *emu_uploads_begin (EmuUploads *uploads, const char *token, gint64 expires);

/* Takes @attachment, and adds it to @upload. */
void emu_uploads_add (EmuUploads *uploads, EmuUpload *upload, EmuAttachment *attachment);

/* Keeps the content of @attachment.  FALSE when the disk does not take it. */
gboolean emu_uploads_keep (EmuUploads *uploads, EmuAttachment *attachment, const char *data,
                           gsize length, GError **error);

/* (nullable) (transfer full): the content, or NULL when it was let go. */
GBytes *emu_uploads_read (EmuUploads *uploads, EmuAttachment *attachment);

/* Forgets @upload with all that waits under it, or the content of one attachment. */
void emu_uploads_drop (EmuUploads *uploads, EmuUpload *upload);
void emu_uploads_drop_attachment (EmuUploads *uploads, EmuAttachment *attachment);

/* Adds a problem to @draft for each token in it that is unknown, used up or too old. */
void emu_uploads_check (const EmuUploads *uploads, EmuDraft *draft);

/* Gives the files whose tokens @comment names to it; those that are not there are left out. */
void emu_uploads_attach (EmuUploads *uploads, EmuComment *comment, const EmuTicket *ticket,
                         gint64 now, EmuHistory *history, gint64 time);

/* Writes the attachment as the service shows it. */
void emu_attachment_write (const EmuAttachment *attachment, gboolean is_inline,
                           const char *base_url, GString *out);
