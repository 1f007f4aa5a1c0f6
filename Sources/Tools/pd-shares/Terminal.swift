import Glibc
import PDSecrets
import PDShamir
import PDShareFiles

/// What the tool says to people, and what it asks them.
enum Terminal {
    static func standardOutputIsTerminal() -> Bool { isatty(STDOUT_FILENO) == 1 }
    static func standardInputIsTerminal() -> Bool { isatty(STDIN_FILENO) == 1 }

    /// Writes a line to standard output.
    static func say(_ text: String) throws(ToolError) {
        try put(text + "\n", STDOUT_FILENO, "standard output")
    }

    /// Writes a line to standard error. Where even that fails there is nobody left to tell.
    static func note(_ text: String) { try? put(text + "\n", STDERR_FILENO, "standard error") }

    /// Writes a prompt to standard error.
    static func prompt(_ text: String) { try? put(text, STDERR_FILENO, "standard error") }

    private static func put(_ text: String, _ descriptor: Int32, _ name: String) throws(ToolError) {
        var text = text
        let result = text.withUTF8 { bytes -> ToolError? in
            do throws(ToolError) {
                try NewFiles.write(UnsafeRawBufferPointer(bytes), to: descriptor, name)
                return nil
            } catch {
                return error
            }
        }
        if let result { throw result }
    }

    /// Reads a line without its line feed; nil at the end. At most 4096 bytes, longer lines are an error.
    ///
    /// - Parameters:
    ///   - name: what to call the input in messages.
    ///   - wait: waits for the next byte; false for none, which is as the end of the input.
    static func readLine(
        from descriptor: Int32, named name: String,
        wait: () throws(ToolError) -> Bool = { () throws(ToolError) in true }
    ) throws(ToolError) -> SecretBytes? {
        var buffer = SecretBytes(count: 4096)
        let count = try buffer.withUnsafeMutableBytes { buffer throws(ToolError) -> Int? in
            var count = 0
            while true {
                guard count < buffer.count else {
                    throw ToolError("\(name): a line is longer than 4096 bytes")
                }
                guard try wait() else { return count == 0 ? nil : count }
                let result = read(descriptor, buffer.baseAddress?.advanced(by: count), 1)
                if result < 0 {
                    if errno == EINTR { continue }
                    throw ToolError("cannot read", name, errno: errno)
                }
                if result == 0 { return count == 0 ? nil : count }
                if buffer[count] == 0x0a { return count }
                count += 1
            }
        }
        guard let count else { return nil }
        return buffer.withUnsafeBytes { SecretBytes(copying: $0[..<count]) }
    }

    /// Clears the screen and what was scrolled away (ED 2 and xterm's ED 3).
    static func clear() {
        prompt("\u{1b}[H\u{1b}[2J\u{1b}[3J")
        note("Cleared. tmux and screen keep lines of their own (tmux clear-history): close their window too.")
    }

    /// A line from the terminal in answer to a question; nil at its end.
    static func ask(_ question: String) throws(ToolError) -> String? {
        prompt(question)
        return try readLine(from: STDIN_FILENO, named: "the terminal")?.withUnsafeBytes {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Asks for a passphrase on the controlling terminal, without showing it; nil for an empty line. A signal that ends or stops the program
    /// finds the terminal as it was; after a stop the question comes again.
    static func askPassphrase(_ question: String) throws(ToolError) -> SecretBytes? {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else {
            throw ToolError(
                "a passphrase is needed and there is no terminal to ask for it: use --passphrase-fd")
        }
        defer { close(terminal) }
        while true {
            let answer = try askHidden(question, terminal)
            if !answer.interrupted { return answer.line }
        }
    }

    /// - Returns: whether a signal came, which is delivered on return; no line for an empty one.
    private static func askHidden(
        _ question: String, _ terminal: Int32
    ) throws(ToolError) -> (line: SecretBytes?, interrupted: Bool) {
        let signals = HeldSignals()
        defer { signals.release() }
        var shown = termios()
        guard tcgetattr(terminal, &shown) == 0 else {
            throw ToolError("cannot use", "/dev/tty", errno: errno)
        }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        guard tcsetattr(terminal, TCSAFLUSH, &hidden) == 0 else {
            throw ToolError("cannot use", "/dev/tty", errno: errno)
        }
        defer { tcsetattr(terminal, TCSAFLUSH, &shown) }
        try put(question, terminal, "/dev/tty")
        var interrupted = false
        let line = try readLine(from: terminal, named: "/dev/tty") { () throws(ToolError) in
            interrupted = try !signals.waitForInput(terminal)
            return !interrupted
        }
        try put("\n", terminal, "/dev/tty")
        if interrupted { return (nil, true) }
        return (line.flatMap { $0.count > 0 ? $0 : nil }, false)
    }

    /// Milliseconds without input after which nobody is typing or pasting any more.
    private static let settling: Int32 = 300

    /// Whether a line waits in a terminal's input, or comes at once, as the next one of a paste does.
    static func moreComes(from terminal: Int32) -> Bool {
        var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        // One whose window was closed is always ready, and has nothing any more.
        return poll(&waiting, 1, settling) > 0
            && waiting.revents & Int16(POLLIN | POLLHUP | POLLERR) == POLLIN
    }

    /// Throws away what waits in a terminal's input and what still arrives of a paste: the shell would take it for
    /// commands.
    static func discardInput(of terminal: Int32) {
        // A terminal that has another program in front is that program's.
        let inFront = tcgetpgrp(terminal)
        guard inFront < 0 || inFront == getpgrp() else { return }
        let end = ContinuousClock.now + .seconds(5)
        repeat { tcflush(terminal, TCIFLUSH) } while moreComes(from: terminal) && ContinuousClock.now < end
        // A line without its end does not count as input.
        tcflush(terminal, TCIFLUSH)
    }
}
