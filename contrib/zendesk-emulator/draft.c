/* draft.c: what a request wants of a ticket, checked before any of it is done */
#include "draft.h"

#include <string.h>

#define MAX_TOKENS 1000

typedef enum
{
  TYPE_TEXT,          /* pointers: char *; offset of a char * */
  TYPE_EXTERNAL_ID,   /* pointers: char *; filed by the caller */
  TYPE_CHOICE,        /* numbers: index in @choices */
  TYPE_ID,            /* numbers */
  TYPE_TIME,          /* numbers: Unix seconds */
  TYPE_TAGS,          /* pointers: GStrv */
  TYPE_CUSTOM_FIELDS, /* pointers: GPtrArray of char *, NULL for a field that is not named */
  TYPE_PEOPLE,        /* looked up when applied */
  TYPE_REQUESTER,     /* looked up when applied */
  TYPE_COMMENT,       /* to @comments */
  TYPE_COMMENTS,      /* to @comments */
  TYPE_DESCRIPTION,   /* pointers: char *; a comment if there is no other */
  TYPE_IGNORED,       /* known, without an effect here */
} MemberType;

typedef struct
{
  const char *name;
  MemberType type;
  gsize offset; /* in EmuTicket */
  const char *const *choices;
  gboolean import_only;
} Member;

#define AT(member) G_STRUCT_OFFSET (EmuTicket, member)

static const Member members[] = {
  { "subject", TYPE_TEXT, AT (subject) },
  { "raw_subject", TYPE_IGNORED },
  { "recipient", TYPE_TEXT, AT (recipient) },
  { "external_id", TYPE_EXTERNAL_ID },
  { "status", TYPE_CHOICE, AT (status), emu_statuses },
  { "priority", TYPE_CHOICE, AT (priority), emu_priorities },
  { "type", TYPE_CHOICE, AT (type), emu_types },
  { "requester_id", TYPE_ID, AT (requester) },
  { "submitter_id", TYPE_ID, AT (submitter) },
  { "assignee_id", TYPE_ID, AT (assignee) },
  { "organization_id", TYPE_ID, AT (organization) },
  { "group_id", TYPE_ID, AT (group) },
  { "brand_id", TYPE_ID, AT (brand) },
  { "ticket_form_id", TYPE_ID, AT (form) },
  { "problem_id", TYPE_ID, AT (problem) },
  { "custom_status_id", TYPE_ID, AT (custom_status) },
  { "via_followup_source_id", TYPE_ID, AT (followup_source) },
  { "due_at", TYPE_TIME, AT (due) },
  { "tags", TYPE_TAGS, AT (tags) },
  { "custom_fields", TYPE_CUSTOM_FIELDS, AT (values) },
  { "fields", TYPE_CUSTOM_FIELDS, AT (values) },
  { "collaborators", TYPE_PEOPLE, AT (collaborators) },
  { "collaborator_ids", TYPE_PEOPLE, AT (collaborators) },
  { "additional_collaborators", TYPE_PEOPLE, AT (collaborators) },
  { "followers", TYPE_PEOPLE, AT (followers) },
  { "email_ccs", TYPE_PEOPLE, AT (ccs) },
  { "requester", TYPE_REQUESTER, AT (requester) },
  { "comment", TYPE_COMMENT },
  { "description", TYPE_DESCRIPTION },
  { "comments", TYPE_COMMENTS, .import_only = TRUE },
  { "created_at", TYPE_TIME, AT (created), .import_only = TRUE },
  { "updated_at", TYPE_TIME, AT (updated), .import_only = TRUE },
  { "solved_at", TYPE_TIME, AT (solved), .import_only = TRUE },
  { "via", TYPE_IGNORED },
  { "via_id", TYPE_IGNORED },
  { "metadata", TYPE_IGNORED },
  { "macro_ids", TYPE_IGNORED },
  { "attribute_value_ids", TYPE_IGNORED },
  { "sharing_agreement_ids", TYPE_IGNORED },
  { "safe_update", TYPE_IGNORED },
  { "updated_stamp", TYPE_IGNORED },
};

