import PDSecrets

/// A line of the form `key: value #checksum`, after ``LineText`` has made it plain.
struct TypedLine {
    let keyText: String
    let value: Slice<UnsafeRawBufferPointer>
    /// The checksum's characters, as they are meant.
    let checksum: [UInt8]

    /// nil where there is no key, or nothing that could be a checksum.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var start = bytes.startIndex
        // Marks of quoted mail and of lists.
        while start < bytes.endIndex, [0x3e, 0x7c, 0x2a, 0x20].contains(bytes[start]) { start += 1 }
        start = Self.afterPlace(bytes[start...])
        guard
            let colon = bytes[start...].prefix(16).firstIndex(where: { [0x3a, 0x2e, 0x3b].contains($0) })
        else { return nil }
        keyText = String(decoding: Self.trimmed(bytes[start..<colon]), as: UTF8.self)
        let rest = Self.trimmed(bytes[(colon + 1)...])
        if let hash = rest.lastIndex(of: 0x23) {
            value = Self.trimmed(rest[..<hash])
            checksum = Self.digits(rest[(hash + 1)...])
        } else {
            // A camera that does not know the sign: the last word is the checksum, with something before it or not.
            guard let space = rest.lastIndex(of: 0x20) else { return nil }
            let word = Self.digits(rest[(space + 1)...])
            guard word.count == LineChecksum.characters || word.count == LineChecksum.characters + 1 else {
                return nil
            }
            value = Self.trimmed(rest[..<space])
            checksum = Array(word.suffix(LineChecksum.characters))
        }
    }

    /// Where the line begins behind its place on the page, which a sheet has in front of it: `13. 4: GOOF`.
    private static func afterPlace(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int {
        let isDigit = { (byte: UInt8) in 0x30...0x39 ~= byte }
        let place = bytes.prefix { isDigit($0) }
        var rest = bytes[place.endIndex...]
        if let mark = rest.first, [0x2e, 0x2c, 0x3a, 0x3b, 0x29].contains(mark) { rest = rest.dropFirst() }
        guard 1...3 ~= place.count, rest.first == 0x20 else { return bytes.startIndex }
        rest = trimmed(rest)
        let key = rest.prefix(10).prefix { $0 != 0x20 && ![0x3a, 0x2e, 0x3b].contains($0) }
        let colon = rest[key.endIndex...].first { $0 != 0x20 }
        guard let colon, [0x3a, 0x2e, 0x3b].contains(colon) else { return bytes.startIndex }
        let text = String(decoding: key, as: UTF8.self)
        return number(text) != nil || ShareDraft.known(text) != nil ? rest.startIndex : bytes.startIndex
    }

    /// The value as text; bytes that are no UTF-8 are replaced.
    var valueText: String { String(decoding: value, as: UTF8.self) }

    /// Whether the checksum is that of `prefix` and `content`.
    func agrees(prefix: [UInt8], content: some Sequence<UInt8>) -> Bool {
        var computed = LineChecksum()
        computed.add(prefix)
        computed.add(content)
        return LineChecksum.parse(checksum) == computed.value
    }

    /// A numbered line's number, with the letters that cameras and people take for digits.
    static func number(_ text: String) -> Int? {
        let digits = text.utf8.map { BaseN.folded($0) }
        return digits.count <= 5 ? Decimal.parse(String(decoding: digits, as: UTF8.self)) : nil
    }

    /// The characters of a numbered line as they are meant: upper case, O as 0, I and L as 1, no spaces or hyphens.
    /// Characters of no meaning stay as they are.
    static func compact(_ value: Slice<UnsafeRawBufferPointer>) -> SecretBytes {
        let isDigit = { (byte: UInt8) in byte != 0x20 && byte != 0x2d }
        var digits = SecretBytes(count: value.lazy.filter(isDigit).count)
        digits.withUnsafeMutableBytes { digits in
            for (index, byte) in value.lazy.filter(isDigit).enumerated() {
                digits[index] = BaseN.folded(byte)
            }
        }
        return digits
    }

    private static func digits(_ bytes: Slice<UnsafeRawBufferPointer>) -> [UInt8] {
        bytes.filter { $0 != 0x20 && $0 != 0x2d }.map { BaseN.folded($0) }
    }

    private static func trimmed(_ bytes: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var bytes = bytes
        while bytes.first == 0x20 { bytes = bytes.dropFirst() }
        while bytes.last == 0x20 { bytes = bytes.dropLast() }
        return bytes
    }
}
