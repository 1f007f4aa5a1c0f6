import PDSecrets

/// Finds shares in a text that may hold anything else: mail, a word processor's file saved as text, several shares.
/// See docs/share-format.md, "Reading".
public struct ShareScanner {
    /// What was found where a share begins.
    public enum Finding {
        /// A share that is whole, and the corrections without which it would not be: each begins with the line's key.
        case share(Share, corrections: [String])
        case damaged(DamagedShare)

        var share: Share? { if case .share(let share, _) = self { share } else { nil } }
        var problems: Int { if case .damaged(let damaged) = self { damaged.problems.count } else { 0 } }
    }

    /// A share that could not be read.
    public struct DamagedShare {
        /// The set as it is printed, where that could be read.
        public let set: String?
        /// The share's number, where that could be read.
        public let number: Int?
        /// Who keeps it, where that could be read.
        public let holder: String?
        /// Everything that is wrong with it.
        public let problems: [ShareLineProblem]
    }

    private let known: [ShareSet]
    private let mending: Bool

    /// - Parameters:
    ///   - known: sets of which other shares were read: what they say in common is not lost with one paper.
    ///   - mending: whether a line that only one correction fits is taken as corrected.
    public init(known: [ShareSet] = [], mending: Bool = false) {
        self.known = known
        self.mending = mending
    }

    /// All shares in a text.
    public func scan(_ text: UnsafeRawBufferPointer) -> [Finding] {
        if let plain = TransferCoding.fromUTF16(text) { return plain.withUnsafeBytes { scan($0) } }
        var best = scanLines(text)
        for decode in [TransferCoding.fromQuotedPrintable, TransferCoding.fromBase64]
        where best.isEmpty || best.contains(where: { $0.share == nil }) {
            guard let decoded = decode(text) else { continue }
            let other = decoded.withUnsafeBytes { scanLines($0) }
            if Self.isBetter(other, than: best) { best = other }
        }
        return best
    }

    private static func isBetter(_ a: [Finding], than b: [Finding]) -> Bool {
        func rank(_ list: [Finding]) -> (Int, Int) {
            (list.count { $0.share != nil }, list.isEmpty ? Int.min : -list.reduce(0) { $0 + $1.problems })
        }
        return rank(a) > rank(b)
    }

    /// A line and its place in the text, from 1.
    private struct Line {
        let number: Int
        let bytes: UnsafeRawBufferPointer
    }

    private func scanLines(_ text: UnsafeRawBufferPointer) -> [Finding] {
        var findings: [Finding] = []
        var block: [Line]?
        var number = 0
        var start = 0
        func close() {
            if let lines = block, !lines.isEmpty { findings.append(read(lines)) }
            block = nil
        }
        while start < text.count {
            var end = start
            while end < text.count, text[end] != 0x0a, text[end] != 0x0d { end += 1 }
            number += 1
            let line = Line(number: number, bytes: UnsafeRawBufferPointer(rebasing: text[start..<end]))
            start = end + (end + 1 < text.count && text[end] == 0x0d && text[end + 1] == 0x0a ? 2 : 1)
            switch ShareFrame(line.bytes) {
            case .begin:
                close()
                block = []
            case .end: close()
            case nil:
                if block == nil {
                    // The BEGIN line is not needed to know a share.
                    guard Self.key(of: line.bytes) == "format" else { continue }
                    block = []
                } else if let lines = block, lines.count > 8, Self.key(of: line.bytes) == "format" {
                    close()
                    block = []
                }
                block?.append(line)
            }
        }
        close()
        return findings
    }

    private static func key(of raw: UnsafeRawBufferPointer) -> String? {
        guard raw.count <= ShareText.maximumLineBytes else { return nil }
        return LineText(raw, letters: true).bytes.withUnsafeBytes { TypedLine($0)?.keyText.lowercased() }
    }

    /// Reads the lines between BEGIN and END.
    private func read(_ lines: [Line]) -> Finding {
        var draft = ShareDraft()
        var rest = lines
        takeAll(&rest, &draft)
        if !draft.isComplete { takeJoined(&rest, &draft) }
        if !draft.isComplete { takeNamed(&rest, &draft) }
        if !draft.isComplete { takeColumns(rest, &draft) }
        var corrections: [String] = []
        if !draft.isComplete { takeKnown(&rest, &draft, &corrections) }
        if draft.number == nil, draft.setText != nil { takeSupposed(&rest, &draft, &corrections) }
        let problems = draft.isComplete ? [] : diagnose(rest, &draft, &corrections)
        if problems.isEmpty, let share = draft.finish() { return .share(share, corrections: corrections) }
        return .damaged(
            DamagedShare(
                set: draft.setText, number: draft.number,
                holder: draft.holder.flatMap { $0 == "-" ? nil : $0 },
                problems: problems.isEmpty ? [ShareLineProblem(ShareDraft.wholeKey, .whole)] : problems))
    }

