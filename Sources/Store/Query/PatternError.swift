/// Why a regular expression cannot be used, and where.
public struct PatternError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Equatable, Sendable {
        /// Part of PCRE that an engine of bounded time cannot have, or that this one does not have.
        case unsupported(String)
        /// The pattern ends within a group, a class or an escape.
        case endsEarly
        /// A closing parenthesis that closes nothing.
        case unmatchedParenthesis
        /// A quantifier with nothing before it that could be repeated.
        case nothingToRepeat
        /// A range whose ends are in the wrong order: `[z-a]`, `{3,1}`.
        case badRange
        /// An escape that names no character.
        case badCharacter
        /// An option letter other than `i`, `m`, `s`, `x` and `u`.
        case unknownOption(Character)
        /// Larger than ``Pattern/maximumSize`` once repetitions are written out, or nested too deep.
        case tooLarge
    }

    /// What is wrong.
    public let reason: Reason
    /// Where, in characters (Unicode scalars) from the start of the pattern.
    public let offset: Int

    /// One line for people.
    public var description: String {
        let text =
            switch reason {
            case .unsupported(let what): "\(what) is not supported"
            case .endsEarly: "the pattern ends too early"
            case .unmatchedParenthesis: "a closing parenthesis too many"
            case .nothingToRepeat: "nothing to repeat"
            case .badRange: "a range in the wrong order"
            case .badCharacter: "no such character"
            case .unknownOption(let letter): "unknown option \(letter)"
            case .tooLarge: "the pattern is too large"
            }
        return "\(text), at character \(offset)"
    }
}
