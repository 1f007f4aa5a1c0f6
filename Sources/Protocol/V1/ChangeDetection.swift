import PDDocument

extension V1 {
    /// What a submission changed on its host.
    ///
    /// Names that end in `_at` say when something was seen, which is no change, and are passed over at every depth.
    /// Of a value under a name that ends in `-encrypted` only the `hash` is compared, since each encryption of the same
    /// text looks different.
    public enum ChangeDetection {
        /// Compares a host's document with the one that takes its place.
        ///
        /// The order of fields does not matter, that of list elements does. An integer is the same in 32 and in 64
        /// bits; an integer and a double are of different types.
        ///
        /// - Returns: all differences down to the element of a list, and the audit-trail records that they make, in
        ///   which a list is one value. Both in the order of their names by code point, level by level; the values in
        ///   the records are without the names that were passed over.
        public static func compare(
            old: Document, new: Document
        ) -> (differences: [Difference], changes: [Change]) {
            old.withUnsafeBytes { left in
                new.withUnsafeBytes { right in
                    guard !left.isSame(as: right) else { return ([], []) }
                    var comparison = Comparison()
                    comparison.documents(left, right)
                    return comparison.result()
                }
            }
        }
    }
}

/// One walk over two documents. Recursion is bounded by ``Document/maximumDepth``.
///
/// It looks at fields in the order in which they lie, which is mostly the same in both, and sorts what it finds in the
/// end: a walk that finds nothing allocates almost nothing.
private struct Comparison {
    /// Where the walk is, for people: `a.b[2].c`.
    private var path: [UInt8] = []
    /// Where the walk is, for sorting: each name after a NUL, which no name contains; each list index in four bytes.
    private var place: [UInt8] = []
    /// How many lists the walk is inside of: there, changes belong to the outermost list.
    private var listDepth = 0
    private var differences: [(place: [UInt8], difference: V1.Difference)] = []
    private var changes: [(place: [UInt8], change: V1.Change)] = []

    consuming func result() -> (differences: [V1.Difference], changes: [V1.Change]) {
        differences.sort { $0.place.lexicographicallyPrecedes($1.place) }
        changes.sort { $0.place.lexicographicallyPrecedes($1.place) }
        return (differences.map(\.difference), changes.map(\.change))
    }

    // MARK: Documents

    mutating func documents(_ old: UnsafeRawBufferPointer, _ new: UnsafeRawBufferPointer) {
        var left = BSONCursor(document: old)
        var right = BSONCursor(document: new)
        var hasLeft = left.next()
        var hasRight = right.next()
        while hasLeft, hasRight {
            if left.isTime {
                hasLeft = left.next()
            } else if right.isTime {
                hasRight = right.next()
            } else {
                if !left.fieldBytes.isSame(as: right.fieldBytes) {
                    guard left.keyBytes.isSame(as: right.keyBytes) else { break }
                    field(left, right)
                }
                hasLeft = left.next()
                hasRight = right.next()
            }
        }
        guard hasLeft || hasRight else { return }
        // From here on the names differ: something came, went or moved.
        let olds = left.remaining(hasCurrent: hasLeft)
        let news = right.remaining(hasCurrent: hasRight)
        var index = 0
        for new in news {
            while index < olds.count, olds[index].keyBytes.lexicographicallyPrecedes(new.keyBytes) {
                lone(olds[index], .deleted, .deleted)
                index += 1
            }
            if index < olds.count, olds[index].keyBytes.isSame(as: new.keyBytes) {
                if !olds[index].fieldBytes.isSame(as: new.fieldBytes) { field(olds[index], new) }
                index += 1
            } else {
                lone(new, .added, .added)
            }
        }
        for old in olds[index...] { lone(old, .deleted, .deleted) }
    }

    /// A field that only one of the two has.
    private mutating func lone(_ cursor: BSONCursor, _ kind: V1.Difference.Kind, _ change: V1.Change.Kind) {
        enter(cursor.keyBytes) { comparison in
            comparison.report(kind)
            comparison.record(
                change, old: change == .deleted ? cursor : nil, new: change == .added ? cursor : nil)
        }
    }

    /// A field that both have, not encoded alike.
    private mutating func field(_ old: BSONCursor, _ new: BSONCursor) {
        if let left = old.integer, let right = new.integer, left == right { return }
        enter(new.keyBytes) { comparison in
            let before = comparison.differences.count
            if !old.isSameKind(as: new) {
                comparison.report(.typeChanged)
            } else if new.keyBytes.ends(with: "-encrypted") {
                if !Self.haveSameHash(old, new) { comparison.report(.changed) }
            } else if new.type == BSONType.document {
                return comparison.documents(old.valueBytes, new.valueBytes)
            } else if new.type == BSONType.array {
                comparison.lists(old.valueBytes, new.valueBytes)
            } else {
                comparison.report(.changed)
            }
            if comparison.differences.count > before { comparison.record(.changed, old: old, new: new) }
        }
    }

    /// Values without a hash have nothing that could be compared.
    private static func haveSameHash(_ old: BSONCursor, _ new: BSONCursor) -> Bool {
        guard old.type == BSONType.document else { return true }
        let left = old.hashField
        let right = new.hashField
        guard let left, let right else { return left == nil && right == nil }
        return left.type == right.type && left.valueBytes.isSame(as: right.valueBytes)
    }

