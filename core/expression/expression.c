/* expression.c: compiling, and the public face
 *
 * PostgreSQL's parser, its copy of the tree and the tree's unpacking recurse as deep as an
 * expression nests, and a chain of operators nests once for each: 32 KiB of `1+1+1…` need 16 MiB of
 * stack.  Compiling therefore has a thread of its own with stack enough for the longest text that
 * we take.  There is one for the life of the process, because the parser keeps its state by thread,
 * and each thread that uses it costs one of the process's 1024 thread keys for ever.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include "typer.h"

#define MAX_TEXT (32 * 1024)
#define STACK_SIZE (64 * 1024 * 1024)
#define FOLDING_CAPACITY 64
#define PREFIX "SELECT "
#define PREFIX_LENGTH (sizeof PREFIX - 1)

void
tally_complaint_free (TallyComplaint *complaint)
{
  if (complaint == NULL)
    return;

  g_free (complaint->message);
  g_free (complaint->hint);
  g_free (complaint);
}

TallyComplaint *
tally_complaint_new (gsize offset, gsize length, const char *hint, const char *format, ...)
{
  TallyComplaint *complaint = g_new0 (TallyComplaint, 1);
  va_list args;

  va_start (args, format);
  complaint->message = g_strdup_vprintf (format, args);
  va_end (args);
  complaint->hint = g_strdup (hint);
  complaint->offset = offset;
  complaint->length = MAX (length, 1);
  return complaint;
}

static TallyExpression *
expression_new (TallySchema *schema)
{
  TallyExpression *expression = g_new0 (TallyExpression, 1);
  g_autoptr (TallySchema) no_columns = tally_schema_new (NULL, 0);

  expression->terms = g_ptr_array_new_with_free_func (tally_term_free);
  expression->schema = tally_schema_ref (schema);
  expression->constants = tally_batch_new (no_columns, 1);
  tally_batch_add_row (expression->constants);
  expression->scratch = g_string_new (NULL);
  expression->columns
      = g_new0 (guint64, MAX (tally_bitmap_words (tally_schema_n_columns (schema)), 1));
  expression->spare = g_ptr_array_new_with_free_func (g_free);
  return expression;
}

void
tally_expression_free (TallyExpression *expression)
{
  if (expression == NULL)
    return;

  g_ptr_array_unref (expression->terms);
  tally_schema_unref (expression->schema);
  tally_batch_free (expression->constants);
  g_string_free (expression->scratch, TRUE);
  g_free (expression->columns);
  g_free (expression->live);
  g_free (expression->bits);
  g_free (expression->selected);
  g_ptr_array_unref (expression->spare);
  g_free (expression);
}

/* The parser counts in characters, from 1, and quotes as junk after a number one byte of what is
 * there, even of a longer character. */
static TallyComplaint *
complain_of_syntax (const char *text, const PgQueryError *error)
{
  g_autofree char *message = g_utf8_make_valid (error->message, -1);
  const char *at = text;
  gsize length = strlen (text);

  for (gint64 left = (gint64)error->cursorpos - 1 - (gint64)PREFIX_LENGTH; left > 0 && *at != '\0';
       left--)
    at = g_utf8_next_char (at);
  if (*at == '\0')
    return tally_complaint_new (length, 1, NULL, "%s", message);

  return tally_complaint_new ((gsize)(at - text), tally_token_length (text, (gsize)(at - text)),
                              NULL, "%s", message);
}

static gboolean
has_clauses (const PgQuery__SelectStmt *select)
{
  return select->op > PG_QUERY__SET_OPERATION__SETOP_NONE || select->larg != NULL
         || select->n_distinct_clause > 0 || select->into_clause != NULL
         || select->n_from_clause > 0 || select->where_clause != NULL || select->n_group_clause > 0
         || select->having_clause != NULL || select->n_window_clause > 0
         || select->n_values_lists > 0 || select->n_sort_clause > 0 || select->limit_offset != NULL
         || select->limit_count != NULL || select->n_locking_clause > 0
         || select->with_clause != NULL;
}

/* The one expression of the tree, or NULL and a complaint: the text may hold nothing else. */
static const PgQuery__Node *
find_expression (const char *text, const PgQuery__ParseResult *tree, TallyComplaint **ret_complaint)
{
  const PgQuery__SelectStmt *select;
  const PgQuery__ResTarget *target;
  gsize length = strlen (text);

  if (tree->n_stmts != 1 || tree->stmts[0]->stmt_len != 0)
    {
      gsize at = tree->n_stmts > 0 ? (gsize)tree->stmts[0]->stmt_len : 0;

      at = at > PREFIX_LENGTH ? MIN (at - PREFIX_LENGTH, length) : 0;
      *ret_complaint
          = tally_complaint_new (at, 1, NULL, "only one expression can stand here, without \";\"");
      return NULL;
    }
  if (tree->stmts[0]->stmt->node_case != PG_QUERY__NODE__NODE_SELECT_STMT
      || has_clauses (tree->stmts[0]->stmt->select_stmt))
    {
      *ret_complaint = tally_complaint_new (0, MAX (length, 1), NULL,
                                            "only an expression can stand here, not a query");
      return NULL;
    }

  select = tree->stmts[0]->stmt->select_stmt;
  if (select->n_target_list == 0)
    {
      *ret_complaint = tally_complaint_new (0, 1, NULL, "expression is empty");
      return NULL;
    }
  if (select->n_target_list > 1)
    {
      gsize at = (gsize)select->target_list[1]->res_target->location - PREFIX_LENGTH;

      *ret_complaint
          = tally_complaint_new (MIN (at, length), 1, NULL, "only one expression can stand here");
      return NULL;
    }
  target = select->target_list[0]->res_target;
  if (target->name != NULL && target->name[0] != '\0')
    {
      const char *at = g_strrstr (text, target->name);

      *ret_complaint
          = tally_complaint_new (at != NULL ? (gsize)(at - text) : 0, strlen (target->name), NULL,
                                 "syntax error at or near \"%s\"", target->name);
      return NULL;
    }

  return target->val;
}

