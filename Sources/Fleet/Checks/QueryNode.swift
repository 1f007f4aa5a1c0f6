import PDDocument
import PDSettings
import PDStore
import Yams

/// A query that is written in YAML, or in JSON, which is YAML too.
struct QueryNode {
    let file: String

    /// The query as a document that ``Query`` accepts.
    ///
    /// - Throws: ``SettingsError`` with the line of the place at fault.
    func query(_ node: Node) throws(SettingsError) -> Document {
        guard case .document(let document) = try value(node, depth: 1) else {
            throw error(node, "a query must be a mapping")
        }
        do {
            _ = try Query(document, now: 0)
        } catch let refusal {
            throw error(place(refusal.place, in: node), "\(refusal)")
        }
        return document
    }

    // MARK: Values

    private func value(_ node: Node, depth: Int) throws(SettingsError) -> Value {
        guard depth <= Document.maximumDepth else { throw error(node, "the query is nested too deep") }
        switch node {
        case .scalar(let scalar): return try scalarValue(scalar, node)
        case .sequence(let sequence):
            var values: [Value] = []
            for element in sequence { values.append(try value(element, depth: depth + 1)) }
            return .array(values)
        case .mapping(let mapping):
            var writer = DocumentWriter()
            for (key, inner) in mapping {
                guard case .scalar(let name) = key, !name.string.utf8.contains(0) else {
                    throw error(key, "a name in a query must be plain text")
                }
                writer.append(name.string, try value(inner, depth: depth + 1))
            }
            return .document(writer.finish())
        case .alias: throw error(node, "a query cannot refer to another place of the file")
        }
    }

    /// Text in quotation marks is text. Without them it is what it is in JSON, and otherwise text where all readers of
    /// YAML agree that it is: to some of them `off` is false, `010` is 8 and `1:30` is 90.
    private func scalarValue(_ scalar: Node.Scalar, _ node: Node) throws(SettingsError) -> Value {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "null", "~", "": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: break
        }
        if let number = number(scalar.string) { return number }
        guard node.tag == Tag(.str) else {
            throw error(
                node,
                "\(scalar.string) means different things to different readers: write it in quotation marks, or as JSON writes it"
            )
        }
        return .string(scalar.string)
    }

    /// A number as JSON writes it.
    private func number(_ text: String) -> Value? {
        guard let first = text.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else {
            return nil
        }
        // What is no number in JSON is no number here, and is judged as text by the caller.
        return (try? Document(json: Array("{\"\":\(text)}".utf8)))?[""]
    }

    // MARK: Places

    /// The node at a place of the query, or the last one on the way that exists.
    private func place(_ steps: [QueryError.Step], in node: Node) -> Node {
        var found = node
        var inside = node
        for step in steps {
            switch (step, inside) {
            case (.name(let name), .mapping(let mapping)):
                guard let pair = mapping.first(where: { $0.key.scalar?.string == name }) else { return found }
                found = pair.key
                inside = pair.value
            case (.index(let index), .sequence(let sequence)) where sequence.indices.contains(index):
                found = sequence[index]
                inside = sequence[index]
            default: return found
            }
        }
        return found
    }

    private func error(_ node: Node, _ message: String) -> SettingsError {
        SettingsError(file: file, line: node.mark?.line, message: message)
    }
}
