import Glibc
import PDSecrets

/// Verification and making of OpenPGP signatures (RFC 4880, RFC 9580), for version 4 keys and signatures.
///
/// What is read is what GnuPG writes; what is believed is less: SHA-2 digests, RSA of 2048 bits and more, Ed25519 and
/// ECDSA on P-256. There is no keyring and no web of trust. The caller names the certificates that it trusts for one
/// purpose, and a signature counts if one of them made it.
public enum OpenPGP {}

extension OpenPGP {
    /// A moment in whole seconds since 1970-01-01T00:00:00Z, the unit of all times in OpenPGP.
    public struct Timestamp: Comparable, Hashable, Sendable, CustomStringConvertible {
        /// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
        public var seconds: Int64

        /// The moment `seconds` after 1970-01-01T00:00:00Z.
        public init(_ seconds: Int64) { self.seconds = seconds }

        /// Whether `left` is earlier than `right`.
        public static func < (left: Timestamp, right: Timestamp) -> Bool { left.seconds < right.seconds }

        /// This moment moved by `seconds`, stopping at the ends of the range.
        func advanced(by seconds: Int64) -> Timestamp {
            let (sum, overflow) = self.seconds.addingReportingOverflow(seconds)
            return Timestamp(overflow ? (seconds < 0 ? .min : .max) : sum)
        }

        /// The moment in ISO 8601, UTC: `2024-06-01T00:00:00Z`; the seconds, where it lies beyond the calendar of the C
        /// library.
        public var description: String {
            var (time, date) = (time_t(seconds), tm())
            guard gmtime_r(&time, &date) != nil else { return "second \(seconds)" }
            func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
            return "\(Int(date.tm_year) + 1900)-\(two(date.tm_mon + 1))-\(two(date.tm_mday))"
                + "T\(two(date.tm_hour)):\(two(date.tm_min)):\(two(date.tm_sec))Z"
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
            let digits = hex.utf8.filter { $0 != UInt8(ascii: " ") }.map { $0 >= 0x61 ? $0 - 0x20 : $0 }
            guard let bytes = BaseN.upperHexadecimal.decode(digits) else { return nil }
            self.init(bytes)
        }

        /// The fingerprint of the key whose packet has this body.
        init(ofKeyPacket body: ArraySlice<UInt8>) {
            bytes = DigestState.hash(hashedKey(body), .sha1)
        }

        /// 40 upper-case hexadecimal digits.
        public var description: String { BaseN.upperHexadecimal.text(bytes) }

        /// The last 8 bytes. Anyone can make a key with a given key ID: it is a hint where to look, never a reason
        /// to trust.
        var keyID: KeyID { bytes.suffix(8) }
    }

    /// The 8 bytes by which a signature names its maker (RFC 9580, section 5.5.4).
    typealias KeyID = ArraySlice<UInt8>
}

extension String {
    /// This text with control characters, and those that reverse the direction of writing, as `\u{…}`, so that a
    /// name cannot act on a terminal or hide what it says.
    package var escapingControls: String {
        unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse, .surrogate:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
