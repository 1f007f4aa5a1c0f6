/// An immutable BSON document: the one form in which reports are compared, matched and stored.
///
/// The bytes are checked once, when they come in; from then on every read may rely on them. A nested document shares
/// the bytes of the one that holds it. Field order is kept, since it is the order in which a peer signed it.
///
/// Layout: BSON 1.1 (<https://bsonspec.org/spec.html>).
public struct Document: Sendable {
    let storage: [UInt8]
    let start: Int
    let end: Int

    /// Bytes that are known to be a valid document.
    init(trusted storage: [UInt8], start: Int, end: Int) {
        self.storage = storage
        self.start = start
        self.end = end
    }

    /// Bytes that are known to be a valid document.
    init(trusted storage: [UInt8]) {
        self.init(trusted: storage, start: 0, end: storage.count)
    }

    /// The document without fields.
    public init() {
        self.init(trusted: [5, 0, 0, 0, 0])
    }

    /// A document with these fields in this order. A key must not contain a NUL byte; one that does is cut there.
    public init(_ fields: some Sequence<(String, Value)>) {
        var writer = DocumentWriter()
        for (key, value) in fields { writer.append(key, value) }
        self = writer.finish()
    }

    /// A document from BSON bytes of unknown origin.
    ///
    /// - Parameter bson: exactly one document, at most 2 GiB, nested at most ``Document/maximumDepth`` deep.
    /// - Throws: ``BSONError`` with the offset of the first byte that does not fit.
    public init(bson: [UInt8]) throws(BSONError) {
        try BSONValidator.check(bson)
        self.init(trusted: bson)
    }

    /// How deep documents and arrays may be nested, in JSON as in BSON. MongoDB's own limit is 100.
    public static let maximumDepth = 100

    /// The document's BSON encoding.
    public var bson: [UInt8] {
        start == 0 && end == storage.count ? storage : Array(storage[start..<end])
    }

    /// The size of the encoding, in bytes.
    public var byteCount: Int { end - start }

    /// Whether there is no field.
    public var isEmpty: Bool { byteCount == 5 }

    /// Lends the encoding without a copy.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let result: Result<R, E> = storage.withUnsafeBytes { all in
            do throws(E) {
                return .success(try body(UnsafeRawBufferPointer(rebasing: all[start..<end])))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

// MARK: - Reading

extension Document: Sequence {
    /// One key with its value.
    public typealias Element = (key: String, value: Value)

    /// Walks the fields in their order.
    public struct Iterator: IteratorProtocol {
        let document: Document
        var position: Int

        /// The next field, or nothing at the end.
        public mutating func next() -> Element? {
            document.storage.withUnsafeBytes { bytes in
                var cursor = BSONCursor(bytes, at: position, end: document.end)
                guard cursor.next() else { return nil }
                position = cursor.position
                return (cursor.key, cursor.value(sharing: document.storage))
            }
        }
    }

    /// Walks the fields in their order.
    public func makeIterator() -> Iterator {
        Iterator(document: self, position: start + 4)
    }

    /// The value of the first field with that name.
    public subscript(key: String) -> Value? {
        var wanted = key
        return wanted.withUTF8 { name in
            storage.withUnsafeBytes { bytes in
                var cursor = BSONCursor(bytes, at: start + 4, end: end)
                while cursor.next() {
                    if cursor.keyIs(name) { return cursor.value(sharing: storage) }
                }
                return nil
            }
        }
    }

    /// The value at a path of field names through nested documents.
    public subscript(path: [String]) -> Value? {
        guard let first = path.first else { return .document(self) }
        guard let value = self[first] else { return nil }
        if path.count == 1 { return value }
        guard case .document(let inner) = value else { return nil }
        return inner[Array(path.dropFirst())]
    }

    /// The names of the fields, in their order.
    public var keys: [String] { map(\.key) }
}

// MARK: - Making changed copies

extension Document {
    /// This document with the named field set: in its place where it exists, else at the end. `nil` removes it. Names are
    /// compared byte by byte.
    public func setting(_ key: String, to value: Value?) -> Document {
        var writer = DocumentWriter()
        var found = false
        for (name, old) in self {
            if !name.utf8.elementsEqual(key.utf8) {
                writer.append(name, old)
            } else if !found {
                found = true
                if let value { writer.append(key, value) }
            }
        }
        if !found, let value { writer.append(key, value) }
        return writer.finish()
    }
}

extension Document: Equatable, Hashable {
    /// Equal where the encodings are: same fields, same order, same types.
    public static func == (left: Document, right: Document) -> Bool {
        left.storage[left.start..<left.end] == right.storage[right.start..<right.end]
    }

    /// Hashes the encoding.
    public func hash(into hasher: inout Hasher) {
        withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension Document: ExpressibleByDictionaryLiteral {
    /// A document with these fields in this order.
    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init(elements)
    }
}

extension Document: CustomStringConvertible {
    /// The document as JSON on one line.
    public var description: String { json() }
}
