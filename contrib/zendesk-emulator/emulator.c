/* emulator.c: the account that this process plays, and the few things that change it */
#include "emulator.h"

#include "deeds.h"
#include "journal.h"
#include "ticket-json.h"

#include <unistd.h>

/* When the account came to be with its administrator and its agents: 2023-01-02T03:04:05Z. */
#define FOUNDED G_GINT64_CONSTANT (1672628645)

static void
begin (Emulator *emu)
{
  const EmuConfig *config = &emu->config;

  emu_clock_start (&emu->clock, config->time_rate);
  emu->users = emu_users_new (config->email, FOUNDED);
  emu_reference_hire (emu->reference, emu->users, FOUNDED);
  emu->organizations = emu_organizations_new ();
  emu->tickets = emu_tickets_new (config->first_id);
  emu->uploads = emu_uploads_new (config->state, config->hold_files);
  emu->jobs = emu_jobs_new ();
  emu->newcomers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  emu->keys = emu_keys_new ();
  emu->history = emu_history_new ();
  emu->faults = emu_faults_new ();
  emu->counts = (EmuCounts){ .in_flight = emu->counts.in_flight };
  emu_limits_set_plan (&emu->limits, config->plan);
  if (config->limit_creation)
    emu_limits_limit_creation (&emu->limits);
}

static void
end (Emulator *emu)
{
  /* Keys first: they let go of the tickets they point to. */
  g_clear_pointer (&emu->keys, emu_keys_free);
  g_clear_pointer (&emu->tickets, emu_tickets_free);
  g_clear_pointer (&emu->uploads, emu_uploads_free);
  g_clear_pointer (&emu->organizations, emu_organizations_free);
  g_clear_pointer (&emu->users, emu_users_free);
  g_clear_pointer (&emu->jobs, emu_jobs_free);
  g_clear_pointer (&emu->newcomers, g_hash_table_unref);
  emu_limits_clear (&emu->limits);
  g_clear_pointer (&emu->history, emu_history_free);
  g_clear_pointer (&emu->faults, g_ptr_array_unref);
}

