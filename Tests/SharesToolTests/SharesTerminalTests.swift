import Foundation
import PDSecrets
import PDShamir
import PDTestSupport
import Testing

@testable import PDShareFiles

/// pd-shares with a pseudo-terminal for its controlling terminal.
@Suite("pd-shares on a terminal")
struct SharesTerminalTests {
    private let tool: SharesToolRunner

    init() throws {
        tool = try SharesToolRunner()
        try tool.write("key.asc", "the secret\n")
    }

    /// Starts the tool on a terminal.
    ///
    /// - Parameter reader: a shell's commands that follow the tool, on the same terminal.
    private func start(_ arguments: String, reader: String? = nil) throws -> TerminalSession {
        let program = SharesToolRunner.executable.path
        return try TerminalSession(
            reader.map { ["/bin/sh", "-c", "\(program) \(arguments); \($0)"] }
                ?? [program] + arguments.split(separator: " ").map(String.init),
            in: tool.directory)
    }

    @Test func p102_aPassphraseIsNotShownWhileItIsTypedAndTheEchoComesBack() throws {
        let session = try start(
            "split key.asc --threshold 2 --shares 2 --out out --passphrase")
        var shown = ""
        for question in ["share 1 of 2: ", "again: ", "share 2 of 2: ", "again: "] {
            shown += try session.read(until: question)
            try session.waitForEcho(false)
            try session.type("hunter2hunter2\n")
        }
        shown += try session.read(until: "was not touched")
        #expect(try session.status() == 0)
        #expect(session.echoes)
        #expect(!shown.contains("hunter2"))
        let combined = try tool.run(
            ["combine", "out", "--out", "-", "--passphrase-fd", "0"],
            input: Data("hunter2hunter2\nhunter2hunter2\n".utf8))
        #expect(combined.text == "the secret\n")
    }

    /// Typed on the terminal, or sent by another process.
    @Test(arguments: [("\u{03}", SIGINT), ("\u{1c}", SIGQUIT), ("", SIGTERM), ("", SIGHUP)])
    func p102_aSignalEndsTheQuestionAtOnceAndTheEchoComesBack(_ how: (key: String, signal: Int32)) throws {
        let session = try start(
            "split key.asc --threshold 2 --shares 2 --out out --passphrase")
        try session.read(until: "share 1 of 2: ")
        try session.waitForEcho(false)
        if how.key.isEmpty {
            session.program.signal(how.signal)
        } else {
            try session.type(how.key)
        }
        #expect(try session.status() == 128 + how.signal)
        #expect(session.echoes)
        #expect(!tool.exists("out"))
    }

    @Test func p102_aSignalEndsTheQuestionAlsoAfterCtrlDWithinALine() throws {
        let session = try start(
            "split key.asc --threshold 2 --shares 2 --out out --passphrase")
        try session.read(until: "share 1 of 2: ")
        try session.waitForEcho(false)
        try session.type("half a\u{04}")
        usleep(300_000)
        try session.type("\u{03}")
        #expect(try session.status() == 128 + SIGINT)
        #expect(session.echoes)
    }

    @Test func p102_afterAStopTheQuestionComesAgain() throws {
        let session = try start(
            "split key.asc --threshold 2 --shares 2 --out out --passphrase")
        try session.read(until: "share 1 of 2: ")
        try session.waitForEcho(false)
        // It does not stop a process whose parent is in another session, but is delivered like any other.
        session.program.signal(SIGTSTP)
        try session.read(until: "share 1 of 2: ")
        try session.waitForEcho(false)
        try session.type("\u{03}")
        #expect(try session.status() == 128 + SIGINT)
        #expect(session.echoes)
    }

    @Test func afterCtrlCTheSameCommandCanBeGivenAgain() throws {
        let arguments = "split key.asc --threshold 2 --shares 2 --out out --passphrase"
        let session = try start(arguments)
        try session.read(until: "share 1 of 2: ")
        try session.type("\u{03}")
        #expect(try session.status() == 128 + SIGINT)
        let again = try tool.run(
            arguments.split(separator: " ").map(String.init) + ["--passphrase-fd", "0"],
            input: Data("hunter2hunter2\nhunter2hunter2\n".utf8))
        #expect(again.status == 0, "\(again.errors)")
    }

    @Test func aSecretIsNotTypedWhereItShows() throws {
        let session = try start("split - --threshold 2 --shares 2 --out out")
        try session.read(until: "a secret typed here would show on the screen")
        #expect(try session.status() == 2)
        #expect(!tool.exists("out"))
    }

