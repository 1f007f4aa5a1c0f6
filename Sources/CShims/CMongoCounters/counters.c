#include "CMongoCounters.h"

#include <unistd.h>

/* Takes the name of this process's counters away; those that are mapped go on working. Runs before libc is ready:
   system calls only, no allocation, no formatted output. */
static void forget_counters(void)
{
    static const char directory[] = "/dev/shm/mongoc-";
    char name[sizeof directory + 20];
    char digits[20];
    unsigned end = 0, length = 0;
    while (directory[end] != '\0') {
        name[end] = directory[end];
        end++;
    }
    for (pid_t number = getpid(); number > 0; number /= 10)
        digits[length++] = (char)('0' + number % 10);
    while (length > 0)
        name[end++] = digits[--length];
    name[end] = '\0';
    unlink(name);
}

/* Before the constructors of shared libraries. A process that was killed as it started left its counters behind, and
   libmongoc complains about them on standard error in the next process with the same number. */
__attribute__((used, section(".preinit_array"))) static void (*const before_libraries)(void) = forget_counters;

/* After them: whoever is killed from now on leaves nothing. */
__attribute__((constructor)) static void after_libraries(void) { forget_counters(); }
