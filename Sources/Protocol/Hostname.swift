/// The name by which a version 1 host is known: what it calls itself.
///
/// At most 253 characters, in labels of at most 64 letters, digits, hyphens and underscores that are joined by single
/// dots and do not begin or end with a hyphen (RFC 1123, section 2.1, with the underscore that Linux allows, and
/// the one character more that its host names may have: HOST_NAME_MAX). So it is safe in a log line, a file name and
/// a query.
public struct Hostname: Hashable, Sendable, CustomStringConvertible {
    /// The name as the host wrote it.
    public let name: String

    /// Takes the text where it is a host name.
    public init?(_ text: String) {
        guard (1...253).contains(text.utf8.count) else { return nil }
        for label in text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard (1...64).contains(label.count), label.first != UInt8(ascii: "-"),
                label.last != UInt8(ascii: "-"),
                label.allSatisfy(Self.isAllowed)
            else { return nil }
        }
        name = text
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The name.
    public var description: String { name }
}
