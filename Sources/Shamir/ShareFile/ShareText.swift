import PDSecrets

/// How a share is written. See docs/share-format.md, "Lines".
enum ShareText {
    static let beginLine = "-----BEGIN PENGUINDOME SHARE-----"
    static let endLine = "-----END PENGUINDOME SHARE-----"
    /// Bytes of the body on one line.
    static let bytesPerLine = 25
    /// Numbered lines of a share of the longest secret.
    static let maximumBodyLines = (ShareSet.maximumDirectBytes + 64 + bytesPerLine - 1) / bytesPerLine
    /// The longest line that can be part of a share, in bytes; the longest that is ever written has 120.
    static let maximumLineBytes = 512

    /// The fields that name the set, in order.
    static func setFields(_ set: ShareSet) -> [(key: String, value: String)] {
        [
            ("Format", "\(ShareSet.format)"),
            ("Set", set.identifierText),
            ("Label", set.label ?? "-"),
            ("Created", set.created),
            ("Threshold", "\(set.threshold) of \(set.shares)"),
            ("Secret", contentText(set.content)),
        ]
    }

    /// The fields of one share, in order.
    static func ownFields(_ share: Share) -> [(key: String, value: String)] {
        [("Share", "\(share.number)"), ("Holder", share.holder ?? "-")]
    }

    /// All header lines in the order of the paper: the set's name and the share's number first, because the checksums of
    /// what follows depend on them.
    static func header(_ share: Share) -> [(key: String, value: String)] {
        let set = setFields(share.set)
        let own = ownFields(share)
        let protection = share.protection.map { [(key: ShareDraft.protectionKey, value: $0.text)] } ?? []
        return Array(set.prefix(2)) + [own[0]] + set.dropFirst(2) + [own[1]] + protection
    }

    /// What the MACs cover: the set's lines without checksums.
    static func setLines(_ set: ShareSet) -> [UInt8] { lines(setFields(set)) }

    /// What a share's own MAC covers besides: its own lines without checksums.
    static func ownLines(_ share: Share) -> [UInt8] { lines(ownFields(share)) }

    private static func lines(_ fields: [(key: String, value: String)]) -> [UInt8] {
        fields.flatMap { Array("\($0.key): \($0.value)\n".utf8) }
    }

    private static func contentText(_ content: ShareSet.Content) -> String {
        switch content {
        case .direct(let bytes): "\(bytes) bytes"
        case .sealed(let bytes): "\(bytes) bytes, sealed"
        }
    }

    /// The inverse of `contentText`; nil for anything else, also for other spellings of the same.
    static func content(_ text: String) -> ShareSet.Content? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard let first = parts.first, let bytes = Decimal.parse(first), bytes >= 1 else { return nil }
        switch parts.dropFirst() {
        case ["bytes"]: return bytes <= ShareSet.maximumDirectBytes ? .direct(bytes: bytes) : nil
        case ["bytes,", "sealed"]: return .sealed(bytes: bytes)
        default: return nil
        }
    }

    /// Reads `3 of 5`; nil where it is out of range or written in another way.
    static func threshold(_ text: String) -> (threshold: Int, shares: Int)? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1] == "of", let threshold = Decimal.parse(parts[0]),
            let shares = Decimal.parse(parts[2]), 2...255 ~= threshold, threshold...255 ~= shares
        else { return nil }
        return (threshold, shares)
    }

    /// Reads a set's identifier; nil for other spellings than the canonical one.
    static func identifier(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: ShareSet.identifierBytes)
        let digits = text.utf8.filter { $0 != 0x2d }
        let decoded = digits.withUnsafeBytes { digits in
            bytes.withUnsafeMutableBytes { BaseN.base32.decode(digits, into: $0) }
        }
        return decoded && grouped(bytes) == text ? bytes : nil
    }

    /// Public bytes in base 32.
    static func plain(_ bytes: [UInt8]) -> String { BaseN.base32.text(bytes) }

    /// Public bytes in base 32, in groups of four characters.
    static func grouped(_ bytes: [UInt8]) -> String {
        let text = Array(plain(bytes).utf8)
        let groups = stride(from: 0, to: text.count, by: 4).map { text[$0..<min($0 + 4, text.count)] }
        return groups.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-")
    }
}

