/* main.c: the command line of zendesk-emulator */
#include "http.h"
#include "people-options.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#define SUMMARY                                                                                    \
  "Answers like the Zendesk Support API, on this machine and from memory, so that an\n"            \
  "import can be rehearsed: what it would create, how long it would take, and what\n"              \
  "happens when answers get lost.  Nothing is ever sent anywhere.\n"                               \
  "\n"                                                                                             \
  "GET /_emulator/history tells what really happened; see the README for the rest."

/* What GOption fills, before it is checked and goes to its places. */
typedef struct
{
  int port;
  char *host, *port_file, *plan, *email, *token, *bearer, *same_key, *same_body, *idempotency;
  char *state, *fields, *https, *https_key, *limit_body, *oauth;
  char *tokens, *order, *archived, *seconds, *content_host, *account;
  EmuPeopleOptions people;
  char **faults, **rest;
  gint64 first_id, max_body, max_upload, hold_files, repeat;
  double key_life, delay, lookup_lag, time_rate, token_life, upload_life;
  gboolean show_expiry, check_authors, check_assignees, store_errors, limit_creation, chunked,
      quiet, version;
} Arguments;

static void
arguments_clear (Arguments *a)
{
  char **texts[]
      = { &a->host,      &a->port_file,    &a->plan,   &a->email,  &a->token,       &a->bearer,
          &a->same_key,  &a->same_body,    &a->state,  &a->fields, &a->idempotency, &a->https,
          &a->https_key, &a->limit_body,   &a->oauth,  &a->tokens, &a->order,       &a->archived,
          &a->seconds,   &a->content_host, &a->account };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (texts[i], g_free);
  emu_people_options_clear (&a->people);
  g_clear_pointer (&a->faults, g_strfreev);
  g_clear_pointer (&a->rest, g_strfreev);
}

