/* libmongoc and libbson. pkg-config names the include paths and libraries. */
#ifndef PENGUINDOME_CMONGOC_SHIM_H
#define PENGUINDOME_CMONGOC_SHIM_H

#include <mongoc/mongoc.h>

#endif
