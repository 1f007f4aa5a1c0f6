/* Calls of Linux that Swift cannot call: variadic ones, with one wrapper for
   each command of theirs and the arguments that the manual gives, and those
   that the C library shows to _GNU_SOURCE alone. */
#ifndef PENGUINDOME_CLINUX_SHIM_H
#define PENGUINDOME_CLINUX_SHIM_H

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/types.h>
#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

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

/* A descriptor that can be read when one of the signals is there, or -1 with
   errno (signalfd(2)). */
static inline int pd_signals(const sigset_t *signals) {
    return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The number of a signal that came, or 0 where none has. */
static inline int pd_next_signal(int descriptor) {
    struct signalfd_siginfo information;
    ssize_t count = read(descriptor, &information, sizeof information);
    return count == (ssize_t)sizeof information ? (int)information.ssi_signo : 0;
}

/* A timer that counts also while the machine is suspended, or -1 with errno
   (timerfd_create(2)). */
static inline int pd_timer(void) {
    return timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
}

/* 0, or -1 with errno: the timer's descriptor can be read after that time. */
static inline int pd_set_timer(int descriptor, long long seconds, long nanoseconds) {
    struct itimerspec time = {{0, 0}, {(time_t)seconds, nanoseconds}};
    return timerfd_settime(descriptor, 0, &time, NULL);
}

/* A socket on which the kernel tells of routes, or -1 with errno
   (rtnetlink(7)). */
static inline int pd_route_changes(void) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    struct sockaddr_nl address;
    if (descriptor < 0) return -1;
    memset(&address, 0, sizeof address);
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

/* 1 where a route to everywhere was added since the last call, or more was told
   than the socket could keep; else 0. */
static inline int pd_new_default_route(int descriptor) {
    union {
        char bytes[16384];
        struct nlmsghdr header;
    } buffer;
    int found = 0;
    for (;;) {
        ssize_t count = recv(descriptor, &buffer, sizeof buffer, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == ENOBUFS) {
            found = 1;
            continue;
        }
        if (count <= 0) return found;
        unsigned int rest = (unsigned int)count;
        struct nlmsghdr *message = &buffer.header;
        for (; NLMSG_OK(message, rest); message = NLMSG_NEXT(message, rest)) {
            const struct rtmsg *route = (const struct rtmsg *)NLMSG_DATA(message);
            if (message->nlmsg_type == RTM_NEWROUTE && message->nlmsg_len >= NLMSG_LENGTH(sizeof *route)
                && route->rtm_dst_len == 0 && route->rtm_type == RTN_UNICAST)
                found = 1;
        }
    }
}

#endif