extension Share {
    /// The share as text, lines ended by line feeds.
    public func encoded() -> SecretBytes {
        let fields = ShareText.header(self)
        // A numbered line has at most 5 digits, ": ", 40 characters, 9 spaces, " #", 7 characters and a line feed.
        let bodyLines = (body.count + ShareText.bytesPerLine - 1) / ShareText.bytesPerLine
        let capacity =
            160 + fields.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 16 } + bodyLines * 72
        var text = SecretBytes(count: capacity)
        let used = text.withUnsafeMutableBytes { text in
            body.withUnsafeBytes { body in
                var writer = Writer(
                    text: text, binding: ShareBinding(set: set.identifierText, number: Int(number)))
                writer.put(ShareText.beginLine + "\n")
                for (key, value) in fields { writer.putLine(key, Array(value.utf8)) }
                for line in 0..<bodyLines {
                    let start = line * ShareText.bytesPerLine
                    let end = min(start + ShareText.bytesPerLine, body.count)
                    writer.putBody(number: line + 1, UnsafeRawBufferPointer(rebasing: body[start..<end]))
                }
                writer.putLine(ShareDraft.wholeKey, writer.whole.text)
                writer.put(ShareText.endLine + "\n")
                return writer.position
            }
        }
        return text.withUnsafeBytes { SecretBytes(copying: $0[..<used]) }
    }

    /// The value of the closing line.
    var wholeChecksum: [UInt8] {
        var whole = WholeChecksum()
        for (key, value) in ShareText.header(self) { whole.add("\(key): \(value)\n".utf8) }
        var digits = SecretBytes(count: BaseN.base32.length(ofBytes: ShareText.bytesPerLine))
        body.withUnsafeBytes { body in
            for (line, start) in stride(from: 0, to: body.count, by: ShareText.bytesPerLine).enumerated() {
                let piece = UnsafeRawBufferPointer(
                    rebasing: body[start..<min(start + ShareText.bytesPerLine, body.count)])
                let characters = BaseN.base32.length(ofBytes: piece.count)
                digits.withUnsafeMutableBytes { digits in
                    let text = UnsafeMutableRawBufferPointer(rebasing: digits[..<characters])
                    BaseN.base32.encode(piece, into: text)
                    whole.add("\(line + 1): ".utf8)
                    whole.add(UnsafeRawBufferPointer(text))
                    whole.add([0x0a])
                }
            }
        }
        return whole.text
    }

    private struct Writer {
        let text: UnsafeMutableRawBufferPointer
        let binding: ShareBinding
        var position = 0
        var whole = WholeChecksum()

        init(text: UnsafeMutableRawBufferPointer, binding: ShareBinding) {
            self.text = text
            self.binding = binding
        }

        mutating func put(_ bytes: some Sequence<UInt8>) {
            for byte in bytes {
                text[position] = byte
                position += 1
            }
        }

        mutating func put(_ string: String) { put(string.utf8) }

        mutating func putChecksum(_ checksum: LineChecksum) {
            put(" #")
            put(LineChecksum.text(checksum.value))
            put("\n")
        }

        mutating func putLine(_ key: String, _ value: [UInt8]) {
            let line = Array("\(key): ".utf8) + value
            var checksum = LineChecksum()
            checksum.add(binding.prefix(of: key))
            checksum.add(line)
            whole.add(line)
            whole.add([0x0a])
            put(line)
            putChecksum(checksum)
        }

        /// A numbered line: the characters go straight to their places, four to a group.
        mutating func putBody(number: Int, _ bytes: UnsafeRawBufferPointer) {
            let key = "\(number): "
            put(key)
            let characters = BaseN.base32.length(ofBytes: bytes.count)
            let start = position
            let digits = UnsafeMutableRawBufferPointer(rebasing: text[start..<(start + characters)])
            BaseN.base32.encode(bytes, into: digits)
            var checksum = LineChecksum()
            checksum.add(binding.prefix(of: "\(number)"))
            checksum.add(key.utf8)
            checksum.add(digits)
            whole.add(key.utf8)
            whole.add(digits)
            whole.add([0x0a])
            let spaces = (characters - 1) / 4
            for index in (0..<characters).reversed() { text[start + index + index / 4] = text[start + index] }
            for space in 0..<spaces { text[start + space * 5 + 4] = 0x20 }
            position = start + characters + spaces
            putChecksum(checksum)
        }
    }
}
