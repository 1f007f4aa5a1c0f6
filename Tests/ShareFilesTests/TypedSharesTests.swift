import PDSecrets
import Testing

@testable import PDShamir
@testable import PDShareFiles

/// What people type, without a terminal.
@Suite("Typed shares")
struct TypedSharesTests {
    private let cryptography: CoreCryptography

    init() throws { cryptography = try CoreCryptography() }

    /// The lines of the shares of a new set, two of three.
    private func papers(_ label: String = "key") throws -> [[String]] {
        var identifier = [UInt8](repeating: 0, count: ShareSet.identifierBytes)
        try identifier.withUnsafeMutableBytes { try cryptography.randomness().fill($0) }
        let set = try ShareSet(
            identifier: identifier, label: label, created: "2026-11-23", threshold: 2, shares: 3,
            content: .direct(bytes: 4))
        let shares = try set.split(
            SecretBytes(copying: [1, 2, 3, 4]), holders: ["Alice", "Bob"],
            randomness: cryptography.randomness(), cryptography: cryptography)
        return shares.map { share in
            share.encoded().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                .split(separator: "\n").map(String.init)
        }
    }

    /// What is said after lines.
    @discardableResult
    private func type(_ lines: [String], into shares: inout TypedShares) -> String {
        lines.flatMap { shares.take(SecretBytes(copying: Array($0.utf8))) }
            .map { reply in
                switch reply {
                case .say(let text): text
                case .clearScreen: "(cleared)"
                }
            }
            .joined(separator: "\n")
    }

    @Test func thePromptIsTheLineThatIsNext() throws {
        let paper = try papers()[0]
        var shares = TypedShares()
        #expect(shares.prompt == "[-----BEGIN PENGUINDOME SHARE-----] > ")
        var prompts: [String] = []
        for line in paper {
            #expect(type([line], into: &shares).isEmpty || line == paper.last)
            prompts.append(shares.prompt)
        }
        let keys = ["Format", "Set", "Share", "Label", "Created", "Threshold", "Secret", "Holder"]
        let rest = ["1, or Protection", "2", "3", "Check", "-----END PENGUINDOME SHARE-----"]
        #expect(prompts == (keys + rest + ["-----BEGIN PENGUINDOME SHARE-----"]).map { "[\($0)] > " })
        #expect(shares.typed.map(\.title) == ["share 1 of 3 (Alice)"])
    }

    @Test func undoTakesBackALineThenAShareAndLosesNothingElse() throws {
        let papers = try papers()
        var shares = TypedShares()
        type(papers[0], into: &shares)
        type(Array(papers[1].prefix(4)), into: &shares)
        let prompt = shares.prompt
        type([papers[1][4]], into: &shares)
        #expect(type(["undo"], into: &shares) == "the last line is taken back")
        #expect(shares.prompt == prompt)
        type(Array(papers[1].dropFirst(4)), into: &shares)
        #expect(shares.typed.count == 2)
        #expect(type(["UNDO "], into: &shares) == "typed share 2, share 2 of 3 (Bob), is taken back")
        #expect(shares.typed.map(\.title) == ["share 1 of 3 (Alice)"])
        type(["undo"], into: &shares)
        #expect(type(["undo"], into: &shares) == "there is nothing to take back")
    }

    @Test func filesThatWereGivenCountBesideWhatIsTyped() throws {
        let papers = try papers()
        var first = TypedShares()
        type(papers[0], into: &first)
        var shares = TypedShares()
        shares.already = first.typed
        #expect(type(papers[0], into: &shares).contains("given twice"))
        #expect(type(papers[1], into: &shares).contains("typed share 2: share 2 of 3 (Bob): enough"))
        #expect(shares.goesOnWhenBlank)
        #expect(shares.end() == .enough)
        #expect(shares.typed.count == 1)
    }

    @Test func theEndOfTheInputAsksOnceAndThenGivesUp() throws {
        var shares = TypedShares()
        type(try papers()[0], into: &shares)
        let stand = "not enough shares of any set: 1 of 2 for \"key\" of 2026-11-23 (set "
        guard case .goOn(let words) = shares.end() else { return #expect(Bool(false), "it ended at once") }
        #expect(words.hasPrefix(stand) && words.contains("Nothing is lost"))
        type(["list"], into: &shares)
        guard case .goOn = shares.end() else { return #expect(Bool(false), "a line between starts anew") }
        guard case .givenUp(let words) = shares.end() else { return #expect(Bool(false), "it does not end") }
        #expect(words.hasPrefix(stand))
    }

    /// Two ends of the input ended nothing while the shares were enough: it went round for ever.
    @Test func sharesThatWereTriedAndDidNotDoAreNotTriedAgainAtTheEndOfTheInput() throws {
        let papers = try papers()
        var shares = TypedShares()
        type(papers[0] + papers[1], into: &shares)
        #expect(shares.end() == .enough)
        shares.failed()
        guard case .goOn = shares.end() else { return #expect(Bool(false), "nobody was asked") }
        guard case .givenUp = shares.end() else { return #expect(Bool(false), "it does not end") }
        #expect(shares.goesOnWhenBlank, "a passphrase may be known now")
        type(papers[2], into: &shares)
        #expect(shares.end() == .enough)
    }

    @Test func aPaperThatIsNotCompleteIsLeftOutByName() throws {
        let papers = try papers()
        var shares = TypedShares()
        type(Array(papers[1].prefix(9)), into: &shares)
        #expect(type([papers[0][0]], into: &shares) == "share 2 (Bob) was not complete: left out")
        #expect(type(["-----END PENGUINDOME SHARE-----"], into: &shares).isEmpty)
        type(Array(papers[1].prefix(5)), into: &shares)
        #expect(shares.finish() == [.say("share 2 is not complete: it is left out.")])
        #expect(shares.typed.isEmpty)
    }

    @Test func wordsOfCommandAreNoLines() throws {
        var shares = TypedShares()
        #expect(type(["clear"], into: &shares) == "(cleared)")
        #expect(type(["quit"], into: &shares).contains("Ctrl-C"))
        #expect(type(["help"], into: &shares).contains("take back the last line"))
        #expect(type(["list"], into: &shares) == "  nothing yet")
        #expect(type(["", " \t"], into: &shares).isEmpty)
    }

    @Test(
        arguments: [
            ("'a b/key.sealed' ", "a b/key.sealed"), ("\"key.sealed\"", "key.sealed"),
            ("a\\ b.sealed", "a b.sealed"),
            (" key.sealed", "key.sealed"), ("'", "'"),
        ])
    func aPathIsReadAsATerminalHasItAfterADrop(_ case: (typed: String, path: String)) {
        #expect(ShareInput.typedPath(`case`.typed) == `case`.path)
    }
}
