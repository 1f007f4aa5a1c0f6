/// Secret keys in DER (X.690): sequences of a shape that nothing else has.
enum SecretKeyDER {
    /// The key whose sequence begins at a place.
    static func form(in bytes: UnsafeRawBufferPointer, at place: Int) -> SecretKeyForm? {
        guard let outer = Element(bytes, place), outer.tag == 0x30, outer.length >= 16,
            let first = outer.first
        else {
            return nil
        }
        if first.tag == 0x30 { return isEncrypted(first, in: outer) ? .pkcs8 : nil }
        guard first.tag == 2, first.length == 1, let version = bytes.byte(first.start), version <= 1,
            let second = first.next
        else { return nil }
        switch second.tag {
        // OneAsymmetricKey (RFC 5958, section 2): version, algorithm, the key in a string.
        case 0x30:
            guard second.first?.tag == 6, let key = second.next, key.tag == 4, key.length >= 16 else {
                return nil
            }
            return .pkcs8
        // ECPrivateKey (RFC 5915, section 3): 1, the number in a string, and perhaps curve and point.
        case 4:
            guard version == 1, (20...72).contains(second.length) else { return nil }
            guard second.end < outer.end else { return second.end == outer.end ? .sec1 : nil }
            return second.next.map { $0.tag == 0xa0 || $0.tag == 0xa1 } == true ? .sec1 : nil
        case 2: return areNumbers(second, in: outer) ? .pkcs1 : nil
        default: return nil
        }
    }

    /// EncryptedPrivateKeyInfo (RFC 5958, section 3): a way to encrypt by passphrase (PKCS #5 or #12), and a string.
    private static func isEncrypted(_ algorithm: Element, in outer: Element) -> Bool {
        guard let name = algorithm.first, name.tag == 6, let key = algorithm.next, key.tag == 4,
            key.end == outer.end
        else { return false }
        return name.startsWith([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5])
            || name.startsWith([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1])
    }

    /// Five numbers more, as with DSA, or eight, as with RSA (RFC 8017, A.1.2); the first of them has 512 bits at least.
    private static func areNumbers(_ first: Element, in outer: Element) -> Bool {
        guard first.length >= 64 else { return false }
        var (number, count) = (first, 1)
        while number.end < outer.end, let next = number.next, next.tag == 2 {
            (number, count) = (next, count + 1)
        }
        return number.end == outer.end && (count == 5 || count == 8)
    }

    /// An element: its tag, and where its content is, which may go on behind the bytes that are there.
    private struct Element {
        let bytes: UnsafeRawBufferPointer
        let tag: UInt8
        let start: Int
        let length: Int

        var end: Int { start + length }
        /// The first element inside.
        var first: Element? { Element(bytes, start) }
        /// The one behind it.
        var next: Element? { Element(bytes, end) }

        init?(_ bytes: UnsafeRawBufferPointer, _ place: Int) {
            guard let tag = bytes.byte(place), let short = bytes.byte(place + 1) else { return nil }
            (self.bytes, self.tag) = (bytes, tag)
            switch short {
            case ..<0x80: (start, length) = (place + 2, Int(short))
            case 0x81:
                guard let long = bytes.byte(place + 2), long >= 0x80 else { return nil }
                (start, length) = (place + 3, Int(long))
            case 0x82:
                guard let long = bytes.number16(place + 2), long >= 0x100 else { return nil }
                (start, length) = (place + 4, long)
            default: return nil
            }
        }

        func startsWith(_ beginning: [UInt8]) -> Bool {
            length >= beginning.count
                && beginning.indices.allSatisfy { bytes.byte(start + $0) == beginning[$0] }
        }
    }
}
