import Foundation

/// A program with a pseudo-terminal for its controlling terminal, and the person at it. No wait is without an end, and the
/// terminal is read all the time: a program that nobody reads would stop in the middle of a line.
package final class TerminalSession {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let program: StartedProgram
    private let ours: Int32
    /// Held open, so that what the program wrote last can be read after its end.
    private let theirs: Int32
    /// What the terminal has shown since the last answer.
    private var shown: [UInt8] = []

    private let patience: TimeInterval

    /// - Parameters:
    ///   - command: the program's path and its arguments. On a terminal Swift's runtime takes SIGQUIT for a crash, and
    ///     its report of one takes longer than a test waits: it is switched off.
    ///   - patience: seconds after which nothing is waited for any longer, on a machine that does much else.
    package init(_ command: [String], in directory: URL, patience: TimeInterval = 120) throws {
        self.patience = patience
        var name = [CChar](repeating: 0, count: 128)
        var ends: (ours: Int32, theirs: Int32) = (-1, -1)
        guard openpty(&ends.ours, &ends.theirs, &name, nil, nil) == 0 else {
            throw Failure(description: "no pseudo-terminal: \(String(cString: strerror(errno)))")
        }
        (ours, theirs) = ends
        _ = fcntl(ours, F_SETFL, O_NONBLOCK)
        let path = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do {
            program = try StartedProgram(
                command, in: directory, streams: .terminal(path: path),
                environment: ["SWIFT_BACKTRACE": "enable=no"])
        } catch {
            close(ours)
            close(theirs)
            throw error
        }
    }

    deinit {
        program.killAll()
        close(ours)
        close(theirs)
    }

    /// Whether what is typed shows.
    package var echoes: Bool {
        var settings = termios()
        return tcgetattr(ours, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) != 0
    }

    /// Waits for an event, a tenth of a second at most, and takes what the terminal shows.
    private func pump(_ events: Int32) -> Bool {
        var ready = pollfd(fd: ours, events: Int16(events | POLLIN), revents: 0)
        guard poll(&ready, 1, 100) > 0 else { return false }
        if ready.revents & Int16(POLLIN) != 0 {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = Glibc.read(ours, &buffer, buffer.count)
            if count > 0 { shown += buffer[..<count] }
        }
        return ready.revents & Int16(events) != 0
    }

    /// Repeats something until it holds.
    private func wait(for what: @autoclosure () -> String, until holds: () -> Bool) throws {
        let end = Date().addingTimeInterval(patience)
        while !holds() {
            guard Date() < end else {
                throw Failure(
                    description: "\(what()): not in \(patience) seconds; the terminal shows: "
                        + String(decoding: shown, as: UTF8.self))
            }
        }
    }

    /// Types a text, as fast as the terminal takes it.
    package func type(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        try wait(for: "the terminal takes no more") {
            if !rest.isEmpty, pump(POLLOUT) {
                let count = rest.withUnsafeBytes { write(ours, $0.baseAddress, min($0.count, 1024)) }
                if count > 0 { rest = rest.dropFirst(count) }
            }
            return rest.isEmpty
        }
    }

    /// What the terminal shows, up to the end of `text`. What it shows behind that is for the next call.
    @discardableResult
    package func read(until text: String) throws -> String {
        var end: Int?
        try wait(for: "expected \"\(text)\"") {
            end = shown.firstRange(of: Array(text.utf8))?.upperBound
            if end == nil { _ = pump(0) }
            return end != nil
        }
        let answer = shown[..<(end ?? 0)]
        shown.removeFirst(answer.count)
        return String(decoding: answer, as: UTF8.self)
    }

    package func waitForEcho(_ wanted: Bool) throws {
        try wait(for: wanted ? "an echo" : "no echo") {
            if echoes != wanted { _ = pump(0) }
            return echoes == wanted
        }
    }

    /// The process that a shell started; the program itself where it is no shell.
    package func child() throws -> pid_t {
        let parent = program.processIdentifier
        let file = URL(filePath: "/proc/\(parent)/task/\(parent)/children")
        let children = try String(contentsOf: file, encoding: .utf8)
        return children.split(separator: " ").first.flatMap { pid_t($0) } ?? parent
    }

    /// Waits for the program's end.
    ///
    /// - Returns: its exit status, or 128 and the signal's number, as shells have it.
    package func status() throws -> Int32 {
        try wait(for: "the program's end") {
            if program.isRunning { _ = pump(0) }
            return !program.isRunning
        }
        guard let end = program.wait() else { throw Failure(description: "the program had to be killed") }
        return end.signal.map { 128 + $0 } ?? end.status
    }
}
