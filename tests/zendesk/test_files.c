/* test_files.c: attachments: what is described, what is refused before, and what the emulator then has */
#include "desk.h"
#include "files.h"
#include "inline.h"
#include "promise.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

/* A folder with a few files, and an emulator. */
typedef struct
{
  char *folder;
  Emulator *emulator;
  Desk *desk;
} Bench;

static void
write_file (const Bench *bench, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (bench->folder, name, NULL);

  g_file_set_contents (path, text, -1, NULL);
}

static void
bench_clear (Bench *bench)
{
  const char *argv[] = { "rm", "-rf", bench->folder, NULL };

  g_clear_pointer (&bench->desk, desk_free);
  g_clear_pointer (&bench->emulator, emulator_free);
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_free (bench->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

static void
bench_open (Bench *bench, const char *mode, const char *columns, const char *option, const char *value,
            const char *emulator_option)
{
  g_autofree char *sub = NULL;
  g_autoptr (GError) error = NULL;

  bench->folder = g_dir_make_tmp ("files-XXXXXX", NULL);
  sub = g_build_filename (bench->folder, "in", NULL);
  g_mkdir (sub, 0700);
  write_file (bench, "a.txt", "hello");
  write_file (bench, "in/b.png", "PNG");
  bench->emulator = emulator_new (emulator_option, NULL);
  bench->desk = desk_new ("url", bench->emulator->url, "access_token", "t0ken", "timeout", "10s", "run-tag", "false", "mode", mode,
                          NULL);
  desk_set (bench->desk, option, value);
  bench->desk->ctx.directory = g_strdup (bench->folder);
  assert_true (desk_accept (bench->desk, columns, &error) && desk_open (bench->desk, &error));
  assert_no_error (error);
}

static char *
render (Bench *bench, const char *const *row, GError **error)
{
  tally_batch_clear (bench->desk->batch);
  desk_add_row (bench->desk, row);
  return desk_render (bench->desk, 0, "desk:1", error);
}

static TallyDelivery *
send_row (Bench *bench, const char *const *row)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *body = render (bench, row, &error);
  TallyDelivery *delivery;

  assert_no_error (error);
  delivery = desk_send (bench->desk, "k1", "desk:1", body);
  desk_finish (bench->desk);
  return delivery;
}

static char *
ask (Bench *bench, const char *path)
{
  return emulator_ask (bench->emulator, "GET", path, NULL);
}

static guint
count (const char *text, const char *part)
{
  guint n = 0;

  for (; (text = strstr (text, part)) != NULL; text += strlen (part))
    n++;
  return n;
}

#define CREATED "comment.body text, attachments jsonb"
#define TWO "[\"a.txt\", {\"path\": \"in/b.png\", \"name\": \"pic\\\"ture.png\", \"type\": \"image/x-odd\", " \
             "\"cid\": null, \"size\": 7, \"sha256\": \"7\", \"disposition\": \"inline\"}]"

static void
test_a_stored_request_describes_its_files (void)
{
  g_auto (Bench) bench = { 0 };

  bench_open (&bench, "create", CREATED, NULL, NULL, NULL);
  g_autofree char *body = render (&bench, (const char *[]){ "x", TWO }, NULL);
  g_autofree char *first = g_strdup_printf (
      "\"public\":true,\"uploads\":[{\"path\":\"%s/a.txt\",\"given\":\"a.txt\",\"sha256\":\"" HELLO
      "\",\"size\":5,\"name\":\"a.txt\",\"type\":\"text/plain\"},{\"path\":\"%s/in/b.png\"", bench.folder, bench.folder);

  assert_contains (body, first);
  assert_contains (body, "\"size\":3,\"name\":\"pic\\\"ture.png\",\"type\":\"image/x-odd\"}]}}}");
}

static const struct
{
  const char *what, *files, *option, *value, *message;
} refusals[] = {
  { "not there", "[\"none.txt\"]", NULL, NULL, "attachments: \"none.txt\": could not open \"/" },
  { "not there, and why", "[\"none.txt\"]", NULL, NULL, "none.txt\": No such file or directory" },
  { "a folder", "[\"in\"]", NULL, NULL, "is no file" },
  { "a pipe", "[\"pipe\"]", NULL, NULL, "is no file" },
  { "too large", "[\"a.txt\"]", "max-attachment", "4", "it has 5 bytes, and \"max-attachment\" is 4" },
  { "outside", "[\"a.txt\"]", "attachments-root", "in", "lies outside \"attachments-root\"" },
  { "outside, by dots", "[\"in/../a.txt\"]", "attachments-root", "in", "lies outside \"attachments-root\"" },
  { "outside, by a link", "[\"in/link\"]", "attachments-root", "in", "lies outside \"attachments-root\"" },
  { "outside, beside", "[\"inner/c\"]", "attachments-root", "in", "lies outside \"attachments-root\"" },
  { "on the web", "[\"https://x.example/a\"]", NULL, NULL, "only \"fetch-urls: true\" fetches" },
  { "with a password", "[\"https://u:p@x.example/a\"]", "fetch-urls", "true", "fetched without credentials" },
  { "another scheme", "[{\"url\":\"file:///etc/passwd\"}]", "fetch-urls", "true", "it is no address" },
  { "no place", "[{\"name\":\"a\"}]", NULL, NULL, "either a \"path\" or a \"url\"" },
  { "two places", "[{\"path\":\"a\",\"url\":\"b\"}]", NULL, NULL, "either a \"path\" or a \"url\"" },
  { "a slip", "[{\"path\":\"a.txt\",\"nmae\":\"a\"}]", NULL, NULL, "a file has no member \"nmae\"" },
  { "a name with a slash", "[{\"path\":\"a.txt\",\"name\":\"a/b\"}]", NULL, NULL, "no name that a file can have" },
  { "a type with a line break", "[{\"path\":\"a.txt\",\"type\":\"a/b\\r\\nX: y\"}]", NULL, NULL, "is no type" },
  { "a number", "[3]", NULL, NULL, "a file is a path, an address, or an object" },
};

static void
test_what_cannot_be_attached_is_found_before (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_auto (Bench) bench = { 0 };
      g_autoptr (GError) error = NULL;

      bench_open (&bench, "create", CREATED, NULL, NULL, NULL);
      g_autofree char *root = g_build_filename (bench.folder, "in", NULL), *link = g_build_filename (root, "link", NULL);
      g_autofree char *inner = g_build_filename (bench.folder, "inner", NULL);
      g_autofree char *pipe_path = g_build_filename (bench.folder, "pipe", NULL);
      g_mkdir (inner, 0700);
      write_file (&bench, "inner/c", "c");
      assert_int (symlink ("../a.txt", link), 0);
      assert_int (mkfifo (pipe_path, 0600), 0);
      desk_set (bench.desk, refusals[i].option,
                g_strcmp0 (refusals[i].option, "attachments-root") == 0 ? root : refusals[i].value);
      bench.desk->sink->files.root = bench.desk->sink->attachments_root;
      bench.desk->sink->files.max_size = bench.desk->sink->max_attachment;
      bench.desk->sink->files.fetch_urls = bench.desk->sink->fetch_urls;
      g_autofree char *body = render (&bench, (const char *[]){ "x", refusals[i].files }, &error);
      assert_row_text (refusals[i].what, body, NULL);
      assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, refusals[i].message);
    }
}

