import PDDocument
import PDQuery
import PDSettings
import PDStore

/// A query that is written in YAML, or in JSON, which is YAML too.
struct QueryNode {
    let file: String

    /// The query as a document that ``Query`` accepts.
    ///
    /// - Throws: ``SettingsError`` with the line of the place at fault.
    func query(_ node: SettingsNode) throws(SettingsError) -> Document {
        guard case .document(let document) = try value(node, depth: 1) else {
            throw error(node, "a query must be a mapping")
        }
        do {
            _ = try Query(document, now: 0)
        } catch let refusal {
            throw SettingsError(file: file, line: line(of: refusal.place, in: node), message: "\(refusal)")
        }
        return document
    }

    // MARK: Values

    private func value(_ node: SettingsNode, depth: Int) throws(SettingsError) -> Value {
        guard depth <= Document.maximumDepth else { throw error(node, "the query is nested too deep") }
        switch node.content {
        case .scalar(let scalar): return try scalarValue(scalar, node)
        case .sequence(let elements):
            var values: [Value] = []
            for element in elements { values.append(try value(element, depth: depth + 1)) }
            return .array(values)
        case .mapping(let entries):
            var writer = DocumentWriter()
            for entry in entries {
                guard !entry.name.utf8.contains(0) else {
                    throw SettingsError(
                        file: file, line: entry.place?.line,
                        message: "a name in a query must be plain text")
                }
                writer.append(entry.name, try value(entry.value, depth: depth + 1))
            }
            return .document(writer.finish())
        }
    }

    /// Text in quotation marks is text. Without them it is what it is in JSON, and otherwise text where all readers of
    /// YAML agree that it is: to some of them `off` is false, `010` is 8 and `1:30` is 90.
    private func scalarValue(_ scalar: SettingsScalar, _ node: SettingsNode) throws(SettingsError) -> Value {
        guard !scalar.isQuoted else { return .string(scalar.text) }
        switch scalar.text {
        case "null", "~", "": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: break
        }
        if let number = number(scalar.text) { return number }
        guard scalar.isText else {
            throw error(
                node,
                "\(scalar.text) means different things to different readers: write it in quotation marks, or as JSON writes it"
            )
        }
        return .string(scalar.text)
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

    /// The line of a place of the query, or of the last one on the way that exists.
    private func line(of steps: [QueryError.Step], in node: SettingsNode) -> Int? {
        var line = node.line
        var inside = node
        for step in steps {
            switch (step, inside.content) {
            case (.name(let name), .mapping(let entries)):
                guard let entry = entries.first(where: { $0.name == name }) else { return line }
                line = entry.place?.line
                inside = entry.value
            case (.index(let index), .sequence(let elements)) where elements.indices.contains(index):
                inside = elements[index]
                line = inside.line
            default: return line
            }
        }
        return line
    }

    private func error(_ node: SettingsNode, _ message: String) -> SettingsError {
        SettingsError(file: file, line: node.line, message: message)
    }
}
