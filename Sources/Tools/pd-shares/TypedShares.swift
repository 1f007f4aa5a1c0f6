import Glibc
import PDSecrets
import PDShamir
import PDShareFiles

/// Shares that are typed or pasted at a terminal, line by line. Nothing that was typed is lost before the program ends:
/// whoever calls may come back for more.
final class TypedShares {
    private let already: [ShareInput.Native]
    private let alone: Bool
    private(set) var typed: [ShareInput.Native] = []
    private var draft = ShareDraft()
    /// The draft before each line that was taken.
    private var history: [ShareDraft] = []
    private var offered: (key: String, correction: ShareLineProblem.Correction)?
    private var isStarted = false
    private var opened = false
    private var ends = 0

    /// - Parameters:
    ///   - already: shares that were given before.
    ///   - alone: whether one share is enough, as for a drill.
    init(already: [ShareInput.Native] = [], alone: Bool = false) {
        self.already = already
        self.alone = alone
    }

    /// What standard input gives: all of it from a pipe, what a person types from a terminal.
    static func read(already: [ShareInput.Native]) throws(ToolError) -> ShareInput.Typed {
        guard Terminal.standardInputIsTerminal() else {
            guard let text = try InputFile("-").readAll(limit: 16 * ShareInput.maximumFileBytes) else {
                throw ToolError("standard input: too large for shares")
            }
            return .text(text)
        }
        return .shares(try TypedShares(already: already).gather())
    }

    /// The same where one share is enough.
    static func readAlone(already: [ShareInput.Native]) throws(ToolError) -> ShareInput.Typed {
        guard Terminal.standardInputIsTerminal() else { return try read(already: already) }
        return .shares(try TypedShares(already: already, alone: true).gather())
    }

    /// Asks until there are enough shares and the person says so.
    ///
    /// - Returns: all shares that were typed, of whatever set.
    func gather() throws(ToolError) -> [ShareInput.Native] {
        // Deferred first, done last: a signal that came is delivered when the terminal is empty.
        var signals = HeldSignals()
        defer { signals.release() }
        defer { Terminal.discardInput(of: STDIN_FILENO) }
        if !isStarted {
            Terminal.note(
                "Type or paste a share, line by line; BEGIN starts a share anew. Type help for more. End with Ctrl-D."
            )
            isStarted = true
        }
        while true {
            guard let line = try line(prompt, &signals) else {
                if hasEnough { return finish() }
                ends += 1
                guard ends < 2 else { throw ToolError("given up: \(stand)") }
                Terminal.note("\n\(stand). Nothing is lost: go on typing, or press Ctrl-D again to give up.")
                continue
            }
            ends = 0
            if isBlank(line) {
                // Between pasted shares there may be empty lines.
                if hasEnough, !opened, draft.isEmpty, !Terminal.moreComes(from: STDIN_FILENO) {
                    return finish()
                }
                continue
            }
            take(line)
        }
    }

    private var prompt: String {
        if offered != nil { return "[y: take the correction] > " }
        if !opened, draft.isEmpty { return "[-----BEGIN PENGUINDOME SHARE-----] > " }
        return "[\(draft.isComplete ? "-----END PENGUINDOME SHARE-----" : draft.prompt)] > "
    }

    private func take(_ line: SecretBytes) {
        let word = Self.word(line)
        if let (key, correction) = offered {
            offered = nil
            if word == "y" || word == "yes" { return settle(draft.mend(key, correction), before: draft) }
            if word == "n" || word == "no" { return }
        }
        switch word {
        case "help", "?": return help()
        case "list": return list()
        case "undo": return undo()
        case "clear": return Terminal.clear()
        default: break
        }
        switch line.withUnsafeBytes({ ShareFrame($0) }) {
        case .begin:
            if !draft.isEmpty { Terminal.note("\(unfinished) was not complete: left out") }
            start()
            opened = true
        case .end:
            if draft.isEmpty {
                opened = false
            } else if draft.isComplete {
                complete()
            } else {
                Terminal.note("not yet: \(missing); type BEGIN to start this share anew")
            }
        case nil:
            let before = draft
            settle(line.withUnsafeBytes { draft.take(line: $0, others: sets) }, before: before)
        }
    }

    private func settle(_ outcome: ShareDraft.Outcome, before: ShareDraft) {
        switch outcome {
        case .accepted:
            opened = true
            history.append(before)
            if draft.isComplete, draft.finish() == nil {
                Terminal.note(
                    "every line agrees with its checksum, but not all of them together: compare each with the paper; "
                        + "undo takes back the last line, BEGIN starts the share anew")
            }
        case .repeated(let key): Terminal.note("the line that begins \"\(key):\" is there already")
        case .blank: break
        case .refused(let problem):
            if let correction = problem.correction { offered = (problem.key, correction) }
            Terminal.note(
                "\(Printable.escaped(problem.description)); type this line again"
                    + (offered == nil ? "" : ", or y to take the correction"))
        }
    }

