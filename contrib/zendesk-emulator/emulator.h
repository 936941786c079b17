/* emulator.h: the account that this process plays, and the few things that change it */
#pragma once
#include "auth.h"
#include "clock.h"
#include "draft.h"
#include "faults.h"
#include "fields.h"
#include "history.h"
#include "keys.h"
#include "budget.h"
#include "jobs.h"
#include "organizations.h"
#include "reference.h"
#include "tickets.h"
#include "uploads.h"
#include "users.h"

typedef enum
{
  EMU_SAME_KEY_WAIT,
  EMU_SAME_KEY_CONFLICT,
  EMU_SAME_KEY_DUPLICATE
} EmuSameKey;

/* The year whose spelling the limits are told in. */
typedef enum
{
  EMU_LIMIT_HEADERS_BOTH,
  EMU_LIMIT_HEADERS_OLD, /* 2023 */
  EMU_LIMIT_HEADERS_NEW  /* 2024 */
} EmuLimitHeaders;

/* What those are told that come second when two make the same user at once. */
typedef enum
{
  EMU_RACE_OFF,
  EMU_RACE_CONFLICT,  /* 409 */
  EMU_RACE_INVALID,   /* 422 */
  EMU_RACE_COLLISION, /* 409 in text, as recorded of imports */
} EmuRace;

/* Whether users may be created in bulk, and in which words that is refused. */
typedef enum
{
  EMU_BULK_USERS_OFF,
  EMU_BULK_USERS_ON,
  EMU_BULK_USERS_OFF_OBJECT
} EmuBulkUsers;

typedef struct
{
  EmuSameKey same_key;
  gboolean same_body_raw; /* compare bytes, not what they mean */
  gboolean store_errors;  /* a 422 is stored under the key as well */
  gboolean ignore_keys;
  gint64 key_life;   /* microseconds */
  gint64 delay;      /* microseconds of work for each creation */
  gint64 lookup_lag; /* seconds until external_id finds a new record */
  gint64 search_lag; /* seconds until a search finds what is new or has changed */
  gint64 first_id;
  gsize max_body, max_upload;
  gsize hold_files;         /* bytes of files that are kept in memory */
  gboolean check_authors;   /* who wrote a comment is somebody */
  gboolean check_assignees; /* an assignee is an agent of the ticket's group */
  gboolean sort_comments;   /* of an import, by their times */
  gboolean find_archived;   /* by external_id */
  gboolean stick_to_second; /* an export by time never gets past a second with a whole page */
  guint repeat_exported;    /* after how many rows of an export one comes again; 0: never */
  gint64 upload_life;       /* seconds */
  gboolean show_expiry;     /* uploads tell when they expire */
  gboolean ignore_tokens;   /* those that are no good are no error */
  char *content_host;       /* (owned) (nullable) to which a file's address leads */
  double time_rate;
  gboolean limit_creation, limit_text, chunked;
  gboolean external_id_wins; /* when a user's external_id and address name two users */
  gint64 organization_race;  /* seconds in which one name can be taken twice */
  EmuBulkUsers bulk_users;
  EmuLimitHeaders limit_headers;
  EmuRace requester_race;
  gboolean check_people; /* who stands in a ticket is somebody */
  gboolean refuse_suspended; /* and not suspended */
  EmuJobConfig jobs;
  char *plan;         /* (owned) */
  char *email;        /* (owned) of the administrator */
  char *state;        /* (owned) (nullable) file that keeps tickets across restarts */
  char *fields_file;  /* (owned) (nullable) */
  char *account_file; /* (owned) (nullable) */
  char *user_fields_file, *organization_fields_file; /* (owned) (nullable) */
  GStrv faults;                                      /* (owned) (nullable) */
} EmuConfig;

typedef struct
{
  guint created, deleted, hits, misses, limited, dropped;
  guint users_created, users_deleted, organizations_created, organizations_deleted;
  guint memberships_created, identities_created, verification_mails;
  guint in_flight, most_in_flight;
  guint by_status[600];
} EmuCounts;

