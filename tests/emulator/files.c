/* files.c: what the emulator promises about uploads and attachments */
#include "promise.h"
#include "rig.h"

#include <glib/gstdio.h>
#include <string.h>

#define UPLOAD "/api/v2/uploads.json?filename=a.txt"

static const char bytes[] = "one\0two\r\n\xff\x80";

static Reply *
upload (Rig *rig, const char *path, const char *text)
{
  Reply *reply = rig_send (rig, path, "text/plain", text, strlen (text));

  if (reply->status != 201)
    g_error ("the file was not taken: %s", reply->body);
  return reply;
}

/* A token with a file that holds @text. */
static char *
get_token (Rig *rig, const char *text)
{
  g_autoptr (Reply) reply = upload (rig, UPLOAD, text);

  return at (reply->json, "upload.token");
}

/* A ticket whose comment names @token. */
static Reply *
name_token (Rig *rig, const char *token)
{
  g_autofree char *body = g_strdup_printf (
      "{'ticket':{'external_id':'x:1','comment':{'body':'c','uploads':['%s']}}}", token);

  return rig_create (rig, body, NULL);
}

/* The first event of the history with this name. */
static json_object *
find_event (Rig *rig, const char *name)
{
  g_autoptr (Reply) history = rig_get (rig, "/_emulator/history");
  g_auto (GStrv) lines = g_strsplit (history->body, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    {
      json_object *event = json_tokener_parse (*line);
      g_autofree char *is = event != NULL ? at (event, "event") : NULL;

      if (g_strcmp0 (is, name) == 0)
        return event;
      json_object_put (event);
    }
  return NULL;
}

static char *
get_path (Rig *rig, json_object *json, const char *place)
{
  g_autofree char *url = at (json, place);

  return url != NULL && g_str_has_prefix (url, rig->url) ? g_strdup (url + strlen (rig->url))
                                                         : NULL;
}

static void
test_takes_a_file_and_says_so_as_the_service_does (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) reply = rig_send (rig, "/api/v2/uploads.json?filename=a%20b.bin", "image/x-raw",
                                      bytes, sizeof bytes);
  g_autofree char *type = reply_header (reply, "Content-Type");
  g_autofree char *location = reply_header (reply, "Location");
  g_autofree char *url = at (reply->json, "upload.attachment.url");
  g_autofree char *name = at (reply->json, "upload.attachment.file_name");
  g_autofree char *kept_type = at (reply->json, "upload.attachments.0.content_type");
  g_autofree char *expires = at (reply->json, "upload.expires_at");
  g_autofree char *sum
      = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *)bytes, sizeof bytes);
  json_object *event = find_event (rig, "uploaded");
  g_autofree char *noted = event != NULL ? at (event, "sha256") : NULL;
  g_autofree char *noted_name = event != NULL ? at (event, "file_name") : NULL;

  assert_int (reply->status, 201);
  assert_text (type, "text/plain; charset=utf-8");
  assert_text (location, url);
  assert_text (name, "a b.bin");
  assert_text (kept_type, "image/x-raw");
  assert_int (number_at (reply->json, "upload.attachment.size"), sizeof bytes);
  assert_text (expires, NULL);
  assert_text (noted, sum);
  assert_text (noted_name, "a b.bin");
  json_object_put (event);
}

static void
test_gives_back_what_it_took (void)
{
  g_autoptr (Rig) rig = rig_new ("--email", "a@b.example", "--token", "t", NULL);
  const char *header = "Authorization: Basic YUBiLmV4YW1wbGUvdG9rZW46dA==";
  g_autoptr (Reply) refused = rig_send (rig, UPLOAD, "image/x-raw", bytes, sizeof bytes);
  g_autoptr (Reply) taken = rig_call (rig, "POST", UPLOAD, "x", header);
  g_autofree char *path = get_path (rig, taken->json, "upload.attachment.content_url");
  g_autoptr (Reply) content = rig_get (rig, path); /* no credentials: the address is the key */
  g_autoptr (Reply) wrong = rig_get (rig, "/attachments/token/nonesuch/?name=a");

  assert_int (refused->status, 401);
  assert_int (taken->status, 201);
  assert_int (content->status, 200);
  assert_text (content->body, "x");
  assert_int (wrong->status, 404);
}