    @Test func thePromptOfALockedShareNamesTheLineThatTellsIt() throws {
        let made = try tool.run(
            [
                "split", "key.asc", "--threshold", "2", "--shares", "2", "--out", "out", "--passphrase-fd",
                "0",
            ],
            input: Data("hunter2hunter2\nhunter2hunter2\n".utf8))
        try #require(made.status == 0, "\(made.errors)")
        let lines = try tool.text("out/key.asc.1-of-2.share.txt").split(separator: "\n")
        let session = try start("drill")
        try session.read(until: "] > ")
        for line in lines[...8] { try session.type(line + "\n") }
        try session.read(until: "[1, or Protection] > ")
        try session.type(lines[9] + "\n")
        try session.read(until: "[1] > ")
        try session.type("\u{03}")
        #expect(try session.status() == 128 + SIGINT)
    }

    // MARK: - Typed shares

    /// Writes what the tool left in the terminal's input, which a shell would run, to the file `left`.
    private static let shell = "code=$?; stty -icanon min 0 time 7; cat >left; exit $code"

    private func split(_ out: String = "out", shares: Int = 5, label: String? = nil) throws -> [String] {
        let made = try tool.run(
            ["split", "key.asc", "--threshold", "3", "--shares", "\(shares)", "--out", out]
                + (label.map { ["--label", $0] } ?? []))
        try #require(made.status == 0, "\(made.errors)")
        return try (1...shares).map { try tool.text("\(out)/key.asc.\($0)-of-\(shares).share.txt") }
    }

    @Test func p102_aPasteOfMoreSharesThanAreNeededIsReadToItsEnd() throws {
        let shares = try split()
        let session = try start("combine - --out restored", reader: Self.shell)
        try session.read(until: "> ")
        // With empty lines between them, as people paste.
        try session.type(shares[..<4].joined(separator: "\n\n"))
        let shown = try session.read(until: "typed share 4: share 4 of 5: enough")
        #expect(shown.contains("typed share 2: share 2 of 5: 1 more needed"))
        #expect(!tool.exists("restored"), "nobody said that it is enough")
        try session.type("\n")
        #expect(try session.status() == 0)
        #expect(try tool.text("restored") == "the secret\n")
        #expect(try tool.text("left") == "")
    }

    @Test func p06_aTypedShareBeyondTheThresholdTellsWhichOneWasForged() throws {
        let shares = try split()
        let set = try Data(shares[0].utf8).withUnsafeBytes { try Share(parsing: $0) }.set
        let cryptography = try CoreCryptography()
        let forged = try set.split(
            SecretBytes(count: 11), randomness: cryptography.randomness(), cryptography: cryptography)
        let lines = forged[0].encoded().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        let session = try start("verify -", reader: Self.shell)
        try session.read(until: "> ")
        try session.type(lines + shares[1] + shares[2])
        try session.read(until: "enough. Give another share to check these against")
        try session.type(shares[3])
        try session.read(until: "typed share 4: share 4 of 5: enough")
        try session.type("\u{04}")
        try session.read(until: "typed share 1: share 1 of 5 does not fit the other shares")
        #expect(try session.status() == 1)
    }

    /// How the tool ends while it takes shares.
    enum Ending: CaseIterable {
        case ctrlD
        case error
        case signal
    }

    @Test(arguments: Ending.allCases)
    func p102_whatIsLeftOfAPasteDoesNotReachTheShell(_ ending: Ending) throws {
        let share = try split()[0]
        let session = try start("combine - --out restored", reader: Self.shell)
        try session.read(until: "> ")
        try session.type(share)
        try session.read(until: "2 more needed")
        switch ending {
        case .ctrlD:
            try session.type("\u{04}")
            try session.read(until: "Nothing is lost")
            try session.type("\u{04}")
        case .error:
            // A line that is too long, which a terminal gives in two parts.
            let part = String(repeating: "x", count: 2500)
            try session.type(part + "\u{04}")
            usleep(300_000)
            try session.type(part + "\n")
        case .signal:
            kill(try session.child(), SIGTERM)
        }
        for _ in 0..<3 {
            try session.type("touch PWNED\nSet: one more line #1234\n")
            usleep(30_000)
        }
        #expect(try session.status() == (ending == .signal ? 128 + SIGTERM : 1))
        #expect(try tool.text("left") == "")
        #expect(!tool.exists("restored"))
    }

