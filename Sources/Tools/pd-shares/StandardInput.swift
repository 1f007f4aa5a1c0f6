import Glibc
import PDSecrets
import PDShamir
import PDShareFiles

/// Shares from standard input: all there are from a pipe, and what people type from a terminal, who are asked again where
/// that does not do.
final class StandardInput {
    private let keepers: Passphrases
    private var shares: TypedShares
    private var isStarted = false

    /// - Parameter alone: whether one share is enough.
    init(_ keepers: Passphrases, alone: Bool = false) {
        self.keepers = keepers
        shares = TypedShares(alone: alone)
    }

    /// Whether people have typed shares, so that they can be asked again.
    var isConversation: Bool { isStarted }

    /// What `-` stands for.
    func read(already: [ShareInput.Native]) throws(ToolError) -> ShareInput.Typed {
        guard Terminal.standardInputIsTerminal() else {
            guard let text = try InputFile("-").readAll(limit: 16 * ShareInput.maximumFileBytes) else {
                throw ToolError("standard input: too large for shares")
            }
            return .text(text)
        }
        return .shares(try gather(beside: already))
    }

    /// Does what a command does with its shares. Where that fails and people typed them, they are asked for more, or for
    /// corrections, and it is done again: nothing that was typed is lost.
    func attempt<Result>(_ given: inout ShareInput, _ body: (inout ShareInput) throws -> Result) throws
        -> Result
    {
        while true {
            do {
                return try body(&given)
            } catch let error as ToolError where isConversation && error.exitCode == 1 {
                Terminal.note("pd-shares: \(error.message)")
                Terminal.note(
                    "Nothing is lost: give another share, undo the last one, or press Ctrl-D twice to give up."
                )
                shares.failed()
                let others = given.native.filter { !$0.isTyped }
                given.replaceTyped(by: try gather(beside: others), keepers)
            }
        }
    }

    /// The secret of a set. Where its sealed file is missing people who typed the shares are asked for that.
    func secret(
        of set: NativeSet, _ given: inout ShareInput, _ cryptography: CoreCryptography
    ) throws -> NativeSecret {
        while true {
            do {
                return try NativeSecret(set, sealed: given.sealed, cryptography: cryptography)
            } catch let error as ToolError where isConversation && error.exitCode == 1 {
                Terminal.note("pd-shares: \(error.message)")
                guard let answer = try Terminal.ask("[the sealed file, or Return to go back] > "),
                    !answer.isEmpty
                else { throw error }
                do throws(ToolError) {
                    try given.addSealed(answer, keepers)
                } catch {
                    Terminal.note("pd-shares: \(error.message)")
                }
            }
        }
    }

    /// Asks until there are enough shares and the person says so.
    ///
    /// - Returns: all shares that were typed, of whatever set.
    private func gather(beside already: [ShareInput.Native]) throws(ToolError) -> [ShareInput.Native] {
        // Deferred first, done last: a signal that came is delivered when the terminal is empty.
        var signals = HeldSignals()
        defer { signals.release() }
        defer { Terminal.discardInput(of: STDIN_FILENO) }
        shares.already = already
        if !isStarted { Terminal.note(TypedShares.greeting) }
        isStarted = true
        asking: while true {
            guard let line = try line(shares.prompt, &signals) else {
                switch shares.end() {
                case .enough: break asking
                case .goOn(let words):
                    Terminal.note("\n\(words)")
                    continue asking
                case .givenUp(let words): throw ToolError("given up: \(words)")
                }
            }
            // Between pasted shares there may be empty lines.
            if TypedShares.isBlank(line), shares.goesOnWhenBlank, !Terminal.moreComes(from: STDIN_FILENO) {
                break
            }
            show(shares.take(line))
        }
        show(shares.finish())
        return shares.typed
    }

    private func show(_ replies: [TypedShares.Reply]) {
        for reply in replies {
            switch reply {
            case .say(let text): Terminal.note(text)
            case .clearScreen: Terminal.clear()
            }
        }
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
}