    /// Takes every line that is right; again, as long as one is, because some can be checked only after others.
    private func takeAll(_ lines: inout [Line], _ draft: inout ShareDraft) {
        var before = -1
        while lines.count != before {
            before = lines.count
            lines.removeAll { Self.isTaken(draft.take(line: $0.bytes, diagnosing: false)) }
        }
    }

    private static func isTaken(_ outcome: ShareDraft.Outcome) -> Bool {
        if case .refused = outcome { false } else { true }
    }

    /// Lines that were wrapped: one and what follows it.
    private func takeJoined(_ lines: inout [Line], _ draft: inout ShareDraft) {
        var index = 0
        while index + 1 < lines.count {
            var taken = 0
            search: for count in [2, 3] where index + count <= lines.count {
                for separator in [" ", ""] {
                    let joined = Self.join(lines[index..<(index + count)], separator)
                    if joined.withUnsafeBytes({ Self.isTaken(draft.take(line: $0, diagnosing: false)) }) {
                        taken = count
                        break search
                    }
                }
            }
            if taken > 0 {
                lines.removeSubrange(index..<(index + taken))
                takeAll(&lines, &draft)
                index = 0
            } else {
                index += 1
            }
        }
    }

    private static func join(_ lines: ArraySlice<Line>, _ separator: String) -> SecretBytes {
        let pieces = lines.enumerated().map { index, line -> Slice<UnsafeRawBufferPointer> in
            var bytes = line.bytes[...]
            if index > 0 {
                while let first = bytes.first, [0x3e, 0x7c, 0x20].contains(first) {
                    bytes = bytes.dropFirst()
                }
            }
            while let last = bytes.last, last == 0x20 || last == 0x0d { bytes = bytes.dropLast() }
            return bytes
        }
        var joined = SecretBytes(
            count: pieces.reduce(0) { $0 + $1.count } + (pieces.count - 1) * separator.utf8.count)
        joined.withUnsafeMutableBytes { joined in
            var position = 0
            for (index, piece) in pieces.enumerated() {
                for byte in index > 0 ? Array(separator.utf8) : [] {
                    joined[position] = byte
                    position += 1
                }
                joined.copy(UnsafeRawBufferPointer(rebasing: piece), at: position)
                position += piece.count
            }
        }
        return joined
    }

    /// Lines whose beginning was lost: the checksum tells which it is.
    private func takeNamed(_ lines: inout [Line], _ draft: inout ShareDraft) {
        lines.removeAll { line in
            guard line.bytes.count <= ShareText.maximumLineBytes,
                line.bytes.contains(where: { 0x30...0x39 ~= $0 || 0x41...0x5a ~= $0 || 0x61...0x7a ~= $0 })
            else { return false }
            var rests = [line.bytes[...]]
            if let space = line.bytes.firstIndex(of: 0x20) { rests.append(line.bytes[(space + 1)...]) }
            for key in draft.missing.prefix(40) {
                for rest in rests {
                    let named = Line(number: 0, bytes: UnsafeRawBufferPointer(rebasing: rest))
                    let joined = Array("\(key):".utf8).withUnsafeBytes { key in
                        Self.join([Line(number: 0, bytes: key), named], " ")
                    }
                    let taken = joined.withUnsafeBytes {
                        draft.agrees($0, as: key) && Self.isTaken(draft.take(line: $0, diagnosing: false))
                    }
                    if taken { return true }
                }
            }
            return false
        }
    }

