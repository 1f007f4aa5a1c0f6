/// Looks for secret keys in what is to be handed out to everybody: the one place that knows what they look like.
///
/// This is a net under those who pack one directory too many, not a defence against whoever makes releases. It finds keys
/// anywhere in a file, in text or bytes, and in base64 in either, twice over; not in what is compressed or encrypted, nor
/// in hexadecimal digits. What is only a name of a form, such as in a program that reads keys, is no key.
public enum SecretKeyScan {
    /// How much is looked at in one piece.
    static let window = 1 << 20
    /// How much of a piece is looked at again with the next: no key is longer.
    static let overlap = 1 << 16
    /// How often base64 is taken for what is in it.
    private static let depth = 2

    /// The first secret key in some bytes.
    public static func find(in content: [UInt8]) -> SecretKeyForm? {
        content.withUnsafeBytes { bytes in
            for piece in pieces(of: bytes.count) {
                let form = find(in: UnsafeRawBufferPointer(rebasing: bytes[piece]), depth: depth)
                if let form { return form }
            }
            return nil
        }
    }

    /// The first secret key in a file that is read piece by piece.
    ///
    /// - Parameters:
    ///   - size: of the file in bytes.
    ///   - read: gives that many bytes from an offset on.
    public static func find<Failure: Error>(
        size: Int, read: (_ offset: Int, _ count: Int) throws(Failure) -> [UInt8]
    ) throws(Failure) -> SecretKeyForm? {
        for piece in pieces(of: size) {
            let bytes = try read(piece.lowerBound, piece.count)
            if let form = bytes.withUnsafeBytes({ find(in: $0, depth: depth) }) { return form }
        }
        return nil
    }

    /// Whether a path is one at which GnuPG keeps secret keys.
    public static func find(named path: String) -> SecretKeyForm? {
        path.split(separator: "/").first {
            let name = $0.lowercased()
            return name == "private-keys-v1.d" || name.hasPrefix("secring.")
        }.map { .place(String($0)) }
    }

    private static func pieces(of size: Int) -> [Range<Int>] {
        stride(from: 0, to: max(size, 1), by: window).map { $0..<min($0 + window + overlap, size) }
    }

    private static func find(in bytes: UnsafeRawBufferPointer, depth: Int) -> SecretKeyForm? {
        if bytes.count >= 2, bytes[0] ^ bytes[1] == 1, bytes[0] >= 0xfe {
            // UTF-16, as PowerShell writes whatever it is told to.
            let text = bytes.dropFirst(2).filter { $0 != 0 }
            if let form = text.withUnsafeBytes({ find(in: $0, depth: depth) }) { return form }
        }
        for place in bytes.indices where isBeginning[Int(bytes[place])] {
            if let form = form(in: bytes, at: place) { return form }
        }
        guard depth > 0 else { return nil }
        return Base64Runs.first(in: bytes) { find(in: $0, depth: depth - 1) }
    }

    /// The bytes with which something below may begin.
    private static let isBeginning: [Bool] = (0...255).map { (byte: UInt8) in
        byte == UInt8(ascii: "-") || byte == 0x30 || SecretKeyPacket.isHeader(byte)
    }

    private static func form(in bytes: UnsafeRawBufferPointer, at place: Int) -> SecretKeyForm? {
        switch bytes[place] {
        case UInt8(ascii: "-"): SecretKeyText.form(in: bytes, hyphen: place)
        case 0x30: SecretKeyDER.form(in: bytes, at: place)
        default: SecretKeyPacket.isSecretKey(in: bytes, at: place) ? .openPGP : nil
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether this text stands at a place.
    func has(_ text: StaticString, at place: Int) -> Bool {
        place >= 0 && place <= count - text.utf8CodeUnitCount
            && (0..<text.utf8CodeUnitCount).allSatisfy { self[place + $0] == text.utf8Start[$0] }
    }

    /// The byte at a place, where there is one.
    func byte(_ place: Int) -> UInt8? { indices.contains(place) ? self[place] : nil }

    /// A number of two bytes, the high one first.
    func number16(_ place: Int) -> Int? {
        guard place >= 0, place + 1 < count else { return nil }
        return Int(self[place]) << 8 | Int(self[place + 1])
    }
}
