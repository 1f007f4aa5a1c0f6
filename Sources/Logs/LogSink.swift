import Glibc

/// Where lines go at last. Called from one thread at a time, never from an event loop.
protocol LogSink: AnyObject {
    /// Writes one line, or throws it away: a log that cannot be written must not stop the program.
    func write(_ line: LogLine)
}

/// Standard error. Under systemd each line begins with its priority (sd-daemon(3)), which the journal takes.
final class StandardErrorSink: LogSink {
    private let json: Bool
    private let isJournal: Bool

    init(json: Bool, isJournal: Bool = getenv("JOURNAL_STREAM") != nil) {
        self.json = json
        self.isJournal = isJournal
    }

    func write(_ line: LogLine) {
        let bytes = Array(text(line).utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(STDERR_FILENO, $0.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            written += count
        }
    }

    /// The journal has the time and the priority itself.
    func text(_ line: LogLine) -> String {
        let text = line.fitted(json ? \.json : isJournal ? \.body : \.text)
        return "\(isJournal ? "<\(line.level.severity)>" : "")\(text)\n"
    }
}
