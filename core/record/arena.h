/* arena.h: memory that is handed out in pieces and let go as a whole */
#pragma once
#include <glib.h>

typedef struct
{
  GPtrArray *blocks; /* (owned) (element-type gpointer) the first is kept by clear */
  gsize used, size;  /* of the last block */
  gsize held;        /* bytes in all blocks */
} TallyArena;

void tally_arena_init (TallyArena *arena);
gpointer tally_arena_alloc (TallyArena *arena, gsize size);
void tally_arena_clear (TallyArena *arena);
void tally_arena_free (TallyArena *arena);
