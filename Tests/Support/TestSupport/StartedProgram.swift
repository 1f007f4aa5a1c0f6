import CLinux
import Foundation
import Synchronization

/// A program that a test has started, in a process group of its own.
///
/// Foundation's `Process` counts a program as running as long as any process that it started holds a socket that all of
/// them inherit (swift-corelibs-foundation, issue 4795): one that is left over makes `waitUntilExit` wait for ever. This
/// asks the system for the program itself, closes everything but standard input and output for it, and waits for a
/// limited time.
package final class StartedProgram: Sendable {
    package let processIdentifier: pid_t
    private let ended = DispatchSemaphore(value: 0)
    private let result = Result()

    /// The status as waitpid(2) gives it; nil as long as the program runs.
    private final class Result: Sendable {
        private let status = Mutex<Int32?>(nil)

        var value: Int32? { status.withLock { $0 } }

        /// Sends a signal as long as the process identifier is the program's.
        func signal(_ target: pid_t, _ number: Int32) {
            status.withLock { if $0 == nil { _ = kill(target, number) } }
        }

        func reap(_ process: pid_t) {
            var information = siginfo_t()
            // Left as a zombie first, so that nobody else has its identifier before the lock is held.
            while waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            status.withLock { status in
                var raw: Int32 = 0
                while waitpid(process, &raw, 0) < 0, errno == EINTR {}
                status = raw
            }
        }
    }

    /// Where the program's standard input and output are.
    package enum Streams {
        /// Descriptors of this process.
        case descriptors(input: Int32, output: Int32, errors: Int32)
        /// A terminal, of which the program becomes the owner, in a session of its own.
        case terminal(path: String)
    }

    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - environment: variables besides those of this process.
    package init(
        _ command: [String], in directory: URL, streams: Streams, environment: [String: String] = [:]
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        switch streams {
        case .descriptors(let input, let output, let errors):
            for (theirs, ours) in [input, output, errors].enumerated() {
                posix_spawn_file_actions_adddup2(&actions, ours, Int32(theirs))
            }
            flags |= POSIX_SPAWN_SETPGROUP
        case .terminal(let path):
            // The first terminal that the leader of a session opens is its own.
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, path, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO)
            posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO)
            // Glibc's POSIX_SPAWN_SETSID, which Swift does not import.
            flags |= 0x80
        }
        pd_spawn_closing(&actions, STDERR_FILENO + 1)
        pd_spawn_in(&actions, directory.path)
        // Threads of the test runner hold signals back, which a program that they start would do too.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let variables = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        var arguments = command.map { strdup($0) } + [nil]
        var settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for copy in arguments + settings { free(copy) } }
        var process = pid_t()
        let code = posix_spawn(&process, command[0], &actions, &attributes, &arguments, &settings)
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EINVAL) }
        processIdentifier = process
        let (result, ended) = (self.result, self.ended)
        let leader = process
        Thread.detachNewThread {
            result.reap(leader)
            ended.signal()
        }
    }

    package var isRunning: Bool { result.value == nil }

    /// Sends a signal to the program.
    package func signal(_ number: Int32) { result.signal(processIdentifier, number) }

    /// Ends the program and all that it started in its process group.
    package func killAll() { result.signal(-processIdentifier, SIGKILL) }

    package func terminate() { signal(SIGTERM) }

    /// Waits until the program has ended; where it does not, it is killed with all that it started.
    ///
    /// - Returns: its exit status, and the signal that ended it; nil where it had to be killed.
    package func wait(seconds: Int = 300) -> (status: Int32, signal: Int32?)? {
        if ended.wait(timeout: .now() + .seconds(seconds)) == .timedOut {
            killAll()
            _ = ended.wait(timeout: .now() + .seconds(10))
            ended.signal()
            return nil
        }
        // For whoever waits again.
        ended.signal()
        let raw = result.value ?? 0
        let signal = raw & 0x7f
        return signal == 0 ? (raw >> 8 & 0xff, nil) : (signal, signal)
    }
}
