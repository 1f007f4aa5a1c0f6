extension Document {
    /// The document as JSON.
    ///
    /// Points in time are written as `2017-07-21T16:00:00.123Z`; what JSON has no form for is written as MongoDB's
    /// relaxed extended JSON does (`{"$oid": …}`, `{"$binary": …}`). Control characters are always escaped, so that the
    /// text is safe to show on a terminal.
    ///
    /// - Parameter pretty: one field a line, indented by two spaces, instead of all on one line.
    public func json(pretty: Bool = false) -> String {
        var writer = JSONWriter(indent: pretty)
        writer.write(document: self)
        return writer.text
    }
}

extension Value {
    /// The value as JSON, in the form that ``Document/json(pretty:)`` uses.
    public func json(pretty: Bool = false) -> String {
        var writer = JSONWriter(indent: pretty)
        writer.write(self)
        return writer.text
    }
}

private struct JSONWriter {
    let indent: Bool
    var text = ""
    var depth = 0

    init(indent: Bool) {
        self.indent = indent
    }

    mutating func write(document: Document) {
        list("{", "}", Array(document)) { writer, field in
            writer.quote(field.key)
            writer.text += writer.indent ? ": " : ":"
            writer.write(field.value)
        }
    }

    mutating func write(_ value: Value) {
        switch value {
        case .double(let number):
            if number.isFinite {
                text += "\(number)"
            } else {
                write(document: [
                    "$numberDouble": .string(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
                ])
            }
        case .string(let string): quote(string)
        case .document(let document): write(document: document)
        case .array(let values): list("[", "]", values) { $0.write($1) }
        case .binary(let subtype, let bytes):
            write(document: [
                "$binary": ["base64": .string(base64(bytes)), "subType": .string(hexadecimal([subtype]))]
            ])
        case .objectID(let bytes): write(document: ["$oid": .string(hexadecimal(bytes))])
        case .bool(let flag): text += flag ? "true" : "false"
        case .date(let milliseconds): quote(Timestamp.text(milliseconds: milliseconds))
        case .null: text += "null"
        case .regex(let pattern, let options):
            write(document: [
                "$regularExpression": ["pattern": .string(pattern), "options": .string(options)]
            ])
        case .int32(let number): text += "\(number)"
        case .int64(let number): text += "\(number)"
        case .other(let type, let bytes):
            write(document: ["$bson": ["type": .int(Int(type)), "bytes": .string(hexadecimal(bytes))]])
        }
    }

    private mutating func list<Item>(
        _ opening: String, _ closing: String, _ items: [Item], _ write: (inout JSONWriter, Item) -> Void
    ) {
        text += opening
        depth += 1
        for (index, item) in items.enumerated() {
            if index > 0 { text += "," }
            newLine()
            write(&self, item)
        }
        depth -= 1
        if !items.isEmpty { newLine() }
        text += closing
    }

    private mutating func newLine() {
        guard indent else { return }
        text += "\n" + String(repeating: "  ", count: depth)
    }

    private mutating func quote(_ string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            // C0, DEL, C1, and the characters that change the direction of text.
            case "\u{00}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{200E}", "\u{200F}", "\u{2028}"..."\u{202E}",
                "\u{2066}"..."\u{2069}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var result = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<Swift.min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            for place in 0..<4 {
                result.append(
                    place <= group.count ? alphabet[Int(bits >> (18 - 6 * UInt32(place)) & 63)] : "=")
            }
        }
        return result
    }
}
