import Glibc
import PDShamir

/// Shares that are typed or pasted.
enum TypedShares {
    /// Reads shares from standard input: all of them from a pipe; from a terminal line by line, each line checked as
    /// it is typed, until there are enough.
    ///
    /// - Parameter already: shares that were given before.
    static func read(already: [ShareInput.Native]) throws(ToolError) -> [ShareInput.Native] {
        let interactive = Terminal.standardInputIsTerminal()
        var typed: [ShareInput.Native] = []
        var parser = ShareParser()
        var total = 0
        if interactive { Terminal.note("Type or paste a share, line by line. End with Ctrl-D.") }
        while true {
            if interactive { Terminal.prompt(parser.expected.isEmpty ? "> " : "[\(parser.expected)] > ") }
            guard let line = try Terminal.readLine(from: STDIN_FILENO) else { break }
            total += 1
            do throws(ShareFileError) {
                try line.withUnsafeBytes { line throws(ShareFileError) in try parser.take(line: line) }
                guard parser.isComplete else { continue }
                let number = already.count + typed.count + 1
                let share = ShareInput.Native(name: "typed share \(number)", share: try parser.finish())
                parser = ShareParser()
                if interactive {
                    do throws(ShareFileError) {
                        try Self.check(share, among: already + typed)
                    } catch .contradiction(_, _, let field) {
                        Terminal.note(
                            "it differs in \"\(field)\" from shares before it, one of which was changed: which one will be "
                                + "known from those that agree")
                    } catch {
                        Terminal.note("\(error): this one is left out")
                        continue
                    }
                }
                typed.append(share)
                let agreeing = (already + typed).count { $0.share.set == share.share.set }
                let missing = share.share.set.threshold - agreeing
                if interactive, missing <= 0 { return typed }
                if interactive { Terminal.note("\(Printable.escaped(share.title)): \(missing) more needed") }
            } catch {
                guard interactive else {
                    throw ToolError(
                        "standard input, share \(typed.count + 1), line \(total) of the input: \(Printable.escaped(error.description))"
                    )
                }
                Terminal.note("\(Printable.escaped(error.description)); type this line again")
            }
        }
        guard parser.lineNumber == 0 || parser.expected.hasPrefix("-----BEGIN") else {
            throw ToolError(
                "standard input: the last share is not complete: expected the line \(parser.expected)")
        }
        return typed
    }

    private static func check(
        _ share: ShareInput.Native, among others: [ShareInput.Native]
    ) throws(ShareFileError) {
        do throws(ShareFileError) {
            try ShareCombination.check(others.map(\.share) + [share.share])
        } catch .notEnough {
        } catch .passphraseNeeded {
        }
    }
}
