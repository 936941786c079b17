/* desk.h: the sink on a bench of its own
 *
 * Stands in for the core: a TallyContext and TallyDelivery of this file take what the sink
 * tells and settles, so that a test sees it all.  With it come an emulator of Zendesk, and a server that does
 * exactly what a test wants, request by request.
 */
#pragma once
#include "party.h"
#include "sink.h"

/* --- what the core would be --- */

struct _TallyDelivery
{
  char *key, *reference; /* (owned) */
  GString *body;         /* (owned) */
  gint64 intended_at, sent_at;
  gboolean is_first_look;
  gboolean barred;       /* no request of it may go out any more */
  gpointer user_data;
  char *receipt;         /* (owned) (nullable) */
  char *updates;         /* (owned) (nullable) the id of what it updates */
  guint settled;         /* times */
  TallyVerdict verdict;
  gint status;
  char *target_id, *other_ids, *detail; /* (owned) (nullable) */
  gboolean repeated, adopted, wait_all;
  gint64 wait;
};

struct _TallyContext
{
  char *target;          /* (owned) (nullable) */
  gint64 target_time;
  TallyAnswerNews news;  /* of the last request */
  guint n_admitted, n_ended;
  const char *closed;    /* (nullable) requests of this method may not go, */
  guint n_refusals;      /* for so many times that they ask */
  guint n_files;         /* of the admitted: files of the account */
  guint8 reserve;        /* in the first hour */
  GPtrArray *warnings;   /* (owned) (element-type utf8) */
  GString *told;       /* (owned) what probe() found, a line each */
  gboolean interrupted;
  char *directory;       /* (owned) (nullable) */
};

typedef struct
{
  const TallyPlugin *plugin; /* (unowned) */
  union
  {
    ZendeskSink *sink;       /* (owned) of zendesk-tickets, */
    ZendeskPartySink *party; /* or of the others */
  };
  TallyContext ctx;
  TallySchema *schema;       /* (owned) (nullable) */
  TallyBatch *batch;         /* (owned) (nullable) */
  GPtrArray *deliveries;     /* (owned) (element-type TallyDelivery) */
} Desk;

/* A sink with the given options, up to NULL: name, value, …  A value "+x" appends to a list. */
Desk *desk_new (const char *name, ...) G_GNUC_NULL_TERMINATED;
/* The same of another sink than zendesk-tickets. */
Desk *desk_new_for (const char *plugin, const char *name, ...) G_GNUC_NULL_TERMINATED;
/* One option more, before it is opened; name: (nullable) none. */
void desk_set (Desk *desk, const char *name, const char *value);
void desk_free (Desk *desk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Desk, desk_free)

gboolean desk_check (Desk *desk, GError **error);
/* Columns of the batches: "subject text, comment.body text, …" */
gboolean desk_accept (Desk *desk, const char *columns, GError **error);
gboolean desk_open (Desk *desk, GError **error);
void desk_close (Desk *desk);
/* Adds a row of these values, in PostgreSQL's form; NULL is NULL. */
void desk_add_row (Desk *desk, const char *const *values);
/* Renders a row; NULL and error if it is rejected. */
char *desk_render (Desk *desk, guint row, const char *reference, GError **error);

/* The same as an update of what has this id. */
char *desk_render_update (Desk *desk, guint row, const char *reference, const char *target_id, GError **error);

/* Hands a delivery over; it is kept by the desk. */
TallyDelivery *desk_send (Desk *desk, const char *key, const char *reference, const char *body);
TallyDelivery *desk_send_update (Desk *desk, const char *key, const char *reference, const char *target_id, const char *body);
TallyDelivery *desk_resolve (Desk *desk, const char *key, const char *reference, const char *body);
/* The same of one that was sent at a time, and may have a receipt. */
TallyDelivery *desk_resolve_sent (Desk *desk, const char *reference, const char *body, const char *receipt, gint64 sent_at);
/* Takes it from the desk. */
TallyDelivery *desk_take_delivery (Desk *desk, guint i);
void desk_delivery_free (gpointer delivery);
/* Drives until all are settled. */
void desk_finish (Desk *desk);

/* --- an emulator --- */

typedef struct
{
  gpointer process; /* (owned) GSubprocess */
  char *url;        /* (owned) */
  char *ca_file;    /* (owned) (nullable) to ask it over TLS */
} Emulator;

/* With options up to NULL. */
Emulator *emulator_new (const char *option, ...);
void emulator_free (Emulator *emulator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Emulator, emulator_free)
/* (transfer full) the body of the answer. */
char *emulator_ask (Emulator *emulator, const char *method, const char *path, const char *body);
/* Faults as JSON with ' for ". */
void emulator_set_faults (Emulator *emulator, const char *faults);
gint64 emulator_count (Emulator *emulator, const char *name);

/* (transfer full) a file with a certificate of its own for 127.0.0.1, and its key; NULL, and the test is
 * skipped, if there is no openssl. */
char *make_certificate (void);
void drop_certificate (const char *pem);

/* --- a server that does what it is told --- */

/* What happens to the next request: the answer's bytes, and then the end of the connection or not. */
typedef struct
{
  const char *answer; /* (nullable) NULL: none */
  gboolean closes;
} Turn;

typedef struct _Server Server;

/* After the last turn it answers 500 and closes. */
Server *server_new (const Turn *turns, guint n_turns);
void server_free (Server *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Server, server_free)
const char *server_url (const Server *server);
/* Requests that came, whole or in part. */
guint server_count (Server *server);
/* (transfer full) what came, head and body. */
char *server_request (Server *server, guint i);

/* An answer with this status and body, as a string that lives as long as the program. */
const char *answer (gint status, const char *body);

/* The same over HTTP/2, see http2.py. */
typedef struct
{
  gpointer process; /* (owned) GSubprocess */
  gpointer lines;   /* (owned) GDataInputStream of what it says */
  char *url;        /* (owned) */
} Http2Server;

/* Turns up to NULL. */
Http2Server *http2_server_new (const char *pem, const char *turn, ...) G_GNUC_NULL_TERMINATED;
/* Ends it; the number of requests that came. */
guint http2_server_end (Http2Server *server);
