import Glibc

/// A failure that ends the program: one line that says what was wrong, where, and what to do.
struct ToolError: Error {
    let message: String
    /// 1: the thing itself failed or does not verify; 2: bad usage.
    let exitCode: Int32

    init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }

    /// A failed system call.
    init(_ what: String, _ path: String, errno code: Int32) {
        self.init("\(what) \(Printable.path(path)): \(String(cString: strerror(code)))")
    }

    static func usage(_ message: String) -> ToolError { ToolError(message, exitCode: 2) }
}
