import CLinux
import Glibc
import PDFiles
import Synchronization

/// One command in a process group of its own, run to its end.
///
/// It gets nothing of ours: no descriptor but its three, no environment but the one given, no signal settings. It is
/// killed together with all that it started when it outlives its deadline, writes too much, or ends before its
/// children do.
struct ChildProcess {
    /// The program, as an absolute path.
    let executable: String
    /// Its arguments, beginning with its own name.
    let arguments: [String]
    /// Its whole environment, as `NAME=value`.
    let environment: [String]
    /// When it is killed.
    let deadline: SuspendingClock.Instant
    /// The most it may write to each of its outputs, in bytes.
    let outputLimit: Int
    /// Where it starts; nothing where we are.
    var directory: String?
    /// What it may take otherwise.
    var limits = CollectorLimits()
    /// The program itself, where it was opened to be looked at: it is run by its descriptor, so that what runs is what was
    /// looked at, whatever has its name by then.
    var program: OpenFile?

    /// How often is looked at what it takes. One that ends sooner is not looked at.
    private static let lookInterval: Duration = .milliseconds(250)

    private var name: String { arguments.first ?? executable }

    /// Runs it. Blocks the thread.
    func run() throws(CommandError) -> CommandOutput {
        let (process, outputs) = try start()
        var reader = OutputReader(outputs, limit: outputLimit)
        var ended = false
        var overrun: OutputReader.Overrun?
        var pause: Int32 = 1
        var nextLook = SuspendingClock.now + Self.lookInterval
        repeat {
            let remaining = SuspendingClock.now.duration(to: deadline)
            if remaining <= .zero {
                overrun = .time
                break
            }
            // While an output is open, poll() wakes us; afterwards there is only the exit to wait for.
            let patience = Int32(min(remaining / .milliseconds(1), reader.isOpen ? 100 : Double(pause))) + 1
            pause = min(pause * 2, 50)
            reader.wait(milliseconds: patience)
            if reader.readAvailable() == .tooLong {
                overrun = .size
                break
            }
            ended = Self.hasEnded(process)
            if !ended, SuspendingClock.now >= nextLook {
                nextLook = .now + Self.lookInterval
                let usage = ProcessTree.usage(of: process)
                if usage.processes > limits.processes { overrun = .processes }
                if usage.residentBytes > limits.memory { overrun = .memory }
            }
        } while !ended && overrun == nil
        if ended { _ = reader.readAvailable() }
        // The process is not reaped yet, so its number, and with it the group's, cannot belong to anyone else.
        if !ended {
            kill(process, SIGSTOP)
            ProcessTree.endDescendants(of: process)
        }
        kill(-process, SIGKILL)
        var status: Int32 = 0
        _ = retryingInterrupts { Int(waitpid(process, &status, 0)) }
        reader.close()

        let output = CommandOutput(
            stdout: reader.content[0], stderr: reader.content[1], returncode: Self.returncode(status))
        switch overrun {
        case .time: throw .timedOut(name, output)
        case .size: throw .outputTooLong(name, output)
        case .processes: throw .tooManyProcesses(name, output)
        case .memory: throw .tooMuchMemory(name, output)
        case nil: return output
        }
    }

    /// Pipes are made and handed over under this lock: a child started by another thread in between would hold their
    /// ends open, and we would wait for its end too.
    private static let startLock = Mutex<Void>(())

    private func start() throws(CommandError) -> (process: pid_t, outputs: [Int32]) {
        let started: Result<(pid_t, [Int32]), CommandError> = Self.startLock.withLock { _ in
            var pipes: [[Int32]] = []
            defer { for pipe in pipes { Glibc.close(pipe[1]) } }
            for _ in 0..<2 {
                var ends: [Int32] = [-1, -1]
                guard pipe(&ends) == 0 else {
                    let code = errno
                    for pipe in pipes { Glibc.close(pipe[0]) }
                    return .failure(.notStarted(name, code: code))
                }
                _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
                pipes.append(ends)
            }
            Self.closeAllInChildren()
            var process: pid_t = 0
            let code = spawn(&process, stdout: pipes[0][1], stderr: pipes[1][1])
            guard code == 0 else {
                for pipe in pipes { Glibc.close(pipe[0]) }
                return .failure(code == ENOENT ? .notInstalled(name) : .notStarted(name, code: code))
            }
            return .success((process, pipes.map { $0[0] }))
        }
        return try started.get()
    }

