/* arena.c: blocks that are filled from front to back */
#include "arena.h"

/* Most batches fit into the first block; it stays when the arena is cleared, so that a batch that is
 * used again does not ask the allocator. */
#define FIRST_BLOCK (64 * 1024)
#define LARGEST_STEP (1024 * 1024)
#define ALIGNMENT 16

void
tally_arena_init (TallyArena *arena)
{
  *arena = (TallyArena) { .blocks = g_ptr_array_new_with_free_func (g_free) };
}

static void
add_block (TallyArena *arena, gsize size)
{
  gsize step = arena->blocks->len == 0 ? FIRST_BLOCK : MIN (arena->size * 2, LARGEST_STEP);

  arena->size = MAX (step, size);
  arena->used = 0;
  arena->held += arena->size;
  g_ptr_array_add (arena->blocks, g_malloc (arena->size));
}

gpointer
tally_arena_alloc (TallyArena *arena, gsize size)
{
  gpointer memory;

  size = (size + ALIGNMENT - 1) & ~(gsize) (ALIGNMENT - 1);
  if (arena->blocks->len == 0 || arena->used + size > arena->size)
    add_block (arena, size);

  memory = (char *) g_ptr_array_index (arena->blocks, arena->blocks->len - 1) + arena->used;
  arena->used += size;
  return memory;
}

void
tally_arena_clear (TallyArena *arena)
{
  if (arena->blocks->len > 1)
    {
      g_ptr_array_set_size (arena->blocks, 1);
      arena->size = arena->held = FIRST_BLOCK;
    }
  arena->used = 0;

  /* A first block that had to be large for one record is not kept for ever. */
  if (arena->size > FIRST_BLOCK)
    {
      g_ptr_array_set_size (arena->blocks, 0);
      arena->size = arena->held = 0;
    }
}

void
tally_arena_free (TallyArena *arena)
{
  g_ptr_array_unref (arena->blocks);
}
