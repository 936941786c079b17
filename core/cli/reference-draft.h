/* reference-draft.h: the file of references that a plan has not found, for a person to fill in */
#pragma once
#include "command.h"
#include "engine/engine.h"

typedef struct
{
  char *path;                 /* (owned) (nullable) absolute; NULL: there is none */
  TallyRegistry *registry;    /* (unowned) */
  TallyReferenceFile *missed; /* (owned) (nullable) what was not found */
  TallyReferenceFile *coming; /* (owned) (nullable) what pipelines of this command would create */
} TallyReferenceDraft;

/* name: (nullable) as the user gave it.  What stands there already has to be a good one; complains if it is not. */
gboolean tally_reference_draft_begin (TallyReferenceDraft *draft, const char *name, TallyRegistry *registry);
/* Adds to what stands there now, writes it and says so; complains if it cannot. */
gboolean tally_reference_draft_end (TallyReferenceDraft *draft, gboolean json);
void tally_reference_draft_clear (TallyReferenceDraft *draft);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TallyReferenceDraft, tally_reference_draft_clear)
