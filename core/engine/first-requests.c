/* first-requests.c: see first-requests.h */
#include "first-requests.h"
#include <string.h>

/* Of a body. */
#define SHOWN 2000
/* Kinds of requests that are told apart. */
#define KINDS 64

struct _TallyFirstRequests
{
  const TallyContext *ctx; /* (unowned) */
  GArray *requests;        /* (owned) (element-type TallyPlannedRequest) */
  guint n_kinds;           /* the first of these, each of a kind of its own */
  GArray *told;            /* (owned) (element-type guint64) bytes of each kind of requests, as of the last record */
};

static void
planned_request_clear (gpointer data)
{
  TallyPlannedRequest *request = data;

  g_free (request->kind);
  g_free (request->body);
}

TallyFirstRequests *
tally_first_requests_new (const TallyContext *ctx)
{
  TallyFirstRequests *self = g_new0 (TallyFirstRequests, 1);

  self->ctx = ctx;
  self->told = g_array_new (FALSE, /* clear= */ TRUE, sizeof (guint64));
  self->requests = g_array_new (FALSE, FALSE, sizeof (TallyPlannedRequest));
  g_array_set_clear_func (self->requests, planned_request_clear);
  return self;
}

void
tally_first_requests_free (TallyFirstRequests *self)
{
  if (self == NULL)
    return;

  g_array_unref (self->told);
  g_array_unref (self->requests);
  g_free (self);
}

GArray *
tally_first_requests_get (TallyFirstRequests *self)
{
  return g_array_ref (self->requests);
}

/* The kinds of requests that had bytes of the last record: a bit each.  The others only ask. */
static guint64
take_kinds (TallyFirstRequests *self)
{
  const GArray *requests = self->ctx->requests;
  guint64 kinds = 0;

  g_array_set_size (self->told, requests->len);
  for (guint i = 0; i < MIN (requests->len, KINDS); i++)
    {
      guint64 bytes = g_array_index (requests, TallyPlannedKind, i).bytes;
      guint64 *told = &g_array_index (self->told, guint64, i);

      kinds |= bytes != *told ? G_GUINT64_CONSTANT (1) << i : 0;
      *told = bytes;
    }
  return kinds;
}

/* (transfer full) "POST /api/v2/tickets, POST /api/v2/uploads" */
static char *
name_kinds (const TallyFirstRequests *self, guint64 kinds, gboolean is_update)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < MIN (self->ctx->requests->len, KINDS); i++)
    if (kinds & G_GUINT64_CONSTANT (1) << i)
      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "",
                              g_array_index (self->ctx->requests, TallyPlannedKind, i).kind);
  if (names->len == 0)
    g_string_append (names, is_update ? "update" : "create");
  return g_string_free (names, FALSE);
}

/* (transfer full): the beginning of a body, as text. */
static char *
dup_beginning (TallyText body)
{
  char *beginning = g_strndup (body.data, MIN (body.length, SHOWN));
  const char *end;

  g_utf8_validate (beginning, -1, &end);
  beginning[end - beginning] = '\0';
  return beginning;
}

void
tally_first_requests_take (TallyFirstRequests *self, TallyText body, gboolean is_update)
{
  TallyPlannedRequest request = { .kinds = take_kinds (self), .is_update = is_update };
  gboolean is_new = TRUE;

  for (guint i = 0; i < self->requests->len; i++)
    {
      const TallyPlannedRequest *other = &g_array_index (self->requests, TallyPlannedRequest, i);

      is_new = is_new && (other->kinds != request.kinds || other->is_update != is_update);
    }
  if (self->n_kinds == TALLY_PLAN_REQUESTS || (!is_new && self->requests->len == TALLY_PLAN_REQUESTS))
    return;

  request.kind = name_kinds (self, request.kinds, is_update);
  request.body = dup_beginning (body);
  g_array_insert_val (self->requests, is_new ? self->n_kinds++ : self->requests->len, request);
  g_array_set_size (self->requests, MIN (self->requests->len, TALLY_PLAN_REQUESTS));
}

void
tally_first_requests_skip (TallyFirstRequests *self)
{
  take_kinds (self);
}