    private func complete() {
        guard let share = draft.finish() else {
            Terminal.note(
                "the lines do not fit together: compare each with the paper; BEGIN starts the share anew")
            return
        }
        start()
        keep(ShareInput.Native(name: "typed share \(already.count + typed.count + 1)", share: share))
    }

    private func start() {
        draft = ShareDraft()
        history = []
        offered = nil
        opened = false
    }

    private func keep(_ new: ShareInput.Native) {
        if let same = all.first(where: { $0.share.isSame(as: new.share) }) {
            Terminal.note("this is the same share as \(same.name), given twice: this one is left out")
            return
        }
        let set = new.share.set
        let group = all.filter { $0.share.set.identifier == set.identifier } + [new]
        if let other = group.dropLast().first(where: { $0.share.set != set }) {
            Terminal.note(
                "it differs from \(other.name) in what it says of its set: one of the two was changed; which one will be "
                    + "known from those that agree")
        } else if let other = group.dropLast().first(where: { $0.share.number == new.share.number }) {
            Terminal.note(
                "it has the same number as \(other.name) and differs: one of the two was changed; undo takes this one back"
            )
        }
        typed.append(new)
        let title =
            "\(new.name): \(Printable.escaped(new.title))"
            + (sets.count > 1 ? ", \(NativeSet.name(set))" : "")
        let missing = Self.missing(group)
        Terminal.note(
            missing > 0
                ? "\(title): \(missing) more needed"
                : "\(title): enough. Give another share to check these against, or press Return to go on.")
        if case .sealed = set.content, group.count == 1 {
            Terminal.note("the secret itself is in a sealed file of this set: have it at hand")
        }
    }

    private static func missing(_ group: [ShareInput.Native]) -> Int {
        let needed = group.reduce(0) { max($0, $1.share.set.threshold) }
        return max(0, needed - Set(group.map(\.share.number)).count)
    }

    private var all: [ShareInput.Native] { already + typed }

    /// One of each identifier, in the order in which they came.
    private var sets: [ShareSet] {
        all.reduce(into: []) { sets, share in
            if !sets.contains(where: { $0.identifier == share.share.set.identifier }) {
                sets.append(share.share.set)
            }
        }
    }

    private var hasEnough: Bool {
        if alone, !all.isEmpty { return true }
        return sets.contains { set in
            Self.missing(all.filter { $0.share.set.identifier == set.identifier }) == 0
        }
    }

    private var stand: String {
        guard !sets.isEmpty else {
            return draft.isEmpty ? "no share is complete" : "\(unfinished) is not complete"
        }
        let counts = sets.map { set in
            "\(all.count { $0.share.set.identifier == set.identifier }) of \(set.threshold) for \(NativeSet.name(set))"
        }
        return "not enough shares of any set: \(counts.joined(separator: ", "))"
    }

    private var unfinished: String {
        draft.number.map { "share \($0)" + (draft.holder.map { " (\(Printable.escaped($0)))" } ?? "") }
            ?? "the share"
    }

    private var missing: String {
        let keys = draft.missing
        return
            "missing \(keys.prefix(6).map { "\"\($0):\"" }.joined(separator: ", "))\(keys.count > 6 ? "…" : "")"
    }

    private func finish() -> [ShareInput.Native] {
        if !draft.isEmpty {
            Terminal.note("\(unfinished) is not complete: it is left out.")
            start()
        }
        return typed
    }

    private func undo() {
        if let before = history.popLast() {
            draft = before
            Terminal.note("the last line is taken back")
        } else if opened {
            start()
        } else if let last = typed.popLast() {
            Terminal.note("\(last.name), \(Printable.escaped(last.title)), is taken back")
        } else {
            Terminal.note("there is nothing to take back")
        }
    }

    private func list() {
        for share in all {
            Terminal.note(
                "  \(share.name): \(Printable.escaped(share.title)), \(NativeSet.name(share.share.set))")
        }
        if !draft.isEmpty { Terminal.note("  \(unfinished), not complete: \(missing)") }
        if all.isEmpty, draft.isEmpty { Terminal.note("  nothing yet") }
    }

    private func help() {
        Terminal.note(
            """
              Type the lines as they are printed; O and 0, I, l and 1, capitals and spaces do not matter.
              BEGIN  start this share anew      undo   take back the last line, or the last share
              list   what is there              clear  clear this screen and what was scrolled away
              Return, once there are enough: go on.  Ctrl-D twice, or Ctrl-C: give up.
            """)
    }

    /// A line from the terminal; nil after Ctrl-D. A signal ends or stops the program with nothing left to read.
    private func line(_ prompt: String, _ signals: inout HeldSignals) throws(ToolError) -> SecretBytes? {
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

    private func isBlank(_ line: SecretBytes) -> Bool {
        line.withUnsafeBytes { $0.allSatisfy { [0x20, 0x09, 0x0d].contains($0) } }
    }

    /// A short line as a word of command; empty for anything longer, which may be part of a share.
    private static func word(_ line: SecretBytes) -> String {
        guard line.count <= 8 else { return "" }
        return line.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }.lowercased().filter { $0 > " " }
    }
}
