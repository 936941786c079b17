/* error.h: what can go wrong, and the one-line way to say so */
#pragma once
#include <glib.h>

G_BEGIN_DECLS

#define TALLY_ERROR (tally_error_quark ())

/**
 * TallyError:
 * @TALLY_ERROR_USAGE: the command line or a pipeline asks for something that cannot be
 * @TALLY_ERROR_DATA: a record or an answer is not what it should be
 * @TALLY_ERROR_IO: a file, pipe or device
 * @TALLY_ERROR_NETWORK: a server cannot be reached, or went away
 * @TALLY_ERROR_AUTH: credentials or rights
 * @TALLY_ERROR_LIMIT: a bound that we or the user chose is exceeded
 * @TALLY_ERROR_LEDGER: the ledger cannot be read or written
 * @TALLY_ERROR_LEASE: another run holds the lease, or took it from us
 * @TALLY_ERROR_INTERRUPTED: a signal, or the user
 * @TALLY_ERROR_UNSUPPORTED: known, but not something that we do
 *
 * Codes of the domain %TALLY_ERROR.  The engine acts on the code; a person
 * reads the message.
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_ERROR_USAGE,
  TALLY_ERROR_DATA,
  TALLY_ERROR_IO,
  TALLY_ERROR_NETWORK,
  TALLY_ERROR_AUTH,
  TALLY_ERROR_LIMIT,
  TALLY_ERROR_LEDGER,
  TALLY_ERROR_LEASE,
  TALLY_ERROR_INTERRUPTED,
  TALLY_ERROR_UNSUPPORTED,
} TallyError;

/**
 * tally_error_quark:
 *
 * Returns: the domain of all errors that Tallyman itself raises
 * Since: 0.1
 */
GQuark tally_error_quark (void);

/**
 * tally_throw:
 * @error: (nullable): where to put the error
 * @code: its code
 * @format: a printf format: lower case, no full stop, names quoted, the disliked value shown
 *
 * Sets @error and returns, so that an unhappy path is one line:
 * `return tally_throw (error, TALLY_ERROR_DATA, "…");`
 *
 * Returns: %FALSE, always
 * Since: 0.1
 */
gboolean tally_throw (GError **error, TallyError code, const char *format, ...) G_GNUC_PRINTF (3, 4);

/**
 * tally_throw_errno:
 * @error: (nullable): where to put the error
 * @number: a value of errno
 * @format: what was being tried; the system's text follows after a colon
 *
 * As tally_throw() with %TALLY_ERROR_IO, for a failed system call.
 *
 * Returns: %FALSE, always
 * Since: 0.1
 */
gboolean tally_throw_errno (GError **error, int number, const char *format, ...) G_GNUC_PRINTF (3, 4);

/**
 * tally_throw_prefix:
 * @error: (nullable): an error that a callee has set
 * @format: what this layer alone knows; a colon and a blank are added
 *
 * Adds context to an error on its way up.
 *
 * Returns: %FALSE, always
 * Since: 0.1
 */
gboolean tally_throw_prefix (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

G_END_DECLS
