/* source.h: what the sources of messages have in common */
#pragma once
#include "carrier.h"
#include "excess.h"
#include "twins.h"

/* The first member, called base, of each. */
typedef struct
{
  char *attachments_folder; /* option */
  MailLimits limits;        /* options */

  MailCarrier *carrier; /* (owned) (nullable) from open to close */
  MailTwins *twins;     /* (owned) (nullable) */
  gboolean in_origin;   /* it has more messages, as far as we know */
} MailSource;

/* At the end of open().  carrier: (transfer full) (nullable) */
void mail_source_begin (MailSource *source, MailCarrier *carrier);

/* Callbacks. */
gboolean mail_source_probe (gpointer self, TallyContext *ctx, GError **error);
TallySchema *mail_source_describe (gpointer self, TallyContext *ctx, GError **error);
TallyFlow mail_source_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error);
void mail_source_interrupt (gpointer self);
void mail_source_close (gpointer self);

/* Rows of the table of options of each, in which base stands first. */
#define MAIL_SOURCE_OPTIONS                                                                                            \
  { .name = "attachments-folder", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_PATH,                               \
    .offset = G_STRUCT_OFFSET (MailSource, attachments_folder),                                                        \
    .summary = "Folder to keep the content of attachments in, under their SHA-256", .example = "attachments" },        \
  { .name = "max-message", .type = TALLY_OPTION_SIZE, .fallback = "64MiB", .min = 1, .max = 1 << 30,                   \
    .offset = G_STRUCT_OFFSET (MailSource, limits.max_message),                                                        \
    .summary = "Largest message; a larger one is rejected" },                                                          \
  { .name = "max-depth", .type = TALLY_OPTION_INT, .fallback = "50", .min = 0, .max = 500,                             \
    .offset = G_STRUCT_OFFSET (MailSource, limits.max_depth),                                                          \
    .summary = "Deepest nesting of parts; a message with a deeper one is rejected" },                                  \
  { .name = "max-parts", .type = TALLY_OPTION_INT, .fallback = "10000", .min = 1, .max = 10 << 20,                     \
    .offset = G_STRUCT_OFFSET (MailSource, limits.max_parts),                                                          \
    .summary = "Most lines that could begin a part; a message with more is rejected" },                                \
  { .name = "max-headers", .type = TALLY_OPTION_INT, .fallback = "10000", .min = 1, .max = 10 << 20,                   \
    .offset = G_STRUCT_OFFSET (MailSource, limits.max_headers),                                                        \
    .summary = "Most header fields of a message with its parts; one with more is rejected" },                          \
  { .name = "max-header-size", .type = TALLY_OPTION_SIZE, .fallback = "1MiB", .min = 1, .max = 1 << 30,                \
    .offset = G_STRUCT_OFFSET (MailSource, limits.max_header_size),                                                    \
    .summary = "Most bytes of all these fields; a message with more is rejected" }