static void
test_gives_back_every_byte (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) taken = rig_send (rig, UPLOAD, "image/x-raw", bytes, sizeof bytes);
  g_autofree char *path = get_path (rig, taken->json, "upload.attachment.content_url");
  g_autoptr (Reply) content = rig_get (rig, path);
  g_autofree char *type = reply_header (content, "Content-Type");
  gint64 id = number_at (taken->json, "upload.attachment.id");
  g_autofree char *show = g_strdup_printf ("/api/v2/attachments/%" G_GINT64_FORMAT ".json", id);
  g_autoptr (Reply) shown = rig_get (rig, show);

  assert_int (content->length, sizeof bytes);
  assert_true (content->length == sizeof bytes && memcmp (content->body, bytes, sizeof bytes) == 0);
  assert_text (type, "image/x-raw");
  assert_int (number_at (shown->json, "attachment.size"), sizeof bytes);
}

static void
test_joins_files_under_one_token_and_gives_them_to_a_comment (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autofree char *token = get_token (rig, "first");
  g_autofree char *more = g_strconcat ("/api/v2/uploads?filename=b.txt&token=", token, NULL);
  g_autoptr (Reply) second = upload (rig, more, "second");
  g_autofree char *same = at (second->json, "upload.token");
  g_autofree char *last = at (second->json, "upload.attachment.file_name");
  g_autoptr (Reply) made = name_token (rig, token);
  g_autoptr (Reply) comments = rig_get (rig, "/api/v2/tickets/1/comments.json");
  g_autofree char *first_name = at (comments->json, "comments.0.attachments.0.file_name");
  g_autofree char *second_name = at (comments->json, "comments.0.attachments.1.file_name");
  json_object *event = find_event (rig, "attached");
  g_autofree char *external_id = at (event, "external_id");

  assert_text (same, token);
  assert_text (last, "b.txt");
  assert_int (number_at (second->json, "upload.attachments.#"), 2);
  assert_int (made->status, 201);
  assert_int (number_at (made->json, "audit.events.0.attachments.#"), 2);
  assert_text (first_name, "a.txt");
  assert_text (second_name, "b.txt");
  assert_int (number_at (event, "ticket"), 1);
  assert_int (number_at (event, "comment"), number_at (comments->json, "comments.0.id"));
  assert_int (number_at (event, "id"), number_at (comments->json, "comments.0.attachments.0.id"));
  assert_text (external_id, "x:1");
  json_object_put (event);
}

static void
test_gives_files_to_the_comments_of_an_import_and_an_update (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autofree char *one = get_token (rig, "1"), *two = get_token (rig, "2");
  g_autofree char *body = g_strdup_printf (
      "{\"ticket\":{\"comments\":[{\"value\":\"a\"},{\"value\":\"b\",\"uploads\":\"%s\"}]}}", one);
  g_autofree char *change
      = g_strdup_printf ("{\"ticket\":{\"comment\":{\"body\":\"c\",\"uploads\":[\"%s\"]}}}", two);
  g_autoptr (Reply) made = rig_call (rig, "POST", "/api/v2/imports/tickets.json", body, NULL);
  g_autoptr (Reply) changed = rig_call (rig, "PUT", "/api/v2/tickets/1.json", change, NULL);
  g_autoptr (Reply) comments = rig_get (rig, "/api/v2/tickets/1/comments.json");

  assert_int (made->status, 201);
  assert_int (changed->status, 200);
  assert_int (number_at (comments->json, "comments.0.attachments.#"), 0);
  assert_int (number_at (comments->json, "comments.1.attachments.#"), 1);
  assert_int (number_at (comments->json, "comments.2.attachments.#"), 1);
}

static void
test_takes_no_token_twice_or_too_late (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) used_file = upload (rig, UPLOAD, "1");
  g_autoptr (Reply) late_file = upload (rig, UPLOAD, "2");
  g_autofree char *token = at (used_file->json, "upload.token");
  g_autofree char *late = at (late_file->json, "upload.token");
  g_autofree char *used_content = get_path (rig, used_file->json, "upload.attachment.content_url");
  g_autofree char *late_content = get_path (rig, late_file->json, "upload.attachment.content_url");
  g_autofree char *fresh = get_token (rig, "3"), *why = NULL;
  g_autofree char *both = g_strconcat (fresh, "','", fresh, NULL);

  assert_int (reply_take_status (name_token (rig, "nonesuch")), 422);
  assert_int (reply_take_status (name_token (rig, token)), 201);
  assert_int (reply_take_status (name_token (rig, token)), 422);
  assert_int (reply_take_status (name_token (rig, both)), 422);
  rig_advance (rig, 3599);
  assert_int (reply_take_status (name_token (rig, fresh)), 201);
  rig_advance (rig, 1);
  g_autoptr (Reply) refused = name_token (rig, late);
  assert_int (reply_take_status (rig_get (rig, late_content)), 404);
  assert_int (reply_take_status (rig_get (rig, used_content)), 200);
  why = at (refused->json, "details.base.0.error");
  assert_int (refused->status, 422);
  assert_text (why, "InvalidValue");
  assert_int (rig_count (rig, "created"), 2);
}

