import Glibc

/// An error that knows what the process exits with. Its description is one line for people.
public protocol ExitCoded: Error, CustomStringConvertible {
    /// What the process exits with.
    var exitCode: Int32 { get }
}

/// Why a tool stops: one line for people, and the code it exits with.
public struct ToolFailure: ExitCoded {
    /// The exit codes that all tools share.
    public enum Code: Int32, Sendable {
        /// The thing itself failed or does not verify.
        case failed = 1
        /// Wrong arguments or settings.
        case usage = 2
        /// The server or the database could not be reached.
        case unreachable = 3
        /// Refused: authentication.
        case refused = 4
    }

    /// The reason in one of the shared codes.
    public let code: Code
    /// What was wrong, where, and what to do.
    public let description: String

    /// What the process exits with.
    public var exitCode: Int32 { code.rawValue }

    /// A failure with its line.
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Says something on standard error that does not end the tool.
    public static func warn(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
