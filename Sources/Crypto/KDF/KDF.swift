/// What the key derivation functions of this module refuse.
public enum KDFError: Error, Equatable, Sendable {
    /// HKDF gives at most 255 times the length of its hash (RFC 5869 section 2.3), and nothing gives no
    /// bytes.
    case outputByteCount(Int)
    /// A pseudorandom key is at least as long as the hash (RFC 5869 section 2.3).
    case keyByteCount(Int)
    /// The number of rounds is below one, or above what this module is willing to spend.
    case rounds(Int)
    /// A cost parameter is outside the bounds that its function documents.
    case cost(String)
    /// The salt is shorter than the function's standard demands.
    case saltByteCount(Int)
}

extension KDFError: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .outputByteCount(let count): "a key of \(count) bytes cannot be derived"
        case .keyByteCount(let count): "a pseudorandom key of \(count) bytes is too short"
        case .rounds(let count): "\(count) rounds are out of bounds"
        case .cost(let name): "the cost parameter \(name) is out of bounds"
        case .saltByteCount(let count): "a salt of \(count) bytes is too short"
        }
    }
}
