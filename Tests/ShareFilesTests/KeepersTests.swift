import Foundation
import PDSecrets
import PDTestSupport
import Testing

@testable import PDShamir
@testable import PDShareFiles

/// What keepers meet, with the built program.
@Suite("pd-shares for keepers")
struct KeepersTests {
    private let tool: SharesToolRunner
    private var folder: URL { tool.directory }
    private static let scripts = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "Scripts")
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardizedFileURL

    init() throws { tool = try SharesToolRunner() }

    private struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    private func run(_ program: String, _ arguments: [String], input: String = "") throws -> Outcome {
        let path = program.contains("/") ? program : "/usr/bin/\(program)"
        try #require(
            FileManager.default.isExecutableFile(atPath: path),
            "\(path) is missing: Scripts/install-packages.sh test")
        let outcome = try tool.run(arguments, program: path, input: Data(input.utf8))
        return Outcome(status: outcome.status, output: outcome.text, errors: outcome.errors)
    }

    @discardableResult
    private func shares(_ arguments: String..., input: String = "") throws -> Outcome {
        try run(SharesToolRunner.executable.path, arguments, input: input)
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: name))
    }

    /// Splits `key` into three of five shares below `out`.
    private func split(_ extra: String..., secret: Int = 32, out: String = "out") throws {
        let bytes = Data((0..<secret).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 5) })
        try bytes.write(to: folder.appending(path: "key"))
        let outcome = try run(
            SharesToolRunner.executable.path,
            ["split", "key", "--threshold", "3", "--shares", "5", "--out", out] + extra)
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    private func share(_ number: Int, in out: String = "out") -> String {
        "\(out)/key.\(number)-of-5.share.txt"
    }

    private func expectSecret(_ name: String) throws {
        #expect(
            try Data(contentsOf: folder.appending(path: name))
                == Data(contentsOf: folder.appending(path: "key")))
    }

    @Test func theRecoveryScriptReadsEveryVector() throws {
        let outcome = try run(
            "python3",
            [
                Self.scripts.appending(path: "recover_vectors.py").path,
                Self.root.appending(path: "Sources/ShareFiles/Resources/recover.py").path,
                Self.root.appending(path: "vectors/shamir").path,
            ])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output == "10\n")
    }

    @Test func threeKeepersWithEveryMistakeOnceEndWithTheSecret() throws {
        try Data((0..<500).map { UInt8(truncatingIfNeeded: $0) }).write(to: folder.appending(path: "key"))
        let made = try run(
            SharesToolRunner.executable.path,
            [
                "split", "key", "--threshold", "2", "--shares", "3", "--out", "out", "--label", "a",
                "--holder", "Ann", "--passphrase-fd", "0",
            ], input: "pass-1\npass-2\npass-3\n")
        try #require(made.status == 0, "\(made.errors)")
        for number in 1...3 {
            try write("a.\(number)-of-3.share.txt", text("out/key.\(number)-of-3.share.txt"))
        }
        try FileManager.default.moveItem(
            at: folder.appending(path: "out/key.sealed"), to: folder.appending(path: "away.sealed"))
        try write("other", "another secret")
        try shares("split", "other", "--threshold", "2", "--shares", "2", "--out", "second")
        try write("other.share.txt", text("second/other.1-of-2.share.txt"))
        let outcome = try run(
            "python3",
            [
                Self.scripts.appending(path: "three_keepers.py").path, SharesToolRunner.executable.path,
                folder.path,
            ])
        #expect(outcome.status == 0, "\(outcome.errors)\(outcome.output)")
    }

    @Test func aSecretOf129BytesIsSealedAndNoShareHasMoreThanTwentyLines() throws {
        try split(secret: 129)
        #expect(try text(share(1)).split(separator: "\n").count <= 20)
        #expect(FileManager.default.fileExists(atPath: folder.appending(path: "out/key.sealed").path))
        let outcome = try shares("combine", "out", "--out", "restored")
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("Proved: this is the secret \"key\""))
        try expectSecret("restored")
        try split("--whole", secret: 129, out: "whole")
        #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "whole/key.sealed").path))
    }

    @Test func whatIsSuperfluousBesideACompleteSetIsLeftOutWithALine() throws {
        try split(secret: 500)
        try split(secret: 500, out: "later")
        for name in ["usb1", "usb2"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: name), withIntermediateDirectories: false)
            try FileManager.default.copyItem(
                at: folder.appending(path: "out/key.sealed"), to: folder.appending(path: "\(name)/key.sealed")
            )
        }
        for (number, place) in [(1, "usb1/a"), (2, "usb1/b"), (3, "usb2/c"), (3, "usb2/copy")] {
            try write("\(place).share.txt", text(share(number)))
        }
        try write("usb1/readme.share.txt", "buy milk")
        let outcome = try shares("combine", "usb1", "usb2", share(4, in: "later"), "--out", "restored")
        #expect(outcome.status == 0, "\(outcome.errors)")
        for words in [
            "readme.share.txt: not a share", "is the same share as", "is of another set, \"key\" of",
        ] {
            #expect(outcome.errors.contains(words), "\(outcome.errors)")
        }
        try expectSecret("restored")
    }

    @Test func twoCompleteSetsAreNotChosenBetween() throws {
        try split()
        try split(out: "later")
        let outcome = try shares("combine", "out", "later", "--out", "restored")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("enough shares of 2 sets: \"key\" of 20"))
    }

    @Test func aDamagedShareBesideACompleteSetIsNamedAndNotNeeded() throws {
        try split()
        try write(
            share(4), text(share(4)).replacing("1: ", with: "1: ZZZZ").replacing("2: ", with: "2: QQQQ"))
        let outcome = try shares("combine", "out", "--out", "restored")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("the line that begins \"1:\" is mistyped"))
        #expect(outcome.errors.contains("the line that begins \"2:\" is mistyped"))
        #expect(try shares("verify", "out").status == 1)
    }

    @Test func aHeaderThatOnePaperLostIsTakenFromAnother() throws {
        try split()
        let torn = try text(share(2)).split(separator: "\n").filter {
            !$0.hasPrefix("Label") && !$0.hasPrefix("Created")
        }
        try write("torn.txt", torn.joined(separator: "\n"))
        let outcome = try shares("combine", share(1), "torn.txt", share(3), "--out", "restored")
        #expect(outcome.status == 0, "\(outcome.errors)")
        try expectSecret("restored")
    }

    @Test func aCorrectionIsOfferedAndTakenWithMend() throws {
        try split()
        let lines = try text(share(1)).split(separator: "\n").map(String.init)
        let changed = lines.map { line in
            line.hasPrefix("2: ")
                ? "2: " + (line.dropFirst(3).first == "7" ? "8" : "7") + line.dropFirst(4) : line
        }
        try write("typed.txt", changed.joined(separator: "\n"))
        let refused = try shares("combine", "typed.txt", share(2), share(3), "--out", "restored")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("exactly one correction fits: character 1 of group 1 is"))
        let mended = try shares("combine", "typed.txt", share(2), share(3), "--mend", "--out", "restored")
        #expect(mended.status == 0, "\(mended.errors)")
        try expectSecret("restored")
    }

    @Test func libgfsharesSharesNeedAThresholdAndAreNeverCalledProved() throws {
        try split("--format", "gfshare")
        let files = (1...5).map { "out/key.00\($0)" }
        #expect(try shares("combine", files[0], files[1], "--out", "x").status == 2)
        #expect(try shares("combine", files[0], files[1], "--unchecked", "--out", "x").status == 2)
        #expect(try shares("combine", files[0], files[1], "--unchecked", "--out", "x.unchecked").status == 5)
        #expect(
            try shares("combine", files[0], files[1], files[2], "--threshold", "3", "--out", "y").status == 5)
        try expectSecret("y")
        #expect(try shares("combine", "out", "--threshold", "3", "--out", "z").status == 0)
        try expectSecret("z")
    }

    @Test func aMissingFileIsAnErrorOfInputAndOutput() throws {
        #expect(try shares("combine", "nowhere.txt", "--out", "x").status == 3)
    }

    @Test func theDrillSaysWhatOneShareAndWhatEnoughSharesTell() throws {
        try split(secret: 500)
        let alone = try shares("drill", share(2), "--record", "record.txt")
        #expect(alone.status == 0, "\(alone.errors)")
        #expect(alone.output.contains("share 2 of 5: readable and whole"))
        #expect(alone.output.contains("that takes 3 holders"))
        #expect(try text("record.txt") == alone.output)
        let together = try shares("drill", share(1), share(2), share(3), "--json")
        #expect(together.status == 0, "\(together.errors)")
        #expect(together.output.contains("\"fit\": true, \"sealed_file\": null"))
        try write("bad.txt", text(share(2)).replacing("\n2: ", with: "\n2: ZZZZ"))
        #expect(try shares("drill", "bad.txt").status == 1)
    }

    @Test func aSheetHoldsTheShareAndItsCodeReadsBack() throws {
        try split("--holder", "Jürgen Groß & Söhne")
        let outcome = try shares("sheet", "out", "--out", "pages")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "pages").path)
        let page = try #require(names.first { $0.hasPrefix("share-1-of-5") && $0.hasSuffix(".svg") })
        let html = try text("pages/" + page.replacing(".svg", with: ".html"))
        #expect(html.contains(RecoveryScript.hash) && html.contains("Jürgen Groß &amp; Söhne"))
        #expect(!html.contains("http://") || html.components(separatedBy: "http").count == 2)
        let drawn = try run("rsvg-convert", ["-d", "150", "-p", "150", "-o", "page.png", "pages/" + page])
        try #require(drawn.status == 0, "\(drawn.errors)")
        let combined = try shares("combine", "--qr", "page.png", share(2), share(3), "--out", "restored")
        #expect(combined.status == 0, "\(combined.errors)")
        try expectSecret("restored")
    }

    /// The page of a holder, as a browser prints it to a picture.
    private func printed(_ page: String, height: Int = 1130, scale: Int = 3) throws -> String {
        let picture = page.replacing("/", with: "-") + ".png"
        let outcome = try run(
            "chromium",
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                "--user-data-dir=\(folder.path)/browser", "--window-size=800,\(height)",
                "--force-device-scale-factor=\(scale)", "--screenshot=\(folder.path)/\(picture)",
                "file://\(folder.path)/\(page)",
            ])
        try #require(tool.exists(picture), "\(outcome.errors)")
        return picture
    }

    /// What a browser prints, a camera's program reads: the code as it is, the text with mistakes, which are mended by
    /// what the tool offers.
    ///
    /// The shares are those of the vectors: which letters are misread depends on them.
    @Test func aPrintedSheetIsReadBackByItsCodeAndByItsText() throws {
        struct Vector: Decodable {
            let name: String
            let texts: [String]
            let secret_b64: Data?
        }
        let vectors = try JSONDecoder().decode(
            [Vector].self, from: Data(contentsOf: Self.root.appending(path: "vectors/shamir/vectors.json")))
        let vector = try #require(vectors.first { $0.name == "3-of-5, 32 bytes, holders" })
        try #require(vector.secret_b64).write(to: folder.appending(path: "key"))
        try FileManager.default.createDirectory(
            at: folder.appending(path: "out"), withIntermediateDirectories: false)
        for (index, text) in vector.texts.enumerated() { try write(share(index + 1), text) }
        try shares("sheet", "out", "--out", "pages")
        for number in [1, 3] {
            let page = try #require(
                tool.names("pages").first { $0.hasPrefix("share-\(number)-") && $0.hasSuffix(".html") })
            let picture = try printed("pages/\(page)")
            let code = try run("zbarimg", ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", picture])
            #expect(code.output == (try text(share(number))) + "\n")
            let photographed = try shares(
                "combine", "--qr", picture, share(4), share(5), "--out", "photographed-\(number)")
            #expect(photographed.status == 0, "\(photographed.errors)")
            try expectSecret("photographed-\(number)")

            let read = try run("tesseract", [picture, "read-\(number)", "--psm", "6"])
            try #require(read.status == 0, "\(read.errors)")
            let retyped = try shares(
                "combine", "--mend", "read-\(number).txt", share(4), share(5), "--out", "retyped-\(number)")
            let recognised = try text("read-\(number).txt")
            try #require(retyped.status == 0, "\(retyped.errors)\(recognised)")
            try expectSecret("retyped-\(number)")
        }
    }

    @Test(arguments: ["", ".", ":", ")"])
    func theNumbersBesideTheLinesOfASheetAreNoPartOfThem(mark: String) throws {
        try split("--holder", "Юрий Example")
        let lines = try text(share(1)).split(separator: "\n").enumerated().map {
            "\($0.offset + 1)\(mark) \($0.element)"
        }
        try write("read.txt", lines.joined(separator: "\n"))
        let outcome = try shares("combine", "read.txt", share(2), share(3), "--out", "restored")
        #expect(outcome.status == 0, "\(outcome.errors)")
        try expectSecret("restored")
    }

    @Test func whatWasTakenFromOtherLinesIsSaid() throws {
        try split()
        let own = try text(share(1))
        let other = try text(share(2)).split(separator: "\n").first { $0.hasPrefix("Share:") }
        let lines = own.split(separator: "\n").compactMap { line -> Substring? in
            line.hasPrefix("Label:") ? nil : line.hasPrefix("Share:") ? other : line
        }
        try write("typed.txt", lines.joined(separator: "\n").replacing("Share: 2", with: "Share: 3"))
        let outcome = try shares("combine", "typed.txt", share(2), share(3), "--out", "restored")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("typed.txt: corrected, line Label: taken from another share"))
        #expect(outcome.errors.contains("line Share: the number is 1: the other lines agree with no other"))
    }

    @Test func aCorrectionOfTheSetsCodeShowsWhatElseIsWrongAndNothingMore() throws {
        try split()
        let changed = try text(share(1)).split(separator: "\n").map { line -> String in
            guard line.hasPrefix("Set: ") else { return String(line) }
            return "Set: " + (line.dropFirst(5).first == "7" ? "8" : "7") + line.dropFirst(6)
        }
        try write("typed.txt", changed.joined(separator: "\n"))
        let alone = try shares("drill", "typed.txt")
        #expect(alone.status == 1)
        #expect(alone.errors.contains("the line that begins \"Set:\" is mistyped"))
        #expect(!alone.errors.contains("missing"), "\(alone.errors)")
        let mended = try shares("combine", "--mend", "typed.txt", share(2), share(3), "--out", "restored")
        #expect(mended.status == 0, "\(mended.errors)")
        #expect(mended.errors.contains("typed.txt: corrected, line Set: character 1 is"))
    }

    @Test func aPrintedSealedFileReadsBackFromItsCodesAndFromItsText() throws {
        try split(secret: 5115)
        let made = try shares("sheet", "out", "--sealed", "--out", "pages")
        #expect(made.output.contains("the sealed file, 2 pages: pages/sealed."), "\(made.errors)")
        let page = try #require(
            try tool.names("pages").first { $0.hasPrefix("sealed.") && $0.hasSuffix(".html") })
        let picture = try printed("pages/\(page)", height: 1700)
        let photographed = try shares(
            "combine", "--qr", picture, share(1), share(2), share(3), "--out", "photographed")
        #expect(photographed.status == 0, "\(photographed.errors)")
        try expectSecret("photographed")
        let file = "pages/" + page.replacing(".html", with: ".txt")
        let mailed = try shares("combine", file, share(1), share(2), share(3), "--out", "mailed")
        #expect(mailed.status == 0, "\(mailed.errors)")
        try expectSecret("mailed")
        // One part less, and one that was changed.
        var parts = try text(file).components(separatedBy: "-----BEGIN PENGUINDOME SEALED FILE-----")
        parts.remove(at: 3)
        parts[1] = parts[1].replacing("A", with: "B")
        try write("torn.txt", parts.joined(separator: "-----BEGIN PENGUINDOME SEALED FILE-----"))
        let torn = try shares("combine", "torn.txt", share(1), share(2), share(3), "--out", "torn")
        #expect(torn.status == 1)
        #expect(torn.errors.contains("torn.txt: 1 part of a printed sealed file cannot be read"))
        #expect(torn.errors.contains("of its 7 parts these are missing: 1, 3"), "\(torn.errors)")
        #expect(!tool.exists("torn"))
    }

    @Test func aSealedFileThatIsNotThereIsNotPrinted() throws {
        try split()
        let outcome = try shares("sheet", "out", "--sealed", "--out", "pages")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("--sealed: no sealed file was given"))
        #expect(!tool.exists("pages"))
    }

    @Test func whereNoProgramReadsPicturesItIsNamed() throws {
        try split()
        try write("photo.png", "no picture")
        let outcome = try tool.run(
            ["combine", "--qr", "photo.png", share(2), share(3), "--out", "x"],
            prefix: ["/usr/bin/env", "PATH=/nonexistent"])
        #expect(outcome.status == 3)
        #expect(
            outcome.lastError.contains(
                "zbarimg reads QR codes, and it is not installed: apt install zbar-tools"))
    }

    @Test func inspectReadsWhatIsPipedIn() throws {
        try split()
        let outcome = try shares("inspect", "-", input: try text(share(2)))
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("share: 2\n"))
    }

    @Test func aLockedShareWithoutItsLineAboutThatSaysSo() throws {
        try write("key", "a secret")
        let made = try shares(
            "split", "key", "--threshold", "2", "--shares", "5", "--out", "out", "--passphrase-fd", "0",
            input: String(repeating: "a long passphrase\n", count: 5))
        try #require(made.status == 0, "\(made.errors)")
        let lines = try text(share(1)).split(separator: "\n").filter { !$0.hasPrefix("Protection") }
        try write("typed.txt", lines.joined(separator: "\n"))
        let outcome = try shares("drill", "typed.txt")
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.contains("the line that begins \"Protection:\" is missing"), "\(outcome.errors)")
    }

    @Test(arguments: [
        (["splt"], "there is no command splt"), (["split", "-t", "2"], "options are written out"),
        (["verify", "x", "--nonsense"], "--nonsense"),
    ])
    func whatIsMistypedOnTheCommandLineIsNamed(_ usage: (arguments: [String], words: String)) throws {
        let outcome = try tool.run(usage.arguments)
        #expect(outcome.status == 2)
        #expect(outcome.lastError.contains(usage.words), "\(outcome.errors)")
    }

    @Test(arguments: [1, 100, 300, 700, 1200, 2000, 2331])
    func codesOfEverySizeReadBack(bytes: Int) throws {
        let text = String((0..<bytes).map { Character(Unicode.Scalar(UInt8(0x30 + $0 % 43))) })
        let code = try #require(QRCode(Array(text.utf8)))
        let scale = 4
        let side = (code.size + 8) * scale
        var picture = Data("P5 \(side) \(side) 255\n".utf8)
        for y in 0..<side {
            for x in 0..<side {
                let (mx, my) = (x / scale - 4, y / scale - 4)
                let dark = 0..<code.size ~= mx && 0..<code.size ~= my && code.isDark(mx, my)
                picture.append(dark ? 0 : 255)
            }
        }
        try picture.write(to: folder.appending(path: "code.pgm"))
        let read = try run("zbarimg", ["--quiet", "--raw", "code.pgm"])
        #expect(read.output == text + "\n")
        #expect(QRCode([UInt8](repeating: 0x41, count: 2332)) == nil)
    }

    @Test func theDrillTriesTheWholeSharesBesideADamagedOne() throws {
        try split()
        let torn = try text(share(1)).split(separator: "\n").filter { !$0.hasPrefix("2: ") }
        try write("torn.txt", torn.joined(separator: "\n"))
        let outcome = try shares("drill", "torn.txt", share(2), share(3), share(4))
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("torn.txt: DAMAGED"))
        #expect(outcome.output.contains("These shares fit together and restore the secret.\n"))
    }

    @Test func theDrillDoesNotCountASharesOfAnotherSetAsOneOfThisOne() throws {
        try split()
        try split(out: "other")
        let outcome = try shares("drill", share(1), share(2), share(3, in: "other"))
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("share 3 of 5: OF ANOTHER SET, \"key\" of "))
        #expect(outcome.output.contains("was not tried: that takes 3 holders"))
        let record = try shares("drill", share(1), share(2), share(3, in: "other"), "--json").output
        let object = try #require(JSONSerialization.jsonObject(with: Data(record.utf8)) as? [String: Any])
        let seen = try #require(object["seen"] as? [[String: Any]])
        #expect(seen.map { $0["set"] != nil } == [false, false, true])
        #expect(object["fit"] is NSNull)
    }

    @Test func aDrillOfSharesThatDoNotFitIsRecorded() throws {
        try split()
        let whole = try text(share(1))
        let set = try Data(whole.utf8).withUnsafeBytes { try Share(parsing: $0) }.set
        let cryptography = try CoreCryptography()
        let forged = try set.split(
            SecretBytes(count: 32), randomness: cryptography.randomness(), cryptography: cryptography)
        try write("forged.txt", forged[0].encoded().withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
        let outcome = try shares("drill", "forged.txt", share(2), share(3), "--record", "record")
        #expect(outcome.status == 1)
        #expect(try text("record").contains("These shares do NOT all fit together."))
        // With one more than needed it is known which.
        let named = try shares("drill", "forged.txt", share(2), share(3), share(4))
        #expect(named.status == 1)
        #expect(named.output.contains("share 1 of 5: readable and whole, but does NOT fit the others"))
        let record = try shares("drill", "forged.txt", share(2), share(3), share(4), "--json")
        #expect(record.output.contains("\"passphrase\": false, \"fits\": false}, {\"share\": 2,"))
    }

    @Test func inspectShowsSeveralSharesAsAnArray() throws {
        try split()
        let several = try shares("inspect", "out", "--json")
        let array = try JSONSerialization.jsonObject(with: Data(several.output.utf8)) as? [[String: Any]]
        #expect(array?.map { $0["share"] as? Int } == [1, 2, 3, 4, 5])
        #expect(array?.first?["file"] as? String == share(1))
        let one = try shares("inspect", share(2), "--json")
        let object = try JSONSerialization.jsonObject(with: Data(one.output.utf8)) as? [String: Any]
        #expect(object?["share"] as? Int == 2)
    }

    @Test func aFileOfADirectoryThatCannotBeReadIsLeftOutAndVerifyNamesIt() throws {
        try split()
        try FileManager.default.createSymbolicLink(
            atPath: folder.appending(path: "out/lost.share.txt").path, withDestinationPath: "nowhere")
        let combined = try shares("combine", "out", "--out", "restored")
        #expect(combined.status == 0, "\(combined.errors)")
        #expect(
            combined.errors.contains("cannot open out/lost.share.txt: No such file or directory: left out"))
        try expectSecret("restored")
        let verified = try shares("verify", "out")
        #expect(verified.status == 1)
        #expect(verified.errors.contains("but out/lost.share.txt cannot be read whole"))
        for number in 1...5 { try FileManager.default.removeItem(at: folder.appending(path: share(number))) }
        #expect(try shares("combine", "out", "--out", "x").status == 3)
    }

    @Test func aLineThatAllPapersHaveIsAskedOfAnotherOne() throws {
        try split()
        for (key, isCommon) in [("Label", true), ("2", false)] {
            let rest = try text(share(1)).split(separator: "\n").filter { !$0.hasPrefix("\(key): ") }
            try write("torn.txt", rest.joined(separator: "\n"))
            let outcome = try shares("inspect", "torn.txt")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("\"\(key):\" is missing"))
            #expect(outcome.errors.contains("give another share too") == isCommon)
        }
    }

    @Test func whatExistsAlreadyIsAnErrorOfInputAndOutput() throws {
        try split()
        #expect(try shares("combine", "out", "--out", "key").status == 3)
        #expect(try shares("drill", "out", "--record", "key").status == 3)
        #expect(try shares("sheet", "out", "--out", "pages").status == 0)
        #expect(try shares("sheet", "out", "--out", "pages").status == 3)
    }

    @Test func aPictureThatCannotBeReadGivesOneLineOfOurOwn() throws {
        try write("page.\u{1b}[31mBIN", "no picture")
        let outcome = try shares("combine", "--qr", "page.\u{1b}[31mBIN", "--out", "x")
        #expect(outcome.status == 1)
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(!outcome.errors.contains("\u{1b}"))
    }

    @Test func theRecoveryScriptReadsAPrintedSealedFile() throws {
        try split(secret: 2000)
        #expect(try shares("sheet", "out", "--sealed", "--out", "pages").status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "pages").path)
        let printed =
            "pages/" + (try #require(names.first { $0.hasPrefix("sealed.") && $0.hasSuffix(".txt") }))
        let outcome = try tool.run(
            ["pages/recover.py", share(1), share(2), printed, share(3)], program: "/usr/bin/python3",
            input: Data())
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try outcome.output == Data(contentsOf: folder.appending(path: "key")))
    }
}
