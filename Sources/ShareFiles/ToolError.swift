import Glibc

/// A failure that ends what was asked for: one line that says what was wrong, where, and what to do.
package struct ToolError: Error {
    package let message: String
    /// 1: the thing itself failed or does not fit; 2: bad usage; 3: input or output; 5: written, but unproved.
    package let exitCode: Int32

    package init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }

    /// A failed system call.
    package init(_ what: String, _ path: String, errno code: Int32) {
        self.init("\(what) \(Printable.path(path)): \(String(cString: strerror(code)))", exitCode: 3)
    }

    package static func usage(_ message: String) -> ToolError { ToolError(message, exitCode: 2) }
    package static func unproved(_ message: String) -> ToolError { ToolError(message, exitCode: 5) }
}
