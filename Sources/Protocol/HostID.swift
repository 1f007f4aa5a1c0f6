import PDCrypto

/// What a host is known by for as long as the fleet remembers it; its hostname may change.
///
/// Written as a UUID (RFC 9562). A version 1 host has none of its own, so it gets one derived from its hostname, the
/// same on every server and in every store: a version 8 UUID from the first 16 bytes of
/// SHA-256(`"penguindome v1 host\0"` + hostname).
public struct HostID: Hashable, Sendable, CustomStringConvertible {
    /// The UUID in lower case, 36 characters.
    public let text: String

    /// The identifier of a version 1 host.
    public init(v1 hostname: Hostname) {
        let digest = Array(SHA256.hash(Array("penguindome v1 host\0\(hostname.name)".utf8)))
        self.init(version: 8, Array(digest.prefix(16)))
    }

    /// An identifier that nobody has: a version 4 UUID.
    ///
    /// - Throws: where the system has no randomness.
    public static func random() throws -> HostID {
        HostID(version: 4, try SecureRandom().bytes(count: 16))
    }

    private init(version: UInt8, _ bytes: [UInt8]) {
        var bytes = bytes
        bytes[6] = bytes[6] & 0x0F | version << 4
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        text = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }.joined(separator: "-")
    }

    /// An identifier that was written down before; nothing where the text is not a UUID in lower case.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.map(\.count) == [8, 4, 4, 4, 12],
            parts.joined().allSatisfy({
                ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                    || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "f"))
            })
        else { return nil }
        self.text = text
    }

    /// The UUID.
    public var description: String { text }
}
