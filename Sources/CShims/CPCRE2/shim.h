/* PCRE2 for texts in UTF-8, for regular expressions in queries. */
#ifndef PENGUINDOME_CPCRE2_SHIM_H
#define PENGUINDOME_CPCRE2_SHIM_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#endif