static void
test_drops_such_a_token_in_silence_if_told_so (void)
{
  g_autoptr (Rig) rig = rig_new ("--bad-token", "ignore", NULL);
  g_autoptr (Reply) made = name_token (rig, "nonesuch");

  assert_int (made->status, 201);
  assert_int (number_at (made->json, "audit.events.0.attachments.#"), 0);
}

static void
test_keeps_a_file_as_long_as_told_and_says_how_long (void)
{
  g_autoptr (Rig) rig
      = rig_new ("--upload-life", "259200", "--show-expiry", "--time-rate", "0", NULL);
  reply_free (
      rig_call (rig, "POST", "/_emulator/clock", "{\"set\":\"2030-01-01T00:00:00Z\"}", NULL));
  g_autoptr (Reply) taken = upload (rig, UPLOAD, "x");
  g_autofree char *expires = at (taken->json, "upload.expires_at");
  g_autofree char *token = at (taken->json, "upload.token");

  rig_advance (rig, 259199);
  assert_text (expires, "2030-01-04T00:00:00Z");
  assert_int (reply_take_status (name_token (rig, token)), 201);
}

static void
test_refuses_a_file_that_is_too_large_or_has_no_name (void)
{
  g_autoptr (Rig) rig = rig_new ("--max-upload", "10", "--max-body", "5", NULL);

  assert_int (reply_take_status (rig_send (rig, UPLOAD, "a/b", "0123456789", 10)), 201);
  assert_int (reply_take_status (rig_send (rig, UPLOAD, "a/b", "0123456789x", 11)), 413);
  assert_int (reply_take_status (rig_send (rig, "/api/v2/uploads", "a/b", "0", 1)), 422);
  assert_int (
      reply_take_status (rig_send (rig, "/api/v2/uploads?filename=a&token=x", "a/b", "0", 1)), 404);
}

static void
test_deletes_what_still_waits (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) taken = upload (rig, UPLOAD, "x");
  g_autofree char *token = at (taken->json, "upload.token");
  g_autofree char *content = get_path (rig, taken->json, "upload.attachment.content_url");
  g_autofree char *path = g_strconcat ("/api/v2/uploads/", token, ".json", NULL);

  assert_int (reply_take_status (rig_call (rig, "DELETE", path, NULL, NULL)), 204);
  assert_int (reply_take_status (rig_call (rig, "DELETE", path, NULL, NULL)), 404);
  assert_int (reply_take_status (name_token (rig, token)), 422);
  assert_int (reply_take_status (rig_get (rig, content)), 404);
}

static void
test_notes_credentials_that_come_to_the_other_host (void)
{
  g_autoptr (Rig) rig = rig_new ("--content-host", "localhost", NULL);
  g_autoptr (Reply) taken = upload (rig, UPLOAD, "there");
  g_autofree char *path = get_path (rig, taken->json, "upload.attachment.content_url");
  g_autoptr (Reply) here = rig_call (rig, "GET", path, NULL, "Authorization: Bearer t");
  g_autofree char *location = reply_header (here, "Location");

  assert_int (here->status, 302);
  assert_true (location != NULL && g_str_has_prefix (location, "http://localhost:"));
  g_autofree char *foreign = g_strdup (strchr (strstr (location, "://") + 3, '/'));
  g_autoptr (Reply) clean = rig_get (rig, foreign);
  g_autoptr (Reply) before = rig_get (rig, "/_emulator/history");
  g_autoptr (Reply) leaky = rig_call (rig, "GET", foreign, NULL, "Authorization: Bearer t");
  g_autoptr (Reply) after = rig_get (rig, "/_emulator/history");

  assert_text (clean->body, "there");
  assert_text (leaky->body, "there");
  assert_true (strstr (before->body, "\"leaked\"") == NULL);
  assert_contains (after->body, "\"leaked\":true");
}

