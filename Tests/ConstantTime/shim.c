#include "shim.h"
#include <time.h>
#include <valgrind/memcheck.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

void pd_mark_secret(const void *bytes, size_t count) { VALGRIND_MAKE_MEM_UNDEFINED(bytes, count); }
void pd_mark_public(const void *bytes, size_t count) { VALGRIND_MAKE_MEM_DEFINED(bytes, count); }

unsigned pd_report_count(void) { return VALGRIND_COUNT_ERRORS; }

unsigned long long pd_cycles(void) {
#if defined(__x86_64__)
    /* Fences, so that what is measured neither begins before nor ends after. */
    _mm_lfence();
    unsigned long long cycles = __rdtsc();
    _mm_lfence();
    return cycles;
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000000000ULL + (unsigned long long)now.tv_nsec;
#endif
}