static gboolean
add_faults (Emulator *emu, GError **error)
{
  for (char **spec = emu->config.faults; spec != NULL && *spec != NULL; spec++)
    if (!emu_faults_add_text (emu->faults, *spec, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_fields (Emulator *emu, GError **error)
{
  const EmuConfig *config = &emu->config;

  emu->fields = emu_fields_new (EMU_FIELDS_TICKET, config->fields_file, error);
  if (emu->fields != NULL)
    emu->user_fields = emu_fields_new (EMU_FIELDS_USER, config->user_fields_file, error);
  if (emu->user_fields != NULL)
    emu->organization_fields
        = emu_fields_new (EMU_FIELDS_ORGANIZATION, config->organization_fields_file, error);
  return emu->organization_fields != NULL;
}

gboolean
emulator_open (Emulator *emu, const EmuConfig *config, const EmuAuth *auth, GError **error)
{
  *emu = (Emulator){
    .config = *config, .auth = *auth, .journal = -1, .base_url = g_strdup ("http://localhost")
  };
  if (!read_fields (emu, error))
    return FALSE;
  emu->reference = emu_reference_new (config->account_file, error);
  if (emu->reference == NULL)
    return FALSE;
  begin (emu);
  return add_faults (emu, error) && emu_journal_open (emu, error);
}

void
emulator_close (Emulator *emu)
{
  EmuConfig *config = &emu->config;

  end (emu);
  if (emu->journal >= 0)
    close (emu->journal);
  g_clear_pointer (&emu->fields, emu_fields_free);
  g_clear_pointer (&emu->reference, emu_reference_free);
  g_clear_pointer (&emu->user_fields, emu_fields_free);
  g_clear_pointer (&emu->organization_fields, emu_fields_free);
  g_clear_pointer (&emu->base_url, g_free);
  g_free (config->plan);
  emu_auth_clear (&emu->auth);
  g_free (config->email);
  g_free (config->state);
  g_free (config->content_host);
  g_free (config->fields_file);
  g_free (config->account_file);
  g_free (config->user_fields_file);
  g_free (config->organization_fields_file);
  g_strfreev (config->faults);
}

void
emulator_wake_all (Emulator *emu)
{
  GHashTableIter iter;
  gpointer value, waiting;

  g_hash_table_iter_init (&iter, emu->keys->by_text);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    while ((waiting = g_queue_pop_head (&((EmuKey *)value)->waiting)) != NULL)
      emu->wake (waiting, emu->wake_data);
}

void
emulator_reset (Emulator *emu)
{
  emu->generation++;
  emulator_wake_all (emu);
  emu_auth_revoke (&emu->auth);
  emu_uploads_erase (emu->uploads);
  end (emu);
  begin (emu);
  add_faults (emu, NULL); /* they were good when the program started */
  emu_journal_truncate (emu);
}

char *
emulator_dup_ticket_url (const Emulator *emu, gint64 id)
{
  return g_strdup_printf ("%s/api/v2/tickets/%" G_GINT64_FORMAT ".json", emu->base_url, id);
}

static GRefString *
acquire (GRefString *text)
{
  return text != NULL ? g_ref_string_acquire (text) : NULL;
}

static GRefString *
share (GRefString *shared, const char *text)
{
  if (text == NULL)
    return NULL;
  return g_strcmp0 (shared, text) == 0 ? g_ref_string_acquire (shared) : g_ref_string_new (text);
}

/* The same few clients and addresses stand in a million tickets. */
static GRefString *
intern (const char *text)
{
  return text != NULL ? g_ref_string_new_intern (text) : NULL;
}

static void
sign (EmuComment *comment, const EmuOrigin *origin)
{
  comment->client = intern (origin->client);
  comment->address = intern (origin->address);
}

/* Gives the files that the comments from the @first-th on name to these. */
static void
attach (Emulator *emu, EmuTicket *ticket, guint first, gint64 now, gint64 time)
{
  for (guint i = first; i < ticket->comments->len; i++)
    emu_uploads_attach (emu->uploads, &g_array_index (ticket->comments, EmuComment, i), ticket, now,
                        emu->history, time);
}

/* A custom status brings its category; a status brings its category's default custom status. */
static void
settle_status (const Emulator *emu, const EmuDraft *draft, EmuTicket *ticket)
{
  gint64 custom = 0;
  const char *category = emu_draft_get_id (draft, "custom_status_id", &custom)
                             ? emu_reference_get_category (emu->reference, custom)
                             : NULL;

  if (category == NULL)
    ticket->custom_status = emu_reference_get_status (emu->reference, emu_statuses[ticket->status]);
  else
    emu_draft_set_status (draft, ticket, category);
}

/* Those whom a ticket has made users: @n_before were there. */
static void
welcome (Emulator *emu, guint n_before, gint64 now)
{
  for (guint i = n_before; i < emu->users->all->len; i++)
    {
      EmuUser *user = emu->users->all->pdata[i];

      emu_note_user (emu, user, now, /* mailed= */ FALSE);
      emu_user_settle (emu, user, now);
    }
}

EmuTicket *
emulator_create (Emulator *emu, EmuDraft *draft, const EmuOrigin *origin, gboolean archive)
{
  EmuTicket *ticket = emu_ticket_new ();
  const char *external_id;
  gint64 ids = emu_tickets_reserve (emu->tickets, EMU_CREATE_IDS);
  guint n_users = emu->users->all->len;

  emu_draft_get_external_id (draft, &external_id);
  ticket->external_id = share (origin->external_id, external_id);
  ticket->first_id = ids;
  ticket->client = intern (origin->client);
  ticket->address = intern (origin->address);
  ticket->imported = draft->action == EMU_IMPORT;
  if (ticket->imported && emu->config.sort_comments)
    emu_draft_sort_comments (draft);
  emu_draft_apply (draft, ticket, emu->fields, emu->users);
  settle_status (emu, draft, ticket);
  welcome (emu, n_users, draft->now);
  ticket->archived = archive && g_str_equal (emu_statuses[ticket->status], "closed");
  for (guint i = 0; i < ticket->comments->len; i++)
    {
      EmuComment *comment = &g_array_index (ticket->comments, EmuComment, i);

      comment->audit_id = i == 0 ? ids : emu_tickets_reserve (emu->tickets, 2);
      comment->id = comment->audit_id + 1;
      sign (comment, origin);
    }
  ticket->n_initial = ticket->comments->len;
  emu_tickets_add (emu->tickets, ticket, draft->now);
  for (guint i = 0; i < ticket->n_initial; i++)
    emu_tickets_log_event (emu->tickets, ticket, i, draft->now);
  emu->counts.created++;

  EmuEvent event = { .time = origin->time,
                     .ticket = ticket->id,
                     .external_id = acquire (ticket->external_id),
                     .key = origin->key != NULL ? acquire (origin->key->text) : NULL,
                     .notified = !ticket->imported };
  emu_history_add (emu->history, &event);
  attach (emu, ticket, 0, draft->now, origin->time);
  if (origin->key != NULL)
    emu_keys_store_ticket (emu->keys, origin->key, origin->digest,
                           origin->arrived + emu->config.key_life, ticket);
  emu_journal_create (emu, ticket, draft, origin);
  return ticket;
}

/* The stored answer and the first audit show the ticket as it was created. */
static void
freeze (Emulator *emu, EmuTicket *ticket)
{
  GString *text;

  if (ticket->first_audit == NULL)
    {
      text = g_string_sized_new (2048);
      emu_ticket_write_audit (ticket, 0, emu->users->admin->id, emu->base_url, text);
      ticket->first_audit = g_string_free (text, FALSE);
    }
  if (ticket->key == NULL)
    return;
  text = g_string_sized_new (4096);
  emu_ticket_write_created (ticket, emu->fields, emu->users->admin->id, emu->base_url, text);
  emu_key_freeze (ticket->key, g_string_free (text, FALSE));
}

static void
add_audit (Emulator *emu, EmuTicket *ticket, const GString *audit, gint64 now)
{
  if (ticket->audits == NULL)
    ticket->audits = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (ticket->audits, g_strdup (audit->str));
  emu_tickets_log_event (emu->tickets, ticket, emu_ticket_get_n_audits (ticket) - 1, now);
}

/* @status: what is said of it now */
static void
add_status_audit (Emulator *emu, EmuTicket *ticket, const char *status, const char *before,
                  gint64 now)
{
  g_autoptr (GString) audit = g_string_new (NULL);

  emu_ticket_write_status_audit (ticket, status, before, emu->users->admin->id,
                                 emu_tickets_reserve (emu->tickets, 2), now, audit);
  add_audit (emu, ticket, audit, now);
}

void
emulator_update (Emulator *emu, EmuTicket *ticket, EmuDraft *draft, const EmuOrigin *origin,
                 GString *ret_audit)
{
  EmuTicket before = *ticket;
  g_autofree char *subject = g_strdup (ticket->subject);
  g_auto (GStrv) tags = g_strdupv (ticket->tags);
  guint n_comments = ticket->comments->len, n_users = emu->users->all->len;
  gint64 ids = emu_tickets_reserve (emu->tickets, EMU_CREATE_IDS);
  const char *external_id;

  freeze (emu, ticket);
  before.subject = subject;
  before.tags = tags;
  if (emu_draft_get_external_id (draft, &external_id))
    emu_tickets_rename (emu->tickets, ticket, external_id);
  emu_draft_apply (draft, ticket, emu->fields, emu->users);
  settle_status (emu, draft, ticket);
  welcome (emu, n_users, draft->now);
  for (guint i = n_comments; i < ticket->comments->len; i++)
    {
      EmuComment *comment = &g_array_index (ticket->comments, EmuComment, i);

      comment->audit_id = ids;
      comment->id = ids + 1;
      sign (comment, origin);
    }
  attach (emu, ticket, n_comments, draft->now, origin->time);
  emu_tickets_changed (emu->tickets, ticket, draft->now);
  emu_ticket_write_update_audit (ticket, &before, ticket->comments->len > n_comments, draft->author,
                                 ids, origin->client, origin->address, emu->base_url, ret_audit);
  add_audit (emu, ticket, ret_audit, draft->now);
  emu_journal_update (emu, ticket, draft, origin);
}

void
emulator_delete (Emulator *emu, EmuTicket *ticket, gint64 now)
{
  freeze (emu, ticket);
  emu_tickets_delete (emu->tickets, ticket, now);
  add_status_audit (emu, ticket, "deleted", emu_statuses[ticket->status], now);
  emu->counts.deleted++;
  emu_journal_ticket (emu, "delete", ticket, now);
}

void
emulator_restore (Emulator *emu, EmuTicket *ticket, gint64 now)
{
  emu_tickets_restore (emu->tickets, ticket, now);
  add_status_audit (emu, ticket, emu_statuses[ticket->status], "deleted", now);
  emu_journal_ticket (emu, "restore", ticket, now);
}

void
emulator_scrub (Emulator *emu, EmuTicket *ticket, gint64 now)
{
  for (guint i = 0; i < ticket->comments->len; i++)
    {
      GPtrArray *files = g_array_index (ticket->comments, EmuComment, i).attachments;

      for (guint k = 0; files != NULL && k < files->len; k++)
        emu_uploads_drop_attachment (emu->uploads, files->pdata[k]);
    }
  emu_tickets_scrub (emu->tickets, ticket, now);
}

static gboolean
is_refused (const Emulator *emu, const EmuUser *user)
{
  if (user != NULL && user->suspended && emu->config.refuse_suspended)
    return TRUE;
  return emu->config.check_people && (user == NULL || !user->active);
}

/* Whoever a ticket names by number may have to be there, and in good standing. */
static void
check_people (const Emulator *emu, EmuDraft *draft)
{
  static const char *const members[][2] = {
    { "requester_id", "Requester: is invalid" },
    { "submitter_id", "Submitter: is invalid" },
    { "assignee_id", "Assignee: is invalid" },
  };
  gint64 id = 0;

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      const EmuUser *user = emu_draft_get_id (draft, members[i][0], &id) && id != 0
                                ? emu_users_get (emu->users, id)
                                : emu->users->admin;

      if (is_refused (emu, user))
        emu_draft_add_problem (draft, members[i][0], members[i][1], "InvalidValue");
    }
  if (emu->config.check_people && emu_draft_get_id (draft, "organization_id", &id) && id != 0
      && emu_organizations_get (emu->organizations, id) == NULL)
    emu_draft_add_problem (draft, "organization_id", "Organization: is invalid", "InvalidValue");
}

static void
check_authors (const Emulator *emu, EmuDraft *draft)
{
  for (guint i = 0; i < draft->comments->len; i++)
    {
      gint64 author = g_array_index (draft->comments, EmuComment, i).author;
      const EmuUser *user = emu_users_get (emu->users, author);
      gboolean refused = user != NULL ? user->suspended && emu->config.refuse_suspended
                                      : emu->config.check_authors || emu->config.check_people;

      if (author != 0 && refused)
        emu_draft_add_problem (draft, "base", "Author: is invalid", "InvalidValue");
    }
}

/* The assignee as it would be, if there is one, is an agent of the group as that would be. */
static void
check_assignee (const Emulator *emu, EmuDraft *draft, const EmuTicket *ticket)
{
  gint64 assignee = ticket != NULL ? ticket->assignee : 0;
  gint64 group = ticket != NULL ? ticket->group : 0;
  gboolean asked = emu_draft_get_id (draft, "assignee_id", &assignee);
  EmuUser *user;

  if ((!emu_draft_get_id (draft, "group_id", &group) && !asked) || assignee == 0)
    return;
  user = emu_users_get (emu->users, assignee);
  if (user == NULL || g_str_equal (user->role, "end-user")
      || (group != 0 && !emu_reference_is_member (emu->reference, assignee, group)))
    emu_draft_add_problem (draft, "assignee", "Assignee: is invalid", "InvalidValue");
}

EmuDraft *
emulator_read_draft (Emulator *emu, EmuAction action, json_object *json, const EmuTicket *ticket,
                     gint64 now)
{
  EmuDraft *draft = emu_draft_read (action, json, emu->fields, emu->users, now);

  if (!emu->config.ignore_tokens)
    emu_uploads_check (emu->uploads, draft);
  check_authors (emu, draft);
  check_people (emu, draft);
  if (emu->config.check_assignees)
    check_assignee (emu, draft, ticket);
  return draft;
}

EmuAttachment *
emulator_upload (Emulator *emu, EmuUpload **upload, const char *file_name, const char *content_type,
                 const GString *content, gint64 now)
{
  EmuAttachment *attachment = g_new0 (EmuAttachment, 1);

  attachment->id = emu_tickets_reserve (emu->tickets, 1);
  attachment->file_name = g_strdup (file_name);
  attachment->content_type
      = g_strdup (content_type != NULL ? content_type : "application/octet-stream");
  attachment->secret = emu_uploads_make_secret ();
  if (emu->broken == NULL)
    emu_uploads_keep (emu->uploads, attachment, content->str, content->len, &emu->broken);
  if (*upload == NULL)
    {
      g_autofree char *token = emu_uploads_make_secret ();

      *upload = emu_uploads_begin (emu->uploads, token, now + emu->config.upload_life);
    }
  emu_uploads_add (emu->uploads, *upload, attachment);
  emu_journal_upload (emu, *upload, attachment, now);
  return attachment;
}

void
emulator_drop_upload (Emulator *emu, EmuUpload *upload, gint64 now)
{
  emu_journal_drop_upload (emu, upload, now);
  emu_uploads_drop (emu->uploads, upload);
}
