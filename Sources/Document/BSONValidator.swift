/// Why bytes are not a BSON document.
public enum BSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes end too early, or a length points outside of what holds it.
    case badLength(offset: Int)
    /// A type byte that BSON 1.1 does not know.
    case unknownType(UInt8, offset: Int)
    /// Text that is not UTF-8.
    case notUTF8(offset: Int)
    /// A truth value other than 0 and 1, or a missing closing NUL.
    case badValue(offset: Int)
    /// Nested deeper than ``Document/maximumDepth``.
    case tooDeep(offset: Int)

    /// One line for people.
    public var description: String {
        switch self {
        case .badLength(let offset): "not a BSON document: wrong length at byte \(offset)"
        case .unknownType(let type, let offset): "not a BSON document: unknown type \(type) at byte \(offset)"
        case .notUTF8(let offset): "not a BSON document: text at byte \(offset) is not UTF-8"
        case .badValue(let offset): "not a BSON document: wrong value at byte \(offset)"
        case .tooDeep(let offset): "BSON document nested too deep at byte \(offset)"
        }
    }
}

/// Checks every length, type and string of a document before anything else reads it.
enum BSONValidator {
    static func check(_ bytes: [UInt8]) throws(BSONError) {
        let result: Result<Void, BSONError> = bytes.withUnsafeBytes { buffer in
            do throws(BSONError) {
                try document(buffer, from: 0, to: buffer.count, depth: 1)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Recursion is bounded by ``Document/maximumDepth``.
    private static func document(
        _ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int, depth: Int
    ) throws(BSONError) {
        guard depth <= Document.maximumDepth else { throw .tooDeep(offset: start) }
        guard end - start >= 5, end - start <= Int(Int32.max),
            Int(BSONCursor.int32(at: start, in: bytes)) == end - start
        else { throw .badLength(offset: start) }
        guard bytes[end - 1] == 0 else { throw .badValue(offset: end - 1) }
        var position = start + 4
        while position < end - 1 {
            let type = bytes[position]
            position = try cstring(bytes, from: position + 1, to: end - 1)
            position = try value(bytes, type: type, at: position, to: end - 1, depth: depth)
        }
    }

    /// The offset behind a value, which must lie before `end`.
    private static func value(
        _ bytes: UnsafeRawBufferPointer, type: UInt8, at offset: Int, to end: Int, depth: Int
    ) throws(BSONError) -> Int {
        switch type {
        case BSONType.double, BSONType.date, BSONType.timestamp, BSONType.int64:
            return try advance(offset, by: 8, to: end)
        case BSONType.int32: return try advance(offset, by: 4, to: end)
        case BSONType.objectID: return try advance(offset, by: 12, to: end)
        case BSONType.decimal128: return try advance(offset, by: 16, to: end)
        case BSONType.null, BSONType.undefined, BSONType.minKey, BSONType.maxKey: return offset
        case BSONType.bool:
            let next = try advance(offset, by: 1, to: end)
            guard bytes[offset] <= 1 else { throw .badValue(offset: offset) }
            return next
        case BSONType.string, BSONType.code, BSONType.symbol: return try string(bytes, at: offset, to: end)
        case BSONType.dbPointer: return try advance(try string(bytes, at: offset, to: end), by: 12, to: end)
        case BSONType.binary:
            let start = try advance(offset, by: 5, to: end)
            return try advance(start, by: try length(bytes, at: offset, to: end), to: end)
        case BSONType.regex:
            return try cstring(bytes, from: try cstring(bytes, from: offset, to: end), to: end)
        case BSONType.document, BSONType.array:
            let next = try advance(offset, by: try length(bytes, at: offset, to: end), to: end)
            try document(bytes, from: offset, to: next, depth: depth + 1)
            return next
        case BSONType.codeWithScope:
            let next = try advance(offset, by: try length(bytes, at: offset, to: end), to: end)
            let scope = try string(bytes, at: try advance(offset, by: 4, to: next), to: next)
            try document(bytes, from: scope, to: next, depth: depth + 1)
            return next
        default: throw .unknownType(type, offset: offset)
        }
    }

    private static func advance(_ offset: Int, by count: Int, to end: Int) throws(BSONError) -> Int {
        guard count >= 0, count <= end - offset else { throw .badLength(offset: offset) }
        return offset + count
    }

    private static func length(_ bytes: UnsafeRawBufferPointer, at offset: Int, to end: Int) throws(BSONError)
        -> Int
    {
        guard end - offset >= 4 else { throw .badLength(offset: offset) }
        return Int(BSONCursor.int32(at: offset, in: bytes))
    }

    /// The offset behind a length-prefixed string with its NUL.
    private static func string(_ bytes: UnsafeRawBufferPointer, at offset: Int, to end: Int) throws(BSONError)
        -> Int
    {
        let count = try length(bytes, at: offset, to: end)
        guard count >= 1 else { throw .badLength(offset: offset) }
        let next = try advance(try advance(offset, by: 4, to: end), by: count, to: end)
        guard bytes[next - 1] == 0 else { throw .badValue(offset: next - 1) }
        guard isUTF8(bytes[(offset + 4)..<(next - 1)]) else { throw .notUTF8(offset: offset) }
        return next
    }

    /// The offset behind a string that ends in NUL.
    private static func cstring(_ bytes: UnsafeRawBufferPointer, from offset: Int, to end: Int)
        throws(BSONError) -> Int
    {
        var index = offset
        while index < end, bytes[index] != 0 { index += 1 }
        guard index < end else { throw .badLength(offset: offset) }
        guard isUTF8(bytes[offset..<index]) else { throw .notUTF8(offset: offset) }
        return index + 1
    }

    static func isUTF8(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        let buffer = UnsafeRawBufferPointer(rebasing: bytes)
        if buffer.allSatisfy({ $0 < 0x80 }) { return true }
        return String(validating: buffer, as: UTF8.self) != nil
    }
}
