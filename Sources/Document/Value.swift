/// A value of a BSON field.
public enum Value: Sendable, Hashable {
    /// IEEE 754, 64 bits.
    case double(Double)
    /// UTF-8 text.
    case string(String)
    /// A nested document.
    case document(Document)
    /// A list.
    case array([Value])
    /// Bytes with the subtype that the writer gave them.
    case binary(subtype: UInt8, bytes: [UInt8])
    /// A 12-byte identifier, as MongoDB makes them.
    case objectID([UInt8])
    /// True or false.
    case bool(Bool)
    /// A point in time: milliseconds since 1970-01-01 UTC.
    case date(milliseconds: Int64)
    /// Null.
    case null
    /// A regular expression with its option letters.
    case regex(pattern: String, options: String)
    /// A 32-bit integer.
    case int32(Int32)
    /// A 64-bit integer.
    case int64(Int64)
    /// A type that this software carries along but does not look into, by its BSON type number.
    case other(type: UInt8, bytes: [UInt8])

    /// An integer in the smallest type that holds it.
    public static func int(_ value: Int) -> Value {
        Int32(exactly: value).map(Value.int32) ?? .int64(Int64(value))
    }
}

// MARK: - Comparing

extension Value {
    /// Equal where type and content are, text byte by byte: to Swift, two spellings of one Unicode text are equal; they are
    /// two to everything that stores or signs them. A number that is none equals nothing.
    public static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.double(let left), .double(let right)): left == right
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.document(let left), .document(let right)): left == right
        case (.array(let left), .array(let right)): left == right
        case (.binary(let leftType, let left), .binary(let rightType, let right)):
            leftType == rightType && left == right
        case (.objectID(let left), .objectID(let right)): left == right
        case (.bool(let left), .bool(let right)): left == right
        case (.date(let left), .date(let right)): left == right
        case (.null, .null): true
        case (.regex(let left, let leftOptions), .regex(let right, let rightOptions)):
            left.utf8.elementsEqual(right.utf8) && leftOptions.utf8.elementsEqual(rightOptions.utf8)
        case (.int32(let left), .int32(let right)): left == right
        case (.int64(let left), .int64(let right)): left == right
        case (.other(let leftType, let left), .other(let rightType, let right)):
            leftType == rightType && left == right
        default: false
        }
    }
}

// MARK: - Reading one type

extension Value {
    /// The text, where this is text.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The document, where this is one.
    public var document: Document? {
        if case .document(let document) = self { document } else { nil }
    }

    /// The list, where this is one.
    public var array: [Value]? {
        if case .array(let values) = self { values } else { nil }
    }

    /// The truth value, where this is one.
    public var bool: Bool? {
        if case .bool(let flag) = self { flag } else { nil }
    }

    /// The whole number, where this is one of either size.
    public var integer: Int? {
        switch self {
        case .int32(let number): Int(number)
        case .int64(let number): Int(number)
        default: nil
        }
    }

    /// Milliseconds since 1970-01-01 UTC, where this is a point in time.
    public var milliseconds: Int64? {
        if case .date(let milliseconds) = self { milliseconds } else { nil }
    }
}

// MARK: - Writing values down in code

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByNilLiteral
{
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An integer in the smallest type that holds it.
    public init(integerLiteral value: Int) { self = .int(value) }
    /// True or false.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A double.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// A list.
    public init(arrayLiteral elements: Value...) { self = .array(elements) }
    /// A nested document.
    public init(dictionaryLiteral elements: (String, Value)...) { self = .document(Document(elements)) }
    /// Null.
    public init(nilLiteral: ()) { self = .null }
}
