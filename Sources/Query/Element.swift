import Glibc
import PDDocument

/// A value where it lies in a document's bytes, or the absence of one.
struct Element {
    /// The BSON type; 0 where there is no value.
    let type: UInt8
    let bytes: UnsafeRawBufferPointer

    static var missing: Element { Element(type: 0, bytes: UnsafeRawBufferPointer(start: nil, count: 0)) }

    var isMissing: Bool { type == 0 }

    /// BSON types that are compared with each other share a class. The order of the classes is MongoDB's
    /// (<https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/>); a missing value and the
    /// deprecated undefined are one class.
    var comparisonClass: Int {
        switch type {
        case BSONType.minKey: -1
        case 0, BSONType.undefined: 0
        case BSONType.null: 1
        case BSONType.int32, BSONType.int64, BSONType.double: 2
        // Not compared with the other numbers, see docs/query.md.
        case BSONType.decimal128: 3
        case BSONType.string, BSONType.symbol: 4
        case BSONType.document: 5
        case BSONType.array: 6
        case BSONType.binary: 7
        case BSONType.objectID: 8
        case BSONType.bool: 9
        case BSONType.date: 10
        case BSONType.timestamp: 11
        case BSONType.regex: 12
        case BSONType.dbPointer: 13
        case BSONType.code: 14
        case BSONType.codeWithScope: 15
        default: 16
        }
    }

    /// The text of a string.
    var text: UnsafeRawBufferPointer? {
        guard type == BSONType.string || type == BSONType.symbol else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[4..<(bytes.count - 1)])
    }
}

// MARK: - Comparing

extension Element {
    /// Whether the value compares so with what the query names. Values of different classes do not compare, but null
    /// equals a missing value.
    func holds(_ comparison: Test.Operator, _ other: Element) -> Bool {
        let (left, right) = (comparisonClass, other.comparisonClass)
        guard left == right else {
            return left + right == 1 && min(left, right) == 0 && comparison != .less && comparison != .greater
        }
        if isNaN || other.isNaN {
            return isNaN && other.isNaN && comparison != .less && comparison != .greater
        }
        let order = order(other)
        return switch comparison {
        case .equal: order == 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }

    /// Negative, zero or positive as this comes before, with or after the other. Recursion is bounded by
    /// ``Document/maximumDepth``.
    private func order(_ other: Element) -> Int {
        let difference = comparisonClass - other.comparisonClass
        guard difference == 0 else { return difference }
        switch type {
        case BSONType.double, BSONType.int32, BSONType.int64: return Number(self).order(Number(other))
        case BSONType.bool: return Int(bytes[0]) - Int(other.bytes[0])
        case BSONType.date: return Self.sign(int64, other.int64)
        case BSONType.timestamp:
            return Self.sign(UInt64(bitPattern: int64), UInt64(bitPattern: other.int64))
        case BSONType.string, BSONType.symbol: return Self.order(text, other.text)
        case BSONType.document: return Self.documentOrder(bytes, other.bytes, names: true)
        case BSONType.array: return Self.documentOrder(bytes, other.bytes, names: false)
        case BSONType.binary:
            let counts = bytes.count - other.bytes.count
            return counts != 0 ? counts : Self.order(bytes, other.bytes)
        default: return Self.order(bytes, other.bytes)
        }
    }

    /// Field by field in their order: first the class, then the name, then the value.
    private static func documentOrder(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, names: Bool
    ) -> Int {
        var lefts = BSONCursor(document: left)
        var rights = BSONCursor(document: right)
        while true {
            let (hasLeft, hasRight) = (lefts.next(), rights.next())
            guard hasLeft, hasRight else { return (hasLeft ? 1 : 0) - (hasRight ? 1 : 0) }
            let (element, other) = (lefts.element, rights.element)
            let classes = element.comparisonClass - other.comparisonClass
            guard classes == 0 else { return classes }
            if names {
                let order = order(lefts.keyBytes, rights.keyBytes)
                guard order == 0 else { return order }
            }
            let order = element.order(other)
            guard order == 0 else { return order }
        }
    }

    private static func order(_ left: UnsafeRawBufferPointer?, _ right: UnsafeRawBufferPointer?) -> Int {
        guard let left, let right else { return (left == nil ? 0 : 1) - (right == nil ? 0 : 1) }
        if let first = left.baseAddress, let second = right.baseAddress {
            let order = Int(memcmp(first, second, min(left.count, right.count)))
            guard order == 0 else { return order }
        }
        return left.count - right.count
    }

    fileprivate static func sign<Number: Comparable>(_ left: Number, _ right: Number) -> Int {
        left < right ? -1 : left > right ? 1 : 0
    }

    fileprivate var int64: Int64 { Int64(littleEndian: bytes.loadUnaligned(as: Int64.self)) }

    private var isNaN: Bool {
        type == BSONType.double && Double(bitPattern: UInt64(bitPattern: int64)).isNaN
    }
}

/// A number of any type, compared by its exact value.
private enum Number {
    case integer(Int64)
    case double(Double)

    init(_ element: Element) {
        switch element.type {
        case BSONType.int32:
            self = .integer(Int64(Int32(littleEndian: element.bytes.loadUnaligned(as: Int32.self))))
        case BSONType.int64: self = .integer(element.int64)
        default: self = .double(Double(bitPattern: UInt64(bitPattern: element.int64)))
        }
    }

    /// NaN comes before all numbers and with itself.
    func order(_ other: Number) -> Int {
        switch (self, other) {
        case (.integer(let left), .integer(let right)): Element.sign(left, right)
        case (.double(let left), .double(let right)):
            left.isNaN || right.isNaN
                ? (right.isNaN ? 1 : 0) - (left.isNaN ? 1 : 0) : Element.sign(left, right)
        case (.integer(let left), .double(let right)): Self.order(left, right)
        case (.double(let left), .integer(let right)): -Self.order(right, left)
        }
    }

    /// Without rounding the integer to a double, which would make 2^53 + 1 equal to 2^53.
    private static func order(_ integer: Int64, _ double: Double) -> Int {
        if double.isNaN { return 1 }
        if double >= 0x1p63 { return -1 }
        if double < -0x1p63 { return 1 }
        let whole = double.rounded(.towardZero)
        let order = Element.sign(integer, Int64(whole))
        return order != 0 ? order : Element.sign(whole, double)
    }
}

extension BSONCursor {
    /// The current field's value, where it lies.
    var element: Element { Element(type: type, bytes: valueBytes) }
}
