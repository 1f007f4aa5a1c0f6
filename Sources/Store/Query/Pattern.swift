/// A regular expression that is matched in bounded time.
///
/// The language is the part of PCRE that needs no backtracking. The pattern becomes a nondeterministic automaton whose
/// states are followed all at once (K. Thompson, "Regular Expression Search Algorithm", CACM 11(6), 1968), so that a
/// match takes at most the length of the text times the size of the pattern, whatever the two are.
struct Pattern: Sendable {
    /// The most instructions that a pattern may have.
    static let maximumSize = 4096

    let instructions: [PatternInstruction]

    /// Compiles a pattern with MongoDB's options: `i` ignores case, `m` lets `^` and `$` match at lines, `s` lets `.`
    /// match line ends, `x` leaves out white space and comments, `u` has no effect.
    init(_ pattern: String, options: String) throws(PatternError) {
        var parser = PatternParser(pattern, options: try PatternOptions(options))
        var compiler = PatternCompiler()
        try compiler.compile(try parser.parse())
        instructions = compiler.instructions + [.match]
    }

    /// Whether the pattern matches anywhere in the text, which is UTF-8.
    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        let count = instructions.count
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: 4 * count + 2) { memory in
            memory.initialize(repeating: -1)
            var run = PatternRun(
                instructions: instructions, text: text,
                states: (StateList(memory, at: 0, count), StateList(memory, at: count, count)),
                marks: UnsafeMutableBufferPointer(rebasing: memory[(2 * count)..<(3 * count)]),
                stack: UnsafeMutableBufferPointer(rebasing: memory[(3 * count)...]))
            return run.matches()
        }
    }
}

/// The option letters of a pattern, as they stand at one place in it.
struct PatternOptions {
    var ignoresCase = false
    var isMultiline = false
    var dotMatchesLineEnds = false
    var isExtended = false

    init(_ letters: String) throws(PatternError) {
        for (offset, letter) in letters.enumerated() where letter != "u" {
            guard set(letter, to: true) else {
                throw PatternError(reason: .unknownOption(letter), offset: offset)
            }
        }
    }

    /// False where the letter is no option.
    mutating func set(_ letter: Character, to flag: Bool) -> Bool {
        switch letter {
        case "i": ignoresCase = flag
        case "m": isMultiline = flag
        case "s": dotMatchesLineEnds = flag
        case "x": isExtended = flag
        default: return false
        }
        return true
    }
}

/// One step of the automaton.
enum PatternInstruction: Sendable {
    case character(UInt32)
    case set(CharacterSet)
    case split(Int32, Int32)
    case jump(Int32)
    case assert(PatternAssertion)
    case match
}

/// A place in the text.
enum PatternAssertion: Sendable {
    case textStart
    case textEnd
    /// The end, or the place before a line end that ends the text.
    case textOrLastLineEnd
    case lineStart
    case lineEnd
    case wordBoundary
    case noWordBoundary
}

/// A set of characters.
struct CharacterSet: Sendable {
    var ranges: [ClosedRange<UInt32>]
    var isNegated = false
    var ignoresCase = false

    func contains(_ character: UInt32) -> Bool {
        (hasRange(character) || (ignoresCase && Self.otherCases(of: character).contains(where: hasRange)))
            != isNegated
    }

    private func hasRange(_ character: UInt32) -> Bool {
        ranges.contains { $0.contains(character) }
    }

    /// The same character in upper and lower case, where that is one character.
    static func otherCases(of character: UInt32) -> [UInt32] {
        guard let scalar = Unicode.Scalar(character) else { return [] }
        if scalar.isASCII {
            return scalar.properties.isAlphabetic ? [character ^ 0x20] : []
        }
        return [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping].compactMap { text in
            text.unicodeScalars.count == 1 ? text.unicodeScalars.first?.value : nil
        }
    }

    /// All characters that are in none of the ranges.
    static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return result
    }

    static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
    static let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
    static let space: [ClosedRange<UInt32>] = [0x09...0x0D, 0x20...0x20]
    static let lineEnd: [ClosedRange<UInt32>] = [0x0A...0x0A]

    /// The classes of POSIX, for ASCII as PCRE has them.
    static let posix: [String: [ClosedRange<UInt32>]] = [
        "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A], "alpha": [0x41...0x5A, 0x61...0x7A],
        "ascii": [0x00...0x7F], "blank": [0x09...0x09, 0x20...0x20], "cntrl": [0x00...0x1F, 0x7F...0x7F],
        "digit": digits, "graph": [0x21...0x7E], "lower": [0x61...0x7A], "print": [0x20...0x7E],
        "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E], "space": space, "upper": [0x41...0x5A],
        "word": word, "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
    ]
}
