/* What a build was made of. The manifest defines both from PENGUINDOME_COMMIT and PENGUINDOME_DATE; they are empty in a
   build for development, which must not be linked anew for each commit. */
#ifndef PENGUINDOME_CBUILDSTAMP_H
#define PENGUINDOME_CBUILDSTAMP_H

const char *penguindome_commit(void);
const char *penguindome_date(void);

#endif
