/* rig.h: an emulator of one's own and a client that sees what really happens on the wire */
#pragma once
#include <curl/curl.h>
#include <glib.h>
#include <json-c/json.h>

typedef struct
{
  char *url;        /* (owned) of the emulator, without a slash at the end */
  gpointer process; /* (owned) GSubprocess */
  CURL *curl;       /* (owned) */
  gboolean reuse;   /* keep the connection from call to call, as libcurl does when left alone */
} Rig;

typedef struct
{
  CURLcode result;
  long status;
  char *head;        /* (owned) all header lines */
  char *body;        /* (owned) */
  gsize length;      /* of the body, which may hold zero bytes */
  json_object *json; /* (owned) (nullable) the body, if it is JSON */
} Reply;

/* Starts an emulator on a port of its choice; the options end with NULL. */
Rig *rig_new (const char *option, ...);
/* The same with a list; @ret_complaint: (nullable): NULL, or what it said instead of starting */
Rig *rig_new_list (const char *const *options, char **ret_complaint);
void rig_free (Rig *rig);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rig, rig_free)

/* Kills the emulator as a crash would, and starts it again with these options. */
void rig_restart (Rig *rig, const char *option, ...) G_GNUC_NULL_TERMINATED;

/* Waits for the emulator to end by itself; its exit code. */
int rig_wait (Rig *rig);

void reply_free (Reply *reply);
/* Frees the reply when nothing but its status is of interest. */
long reply_take_status (Reply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Reply, reply_free)

/* One request; @header: (nullable): "Name: value" */
Reply *rig_call (Rig *rig, const char *method, const char *path, const char *body,
                 const char *header);
Reply *rig_get (Rig *rig, const char *path);
/* Sends bytes that are no JSON. */
Reply *rig_send (Rig *rig, const char *path, const char *type, const char *data, gsize length);
Reply *rig_create (Rig *rig, const char *body, const char *key);

/* The same request, @n times at once on connections of their own. */
GPtrArray *rig_post_at_once (Rig *rig, const char *path, const char *body, const char *header,
                             guint n);
GPtrArray *rig_create_at_once (Rig *rig, const char *body, const char *key, guint n);

/* Sets the faults; the list is JSON with ' for ". */
void rig_set_faults (Rig *rig, const char *faults);

/* A number of GET /_emulator/counts, or -1. */
gint64 rig_count (Rig *rig, const char *name);

void rig_advance (Rig *rig, gint64 seconds);

/* (transfer full) (nullable): the value of a header of the reply. */
char *reply_header (const Reply *reply, const char *name);

/* What stands at "a.b.0.c" in @json, as text; (nullable) for nothing, and for null.  A '#' at the
 * end is the number of elements or members. */
char *at (json_object *json, const char *path);
gint64 number_at (json_object *json, const char *path);

/* A JSON text written with ' for ", which reads better in C. */
char *quoted (const char *text);