static void
test_holds_no_more_in_memory_than_told (void)
{
  g_autoptr (Rig) rig = rig_new ("--hold-files", "10", NULL);
  g_autoptr (Reply) one = upload (rig, UPLOAD, "123456");
  g_autoptr (Reply) two = upload (rig, UPLOAD, "7890123");
  g_autofree char *old = get_path (rig, one->json, "upload.attachment.content_url");
  g_autofree char *new = get_path (rig, two->json, "upload.attachment.content_url");
  g_autofree char *token = at (one->json, "upload.token");
  g_autoptr (Reply) kept = rig_get (rig, new);

  assert_int (reply_take_status (rig_get (rig, old)), 410);
  assert_text (kept->body, "7890123");
  assert_int (reply_take_status (name_token (rig, token)), 201); /* all but the bytes is there */
}

static void
test_has_its_files_back_after_a_crash (void)
{
  g_autofree char *folder = g_dir_make_tmp ("emulator-XXXXXX", NULL);
  g_autofree char *state = g_build_filename (folder, "state", NULL);
  g_autofree char *files = g_strconcat (state, ".files", NULL);
  g_autoptr (Rig) rig = rig_new ("--state", state, NULL);
  g_autofree char *used = get_token (rig, "used"), *waits = get_token (rig, "waits");
  g_autofree char *gone = get_token (rig, "gone");
  g_autofree char *path = g_strconcat ("/api/v2/uploads/", gone, NULL);

  reply_free (name_token (rig, used));
  reply_free (rig_call (rig, "DELETE", path, NULL, NULL));
  rig_restart (rig, "--state", state, NULL);
  g_autoptr (Reply) comments = rig_get (rig, "/api/v2/tickets/1/comments.json");
  g_autofree char *url = get_path (rig, comments->json, "comments.0.attachments.0.content_url");
  g_autoptr (Reply) content = rig_get (rig, url);

  assert_text (content->body, "used");
  assert_int (reply_take_status (name_token (rig, used)), 422);
  assert_int (reply_take_status (name_token (rig, gone)), 422);
  assert_int (reply_take_status (name_token (rig, waits)), 201);

  reply_free (rig_call (rig, "POST", "/_emulator/reset", NULL, NULL));
  assert_true (!g_file_test (files, G_FILE_TEST_EXISTS));
  g_unlink (state);
  g_rmdir (folder);
}

static void
test_leaves_out_the_pictures_of_a_text_unless_asked (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) taken = upload (rig, UPLOAD, "picture");
  g_autofree char *token = at (taken->json, "upload.token");
  g_autofree char *url = at (taken->json, "upload.attachment.content_url");
  g_autofree char *body = g_strdup_printf (
      "{'ticket':{'comment':{'html_body':'<img src=\\'%s\\'>x','uploads':['%s']}}}", url, token);
  g_autoptr (Reply) made = rig_create (rig, body, NULL);
  g_autoptr (Reply) plain = rig_get (rig, "/api/v2/tickets/1/comments.json");
  g_autoptr (Reply) full
      = rig_get (rig, "/api/v2/tickets/1/comments.json?include_inline_images=true");
  g_autofree char *is_inline = at (full->json, "comments.0.attachments.0.inline");

  assert_int (made->status, 201);
  assert_int (number_at (plain->json, "comments.0.attachments.#"), 0);
  assert_text (is_inline, "true");
}

static const Promise promises[] = {
  { "takes a file and says so as the service does",
    test_takes_a_file_and_says_so_as_the_service_does },
  { "gives back what it took to whoever has the address", test_gives_back_what_it_took },
  { "gives back every byte", test_gives_back_every_byte },
  { "joins files under one token and gives them to a comment",
    test_joins_files_under_one_token_and_gives_them_to_a_comment },
  { "gives files to the comments of an import and an update",
    test_gives_files_to_the_comments_of_an_import_and_an_update },
  { "takes no token twice or too late", test_takes_no_token_twice_or_too_late },
  { "drops such a token in silence if told so", test_drops_such_a_token_in_silence_if_told_so },
  { "keeps a file as long as told and says how long",
    test_keeps_a_file_as_long_as_told_and_says_how_long },
  { "refuses a file that is too large or has no name",
    test_refuses_a_file_that_is_too_large_or_has_no_name },
  { "deletes what still waits", test_deletes_what_still_waits },
  { "notes credentials that come to the other host",
    test_notes_credentials_that_come_to_the_other_host },
  { "holds no more in memory than told", test_holds_no_more_in_memory_than_told },
  { "has its files back after a crash", test_has_its_files_back_after_a_crash },
  { "leaves out the pictures of a text unless asked",
    test_leaves_out_the_pictures_of_a_text_unless_asked },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator files", promises, argc, argv);
}