G_STATIC_ASSERT (G_N_ELEMENTS (members) <= EMU_MAX_MEMBERS);

static const char *const comment_members[]
    = { "body",     "html_body",  "value", "public",       "author_id", "uploads",
        "metadata", "created_at", "via",   "channel_back", NULL };

static const char *const actions[] = { "create", "update", "create" };

static gint
find_member (const char *name, EmuAction action)
{
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (g_str_equal (members[i].name, name))
      return members[i].import_only && action != EMU_IMPORT ? -1 : (gint)i;
  return -1;
}

void
emu_draft_add_problem (EmuDraft *draft, const char *field, const char *description,
                       const char *code)
{
  emu_problems_add (&draft->problems, field, description, code);
}

static void
bad_value (EmuDraft *draft, const Member *member, json_object *value)
{
  g_autofree char *shown = emu_json_dup_text (value);

  emu_problems_add_bad_value (&draft->problems, member->name, shown);
}

static gboolean
read_choice (const char *const *choices, json_object *value, gint64 *ret_number)
{
  const char *text = json_object_get_string (value);

  if (!json_object_is_type (value, json_type_string))
    return FALSE;
  for (guint i = 0; choices[i] != NULL; i++)
    if (g_str_equal (choices[i], text))
      {
        *ret_number = i;
        return TRUE;
      }
  return FALSE;
}

