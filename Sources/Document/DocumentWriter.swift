/// Builds a document field by field.
public struct DocumentWriter {
    var bytes: [UInt8] = [0, 0, 0, 0]

    /// Starts an empty document.
    public init() {}

    /// Adds a field at the end. A key must not contain a NUL byte; one that does is cut there, since BSON ends keys so.
    public mutating func append(_ key: String, _ value: Value) {
        header(value.bsonType, key)
        append(value)
    }

    /// The document; the writer may go on afterwards.
    public consuming func finish() -> Document {
        close(from: 0)
        return Document(trusted: bytes)
    }

    private mutating func header(_ type: UInt8, _ key: String) {
        bytes.append(type)
        bytes.append(contentsOf: key.utf8.prefix { $0 != 0 })
        bytes.append(0)
    }

    private mutating func append(_ value: Value) {
        switch value {
        case .double(let number): bytes.append(littleEndian: number.bitPattern)
        case .string(let text): appendString(text)
        case .document(let document): document.withUnsafeBytes { bytes.append(contentsOf: $0) }
        case .array(let values):
            let start = open()
            for (index, element) in values.enumerated() {
                header(element.bsonType, String(index))
                append(element)
            }
            close(from: start)
        case .binary(let subtype, let content):
            bytes.append(littleEndian: Int32(clamping: content.count))
            bytes.append(subtype)
            bytes.append(contentsOf: content)
        case .objectID(let identifier):
            bytes.append(contentsOf: identifier.prefix(12))
            bytes.append(contentsOf: repeatElement(0, count: Swift.max(0, 12 - identifier.count)))
        case .bool(let flag): bytes.append(flag ? 1 : 0)
        case .date(let milliseconds): bytes.append(littleEndian: milliseconds)
        case .null: break
        case .regex(let pattern, let options):
            bytes.append(contentsOf: pattern.utf8.prefix { $0 != 0 })
            bytes.append(0)
            bytes.append(contentsOf: options.utf8.prefix { $0 != 0 })
            bytes.append(0)
        case .int32(let number): bytes.append(littleEndian: number)
        case .int64(let number): bytes.append(littleEndian: number)
        case .other(_, let content): bytes.append(contentsOf: content)
        }
    }

    private mutating func appendString(_ text: String) {
        bytes.append(littleEndian: Int32(clamping: text.utf8.count + 1))
        bytes.append(contentsOf: text.utf8)
        bytes.append(0)
    }

    /// Leaves room for a length; the answer is where.
    mutating func open() -> Int {
        let start = bytes.count
        bytes.append(contentsOf: [0, 0, 0, 0])
        return start
    }

    /// Ends the document that began there and writes its length.
    mutating func close(from start: Int) {
        bytes.append(0)
        let length = Int32(clamping: bytes.count - start).littleEndian
        withUnsafeBytes(of: length) { source in
            for offset in 0..<4 { bytes[start + offset] = source[offset] }
        }
    }
}

extension Value {
    var bsonType: UInt8 {
        switch self {
        case .double: BSONType.double
        case .string: BSONType.string
        case .document: BSONType.document
        case .array: BSONType.array
        case .binary: BSONType.binary
        case .objectID: BSONType.objectID
        case .bool: BSONType.bool
        case .date: BSONType.date
        case .null: BSONType.null
        case .regex: BSONType.regex
        case .int32: BSONType.int32
        case .int64: BSONType.int64
        case .other(let type, _): type
        }
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
