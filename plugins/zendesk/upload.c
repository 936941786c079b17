/* upload.c: the files of a request go first */
#include "upload.h"
#include "attached.h"
#include "inline.h"
#include "render.h"
#include "text.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* A token lives for an hour. */
#define LONGEST (50 * (gint64) ZENDESK_MINUTE)

/* How render() begins the files of a comment.  Within a text the quotes would be escaped. */
#define FILES "\"uploads\":[{"

/* A file of a comment.  The texts are the description's. */
typedef struct
{
  json_object *description;     /* (owned) */
  json_object *comment, *list;  /* (unowned) */
  gsize place;                  /* in the list */
  const char *path, *url;       /* one of them */
  const char *given, *sha256;   /* (nullable) of a path */
  const char *name, *type, *cid; /* cid: (nullable) */
  gint64 size;
  char *content_url;            /* (owned) (nullable) once it is uploaded */
} Item;

struct _ZendeskUploads
{
  ZendeskErrand *errand;     /* (unowned) */
  const ZendeskFiles *rules; /* (unowned) */
  json_object *request;      /* (owned) */
  GArray *items;             /* (owned) (element-type Item) */
  guint next;
  gint64 begun_at;
  TallyAttached file;
  GChecksum *checksum;       /* (owned) (nullable) of what was read of the file */
  gint64 n_read;
  int problem;               /* errno of reading it */
  gboolean is_short;         /* it ended too early */
  void (*done) (ZendeskErrand *errand, TallyText request);
};

static void go_on (ZendeskUploads *uploads);

gboolean
zendesk_uploads_needed (TallyText request)
{
  return request.length > 0 && memmem (request.data, request.length, FILES, strlen (FILES)) != NULL;
}

/* --- what there is to upload --- */

static gboolean
read_item (ZendeskUploads *uploads, json_object *comment, json_object *list, gsize place)
{
  json_object *object = json_object_array_get_idx (list, place);
  Item item = { .description = object, .comment = comment, .list = list, .place = place };

  item.path = zendesk_json_get_text (object, "path");
  item.url = zendesk_json_get_text (object, "url");
  item.given = zendesk_json_get_text (object, "given");
  item.sha256 = zendesk_json_get_text (object, "sha256");
  item.name = zendesk_json_get_text (object, "name");
  item.type = zendesk_json_get_text (object, "type");
  item.cid = zendesk_json_get_text (object, "cid");
  item.size = json_object_get_int64 (zendesk_json_get (object, "size"));
  if (item.name == NULL || item.type == NULL || (item.path != NULL ? item.sha256 == NULL : item.url == NULL))
    return FALSE;
  json_object_get (object); /* its place will be a token's */
  g_array_append_val (uploads->items, item);
  return TRUE;
}

static gboolean
read_comment (ZendeskUploads *uploads, json_object *comment)
{
  json_object *list = zendesk_json_get_array (comment, "uploads");

  for (gsize i = 0; list != NULL && i < json_object_array_length (list); i++)
    if (json_object_is_type (json_object_array_get_idx (list, i), json_type_object)
        && !read_item (uploads, comment, list, i))
      return FALSE;
  return TRUE;
}

static void
clear_item (gpointer data)
{
  Item *item = data;

  json_object_put (item->description);
  g_free (item->content_url);
}

ZendeskUploads *
zendesk_uploads_new (ZendeskErrand *errand, const ZendeskFiles *rules, TallyText request)
{
  g_autoptr (ZendeskUploads) uploads = g_new0 (ZendeskUploads, 1);
  json_object *ticket, *comments;
  gboolean good;

  uploads->errand = errand;
  uploads->rules = rules;
  uploads->file.descriptor = -1;
  uploads->items = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (uploads->items, clear_item);
  uploads->request = zendesk_json_parse (request.data, request.length);
  ticket = zendesk_json_get (uploads->request, "ticket");
  comments = zendesk_json_get_array (ticket, "comments");
  good = ticket != NULL && read_comment (uploads, zendesk_json_get (ticket, "comment"));
  for (gsize i = 0; good && comments != NULL && i < json_object_array_length (comments); i++)
    good = read_comment (uploads, json_object_array_get_idx (comments, i));
  return good ? g_steal_pointer (&uploads) : NULL;
}

guint
zendesk_uploads_count (const ZendeskUploads *uploads, guint64 *ret_bytes)
{
  *ret_bytes = 0;
  for (guint i = 0; i < uploads->items->len; i++)
    {
      const Item *item = &g_array_index (uploads->items, Item, i);

      if (item->path != NULL)
        *ret_bytes += (guint64) item->size;
    }
  return uploads->items->len;
}

