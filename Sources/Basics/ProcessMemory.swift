import CLinux
import Glibc

/// What the disk and other processes may see of this process's memory.
public enum ProcessMemory {
    /// The system refused; the error is that of errno(3).
    public struct Refused: Swift.Error, Equatable, Sendable, CustomStringConvertible {
        /// What it refused.
        public let what: String
        /// The value of `errno`.
        public let code: Int32

        /// One line for people.
        public var description: String { "cannot \(what): \(String(cString: strerror(code)))" }
    }

    /// Forbids core dumps of this process and of those that it starts, reports of Swift's runtime about a crash, which
    /// show registers and memory, and other processes of the same user to read its memory.
    ///
    /// To be called before the first secret is read. Root, and whoever may trace any process, can still read.
    public static func protect() throws(Refused) {
        // The runtime catches these on a terminal, and starts a program that reads this process.
        for crash in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] { signal(crash, SIG_DFL) }
        try forbidCoreDumps()
        guard pd_forbid_dumps() == 0 else { throw Refused(what: "forbid core dumps", code: errno) }
    }

    /// Keeps the memory of this process, and of those that it starts, out of core dumps, and nothing else: for services,
    /// whose own files in `/proc` must stay theirs.
    public static func forbidCoreDumps() throws(Refused) {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
            throw Refused(what: "turn core dumps off", code: errno)
        }
        // A program that core dumps are piped to gets them whatever the limit says; without mappings they are empty.
        // This comes before `PR_SET_DUMPABLE`, after which the file belongs to root. Kernels may lack it.
        let filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC)
        if filter >= 0 {
            defer { close(filter) }
            guard write(filter, "0", 1) == 1 else {
                throw Refused(what: "write to /proc/self/coredump_filter", code: errno)
            }
        }
    }
}
