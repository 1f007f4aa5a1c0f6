import PDBasics
import PDDocument
import PDStore
import PDToolSupport

/// One host on one screen: who it is, when it reported, and what each collector found.
struct HostReport {
    private var lines: [String] = []

    init(_ host: FleetHost) {
        lines.append("Host       \(host.hostname)")
        lines.append("Id         \(host.id)")
        lines.append("Reported   \(readable(host.submittedAt))")
        if let collected = host.document["collected_at"]?.milliseconds {
            lines.append("Collected  \(readable(collected))")
        }
        for (title, field) in [("What was collected", "plugins"), ("Results of commands", "commands")] {
            guard let results = host.document[field]?.document,
                results.contains(where: { $0.key != "submitted_at" })
            else { continue }
            lines.append("")
            lines.append(title)
            for (name, value) in results where name != "submitted_at" { add(name, value, depth: 1) }
        }
    }

    var text: String { lines.map(\.printable).joined(separator: "\n") }

    private mutating func add(_ name: String, _ value: Value, depth: Int) {
        let indent = String(repeating: "  ", count: depth)
        switch value {
        case .document(let document) where !document.isEmpty:
            lines.append("\(indent)\(name)")
            for (key, inner) in document where key != "submitted_at" { add(key, inner, depth: depth + 1) }
        case .array(let values) where values.contains(where: { $0.document != nil || $0.array != nil }):
            lines.append("\(indent)\(name)")
            for element in values { add("-", compact(element), depth: depth + 1) }
        default: lines.append("\(indent)\(name): \(plain(value))")
        }
    }

    /// A list's element on one line.
    private func compact(_ value: Value) -> Value {
        guard let document = value.document else { return value }
        return .string(document.map { "\($0.key) \(plain($0.value))" }.joined(separator: ", "))
    }

    private func plain(_ value: Value) -> String {
        switch value {
        case .string(let text): text
        case .array(let values): values.isEmpty ? "none" : values.map(plain).joined(separator: ", ")
        case .bool(let flag): flag ? "yes" : "no"
        case .null: "-"
        case .date(let milliseconds): readable(milliseconds)
        default: value.json()
        }
    }
}
