import Foundation
import PDSecrets
import PDTestSupport
import Testing

@testable import PDShamir
@testable import PDShareFiles

@Suite("pd-shares")
struct SharesToolTests {
    private let tool: SharesToolRunner
    private let secret = Data("-----BEGIN A KEY-----\nsecret \u{0}\u{1}\u{2}\n-----END-----\n".utf8)

    init() throws {
        tool = try SharesToolRunner()
        try tool.write("key.asc", secret)
    }

    @discardableResult
    private func split(_ extra: [String] = [], threshold: Int = 3, shares: Int = 5, out: String = "out")
        throws
        -> SharesToolRunner.Outcome
    {
        let outcome = try tool.run(
            ["split", "key.asc", "--threshold", "\(threshold)", "--shares", "\(shares)", "--out", out] + extra
        )
        return outcome
    }

    private func share(_ number: Int, of count: Int = 5, in out: String = "out") -> String {
        "\(out)/key.asc.\(number)-of-\(count).share.txt"
    }

    // MARK: - What it is for

    @Test func splitSaysWhoGetsWhatAndCombineRestoresTheSecret() throws {
        let made = try split(["--holder", "Alice", "--holder", "Bob Ross"])
        #expect(made.status == 0)
        #expect(made.text.contains("share 1 of 5 (Alice): out/key.asc.1-of-5.share.txt"))
        #expect(made.text.contains("share 2 of 5 (Bob Ross): "))
        #expect(made.text.contains("share 5 of 5: "))
        let combined = try tool.run(["combine", share(2), share(5), share(1), "--out", "restored"])
        #expect(combined.status == 0)
        #expect(combined.errors.contains("2 more needed"))
        #expect(combined.errors.contains("1 more needed"))
        #expect(try tool.read("restored") == secret)
        #expect(try tool.mode("restored") == 0o600)
        #expect(try tool.read("key.asc") == secret)
    }

    @Test func aDirectoryStandsForTheSharesInIt() throws {
        try split()
        #expect(try tool.run(["combine", "out", "--out", "restored"]).status == 0)
        #expect(try tool.read("restored") == secret)
    }

    @Test func pastedSharesAreReadFromStandardInput() throws {
        try split()
        let pasted = try tool.read(share(4)) + Data("\n\n".utf8) + tool.read(share(1)) + tool.read(share(2))
        let outcome = try tool.run(["combine", "-", "--out", "-"], input: pasted)
        #expect(outcome.status == 0)
        #expect(outcome.output == secret)
        let unfinished = try tool.run(["combine", "-", "--out", "x"], input: pasted.dropLast(120))
        #expect(unfinished.status == 1)
        #expect(unfinished.errors.contains("is missing"))
    }

