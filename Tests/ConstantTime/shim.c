#include "shim.h"
#include <valgrind/memcheck.h>

void pd_mark_secret(const void *bytes, size_t count) { VALGRIND_MAKE_MEM_UNDEFINED(bytes, count); }
void pd_mark_public(const void *bytes, size_t count) { VALGRIND_MAKE_MEM_DEFINED(bytes, count); }
int pd_under_valgrind(void) { return (int)RUNNING_ON_VALGRIND; }
