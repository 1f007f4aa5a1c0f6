/* Calls of Linux that Swift cannot call: variadic ones, with one wrapper for
   each command of theirs and the arguments that the manual gives, and those
   that the C library shows to _GNU_SOURCE alone. */
#ifndef PENGUINDOME_CLINUX_SHIM_H
#define PENGUINDOME_CLINUX_SHIM_H

#include <linux/types.h>
#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

/* 0, or -1 with errno: descendants whose parent ends become children of this
   process, instead of the first process of the system (prctl(2)). */
static inline int pd_adopt_orphans(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* 0, or -1 with errno: this process is killed when its parent ends. */
static inline int pd_end_with_parent(void) {
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/* 0, or -1 with errno: no core dump, and no ptrace() or /proc/PID/mem by other
   processes of the same user (prctl(2)). */
static inline int pd_forbid_dumps(void) {
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* posix_spawn_file_actions_addchdir_np(3) of glibc 2.29: where the new process
   starts. Declared here, since headers hide it without _GNU_SOURCE. */
extern int posix_spawn_file_actions_addchdir_np(
    posix_spawn_file_actions_t *__restrict actions, const char *__restrict path);
static inline int pd_spawn_in(
    posix_spawn_file_actions_t *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

/* posix_spawn_file_actions_addclosefrom_np(3) of glibc 2.34: the new process
   has no descriptor from this one on. */
extern int posix_spawn_file_actions_addclosefrom_np(
    posix_spawn_file_actions_t *actions, int from);
static inline int pd_spawn_closing(
    posix_spawn_file_actions_t *actions, int from) {
    return posix_spawn_file_actions_addclosefrom_np(actions, from);
}

/* Gives freed memory of all arenas back to the system (malloc_trim(3)); whether
   there was any. With another C library than glibc there is nothing to do. */
static inline int pd_return_memory(void) {
#ifdef __GLIBC__
    return malloc_trim(0);
#else
    return 0;
#endif
}

/* struct opal_status and IOC_OPAL_GET_STATUS of linux/sed-opal.h, which has
   them since Linux 6.1; headers may be older than the kernel. */
struct pd_opal_status {
    __u32 flags;
    __u32 reserved;
};
#define PD_OPAL_LOCKING_ENABLED 0x04

/* 0 and the flags, or -1 with errno: what a drive that may encrypt itself says
   of that. */
static inline int pd_opal_status(int descriptor, struct pd_opal_status *status) {
    return ioctl(descriptor, _IOR('p', 236, struct pd_opal_status), status);
}

#endif