    @Test func verifyProvesThatSharesFitAndWritesNothing() throws {
        try split()
        let before = try tool.names()
        let outcome = try tool.run(["verify", "out"])
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("All 5 shares"))
        #expect(try tool.names() == before)
    }

    @Test func p36_refreshMakesANewSetForTheSameSecretAndSaysThatTheOldMustGo() throws {
        try split(["--holder", "Alice"])
        let outcome = try tool.run(["refresh", share(1), share(3), share(5), "--out", "new", "--shares", "6"])
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("destroy ALL old ones"))
        #expect(outcome.text.contains("(Alice)"))
        #expect(try tool.run(["combine", "new", "--out", "restored"]).status == 0)
        #expect(try tool.read("restored") == secret)
        let mixed = try tool.run(
            ["combine", share(1), share(3), share(2, of: 6, in: "new"), "--out", "mixed"])
        #expect(mixed.status == 1)
        #expect(mixed.lastError.contains("not enough shares of any set"))
        #expect(!tool.exists("mixed"))
    }

    @Test(arguments: [65_536, 65_537, 200_000, 3 * 65_536])
    func largeSecretsGoToASealedFile(bytes: Int) throws {
        let large = Data((0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
        try tool.write("key.asc", large)
        try split()
        #expect(tool.exists("out/key.asc.sealed"))
        #expect(try tool.run(["combine", "out", "--out", "restored"]).status == 0)
        #expect(try tool.read("restored") == large)
        #expect(try tool.run(["combine", "out", "--out", "-"]).output == large)
        guard bytes > 65_536 else { return }
        #expect(try tool.run(["refresh", "out", "--out", "new"]).status == 0)
        #expect(try tool.run(["combine", "new", "--out", "-"]).output == large)
        let swapped = try tool.run([
            "combine", share(1), share(2), share(3), "new/key.asc.sealed", "--out", "x",
        ])
        #expect(swapped.status == 1)
        #expect(swapped.lastError.contains("belongs to another set"))
        let without = try tool.run(["verify", share(1), share(2), share(3)])
        #expect(without.status == 1)
        #expect(without.lastError.contains("give that file"))
    }

    /// The last of these bytes is in the last tag.
    @Test(arguments: [40, 31, 100_000, 200_000, 200_094])
    func p85_aSealedFileThatWasChangedYieldsNothingNotEvenItsFirstChunks(offset: Int) throws {
        try tool.write("key.asc", Data(count: 200_000))
        try split()
        var sealed = try tool.read("out/key.asc.sealed")
        sealed[offset] ^= 1
        try tool.write("out/key.asc.sealed", sealed)
        for arguments in [["--out", "restored"], ["--out", "-"]] {
            let outcome = try tool.run(["combine", "out"] + arguments)
            #expect(outcome.status == 1)
            #expect(outcome.output.isEmpty, "not even what comes before the change")
            #expect(outcome.lastError.contains("changed or is incomplete"))
        }
        #expect(!tool.exists("restored"))
        #expect(try tool.run(["refresh", "out", "--out", "new"]).status == 1)
        #expect(!tool.exists("new"))
        sealed[offset] ^= 1
        try tool.write("out/key.asc.sealed", sealed.dropLast(65_552))
        #expect(try tool.run(["verify", "out"]).status == 1)
    }

    // MARK: - Shares that do not fit

    @Test func p05_tooFewSharesSayHowManyAreMissing() throws {
        try split()
        let outcome = try tool.run(["combine", share(1), share(2), "--out", "restored"])
        #expect(outcome.status == 1)
        #expect(outcome.lastError.contains("have 2 shares, need 3: 1 more"))
        #expect(!tool.exists("restored"))
    }

    @Test func p03_p04_theSameShareTwiceNamesBothFiles() throws {
        try split()
        try tool.write("copy.share.txt", tool.text(share(2)))
        let outcome = try tool.run(["combine", share(1), share(2), "copy.share.txt", "--out", "x"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("copy.share.txt is the same share as out/key.asc.2-of-5.share.txt"))
    }

    @Test func p03_theSameShareTwiceBringsNobodyNearerToTheSecret() throws {
        try split()
        try tool.write("copy.share.txt", tool.text(share(2)))
        let outcome = try tool.run(["combine", share(1), share(2), "copy.share.txt", "--out", "x"])
        let progress = outcome.errors.split(separator: "\n").dropLast().compactMap { line in
            line.split(separator: ": ").last.map(String.init)
        }
        #expect(progress == ["left out", "2 more needed", "1 more needed"], "\(outcome.errors)")
        let pasted = try tool.read(share(1)) + tool.read(share(1)) + tool.read(share(2))
        let piped = try tool.run(["combine", "-", "--out", "x"], input: pasted)
        #expect(!piped.errors.contains("enough"), "\(piped.errors)")
    }

    @Test func p31_threePeoplesTypingErrorsAreNamedByFileAndLine() throws {
        try split()
        for (number, line) in [(1, 10), (2, 11), (3, 12)] {
            var lines = try tool.text(share(number)).split(separator: "\n", omittingEmptySubsequences: false)
                .map(String.init)
            var characters = Array(lines[line - 1])
            let place = characters.count - 12
            let typed = characters[place]
            characters[place] = typed == " " ? "7" : typed == "7" ? "8" : "7"
            lines[line - 1] = String(characters)
            try tool.write(share(number), lines.joined(separator: "\n"))
        }
        let outcome = try tool.run(["combine", "out", "--out", "x"])
        #expect(outcome.status == 1)
        for (number, line) in [(1, 10), (2, 11), (3, 12)] {
            #expect(
                outcome.errors.contains(
                    "key.asc.\(number)-of-5.share.txt (share \(number)): the line that begins \"\(line - 9):\" is mistyped or damaged"
                )
            )
        }
        #expect(!tool.exists("x"))
        // The four that are well typed would do.
        #expect(try tool.run(["combine", share(4), share(5), "--out", "x"]).lastError.contains("1 more"))
    }

    @Test func p31_aTypingErrorInAnyLineIsNamedByFileAndLine() throws {
        try split()
        let lines = try tool.text(share(1)).split(separator: "\n").map(String.init)
        // The share's number is known from the other lines.
        for (place, text) in lines.enumerated() where !text.hasPrefix("-") && !text.hasPrefix("Share:") {
            let key = String(text.prefix { $0 != ":" })
            var typed = lines
            typed[place] = String(text.dropLast(7)) + "ZZZZZZZ"
            try tool.write(share(1), typed.joined(separator: "\n"))
            let outcome = try tool.run(["inspect", share(1)])
            #expect(outcome.status == 1)
            #expect(
                outcome.errors.contains("the line that begins \"\(key):\" is mistyped"), "\(outcome.errors)")
        }
    }

    @Test func p06_p32_forgedSharesThatAreEnoughAmongThemselvesAreNamedBesideTheOthers() throws {
        try split(shares: 6)
        let text = try tool.read(share(1, of: 6))
        let set = try text.withUnsafeBytes { try Share(parsing: $0) }.set
        let forged = SecretBytes(count: secret.count)
        let cryptography = try CoreCryptography()
        let shares = try set.split(
            forged, randomness: cryptography.randomness(), cryptography: cryptography)
        for number in [1, 2, 3] {
            try tool.write(
                share(number, of: 6), Data(shares[number - 1].encoded().withUnsafeBytes(Array.init)))
        }
        for command in [
            ["combine", "out", "--out", "x"], ["verify", "out"], ["refresh", "out", "--out", "new"],
        ] {
            let outcome = try tool.run(command)
            #expect(outcome.status == 1)
            for number in 1...6 { #expect(outcome.lastError.contains(share(number, of: 6))) }
            #expect(outcome.lastError.contains("restore one secret"))
            #expect(!tool.exists("x") && !tool.exists("new"))
        }
    }

    @Test func p04_ofTwoSharesWithOneNumberTheOneThatTheOthersSpeakAgainstIsNamed() throws {
        try split()
        let text = try tool.read(share(1))
        let set = try text.withUnsafeBytes { try Share(parsing: $0) }.set
        let cryptography = try CoreCryptography()
        let forged = try set.split(
            SecretBytes(count: secret.count), randomness: cryptography.randomness(),
            cryptography: cryptography)
        try tool.write("copy.share.txt", Data(forged[0].encoded().withUnsafeBytes(Array.init)))
        for files in [["out", "copy.share.txt"], ["copy.share.txt", "out"]] {
            for command in [["combine"] + files + ["--out", "x"], ["verify"] + files] {
                let outcome = try tool.run(command)
                #expect(outcome.status == 1)
                #expect(
                    outcome.lastError.contains("copy.share.txt does not fit the other shares"),
                    "\(outcome.errors)")
                #expect(!tool.exists("x"))
            }
        }
        // Two others are no threshold: they decide nothing.
        let few = try tool.run([
            "combine", share(1), "copy.share.txt", share(2), share(3), "--out", "x",
        ])
        #expect(few.status == 1)
        #expect(few.lastError.contains("differ: one of them was changed"), "\(few.errors)")
        #expect(!tool.exists("x"))
    }

    @Test func p31_passphrasesFromAFileWithCRLFAreThoseThatPeopleType() throws {
        let files = ["split", "key.asc", "--threshold", "2", "--shares", "2", "--out", "out"]
        let input = Data("hunter2\r\nsecond one\r\n".utf8)
        #expect(try tool.run(files + ["--passphrase-fd", "0"], input: input).status == 0)
        let typed = Data("hunter2\nsecond one\n".utf8)
        for input in [input, typed] {
            let outcome = try tool.run(
                ["combine", "out", "--out", "-", "--passphrase-fd", "0"], input: input)
            #expect(outcome.status == 0)
            #expect(outcome.output == secret)
        }
        #expect(
            try tool.run(["verify", "out", "--passphrase-fd", "0"], input: Data("\r\n\r\n".utf8)).status == 1)
    }

    @Test func p29_aShareWithAnotherHoldersNameIsNamed() throws {
        try split(["--holder", "Alice"], threshold: 2, shares: 3)
        // The share as it would be with another name on it, its checksums right.
        let share1 = try tool.read(share(1, of: 3)).withUnsafeBytes { try Share(parsing: $0) }
        let forged = try Share(set: share1.set, number: 1, holder: "Mallory", body: share1.body)
        let changed = forged.encoded().withUnsafeBytes { Data($0) }
        try tool.write(share(1, of: 3), changed)
        let verified = try tool.run(["verify", "out"])
        #expect(verified.status == 1)
        #expect(
            verified.lastError.contains(
                "1-of-3.share.txt: share 1 of 3 (Mallory) does not fit the other shares"))
        let combined = try tool.run(["combine", "out", "--out", "restored"])
        #expect(combined.status == 0)
        #expect(combined.errors.contains("warning: "))
        #expect(try tool.read("restored") == secret)
        #expect(try tool.run(["refresh", "out", "--out", "new"]).status == 1)
    }

    @Test func filesThatAreNoSharesAreNamed() throws {
        try split()
        try tool.write("note.txt", "hello")
        let outcome = try tool.run(["combine", share(1), "note.txt", "--out", "x"])
        #expect(outcome.status == 1)
        #expect(outcome.lastError.contains("note.txt: not a share"))
        #expect(try tool.run(["combine", "missing", "--out", "x"]).status == 3)
        try FileManager.default.createDirectory(at: tool.path("empty"), withIntermediateDirectories: false)
        #expect(try tool.run(["combine", "empty", "--out", "x"]).lastError.contains("no shares in empty"))
    }

    // MARK: - libgfshare's format

    @Test func p05_sharesOfLibgfshareComeWithAWarningThatNobodyCanCheckThem() throws {
        try split(["--format", "gfshare"])
        #expect(try tool.names("out") == (1...5).map { "key.asc.00\($0)" })
        #expect(try tool.run(["combine", "out", "--out", "restored"]).status == 2)
        let outcome = try tool.run(["combine", "out", "--unchecked", "--out", "unchecked"])
        #expect(outcome.status == 5)
        try FileManager.default.moveItem(at: tool.path("unchecked"), to: tool.path("restored"))
        #expect(outcome.errors.contains("warning: libgfshare's format cannot tell"))
        #expect(try tool.read("restored") == secret)
        #expect(try tool.run(["verify", "out"]).status == 1)
        #expect(try tool.run(["verify", "out", "--threshold", "3"]).status == 0)
        let few = try tool.run([
            "combine", "out/key.asc.001", "out/key.asc.002", "--out", "x", "--threshold", "3",
        ])
        #expect(few.status == 1)
        var spoiled = try tool.read("out/key.asc.004")
        spoiled[3] ^= 4
        try tool.write("out/key.asc.004", spoiled)
        #expect(try tool.run(["verify", "out", "--threshold", "3"]).status == 1)
        #expect(try tool.run(["combine", "out", "--out", "x", "--threshold", "3"]).status == 1)
        #expect(!tool.exists("x"))
    }

    @Test func p05_tooFewSharesOfLibgfshareDoNotBecomeNewSharesOfSomethingElse() throws {
        try split(["--format", "gfshare"])
        let shares = (1...4).map { "out/key.asc.00\($0)" }
        let new = ["--out", "new", "--threshold", "2", "--shares", "3"]
        let unknown = try tool.run(["refresh"] + shares[..<2] + new)
        #expect(unknown.status == 2)
        #expect(unknown.lastError.contains("give --old-threshold"))
        #expect(try tool.run(["refresh"] + shares[..<2] + new + ["--old-threshold", "3"]).status == 1)
        #expect(!tool.exists("new"))
        // As many as needed prove nothing: nobody is told to destroy the old ones on the word of `verify`.
        let unproved = try tool.run(["refresh"] + shares[..<3] + new + ["--old-threshold", "3"])
        #expect(unproved.status == 0)
        #expect(unproved.errors.contains("warning: "))
        #expect(unproved.text.contains("KEEP the old shares"))
        #expect(!unproved.text.contains("pd-shares verify"))
        let proved = try tool.run(
            ["refresh"] + shares + [
                "--out", "newer", "--threshold", "2", "--shares", "3", "--old-threshold", "3",
            ])
        #expect(proved.status == 0)
        #expect(!proved.text.contains("KEEP"))
        #expect(proved.errors.isEmpty)
    }

    /// The advice is a command that succeeds where the shares are good.
    @Test func p05_nobodyIsToldToRemoveASecretOnTheWordOfACommandThatCannotSucceed() throws {
        let native = try split(out: "native")
        #expect(native.text.contains("remove it once `pd-shares verify` has accepted"))
        #expect(try tool.run(["verify", "native"]).status == 0)
        let spare = try split(["--format", "gfshare"], out: "spare")
        #expect(spare.text.contains("remove it once `pd-shares verify --threshold 3` has accepted"))
        #expect(try tool.run(["verify", "--threshold", "3", "spare"]).status == 0)
        let all = try split(["--format", "gfshare"], threshold: 3, shares: 3, out: "all")
        #expect(all.text.contains("remove it once `pd-shares combine` has restored the same bytes"))
        #expect(try tool.run(["verify", "--threshold", "3", "all"]).status == 1)
        #expect(try tool.run(["combine", "all", "--threshold", "3", "--out", "restored"]).status == 5)
        #expect(try tool.read("restored") == secret)
        for (shares, advice) in [
            (2, "`pd-shares combine` has restored"), (3, "`pd-shares verify --threshold 2`"),
        ] {
            let refreshed = try tool.run([
                "refresh", "spare", "--old-threshold", "3", "--threshold", "2", "--shares", "\(shares)",
                "--out",
                "new\(shares)",
            ])
            #expect(refreshed.status == 0)
            #expect(refreshed.text.contains("once \(advice)"))
        }
    }

    @Test(arguments: ["x.000", "x.256", "x.300", "x.1000", "x.00a", "x.-01"])
    func p02_namesThatAreNoShareNumbersAreRefused(name: String) throws {
        try tool.write(name, "abc")
        try tool.write("x.001", "abd")
        let outcome = try tool.run(["combine", "x.001", name, "--unchecked", "--out", "unchecked"])
        #expect(outcome.status == 1)
        #expect(outcome.lastError.contains("\(name): not a share"))
    }

    @Test func p03_p04_p10_p11_badFilesOfLibgfshareAreNamed() throws {
        try split(["--format", "gfshare"])
        let first = try tool.read("out/key.asc.001")
        try tool.write("copy.001", first)
        try tool.write("fake.001", Data(first.reversed()))
        try tool.write("short.002", first.dropLast())
        try tool.write("empty.003", Data())
        func error(_ names: String...) throws -> String {
            let outcome = try tool.run(["combine"] + names + ["--unchecked", "--out", "unchecked"])
            #expect(outcome.status == 1)
            return outcome.lastError
        }
        #expect(try error("out/key.asc.001", "copy.001").contains("are the same share twice"))
        #expect(try error("out/key.asc.001", "fake.001").contains("have the same number and differ"))
        #expect(try error("out/key.asc.001", "out/key.asc.003", "short.002").contains("short.002 has"))
        #expect(try error("empty.003", "empty.003").contains("empty.003"))
        #expect(try error("out/key.asc.001").contains("need 2"))
    }

    @Test func p85_sharesOfLibgfshareThatDoNotFitYieldNothingNotEvenWhatComesBefore() throws {
        try tool.write("key.asc", Data(count: 600_000))
        try split(["--format", "gfshare"])
        let whole = try tool.run(["combine", "out", "--threshold", "3", "--out", "-"])
        #expect(whole.status == 0)
        #expect(whole.output == Data(count: 600_000))
        var share = try tool.read("out/key.asc.005")
        share[599_999] ^= 1
        try tool.write("out/key.asc.005", share)
        let outcome = try tool.run(["combine", "out", "--threshold", "3", "--out", "-"])
        #expect(outcome.status == 1)
        #expect(outcome.lastError.contains("key.asc.005 does not fit the other shares"))
        #expect(outcome.output.isEmpty)
    }

    private static let hasGfshare = FileManager.default.isExecutableFile(atPath: "/usr/bin/gfcombine")

    /// 64 MB of each take two minutes in a debug build, so they are done on request.
    private static let gfshareSizes =
        [1, 5_000]
        + (ProcessInfo.processInfo.environment["PENGUINDOME_SLOW_TESTS"] == nil ? [] : [64_000_000])

    @Test(
        .enabled(if: hasGfshare, "needs libgfshare-bin"),
        arguments: [(2, 2), (3, 5), (5, 9)], gfshareSizes)
    func p20_gfsplitAndGfcombineAndThisToolReadEachOther(_ numbers: (Int, Int), bytes: Int) throws {
        let (threshold, count) = numbers
        var secret = Data(count: bytes)
        secret.withUnsafeMutableBytes { secret in
            var state: UInt64 = 20
            for index in stride(from: 0, to: bytes - 7, by: 8) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                secret.storeBytes(of: state, toByteOffset: index, as: UInt64.self)
            }
            if bytes % 8 != 0 { secret[bytes - 1] = 0xa7 }
        }
        try tool.write("key.asc", secret)
        try split(["--format", "gfshare"], threshold: threshold, shares: count)
        func number(_ index: Int) -> String { "out/key.asc.00\(index)" }
        // The last ones, in an order that is not theirs.
        let chosen = (count - threshold + 1...count).reversed().map(number)
        #expect(try tool.run(["-o", "theirs"] + chosen, program: "/usr/bin/gfcombine").status == 0)
        #expect(try tool.read("theirs") == secret)
        #expect(
            try tool.run(
                ["-n", "\(threshold)", "-m", "\(count)", "key.asc", "stem"], program: "/usr/bin/gfsplit"
            ).status == 0)
        let shares = try tool.names().filter { $0.hasPrefix("stem.") }
        #expect(shares.count == count)
        #expect(
            try tool.run(
                ["combine"] + shares.suffix(threshold).reversed() + [
                    "--threshold", "\(threshold)", "--out", "ours",
                ]
            ).status == 5)
        #expect(try tool.read("ours") == secret)
    }

    @Test(.enabled(if: hasGfshare, "needs libgfshare-bin"))
    func p20_sharesOfGfsplitAreRefreshed() throws {
        let made = try tool.run(["-n", "3", "-m", "5", "key.asc", "stem"], program: "/usr/bin/gfsplit")
        #expect(made.status == 0)
        let shares = try tool.names().filter { $0.hasPrefix("stem.") }
        let refreshed = try tool.run(
            ["refresh"] + shares + [
                "--out", "new", "--threshold", "2", "--shares", "3", "--old-threshold", "3",
            ])
        #expect(refreshed.status == 0)
        #expect(
            try tool.run(["combine", "new/stem.002", "new/stem.003", "--threshold", "2", "--out", "again"])
                .status == 5)
        #expect(try tool.read("again") == secret)
    }

    // MARK: - Files

    @Test func p24_shareFilesAreForTheirOwnerOnly() throws {
        try split()
        for name in try tool.names("out") { #expect(try tool.mode("out/" + name) == 0o600) }
        #expect(try tool.mode("out") == 0o700)
    }

    @Test func p24_nothingIsEverOverwritten() throws {
        try FileManager.default.createDirectory(at: tool.path("out"), withIntermediateDirectories: false)
        try tool.write(share(4), "precious")
        let outcome = try split()
        #expect(outcome.status == 3)
        #expect(outcome.lastError.contains("out/key.asc.4-of-5.share.txt exists already"))
        #expect(try tool.names("out") == ["key.asc.4-of-5.share.txt"])
        #expect(try tool.text(share(4)) == "precious")
        try split(out: "good")
        #expect(try tool.run(["combine", "good", "--out", "key.asc"]).status == 3)
        #expect(try tool.read("key.asc") == secret)
    }

    @Test func p24_symbolicLinksAreNotFollowedToATarget() throws {
        try FileManager.default.createDirectory(at: tool.path("out"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: tool.path(share(2)).path, withDestinationPath: tool.path("elsewhere").path)
        #expect(try split().status == 3)
        #expect(!tool.exists("elsewhere"))
        #expect(try tool.names("out").count == 1)
        try split(out: "good")
        try FileManager.default.createSymbolicLink(
            atPath: tool.path("restored").path, withDestinationPath: tool.path("elsewhere").path)
        #expect(try tool.run(["combine", "good", "--out", "restored"]).status == 3)
        #expect(!tool.exists("elsewhere"))
    }

    @Test func p25_whereTheThirdOfFiveSharesCannotBeWrittenNoneRemains() throws {
        // A limit on a file's size, which only the share with the long name exceeds.
        let arguments = [
            "split", "key.asc", "--threshold", "3", "--shares", "5", "--holder", "A", "--holder", "B",
            "--holder", String(repeating: "x", count: 100),
        ]
        #expect(try tool.run(arguments + ["--out", "probe"]).status == 0)
        let sizes = try (1...5).map { try tool.read(share($0, in: "probe")).count }
        try #require(sizes.firstIndex(of: sizes.max() ?? 0) == 2)
        let limit = ["/usr/bin/prlimit", "--fsize=\(sizes[2] - 1)"]
        let failed = try tool.run(arguments + ["--out", "out"], prefix: limit)
        #expect(failed.status == 3)
        #expect(failed.lastError.contains("cannot write out/key.asc.3-of-5.share.txt: File too large"))
        #expect(!tool.exists("out"))
    }

    private static let canMount: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/unshare")
        process.arguments = ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test(.enabled(if: canMount)) func p25_aFullDiskLeavesNothing() throws {
        try tool.write("key.asc", Data(count: 60_000))
        let script = """
            mount -t tmpfs -o size=200k none /mnt && mkdir /mnt/out || exit 9
            "$0" "$@" --out /mnt/out; code=$?
            test -z "$(ls -A /mnt/out)" || exit 8
            exit $code
            """
        let failed = try tool.run(
            ["split", "key.asc", "--threshold", "3", "--shares", "5", "--format", "gfshare"],
            prefix: ["/usr/bin/unshare", "-rm", "/bin/sh", "-c", script])
        #expect(failed.status == 3)
        #expect(failed.lastError.contains("No space left on device"))
    }

    @Test func aToolThatIsKilledWhileItWritesLeavesNoFile() throws {
        let running = try tool.start(
            ["split", "-", "--threshold", "2", "--shares", "3", "--out", "out"])
        // Three chunks of the sealed file are written, and more of the secret is awaited.
        try running.input.write(contentsOf: Data(count: 4 * 65_536))
        try waitUntilIdle(running)
        kill(running.process.processIdentifier, SIGKILL)
        _ = try running.finish()
        #expect(try tool.names("out").isEmpty)
    }

    /// Waits until the tool has read all input and sleeps.
    private func waitUntilIdle(_ running: SharesToolRunner.Running) throws {
        let process = running.process.processIdentifier
        var (idle, waited) = (0, 0)
        while idle < 5 {
            usleep(20_000)
            var unread: Int32 = 0
            try #require(ioctl(running.input.fileDescriptor, UInt(FIONREAD), &unread) == 0)
            let status = try String(contentsOf: URL(filePath: "/proc/\(process)/stat"), encoding: .utf8)
            // The state follows the name, which is in brackets.
            let state = status.split(separator: ")").last?.split(separator: " ").first
            idle = unread == 0 && state == "S" ? idle + 1 : 0
            waited += 1
            try #require(waited < 1500, "the tool did not get as far as expected")
        }
    }

    // MARK: - Secrets stay secret

    @Test func p27_inspectShowsEverythingThatIsNotSecret() throws {
        try split(["--holder", "Alice"])
        let outcome = try tool.run(["inspect", share(1), "--json"])
        #expect(outcome.status == 0)
        let facts = try #require(try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any])
        #expect(facts["threshold"] as? Int == 3)
        #expect(facts["shares"] as? Int == 5)
        #expect(facts["share"] as? Int == 1)
        #expect(facts["holder"] as? String == "Alice")
        #expect(facts["label"] as? String == "key.asc")
        #expect(facts["secret_bytes"] as? Int == secret.count)
        #expect(facts["checksums"] as? String == "ok")
        #expect((facts["set"] as? String)?.count == 19)
        #expect((facts["created"] as? String)?.count == 10)
        let plain = try tool.run(["inspect", share(1)]).text
        for line in try tool.text(share(1)).split(separator: "\n") where line.first?.isNumber == true {
            for group in line.split(separator: " ").dropFirst() where group.count == 4 {
                #expect(!outcome.text.contains(group))
                #expect(!plain.contains(group))
            }
        }
    }

    @Test func p26_theSecretIsNotWrittenToATerminal() throws {
        try split()
        let command = "\(SharesToolRunner.executable.path) combine out --out -"
        let refused = try tool.run(["-qec", command, "/dev/null"], program: "/usr/bin/script")
        #expect(refused.status == 2)
        #expect(!refused.text.contains("BEGIN A KEY"))
        #expect(refused.text.contains("--force"))
        let forced = try tool.run(["-qec", command + " --force", "/dev/null"], program: "/usr/bin/script")
        #expect(forced.status == 0)
        #expect(forced.text.contains("BEGIN A KEY"))
    }

    @Test func aLineTypedWronglyOnATerminalIsAskedForAgain() throws {
        try split(threshold: 2, shares: 2)
        var typed = ""
        for number in 1...2 {
            for line in try tool.text(share(number, of: 2)).split(separator: "\n") {
                if line.hasPrefix("2: ") { typed += line.replacing(" #", with: " #0") + "\n" }
                typed += line + "\n"
            }
        }
        let command = "\(SharesToolRunner.executable.path) combine --out restored"
        let outcome = try tool.run(
            ["-qec", command, "/dev/null"], program: "/usr/bin/script", input: Data(typed.utf8))
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("type this line again"))
        #expect(outcome.text.contains("1 more needed"))
        #expect(try tool.read("restored") == secret)
    }

    @Test func p29_aRewrittenShareThatIsTypedFirstDoesNotShutOutTheOthers() throws {
        try split(threshold: 2, shares: 3)
        let share1 = try tool.read(share(1, of: 3)).withUnsafeBytes { try Share(parsing: $0) }
        let old = share1.set
        let set = try ShareSet(
            identifier: old.identifier, label: "other", created: old.created, threshold: old.threshold,
            shares: old.shares, content: old.content)
        let cryptography = try CoreCryptography()
        let forged = try set.split(
            SecretBytes(count: secret.count), randomness: cryptography.randomness(),
            cryptography: cryptography)
        let typed =
            try forged[0].encoded().withUnsafeBytes { Data($0) } + tool.read(share(2, of: 3))
            + tool.read(share(3, of: 3))
        let command = "\(SharesToolRunner.executable.path) combine --out restored"
        let outcome = try tool.run(
            ["-qec", command, "/dev/null"], program: "/usr/bin/script", input: typed)
        #expect(outcome.status == 0, "\(outcome.text)")
        #expect(outcome.text.contains("differs from typed share"))
        #expect(outcome.text.contains("typed share 1: share 1 of 3 does not fit the other shares"))
        #expect(try tool.read("restored") == secret)
    }

    @Test func p28_controlCharactersInNamesAreEscaped() throws {
        let name = "evil\u{1b}[31m\nname"
        try tool.write(name, "no share")
        let outcome = try tool.run(["combine", name, "--out", "x"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("evil\\u{1b}[31m\\u{a}name"))
        #expect(!outcome.errors.contains("\u{1b}"))
        let holder = try split(["--holder", "a\u{1b}[2J"])
        #expect(holder.status == 2)
        #expect(!holder.errors.contains("\u{1b}"))
        #expect(try tool.run(["inspect", name, "--json"]).status == 1)
    }

    @Test func p34_p35_secretsAreInNoArgumentOrEnvironmentAndCoreDumpsAreOff() throws {
        let running = try tool.start(
            ["split", "key.asc", "--threshold", "2", "--shares", "2", "--out", "out", "--passphrase-fd", "0"])
        try running.input.write(contentsOf: Data("hunter2hunter2\n".utf8))
        let process = running.process.processIdentifier
        try waitUntilIdle(running)
        for file in ["cmdline", "environ"] {
            let path = URL(filePath: "/proc/\(process)/\(file)")
            // Only root may look at the environment of a process that forbids core dumps.
            guard geteuid() == 0 || file != "environ" else {
                #expect(throws: CocoaError.self) { try Data(contentsOf: path) }
                continue
            }
            let contents = try Data(contentsOf: path)
            #expect(contents.range(of: Data("hunter2hunter2".utf8)) == nil)
            #expect(contents.range(of: Data("BEGIN A KEY".utf8)) == nil)
        }
        #expect(try !running.dumpsCore())
        // What may not be dumped belongs to root, and can be traced by no other process of its user.
        let owner = try FileManager.default.attributesOfItem(atPath: "/proc/\(process)/mem")
        #expect(owner[.ownerAccountID] as? Int == 0)
        try running.input.write(contentsOf: Data("second\n".utf8))
        try running.input.close()
        #expect(try running.finish().status == 0)
        let unlock = ["combine", "out", "--out", "restored", "--passphrase-fd", "0"]
        #expect(try tool.run(unlock, input: Data("second\nhunter2hunter2\n".utf8)).status == 1)
        #expect(try tool.run(unlock, input: Data("hunter2hunter2\nsecond\n".utf8)).status == 0)
        #expect(try tool.read("restored") == secret)
    }

    @Test(arguments: ["native", "gfshare"])
    func p99_whereNoMemoryMayBeLockedThePersonIsToldInOneLineOfOurs(format: String) throws {
        let arguments = [
            "split", "key.asc", "--threshold", "100", "--shares", "200", "--out", "out", "--format", format,
        ]
        // Root may lock whatever it likes, unless that capability is dropped.
        let drop = geteuid() == 0 ? ["/usr/bin/setpriv", "--bounding-set", "-ipc_lock"] : []
        let outcome = try tool.run(arguments, prefix: ["/usr/bin/prlimit", "--memlock=0"] + drop)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.errors.split(separator: "\n").filter { $0.contains("out of swap") }
        #expect(lines.count == 1, "\(outcome.errors)")
        #expect(!outcome.errors.contains("insecure memory"), "\(outcome.errors)")
        let help = try tool.run(["--help"], prefix: ["/usr/bin/prlimit", "--memlock=0"] + drop)
        #expect(help.errors.isEmpty, "it holds no secrets")
    }

    /// As much as systemd and most distributions allow.
    @Test func p99_whereEightMebibytesMayBeLockedAllSecretsAre() throws {
        let drop = geteuid() == 0 ? ["/usr/bin/setpriv", "--bounding-set", "-ipc_lock"] : []
        let prefix = ["/usr/bin/prlimit", "--memlock=8388608:8388608"] + drop
        try tool.write("key.asc", Data(count: 3_000_000))
        for format in ["native", "gfshare"] {
            let made = try tool.run(
                [
                    "split", "key.asc", "--threshold", "3", "--shares", "5", "--out", format, "--format",
                    format,
                ], prefix: prefix)
            #expect(made.status == 0)
            #expect(made.errors.isEmpty)
            let combined = try tool.run(
                ["combine", format, "--out", "restored." + format]
                    + (format == "gfshare" ? ["--threshold", "3"] : []), prefix: prefix)
            #expect(combined.status == 0)
            #expect(!combined.errors.contains("out of swap"), "\(combined.errors)")
        }
    }

    // MARK: - Refreshing locked shares

    private func lines(_ count: Int, _ word: String) -> Data {
        Data((1...count).map { "\(word) \($0)\n" }.joined().utf8)
    }

    @Test func p36_newSharesOfLockedOnesAreLockedToo() throws {
        try #require(
            try tool.run(
                [
                    "split", "key.asc", "--threshold", "2", "--shares", "2", "--out", "out",
                    "--passphrase-fd",
                    "0",
                ], input: lines(2, "old")
            ).status == 0)
        let refresh = ["refresh", "out", "--out", "new", "--passphrase-fd", "0"]
        // One line for each of both sets, the old ones first; before all have come, nothing is written.
        for missing in [lines(1, "old"), lines(2, "old"), lines(2, "old") + lines(1, "new")] {
            let outcome = try tool.run(refresh, input: missing)
            #expect(outcome.status == 2)
            #expect(
                outcome.lastError.contains(
                    "one line for each locked old share, then one for each new share"),
                "\(outcome.errors)")
            #expect(!tool.exists("new"))
        }
        let outcome = try tool.run(refresh, input: lines(2, "old") + lines(2, "new"))
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("The new shares are locked"))
        #expect(try tool.text(share(1, of: 2, in: "new")).contains("\nProtection: "))
        let unlock = ["combine", "new", "--out", "-", "--passphrase-fd", "0"]
        #expect(try tool.run(unlock, input: lines(2, "new")).output == secret)
        #expect(try tool.run(unlock, input: lines(2, "old")).status == 1)
    }

    @Test func newSharesAreInTheClearOnlyWhereThePersonSaysSo() throws {
        let locked = [
            "split", "key.asc", "--threshold", "2", "--shares", "2", "--out", "out", "--passphrase-fd", "0",
        ]
        try #require(try tool.run(locked, input: lines(2, "old")).status == 0)
        let refresh = ["refresh", "out", "--passphrase-fd", "0", "--no-passphrase"]
        let both = try tool.run(refresh + ["--out", "new", "--passphrase"], input: lines(4, "old"))
        #expect(both.status == 2)
        #expect(!tool.exists("new"))
        let outcome = try tool.run(refresh + ["--out", "new"], input: lines(2, "old"))
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("NOT locked with passphrases, as the old ones were"))
        #expect(try tool.run(["combine", "new", "--out", "-"]).output == secret)
        // As for `split`, passphrases for nothing else are for the new shares.
        let again = try tool.run(
            ["refresh", "new", "--out", "newer", "--passphrase-fd", "0"], input: lines(2, "new"))
        #expect(again.status == 0)
        #expect(again.text.contains("The new shares are locked"))
        let plain = try tool.run(["refresh", "new", "--out", "plain"])
        #expect(plain.text.contains("The new shares are NOT locked with passphrases."))
    }

    @Test func p31_passphrasesForADirectoryAreInTheOrderInWhichTheyWereSet() throws {
        let locked = [
            "split", "key.asc", "--threshold", "10", "--shares", "10", "--out", "out", "--passphrase-fd", "0",
        ]
        try #require(try tool.run(locked, input: lines(10, "line")).status == 0)
        let outcome = try tool.run(
            ["combine", "out", "--out", "-", "--passphrase-fd", "0"], input: lines(10, "line"))
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output == secret)
    }

    // MARK: - Directories and file names as people have them

    @Test func aDirectoryMayHoldPipesHiddenFilesAndCapitals() throws {
        try split(threshold: 2, shares: 2)
        try FileManager.default.moveItem(
            at: tool.path(share(2, of: 2)), to: tool.path("out/KEY_2.SHARE.TXT"))
        try tool.write("out/._key.asc.1-of-2.share.txt", Data([0, 5, 0x16, 7]))
        try tool.write("out/._key.asc.sealed", Data([0, 5, 0x16, 7]))
        try #require(mkfifo(tool.path("out/z.share.txt").path, 0o600) == 0)
        let outcome = try tool.run(
            ["combine", "out", "--out", "restored"], prefix: ["/usr/bin/timeout", "--signal=KILL", "20"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try tool.read("restored") == secret)
    }

    @Test func aPipeThatIsNamedIsRead() throws {
        try split(threshold: 2, shares: 2)
        try #require(mkfifo(tool.path("pipe").path, 0o600) == 0)
        let command =
            "cat \(share(1, of: 2)) >pipe & exec \"$0\" combine pipe \(share(2, of: 2)) --out restored"
        let outcome = try tool.run(
            ["--signal=KILL", "20", "/bin/sh", "-c", command, SharesToolRunner.executable.path],
            program: "/usr/bin/timeout")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try tool.read("restored") == secret)
    }

    @Test func ofSeveralSealedFilesTheSetsOwnIsTaken() throws {
        try split(threshold: 2, shares: 2, out: "small")
        let large = Data(repeating: 7, count: 70_000)
        for name in ["key.asc", "other"] {
            try tool.write(name, large + Data(name.utf8))
            try #require(
                try tool.run([
                    "split", name, "--threshold", "2", "--shares", "2", "--out", "of-\(name)", "--label",
                    "key",
                ]).status == 0)
        }
        for directory in ["small", "of-key.asc"] {
            try tool.write("\(directory)/other.sealed", try tool.read("of-other/other.sealed"))
        }
        try tool.write("small/key.asc.sealed", try tool.read("of-key.asc/key.asc.sealed"))
        #expect(try tool.run(["combine", "small", "--out", "-"]).output == secret, "it needs none")
        let restored = try tool.run(["combine", "of-key.asc", "--out", "-"])
        #expect(restored.output == large + Data("key.asc".utf8), "\(restored.errors)")
        try tool.write("of-key.asc/copy.sealed", try tool.read("of-key.asc/key.asc.sealed"))
        let twice = try tool.run(["combine", "of-key.asc", "--out", "-"])
        #expect(twice.status == 0)
        #expect(twice.output == restored.output)
        try tool.write("of-key.asc/copy.sealed", try tool.read("of-key.asc/key.asc.sealed").dropLast())
        #expect(try tool.run(["combine", "of-key.asc", "--out", "-"]).output == restored.output)
    }

    @Test func newSharesAreNotMixedWithOthers() throws {
        try split()
        try split(["--format", "gfshare"], out: "bare")
        try tool.write("other", secret)
        let bare = ["--old-threshold", "3", "--threshold", "2", "--shares", "3"]
        for arguments in [
            ["refresh", "out", "--out", "out", "--shares", "6"],
            ["split", "other", "--threshold", "2", "--shares", "2", "--out", "out"],
            ["split", "other", "--threshold", "2", "--shares", "2", "--out", "out", "--format", "gfshare"],
            ["split", "other", "--threshold", "2", "--shares", "2", "--out", "bare", "--format", "gfshare"],
            ["refresh", "bare", "--out", "bare"] + bare,
        ] {
            let outcome = try tool.run(arguments)
            #expect(outcome.status == 3)
            #expect(outcome.lastError.contains("choose an empty directory"), "\(outcome.errors)")
        }
        #expect(try tool.names("out").count == 5)
        #expect(try tool.names("bare").count == 5)
        #expect(try tool.run(["combine", "out", "--out", "-"]).output == secret)
        // Other files do not matter, nor do native shares care for numbers at the ends of names.
        try FileManager.default.createDirectory(at: tool.path("log"), withIntermediateDirectories: false)
        try tool.write("log/log.001", "a line")
        #expect(try split(out: "log").status == 0)
        #expect(try tool.run(["combine", "log", "--out", "-"]).output == secret)
    }

    /// Runs a shell's commands with the tool as `$0`.
    private func shell(_ commands: String) throws -> SharesToolRunner.Outcome {
        try tool.run(["-c", commands, SharesToolRunner.executable.path], program: "/bin/sh")
    }

    @Test(arguments: [
        #"combine out --out "$bad""#, #"split "$bad" --threshold 2 --shares 2 --out new"#,
        #"split key.asc --threshold 2 --shares 2 --out "$bad""#,
        #"split key.asc --threshold 2 --shares 2 --out new --label "$bad""#, #"inspect "$bad""#,
    ])
    func p28_anArgumentThatIsNotUTF8IsRefusedBeforeAnythingIsWritten(arguments: String) throws {
        try split()
        let outcome = try shell(#"bad=$(printf 'sec\377'); echo x >"$bad"; exec "$0" "# + arguments)
        #expect(outcome.status == 2)
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(outcome.errors.contains("is not UTF-8"))
        let names = try shell("ls | wc -l")
        #expect(names.text.contains("3"), "key.asc, out and the file with the bad name")
    }

    @Test func aShareWhoseNameIsNotUTF8IsReadFromItsDirectory() throws {
        try split(threshold: 2, shares: 2)
        let outcome = try shell(
            #"mv \#(share(1, of: 2)) "out/$(printf 'sec\377').share.txt" && exec "$0" combine out --out restored"#
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try tool.read("restored") == secret)
    }

    // MARK: - Slow, short and broken pipes

    @Test(arguments: ["native", "gfshare"])
    func p88_aSecretThatArrivesByteByByteIsSplitWhole(format: String) throws {
        let running = try tool.start([
            "split", "-", "--threshold", "2", "--shares", "2", "--out", "out", "--format", format,
        ])
        for byte in secret {
            try running.input.write(contentsOf: [byte])
            usleep(1000)
        }
        try running.input.close()
        #expect(try running.finish().status == 0)
        let options = format == "gfshare" ? ["--threshold", "2"] : []
        #expect(
            try tool.run(["combine", "out", "--out", "restored"] + options).status
                == (format == "gfshare" ? 5 : 0))
        #expect(try tool.read("restored") == secret)
    }

    @Test func p88_sharesThatArriveByteByByteAreCombined() throws {
        try split(threshold: 2, shares: 2)
        let running = try tool.start(["combine", "-", "--out", "restored"])
        for byte in try tool.read(share(1, of: 2)) + tool.read(share(2, of: 2)) {
            try running.input.write(contentsOf: [byte])
        }
        try running.input.close()
        #expect(try running.finish().status == 0)
        #expect(try tool.read("restored") == secret)
    }

    @Test func p88_aReaderThatGoesAwayIsAnErrorAndNoSignal() throws {
        try tool.write("key.asc", Data(count: 1_000_000))
        for format in ["native", "gfshare"] {
            try split(["--format", format], out: format)
            // The status of the first command of the pipe, whose reader takes one byte.
            let command =
                "{ \(SharesToolRunner.executable.path) combine \(format) --out - "
                + "\(format == "gfshare" ? "--threshold 3" : ""); echo $? >status; } | head -c 1"
            let outcome = try tool.run(["-c", command], program: "/bin/sh")
            #expect(outcome.output.count == 1)
            #expect(
                outcome.lastError.contains("cannot write standard output: Broken pipe"), "\(outcome.errors)")
            #expect(try tool.text("status") == "3\n")
        }
    }

    // MARK: - Usage

    @Test(arguments: [
        ["split", "key.asc", "--threshold", "1", "--shares", "5", "--out", "o"],
        ["split", "key.asc", "--threshold", "0", "--shares", "5", "--out", "o"],
        ["split", "key.asc", "--threshold", "6", "--shares", "5", "--out", "o"],
        ["split", "key.asc", "--threshold", "2", "--shares", "256", "--out", "o"],
        ["split", "key.asc", "--threshold", "2", "--shares", "2", "--out", "o", "--holder", "-"],
        [
            "split", "key.asc", "--threshold", "2", "--shares", "2", "--out", "o", "--format", "gfshare",
            "--passphrase",
        ],
        [
            "split", "key.asc", "--threshold", "2", "--shares", "2", "--out", "o", "--format", "gfshare",
            "--label", "key",
        ],
        ["combine", "key.asc", "--out", "o", "--threshold=-1"], ["verify", "key.asc", "--threshold=-1"],
        ["verify", "key.asc", "--threshold", "1"], ["verify", "key.asc", "--threshold", "256"],
        ["refresh", "key.asc", "--threshold", "2", "--shares", "2", "--out", "o", "--old-threshold=-1"],
        ["split", "key.asc"], ["combine", "--out", "x"], ["verify"], ["frobnicate"],
        ["split", "-", "--threshold", "2", "--shares", "2", "--out", "o", "--passphrase-fd", "0"],
    ])
    func p12_p13_p103_badUsageExitsWithTwoAndOneLine(arguments: [String]) throws {
        let outcome = try tool.run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(outcome.output.isEmpty)
        #expect(!tool.exists("o"))
    }

    /// -dash would be -d, -a, -s and -h.
    @Test func p103_aFileNameThatLooksLikeOptionsIsNoQuestionForHelp() throws {
        try tool.write("-dash", secret)
        let split = ["--threshold", "2", "--shares", "2", "--out", "o"]
        let outcome = try tool.run(["split", "-dash"] + split)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(outcome.errors.contains("./-dash"))
        #expect(!tool.exists("o"))
        #expect(try tool.run(["split", "-h"]).status == 0)
        #expect(try tool.run(["split"] + split + ["--", "-dash"]).status == 0)
    }

    /// The tool's next file would get its number.
    @Test func p103_aDescriptorThatIsNotOpenIsNamed() throws {
        let outcome = try shell(
            #"exec "$0" split key.asc --threshold 2 --shares 2 --out o --passphrase-fd 3 3<&-"#)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("--passphrase-fd 3: this file descriptor is not open"))
        #expect(!tool.exists("o"))
        let directory = try shell(
            #"exec "$0" split key.asc --threshold 2 --shares 2 --out o --passphrase-fd 3 3<."#)
        #expect(directory.lastError.contains("cannot read --passphrase-fd 3: Is a directory"))
    }

    @Test func aThresholdForNativeSharesIsRefusedRatherThanIgnored() throws {
        try split()
        for arguments in [["combine", "out", "--out", "x"], ["verify", "out"]] {
            let outcome = try tool.run(arguments + ["--threshold", "2"])
            #expect(outcome.status == 2)
            #expect(outcome.lastError.contains("tell their threshold"))
        }
    }

    @Test func p14_anEmptySecretIsRefused() throws {
        try tool.write("key.asc", Data())
        for format in ["native", "gfshare"] {
            let outcome = try split(["--format", format])
            #expect(outcome.status == 1)
            #expect(outcome.lastError.contains("the secret is empty"))
            #expect(!tool.exists("out"))
        }
    }

    @Test func helpExitsWithZero() throws {
        let outcome = try tool.run(["--help"])
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("combine"))
    }
}
