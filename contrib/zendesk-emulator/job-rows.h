/* job-rows.h: what the results of a job say of one record, which differs from kind to kind */
#pragma once
#include "deeds.h"

/* (transfer full): JSON; @place: of the record in the job */
char *emu_job_dup_row (const Emulator *emu, const EmuJob *job, guint place, const EmuDeed *deed,
                       const EmuOutcome *outcome);