static void
test_files_arrive_with_their_comment (void)
{
  g_auto (Bench) bench = { 0 };
  TallyDelivery *delivery;

  bench_open (&bench, "create", CREATED, NULL, NULL, NULL);
  delivery = send_row (&bench, (const char *[]){ "x", TWO });
  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  g_autofree char *comments = ask (&bench, "/api/v2/tickets/1/comments.json");
  assert_int (count (comments, "\"file_name\":"), 2);
  assert_contains (comments, "\"file_name\":\"a.txt\"");
  assert_contains (comments, "\"content_type\":\"image/x-odd\"");
  assert_contains (comments, "\"size\":5");

  /* It has no key: the tokens are others each time. */
  g_autofree char *history = ask (&bench, "/_emulator/history");
  assert_contains (history, "\"key\":null,\"external_id\":\"desk:1\"");
  TallyDeliveryProfile profile = { .size = sizeof profile };
  bench.desk->plugin->delivery->profile (bench.desk->sink, &profile);
  assert_int (profile.key_life, 0);
}

static void
test_a_path_may_be_a_text (void)
{
  g_auto (Bench) bench = { 0 };

  bench_open (&bench, "create", "comment.body text, attachments text", NULL, NULL, NULL);
  assert_int (send_row (&bench, (const char *[]){ "x", "a.txt" })->verdict, TALLY_VERDICT_DELIVERED);
  g_autofree char *comments = ask (&bench, "/api/v2/tickets/1/comments.json");
  assert_int (count (comments, "\"file_name\":\"a.txt\""), 1);
  g_autofree char *none = render (&bench, (const char *[]){ "x", " " }, NULL);
  assert_true (none != NULL && strstr (none, "uploads") == NULL);
}

