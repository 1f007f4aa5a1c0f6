import Glibc

/// The type bytes of BSON 1.1.
public enum BSONType {
    /// IEEE 754, 64 bits.
    public static let double: UInt8 = 0x01
    /// UTF-8 text.
    public static let string: UInt8 = 0x02
    /// A nested document.
    public static let document: UInt8 = 0x03
    /// A list.
    public static let array: UInt8 = 0x04
    /// Bytes.
    public static let binary: UInt8 = 0x05
    /// Undefined; deprecated.
    public static let undefined: UInt8 = 0x06
    /// A 12-byte identifier.
    public static let objectID: UInt8 = 0x07
    /// True or false.
    public static let bool: UInt8 = 0x08
    /// Milliseconds since 1970-01-01 UTC.
    public static let date: UInt8 = 0x09
    /// Null.
    public static let null: UInt8 = 0x0A
    /// A regular expression.
    public static let regex: UInt8 = 0x0B
    /// A database pointer; deprecated.
    public static let dbPointer: UInt8 = 0x0C
    /// JavaScript.
    public static let code: UInt8 = 0x0D
    /// A symbol; deprecated.
    public static let symbol: UInt8 = 0x0E
    /// JavaScript with a scope; deprecated.
    public static let codeWithScope: UInt8 = 0x0F
    /// A 32-bit integer.
    public static let int32: UInt8 = 0x10
    /// MongoDB's internal timestamp.
    public static let timestamp: UInt8 = 0x11
    /// A 64-bit integer.
    public static let int64: UInt8 = 0x12
    /// IEEE 754 decimal, 128 bits.
    public static let decimal128: UInt8 = 0x13
    /// Less than everything.
    public static let minKey: UInt8 = 0xFF
    /// More than everything.
    public static let maxKey: UInt8 = 0x7F
}

/// Walks the fields of a document that has been checked, without an allocation per field.
///
/// For the inner loops of comparing and matching. Whoever makes one vouches that the bytes are a valid document and
/// outlive the cursor.
public struct BSONCursor {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    /// Where the next field begins, or the closing NUL.
    @usableFromInline var position: Int
    @usableFromInline let end: Int
    @usableFromInline var currentType: UInt8 = 0
    @usableFromInline var keyStart = 0
    @usableFromInline var keyEnd = 0
    @usableFromInline var valueStart = 0

    /// Starts before the first field; `position` is the document's first byte plus four, `end` one past its last.
    @inlinable init(_ bytes: UnsafeRawBufferPointer, at position: Int, end: Int) {
        self.bytes = bytes
        self.position = position
        self.end = end
    }

    /// Starts before the first field of the document that these bytes are.
    @inlinable public init(document bytes: UnsafeRawBufferPointer) {
        self.init(bytes, at: 4, end: bytes.count)
    }

    /// Goes to the next field; false where there is none.
    @inlinable public mutating func next() -> Bool {
        guard position < end - 1 else { return false }
        currentType = bytes[position]
        keyStart = position + 1
        var index = keyStart
        while bytes[index] != 0 { index += 1 }
        keyEnd = index
        valueStart = index + 1
        position = valueStart + BSONCursor.length(of: type, at: valueStart, in: bytes)
        return true
    }

    /// The current field's type byte.
    @inlinable public var type: UInt8 { currentType }

    /// The current field's name as bytes of UTF-8.
    @inlinable public var keyBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[keyStart..<keyEnd])
    }

    /// The current field as it is encoded: type, name and value.
    @inlinable public var fieldBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[(keyStart - 1)..<position])
    }

    /// The current field's value as it is encoded, without the type byte.
    @inlinable public var valueBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[valueStart..<position])
    }

    /// The current field's name.
    public var key: String { String(decoding: keyBytes, as: UTF8.self) }

    /// Whether the current field has that name.
    public func keyIs(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard keyEnd - keyStart == name.count else { return false }
        for offset in 0..<name.count where bytes[keyStart + offset] != name[offset] { return false }
        return true
    }

    /// The current field's value, with nested documents in bytes of their own, so that it may outlive the cursor's.
    public var value: Value {
        let copy = Array(valueBytes)
        return copy.withUnsafeBytes { BSONCursor(type: type, value: $0).value(sharing: copy) }
    }

    /// Stands on a field without a name whose value is all of the bytes.
    private init(type: UInt8, value bytes: UnsafeRawBufferPointer) {
        self.init(bytes, at: bytes.count, end: bytes.count)
        currentType = type
    }

    /// The current field's value; `storage` is the array that the cursor walks, which nested documents share.
    func value(sharing storage: [UInt8]) -> Value {
        switch type {
        case BSONType.double: return .double(Double(bitPattern: UInt64(bitPattern: int64(at: valueStart))))
        case BSONType.string: return .string(text(from: valueStart + 4, to: position - 1))
        case BSONType.document: return .document(Document(trusted: storage, start: valueStart, end: position))
        case BSONType.array:
            var inner = BSONCursor(bytes, at: valueStart + 4, end: position)
            var values: [Value] = []
            while inner.next() { values.append(inner.value(sharing: storage)) }
            return .array(values)
        case BSONType.binary:
            return .binary(subtype: bytes[valueStart + 4], bytes: Array(bytes[(valueStart + 5)..<position]))
        case BSONType.objectID: return .objectID(Array(valueBytes))
        case BSONType.bool: return .bool(bytes[valueStart] != 0)
        case BSONType.date: return .date(milliseconds: int64(at: valueStart))
        case BSONType.null: return .null
        case BSONType.regex:
            var middle = valueStart
            while bytes[middle] != 0 { middle += 1 }
            return .regex(
                pattern: text(from: valueStart, to: middle), options: text(from: middle + 1, to: position - 1)
            )
        case BSONType.int32: return .int32(BSONCursor.int32(at: valueStart, in: bytes))
        case BSONType.int64: return .int64(int64(at: valueStart))
        default: return .other(type: type, bytes: Array(valueBytes))
        }
    }

    private func text(from start: Int, to end: Int) -> String {
        String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private func int64(at offset: Int) -> Int64 {
        Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self))
    }

    @inlinable static func int32(at offset: Int, in bytes: UnsafeRawBufferPointer) -> Int32 {
        Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }

    /// How many bytes the value of that type takes, in bytes that have been checked.
    @inlinable static func length(of type: UInt8, at offset: Int, in bytes: UnsafeRawBufferPointer) -> Int {
        switch type {
        case BSONType.double, BSONType.date, BSONType.timestamp, BSONType.int64: return 8
        case BSONType.int32: return 4
        case BSONType.bool: return 1
        case BSONType.null, BSONType.undefined, BSONType.minKey, BSONType.maxKey: return 0
        case BSONType.objectID: return 12
        case BSONType.decimal128: return 16
        case BSONType.string, BSONType.code, BSONType.symbol: return 4 + Int(int32(at: offset, in: bytes))
        case BSONType.dbPointer: return 4 + Int(int32(at: offset, in: bytes)) + 12
        case BSONType.binary: return 5 + Int(int32(at: offset, in: bytes))
        case BSONType.document, BSONType.array, BSONType.codeWithScope:
            return Int(int32(at: offset, in: bytes))
        default:
            // A regular expression: two strings that end in NUL. The validator lets nothing else through.
            var index = offset
            while bytes[index] != 0 { index += 1 }
            index += 1
            while bytes[index] != 0 { index += 1 }
            return index + 1 - offset
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether both lend the same bytes.
    package func isSame(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let left = baseAddress, let right = other.baseAddress else { return true }
        return memcmp(left, right, count) == 0
    }
}
