/// A regular expression as a tree.
indirect enum PatternNode {
    case character(UInt32)
    case set(CharacterSet)
    case assert(PatternAssertion)
    case sequence([PatternNode])
    case choice([PatternNode])
    /// At least and at most that often; without a bound where the second is nothing.
    case repetition(PatternNode, Int, Int?)
}

/// Reads the part of PCRE's language (<https://www.pcre.org/original/doc/html/pcrepattern.html>) that needs no
/// backtracking.
struct PatternParser {
    private let characters: [Unicode.Scalar]
    private var position = 0
    private var options: PatternOptions

    init(_ pattern: String, options: PatternOptions) {
        characters = Array(pattern.unicodeScalars)
        self.options = options
    }

    mutating func parse() throws(PatternError) -> PatternNode {
        let node = try choice(depth: 0)
        guard position == characters.count else { throw failure(.unmatchedParenthesis) }
        return node
    }

    // MARK: Structure

    private mutating func choice(depth: Int) throws(PatternError) -> PatternNode {
        guard depth < 50 else { throw failure(.tooLarge) }
        var branches = [try sequence(depth: depth)]
        while skip("|") { branches.append(try sequence(depth: depth)) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence(depth: Int) throws(PatternError) -> PatternNode {
        var nodes: [PatternNode] = []
        while true {
            skipBlanks()
            guard let next = peek(), next != "|", next != ")" else { break }
            guard let node = try atom(depth: depth) else { continue }
            nodes.append(try quantified(node))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    /// Nothing for what only sets options or is a comment.
    private mutating func atom(depth: Int) throws(PatternError) -> PatternNode? {
        let start = position
        guard let next = take() else { throw failure(.endsEarly) }
        switch next {
        case "(": return try group(depth: depth)
        case "[": return .set(try characterClass())
        case ".":
            let excluded = options.dotMatchesLineEnds ? [] : CharacterSet.lineEnd
            return .set(CharacterSet(ranges: excluded, isNegated: true))
        case "^": return .assert(options.isMultiline ? .lineStart : .textStart)
        case "$": return .assert(options.isMultiline ? .lineEnd : .textOrLastLineEnd)
        case "\\": return try escape()
        case "*", "+", "?": throw PatternError(reason: .nothingToRepeat, offset: start)
        default: return literal(next.value)
        }
    }

    private mutating func group(depth: Int) throws(PatternError) -> PatternNode? {
        let outer = options
        if skip("*") { throw unsupported("a verb (*…)") }
        if skip("?") {
            if skip("#") {
                while let next = take() {
                    if next == ")" { return nil }
                }
                throw failure(.endsEarly)
            }
            if skip("P") || peek() == "<" || peek() == "'" {
                try groupName()
            } else if !skip(":") {
                try optionLetters()
                // Without a colon the options hold until the group around ends.
                if skip(")") { return nil }
                guard skip(":") else { throw failure(.endsEarly) }
            }
        }
        let node = try choice(depth: depth + 1)
        guard skip(")") else { throw failure(.endsEarly) }
        options = outer
        return node
    }

    /// The name of a group has no meaning here.
    private mutating func groupName() throws(PatternError) {
        let closing: Unicode.Scalar
        if skip("<") {
            if peek() == "=" || peek() == "!" { throw unsupported("looking behind") }
            closing = ">"
        } else if skip("'") {
            closing = "'"
        } else {
            throw unsupported("a reference to a group")
        }
        while let next = take() {
            if next == closing { return }
            guard next.isASCII, next.properties.isAlphabetic || next == "_" || ("0"..."9").contains(next)
            else { break }
        }
        throw failure(.endsEarly)
    }

    private mutating func optionLetters() throws(PatternError) {
        var flag = true
        while let next = peek(), next != ":", next != ")" {
            switch next {
            case "-" where flag: flag = false
            case "=", "!": throw unsupported("looking ahead")
            case ">": throw unsupported("an atomic group")
            case "|": throw unsupported("a group that resets numbers")
            case "(": throw unsupported("a conditional group")
            case "R", "&", "+", "0"..."9": throw unsupported("recursion")
            default:
                guard options.set(Character(next), to: flag) else {
                    throw unsupported("the option (?\(next))")
                }
            }
            position += 1
        }
        guard peek() != nil else { throw failure(.endsEarly) }
    }

    // MARK: Quantifiers

    private mutating func quantified(_ node: PatternNode) throws(PatternError) -> PatternNode {
        skipBlanks()
        let start = position
        var bounds: (Int, Int?)
        if skip("*") {
            bounds = (0, nil)
        } else if skip("+") {
            bounds = (1, nil)
        } else if skip("?") {
            bounds = (0, 1)
        } else if let counts = try counts() {
            bounds = counts
        } else {
            return node
        }
        if let most = bounds.1, most < bounds.0 { throw PatternError(reason: .badRange, offset: start) }
        // Whether as few or as many as possible are tried first makes no difference to whether there is a match.
        if !skip("?"), skip("+") { throw unsupported("a possessive quantifier") }
        skipBlanks()
        if let next = peek(), next == "*" || next == "+" || next == "?" { throw failure(.nothingToRepeat) }
        return .repetition(node, bounds.0, bounds.1)
    }

    /// `{2}`, `{2,}` or `{2,5}`; anything else in braces is text.
    private mutating func counts() throws(PatternError) -> (Int, Int?)? {
        let start = position
        guard skip("{"), let least = try number() else {
            position = start
            return nil
        }
        if skip("}") { return (least, least) }
        if skip(",") {
            if skip("}") { return (least, nil) }
            if let most = try number(), skip("}") { return (least, most) }
        }
        position = start
        return nil
    }

    private mutating func number() throws(PatternError) -> Int? {
        let start = position
        var value = 0
        while let next = peek(), ("0"..."9").contains(next) {
            value = value * 10 + Int(next.value - 0x30)
            guard value <= Pattern.maximumSize else { throw PatternError(reason: .tooLarge, offset: start) }
            position += 1
        }
        return position > start ? value : nil
    }

    // MARK: Characters

    private func literal(_ character: UInt32) -> PatternNode {
        let others = options.ignoresCase ? CharacterSet.otherCases(of: character) : []
        if others.allSatisfy({ $0 == character }) { return .character(character) }
        return .set(CharacterSet(ranges: [character...character], ignoresCase: true))
    }

    private mutating func escape() throws(PatternError) -> PatternNode? {
        let start = position - 1
        guard let next = peek() else { throw failure(.endsEarly) }
        if let ranges = classEscape(next) {
            position += 1
            return .set(CharacterSet(ranges: ranges))
        }
        switch next {
        case "b", "B", "A", "z", "Z":
            position += 1
            switch next {
            case "b": return .assert(.wordBoundary)
            case "B": return .assert(.noWordBoundary)
            case "A": return .assert(.textStart)
            case "z": return .assert(.textEnd)
            default: return .assert(.textOrLastLineEnd)
            }
        case "Q":
            position += 1
            return try quoted()
        case "E":
            position += 1
            return nil
        case "1"..."9", "g", "k": throw PatternError(reason: .unsupported("a reference back"), offset: start)
        default: return literal(try characterEscape())
        }
    }

    /// What stands between `\Q` and `\E` is text; the last character of it may be repeated.
    private mutating func quoted() throws(PatternError) -> PatternNode? {
        var nodes: [PatternNode] = []
        while let next = take() {
            if next == "\\", skip("E") { break }
            nodes.append(literal(next.value))
        }
        guard let last = nodes.popLast() else { return nil }
        return .sequence(nodes + [try quantified(last)])
    }

    private func classEscape(_ letter: Unicode.Scalar) -> [ClosedRange<UInt32>]? {
        switch letter {
        case "d": CharacterSet.digits
        case "D": CharacterSet.complement(CharacterSet.digits)
        case "w": CharacterSet.word
        case "W": CharacterSet.complement(CharacterSet.word)
        case "s": CharacterSet.space
        case "S": CharacterSet.complement(CharacterSet.space)
        default: nil
        }
    }

    /// An escape that stands for one character, behind its backslash.
    private mutating func characterEscape() throws(PatternError) -> UInt32 {
        let start = position - 1
        guard let next = take() else { throw failure(.endsEarly) }
        switch next {
        case "n": return 0x0A
        case "r": return 0x0D
        case "t": return 0x09
        case "f": return 0x0C
        case "a": return 0x07
        case "e": return 0x1B
        case "x": return try hexadecimal()
        default:
            guard !next.isASCII || !(next.properties.isAlphabetic || ("0"..."9").contains(next)) else {
                throw PatternError(reason: .unsupported("the escape \\\(next)"), offset: start)
            }
            return next.value
        }
    }

    /// `\x`, `\x4`, `\x41` or `\x{1F427}`.
    private mutating func hexadecimal() throws(PatternError) -> UInt32 {
        let start = position
        let isBraced = skip("{")
        var value: UInt32 = 0
        var count = 0
        while let digit = peek().flatMap({ Character($0).hexDigitValue }), count < (isBraced ? 6 : 2) {
            value = value << 4 | UInt32(digit)
            count += 1
            position += 1
        }
        guard !isBraced || (count > 0 && skip("}")), Unicode.Scalar(value) != nil else {
            throw PatternError(reason: .badCharacter, offset: start)
        }
        return value
    }

    // MARK: Classes

    private mutating func characterClass() throws(PatternError) -> CharacterSet {
        var set = CharacterSet(ranges: [], ignoresCase: options.ignoresCase)
        set.isNegated = skip("^")
        var isFirst = true
        while true {
            guard let next = take() else { throw failure(.endsEarly) }
            if next == "]", !isFirst { return set }
            isFirst = false
            if next == "[", let ranges = try posixClass() {
                set.ranges += ranges
                continue
            }
            if next == "\\", let letter = peek(), let ranges = classEscape(letter) {
                position += 1
                set.ranges += ranges
                continue
            }
            let lower = try classCharacter(next)
            guard peek() == "-", position + 1 < characters.count, characters[position + 1] != "]" else {
                set.ranges.append(lower...lower)
                continue
            }
            let start = position
            position += 1
            guard let end = take() else { throw failure(.endsEarly) }
            if end == "\\", let letter = peek(), classEscape(letter) != nil {
                throw PatternError(reason: .badRange, offset: start)
            }
            let upper = try classCharacter(end)
            guard lower <= upper else { throw PatternError(reason: .badRange, offset: start) }
            set.ranges.append(lower...upper)
        }
    }

    private mutating func classCharacter(_ character: Unicode.Scalar) throws(PatternError) -> UInt32 {
        guard character == "\\" else { return character.value }
        // Within a class this is a backspace.
        if skip("b") { return 0x08 }
        return try characterEscape()
    }

    /// `[:alpha:]` or `[:^alpha:]`, behind the first bracket.
    private mutating func posixClass() throws(PatternError) -> [ClosedRange<UInt32>]? {
        let start = position
        guard skip(":") else { return nil }
        let isNegated = skip("^")
        var name = ""
        while let next = peek(), ("a"..."z").contains(next) {
            name.unicodeScalars.append(next)
            position += 1
        }
        guard skip(":"), skip("]") else {
            position = start
            return nil
        }
        guard let ranges = CharacterSet.posix[name] else {
            throw PatternError(reason: .unsupported("the class [:\(name):]"), offset: start)
        }
        return isNegated ? CharacterSet.complement(ranges) : ranges
    }

    // MARK: Reading

    private func peek() -> Unicode.Scalar? { position < characters.count ? characters[position] : nil }

    private mutating func take() -> Unicode.Scalar? {
        guard let next = peek() else { return nil }
        position += 1
        return next
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard peek() == character else { return false }
        position += 1
        return true
    }

    /// White space and comments, where the options say so.
    private mutating func skipBlanks() {
        guard options.isExtended else { return }
        while let next = peek() {
            if next == "#" {
                while let comment = take(), comment != "\n" {}
            } else if CharacterSet.space.contains(where: { $0.contains(next.value) }) {
                position += 1
            } else {
                return
            }
        }
    }

    private func failure(_ reason: PatternError.Reason) -> PatternError {
        PatternError(reason: reason, offset: position)
    }

    private func unsupported(_ what: String) -> PatternError { failure(.unsupported(what)) }
}
