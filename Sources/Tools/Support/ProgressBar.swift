import Glibc

/// How far something is that takes a while: a line on standard error, where that is a terminal.
public final class ProgressBar {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shown = ""

    /// A bar that shows nothing yet.
    public init() {}

    /// Shows that so much of it is done.
    public func show(_ what: String, _ done: Int, of total: Int) {
        guard isTerminal, total > 0 else { return }
        let width = 40
        let part = min(done, total)
        let filled = Int(Double(width) * Double(part) / Double(total))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let text = "\r\(what) [\(bar)] \(Int(100 * Double(part) / Double(total))) %"
        guard text != shown else { return }
        shown = text
        put(text)
    }

    /// Ends the line.
    public func finish() {
        if !shown.isEmpty { put("\n") }
        shown = ""
    }

    private func put(_ text: String) {
        // A terminal that is gone needs no bar.
        _ = Array(text.utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
