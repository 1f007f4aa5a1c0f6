import Foundation
import PDCrypto
import PDToolSupport

/// Where a new password comes from: the terminal, without showing it, or one line of standard input. Never an argument,
/// never the environment, which other processes can read.
enum PasswordInput {
    private static let limit = 1024

    /// Asks twice on a terminal.
    static func new(for user: String) throws -> SecretBytes {
        guard isatty(STDIN_FILENO) == 1 else { return try line(from: STDIN_FILENO) }
        let first = try ask("New password for \(Table.printable(user)): ")
        guard try ask("The same again: ") == first else {
            throw ToolFailure(.usage, "the two passwords differ: nothing was changed")
        }
        return first
    }

    private static func ask(_ question: String) throws -> SecretBytes {
        // Signals wait until the terminal shows again what is typed.
        var held = sigset_t()
        var before = sigset_t()
        sigemptyset(&held)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] { sigaddset(&held, signal) }
        pthread_sigmask(SIG_BLOCK, &held, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
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
        return try line(from: STDIN_FILENO)
    }

    /// Byte by byte: what follows the line belongs to somebody else.
    private static func line(from descriptor: Int32) throws -> SecretBytes {
        var bytes = [UInt8](repeating: 0, count: limit)
        defer {
            bytes.withUnsafeMutableBytes { buffer in
                if let start = buffer.baseAddress { explicit_bzero(start, buffer.count) }
            }
        }
        var count = 0
        while true {
            guard count < limit else {
                throw ToolFailure(.usage, "a password has at most \(limit - 1) bytes")
            }
            let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + count }, 1) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw ToolFailure(.failed, "the password could not be read") }
            if got == 0 || bytes[count] == UInt8(ascii: "\n") { break }
            count += 1
        }
        guard count > 0 else { throw ToolFailure(.usage, "the password is empty: nothing was changed") }
        return try SecretBytes(copying: bytes[..<count])
    }
}
