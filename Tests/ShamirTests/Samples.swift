import PDSecrets

@testable import PDShamir

extension ShareSet {
    /// A set with fixed contents.
    static func sample(
        identifier: UInt8 = 1, label: String? = "private_key.asc", threshold: Int = 3, shares: Int = 5,
        content: Content = .direct(bytes: 33)
    ) throws -> ShareSet {
        try ShareSet(
            identifier: [UInt8](repeating: identifier, count: 10), label: label, created: "2026-11-23",
            threshold: threshold, shares: shares, content: content)
    }
}

/// A small set of native shares, and ways to spoil them.
struct Sample {
    static let secret: [UInt8] = Array("a secret of thirty-three bytes...".utf8)
    static let holders: [String?] = ["Alice Example", "Jürgen Groß", nil, "Dan #4", "Eve: 5"]

    let shares: [Share]

    init(
        identifier: UInt8 = 1, threshold: Int = 3, shares: Int = 5, seed: UInt64 = 20,
        secret: [UInt8] = secret
    ) throws {
        let set = try ShareSet.sample(
            identifier: identifier, threshold: threshold, shares: shares,
            content: .direct(bytes: secret.count))
        self.shares = try set.split(
            SecretBytes(copying: secret), holders: Array(Self.holders.prefix(shares)),
            randomness: CountingRandomness(seed: seed), cryptography: TestCryptography())
    }

    /// The text of a share.
    func text(_ index: Int) -> String { shares[index].text }

    static func combine(_ shares: [Share]) throws -> ShareCombination {
        try ShareCombination(shares, cryptography: TestCryptography())
    }
}

extension Share {
    var text: String { String(decoding: encoded().array, as: UTF8.self) }

    init(text: String) throws(ShareFileError) { try self.init(bytes: Array(text.utf8)) }

    init(bytes: [UInt8]) throws(ShareFileError) {
        let copy = SecretBytes(copying: bytes)
        self = try copy.withUnsafeBytes { bytes throws(ShareFileError) in try Share(parsing: bytes) }
    }

    /// The share with one bit of its body flipped.
    func flipped(bit: Int) throws -> Share {
        var changed = SecretBytes(copying: body.array)
        changed.withUnsafeMutableBytes { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
        return try Share(set: set, number: Int(number), holder: holder, protection: protection, body: changed)
    }

    /// The share with other words on it and the same body.
    func rewritten(set: ShareSet? = nil, number: Int? = nil, holder: String?) throws -> Share {
        try Share(
            set: set ?? self.set, number: number ?? Int(self.number), holder: holder, protection: protection,
            body: body)
    }
}

/// A line with the checksum that belongs to it on a share, for texts that are wrong in other ways.
func checked(_ line: String, on share: Share) -> String {
    let key = String(line.prefix { $0 != ":" })
    var checksum = LineChecksum()
    checksum.add(ShareBinding(set: share.set.identifierText, number: Int(share.number)).prefix(of: key))
    checksum.add(line.utf8)
    return line + " #" + String(decoding: LineChecksum.text(checksum.value), as: UTF8.self)
}

extension String {
    /// The text with the line that begins with `key:` replaced.
    func replacingLine(_ key: String, with line: String) -> String {
        split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(key + ":") ? line : String($0) }
            .joined(separator: "\n")
    }
}
