import PDSecrets

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
    /// Shares that contradict each other in what is written on them are let through where enough of them agree, or most
    /// of them do and are enough by their own word: which of them were changed is known once the secret is.
    ///
    /// - Throws: ``ShareFileError`` with the places of those that do not fit.
    public static func check(_ shares: [Share]) throws(ShareFileError) {
        guard let first = shares.first else { throw .noShares }
        for (index, share) in shares.enumerated() {
            guard share.set.identifier == first.set.identifier else { throw .differentSets(0, index) }
            for (other, earlier) in shares[..<index].enumerated() where earlier.number == share.number {
                throw earlier.isSame(as: share)
                    ? .sameShareTwice(other, index) : .conflictingShares(other, index)
            }
        }
        guard !quorums(among: shares).isEmpty || majority(among: shares) != nil else {
            throw contradiction(among: shares) ?? .notEnough(have: shares.count, need: first.set.threshold)
        }
        guard shares.allSatisfy({ $0.protection == nil }) else { throw .passphraseNeeded }
    }

    /// Restores the secret, with every share beyond the threshold used as a check on the others.
    ///
    /// A share that does not fit was made by somebody, perhaps along with others that fit it: whoever knows one share
    /// can make a whole set of forged ones. So the search does not end with the first secret that proves right while
    /// there are shares that speak against it.
    public init(_ shares: [Share], cryptography: some ShareCryptography) throws(ShareFileError) {
        try Self.check(shares)
        let quorums = Self.quorums(among: shares)
        guard !quorums.isEmpty else { throw try Self.outnumbered(shares, cryptography) }
        let choices = quorums.lazy.flatMap { places in
            Choices(of: shares[places[0]].set.threshold, among: places.count).lazy.map { choice in
                choice.map { places[$0] }
            }
        }
        let tries = quorums.reduce(0) {
            $0 + Choices.number(of: shares[$1[0]].set.threshold, among: $1.count, limit: Self.maximumTries)
        }
        var found: Proof?
        // The first choices come twice.
        for choice in choices.prefix(Self.maximumTries + shares.count) {
            if let found, choice.allSatisfy({ !found.changed.contains($0) }) { continue }
            guard let proof = try Proof(choice, of: shares, cryptography: cryptography) else { continue }
            if let found {
                guard proof.message == found.message else {
                    throw .twoSecrets(found.choice, proof.choice)
                }
                continue
            }
            found = proof
            if proof.changed.isEmpty { break }
            guard tries > Self.maximumTries else { continue }
            // Not all choices can be tried. Two secrets have fewer shares than the threshold in common, so where this
            // is so no other secret has as many on its side.
            guard shares.count - proof.changed.count >= proof.changed.count + proof.set.threshold else {
                throw .tooManyChanged(have: shares.count, changed: proof.changed.count)
            }
            break
        }
        guard let found else {
            throw .doNotFit(
                have: shares.count, need: shares[quorums[0][0]].set.threshold)
        }
        set = found.set
        secret = found.message.withUnsafeBytes {
            SecretBytes(copying: $0[..<found.set.secretBytes])
        }
        changed = found.changed
    }

    /// The places of shares that agree in all that is written about their set.
    private static func groups(of shares: [Share]) -> [[Int]] {
        var groups: [(lines: [UInt8], places: [Int])] = []
        for (place, share) in shares.enumerated() {
            let lines = ShareText.setLines(share.set)
            if let group = groups.firstIndex(where: { $0.lines == lines }) {
                groups[group].places.append(place)
            } else {
                groups.append((lines, [place]))
            }
        }
        return groups.map(\.places)
    }

    /// The groups of shares that are enough to be believed.
    private static func quorums(among shares: [Share]) -> [[Int]] {
        // As many as any share demands: two forged shares that say 2 are not enough beside a true one that says 3.
        let needed = shares.reduce(0) { Swift.max($0, $1.set.threshold) }
        return groups(of: shares).filter { $0.count >= needed }
    }

    /// The group of more than half of the shares, if it is enough by its own word.
    private static func majority(among shares: [Share]) -> [Int]? {
        groups(of: shares).first { 2 * $0.count > shares.count && $0.count >= shares[$0[0]].set.threshold }
    }

    /// Where a share demands more shares than agree: which ones speak against a secret of most of them.
    ///
    /// The secret is not given out. A holder may have raised the threshold on one share to make the others useless; but
    /// fewer holders than the threshold may as well have forged most of the shares, with a lower one. Who leaves out what
    /// is named decides between the two.
    private static func outnumbered(
        _ shares: [Share], _ cryptography: some ShareCryptography
    ) throws(ShareFileError) -> ShareFileError {
        let places = majority(among: shares) ?? []
        do throws(ShareFileError) {
            let changed = try ShareCombination(places.map { shares[$0] }, cryptography: cryptography).changed
            let against = shares.indices.filter { !places.contains($0) } + changed.map { places[$0] }
            return .outnumbered(against.sorted(), have: shares.count)
        } catch {
            switch error {
            case .failed: throw error
            case .twoSecrets(let a, let b):
                return .twoSecrets(a.map { places[$0] }, b.map { places[$0] })
            // Most of them restore nothing: it may be they that were changed.
            default: return contradiction(among: shares) ?? error
            }
        }
    }

    /// The first two shares that differ in what is written about their set.
    private static func contradiction(among shares: [Share]) -> ShareFileError? {
        let first = ShareText.setFields(shares[0].set)
        for (index, share) in shares.enumerated() {
            // Bytes, not characters: "é" has two spellings, which the MACs tell apart.
            for (a, b) in zip(first, ShareText.setFields(share.set))
            where !a.value.utf8.elementsEqual(b.value.utf8) {
                return .contradiction(0, index, field: a.key)
            }
        }
        return nil
    }

    /// A choice of shares whose secret agrees with the set's MAC.
    private struct Proof {
        let choice: [Int]
        let set: ShareSet
        let message: SecretBytes
        let changed: [Int]

        /// nil where the MAC does not agree.
        init?(_ choice: [Int], of shares: [Share], cryptography: some ShareCryptography)
            throws(ShareFileError)
        {
            self.choice = choice
            let set = shares[choice[0]].set
            self.set = set
            let message = try ShareCombination.message(choice.map { shares[$0] }, of: set)
            self.message = message
            let changed = try message.withUnsafeBytes { message throws(ShareFileError) -> [Int]? in
                let secret = UnsafeRawBufferPointer(rebasing: message[..<set.secretBytes])
                let keyEnd = set.secretBytes + ShareBody.checkKeyBytes
                let checkKey = UnsafeRawBufferPointer(rebasing: message[set.secretBytes..<keyEnd])
                let expected = try ShareBody.setMAC(
                    set, secret: secret, checkKey: checkKey, cryptography: cryptography)
                guard expected.isEqual(UnsafeRawBufferPointer(rebasing: message[keyEnd...])) else {
                    return nil
                }
                var changed: [Int] = []
                for (index, share) in shares.enumerated()
                where try !share.isUnchanged(checkKey: checkKey, cryptography: cryptography) {
                    changed.append(index)
                }
                return changed
            }
            guard let changed else { return nil }
            self.changed = changed
        }
    }

    private static func message(_ shares: [Share], of set: ShareSet) throws(ShareFileError) -> SecretBytes {
        try ShareFileError.wrapping { () throws(ShamirError) in
            let combiner = try Combiner(points: shares.map(\.number))
            return try SecretBytes(count: set.messageBytes) { message throws(ShamirError) in
                try SecretBytes.withUnsafeBytes(of: shares.map(\.body)) { bodies throws(ShamirError) in
                    let values = bodies.map { UnsafeRawBufferPointer(rebasing: $0[..<set.messageBytes]) }
                    try combiner.combine(values, into: message)
                }
            }
        }
    }
}

extension Share {
    /// Whether both are one and the same share.
    public func isSame(as other: Share) -> Bool {
        ShareText.setLines(set) == ShareText.setLines(other.set)
            && ShareText.ownLines(self) == ShareText.ownLines(other) && protection == other.protection
            && other.body.withUnsafeBytes(body.isEqual)
    }

    /// Whether the share is as it was made.
    fileprivate func isUnchanged(
        checkKey: UnsafeRawBufferPointer, cryptography: some ShareCryptography
    ) throws(ShareFileError) -> Bool {
        try body.withUnsafeBytes { body throws(ShareFileError) in
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
        withUnsafeBytes { ConstantTime.isEqual($0, other) }
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

    /// How many choices there are, or `limit` + 1 where there are more than `limit`.
    static func number(of size: Int, among count: Int, limit: Int) -> Int {
        var number = 1
        for chosen in stride(from: 1, through: Swift.min(size, count - size), by: 1) {
            number = number * (count - chosen + 1) / chosen
            if number > limit { return limit + 1 }
        }
        return number
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