static void
drop_file (ZendeskUploads *uploads)
{
  tally_attached_close (&uploads->file);
  g_clear_pointer (&uploads->checksum, g_checksum_free);
  uploads->n_read = 0;
}

void
zendesk_uploads_free (ZendeskUploads *uploads)
{
  if (uploads == NULL)
    return;
  drop_file (uploads);
  g_array_unref (uploads->items);
  json_object_put (uploads->request);
  g_free (uploads);
}

/* --- one file --- */

static Item *
this_item (const ZendeskUploads *uploads)
{
  return &g_array_index (uploads->items, Item, uploads->next);
}

/* The end: the errand is settled, and the uploads are gone. */
static void
fail (ZendeskUploads *uploads, TallyVerdict verdict, const char *why)
{
  zendesk_errand_settle_with (uploads->errand, verdict, "attachment \"%s\": %s", this_item (uploads)->name, why);
}

/* What the finding says becomes the verdict.  Whatever an upload came to, the record was not acted upon. */
static void
fail_as_found (ZendeskUploads *uploads)
{
  ZendeskFinding *finding = &uploads->errand->finding;
  g_autofree char *why = g_strdup (finding->detail->str);

  fail (uploads, finding->verdict == TALLY_VERDICT_UNKNOWN || finding->verdict == TALLY_VERDICT_DELIVERED
                     ? TALLY_VERDICT_BUSY : finding->verdict, why);
}

static gssize
read_file (gpointer data, char *buffer, gsize size)
{
  ZendeskUploads *uploads = data;
  gssize n = read (uploads->file.descriptor, buffer, MIN (size, (gsize) (uploads->file.size - uploads->n_read)));

  if (n < 0)
    uploads->problem = errno;
  uploads->is_short = n == 0 && uploads->n_read < uploads->file.size;
  if (n < 0 || uploads->is_short)
    return -1;
  g_checksum_update (uploads->checksum, (const guchar *) buffer, n);
  uploads->n_read += n;
  return n;
}

/* Whether the file is the one that was described. */
static gboolean
is_as_described (const ZendeskUploads *uploads)
{
  const Item *item = this_item (uploads);

  return item->path == NULL || g_str_equal (g_checksum_get_string (uploads->checksum), item->sha256);
}

#define CHANGED "the file has changed since the request was written down; \"tallyman rejects\" sends it as it is now"

static void
take_upload (ZendeskUploads *uploads, ZendeskCall *call)
{
  Item *item = this_item (uploads);
  g_autofree char *token = NULL;

  if (!is_as_described (uploads))
    fail (uploads, TALLY_VERDICT_REJECTED, CHANGED);
  else if (!zendesk_upload_read (call->answer->str, call->answer->len, &token, &item->content_url))
    fail (uploads, TALLY_VERDICT_BUSY, "an answer to the upload without a token");
  else
    {
      json_object_array_put_idx (item->list, item->place, json_object_new_string (token));
      drop_file (uploads);
      uploads->next++;
      go_on (uploads);
    }
}

static void
on_uploaded (ZendeskCall *call, gpointer data)
{
  ZendeskUploads *uploads = data;
  ZendeskErrand *errand = uploads->errand;

  if (!zendesk_errand_take_answer (errand, call))
    {
      if (uploads->problem != 0 || uploads->is_short)
        fail (uploads, TALLY_VERDICT_REJECTED, uploads->is_short ? CHANGED : g_strerror (uploads->problem));
      else
        fail_as_found (uploads);
      return;
    }
  if (call->status == 401 && zendesk_access_refused (errand->account, &errand->waiter))
    return;
  zendesk_errand_judge (errand, call, ZENDESK_ASK_UPLOAD);
  if (errand->finding.verdict == TALLY_VERDICT_DELIVERED)
    take_upload (uploads, call);
  else
    fail_as_found (uploads);
}

static void
upload (ZendeskUploads *uploads)
{
  const Item *item = this_item (uploads);
  g_autofree char *name = g_uri_escape_string (item->name, NULL, FALSE);
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/uploads.json?filename=%s", name);
  ZendeskAccount *account = uploads->errand->account;

  uploads->problem = 0;
  uploads->is_short = FALSE;
  uploads->checksum = g_checksum_new (G_CHECKSUM_SHA256);
  uploads->errand->waiter.generation = account->access.generation;
  zendesk_http_upload (account->http, path, account->access.header, item->type, (gsize) uploads->file.size, read_file,
                       on_uploaded, uploads);
}

