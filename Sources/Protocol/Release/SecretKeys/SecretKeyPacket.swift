/// Secret keys of OpenPGP in binary: packets of the tags 5 and 7 (RFC 9580, sections 4.2 and 5.5).
///
/// Every field is looked at, since these bytes are looked for at each place of whole programs.
enum SecretKeyPacket {
    /// Whether a packet of a secret key may begin with this byte.
    static func isHeader(_ byte: UInt8) -> Bool {
        byte & 0xc0 == 0xc0
            ? byte & 0x3f == 5 || byte & 0x3f == 7
            : byte & 0x80 != 0 && (byte >> 2 & 0x0f == 5 || byte >> 2 & 0x0f == 7)
    }

    /// Whether a packet of a secret key begins at a place.
    static func isSecretKey(in bytes: UnsafeRawBufferPointer, at place: Int) -> Bool {
        guard let (start, length) = body(bytes, place) else { return false }
        var fields = Fields(bytes, start)
        guard let version = fields.byte(), (3...6).contains(version), fields.skip(4) else { return false }
        if version == 3, !fields.skip(2) { return false }
        guard let algorithm = fields.byte() else { return false }
        if version >= 5 {
            guard fields.skip(2), let count = fields.number16(), count < 4096 else { return false }
        }
        guard fields.skipPublicKey(algorithm, version), let usage = fields.byte() else { return false }
        let rest = length.map { start + $0 - fields.place }
        // Such keys may be any bytes: what is around them must tell more.
        if isBytes(algorithm), rest == nil || version == 3 || (1..<253).contains(usage) { return false }
        // What is declared must at least hold a seed, and no more than a key.
        guard rest.map({ (16..<1 << 16).contains($0) }) ?? true else { return false }
        return usage == 0
            ? fields.isSecret(algorithm, version, rest) : fields.isProtected(usage, version)
    }

    /// Whether an algorithm's keys are bytes without a form (RFC 9580, section 5.5.5.7 and on).
    private static func isBytes(_ algorithm: UInt8) -> Bool { (25...28).contains(algorithm) }

    /// Where the body begins, and its length where the header says it.
    private static func body(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> (start: Int, length: Int?)? {
        let header = bytes[place]
        guard let first = bytes.byte(place + 1) else { return nil }
        if header & 0x40 == 0 {
            switch header & 3 {
            case 0: return (place + 2, Int(first))
            case 1: return bytes.number16(place + 1).map { (place + 3, $0) }
            case 2:
                guard bytes.number16(place + 1) == 0 else { return nil }
                return bytes.number16(place + 3).map { (place + 5, $0) }
            default: return (place + 1, nil)
            }
        }
        switch first {
        case ..<192: return (place + 2, Int(first))
        case ..<224: return bytes.byte(place + 2).map { (place + 3, (Int(first) - 192) << 8 + Int($0) + 192) }
        case 255:
            guard bytes.number16(place + 2) == 0 else { return nil }
            return bytes.number16(place + 4).map { (place + 6, $0) }
        default: return (place + 2, nil)
        }
    }

    /// The fields of a body, one after the other.
    private struct Fields {
        let bytes: UnsafeRawBufferPointer
        var place: Int

        init(_ bytes: UnsafeRawBufferPointer, _ place: Int) {
            self.bytes = bytes
            self.place = place
        }

        mutating func byte() -> UInt8? {
            defer { place += 1 }
            return bytes.byte(place)
        }

        mutating func number16() -> Int? {
            defer { place += 2 }
            return bytes.number16(place)
        }

        mutating func skip(_ count: Int) -> Bool {
            place += count
            return place <= bytes.count
        }

        /// A number that begins with its length in bits, of which the first one is set.
        mutating func skipNumber(_ bounds: ClosedRange<Int> = 1...16_384) -> Bool {
            guard let bits = number16(), bounds.contains(bits), let first = bytes.byte(place) else {
                return false
            }
            return (bits - 1) % 8 == 7 - first.leadingZeroBitCount && skip((bits + 7) / 8)
        }

        /// A curve by its identifier, which is one of iso, or of Certicom.
        mutating func skipCurve() -> Bool {
            guard let length = byte(), (3...16).contains(length), let first = bytes.byte(place) else {
                return false
            }
            return (first == 0x2a || first == 0x2b) && skip(Int(length))
        }

        mutating func skipPublicKey(_ algorithm: UInt8, _ version: UInt8) -> Bool {
            switch algorithm {
            case 1, 2, 3: skipNumber(512...16_384) && skipNumber(2...256)
            case 16, 20: skipNumber() && skipNumber() && skipNumber()
            case 17: skipNumber() && skipNumber() && skipNumber() && skipNumber()
            case 18: skipCurve() && skipNumber() && byte() == 3 && skip(3)
            case 19, 22: skipCurve() && skipNumber()
            case 25, 27: skip(32)
            case 26: skip(56)
            case 28: skip(57)
            default: false
            }
        }

        /// Whether the secret part follows in the clear.
        mutating func isSecret(_ algorithm: UInt8, _ version: UInt8, _ rest: Int?) -> Bool {
            if version == 5, !skip(4) { return false }
            let size =
                switch algorithm {
                case 25, 27: 32
                case 26: 56
                case 28: 57
                default: 0
                }
            guard size > 0 else { return skipNumber() }
            // Only their number tells. A checksum ends them before version 6.
            return rest == size + (version == 5 ? 4 : 0) + (version == 6 ? 0 : 2)
        }

        /// Whether the secret part is under a passphrase. A stub for a key that is elsewhere (type 101 of GnuPG) holds none.
        mutating func isProtected(_ usage: UInt8, _ version: UInt8) -> Bool {
            // A cipher's number, with MD5 of the passphrase.
            guard usage >= 253 else { return (1...13).contains(usage) }
            if version >= 5, byte() == nil { return false }
            guard let cipher = byte(), (1...13).contains(cipher) else { return false }
            if usage == 253 {
                guard let mode = byte(), (1...3).contains(mode) else { return false }
            }
            if version == 6, byte() == nil { return false }
            guard let kind = byte(), [0, 1, 3, 4].contains(kind), let hash = byte() else { return false }
            return kind == 4 || (1...14).contains(hash)
        }
    }
}