    private func spawn(_ process: inout pid_t, stdout: Int32, stderr: Int32) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, stdout, 1)
        posix_spawn_file_actions_adddup2(&actions, stderr, 2)
        if let directory { _ = pd_spawn_in(&actions, directory) }
        var executable = executable
        if let program {
            // The same number in the child, where it stays open: a script's interpreter reads it.
            posix_spawn_file_actions_adddup2(&actions, program.descriptor, program.descriptor)
            executable = "/proc/self/fd/\(program.descriptor)"
        }
        return Self.spawn(
            &process, executable, arguments, environment: environment, &actions,
            flags: Int32(POSIX_SPAWN_SETPGROUP))
    }

    /// posix_spawn(3) with no signal settings of ours.
    private static func spawn(
        _ process: inout pid_t, _ executable: String, _ arguments: [String], environment: [String],
        _ actions: inout posix_spawn_file_actions_t, flags: Int32
    ) -> Int32 {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(flags | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)))
        return withCStrings(arguments) { arguments in
            withCStrings(environment) { environment in
                posix_spawn(&process, executable, &actions, &attributes, arguments, environment)
            }
        }
    }

    /// Starts a process that is given its work over a pipe, in a process group of its own.
    ///
    /// - Parameter command: the executable as an absolute path, then the arguments after the program's name.
    /// - Returns: where its work is written, and its standard output and error, which do not block.
    static func startWorker(
        _ command: [String]
    ) throws(CommandError) -> (process: pid_t, input: Int32, outputs: [Int32]) {
        let executable = command.first ?? ""
        let started: Result<(pid_t, Int32, [Int32]), CommandError> = startLock.withLock { _ in
            var pipes: [[Int32]] = []
            for _ in 0..<3 {
                var ends: [Int32] = [-1, -1]
                guard pipe(&ends) == 0 else {
                    let code = errno
                    for descriptor in pipes.joined() { Glibc.close(descriptor) }
                    return .failure(.notStarted(executable, code: code))
                }
                pipes.append(ends)
            }
            for pipe in pipes[1...] { _ = fcntl(pipe[0], F_SETFL, O_NONBLOCK) }
            closeAllInChildren()
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_adddup2(&actions, pipes[0][0], 0)
            posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 1)
            posix_spawn_file_actions_adddup2(&actions, pipes[2][1], 2)
            var process: pid_t = 0
            let code = spawn(
                &process, executable, ["pd-agent"] + command.dropFirst(),
                // A crash is told in one line, not by a picture of the stack.
                environment: [
                    "LC_ALL=C", "PATH=" + Machine.searchPath.joined(separator: ":"),
                    "SWIFT_BACKTRACE=enable=no",
                ],
                &actions, flags: Int32(POSIX_SPAWN_SETPGROUP))
            for descriptor in [pipes[0][0], pipes[1][1], pipes[2][1]] { Glibc.close(descriptor) }
            guard code == 0 else {
                for descriptor in [pipes[0][1], pipes[1][0], pipes[2][0]] { Glibc.close(descriptor) }
                return .failure(.notStarted(executable, code: code))
            }
            return .success((process, pipes[0][1], [pipes[1][0], pipes[2][0]]))
        }
        return try started.get()
    }

    /// Starts a process with our own input, outputs and environment.
    ///
    /// - Parameter arguments: beginning with the program's name.
    static func startInheriting(_ executable: String, _ arguments: [String]) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // As this process was started.
        let variables = ((try? Files.read("/proc/self/environ")) ?? []).split(separator: 0)
            .map { String(decoding: $0, as: UTF8.self) }
        var process: pid_t = 0
        let code = spawn(
            &process, executable, arguments, environment: variables, &actions,
            flags: Int32(POSIX_SPAWN_SETPGROUP))
        return code == 0 ? process : nil
    }

    /// Marks every descriptor of this process but the first three to be closed in children. What we open is marked
    /// anyway; this is for what our own parent left open.
    private static func closeAllInChildren() {
        // Without /proc there is nothing to go by, and what we opened ourselves is marked.
        for name in (try? Files.names(in: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
    }

    private static func hasEnded(_ process: pid_t) -> Bool {
        var information = siginfo_t()
        let result = waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT)
        return result == 0 && information.si_signo == SIGCHLD
    }

    /// The macros of wait(2): the exit code, or the signal's number negated.
    static func returncode(_ status: Int32) -> Int32 {
        status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    }
}

/// Reads the two outputs of a child as they come.
private struct OutputReader {
    enum Overrun {
        case time, size, processes, memory
    }

    enum State {
        case fine, tooLong
    }

    let limit: Int
    var descriptors: [Int32]
    var content: [[UInt8]]

    init(_ descriptors: [Int32], limit: Int) {
        self.descriptors = descriptors
        self.limit = limit
        content = descriptors.map { _ in [] }
    }

    var isOpen: Bool { descriptors.contains { $0 >= 0 } }

    func wait(milliseconds: Int32) {
        // poll() passes over negative descriptors; with all closed it only waits.
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        poll(&polled, nfds_t(polled.count), milliseconds)
    }

    mutating func readAvailable() -> State {
        for index in descriptors.indices {
            while descriptors[index] >= 0 {
                let descriptor = descriptors[index]
                var result = 0
                let chunk = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, count in
                    result = retryingInterrupts { read(descriptor, buffer.baseAddress, buffer.count) }
                    count = max(0, result)
                }
                if result < 0, errno == EAGAIN { break }
                if result <= 0 {
                    Glibc.close(descriptor)
                    descriptors[index] = -1
                    break
                }
                content[index] += chunk.prefix(limit - content[index].count + 1)
                if content[index].count > limit {
                    content[index].removeLast()
                    return .tooLong
                }
            }
        }
        return .fine
    }

    mutating func close() {
        for index in descriptors.indices where descriptors[index] >= 0 {
            Glibc.close(descriptors[index])
            descriptors[index] = -1
        }
    }
}

/// Lends texts as the NULL-terminated array that C wants.
private func withCStrings<R>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
) -> R {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
}
