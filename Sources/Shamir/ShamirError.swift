/// Why a secret could not be split or combined. No case carries a secret.
public enum ShamirError: Error, Equatable, Sendable {
    /// The threshold is outside 2...255. With a threshold of one, each share would be the secret.
    case thresholdOutOfRange(Int)
    /// The number of shares is outside 2...255.
    case shareCountOutOfRange(Int)
    /// More shares would be needed than there are.
    case thresholdAboveShareCount(threshold: Int, shares: Int)
    /// The share number zero is where the secret itself lies.
    case pointZero
    /// A share number occurs twice.
    case pointRepeated(UInt8)
    /// There is nothing to split.
    case emptySecret
    /// The number of buffers differs from the number of shares.
    case bufferCount(expected: Int, found: Int)
    /// The share at `index` is not as long as it has to be, in bytes.
    case lengthsDiffer(index: Int, expected: Int, found: Int)
    /// The source of random bytes failed; the text says why.
    case noRandomness(String)
}

extension ShamirError: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .thresholdOutOfRange(let threshold):
            "the threshold is \(threshold): it must be from 2 to 255"
        case .shareCountOutOfRange(let count):
            "the number of shares is \(count): it must be from 2 to 255"
        case .thresholdAboveShareCount(let threshold, let shares):
            "the threshold is \(threshold), but there are only \(shares) shares"
        case .pointZero:
            "share number 0 does not exist: numbers run from 1 to 255"
        case .pointRepeated(let point):
            "share number \(point) occurs twice"
        case .emptySecret:
            "the secret is empty: there is nothing to split"
        case .bufferCount(let expected, let found):
            "\(expected) buffers are needed, \(found) were given"
        case .lengthsDiffer(let index, let expected, let found):
            "share \(index + 1) in the list is \(found) bytes long, the others \(expected)"
        case .noRandomness(let reason): "no random bytes: \(reason)"
        }
    }
}
