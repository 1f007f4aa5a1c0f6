import Foundation
import PDBasics
import PDCrypto
import PDSecrets
import PDToolSupport

/// Where a new password comes from: the terminal, without showing it, or one line of standard input. Never an argument,
/// never the environment, which other processes can read.
enum PasswordInput {
    private static let limit = 1024

    /// Asks twice on a terminal.
    ///
    /// - Parameter what: the password of whom or of what, as in "New password for alice".
    static func new(_ what: String) throws -> SecretBytes {
        guard isatty(STDIN_FILENO) == 1 else { return try piped() }
        let first = try ask("New \(what.printable): ")
        guard try ask("The same again: ") == first else {
            throw ToolFailure(.usage, "the two entries differ: nothing was changed")
        }
        return first
    }

    /// Asks once.
    static func known(_ what: String) throws -> SecretBytes {
        guard isatty(STDIN_FILENO) == 1 else { return try piped() }
        return try ask("\(what.printable): ")
    }

    /// One line of standard input.
    private static func piped() throws -> SecretBytes {
        guard let line = try line(from: STDIN_FILENO, wait: { true }) else {
            throw ToolFailure(.usage, "the password is empty: nothing was changed")
        }
        return line
    }

    private static func ask(_ question: String) throws -> SecretBytes {
        while true {
            let signals = HeldSignals()
            let answer = Result { try askHidden(question, signals) }
            // Ends the process, as a rule. After a stop the question comes again.
            signals.deliver()
            if let line = try answer.get() { return line }
        }
    }

    /// - Returns: nil where a signal came; by then the terminal shows again what is typed.
    private static func askHidden(_ question: String, _ signals: HeldSignals) throws -> SecretBytes? {
        var shown = termios()
        guard tcgetattr(STDIN_FILENO, &shown) == 0 else {
            throw ToolFailure(.failed, "the terminal cannot be told to hide what is typed")
        }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 else {
            throw ToolFailure(.failed, "the terminal cannot be told to hide what is typed")
        }
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            FileHandle.standardError.write(Data("\n".utf8))
        }
        FileHandle.standardError.write(Data(question.utf8))
        return try line(from: STDIN_FILENO) {
            // The signal may be another thread's: it interrupts no call of this one.
            while signals.received == 0 {
                var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                let ready = poll(&waiting, 1, 100)
                guard ready >= 0 || errno == EINTR else {
                    throw ToolFailure(.failed, "the password could not be read")
                }
                if ready > 0 { return true }
            }
            return false
        }
    }

    /// Byte by byte: what follows the line belongs to somebody else.
    ///
    /// - Parameter wait: waits for the next byte; where it says no, there is no line.
    private static func line(
        from descriptor: Int32, wait: () throws -> Bool
    ) throws -> SecretBytes? {
        var bytes = SecretBytes(count: limit)
        var count = 0
        while true {
            guard count < limit else {
                throw ToolFailure(.usage, "a password has at most \(limit - 1) bytes")
            }
            guard try wait() else { return nil }
            let (got, byte) = bytes.withUnsafeMutableBytes { buffer in
                (read(descriptor, buffer.baseAddress.map { $0 + count }, 1), buffer[count])
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw ToolFailure(.failed, "the password could not be read") }
            if got == 0 || byte == UInt8(ascii: "\n") { break }
            count += 1
        }
        // Where a file with line ends of CR and LF was given; no terminal sends the first one.
        if count > 0, bytes.withUnsafeBytes({ $0[count - 1] }) == UInt8(ascii: "\r") { count -= 1 }
        guard count > 0 else { throw ToolFailure(.usage, "the password is empty: nothing was changed") }
        return bytes.withUnsafeBytes { SecretBytes(copying: $0[..<count]) }
    }
}