static void
test_each_comment_of_an_import_has_its_files (void)
{
  g_auto (Bench) bench = { 0 };
  TallyDelivery *delivery;

  bench_open (&bench, "import", "requester_id bigint, comments jsonb, attachments jsonb", NULL, NULL, NULL);
  delivery = send_row (&bench, (const char *[]){ "7",
      "[{\"author_id\":8,\"created_at\":\"2012-06-02T10:00:00Z\",\"body\":\"second\",\"attachments\":[\"in/b.png\"]},"
      "{\"author_id\":7,\"created_at\":\"2012-06-01T10:00:00Z\",\"body\":\"first\",\"attachments\":\"a.txt\"}]",
      "[{\"path\":\"a.txt\",\"name\":\"more.txt\"}]" });
  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  g_autofree char *comments = ask (&bench, "/api/v2/tickets/1/comments.json");
  const char *second = strstr (comments, "\"body\":\"second\"");
  assert_int (count (comments, "\"file_name\":"), 3);
  assert_int (count (second, "\"file_name\":"), 1);
  assert_contains (second, "\"file_name\":\"b.png\"");
}

static void
test_a_changed_file_is_refused (void)
{
  static const char *const later[] = { "hallo", "hello, too", "" };

  for (guint i = 0; i <= G_N_ELEMENTS (later); i++)
    {
      g_auto (Bench) bench = { 0 };
      TallyDelivery *delivery;

      bench_open (&bench, "create", CREATED, NULL, NULL, NULL);
      g_autofree char *body = render (&bench, (const char *[]){ "x", "[\"a.txt\"]" }, NULL);
      g_autofree char *path = g_build_filename (bench.folder, "a.txt", NULL);
      if (i < G_N_ELEMENTS (later))
        write_file (&bench, "a.txt", later[i]);
      else
        g_unlink (path);
      delivery = desk_send (bench.desk, "k1", "desk:1", body);
      desk_finish (bench.desk);
      assert_int (delivery->verdict, TALLY_VERDICT_REJECTED);
      assert_contains (delivery->detail, i < G_N_ELEMENTS (later) ? "the file has changed" : "No such file");
      assert_int (emulator_count (bench.emulator, "created"), 0);
    }
}

static const struct
{
  const char *fault;
  TallyVerdict verdict;
  const char *detail;
} faults[] = {
  { "'kind':'drop-before'", TALLY_VERDICT_BUSY, "attachment \"a.txt\": no answer" },
  { "'kind':'drop-after'", TALLY_VERDICT_BUSY, "no answer" },
  { "'kind':'cut-body'", TALLY_VERDICT_BUSY, "did not come whole" },
  { "'kind':'status','status':500", TALLY_VERDICT_BUSY, "HTTP 500" },
  { "'kind':'status','status':503", TALLY_VERDICT_BUSY, "HTTP 503" },
  { "'kind':'status','status':413,'body':'html'", TALLY_VERDICT_REJECTED, "the file is too large for the account" },
  { "'kind':'invalid'", TALLY_VERDICT_REJECTED, "HTTP 422" },
  { "'kind':'storm','retry_after':'3'", TALLY_VERDICT_BUSY, "HTTP 429" },
  { "'kind':'html','status':201", TALLY_VERDICT_BUSY, "without a token" },
  { "'kind':'unauthorized'", TALLY_VERDICT_HALT, "does not accept the credentials" },
  { "'kind':'redirect'", TALLY_VERDICT_HALT, "redirect" },
};

static void
test_an_upload_that_fails_acts_on_nothing (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_auto (Bench) bench = { 0 };
      g_autofree char *fault = g_strdup_printf ("{%s,'path':'/api/v2/uploads'}", faults[i].fault);
      TallyDelivery *delivery;

      bench_open (&bench, "create", CREATED, NULL, NULL, NULL);
      emulator_set_faults (bench.emulator, fault);
      delivery = send_row (&bench, (const char *[]){ "x", TWO });
      assert_row_int (faults[i].fault, delivery->verdict, faults[i].verdict);
      assert_contains (delivery->detail, faults[i].detail);
      assert_row_int (faults[i].fault, emulator_count (bench.emulator, "created"), 0);

      /* The next time all are uploaded anew, and each is there once. */
      delivery = send_row (&bench, (const char *[]){ "x", TWO });
      assert_row_int (faults[i].fault, delivery->verdict, TALLY_VERDICT_DELIVERED);
      g_autofree char *comments = ask (&bench, "/api/v2/tickets/1/comments.json");
      assert_row_int (faults[i].fault, count (comments, "\"file_name\":"), 2);
    }
}

