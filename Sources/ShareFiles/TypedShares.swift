import PDSecrets
import PDShamir

/// Shares that people type or paste, line by line: what was typed, what is still missing, and what can be taken back. It
/// reads and shows nothing itself: whoever has the terminal gives it lines and does what it replies.
package struct TypedShares {
    /// What the terminal has to do after a line.
    package enum Reply: Equatable {
        /// Show one or more lines.
        case say(String)
        /// Clear the screen and what was scrolled away.
        case clearScreen
    }

    /// What the end of the input (Ctrl-D) means.
    package enum End: Equatable {
        /// There are enough shares: go on with them.
        case enough
        /// Nothing is lost: say this and ask again.
        case goOn(String)
        /// The person gives up, with what there was.
        case givenUp(String)
    }

    package static let greeting =
        "Type or paste a share, line by line; BEGIN starts a share anew. Type help for more. End with Ctrl-D."

    /// Shares that were given before, as files.
    package var already: [ShareInput.Native] = []
    /// What was typed, whole shares of whatever set.
    package private(set) var typed: [ShareInput.Native] = []
    /// Whether one share is enough, as for a drill.
    private let alone: Bool
    private var draft = ShareDraft()
    /// The draft before each line that was taken.
    private var history: [ShareDraft] = []
    private var offered: (key: String, correction: ShareLineProblem.Correction)?
    private var opened = false
    /// How often the input ended without a line between.
    private var ends = 0
    /// Whether what is there was tried, and did not do.
    private var hasFailed = false
    private var replies: [Reply] = []

    /// - Parameter alone: whether one share is enough, as for a drill.
    package init(alone: Bool = false) { self.alone = alone }

    /// What was typed was tried and did not do: more of it, or a correction, is needed before the end of the input means
    /// more than giving up.
    package mutating func failed() { hasFailed = true }

    /// Takes a line.
    package mutating func take(_ line: SecretBytes) -> [Reply] {
        ends = 0
        replies = []
        if !Self.isBlank(line) { read(line) }
        return replies
    }

    /// Whether an empty line goes on: not within a share, and not between pasted ones, of which the terminal knows.
    package var goesOnWhenBlank: Bool { hasEnough && !opened && draft.isEmpty }

    /// The input ended.
    package mutating func end() -> End {
        if hasEnough, !hasFailed { return .enough }
        ends += 1
        let stand = hasEnough ? "these shares were tried, and did not do" : self.stand
        guard ends < 2 else { return .givenUp(stand) }
        return .goOn("\(stand). Nothing is lost: go on typing, or press Ctrl-D again to give up.")
    }

    /// Leaves out a share that is not complete.
    package mutating func finish() -> [Reply] {
        replies = []
        if !draft.isEmpty {
            say("\(unfinished) is not complete: it is left out.")
            start()
        }
        return replies
    }

    private mutating func say(_ text: String) { replies.append(.say(text)) }

    /// What the terminal shows before the next line.
    package var prompt: String {
        if offered != nil { return "[y: take the correction] > " }
        if !opened, draft.isEmpty { return "[-----BEGIN PENGUINDOME SHARE-----] > " }
        return "[\(draft.isComplete ? "-----END PENGUINDOME SHARE-----" : draft.prompt)] > "
    }

    private mutating func read(_ line: SecretBytes) {
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
        case "clear": return replies.append(.clearScreen)
        case "quit", "exit": return say("Ctrl-C ends the program, and what was typed is lost")
        default: break
        }
        switch line.withUnsafeBytes({ ShareFrame($0) }) {
        case .begin:
            if !draft.isEmpty { say("\(unfinished) was not complete: left out") }
            start()
            opened = true
        case .end:
            if draft.isEmpty {
                opened = false
            } else if draft.isComplete {
                complete()
            } else {
                say("not yet: \(missing); type BEGIN to start this share anew")
            }
        case nil:
            let before = draft
            settle(line.withUnsafeBytes { draft.take(line: $0, others: sets) }, before: before)
        }
    }

    private mutating func settle(_ outcome: ShareDraft.Outcome, before: ShareDraft) {
        switch outcome {
        case .accepted:
            opened = true
            history.append(before)
            if draft.isComplete, draft.finish() == nil {
                say(
                    "every line agrees with its checksum, but not all of them together: compare each with the paper; "
                        + "undo takes back the last line, BEGIN starts the share anew")
            }
        case .repeated(let key): say("the line that begins \"\(key):\" is there already")
        case .blank: break
        case .refused(let problem):
            if let correction = problem.correction { offered = (problem.key, correction) }
            say(
                "\(Printable.escaped(problem.description)); type this line again"
                    + (offered == nil ? "" : ", or y to take the correction"))
        }
    }

    private mutating func complete() {
        guard let share = draft.finish() else {
            say(
                "the lines do not fit together: compare each with the paper; BEGIN starts the share anew")
            return
        }
        start()
        keep(
            ShareInput.Native(
                name: "typed share \(already.count + typed.count + 1)", share: share, isTyped: true))
    }

    private mutating func start() {
        draft = ShareDraft()
        history = []
        offered = nil
        opened = false
    }

    private mutating func keep(_ new: ShareInput.Native) {
        if let same = all.first(where: { $0.share.isSame(as: new.share) }) {
            say("this is the same share as \(same.name), given twice: this one is left out")
            return
        }
        let set = new.share.set
        let group = all.filter { $0.share.set.identifier == set.identifier } + [new]
        if let other = group.dropLast().first(where: { $0.share.set != set }) {
            say(
                "it differs from \(other.name) in what it says of its set: one of the two was changed; which one will be "
                    + "known from those that agree")
        } else if let other = group.dropLast().first(where: { $0.share.number == new.share.number }) {
            say(
                "it has the same number as \(other.name) and differs: one of the two was changed; undo takes this one back"
            )
        }
        typed.append(new)
        hasFailed = false
        let title =
            "\(new.name): \(Printable.escaped(new.title))"
            + (sets.count > 1 ? ", \(NativeSet.name(set))" : "")
        let missing = Self.missing(group)
        say(
            missing > 0
                ? "\(title): \(missing) more needed"
                : "\(title): enough. Give another share to check these against, or press Return to go on.")
        if case .sealed = set.content, group.count == 1 {
            say("the secret itself is in a sealed file of this set: have it at hand")
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

    private mutating func undo() {
        if let before = history.popLast() {
            draft = before
            say("the last line is taken back")
        } else if opened {
            start()
        } else if let last = typed.popLast() {
            hasFailed = false
            say("\(last.name), \(Printable.escaped(last.title)), is taken back")
        } else {
            say("there is nothing to take back")
        }
    }

    private mutating func list() {
        for share in all {
            say(
                "  \(share.name): \(Printable.escaped(share.title)), \(NativeSet.name(share.share.set))")
        }
        if !draft.isEmpty { say("  \(unfinished), not complete: \(missing)") }
        if all.isEmpty, draft.isEmpty { say("  nothing yet") }
    }

    private mutating func help() {
        say(
            """
              Type the lines as they are printed; O and 0, I, l and 1, capitals and spaces do not matter.
              BEGIN  start this share anew      undo   take back the last line, or the last share
              list   what is there              clear  clear this screen and what was scrolled away
              Return, once there are enough: go on.  Ctrl-D twice, or Ctrl-C: give up.
            """)
    }

    /// Whether a line has nothing to see.
    package static func isBlank(_ line: SecretBytes) -> Bool {
        line.withUnsafeBytes { $0.allSatisfy { [0x20, 0x09, 0x0d].contains($0) } }
    }

    /// A short line as a word of command; empty for anything longer, which may be part of a share.
    private static func word(_ line: SecretBytes) -> String {
        guard line.count <= 8 else { return "" }
        return line.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }.lowercased().filter { $0 > " " }
    }
}
