/// Why bytes are not the JSON that this software accepts.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: String, Sendable {
        /// Not an object at the top.
        case notAnObject = "expected an object"
        /// A character that the grammar does not allow there.
        case unexpected = "unexpected character"
        /// The text ends too early.
        case endsEarly = "ends too early"
        /// Something follows the closing brace.
        case trailing = "something follows the object"
        /// A number beyond the range of a double.
        case numberOutOfRange = "number out of range"
        /// Text that is not UTF-8, or half of a surrogate pair.
        case notUnicode = "text is not valid Unicode"
        /// A control character in text that should have been escaped.
        case controlCharacter = "control character in text"
        /// The same name twice in one object.
        case duplicateKey = "name occurs twice in one object"
        /// A name with a NUL, which no document can hold.
        case nulInKey = "name contains a NUL character"
        /// Nested deeper than ``Document/maximumDepth``.
        case tooDeep = "nested too deep"
        /// More than a document can hold.
        case tooLong = "too long"
    }

    /// What is wrong.
    public let reason: Reason
    /// Where, in bytes from the start.
    public let offset: Int

    /// A reason with its place.
    public init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// One line for people, without any of the content.
    public var description: String { "JSON: \(reason.rawValue) at byte \(offset)" }
}

extension Document {
    /// Which strings of JSON text stand for points in time.
    public enum TimestampConvention: Sendable {
        /// None: strings stay strings.
        case none
        /// Those under a name that ends in `_at` and that ``Timestamp/milliseconds(_:)`` can read.
        case atSuffix
    }

    /// Reads one JSON object (RFC 8259) in one pass into a document.
    ///
    /// Whole numbers become 32-bit or 64-bit integers where they fit, the others the nearest double. Names stay in their
    /// order. What the RFC leaves open is refused here: names that occur twice, numbers beyond a double, unpaired
    /// surrogates.
    ///
    /// - Throws: ``JSONError`` with the place, never with the content.
    public init(json: [UInt8], timestamps: TimestampConvention = .none) throws(JSONError) {
        // A name and a value of one byte each grow to at most four times their size: `[1,1]` against type, name, NUL
        // and four bytes. Below this bound no length of the result can overflow 32 bits.
        guard json.count < 128 << 20 else { throw JSONError(reason: .tooLong, offset: json.count) }
        let result: Result<[UInt8], JSONError> = json.withUnsafeBufferPointer { buffer in
            do throws(JSONError) {
                var reader = JSONReader(input: buffer, timestamps: timestamps)
                return .success(try reader.readDocument())
            } catch {
                return .failure(error)
            }
        }
        self.init(trusted: try result.get())
    }
}

/// Turns JSON text into BSON bytes in one pass. Recursion is bounded by ``Document/maximumDepth``.
private struct JSONReader {
    let input: UnsafeBufferPointer<UInt8>
    let timestamps: Document.TimestampConvention
    var position = 0
    var writer: DocumentWriter

    init(input: UnsafeBufferPointer<UInt8>, timestamps: Document.TimestampConvention) {
        self.input = input
        self.timestamps = timestamps
        writer = DocumentWriter()
        writer.bytes.reserveCapacity(input.count + input.count / 2 + 64)
        writer.bytes.removeAll(keepingCapacity: true)
    }

    mutating func readDocument() throws(JSONError) -> [UInt8] {
        skipSpace()
        guard peek() == UInt8(ascii: "{") else { throw failure(.notAnObject) }
        try object(depth: 1)
        skipSpace()
        guard position == input.count else { throw failure(.trailing) }
        return writer.bytes
    }

    // MARK: Structure

