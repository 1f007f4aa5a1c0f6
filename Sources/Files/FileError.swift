import Glibc

/// A system call on a file that failed.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried: `read`, `write`, `list` and so on.
    public let operation: String
    /// The file or directory.
    public let path: String
    /// The system's error number.
    public let code: Int32
    /// Where the file is longer than what is read: the most that is, in bytes.
    public let limit: Int?

    /// An error of that call.
    public init(operation: String, path: String, code: Int32, limit: Int? = nil) {
        self.operation = operation
        self.path = path
        self.code = code
        self.limit = limit
    }

    /// Whether there is no such file or directory.
    public var isAbsence: Bool { code == ENOENT || code == ENOTDIR }

    /// One line for people.
    public var description: String {
        let reason = limit.map { "it is longer than the \($0) bytes that are read" } ?? systemMessage(code)
        return "cannot \(operation) \(path): \(reason)"
    }
}

/// The system's text for an error number.
public func systemMessage(_ code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
}
