/// The states that the automaton is in, each once.
struct StateList {
    private let states: UnsafeMutableBufferPointer<Int32>
    private(set) var count = 0

    init(_ memory: UnsafeMutableBufferPointer<Int32>, at start: Int, _ capacity: Int) {
        states = UnsafeMutableBufferPointer(rebasing: memory[start..<(start + capacity)])
    }

    subscript(index: Int) -> Int32 { states[index] }

    mutating func append(_ state: Int32) {
        states[count] = state
        count += 1
    }

    mutating func removeAll() { count = 0 }
}

/// One text going through the automaton.
struct PatternRun {
    let instructions: [PatternInstruction]
    let text: UnsafeRawBufferPointer
    /// The states that wait for the character at ``position``.
    private var waiting: StateList
    /// Those that waited for the one before it.
    private var leaving: StateList
    /// For each instruction the last position at which it was visited.
    let marks: UnsafeMutableBufferPointer<Int32>
    /// Instructions that are still to be visited. Each visit leaves at most one behind, and none happens twice.
    let stack: UnsafeMutableBufferPointer<Int32>
    private var position = 0
    private var before: UInt32?

    init(
        instructions: [PatternInstruction], text: UnsafeRawBufferPointer, states: (StateList, StateList),
        marks: UnsafeMutableBufferPointer<Int32>, stack: UnsafeMutableBufferPointer<Int32>
    ) {
        (self.instructions, self.text, (waiting, leaving)) = (instructions, text, states)
        (self.marks, self.stack) = (marks, stack)
    }

    mutating func matches() -> Bool {
        while true {
            let (character, length) = decode(at: position)
            // A match may begin at every place.
            if visit(0, after: before, before: character) { return true }
            guard let character else { return false }
            let (following, _) = decode(at: position + length)
            position += length
            before = character
            leaving.removeAll()
            swap(&waiting, &leaving)
            for index in 0..<leaving.count {
                let state = leaving[index]
                let isStep =
                    switch instructions[Int(state)] {
                    case .character(let wanted): wanted == character
                    case .set(let set): set.contains(character)
                    default: false
                    }
                if isStep, visit(state + 1, after: character, before: following) { return true }
            }
        }
    }

    /// Follows what needs no character from there; true where that is the end of the pattern.
    private mutating func visit(_ first: Int32, after previous: UInt32?, before following: UInt32?) -> Bool {
        var height = 1
        stack[0] = first
        while height > 0 {
            height -= 1
            let state = stack[height]
            guard marks[Int(state)] != Int32(truncatingIfNeeded: position) else { continue }
            marks[Int(state)] = Int32(truncatingIfNeeded: position)
            switch instructions[Int(state)] {
            case .match: return true
            case .jump(let target):
                stack[height] = target
                height += 1
            case .split(let one, let other):
                stack[height] = other
                stack[height + 1] = one
                height += 2
            case .assert(let assertion):
                guard holds(assertion, after: previous, before: following) else { continue }
                stack[height] = state + 1
                height += 1
            case .character, .set: waiting.append(state)
            }
        }
        return false
    }

    private func holds(
        _ assertion: PatternAssertion, after previous: UInt32?, before following: UInt32?
    ) -> Bool {
        switch assertion {
        case .textStart: previous == nil
        case .textEnd: following == nil
        case .textOrLastLineEnd: following == nil || (following == 0x0A && position + 1 == text.count)
        // Not behind a line end that ends the text.
        case .lineStart: previous == nil || (previous == 0x0A && following != nil)
        case .lineEnd: following == nil || following == 0x0A
        case .wordBoundary: Self.isWord(previous) != Self.isWord(following)
        case .noWordBoundary: Self.isWord(previous) == Self.isWord(following)
        }
    }

    private static func isWord(_ character: UInt32?) -> Bool {
        guard let character else { return false }
        return CharacterSet.word.contains { $0.contains(character) }
    }

    /// The character there and how many bytes it takes; nothing at the end. The text is known to be UTF-8.
    private func decode(at position: Int) -> (character: UInt32?, length: Int) {
        guard position < text.count else { return (nil, 0) }
        let first = UInt32(text[position])
        let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard length > 1, position + length <= text.count else { return (first, 1) }
        var character = first & (0xFF >> UInt32(length + 1))
        for offset in 1..<length { character = character << 6 | UInt32(text[position + offset]) & 0x3F }
        return (character, length)
    }
}
