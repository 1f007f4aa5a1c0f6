import PDBasics
import PDCrypto
import PDDocument
import PDProtocol

extension OrderDraft {
    /// The most bytes of a file's text that are shown.
    static let shownBytes = 16 << 10

    /// The order in words, for whoever is about to sign it: hosts, files and command. What a terminal would obey is shown
    /// as `?`.
    package var words: String {
        var lines = ["Order \(statement.id) for the fleet \(statement.fleet)"]
        let hosts = statement.hosts.map(\.name)
        lines.append("  hosts (\(hosts.count)): \(hosts.joined(separator: ", "))")
        lines.append(
            "  written \(Moment(seconds: statement.created).readable), expires \(Moment(seconds: statement.expires).readable)"
        )
        switch statement.kind {
        case .files:
            for file in files {
                lines.append(
                    file.mode == 0
                        ? "  takes away \(file.path)"
                        : "  puts \(file.path), \(file.content.count) bytes, mode \(String(file.mode, radix: 8)), SHA-256 \(hexadecimal(SHA256.hash(file.content)))"
                )
                if file.mode != 0 { lines += shown(file.content) }
            }
        case .command(let command):
            lines.append(
                "  runs the command \(command.name) as root, for at most \(command.timeLimit) seconds, \(tries(command))"
            )
            for file in files {
                lines.append(
                    "  its program, \(file.content.count) bytes, SHA-256 \(hexadecimal(SHA256.hash(file.content))):"
                )
                lines += shown(file.content)
            }
        }
        return lines.joined(separator: "\n")
    }

    private func tries(_ command: OrderStatement.Command) -> String {
        switch command.attempts {
        case nil: "again and again until it ends with 0"
        case 1: "once"
        case .some(let count): "up to \(count) times until it ends with 0"
        }
    }

    /// The text of a file, line by line; that it is none, where it is none.
    private func shown(_ content: [UInt8]) -> [String] {
        guard let text = String(validating: content.prefix(Self.shownBytes), as: UTF8.self),
            !content.contains(0)
        else { return ["    (not text)"] }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
            "    | " + String($0).printable
        }
        return content.count <= Self.shownBytes
            ? lines : lines + ["    (\(content.count - Self.shownBytes) more bytes)"]
    }
}

extension Moment {
    /// For people: `2024-06-02 00:00:00Z`.
    package var readable: String {
        let text = Timestamp.text(milliseconds: milliseconds)
        return text.prefix(10) + " " + text.dropFirst(11).prefix(8) + "Z"
    }
}
