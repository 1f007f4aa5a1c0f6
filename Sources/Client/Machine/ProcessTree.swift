import Glibc
import PDFiles

/// The processes that one process has started, and those that they have, by `/proc` (proc(5)).
enum ProcessTree {
    /// What a tree takes.
    struct Usage: Equatable {
        var processes = 0
        /// Memory that is theirs, in bytes: resident, and no file's.
        var residentBytes = 0
    }

    /// The descendants of a process, parents first. Those whose parent ended are found only where they have become the
    /// process's own children (`PR_SET_CHILD_SUBREAPER` of prctl(2)).
    ///
    /// - Parameter spared: processes that are left out, with their own descendants.
    static func descendants(of process: pid_t, but spared: Set<pid_t> = []) -> [pid_t] {
        var found: [pid_t] = []
        var rest = children(of: process)
        while let next = rest.popLast() {
            guard !spared.contains(next) else { continue }
            found.append(next)
            rest += children(of: next)
        }
        return found
    }

    /// What a process and its descendants take together.
    static func usage(of process: pid_t) -> Usage {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        return ([process] + descendants(of: process)).reduce(into: Usage()) { usage, process in
            // One that has ended since takes nothing.
            guard let text = try? Files.read("/proc/\(process)/statm") else { return }
            usage.processes += 1
            let pages = text.split(separator: UInt8(ascii: " ")).map {
                Int(String(decoding: $0, as: UTF8.self)) ?? 0
            }
            if pages.count > 2 { usage.residentBytes += max(0, pages[1] - pages[2]) * page }
        }
    }

    /// Ends all descendants of a process, however fast they start others: each is stopped before it is killed, and the
    /// search begins anew until it finds none.
    static func endDescendants(of process: pid_t, but spared: Set<pid_t> = []) {
        for _ in 0..<100 {
            let found = descendants(of: process, but: spared)
            let living = found.filter { !hasEnded($0) }
            for process in living { kill(process, SIGSTOP) }
            for process in living { kill(process, SIGKILL) }
            // Where they are ours, nothing is left of them; where they are not, their parents see to that.
            for process in found { waitpid(process, nil, WNOHANG) }
            if living.isEmpty { return }
            usleep(2000)
        }
    }

    private static func children(of process: pid_t) -> [pid_t] {
        var children: [pid_t] = []
        for thread in (try? Files.names(in: "/proc/\(process)/task")) ?? [] {
            guard let text = try? Files.read("/proc/\(process)/task/\(thread)/children") else { continue }
            children += text.split(separator: UInt8(ascii: " "))
                .compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
        }
        return children
    }

    private static func hasEnded(_ process: pid_t) -> Bool {
        // The name may hold anything, also ")".
        guard let text = try? Files.read("/proc/\(process)/stat"),
            let end = text.lastIndex(of: UInt8(ascii: ")")), end + 2 < text.count
        else { return true }
        return text[end + 2] == UInt8(ascii: "Z") || text[end + 2] == UInt8(ascii: "X")
    }
}
