/// Looks through a release's tar for secret keys before it is handed out.
///
/// This is no defence against whoever makes releases; it is a net under those who pack one directory too many.
struct ArchiveInspection {
    let file: ReleaseFile
    let number: Int64

    private static let blockBytes = 512
    /// Where GnuPG keeps secret keys.
    private static let secretNames = ["private-keys-v1.d", "secring.gpg"]

    /// - Throws: ``StateError`` where the file is no tar, or an entry is a secret key.
    func refuseSecretKeys() throws(StateError) {
        var offset = 0
        while offset + Self.blockBytes <= file.size {
            let header = try file.read(at: offset, count: Self.blockBytes)
            if header.allSatisfy({ $0 == 0 }) { return }
            // POSIX.1-1988 ustar: the magic, and the size in octal digits.
            guard header.count == Self.blockBytes, header[257..<262].elementsEqual("ustar".utf8),
                let size = Self.octal(header[124..<136]), size <= file.size - offset - Self.blockBytes
            else { throw StateError("release \(number): \(number).tar is not a tar") }
            let start = try file.read(at: offset + Self.blockBytes, count: min(size, 4096))
            // A long name is in two fields, or, in the extensions of pax and GNU tar, the content of a member of its own.
            var name = header[345..<500].prefix { $0 != 0 } + [UInt8(ascii: "/")]
            name += header[0..<100].prefix { $0 != 0 }
            if "xgLK".utf8.contains(header[156]) { name += start }
            let text = String(decoding: name, as: UTF8.self)
            if Self.secretNames.contains(where: text.contains) || Self.isSecretKey(start) {
                throw StateError("release \(number) holds a secret key: it is not handed out")
            }
            offset += Self.blockBytes + (size + Self.blockBytes - 1) / Self.blockBytes * Self.blockBytes
        }
    }

    /// Whether a file begins as an armored secret key of OpenPGP, OpenSSL or OpenSSH does, or as a binary one of OpenPGP
    /// (tag 5, RFC 9580, section 4.2, with key version 4).
    private static func isSecretKey(_ start: [UInt8]) -> Bool {
        let text = String(decoding: start.prefix(4096), as: UTF8.self)
        if let line = text.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix("-----BEGIN ") }) {
            if line.contains("PRIVATE KEY") { return true }
        }
        let version: Int
        switch start.first {
        case 0x94: version = 2
        case 0x95: version = 3
        case 0x96: version = 5
        case 0xC5: version = start.count > 1 ? (start[1] < 192 ? 2 : start[1] < 224 ? 3 : 6) : 2
        default: return false
        }
        return version < start.count && start[version] == 4
    }

    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        var number = 0
        for byte in field {
            guard byte != 0, byte != 0x20 else { break }
            guard (0x30...0x37).contains(byte) else { return nil }
            number = number * 8 + Int(byte - 0x30)
        }
        return number
    }
}