static void
test_a_token_that_is_no_good_is_uploaded_again (void)
{
  g_auto (Bench) bench = { 0 };
  TallyDelivery *delivery;

  bench_open (&bench, "import", "requester_id bigint, description text, attachments jsonb", NULL, NULL, NULL);
  emulator_set_faults (bench.emulator, "{'kind':'drop-before','path':'/api/v2/imports'}");
  delivery = send_row (&bench, (const char *[]){ "7", "x", "[\"a.txt\"]" });
  assert_int (delivery->verdict, TALLY_VERDICT_UNKNOWN);
  g_free (emulator_ask (bench.emulator, "POST", "/_emulator/clock", "{\"advance\":90000}"));
  delivery = send_row (&bench, (const char *[]){ "7", "x", "[\"a.txt\"]" });
  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  g_autofree char *comments = ask (&bench, "/api/v2/tickets/1/comments.json");
  assert_int (count (comments, "\"file_name\":"), 1);
}

static void
test_nothing_is_created_once_the_run_may_not (void)
{
  g_auto (Bench) bench = { 0 };
  TallyDelivery *delivery;

  bench_open (&bench, "create", CREATED, NULL, NULL, NULL);
  g_autofree char *body = render (&bench, (const char *[]){ "x", TWO }, NULL);
  delivery = desk_send (bench.desk, "k1", "desk:1", body);
  delivery->barred = TRUE;
  desk_finish (bench.desk);
  assert_int (delivery->verdict, TALLY_VERDICT_UNSENT);
  assert_int (emulator_count (bench.emulator, "created"), 0);
}

static void
test_a_large_file_is_streamed (void)
{
  g_auto (Bench) bench = { 0 };
  g_autofree char *large = g_strnfill (12 << 20, 'z');

  bench_open (&bench, "create", CREATED, NULL, NULL, NULL);
  write_file (&bench, "large.bin", large);
  assert_int (send_row (&bench, (const char *[]){ "x", "[\"large.bin\"]" })->verdict, TALLY_VERDICT_DELIVERED);
  g_autofree char *comments = ask (&bench, "/api/v2/tickets/1/comments.json");
  assert_contains (comments, "\"size\":12582912");
}

/* --- from the web --- */