    @Test func aTypedShareOfAnotherSetDoesNotShutOutTheRightOnes() throws {
        let shares = try split()
        let others = try split("other", label: "another key")
        let session = try start("combine - --out restored", reader: Self.shell)
        try session.read(until: "> ")
        try session.type(others[0])
        try session.read(until: "typed share 1: share 1 of 5: 2 more needed")
        try session.type(shares[0] + shares[1])
        try session.read(until: "typed share 3: share 2 of 5, \"key.asc\" of ")
        try session.type(shares[2])
        try session.read(until: ": enough")
        try session.type("\n")
        try session.read(until: "is of another set, \"another key\" of")
        #expect(try session.status() == 0)
        #expect(try tool.text("restored") == "the secret\n")
    }

    @Test func whereNoTypedSetIsCompleteEachIsCounted() throws {
        let shares = try split()
        let others = try split("other", label: "another key")
        let session = try start("combine - --out restored", reader: Self.shell)
        try session.read(until: "> ")
        try session.type(others[0] + shares[0] + shares[1])
        try session.read(until: "typed share 3: ")
        try session.type("\u{04}")
        try session.read(until: "Nothing is lost")
        try session.type("\u{04}")
        let shown = try session.read(until: "2 of 3 for \"key.asc\" of ")
        #expect(shown.contains("given up: "))
        #expect(shown.contains("not enough shares of any set: 1 of 3 for \"another key\" of "))
        #expect(try session.status() == 1)
    }

    /// The sealed file of a long secret, and its shares.
    private func splitLong() throws -> [String] {
        try tool.write("key.asc", String(repeating: "the secret\n", count: 30))
        return try split()
    }

    /// All commands that need the sealed file ask for it, and lose nothing.
    @Test(arguments: ["combine --out restored", "verify", "refresh --out newer"])
    func aMissingSealedFileIsAskedFor(_ command: String) throws {
        let shares = try splitLong()
        let session = try start(command)
        try session.read(until: "] > ")
        try session.type(shares[..<3].joined())
        try session.read(until: "enough.")
        try session.type("\n")
        try session.read(until: "or Return to go back] > ")
        try session.type("nowhere\n")
        try session.read(until: "cannot open nowhere")
        try session.read(until: "or Return to go back] > ")
        // As a terminal has a file that was dropped on it.
        try session.type("'out/key.asc.sealed' \n")
        #expect(try session.status() == 0)
    }

