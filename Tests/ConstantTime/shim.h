/* Valgrind client requests for Swift, which cannot expand the macros. */
#ifndef PENGUINDOME_CONSTANT_TIME_SHIM_H
#define PENGUINDOME_CONSTANT_TIME_SHIM_H
#include <stddef.h>

/* From here on memcheck reports every branch on, and every address computed from, these bytes. */
void pd_mark_secret(const void *bytes, size_t count);
/* The bytes may be shown: they are an outcome, not a secret. */
void pd_mark_public(const void *bytes, size_t count);
/* How many reports memcheck has made in this process. */
unsigned pd_report_count(void);
/* A clock that counts steps of less than a nanosecond, or nanoseconds where the processor has none. */
unsigned long long pd_cycles(void);

#endif