    private mutating func object(depth: Int) throws(JSONError) {
        guard depth <= Document.maximumDepth else { throw failure(.tooDeep) }
        position += 1
        let start = writer.open()
        var names = NameSet(start: writer.bytes.count)
        skipSpace()
        if peek() == UInt8(ascii: "}") {
            position += 1
            writer.close(from: start)
            return
        }
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw failure(.unexpected) }
            let nameOffset = position
            let typeOffset = writer.bytes.count
            writer.bytes.append(0)
            let nameStart = writer.bytes.count
            try text()
            let nameEnd = writer.bytes.count
            guard !writer.bytes[nameStart..<nameEnd].contains(0) else {
                throw JSONError(reason: .nulInKey, offset: nameOffset)
            }
            writer.bytes.append(0)
            guard names.insert(nameStart..<nameEnd, in: writer.bytes) else {
                throw JSONError(reason: .duplicateKey, offset: nameOffset)
            }
            let isTimestamp =
                timestamps == .atSuffix && nameEnd - nameStart >= 3
                && writer.bytes[(nameEnd - 3)..<nameEnd].elementsEqual("_at".utf8)
            skipSpace()
            guard peek() == UInt8(ascii: ":") else { throw failure(.unexpected) }
            position += 1
            try value(typeAt: typeOffset, isTimestamp: isTimestamp, depth: depth)
            skipSpace()
            switch peek() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                writer.close(from: start)
                return
            default: throw failure(.unexpected)
            }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) {
        guard depth <= Document.maximumDepth else { throw failure(.tooDeep) }
        position += 1
        let start = writer.open()
        var index = 0
        skipSpace()
        if peek() == UInt8(ascii: "]") {
            position += 1
            writer.close(from: start)
            return
        }
        while true {
            let typeOffset = writer.bytes.count
            writer.bytes.append(0)
            appendDecimal(index)
            writer.bytes.append(0)
            try value(typeAt: typeOffset, isTimestamp: false, depth: depth)
            index += 1
            skipSpace()
            switch peek() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                writer.close(from: start)
                return
            default: throw failure(.unexpected)
            }
        }
    }

    private mutating func value(typeAt typeOffset: Int, isTimestamp: Bool, depth: Int) throws(JSONError) {
        skipSpace()
        guard let byte = peek() else { throw failure(.endsEarly) }
        switch byte {
        case UInt8(ascii: "{"):
            writer.bytes[typeOffset] = BSONType.document
            try object(depth: depth + 1)
        case UInt8(ascii: "["):
            writer.bytes[typeOffset] = BSONType.array
            try array(depth: depth + 1)
        case UInt8(ascii: "\""):
            try string(typeAt: typeOffset, isTimestamp: isTimestamp)
        case UInt8(ascii: "t"):
            try literal("true")
            writer.bytes[typeOffset] = BSONType.bool
            writer.bytes.append(1)
        case UInt8(ascii: "f"):
            try literal("false")
            writer.bytes[typeOffset] = BSONType.bool
            writer.bytes.append(0)
        case UInt8(ascii: "n"):
            try literal("null")
            writer.bytes[typeOffset] = BSONType.null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try number(typeAt: typeOffset)
        default: throw failure(.unexpected)
        }
    }

    // MARK: Leaves

    private mutating func string(typeAt typeOffset: Int, isTimestamp: Bool) throws(JSONError) {
        let lengthOffset = writer.open()
        try text()
        let start = lengthOffset + 4
        if isTimestamp, let milliseconds = Timestamp.milliseconds(writer.bytes[start...]) {
            writer.bytes.removeSubrange(lengthOffset...)
            writer.bytes[typeOffset] = BSONType.date
            writer.bytes.append(littleEndian: milliseconds)
            return
        }
        writer.bytes.append(0)
        let count = Int32(truncatingIfNeeded: writer.bytes.count - start).littleEndian
        withUnsafeBytes(of: count) { source in
            for offset in 0..<4 { writer.bytes[lengthOffset + offset] = source[offset] }
        }
        writer.bytes[typeOffset] = BSONType.string
    }

    /// Appends the text between the quotation marks, unescaped.
    private mutating func text() throws(JSONError) {
        position += 1
        let textOffset = position
        while true {
            var run = position
            var allBits: UInt8 = 0
            while run < input.count {
                let byte = input[run]
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
                allBits |= byte
                run += 1
            }
            guard run < input.count else { throw JSONError(reason: .endsEarly, offset: run) }
            let plain = UnsafeBufferPointer(rebasing: input[position..<run])
            if allBits >= 0x80, String(validating: plain, as: UTF8.self) == nil {
                throw JSONError(reason: .notUnicode, offset: textOffset)
            }
            writer.bytes.append(contentsOf: plain)
            position = run
            switch input[run] {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): try escape()
            default: throw failure(.controlCharacter)
            }
        }
    }

    private mutating func escape() throws(JSONError) {
        position += 1
        guard let character = peek() else { throw failure(.endsEarly) }
        position += 1
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): writer.bytes.append(character)
        case UInt8(ascii: "b"): writer.bytes.append(0x08)
        case UInt8(ascii: "f"): writer.bytes.append(0x0C)
        case UInt8(ascii: "n"): writer.bytes.append(0x0A)
        case UInt8(ascii: "r"): writer.bytes.append(0x0D)
        case UInt8(ascii: "t"): writer.bytes.append(0x09)
        case UInt8(ascii: "u"): try appendScalar()
        default:
            position -= 1
            throw failure(.unexpected)
        }
    }

    /// Four hexadecimal digits, or twice four for a character beyond the basic plane (RFC 8259, section 7).
    private mutating func appendScalar() throws(JSONError) {
        let first = try hexadecimal()
        var code = UInt32(first)
        if (0xD800..<0xDC00).contains(first) {
            guard peek() == UInt8(ascii: "\\"), position + 1 < input.count,
                input[position + 1] == UInt8(ascii: "u")
            else { throw failure(.notUnicode) }
            position += 2
            let second = try hexadecimal()
            guard (0xDC00..<0xE000).contains(second) else { throw failure(.notUnicode) }
            code = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw failure(.notUnicode) }
        writer.bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek() else { throw failure(.endsEarly) }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw failure(.unexpected)
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    private mutating func number(typeAt typeOffset: Int) throws(JSONError) {
        let start = position
        let isNegative = peek() == UInt8(ascii: "-")
        if isNegative { position += 1 }
        guard let first = peek(), isDigit(first) else {
            throw failure(position < input.count ? .unexpected : .endsEarly)
        }
        var magnitude: UInt64 = 0
        var fitsInteger = true
        while let byte = peek(), isDigit(byte) {
            let (product, tooLarge) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            if tooLarge || carry { fitsInteger = false }
            magnitude = sum
            position += 1
        }
        let digits = position - start - (isNegative ? 1 : 0)
        guard digits == 1 || first != UInt8(ascii: "0") else {
            throw JSONError(reason: .unexpected, offset: start + (isNegative ? 1 : 0))
        }
        if peek() == UInt8(ascii: ".") || peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            try fraction()
            return try double(from: start, typeAt: typeOffset)
        }
        let limit = isNegative ? UInt64(Int64.max) + 1 : UInt64(Int64.max)
        guard fitsInteger, magnitude <= limit else { return try double(from: start, typeAt: typeOffset) }
        let negated = Int64(truncatingIfNeeded: 0 &- magnitude)
        let integer = isNegative ? negated : Int64(magnitude)
        if let small = Int32(exactly: integer) {
            writer.bytes[typeOffset] = BSONType.int32
            writer.bytes.append(littleEndian: small)
        } else {
            writer.bytes[typeOffset] = BSONType.int64
            writer.bytes.append(littleEndian: integer)
        }
    }

    /// A number with a point or an exponent, or one that is too large for an integer and is kept as near as possible.
    private mutating func double(from start: Int, typeAt typeOffset: Int) throws(JSONError) {
        let text = String(decoding: UnsafeBufferPointer(rebasing: input[start..<position]), as: UTF8.self)
        guard let number = Double(text), number.isFinite else {
            throw JSONError(reason: .numberOutOfRange, offset: start)
        }
        writer.bytes[typeOffset] = BSONType.double
        writer.bytes.append(littleEndian: number.bitPattern)
    }

    /// The part of a number from its point or exponent on.
    private mutating func fraction() throws(JSONError) {
        if peek() == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            position += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
    }

    private mutating func digits() throws(JSONError) {
        guard let byte = peek(), isDigit(byte) else {
            throw failure(position < input.count ? .unexpected : .endsEarly)
        }
        while let byte = peek(), isDigit(byte) { position += 1 }
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        let count = word.utf8CodeUnitCount
        for offset in 0..<count {
            guard position < input.count else { throw failure(.endsEarly) }
            guard input[position] == word.utf8Start[offset] else { throw failure(.unexpected) }
            position += 1
        }
    }

    // MARK: Small things

    private func peek() -> UInt8? { position < input.count ? input[position] : nil }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private mutating func skipSpace() {
        while position < input.count {
            switch input[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func appendDecimal(_ number: Int) {
        if number < 10 {
            writer.bytes.append(UInt8(ascii: "0") + UInt8(number))
        } else {
            writer.bytes.append(contentsOf: String(number).utf8)
        }
    }

    private func failure(_ reason: JSONError.Reason) -> JSONError {
        JSONError(
            reason: position >= input.count && reason == .unexpected ? .endsEarly : reason, offset: position)
    }
}

/// The names that one object has had so far: they stand before its fields in the output.
private struct NameSet {
    /// Up to here names are compared one by one, which needs no memory of its own.
    private static let linearLimit = 16

    /// Where the object's first field begins in the output.
    private let start: Int
    private var count = 0
    /// Beyond the limit: where names begin in the output, by their hash.
    private var hashed: [Int: [Int]] = [:]

    init(start: Int) {
        self.start = start
    }

    /// Adds a name that has been written after the object's fields and its own type byte.
    ///
    /// False where the name was there already.
    mutating func insert(_ range: Range<Int>, in output: [UInt8]) -> Bool {
        count += 1
        return output.withUnsafeBytes { output in
            let name = UnsafeRawBufferPointer(rebasing: output[range])
            var fields = BSONCursor(output, at: start, end: range.lowerBound)
            if count <= Self.linearLimit {
                while fields.next() {
                    if Self.same(fields.keyBytes, name) { return false }
                }
                return true
            }
            if hashed.isEmpty {
                while fields.next() {
                    hashed[Self.hash(fields.keyBytes), default: []].append(fields.keyStart)
                }
            }
            let hash = Self.hash(name)
            for start in hashed[hash, default: []] {
                let end = start + name.count
                if output[end] == 0, Self.same(UnsafeRawBufferPointer(rebasing: output[start..<end]), name) {
                    return false
                }
            }
            hashed[hash, default: []].append(range.lowerBound)
            return true
        }
    }

    private static func same(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        left.count == right.count && left.elementsEqual(right)
    }

    /// Seeded anew in each process, so that no sender can choose names that collide.
    private static func hash(_ name: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: name)
        return hasher.finalize()
    }
}
