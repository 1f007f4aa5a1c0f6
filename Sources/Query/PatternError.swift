/// Why a regular expression cannot be used, and where.
public struct PatternError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Equatable, Sendable {
        /// Not a regular expression, in PCRE2's words.
        case wrong(String)
        /// An option letter other than `i`, `m`, `s`, `x` and `u`.
        case unknownOption(Character)
        /// NUL in the pattern, which a regular expression of MongoDB cannot have.
        case containsNUL
        /// Longer than ``Pattern/maximumSize``, or larger than PCRE2 allows once it is compiled.
        case tooLarge
        /// A text would take more steps or memory than a match may: whether it matches is not known.
        case tooCostly
        /// There is no memory, or a fault of PCRE2.
        case failed(String)
    }

    /// What is wrong.
    public let reason: Reason
    /// Where, in characters (Unicode scalars) from the start of the pattern; `nil` where it is no place of it.
    public let offset: Int?

    init(_ reason: Reason, offset: Int? = nil) {
        self.reason = reason
        self.offset = offset
    }

    /// One line for people.
    public var description: String {
        let text =
            switch reason {
            case .wrong(let what): what
            case .unknownOption(let letter): "unknown option \(letter)"
            case .containsNUL: "a pattern cannot contain NUL"
            case .tooLarge: "the pattern is too large"
            case .tooCostly: "matching takes too long on a text, so that it is not known whether it matches"
            case .failed(let what): what
            }
        return offset.map { "\(text), at character \($0)" } ?? text
    }
}
