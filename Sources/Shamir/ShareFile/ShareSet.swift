/// What all shares of one split have in common, written on each of them and bound to the secret by its MAC.
public struct ShareSet: Equatable, Sendable {
    /// Where the secret is.
    public enum Content: Equatable, Sendable {
        /// In the shares themselves: a secret of so many bytes.
        case direct(bytes: Int)
        /// In a sealed file, whose key the shares hold: a secret of so many bytes.
        case sealed(bytes: Int)
    }

    /// The version of the format that this module writes and reads.
    public static let format = 1
    /// The longest secret that the shares themselves hold, in bytes.
    public static let maximumDirectBytes = 65_536
    /// Bytes of a set's identifier.
    public static let identifierBytes = 10

    /// 80 random bits that tell this split from every other.
    public let identifier: [UInt8]
    /// What the secret is, for people.
    public let label: String?
    /// The day of the split, UTC, as YYYY-MM-DD.
    public let created: String
    /// How many shares restore the secret, 2...255.
    public let threshold: Int
    /// How many shares there are, threshold...255.
    public let shares: Int
    /// Where the secret is, and how long.
    public let content: Content

    /// - Throws: ``ShareFileError/invalidField(_:)`` naming the field that is out of range.
    public init(
        identifier: [UInt8], label: String?, created: String, threshold: Int, shares: Int, content: Content
    ) throws(ShareFileError) {
        guard identifier.count == Self.identifierBytes else { throw .invalidField("Set") }
        if let label, !ShareName.isValid(label) { throw .invalidField("Label") }
        guard Self.isDay(created) else { throw .invalidField("Created") }
        guard 2...255 ~= threshold else { throw .invalidField("Threshold") }
        guard threshold...255 ~= shares else { throw .invalidField("Shares") }
        switch content {
        case .direct(let bytes):
            guard 1...Self.maximumDirectBytes ~= bytes else { throw .invalidField("Secret") }
        case .sealed(let bytes): guard bytes >= 1 else { throw .invalidField("Secret") }
        }
        self.identifier = identifier
        self.label = label
        self.created = created
        self.threshold = threshold
        self.shares = shares
        self.content = content
    }

    /// The identifier as people see it: four groups of four characters.
    public var identifierText: String { Self.text(ofIdentifier: identifier) }

    /// A set's identifier as people see it.
    public static func text(ofIdentifier identifier: [UInt8]) -> String { ShareText.grouped(identifier) }

    /// Bytes of what is split: the secret or the sealed file's key, the check key, and the set's MAC.
    var messageBytes: Int { secretBytes + ShareBody.checkKeyBytes + ShareBody.macBytes }

    /// Bytes of the secret that the shares themselves hold.
    var secretBytes: Int {
        switch content {
        case .direct(let bytes): bytes
        case .sealed: SealedFormat.keyBytes
        }
    }

    /// Whether the text is a day of the calendar, YYYY-MM-DD.
    static func isDay(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == 0x2d, bytes[7] == 0x2d else { return false }
        let digits = bytes.indices.filter { $0 != 4 && $0 != 7 }
        guard digits.allSatisfy({ 0x30...0x39 ~= bytes[$0] }) else { return false }
        func number(_ range: Range<Int>) -> Int { bytes[range].reduce(0) { $0 * 10 + Int($1 - 0x30) } }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        guard 1...12 ~= month else { return false }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return 1...lengths[month - 1] ~= day
    }
}