static gboolean
parse (Arguments *a, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "port", 'p', 0, G_OPTION_ARG_INT, &a->port, "Port to listen on; 0 picks one (0)", "N" },
    { "port-file", 0, 0, G_OPTION_ARG_FILENAME, &a->port_file, "Also write the port to FILE",
      "FILE" },
    { "host", 0, 0, G_OPTION_ARG_STRING, &a->host, "Address to listen on (127.0.0.1)", "ADDRESS" },
    { "https", 0, 0, G_OPTION_ARG_FILENAME, &a->https,
      "Speak TLS with this certificate; the key follows, or is in the same file", "CERT [KEY]" },
    { "plan", 0, 0, G_OPTION_ARG_STRING, &a->plan,
      "Requests a minute: team 200, growth 400, enterprise 700, enterprise-plus 2500, none (none)",
      "PLAN" },
    { "limit-creation", 0, 0, G_OPTION_ARG_NONE, &a->limit_creation,
      "Also at most 300 creations a minute", NULL },
    { "limit-body", 0, 0, G_OPTION_ARG_STRING, &a->limit_body,
      "What a 429 says: json or text (json)", "FORM" },
    { "email", 0, 0, G_OPTION_ARG_STRING, &a->email, "Insist on this user, with --token", "E" },
    { "token", 0, 0, G_OPTION_ARG_STRING, &a->token, "Insist on this API token", "T" },
    { "bearer", 0, 0, G_OPTION_ARG_STRING, &a->bearer, "Insist on this OAuth token", "TOKEN" },
    { "oauth", 0, 0, G_OPTION_ARG_STRING, &a->oauth,
      "Insist on a token that this client got from POST /oauth/tokens", "ID:SECRET" },
    { "token-life", 0, 0, G_OPTION_ARG_DOUBLE, &a->token_life,
      "How long such a token is good (1800)", "SECONDS" },
    { "fault", 0, 0, G_OPTION_ARG_STRING_ARRAY, &a->faults,
      "Something that goes wrong: KIND[:NAME=VALUE,...]; may be given again", "SPEC" },
    { "idempotency", 0, 0, G_OPTION_ARG_STRING, &a->idempotency,
      "on, or off: Idempotency-Key is ignored (on)", "WHETHER" },
    { "idempotency-life", 0, 0, G_OPTION_ARG_DOUBLE, &a->key_life,
      "How long a key is remembered (7200)", "SECONDS" },
    { "same-key", 0, 0, G_OPTION_ARG_STRING, &a->same_key,
      "Two requests with one key at once: wait, conflict or duplicate (wait)", "HOW" },
    { "same-body", 0, 0, G_OPTION_ARG_STRING, &a->same_body,
      "Which bodies are the same: parsed or raw (parsed)", "HOW" },
    { "store-errors", 0, 0, G_OPTION_ARG_NONE, &a->store_errors,
      "Repeat a refusal (422) under its key as well", NULL },
    { "lookup-lag", 0, 0, G_OPTION_ARG_DOUBLE, &a->lookup_lag,
      "How late external_id finds a new ticket (0)", "SECONDS" },
    { "first-id", 0, 0, G_OPTION_ARG_INT64, &a->first_id, "Id of the first ticket (1)", "N" },
    { "delay", 0, 0, G_OPTION_ARG_DOUBLE, &a->delay, "Time that a creation takes (0)", "MS" },
    { "time-rate", 0, 0, G_OPTION_ARG_DOUBLE, &a->time_rate,
      "How many times as fast the account's clock runs (1)", "N" },
    { "state", 0, 0, G_OPTION_ARG_FILENAME, &a->state, "Keep the tickets in FILE across restarts",
      "FILE" },
    { "fields", 0, 0, G_OPTION_ARG_FILENAME, &a->fields, "More custom ticket fields, as JSON",
      "FILE" },
    { "max-body", 0, 0, G_OPTION_ARG_INT64, &a->max_body, "Bytes that a request may have (8388608)",
      "N" },
    { "max-upload", 0, 0, G_OPTION_ARG_INT64, &a->max_upload,
      "Bytes that a file may have (52428800)", "N" },
    { "hold-files", 0, 0, G_OPTION_ARG_INT64, &a->hold_files,
      "Bytes of files that are kept in memory without --state (268435456)", "N" },
    { "upload-life", 0, 0, G_OPTION_ARG_DOUBLE, &a->upload_life,
      "How long a file waits for a comment that names its token (3600)", "SECONDS" },
    { "show-expiry", 0, 0, G_OPTION_ARG_NONE, &a->show_expiry, "Uploads tell when they expire",
      NULL },
    { "bad-token", 0, 0, G_OPTION_ARG_STRING, &a->tokens,
      "A comment names a token that is unknown, used or expired: refuse or ignore (refuse)",
      "HOW" },
    { "content-host", 0, 0, G_OPTION_ARG_STRING, &a->content_host,
      "Redirect downloads of files to this name of the same server: localhost", "NAME" },
    { "comment-order", 0, 0, G_OPTION_ARG_STRING, &a->order,
      "Comments of an import stand as given or by time: given or time (given)", "HOW" },
    { "check-authors", 0, 0, G_OPTION_ARG_NONE, &a->check_authors,
      "Refuse a comment whose author is nobody", NULL },
    { "check-assignees", 0, 0, G_OPTION_ARG_NONE, &a->check_assignees,
      "Refuse an assignee who is no agent of the ticket's group", NULL },
    { "account", 0, 0, G_OPTION_ARG_FILENAME, &a->account,
      "Groups, agents, brands and more of the account, as JSON", "FILE" },
    { "archived", 0, 0, G_OPTION_ARG_STRING, &a->archived,
      "Whether external_id finds archived tickets: hidden or found (hidden)", "HOW" },
    { "same-second", 0, 0, G_OPTION_ARG_STRING, &a->seconds,
      "An export by time comes to a second that holds a whole page: pass or stick (pass)", "HOW" },
    { "repeat-exported", 0, 0, G_OPTION_ARG_INT64, &a->repeat,
      "After how many rows of an export one comes twice; 0 is never (0)", "N" },
    { "chunked", 0, 0, G_OPTION_ARG_NONE, &a->chunked, "Send answers in chunks", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &a->quiet, "No summary at the end", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &a->version, "Say the version and end", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &a->rest, NULL, NULL },
    { 0 },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("");

  g_option_context_add_main_entries (context, entries, NULL);
  emu_people_options_add (&a->people, context);
  g_option_context_set_summary (context, SUMMARY);
  return g_option_context_parse (context, argc, argv, error);
}

