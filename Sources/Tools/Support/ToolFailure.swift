/// Why a tool stops: one line for people, and the code it exits with.
public struct ToolFailure: Error, CustomStringConvertible {
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

    /// What the process exits with.
    public let code: Code
    /// What was wrong, where, and what to do.
    public let description: String

    /// A failure with its line.
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