struct Emulator
{
  EmuConfig config;
  EmuClock clock;
  EmuFields *fields;                            /* (owned) */
  EmuFields *user_fields, *organization_fields; /* (owned) */
  EmuReference *reference;                      /* (owned) */
  EmuUsers *users;                              /* (owned) */
  EmuOrganizations *organizations;              /* (owned) */
  EmuTickets *tickets;                          /* (owned) */
  EmuUploads *uploads;                          /* (owned) */
  EmuJobs *jobs;                                /* (owned) */
  EmuKeys *keys;                                /* (owned) */
  EmuFaults *faults;                            /* (owned) */
  EmuHistory *history;                          /* (owned) */
  GHashTable *newcomers; /* (owned) addresses of which a request at work makes a user */
  EmuLimits limits;
  EmuAuth auth;
  EmuCounts counts;
  char *base_url;   /* (owned) */
  int journal;      /* file that is appended to, or -1 */
  gboolean in_step; /* a job does a record, and writes that down itself */
  guint generation; /* how often it was reset; requests of an earlier one are dropped */
  gboolean stop;
  GError *broken; /* (owned) (nullable) why it cannot go on; nothing is answered any more */
  void (*wake) (gpointer waiting, gpointer data); /* lets a request go on that waited for a key */
  gpointer wake_data;
};

/* Takes what @config and @auth hold.  Reads the state file, if there is one. */
gboolean emulator_open (Emulator *emu, const EmuConfig *config, const EmuAuth *auth,
                        GError **error);
void emulator_close (Emulator *emu);

/* Back to the beginning: no tickets, the faults of the command line, an empty state file. */
void emulator_reset (Emulator *emu);

/* Lets every request go on that waits for a key. */
void emulator_wake_all (Emulator *emu);

/* Who asked, as it will be recorded. */
typedef struct
{
  const char *client, *address; /* (nullable) */
  json_object *json;            /* (unowned) the request, for the state file */
  GRefString *external_id;      /* (nullable) a text that may be shared, if it is the same */
  EmuKey *key;                  /* (nullable) under which the answer is stored */
  const guint8 *digest;         /* of the body, when there is a key */
  gint64 time;                  /* virtual microseconds, now */
  gint64 arrived;               /* the same when it came; the life of the key counts from here */
} EmuOrigin;

/* Does what a good @draft asks, writes it down, and stores the answer under the key.  @archive: a
 * ticket that is closed is not shown in lists. */
EmuTicket *emulator_create (Emulator *emu, EmuDraft *draft, const EmuOrigin *origin,
                            gboolean archive);

/* (transfer full): the address of a ticket */
char *emulator_dup_ticket_url (const Emulator *emu, gint64 id);

/* The audit of the change is written to @ret_audit. */
void emulator_update (Emulator *emu, EmuTicket *ticket, EmuDraft *draft, const EmuOrigin *origin,
                      GString *ret_audit);
void emulator_delete (Emulator *emu, EmuTicket *ticket, gint64 now);

/* Takes a deletion back; or makes it final, with all that the ticket held, which only a job does
 * and writes down. */
void emulator_restore (Emulator *emu, EmuTicket *ticket, gint64 now);
void emulator_scrub (Emulator *emu, EmuTicket *ticket, gint64 now);

/* Reads a request for @action and checks it against all that the account holds.  @ticket:
 * (nullable): what is to be changed */
EmuDraft *emulator_read_draft (Emulator *emu, EmuAction action, json_object *json,
                               const EmuTicket *ticket, gint64 now);

/* Keeps a file, under @upload or, if that is NULL, under a new one, which is returned in it. */
EmuAttachment *emulator_upload (Emulator *emu, EmuUpload **upload, const char *file_name,
                                const char *content_type, const GString *content, gint64 now);
void emulator_drop_upload (Emulator *emu, EmuUpload *upload, gint64 now);
