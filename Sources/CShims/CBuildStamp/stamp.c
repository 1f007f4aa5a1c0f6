#include "CBuildStamp.h"

#ifndef PENGUINDOME_COMMIT
#define PENGUINDOME_COMMIT ""
#endif
#ifndef PENGUINDOME_DATE
#define PENGUINDOME_DATE ""
#endif

const char *penguindome_commit(void) { return PENGUINDOME_COMMIT; }
const char *penguindome_date(void) { return PENGUINDOME_DATE; }
