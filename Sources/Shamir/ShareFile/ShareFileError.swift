/// Why a text is not a share, or shares do not fit. Shares are named by their place in the list that was given,
/// from 0; lines by their number in the file, from 1. No case carries secret bytes.
public enum ShareFileError: Error, Equatable, Sendable {
    /// The cryptography or the randomness that was handed in failed, or the numbers of a split were impossible; the text
    /// says why.
    case failed(String)

    // A text
    /// Nothing in the text is a share.
    case notAShare
    /// What is wrong with a share that was found in the text: all of it.
    case damaged([ShareLineProblem])
    /// The text holds several shares.
    case several(Int)

    // A value
    /// The field is out of range.
    case invalidField(String)
    /// The share is protected by a passphrase and was not opened.
    case passphraseNeeded
    /// The passphrase is wrong, or the share was changed; nobody can tell which.
    case wrongPassphrase

    // A set
    /// No shares were given.
    case noShares
    /// The two shares come from different splits, so they can never be combined.
    case differentSets(Int, Int)
    /// The two shares claim the same set and differ in a field: one of them was changed.
    case contradiction(Int, Int, field: String)
    /// The shares at these places contradict all the others, which restore a secret but are fewer than one of them
    /// demands: either these were changed, or the others were forged.
    case outnumbered([Int], have: Int)
    /// The two are one and the same share.
    case sameShareTwice(Int, Int)
    /// The two have the same number and differ: one of them was changed.
    case conflictingShares(Int, Int)
    /// There are fewer shares than the threshold.
    case notEnough(have: Int, need: Int)
    /// No choice of shares yields the secret: one or more of them were changed.
    case doNotFit(have: Int, need: Int)
    /// The two choices of shares restore two different secrets: those of one were forged.
    case twoSecrets([Int], [Int])
    /// The secret was found, but so many shares speak against it that they may hold another one.
    case tooManyChanged(have: Int, changed: Int)

    // A sealed file
    /// The file does not begin like a sealed file, or is too short for one.
    case notASealedFile
    /// The sealed file belongs to another set.
    case sealedFileOfAnotherSet(String)
    /// The sealed file was changed, cut off or extended.
    case sealedFileDamaged
}

extension ShareFileError: CustomStringConvertible {
    /// One line for people, without the name of the file, which the caller knows.
    public var description: String {
        switch self {
        case .failed(let reason): reason
        case .notAShare: "not a share: no line after \(ShareText.beginLine) is in it"
        case .damaged(let problems): problems.map(\.description).joined(separator: "; ")
        case .several(let count): "\(count) shares, where one was expected"
        case .invalidField(let field): "the value of \"\(field)\" is not valid"
        case .passphraseNeeded: "the share is protected by a passphrase"
        case .wrongPassphrase: "wrong passphrase, or the share was changed"
        case .noShares: "no shares were given"
        case .differentSets: "the shares come from two different splits and cannot be combined"
        case .contradiction(_, _, let field): "the shares differ in \"\(field)\": one of them was changed"
        case .outnumbered(let places, let have):
            "\(places.count) of the \(have) shares contradict the others, which restore a secret: either they were changed "
                + "or the others were forged"
        case .sameShareTwice: "the same share was given twice"
        case .conflictingShares: "two shares have the same number and differ: one of them was changed"
        case .notEnough(let have, let need):
            "have \(have) \(have == 1 ? "share" : "shares"), need \(need): \(need - have) more"
        case .doNotFit(let have, let need):
            have == need
                ? "the shares do not fit together: at least one of the \(have) was changed; with one more share it can be named"
                : "no \(need) of the \(have) shares fit together: too many were changed"
        case .twoSecrets: "the shares restore two different secrets: those of one of them were forged"
        case .tooManyChanged(let have, let changed):
            "\(changed) of the \(have) shares do not fit the others, which is too many to tell which are forged: "
                + "give only those whose holders you know"
        case .notASealedFile: "not a sealed file"
        case .sealedFileOfAnotherSet(let set): "the sealed file belongs to another set, \(set)"
        case .sealedFileDamaged: "the sealed file was changed or is incomplete"
        }
    }
}

extension ShareFileError {
    /// Runs `body`, whose error is that of bare shares.
    static func wrapping<Result>(_ body: () throws(ShamirError) -> Result) throws(ShareFileError) -> Result {
        do throws(ShamirError) { return try body() } catch { throw .failed(error.description) }
    }
}