static TallyExpression *
compile_tree (const char *text, TallySchema *schema, const PgQuery__ParseResult *tree,
              TallyComplaint **ret_complaint)
{
  g_autoptr (TallyExpression) expression = NULL;
  const PgQuery__Node *node = find_expression (text, tree, ret_complaint);

  if (node == NULL)
    return NULL;

  expression = expression_new (schema);
  expression->root = tally_type_tree (expression, text, PREFIX_LENGTH, node, ret_complaint);
  if (expression->root == NULL)
    return NULL;

  tally_expression_reserve (expression, FOLDING_CAPACITY);
  if (!tally_term_fold (expression, expression->root, ret_complaint))
    return NULL;

  return g_steal_pointer (&expression);
}

typedef struct
{
  const char *text;
  TallySchema *schema;
  TallyExpression *expression;
  TallyComplaint *complaint;
} Compilation;

static void
compile (Compilation *compilation)
{
  g_autofree char *query = g_strconcat (PREFIX, compilation->text, NULL);
  PgQueryProtobufParseResult result = pg_query_parse_protobuf (query);
  PgQuery__ParseResult *tree = NULL;

  if (result.error != NULL)
    compilation->complaint = complain_of_syntax (compilation->text, result.error);
  else
    tree = pg_query__parse_result__unpack (NULL, result.parse_tree.len,
                                           (const uint8_t *)result.parse_tree.data);
  pg_query_free_protobuf_parse_result (result);
  if (tree != NULL)
    {
      compilation->expression
          = compile_tree (compilation->text, compilation->schema, tree, &compilation->complaint);
      pg_query__parse_result__free_unpacked (tree, NULL);
    }
  else if (compilation->complaint == NULL)
    compilation->complaint = tally_complaint_new (0, 1, NULL, "expression is too complex");
}

/* The compiler's thread, which takes one text after the other. */
static struct
{
  GMutex callers; /* held by who has a text compiled */
  GMutex mutex;   /* guards what follows */
  GCond changed;
  gboolean started;
  Compilation *work; /* (unowned) (nullable) NULL once it is done */
} compiler;

static void *
compiler_thread (void *unused)
{
  sigset_t signals;

  /* They are for threads that wait for them. */
  sigfillset (&signals);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);

  g_mutex_lock (&compiler.mutex);
  for (;;)
    {
      while (compiler.work == NULL)
        g_cond_wait (&compiler.changed, &compiler.mutex);
      compile (compiler.work);
      compiler.work = NULL;
      g_cond_broadcast (&compiler.changed);
    }

  return NULL;
}

static int
compiler_start (void)
{
  pthread_attr_t attributes;
  pthread_t thread;
  int failure;

  pthread_attr_init (&attributes);
  pthread_attr_setstacksize (&attributes, STACK_SIZE);
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  failure = pthread_create (&thread, &attributes, compiler_thread, NULL);
  pthread_attr_destroy (&attributes);
  compiler.started = failure == 0;
  return failure;
}

static void
compiler_run (Compilation *compilation)
{
  int failure = 0;

  g_mutex_lock (&compiler.callers);
  g_mutex_lock (&compiler.mutex);
  if (!compiler.started)
    failure = compiler_start ();
  if (failure != 0)
    compilation->complaint = tally_complaint_new (
        0, 1, NULL, "could not start a thread to parse it: %s", g_strerror (failure));
  else
    {
      compiler.work = compilation;
      g_cond_broadcast (&compiler.changed);
      while (compiler.work != NULL)
        g_cond_wait (&compiler.changed, &compiler.mutex);
    }
  g_mutex_unlock (&compiler.mutex);
  g_mutex_unlock (&compiler.callers);
}

TallyExpression *
tally_expression_compile (const char *text, TallySchema *schema, TallyComplaint **ret_complaint)
{
  Compilation compilation = { .text = text, .schema = schema };
  const char *bad;

  if (strlen (text) > MAX_TEXT)
    {
      *ret_complaint
          = tally_complaint_new (MAX_TEXT, 1, NULL, "expression is longer than %d bytes", MAX_TEXT);
      return NULL;
    }
  if (!g_utf8_validate (text, -1, &bad))
    {
      *ret_complaint
          = tally_complaint_new ((gsize)(bad - text), 1, NULL, "expression is not UTF-8");
      return NULL;
    }

  compiler_run (&compilation);
  if (compilation.expression == NULL)
    *ret_complaint = compilation.complaint;
  return compilation.expression;
}

TallyType
tally_expression_type (const TallyExpression *expression)
{
  return expression->root->type == TYPE_TEXT_ARRAY ? TALLY_TYPE_JSONB : expression->root->type;
}

gboolean
tally_expression_is_volatile (const TallyExpression *expression)
{
  return expression->is_volatile;
}

const guint64 *
tally_expression_columns (const TallyExpression *expression)
{
  return expression->columns;
}