    /// Columns that were copied one after the other: all keys, all values, all checksums.
    private func takeColumns(_ lines: [Line], _ draft: inout ShareDraft) {
        let filled = lines.filter {
            $0.bytes.contains { $0 > 0x20 } && $0.bytes.count <= ShareText.maximumLineBytes
        }
        let keys = filled.filter { line in
            line.bytes.count < 16 && line.bytes.last { $0 > 0x20 } == 0x3a
        }
        let sums = filled.filter { $0.bytes.first { $0 > 0x20 } == 0x23 && $0.bytes.count < 16 }
        let values = filled.filter { line in
            !keys.contains { $0.number == line.number } && !sums.contains { $0.number == line.number }
        }
        guard keys.count > 1, values.count == keys.count, sums.isEmpty || sums.count == keys.count else {
            return
        }
        var before = -1
        while draft.missing.count != before {
            before = draft.missing.count
            for index in keys.indices {
                let parts = [keys[index], values[index]] + (sums.isEmpty ? [] : [sums[index]])
                _ = Self.join(parts[...], " ").withUnsafeBytes { draft.take(line: $0, diagnosing: false) }
            }
        }
    }

    /// What this paper lost and others of its set say.
    private func takeKnown(_ lines: inout [Line], _ draft: inout ShareDraft, _ corrections: inout [String]) {
        for set in known where draft.setText == nil || draft.setText == set.identifierText {
            var (filled, remaining) = (draft, lines)
            var words = filled.fill(from: set).map { "\($0): taken from another share of the set" }
            takeAll(&remaining, &filled)
            if filled.number == nil { takeSupposed(&remaining, &filled, &words) }
            // A paper of another set would agree in nothing.
            guard draft.setText != nil || remaining.count + 2 <= lines.count else { continue }
            (draft, lines) = (filled, remaining)
            corrections += words
            return
        }
    }

    /// Lines of a share whose number was lost: they agree under one number only.
    private func takeSupposed(
        _ lines: inout [Line], _ draft: inout ShareDraft, _ corrections: inout [String]
    ) {
        for number in 1...255 {
            var (supposed, remaining) = (draft, lines)
            supposed.suppose(number: number)
            takeAll(&remaining, &supposed)
            guard remaining.count + 2 <= lines.count else { continue }
            (draft, lines) = (supposed, remaining)
            corrections.append("Share: the number is \(number): the other lines agree with no other")
            return
        }
    }

    /// All that is wrong with the lines that remain; with `mending`, what is left of it after the offered corrections.
    private func diagnose(
        _ lines: [Line], _ draft: inout ShareDraft, _ corrections: inout [String]
    ) -> [ShareLineProblem] {
        var problems: [ShareLineProblem] = []
        var lines = lines
        // Corrections that are not taken still show what is wrong with the lines that depend on them.
        var probe = draft
        var handled: Set<String> = []
        while let key = probe.missing.first(where: { !handled.contains($0) }) {
            handled.insert(key)
            if probe.bodyLines == nil, Int(key) != nil {
                // How many numbered lines there are is not known: those that are wrong are.
                for line in lines {
                    guard case .refused(var problem) = probe.take(line: line.bytes, others: known),
                        Int(problem.key) != nil, handled.insert(problem.key + ":").inserted,
                        problem.reason != .unreadable
                    else { continue }
                    problem.line = line.number
                    problems.append(problem)
                }
                break
            }
            var worst = ShareLineProblem(key, .missing)
            for line in lines {
                guard case .refused(var problem) = probe.take(line: line.bytes, others: known),
                    problem.key == key, problem.reason != .unreadable
                else { continue }
                if case .needs(let other) = problem.reason {
                    guard other == ShareDraft.protectionKey else { continue }
                    worst = ShareLineProblem(other, .missing)
                    break
                }
                problem.line = line.number
                worst = problem
                if problem.correction != nil { break }
            }
            if let correction = worst.correction {
                _ = probe.mend(key, correction)
                if mending, Self.isTaken(draft.mend(key, correction)) {
                    corrections.append("\(key): \(correction.words)")
                    // Lines that depend on this one can be read now.
                    takeAll(&lines, &draft)
                    probe = draft
                    continue
                }
            }
            // It was only waiting for the correction of another line.
            if worst.reason == .missing, !probe.missing.contains(key) { continue }
            problems.append(worst)
            // Without these two nothing else can be checked.
            if key == "Set" && probe.setText == nil || key == "Share" && probe.number == nil { break }
        }
        return problems
    }
}

extension Share {
    /// Reads the only share in a text.
    public init(parsing text: UnsafeRawBufferPointer) throws(ShareFileError) {
        let findings = ShareScanner().scan(text)
        guard let first = findings.first else { throw .notAShare }
        guard findings.count == 1 else { throw .several(findings.count) }
        switch first {
        case .share(let share, _): self = share
        case .damaged(let damaged): throw .damaged(damaged.problems)
        }
    }
}
