import Logging
import PDDocument

/// One event of the log, before it has a form.
struct LogLine: Sendable {
    /// The most that a line may have, in bytes: what receivers of syslog take at least unless told otherwise.
    static let maximumBytes = 8 << 10

    /// When, in milliseconds since 1970-01-01 UTC.
    let time: Int64
    let level: Logger.Level
    let message: String
    /// By name.
    let metadata: [(key: String, value: String)]

    /// For people: `2026-11-23T07:00:00.000Z warning submit: host=h status=403`.
    var text: String { "\(Timestamp.text(milliseconds: time)) \(body)" }

    /// The same without its time, for logs that have their own.
    var body: String {
        var text = "\(level.rawValue) \(Self.printable(message))"
        for (index, (key, value)) in metadata.enumerated() {
            text += index == 0 ? ": " : " "
            text += "\(Self.printable(key))=\(Self.quoted(value))"
        }
        return text
    }

    /// For programs: one JSON object.
    var json: String {
        var fields: [(String, Value)] = [
            ("time", .date(milliseconds: time)), ("level", .string(level.rawValue)),
            ("message", .string(message)),
        ]
        for (key, value) in metadata {
            let isTaken = ["time", "level", "message"].contains(key)
            fields.append((isTaken ? "_\(key)" : key, .string(value)))
        }
        return Document(fields).json()
    }

    /// The line in a form of it, of at most so many bytes. Of one that is longer the message and the values are cut, and
    /// each that is ends with `[cut]`.
    func fitted(_ form: KeyPath<LogLine, String>, bytes: Int = maximumBytes) -> String {
        let text = self[keyPath: form]
        guard text.utf8.count > bytes else { return text }
        var kept = bytes / 2
        while kept > 0 {
            let shorter = cut(to: kept)[keyPath: form]
            if shorter.utf8.count <= bytes { return shorter }
            kept /= 2
        }
        return LogLine(time: time, level: level, message: "[cut]", metadata: [])[keyPath: form]
    }

    private func cut(to characters: Int) -> LogLine {
        LogLine(
            time: time, level: level, message: message.cut(to: characters),
            metadata: metadata.map { ($0.key, $0.value.cut(to: characters)) })
    }

    /// A value as it is where it is one word, else as a JSON string.
    private static func quoted(_ value: String) -> String {
        let isWord =
            !value.isEmpty
            && value.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C && $0 != 0x3D }
        return isWord ? value : Value.string(value).json()
    }

    /// Text on one line, without what a terminal would obey: what a peer chose must not look like a line of its own.
    private static func printable(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        return isPlain ? text : String(Value.string(text).json().dropFirst().dropLast())
    }
}

extension Logger.Level {
    /// The severity of syslog (RFC 5424, section 6.2.1).
    var severity: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
