/// Writes a pattern's tree out as an automaton.
struct PatternCompiler {
    private(set) var instructions: [PatternInstruction] = []
    /// Nodes that may still be visited: repetitions of nothing write nothing, but cost time.
    private var budget = 16 * Pattern.maximumSize

    mutating func compile(_ node: PatternNode) throws(PatternError) {
        budget -= 1
        guard budget > 0 else { throw PatternError(reason: .tooLarge, offset: 0) }
        switch node {
        case .character(let character): try emit(.character(character))
        case .set(let set): try emit(.set(set))
        case .assert(let assertion): try emit(.assert(assertion))
        case .sequence(let nodes):
            for node in nodes { try compile(node) }
        case .choice(let nodes): try choice(nodes[...])
        case .repetition(let node, let least, let most):
            for _ in 0..<least { try compile(node) }
            if let most {
                try optional(node, most - least)
            } else {
                let start = instructions.count
                try emit(.match)
                try compile(node)
                try emit(.jump(Int32(start)))
                patchSplit(start)
            }
        }
    }

    private mutating func choice(_ nodes: ArraySlice<PatternNode>) throws(PatternError) {
        var jumps: [Int] = []
        for node in nodes.dropLast() {
            let split = instructions.count
            try emit(.match)
            try compile(node)
            jumps.append(instructions.count)
            try emit(.match)
            patchSplit(split)
        }
        if let last = nodes.last { try compile(last) }
        for jump in jumps { instructions[jump] = .jump(Int32(instructions.count)) }
    }

    /// Up to that many: each but the first only behind the one before it.
    private mutating func optional(_ node: PatternNode, _ count: Int) throws(PatternError) {
        var splits: [Int] = []
        for _ in 0..<count {
            splits.append(instructions.count)
            try emit(.match)
            try compile(node)
        }
        for split in splits { patchSplit(split) }
    }

    /// Puts a choice between what follows the place and what comes next in place of what was emitted there.
    private mutating func patchSplit(_ place: Int) {
        instructions[place] = .split(Int32(place + 1), Int32(instructions.count))
    }

    private mutating func emit(_ instruction: PatternInstruction) throws(PatternError) {
        // The last one is for the match.
        guard instructions.count + 1 < Pattern.maximumSize else {
            throw PatternError(reason: .tooLarge, offset: 0)
        }
        instructions.append(instruction)
    }
}
