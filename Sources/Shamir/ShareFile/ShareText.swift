import PDSecrets

/// How a share is written. See docs/share-format.md, "Lines".
enum ShareText {
    static let beginLine = "-----BEGIN PENGUINDOME SHARE-----"
    static let endLine = "-----END PENGUINDOME SHARE-----"
    /// Bytes of the body on one line.
    static let bytesPerLine = 20
    /// The longest line that can be part of a share, in bytes; the longest that is ever written has 120.
    static let maximumLineBytes = 512

    /// The fields that name the set, in order.
    static func setFields(_ set: ShareSet) -> [(key: String, value: String)] {
        [
            ("Format", "\(ShareSet.format)"),
            ("Set", set.identifierText),
            ("Label", set.label ?? "-"),
            ("Created", set.created),
            ("Threshold", "\(set.threshold)"),
            ("Shares", "\(set.shares)"),
            ("Secret", contentText(set.content)),
        ]
    }

    /// The fields of one share, in order.
    static func ownFields(_ share: Share) -> [(key: String, value: String)] {
        [("Share", "\(share.number)"), ("Holder", share.holder ?? "-")]
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
        var fields = ShareText.setFields(set) + ShareText.ownFields(self)
        if let protection { fields.append(("Protection", protection.text)) }
        // A numbered line has at most 5 digits, ": ", 32 characters, 7 spaces, " #", 7 characters and a line feed.
        let bodyLines = (body.count + ShareText.bytesPerLine - 1) / ShareText.bytesPerLine
        let capacity =
            128 + fields.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 16 } + bodyLines * 64
        var text = SecretBytes(count: capacity)
        let used = text.withUnsafeMutableBytes { text in
            body.withUnsafeBytes { body in
                var writer = Writer(text: text)
                writer.put(ShareText.beginLine + "\n")
                for (key, value) in fields { writer.putLine(Array("\(key): \(value)".utf8)) }
                writer.put("\n")
                for line in 0..<bodyLines {
                    let start = line * ShareText.bytesPerLine
                    let end = min(start + ShareText.bytesPerLine, body.count)
                    writer.putBody(number: line + 1, UnsafeRawBufferPointer(rebasing: body[start..<end]))
                }
                writer.put(ShareText.endLine + "\n")
                return writer.position
            }
        }
        return text.withUnsafeBytes { SecretBytes(copying: $0[..<used]) }
    }

    private struct Writer {
        let text: UnsafeMutableRawBufferPointer
        var position = 0

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

        mutating func putLine(_ line: [UInt8]) {
            var checksum = LineChecksum()
            checksum.add(line)
            put(line)
            putChecksum(checksum)
        }

        /// A numbered line: the characters go straight to their places, four to a group.
        mutating func putBody(number: Int, _ bytes: UnsafeRawBufferPointer) {
            var checksum = LineChecksum()
            checksum.add("\(number): ".utf8)
            put("\(number): ")
            let characters = BaseN.base32.length(ofBytes: bytes.count)
            let start = position
            BaseN.base32.encode(
                bytes, into: UnsafeMutableRawBufferPointer(rebasing: text[start..<(start + characters)]))
            checksum.add(text[start..<(start + characters)])
            let spaces = (characters - 1) / 4
            for index in (0..<characters).reversed() { text[start + index + index / 4] = text[start + index] }
            for space in 0..<spaces { text[start + space * 5 + 4] = 0x20 }
            position = start + characters + spaces
            putChecksum(checksum)
        }
    }
}
