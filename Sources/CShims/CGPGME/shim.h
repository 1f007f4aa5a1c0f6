/* GnuPG Made Easy, for keys that people hold. */
#ifndef PENGUINDOME_CGPGME_SHIM_H
#define PENGUINDOME_CGPGME_SHIM_H

#include <gpgme.h>

#endif
