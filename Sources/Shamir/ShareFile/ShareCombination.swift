/// A secret that was restored and proved right by its MAC.
public struct ShareCombination {
    /// What all good shares say.
    public let set: ShareSet
    /// The secret, or the sealed file's key.
    public let secret: SecretBytes
    /// The places, in the list that was given, of shares that were changed after the split. Their part in the secret
    /// was left out, or only what is written on them was changed.
    public let changed: [Int]

    /// Choices of shares that are tried before giving up: all of them among up to sixteen shares, and enough for one
    /// changed share among any number. With the longest secret this takes some ten seconds.
    static let maximumTries = 20_000

    /// Checks that shares belong together: one set, no share twice, enough of them, none locked.
    ///
    /// - Throws: ``ShareFileError`` with the places of those that do not fit.
    public static func check(_ shares: [Share]) throws(ShareFileError) {
        guard let first = shares.first else { throw .noShares }
        for (index, share) in shares.enumerated() {
            guard share.set.identifier == first.set.identifier else { throw .differentSets(0, index) }
            for (a, b) in zip(ShareText.setFields(first.set), ShareText.setFields(share.set)) where a != b {
                throw .contradiction(0, index, field: a.key)
            }
            for (other, earlier) in shares[..<index].enumerated() where earlier.number == share.number {
                throw earlier.isSame(as: share)
                    ? .sameShareTwice(other, index) : .conflictingShares(other, index)
            }
        }
        guard shares.count >= first.set.threshold else {
            throw .notEnough(have: shares.count, need: first.set.threshold)
        }
        guard shares.allSatisfy({ $0.protection == nil }) else { throw .passphraseNeeded }
    }

    /// Restores the secret, with every share beyond the threshold used as a check on the others.
    ///
    /// - Throws: ``ShareFileError``, or what `cryptography` threw.
    public init(_ shares: [Share], cryptography: some ShareCryptography) throws {
        try Self.check(shares)
        let set = shares[0].set
        for choice in Choices(of: set.threshold, among: shares.count).prefix(Self.maximumTries) {
            let message = try Self.message(choice.map { shares[$0] }, of: set)
            let checked = try message.withUnsafeBytes { message -> (secret: SecretBytes, changed: [Int])? in
                let secret = UnsafeRawBufferPointer(rebasing: message[..<set.secretBytes])
                let keyEnd = set.secretBytes + ShareBody.checkKeyBytes
                let checkKey = UnsafeRawBufferPointer(rebasing: message[set.secretBytes..<keyEnd])
                let expected = try ShareBody.setMAC(
                    set, secret: secret, checkKey: checkKey, cryptography: cryptography)
                guard expected.isEqual(UnsafeRawBufferPointer(rebasing: message[keyEnd...])) else {
                    return nil
                }
                let changed = try shares.indices.filter { index in
                    try !shares[index].isUnchanged(checkKey: checkKey, cryptography: cryptography)
                }
                return (SecretBytes(copying: secret), changed)
            }
            if let checked {
                self.set = set
                secret = checked.secret
                changed = checked.changed
                return
            }
        }
        throw ShareFileError.doNotFit(have: shares.count, need: set.threshold)
    }

    private static func message(_ shares: [Share], of set: ShareSet) throws -> SecretBytes {
        let message = SecretBytes(count: set.messageBytes)
        let combiner = try Combiner(points: shares.map(\.number))
        try SecretBytes.withUnsafeBytes(of: shares.map(\.body)) { bodies in
            let values = bodies.map { UnsafeRawBufferPointer(rebasing: $0[..<set.messageBytes]) }
            try message.withUnsafeMutableBytes { try combiner.combine(values, into: $0) }
        }
        return message
    }
}

extension Share {
    fileprivate func isSame(as other: Share) -> Bool {
        holder == other.holder && protection == other.protection && other.body.withUnsafeBytes(body.isEqual)
    }

    /// Whether the share is as it was made.
    fileprivate func isUnchanged(
        checkKey: UnsafeRawBufferPointer, cryptography: some ShareCryptography
    ) throws -> Bool {
        try body.withUnsafeBytes { body in
            let value = UnsafeRawBufferPointer(rebasing: body[..<set.messageBytes])
            let expected = try ShareBody.shareMAC(
                self, value: value, checkKey: checkKey, cryptography: cryptography)
            return expected.isEqual(UnsafeRawBufferPointer(rebasing: body[set.messageBytes...]))
        }
    }
}

extension SecretBytes {
    /// Compares in constant time.
    func isEqual(_ other: UnsafeRawBufferPointer) -> Bool {
        withUnsafeBytes { ByteKernels.equal($0, other) }
    }
}

/// Choices of `size` places among `count`: first runs of neighbours, one of which leaves out any single place, then
/// all choices in lexicographic order.
struct Choices: Sequence, IteratorProtocol {
    private let size: Int
    private let count: Int
    private var run = 0
    private var following: [Int]?

    init(of size: Int, among count: Int) {
        self.size = size
        self.count = count
        following = size == count ? nil : Array(0..<size)
    }

    mutating func next() -> [Int]? {
        if run < (size == count ? 1 : count) {
            defer { run += 1 }
            return (0..<size).map { (run + $0) % count }
        }
        guard let current = following else { return nil }
        var next = current
        if let place = (0..<size).last(where: { current[$0] < count - size + $0 }) {
            let first = current[place] + 1
            for index in place..<size { next[index] = first + index - place }
            following = next
        } else {
            following = nil
        }
        return current
    }
}