static gboolean
check (Arguments *a, GError **error)
{
  if (a->https != NULL && a->rest != NULL && a->rest[1] == NULL)
    a->https_key = g_strdup (a->rest[0]);
  else if (a->rest != NULL)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "\"%s\" is no option",
                   a->rest[a->https != NULL ? 1 : 0]);
      return FALSE;
    }
  if ((a->email == NULL) != (a->token == NULL))
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                           "--email and --token belong together");
      return FALSE;
    }
  if (a->oauth != NULL && strchr (a->oauth, ':') == NULL)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                           "--oauth is an id, a colon and a secret");
      return FALSE;
    }
  return emu_option_in_range ("port", a->port, 0, 65535, error)
         && emu_option_in_range ("idempotency-life", a->key_life, 0, 1e9, error)
         && emu_option_in_range ("token-life", a->token_life, 0, 1e9, error)
         && emu_option_in_range ("delay", a->delay, 0, 3600000, error)
         && emu_option_in_range ("lookup-lag", a->lookup_lag, 0, 1e9, error)
         && emu_option_in_range ("time-rate", a->time_rate, 0, 1e6, error)
         && emu_option_in_range ("first-id", (double)a->first_id, 1, 1e15, error)
         && emu_option_in_range ("max-upload", (double)a->max_upload, 1, 1 << 30, error)
         && emu_option_in_range ("hold-files", (double)a->hold_files, 0, 1e15, error)
         && emu_option_in_range ("upload-life", a->upload_life, 0, 1e9, error)
         && emu_option_in_range ("repeat-exported", (double)a->repeat, 0, 1e6, error)
         && emu_option_in_range ("max-body", (double)a->max_body, 1, 1 << 30, error);
}

static char *
make_basic (const char *email, const char *token)
{
  g_autofree char *plain = NULL, *encoded = NULL;

  if (token == NULL)
    return NULL;
  plain = g_strdup_printf ("%s/token:%s", email, token);
  encoded = g_base64_encode ((guchar *)plain, strlen (plain));
  return g_strconcat ("Basic ", encoded, NULL);
}

static void
set_credentials (const Arguments *a, EmuAuth *auth)
{
  const char *colon = a->oauth != NULL ? strchr (a->oauth, ':') : NULL;

  *auth = (EmuAuth){
    .basic = make_basic (a->email, a->token),
    .bearer = a->bearer != NULL ? g_strconcat ("Bearer ", a->bearer, NULL) : NULL,
    .client_id = colon != NULL ? g_strndup (a->oauth, colon - a->oauth) : NULL,
    .client_secret = colon != NULL ? g_strdup (colon + 1) : NULL,
    .token_life = (gint64)a->token_life,
  };
}

