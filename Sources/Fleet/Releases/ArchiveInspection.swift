import PDProtocol

/// Looks through a release's tar for secret keys before it is handed out.
///
/// This is no defence against whoever makes releases; it is a net under those who pack one directory too many.
struct ArchiveInspection {
    let file: ReleaseFile
    let number: Int64

    private static let blockBytes = 512

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
            let start = offset + Self.blockBytes
            // A long name is in two fields, or, in the extensions of pax and GNU tar, the content of a member of its own.
            var name = header[345..<500].prefix { $0 != 0 } + [UInt8(ascii: "/")]
            name += header[0..<100].prefix { $0 != 0 }
            if "xgLK".utf8.contains(header[156]) {
                name +=
                    [UInt8(ascii: "/")]
                    + (try file.read(at: start, count: min(size, 4096))).map { $0 == 0 ? 0x2f : $0 }
            }
            let path = String(decoding: name.drop { $0 == UInt8(ascii: "/") }, as: UTF8.self)
            let form = try SecretKeyScan.find(size: size) { (from, count) throws(StateError) in
                try file.read(at: start + from, count: count)
            }
            if let form = SecretKeyScan.find(named: path) ?? form {
                throw StateError(
                    "release \(number) holds a secret key: it is not handed out: \(path) is or holds \(form)")
            }
            offset += Self.blockBytes + (size + Self.blockBytes - 1) / Self.blockBytes * Self.blockBytes
        }
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