    @Test func theDirectoryOfTheSealedFileOrItsPrintedTextDoesToo() throws {
        let shares = try splitLong()
        let sheets = try tool.run(["sheet", "out", "--sealed", "--out", "pages"])
        try #require(sheets.status == 0, "\(sheets.errors)")
        let printed = try #require(
            tool.names("pages").first { $0.hasPrefix("sealed.") && $0.hasSuffix(".txt") })
        for (place, name) in [("out", "a"), ("pages/\(printed)", "b")] {
            let session = try start("combine --out \(name)")
            try session.read(until: "] > ")
            try session.type(shares[..<3].joined())
            try session.read(until: "enough.")
            try session.type("\n")
            try session.read(until: "or Return to go back] > ")
            try session.type("\(place)\n")
            #expect(try session.status() == 0)
            #expect(try tool.read(name) == tool.read("key.asc"))
        }
    }

    @Test func ctrlDTwiceGivesUpWhereTheSharesWereEnoughAndDidNotDo() throws {
        let shares = try splitLong()
        let session = try start("combine --out restored")
        try session.read(until: "] > ")
        try session.type(shares[..<3].joined())
        try session.read(until: "enough.")
        try session.type("\u{04}")
        try session.read(until: "or Return to go back] > ")
        try session.type("\u{04}")
        try session.read(until: "Ctrl-D twice to give up.")
        try session.read(until: "] > ")
        try session.type("\u{04}")
        try session.read(until: "Nothing is lost")
        try session.type("\u{04}")
        #expect(try session.status() == 1)
    }

    @Test func aPassphraseThatOpenedAShareIsNotAskedAgain() throws {
        try tool.write("key.asc", String(repeating: "the secret\n", count: 30))
        let made = try tool.run(
            [
                "split", "key.asc", "--threshold", "2", "--shares", "2", "--out", "out", "--passphrase-fd",
                "0",
            ],
            input: Data("hunter2hunter2\nhunter2hunter2\n".utf8))
        try #require(made.status == 0, "\(made.errors)")
        let session = try start("combine --out restored")
        try session.read(until: "] > ")
        for number in 1...2 { try session.type(tool.text("out/key.asc.\(number)-of-2.share.txt")) }
        try session.read(until: "enough.")
        try session.type("\n")
        for number in 1...2 {
            try session.read(until: "Passphrase for typed share \(number)")
            try session.waitForEcho(false)
            try session.type("hunter2hunter2\n")
        }
        try session.read(until: "or Return to go back] > ")
        try session.type("\n")
        try session.read(until: "Ctrl-D twice to give up.")
        try session.read(until: "] > ")
        try session.type("\n")
        let shown = try session.read(until: "] > ")
        #expect(shown.contains("or Return to go back"), "\(shown)")
        #expect(!shown.contains("Passphrase"))
        try session.type("out/key.asc.sealed\n")
        #expect(try session.status() == 0)
        #expect(try tool.read("restored") == tool.read("key.asc"))
    }

    /// Two shares that were refused would be refused again, if nobody could open a third one.
    @Test func whereOpenSharesDoNotFitTheNextLockedOneIsAskedFor() throws {
        let cryptography = try CoreCryptography()
        let made = try tool.run(["split", "key.asc", "--threshold", "2", "--shares", "3", "--out", "out"])
        try #require(made.status == 0, "\(made.errors)")
        let shares = try (1...3).map { try tool.read("out/key.asc.\($0)-of-3.share.txt") }
            .map { try $0.withUnsafeBytes { try Share(parsing: $0) } }
        let forged = try shares[0].set.split(
            SecretBytes(count: 11), randomness: cryptography.randomness(), cryptography: cryptography)
        func locked(_ share: Share) throws -> String {
            try share.locked(
                passphrase: SecretBytes(copying: Array("hunter2hunter2".utf8)),
                randomness: cryptography.randomness(), cryptography: cryptography
            ).encoded().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
        let session = try start("combine - --out restored")
        try session.read(until: "] > ")
        try session.type(locked(forged[0]) + tool.text("out/key.asc.2-of-3.share.txt"))
        try session.read(until: "enough.")
        try session.type("\n")
        try session.read(until: "Passphrase for typed share 1")
        try session.waitForEcho(false)
        try session.type("hunter2hunter2\n")
        try session.read(until: "Ctrl-D twice to give up.")
        try session.type(locked(shares[2]))
        try session.read(until: "typed share 3: share 3 of 3: enough")
        try session.type("\n")
        let shown = try session.read(until: "Passphrase for typed share ")
        try session.read(until: "3, share 3 of 3")
        #expect(!shown.contains("do not fit"))
        try session.waitForEcho(false)
        try session.type("hunter2hunter2\n")
        try session.read(until: "typed share 1: share 1 of 3 does not fit the other shares")
        #expect(try session.status() == 0)
        #expect(try tool.text("restored") == "the secret\n")
    }

    @Test func typedSharesAreTakenBackFromBetweenFiles() throws {
        let shares = try split()
        let other = try split("other")
        let session = try start(
            "combine - out/key.asc.1-of-5.share.txt out/key.asc.2-of-5.share.txt --out restored")
        try session.read(until: "] > ")
        // Three of another set: complete in itself, as is nothing else yet.
        try session.type(other[..<3].joined())
        try session.read(until: "typed share 3: share 3 of 5: enough")
        try session.type(shares[2])
        try session.read(until: "typed share 4: ")
        try session.type("\n")
        try session.read(until: "there are enough shares of 2 sets")
        try session.read(until: "] > ")
        try session.type("undo\n")
        try session.read(until: "typed share 4, share 3 of 5, is taken back")
        try session.type("undo\n")
        try session.read(until: "is taken back")
        try session.type(shares[2])
        try session.read(until: ": enough")
        try session.type("\n")
        #expect(try session.status() == 0)
        #expect(try tool.text("restored") == "the secret\n")
    }

    @Test func oneTypedShareIsEnoughForItsSheet() throws {
        let shares = try split()
        let session = try start("sheet - --out pages")
        try session.read(until: "] > ")
        try session.type(shares[0])
        try session.read(until: "typed share 1: ")
        try session.type("\n")
        #expect(try session.status() == 0)
        #expect(try tool.names("pages").count == 4)
    }
}