static gboolean
configure (Arguments *a, EmuConfig *config, GError **error)
{
  static const char *const same_keys[] = { "wait", "conflict", "duplicate", NULL };
  static const char *const same_bodies[] = { "parsed", "raw", NULL };
  static const char *const switches[] = { "on", "off", NULL };
  static const char *const forms[] = { "json", "text", NULL };
  static const char *const tokens[] = { "refuse", "ignore", NULL };
  static const char *const orders[] = { "given", "time", NULL };
  static const char *const finds[] = { "hidden", "found", NULL };
  static const char *const seconds[] = { "pass", "stick", NULL };
  EmuLimits limits = { 0 };
  guint same_key = 0, same_body = 0, off = 0, form = 0, token = 0, order = 0, found = 0, stick = 0;

  if (!emu_option_choose ("same-key", a->same_key, same_keys, &same_key, error)
      || !emu_option_choose ("same-body", a->same_body, same_bodies, &same_body, error)
      || !emu_option_choose ("idempotency", a->idempotency, switches, &off, error)
      || !emu_option_choose ("bad-token", a->tokens, tokens, &token, error)
      || !emu_option_choose ("comment-order", a->order, orders, &order, error)
      || !emu_option_choose ("archived", a->archived, finds, &found, error)
      || !emu_option_choose ("same-second", a->seconds, seconds, &stick, error)
      || !emu_option_choose ("limit-body", a->limit_body, forms, &form, error))
    return FALSE;
  if (a->plan != NULL && !emu_limits_set_plan (&limits, a->plan))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "\"%s\" is no plan", a->plan);
      return FALSE;
    }
  *config = (EmuConfig){
    .same_key = same_key,
    .same_body_raw = same_body == 1,
    .store_errors = a->store_errors,
    .ignore_keys = off == 1,
    .key_life = (gint64)(a->key_life * G_USEC_PER_SEC),
    .delay = (gint64)(a->delay * 1000),
    .lookup_lag = (gint64)a->lookup_lag,
    .first_id = a->first_id,
    .max_body = (gsize)a->max_body,
    .max_upload = (gsize)a->max_upload,
    .hold_files = (gsize)a->hold_files,
    .upload_life = (gint64)a->upload_life,
    .show_expiry = a->show_expiry,
    .ignore_tokens = token == 1,
    .check_authors = a->check_authors,
    .check_assignees = a->check_assignees,
    .account_file = g_strdup (a->account),
    .sort_comments = order == 1,
    .find_archived = found == 1,
    .stick_to_second = stick == 1,
    .repeat_exported = (guint)a->repeat,
    .content_host = g_strdup (a->content_host),
    .time_rate = a->time_rate,
    .limit_creation = a->limit_creation,
    .limit_text = form == 1,
    .chunked = a->chunked,
    .plan = g_strdup (a->plan != NULL ? a->plan : "none"),
    .email = g_strdup (a->email != NULL ? a->email : "admin@example.com"),
    .state = g_strdup (a->state),
    .fields_file = g_strdup (a->fields),
    .faults = g_strdupv (a->faults),
  };
  return emu_people_options_apply (&a->people, config, error);
}

static gboolean
read_certificate (const Arguments *a, EmuListen *listen, GError **error)
{
  if (a->https == NULL)
    return TRUE;
  return g_file_get_contents (a->https, &listen->cert, NULL, error)
         && g_file_get_contents (a->https_key != NULL ? a->https_key : a->https, &listen->key, NULL,
                                 error);
}

static gboolean
run (Arguments *a, GError **error)
{
  Emulator emu = { 0 };
  EmuConfig config;
  EmuAuth auth;
  EmuListen listen = { .host = a->host != NULL ? a->host : (char *)"127.0.0.1",
                       .port = (guint)a->port,
                       .port_file = a->port_file };
  gboolean good;

  if (!configure (a, &config, error) || !read_certificate (a, &listen, error))
    return FALSE;
  set_credentials (a, &auth);
  good = emulator_open (&emu, &config, &auth, error) && emu_http_serve (&emu, &listen, error);
  if (good && !a->quiet)
    fprintf (stderr, "%u tickets created, %u repeated, %u external ids with more than one\n",
             emu.counts.created, emu.counts.hits, emu.tickets->n_duplicates);
  emulator_close (&emu);
  g_free (listen.cert);
  g_free (listen.key);
  return good;
}

int
main (int argc, char **argv)
{
  Arguments a = { .first_id = 1,
                  .max_body = 8 << 20,
                  .key_life = 7200,
                  .time_rate = 1,
                  .token_life = 1800,
                  .max_upload = 50 << 20,
                  .hold_files = 256 << 20,
                  .upload_life = 3600 };
  g_autoptr (GError) error = NULL;
  int status = 0;

  emu_people_options_init (&a.people);
  setlocale (LC_ALL, "");
  if (!parse (&a, &argc, &argv, &error) || !check (&a, &error))
    status = 2;
  else if (a.version)
    printf ("zendesk-emulator %s\n", EMU_VERSION);
  else if (!run (&a, &error))
    status = 1;
  if (error != NULL)
    fprintf (stderr, "zendesk-emulator: %s\n", error->message);
  arguments_clear (&a);
  return status;
}