static void
upload_local (ZendeskUploads *uploads)
{
  const Item *item = this_item (uploads);
  g_autoptr (GError) error = NULL;

  if (!tally_attached_open (&uploads->file, item->path, uploads->rules->root, &error))
    fail (uploads, TALLY_VERDICT_REJECTED, error->message);
  else if (uploads->file.size != item->size)
    fail (uploads, TALLY_VERDICT_REJECTED, CHANGED);
  else
    upload (uploads);
}

/* --- a file on the web --- */

static void
on_fetched (ZendeskCall *call, gpointer data)
{
  ZendeskUploads *uploads = data;
  g_autofree char *why = NULL;

  if (call->too_long)
    fail (uploads, TALLY_VERDICT_REJECTED, call->problem);
  else if (call->status == 200)
    {
      uploads->file.size = lseek (uploads->file.descriptor, 0, SEEK_CUR);
      lseek (uploads->file.descriptor, 0, SEEK_SET);
      upload (uploads);
    }
  else
    {
      gboolean later = call->status == 0 || call->status == 429 || call->status >= 500;

      why = call->status == 0 ? g_strdup_printf ("it could not be fetched: %s", call->problem)
                              : g_strdup_printf ("its address answers HTTP %d", call->status);
      fail (uploads, later ? TALLY_VERDICT_BUSY : TALLY_VERDICT_REJECTED, why);
    }
}

static void
fetch (ZendeskUploads *uploads)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  uploads->file.descriptor = g_file_open_tmp ("tallyman-XXXXXX", &path, &error);
  if (uploads->file.descriptor < 0)
    {
      fail (uploads, TALLY_VERDICT_BUSY, error->message);
      return;
    }
  g_unlink (path);
  zendesk_http_fetch (uploads->errand->account->http, this_item (uploads)->url, uploads->file.descriptor,
                      (gsize) uploads->rules->max_size, on_fetched, uploads);
}

/* --- all of them --- */

/* (transfer full) the text of a comment with the addresses of its images. */
static char *
dup_html (const ZendeskUploads *uploads, json_object *comment, const char *html)
{
  g_autoptr (GArray) images = g_array_new (FALSE, FALSE, sizeof (ZendeskInline));

  for (guint i = 0; i < uploads->items->len; i++)
    {
      const Item *item = &g_array_index (uploads->items, Item, i);
      ZendeskInline image = { item->name, item->cid, item->given, item->content_url };

      if (item->comment == comment && image.url != NULL)
        g_array_append_val (images, image);
    }
  return zendesk_inline_replace (html, (const ZendeskInline *) images->data, images->len);
}

/* FALSE if a text has become too long. */
static gboolean
show_images (ZendeskUploads *uploads)
{
  json_object *last = NULL;

  for (guint i = 0; i < uploads->items->len; i++)
    {
      json_object *comment = g_array_index (uploads->items, Item, i).comment;
      const char *html = zendesk_json_get_text (comment, "html_body");
      g_autofree char *shown = html != NULL && comment != last ? dup_html (uploads, comment, html) : NULL;

      last = comment;
      if (shown == NULL)
        continue;
      if (strlen (shown) > ZENDESK_MAX_BODY)
        return FALSE;
      json_object_object_add (comment, "html_body", json_object_new_string (shown));
    }
  return TRUE;
}

static void
finish (ZendeskUploads *uploads)
{
  TallyText request;

  if (g_get_monotonic_time () - uploads->begun_at > LONGEST)
    {
      zendesk_errand_settle_with (uploads->errand, TALLY_VERDICT_BUSY,
                                  "its attachments took so long that Zendesk will have forgotten the first");
      return;
    }
  if (!show_images (uploads))
    {
      zendesk_errand_settle_with (uploads->errand, TALLY_VERDICT_REJECTED,
                                  "with the addresses of its images a text has more than %d bytes, and Zendesk would cut it "
                                  "off", ZENDESK_MAX_BODY);
      return;
    }
  request.data = json_object_to_json_string_length (uploads->request, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
                                                    &request.length);
  uploads->done (uploads->errand, request);
}

static void
go_on (ZendeskUploads *uploads)
{
  if (uploads->next == uploads->items->len)
    finish (uploads);
  else if (this_item (uploads)->url != NULL)
    fetch (uploads);
  else
    upload_local (uploads);
}

void
zendesk_uploads_go (ZendeskUploads *uploads, void (*done) (ZendeskErrand *errand, TallyText request))
{
  uploads->done = done;
  uploads->begun_at = g_get_monotonic_time ();
  go_on (uploads);
}