    // MARK: Lists

    private mutating func lists(_ old: UnsafeRawBufferPointer, _ new: UnsafeRawBufferPointer) {
        let oldCount = BSONCursor.count(old)
        let newCount = BSONCursor.count(new)
        guard oldCount == newCount else {
            path += "[]".utf8
            report(.lengthChanged)
            path.removeLast(2)
            return
        }
        var left = BSONCursor(document: old)
        var right = BSONCursor(document: new)
        listDepth += 1
        var index = 0
        while left.next(), right.next() {
            element(left, right, index)
            index += 1
        }
        listDepth -= 1
    }

    private mutating func element(_ old: BSONCursor, _ new: BSONCursor, _ index: Int) {
        if old.type == new.type, old.valueBytes.isSame(as: new.valueBytes) { return }
        if let left = old.integer, let right = new.integer, left == right { return }
        let (pathCount, placeCount) = (path.count, place.count)
        path += "[\(index)]".utf8
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: index).bigEndian) { place.append(contentsOf: $0) }
        if old.type == BSONType.document, new.type == BSONType.document {
            documents(old.valueBytes, new.valueBytes)
        } else if !Self.areSame(old, new) {
            report(.changed)
        }
        path.removeLast(path.count - pathCount)
        place.removeLast(place.count - placeCount)
    }

    /// Whether two elements of a list that is itself the element of a list are the same.
    private static func areSame(_ old: BSONCursor, _ new: BSONCursor) -> Bool {
        guard old.type == BSONType.array, new.type == BSONType.array else { return false }
        var inner = Comparison()
        inner.listDepth = 1
        inner.lists(old.valueBytes, new.valueBytes)
        return inner.differences.isEmpty
    }

    // MARK: Findings

    private mutating func enter(_ key: UnsafeRawBufferPointer, _ body: (inout Comparison) -> Void) {
        let (pathCount, placeCount) = (path.count, place.count)
        if !place.isEmpty { path.append(UInt8(ascii: ".")) }
        path.append(contentsOf: key)
        place.append(0)
        place.append(contentsOf: key)
        body(&self)
        path.removeLast(path.count - pathCount)
        place.removeLast(place.count - placeCount)
    }

    private mutating func report(_ kind: V1.Difference.Kind) {
        differences.append((place, V1.Difference(path: String(decoding: path, as: UTF8.self), kind: kind)))
    }

    private mutating func record(_ kind: V1.Change.Kind, old: BSONCursor?, new: BSONCursor?) {
        guard listDepth == 0 else { return }
        let key = String(decoding: path, as: UTF8.self)
        let change = V1.Change(
            key: key, kind: kind, old: old?.value.withoutTimes, new: new?.value.withoutTimes)
        changes.append((place, change))
    }
}

extension BSONCursor {
    /// Whether the current field says when something was seen.
    fileprivate var isTime: Bool { keyBytes.ends(with: "_at") }

    /// The current field and those behind it that are compared, by name.
    fileprivate func remaining(hasCurrent: Bool) -> [BSONCursor] {
        guard hasCurrent else { return [] }
        var fields: [BSONCursor] = []
        var cursor = self
        repeat {
            if !cursor.isTime { fields.append(cursor) }
        } while cursor.next()
        fields.sort { $0.keyBytes.lexicographicallyPrecedes($1.keyBytes) }
        return fields
    }

    fileprivate static func count(_ list: UnsafeRawBufferPointer) -> Int {
        var cursor = BSONCursor(document: list)
        var count = 0
        while cursor.next() { count += 1 }
        return count
    }

    /// The `hash` of the document that is the current value.
    fileprivate var hashField: BSONCursor? {
        var cursor = BSONCursor(document: valueBytes)
        while cursor.next() {
            if cursor.keyBytes.elementsEqual("hash".utf8) { return cursor }
        }
        return nil
    }

    /// The current value, where it is a whole number of either size.
    fileprivate var integer: Int64? {
        switch type {
        case BSONType.int32: Int64(Int32(littleEndian: valueBytes.loadUnaligned(as: Int32.self)))
        case BSONType.int64: Int64(littleEndian: valueBytes.loadUnaligned(as: Int64.self))
        default: nil
        }
    }

    fileprivate func isSameKind(as other: BSONCursor) -> Bool {
        type == other.type || (integer != nil && other.integer != nil)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func ends(with ending: StaticString) -> Bool {
        let length = ending.utf8CodeUnitCount
        guard count >= length else { return false }
        for index in 0..<length where self[count - length + index] != ending.utf8Start[index] { return false }
        return true
    }
}

extension Value {
    /// The value without the names that end in `_at` in any document inside.
    fileprivate var withoutTimes: Value {
        switch self {
        case .document(let document):
            .document(
                Document(
                    document.lazy.filter { !$0.key.hasSuffix("_at") }.map { ($0.key, $0.value.withoutTimes) })
            )
        case .array(let values): .array(values.map(\.withoutTimes))
        default: self
        }
    }
}
