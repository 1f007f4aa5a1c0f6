import PDSecrets

/// Verification and making of OpenPGP signatures (RFC 4880, RFC 9580), for version 4 keys and signatures.
///
/// What is read is what GnuPG writes; what is believed is less: SHA-2 digests, RSA of 2048 bits and more, Ed25519 and
/// ECDSA on P-256. There is no keyring and no web of trust. The caller names the certificates that it trusts for one
/// purpose, and a signature counts if one of them made it.
public enum OpenPGP {}

extension OpenPGP {
    /// A moment in whole seconds since 1970-01-01T00:00:00Z, the unit of all times in OpenPGP.
    public struct Timestamp: Comparable, Hashable, Sendable {
        /// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
        public var seconds: Int64

        /// The moment `seconds` after 1970-01-01T00:00:00Z.
        public init(_ seconds: Int64) {
            self.seconds = seconds
        }

        /// Whether `left` is earlier than `right`.
        public static func < (left: Timestamp, right: Timestamp) -> Bool { left.seconds < right.seconds }

        /// This moment moved by `seconds`, stopping at the ends of the range.
        func advanced(by seconds: Int64) -> Timestamp {
            let (sum, overflow) = self.seconds.addingReportingOverflow(seconds)
            return Timestamp(overflow ? (seconds < 0 ? .min : .max) : sum)
        }
    }

    /// The name of a version 4 key: 20 bytes (RFC 9580, section 5.5.4.2).
    public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
        /// The 20 bytes.
        public let bytes: [UInt8]

        /// A fingerprint from its 20 bytes; nil for any other count.
        public init?(_ bytes: some Collection<UInt8>) {
            guard bytes.count == 20 else { return nil }
            self.bytes = Array(bytes)
        }

        /// A fingerprint from 40 hexadecimal digits of either case; spaces, as people write them, are skipped.
        public init?(hex: String) {
            var bytes = [UInt8]()
            var high: UInt8?
            for character in hex where character != " " {
                guard character.isASCII, let digit = character.hexDigitValue else { return nil }
                if let first = high {
                    bytes.append(first << 4 | UInt8(digit))
                    high = nil
                } else {
                    high = UInt8(digit)
                }
            }
            guard high == nil else { return nil }
            self.init(bytes)
        }

        /// The fingerprint of the key whose packet has this body.
        init(ofKeyPacket body: ArraySlice<UInt8>) {
            let digest = DigestState(.sha1)
            digest.update([
                0x99, UInt8(truncatingIfNeeded: body.count >> 8), UInt8(truncatingIfNeeded: body.count),
            ])
            digest.update(body)
            bytes = digest.digest()
        }

        /// 40 upper-case hexadecimal digits.
        public var description: String { BaseN.upperHexadecimal.text(bytes) }

        /// The last 8 bytes. Anyone can make a key with a given key ID: it is a hint where to look, never a reason
        /// to trust.
        var keyID: KeyID { KeyID(bytes.suffix(8)) }
    }

    /// The 8 bytes by which a signature names its maker (RFC 9580, section 5.5.4).
    struct KeyID: Hashable, Sendable, CustomStringConvertible {
        let value: UInt64

        init(_ bytes: ArraySlice<UInt8>) {
            value = bytes.reduce(0) { $0 << 8 | UInt64($1) }
        }

        var description: String {
            BaseN.upperHexadecimal.text(
                (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) })
        }
    }
}
