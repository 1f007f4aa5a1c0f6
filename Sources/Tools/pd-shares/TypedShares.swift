import Glibc
import PDSecrets
import PDShamir

/// Shares that are typed, pasted, or come from a pipe.
enum TypedShares {
    /// Reads shares from standard input to its end; from a terminal line by line, each line checked as it is typed,
    /// until the person who types says that it is enough.
    ///
    /// - Parameter already: shares that were given before.
    static func read(already: [ShareInput.Native]) throws(ToolError) -> [ShareInput.Native] {
        guard Terminal.standardInputIsTerminal() else { return try readPipe(already.count) }
        // Deferred first, done last: a signal that came is delivered when the terminal is empty.
        var signals = HeldSignals()
        defer { signals.release() }
        defer { Terminal.discardInput(of: STDIN_FILENO) }
        Terminal.note("Type or paste a share, line by line. End with Ctrl-D.")
        var typing = Typing(already: already)
        while let line = try line("[\(typing.parser.expected)] > ", &signals) {
            // Between pasted shares there may be empty lines.
            if typing.mayEnd, isBlank(line), !Terminal.moreComes(from: STDIN_FILENO) { break }
            typing.take(line)
        }
        return try typing.finish()
    }

    private static func readPipe(_ already: Int) throws(ToolError) -> [ShareInput.Native] {
        var shares: [ShareInput.Native] = []
        var parser = ShareParser()
        var total = 0
        while let line = try Terminal.readLine(from: STDIN_FILENO, named: "standard input") {
            total += 1
            do throws(ShareFileError) {
                try line.withUnsafeBytes { line throws(ShareFileError) in try parser.take(line: line) }
                guard parser.isComplete else { continue }
                let name = "typed share \(already + shares.count + 1)"
                shares.append(ShareInput.Native(name: name, share: try parser.finish()))
                parser = ShareParser()
            } catch {
                throw ToolError(
                    "standard input, share \(shares.count + 1), line \(total) of the input: \(Printable.escaped(error.description))"
                )
            }
        }
        guard parser.isBetweenShares else { throw incomplete(parser) }
        return shares
    }

    /// A line from the terminal; nil after Ctrl-D. A signal ends or stops the program with nothing left to read.
    private static func line(_ prompt: String, _ signals: inout HeldSignals) throws(ToolError) -> SecretBytes?
    {
        while true {
            Terminal.prompt(prompt)
            var interrupted = false
            let held = signals
            let line = try Terminal.readLine(from: STDIN_FILENO, named: "the terminal") {
                () throws(ToolError) in
                interrupted = try !held.waitForInput(STDIN_FILENO)
                return !interrupted
            }
            guard interrupted else { return line }
            Terminal.discardInput(of: STDIN_FILENO)
            signals.release()
            signals = HeldSignals()
        }
    }

    private static func isBlank(_ line: SecretBytes) -> Bool {
        line.withUnsafeBytes { $0.allSatisfy { [0x20, 0x09, 0x0d].contains($0) } }
    }

    fileprivate static func incomplete(_ parser: ShareParser) -> ToolError {
        ToolError("standard input: the last share is not complete: expected the line \(parser.expected)")
    }
}

/// Shares as they are typed: kept set by set, so that a share of another set does not shut out the right ones.
private struct Typing {
    private let already: [ShareInput.Native]
    private var typed: [ShareInput.Native] = []
    private(set) var parser = ShareParser()
    /// The first set of which there are enough shares.
    private var chosen: ShareSet?

    init(already: [ShareInput.Native]) { self.already = already }

    /// Whether there are enough shares, and none is half typed.
    var mayEnd: Bool { chosen != nil && parser.isBetweenShares }

    /// Takes a line, or says what is wrong with it.
    mutating func take(_ line: SecretBytes) {
        do throws(ShareFileError) {
            try line.withUnsafeBytes { line throws(ShareFileError) in try parser.take(line: line) }
            guard parser.isComplete else { return }
            let share = try parser.finish()
            parser = ShareParser()
            keep(ShareInput.Native(name: "typed share \(already.count + typed.count + 1)", share: share))
        } catch {
            Terminal.note("\(Printable.escaped(error.description)); type this line again")
        }
    }

    private mutating func keep(_ new: ShareInput.Native) {
        let set = new.share.set
        let group = shares(of: set) + [new]
        var isEnough = false
        do throws(ShareFileError) {
            try ShareCombination.check(group.map(\.share))
            isEnough = true
        } catch .passphraseNeeded {
            isEnough = true
        } catch .notEnough {
        } catch .contradiction(_, _, let field) {
            Terminal.note(
                "it differs in \"\(field)\" from shares before it, one of which was changed: which one will be known "
                    + "from those that agree")
        } catch {
            Terminal.note("\(error): this one is left out")
            return
        }
        typed.append(new)
        let title =
            "\(new.name): \(Printable.escaped(new.title))" + (sets.count > 1 ? ", \(Self.name(set))" : "")
        guard isEnough else {
            let needed = group.reduce(0) { max($0, $1.share.set.threshold) }
            let missing = max(1, needed - group.count { $0.share.set == set })
            Terminal.note("\(title): \(missing) more needed")
            return
        }
        // With shares given before, theirs is the set that is meant.
        if chosen == nil, already.allSatisfy({ $0.share.set.identifier == set.identifier }) { chosen = set }
        Terminal.note(
            "\(title): enough. Give another share to check these against, or press Return to go on.")
    }

    /// The typed shares of the set of which there are enough; of the only set where there are not.
    func finish() throws(ToolError) -> [ShareInput.Native] {
        if !parser.isBetweenShares {
            guard chosen != nil else { throw TypedShares.incomplete(parser) }
            Terminal.note("The last share is not complete: it is left out.")
        }
        guard sets.count > 1 else { return typed }
        guard let chosen else {
            let counts = sets.map { "\(shares(of: $0).count) of \($0.threshold) for \(Self.name($0))" }
            throw ToolError("not enough shares of any set: \(counts.joined(separator: ", "))")
        }
        for set in sets {
            let count = typed.count { $0.share.set.identifier == set.identifier }
            guard count > 0 else { continue }
            let fate = set.identifier == chosen.identifier ? "taken" : "left out"
            Terminal.note("\(Self.name(set)): \(count) typed \(count == 1 ? "share" : "shares") \(fate)")
        }
        return typed.filter { $0.share.set.identifier == chosen.identifier }
    }

    private func shares(of set: ShareSet) -> [ShareInput.Native] {
        (already + typed).filter { $0.share.set.identifier == set.identifier }
    }

    /// One of each identifier, in the order in which they came.
    private var sets: [ShareSet] {
        (already + typed).reduce(into: []) { sets, share in
            if !sets.contains(where: { $0.identifier == share.share.set.identifier }) {
                sets.append(share.share.set)
            }
        }
    }

    private static func name(_ set: ShareSet) -> String {
        "set \(set.identifierText)" + (set.label.map { " (\(Printable.escaped($0)))" } ?? "")
    }
}

extension ShareParser {
    /// Whether nothing of a share was read since the last one.
    fileprivate var isBetweenShares: Bool { lineNumber == 0 || expected.hasPrefix("-----BEGIN") }
}