static void
set_custom_field (EmuDraft *draft, GPtrArray *values, const EmuFields *fields,
                  json_object *id_value, json_object *value)
{
  gint64 id;
  gint place;

  if (!emu_json_get_id (id_value, &id) || (place = emu_fields_find (fields, id)) < 0)
    return;

  EmuField *field = fields->custom->pdata[place];
  if (!emu_field_accepts (field, value))
    {
      g_autofree char *description = g_strdup_printf ("%s: is not valid", field->title);

      emu_draft_add_problem (draft, "base", description, "InvalidValue");
      return;
    }
  g_free (values->pdata[place]);
  values->pdata[place] = g_strdup (json_object_to_json_string_ext (
      value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static GPtrArray *
read_custom_fields (EmuDraft *draft, const EmuFields *fields, json_object *value)
{
  GPtrArray *values = g_ptr_array_new_full (fields->custom->len, g_free);

  g_ptr_array_set_size (values, (gint)fields->custom->len);
  if (json_object_is_type (value, json_type_array))
    for (gsize i = 0; i < json_object_array_length (value); i++)
      {
        json_object *row = json_object_array_get_idx (value, i);

        set_custom_field (draft, values, fields, emu_json_get (row, "id"),
                          emu_json_get (row, "value"));
      }
  else if (json_object_is_type (value, json_type_object))
    {
      json_object_object_foreach (value, name, inner)
      {
        g_autoptr (json_object) id = json_object_new_string (name);

        set_custom_field (draft, values, fields, id, inner);
      }
    }
  return values;
}

/* Cuts @text where the service does, without halving a letter. */
static void
cut_text (char *text)
{
  if (text != NULL && strlen (text) > EMU_MAX_BODY)
    *g_utf8_find_prev_char (text, text + EMU_MAX_BODY + 1) = '\0';
}

/* Drops the tags of @html and the entities that we write ourselves. */
static char *
strip_html (const char *html)
{
  GString *out = g_string_new (NULL);

  for (const char *p = html; *p != '\0'; p++)
    if (*p == '<' && strchr (p, '>') != NULL)
      p = strchr (p, '>');
    else if (g_str_has_prefix (p, "&lt;") || g_str_has_prefix (p, "&gt;"))
      {
        g_string_append_c (out, p[1] == 'l' ? '<' : '>');
        p += 3;
      }
    else if (g_str_has_prefix (p, "&amp;"))
      {
        g_string_append_c (out, '&');
        p += 4;
      }
    else
      g_string_append_c (out, *p);
  return g_string_free (out, FALSE);
}

/* The tokens of uploads: a list, or one. */
static GStrv
read_tokens (json_object *value)
{
  gboolean list = json_object_is_type (value, json_type_array);
  gsize n = list ? json_object_array_length (value) : 1;
  g_autoptr (GPtrArray) tokens = g_ptr_array_new ();

  if (value == NULL)
    return NULL;
  for (gsize i = 0; i < n && i < MAX_TOKENS; i++)
    {
      char *token = emu_json_dup_text (list ? json_object_array_get_idx (value, i) : value);

      if (token != NULL)
        g_ptr_array_add (tokens, token);
    }
  g_ptr_array_add (tokens, NULL);
  return (GStrv)g_ptr_array_steal (tokens, NULL);
}

/* When an imported comment was written, if that is said. */
static void
read_comment_time (EmuDraft *draft, json_object *value, gint64 *ret_time)
{
  if (value != NULL
      && (!emu_json_get_time (value, ret_time) || *ret_time < 0 || *ret_time > draft->now))
    emu_draft_add_problem (draft, "base", "Comment: created_at is not valid", "InvalidValue");
}

static void
read_comment (EmuDraft *draft, json_object *value, const char *prefix)
{
  EmuComment comment = { .is_public = EMU_INHERIT, .created = draft->now };

  if (json_object_is_type (value, json_type_string))
    comment.body = emu_json_dup_text (value);
  else if (json_object_is_type (value, json_type_object))
    {
      json_object *plain = emu_json_get (value, "body");
      json_object *is_public = emu_json_get (value, "public");

      json_object_object_foreach (value, name, ignored)
      {
        (void)ignored;
        if (!g_strv_contains (comment_members, name))
          emu_problems_add_unpermitted (&draft->problems, prefix, name);
      }
      comment.html = emu_json_dup_text (emu_json_get (value, "html_body"));
      cut_text (comment.html);
      comment.body
          = comment.html != NULL
                ? strip_html (comment.html)
                : emu_json_dup_text (plain != NULL ? plain : emu_json_get (value, "value"));
      if (is_public != NULL)
        comment.is_public = json_object_get_boolean (is_public) ? TRUE : FALSE;
      emu_json_get_id (emu_json_get (value, "author_id"), &comment.author);
      if (draft->action == EMU_IMPORT)
        read_comment_time (draft, emu_json_get (value, "created_at"), &comment.created);
      comment.tokens = read_tokens (emu_json_get (value, "uploads"));
    }
  cut_text (comment.body);
  if (comment.body != NULL && comment.body[strspn (comment.body, " \t\r\n")] != '\0')
    g_array_append_val (draft->comments, comment);
  else
    emu_comment_clear (&comment);
}

static void
read_comments (EmuDraft *draft, json_object *value)
{
  if (!json_object_is_type (value, json_type_array))
    return;
  for (gsize i = 0; i < json_object_array_length (value) && i <= EMU_MAX_COMMENTS; i++)
    read_comment (draft, json_object_array_get_idx (value, i), "ticket.comments.");
}

static void
check_requester (EmuDraft *draft, json_object *value, const EmuUsers *users)
{
  g_autofree char *name = emu_json_dup_text (emu_json_get (value, "name"));
  g_autofree char *email = emu_json_dup_text (emu_json_get (value, "email"));

  if (email != NULL && strchr (email, '@') == NULL)
    {
      g_autofree char *text
          = g_strdup_printf ("Requester: Email:  %s is not properly formatted", email);

      emu_draft_add_problem (draft, "requester", text, "InvalidValue");
    }
  else if ((email == NULL || emu_users_find (users, email) == NULL)
           && (name == NULL || *g_strstrip (name) == '\0'))
    emu_draft_add_problem (draft, "requester",
                           "Requester Name:  is too short (minimum is 1 characters)",
                           "ValueTooShort");
}

static void
read_member (EmuDraft *draft, guint i, json_object *value, const EmuFields *fields,
             const EmuUsers *users)
{
  const Member *member = &members[i];
  gboolean good = TRUE;

  draft->set[i] = TRUE;
  switch (member->type)
    {
    case TYPE_TEXT:
    case TYPE_EXTERNAL_ID:
    case TYPE_DESCRIPTION:
      g_free (draft->pointers[i]);
      draft->pointers[i] = emu_json_dup_text (value);
      break;
    case TYPE_CHOICE:
      good = value == NULL || read_choice (member->choices, value, &draft->numbers[i]);
      break;
    case TYPE_ID:
      good = value == NULL || emu_json_get_id (value, &draft->numbers[i]);
      break;
    case TYPE_TIME:
      good = value == NULL || emu_json_get_time (value, &draft->numbers[i]);
      draft->set[i] = value != NULL || !member->import_only; /* when it happened, it happened */
      break;
    case TYPE_TAGS:
      draft->pointers[i] = emu_json_dup_tags (value);
      break;
    case TYPE_CUSTOM_FIELDS:
      draft->pointers[i] = read_custom_fields (draft, fields, value);
      break;
    case TYPE_REQUESTER:
      check_requester (draft, value, users);
      break;
    case TYPE_COMMENT:
      read_comment (draft, value, "ticket.comment.");
      break;
    case TYPE_COMMENTS:
      read_comments (draft, value);
      break;
    case TYPE_PEOPLE:
    case TYPE_IGNORED:
      break;
    }
  if (!good)
    bad_value (draft, member, value);
}

static void
read_members (EmuDraft *draft, const EmuFields *fields, const EmuUsers *users)
{
  json_object_object_foreach (draft->ticket, name, value)
  {
    gint i = find_member (name, draft->action);

    if (i < 0)
      emu_problems_add_unpermitted (&draft->problems, "ticket.", name);
    else
      read_member (draft, (guint)i, value, fields, users);
  }
}

/* The first text of a ticket may come as its description. */
static void
use_description (EmuDraft *draft)
{
  gint i = find_member ("description", draft->action);
  char *text = draft->pointers[i];

  if (draft->action == EMU_UPDATE)
    return;
  if (draft->comments->len == 0 && text != NULL && text[strspn (text, " \t\r\n")] != '\0')
    {
      EmuComment comment = { .body = g_strdup (text), .is_public = TRUE, .created = draft->now };

      cut_text (comment.body);
      g_array_append_val (draft->comments, comment);
    }
  if (draft->comments->len == 0)
    emu_draft_add_problem (draft, "base", "Description: cannot be blank", "BlankValue");
}

EmuDraft *
emu_draft_read (EmuAction action, json_object *root, const EmuFields *fields, const EmuUsers *users,
                gint64 now)
{
  EmuDraft *draft = g_new0 (EmuDraft, 1);

  draft->action = action;
  draft->now = now;
  draft->author = users->admin->id;
  draft->comments = g_array_new (FALSE, FALSE, sizeof (EmuComment));
  g_array_set_clear_func (draft->comments, emu_comment_clear);
  emu_problems_init (&draft->problems);
  draft->ticket = emu_json_get (root, "ticket");

  if (json_object_is_type (root, json_type_object))
    {
      json_object_object_foreach (root, name, ignored)
      {
        (void)ignored;
        if (!g_str_equal (name, "ticket"))
          emu_problems_add_unpermitted (&draft->problems, "", name);
      }
    }
  if (json_object_is_type (draft->ticket, json_type_object))
    read_members (draft, fields, users);
  use_description (draft);
  if (draft->comments->len > EMU_MAX_COMMENTS)
    emu_draft_add_problem (draft, "base", "Ticket: cannot have more than 5000 comments",
                           "TooManyValues");
  return draft;
}

static void
drop_pointer (EmuDraft *draft, guint i)
{
  gpointer pointer = g_steal_pointer (&draft->pointers[i]);

  if (members[i].type == TYPE_TAGS)
    g_strfreev (pointer);
  else if (members[i].type == TYPE_CUSTOM_FIELDS && pointer != NULL)
    g_ptr_array_unref (pointer);
  else
    g_free (pointer);
}

void
emu_draft_free (EmuDraft *draft)
{
  if (draft == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    drop_pointer (draft, i);
  g_array_unref (draft->comments);
  emu_problems_clear (&draft->problems);
  g_free (draft);
}

gboolean
emu_draft_is_safe (json_object *wish, const EmuTicket *ticket)
{
  gint64 stamp;

  return emu_json_get (wish, "safe_update") == NULL
         || (emu_json_get_time (emu_json_get (wish, "updated_stamp"), &stamp)
             && stamp == ticket->updated);
}

void
emu_draft_check_update (EmuDraft *draft, const EmuTicket *ticket)
{
  if (g_str_equal (emu_statuses[ticket->status], "closed"))
    emu_draft_add_problem (draft, "status", "Status: closed prevents ticket update",
                           "ClosedTicket");
  if (ticket->comments->len + draft->comments->len > EMU_MAX_COMMENTS)
    emu_draft_add_problem (draft, "base", "Ticket: cannot have more than 5000 comments",
                           "TooManyValues");
}

char *
emu_draft_dup_warning (const EmuDraft *draft)
{
  return emu_problems_dup_warning (&draft->problems,
                                   draft->action == EMU_IMPORT ? "imports/tickets" : "tickets",
                                   actions[draft->action]);
}

gboolean
emu_draft_get_external_id (const EmuDraft *draft, const char **ret_external_id)
{
  gint i = find_member ("external_id", draft->action);

  *ret_external_id = draft->pointers[i];
  return draft->set[i];
}

static gint64
person_of_email (const EmuDraft *draft, EmuUsers *users, const char *email, const char *name)
{
  EmuUser *user = emu_users_find (users, email);

  if (user == NULL)
    user = emu_users_add (users, name != NULL ? name : email, email, draft->now);
  return user->id;
}

/* A person is given as an id, an address, or an object with one of them; 0: as none of these. */
static gint64
find_person (const EmuDraft *draft, EmuUsers *users, json_object *value)
{
  json_object *id = emu_json_get (value, "user_id");
  json_object *email = emu_json_get (value, "email");
  gint64 number = 0;

  if (emu_json_get_id (id != NULL ? id : value, &number))
    return number;
  if (email == NULL)
    email = emu_json_get (value, "user_email");
  if (email == NULL && json_object_is_type (value, json_type_string))
    email = value;

  g_autofree char *address = emu_json_dup_text (email);
  g_autofree char *name = emu_json_dup_text (emu_json_get (value, "name"));
  if (address == NULL || strchr (address, '@') == NULL)
    return 0;
  return person_of_email (draft, users, address, name);
}

static GArray *
find_people (const EmuDraft *draft, EmuUsers *users, json_object *list)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint64));

  if (json_object_is_type (list, json_type_array))
    for (gsize i = 0; i < json_object_array_length (list) && i < 1000; i++)
      {
        gint64 id = find_person (draft, users, json_object_array_get_idx (list, i));

        if (id != 0)
          g_array_append_val (ids, id);
      }
  return ids;
}

static gint64
find_requester (const EmuDraft *draft, EmuUsers *users, json_object *value)
{
  g_autofree char *email = emu_json_dup_text (emu_json_get (value, "email"));
  g_autofree char *name = emu_json_dup_text (emu_json_get (value, "name"));

  if (email != NULL)
    return person_of_email (draft, users, email, name);
  return emu_users_add (users, name, NULL, draft->now)->id;
}

static void
apply_custom_fields (EmuTicket *ticket, const GPtrArray *values)
{
  if (ticket->values == NULL)
    {
      ticket->values = g_new0 (char *, values->len + 1);
      for (guint i = 0; i < values->len; i++)
        ticket->values[i] = g_strdup ("");
    }
  for (guint i = 0; i < values->len; i++)
    if (values->pdata[i] != NULL)
      {
        g_free (ticket->values[i]);
        ticket->values[i] = g_strdup (values->pdata[i]);
      }
}

static void
apply_member (EmuDraft *draft, guint i, EmuTicket *ticket, EmuUsers *users)
{
  const Member *member = &members[i];
  gpointer place = G_STRUCT_MEMBER_P (ticket, member->offset);
  json_object *value = emu_json_get (draft->ticket, member->name);

  switch (member->type)
    {
    case TYPE_TEXT:
      g_free (*(char **)place);
      *(char **)place = g_steal_pointer (&draft->pointers[i]);
      break;
    case TYPE_CHOICE:
    case TYPE_ID:
    case TYPE_TIME:
      *(gint64 *)place = draft->numbers[i];
      break;
    case TYPE_TAGS:
      g_strfreev (*(GStrv *)place);
      *(GStrv *)place = g_steal_pointer (&draft->pointers[i]);
      break;
    case TYPE_CUSTOM_FIELDS:
      apply_custom_fields (ticket, draft->pointers[i]);
      break;
    case TYPE_PEOPLE:
      g_clear_pointer ((GArray **)place, g_array_unref);
      *(GArray **)place = find_people (draft, users, value);
      break;
    case TYPE_REQUESTER:
      if (value != NULL)
        *(gint64 *)place = find_requester (draft, users, value);
      break;
    default:
      break;
    }
}

static gboolean
is_set (const EmuDraft *draft, const char *name)
{
  gint i = find_member (name, draft->action);

  return i >= 0 && draft->set[i];
}

/* What is solved was solved some time. */
static void
apply_solution (const EmuDraft *draft, EmuTicket *ticket)
{
  const char *status = emu_statuses[ticket->status];

  if (!g_str_equal (status, "solved") && !g_str_equal (status, "closed"))
    ticket->solved = 0;
  else if (!is_set (draft, "solved_at") && ticket->solved == 0)
    ticket->solved = ticket->updated;
}

/* What a new ticket gets when nobody says otherwise. */
static void
apply_defaults (EmuDraft *draft, EmuTicket *ticket)
{
  if (ticket->requester == 0)
    ticket->requester = draft->author;
  if (ticket->submitter == 0)
    ticket->submitter = ticket->requester;
  if (ticket->status == 0)
    ticket->status = ticket->assignee != 0 ? 2 : 1; /* open, new */
  ticket->created = is_set (draft, "created_at") ? MAX (ticket->created, 0) : draft->now;
  if (!is_set (draft, "updated_at"))
    ticket->updated = draft->action == EMU_IMPORT ? ticket->created : draft->now;
  ticket->updated = MAX (ticket->updated, 0);
}

static void
apply_comments (EmuDraft *draft, EmuTicket *ticket)
{
  for (guint i = 0; i < draft->comments->len; i++)
    {
      EmuComment *comment = &g_array_index (draft->comments, EmuComment, i);

      if (comment->author == 0)
        comment->author = draft->action == EMU_UPDATE   ? draft->author
                          : draft->action == EMU_IMPORT ? ticket->requester
                                                        : ticket->submitter;
      if (comment->is_public == EMU_INHERIT)
        comment->is_public = ticket->comments->len == 0 || ticket->is_public;
      if (ticket->comments->len == 0)
        ticket->is_public = comment->is_public;
      emu_ticket_add_comment (ticket, comment);
    }
}

void
emu_draft_apply (EmuDraft *draft, EmuTicket *ticket, const EmuFields *fields, EmuUsers *users)
{
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (draft->set[i])
      apply_member (draft, i, ticket, users);
  if (draft->action == EMU_UPDATE)
    ticket->updated = draft->now;
  else
    apply_defaults (draft, ticket);
  apply_solution (draft, ticket);
  if (!g_str_equal (emu_types[ticket->type], "task"))
    ticket->due = 0;
  apply_comments (draft, ticket);
}

static gint
compare_comments (gconstpointer a, gconstpointer b)
{
  const EmuComment *one = a, *other = b;

  return one->created < other->created ? -1 : one->created > other->created;
}

void
emu_draft_sort_comments (EmuDraft *draft)
{
  g_array_sort (draft->comments, compare_comments); /* keeps the order of the same second */
}

gboolean
emu_draft_get_id (const EmuDraft *draft, const char *name, gint64 *ret_id)
{
  gint i = find_member (name, draft->action);

  if (i < 0 || !draft->set[i])
    return FALSE;
  *ret_id = draft->numbers[i];
  return TRUE;
}

void
emu_draft_set_status (const EmuDraft *draft, EmuTicket *ticket, const char *status)
{
  for (guint i = 1; emu_statuses[i] != NULL; i++)
    if (g_str_equal (emu_statuses[i], status))
      ticket->status = i;
  apply_solution (draft, ticket);
}
