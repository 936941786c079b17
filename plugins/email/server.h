/* server.h: what all mail servers have in common: an address, TLS, a login, words that are not ours */
#pragma once
#include <curl/curl.h>
#include <tallyman/plugin.h>

typedef enum
{
  MAIL_TLS_REQUIRED,
  MAIL_TLS_OFF,
} MailTls;

extern const char *const mail_tls_names[];

/* Filled by options; all (owned) by the instance. */
typedef struct
{
  char *url;                       /* as smtp://host:port or smtps://host:port */
  gint tls;                        /* a MailTls */
  char *user, *password;           /* (nullable) */
  char *access_token;              /* (nullable) in place of the password */
  char *ca_file;                   /* (nullable) */
  gint64 timeout, connect_timeout; /* microseconds without an answer; to connect and to log in */
} MailServer;

/* Rules between the options.  scheme: "smtp" or "imap"; example: of a whole address. */
gboolean mail_server_check (const MailServer *server, const char *scheme, const char *example, GError **error);

/* Everything for a connection, which is all that libcurl makes, but the address itself. */
void mail_server_set (const MailServer *server, CURL *easy);
/* Whether libcurl says that the connection cannot be a secure one. */
gboolean mail_server_is_insecure (CURLcode code);

/* Appends a line of the server's, as far as it can be shown. */
void mail_server_append_words (GString *out, const char *line, gsize length);
/* (transfer full) A text as a quoted word of a command (RFC 3501). */
char *mail_server_quote (const char *text);
/* Takes secrets out that the server has repeated. */
void mail_server_redact (const MailServer *server, GString *text);