static void
test_files_are_fetched_from_the_web (void)
{
  static const struct
  {
    const char *what, *answer;
    TallyVerdict verdict;
    const char *detail; /* (nullable) */
  } pages[] = {
    { "there", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", TALLY_VERDICT_DELIVERED, NULL },
    { "not there", "HTTP/1.1 404 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", TALLY_VERDICT_REJECTED, "answers HTTP 404" },
    { "not now", "HTTP/1.1 503 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", TALLY_VERDICT_BUSY, "answers HTTP 503" },
    { "elsewhere, in another way", "HTTP/1.1 302 X\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      TALLY_VERDICT_BUSY, "could not be fetched" },
    { "too large", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\n01234567890123456789012345678901234567890123456789",
      TALLY_VERDICT_REJECTED, "more than 20 bytes" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      const Turn turns[] = { { pages[i].answer, TRUE } };
      g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
      g_auto (Bench) bench = { 0 };
      TallyDelivery *delivery;

      bench_open (&bench, "create", CREATED, "fetch-urls", "true", NULL);
      bench.desk->sink->files.max_size = 20;
      g_autofree char *files = g_strdup_printf ("[\"%s/old/log.txt?v=1\"]", server_url (server));
      delivery = send_row (&bench, (const char *[]){ "x", files });
      assert_row_int (pages[i].what, delivery->verdict, pages[i].verdict);
      assert_row_int (pages[i].what, bench.desk->ctx.n_files, 0);
      if (pages[i].detail != NULL)
        assert_contains (delivery->detail, pages[i].detail);
      g_autofree char *request = server_request (server, 0);
      assert_contains (request, "GET /old/log.txt?v=1 HTTP/1.1\r\n");
      assert_true (strstr (request, "Authorization") == NULL && strstr (request, "t0ken") == NULL);
      if (pages[i].detail == NULL)
        {
          g_autofree char *comments = ask (&bench, "/api/v2/tickets/1/comments.json");

          assert_contains (comments, "\"file_name\":\"log.txt\"");
          assert_contains (comments, "\"size\":5");
        }
    }
}

/* The account counts it, so its limit does. */
static void
test_a_file_of_the_account_waits_for_its_rate_limit (void)
{
  g_auto (Bench) bench = { 0 };

  bench_open (&bench, "create", CREATED, "fetch-urls", "true", NULL);
  g_autofree char *upload = emulator_ask (bench.emulator, "POST", "/api/v2/uploads.json?filename=log.txt", "hello");
  g_autofree char *opening = g_strdup_printf ("%s/attachments/token/", bench.emulator->url);
  const char *address = strstr (upload, opening);
  g_autofree char *path = address != NULL ? g_strndup (address, strcspn (address, "\"")) : NULL;
  g_autofree char *files = g_strdup_printf ("[\"%s\"]", path);

  assert_true (path != NULL);
  assert_int (send_row (&bench, (const char *[]){ "x", files })->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (bench.desk->ctx.n_files, 1);
  assert_int (bench.desk->ctx.n_ended, bench.desk->ctx.n_admitted);
  g_autofree char *comments = ask (&bench, "/api/v2/tickets/1/comments.json");
  assert_contains (comments, "\"size\":5");
}

/* --- images in a text --- */

static const struct
{
  const char *html, *result;
} texts[] = {
  { "<img src=\"cid:a@b\">", "<img src=\"https://z/1?a&amp;b\">" },
  { "<IMG SRC = 'cid:pic.png' alt='cid:pic.png'>", "<IMG SRC = 'https://z/1?a&amp;b' alt='cid:pic.png'>" },
  { "<img src=\"in/pic&amp;.png\"><img src=\"pic.png\">", "<img src=\"https://z/1?a&amp;b\"><img src=\"https://z/1?a&amp;b\">" },
  { "<img src=\"https://elsewhere/pic.png\"> src=cid:a@b src=", "<img src=\"https://elsewhere/pic.png\"> src=cid:a@b src=" },
  { "src=\"cid:a@b", "src=\"https://z/1?a&amp;b" },
  { "nothing", "nothing" },
};

static void
test_images_get_their_address (void)
{
  const ZendeskInline image = { "pic.png", "a@b", "in/pic&.png", "https://z/1?a&b" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *shown = zendesk_inline_replace (texts[i].html, &image, 1);

      assert_row_text (texts[i].html, shown, texts[i].result);
    }
}

static void
test_an_image_in_a_text_is_the_one_that_was_uploaded (void)
{
  g_auto (Bench) bench = { 0 };

  bench_open (&bench, "create", "comment.html_body text, attachments jsonb", NULL, NULL, NULL);
  TallyDelivery *delivery
      = send_row (&bench, (const char *[]){ "<p>see <img src=\"cid:x1\"></p>", "[{\"path\":\"in/b.png\",\"cid\":\"x1\"}]" });
  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  g_autofree char *comments = ask (&bench, "/api/v2/tickets/1/comments.json");
  assert_contains (comments, "/attachments/token/");
  assert_true (strstr (comments, "cid:x1") == NULL);
}

static const Promise promises[] = {
  { "a stored request describes its files", test_a_stored_request_describes_its_files },
  { "what cannot be attached is found before", test_what_cannot_be_attached_is_found_before },
  { "files arrive with their comment", test_files_arrive_with_their_comment },
  { "a path may be a text", test_a_path_may_be_a_text },
  { "each comment of an import has its files", test_each_comment_of_an_import_has_its_files },
  { "a changed file is refused", test_a_changed_file_is_refused },
  { "an upload that fails acts on nothing", test_an_upload_that_fails_acts_on_nothing },
  { "G7: a token that is no good is uploaded again", test_a_token_that_is_no_good_is_uploaded_again },
  { "nothing is created once the run may not", test_nothing_is_created_once_the_run_may_not },
  { "a large file is streamed", test_a_large_file_is_streamed },
  { "files are fetched from the web", test_files_are_fetched_from_the_web },
  { "a file of the account waits for its rate limit", test_a_file_of_the_account_waits_for_its_rate_limit },
  { "images get their address", test_images_get_their_address },
  { "an image in a text is the one that was uploaded", test_an_image_in_a_text_is_the_one_that_was_uploaded },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk files", promises, argc, argv);
}
