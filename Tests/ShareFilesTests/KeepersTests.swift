import Foundation
import PDSecrets
import Testing

@testable import PDShamir
@testable import PDShareFiles

/// What keepers meet, with the built program.
@Suite("pd-shares for keepers")
final class KeepersTests {
    private let folder: URL
    private static let tool = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "pd-shares")
    private static let scripts = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "Scripts")
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardizedFileURL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "keepers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    }

    deinit {
        // A directory that is left behind in the temporary directory harms nobody.
        try? FileManager.default.removeItem(at: folder)
    }

    private struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    private func run(_ program: String, _ arguments: [String], input: String = "") throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: program.contains("/") ? program : "/usr/bin/\(program)")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let files = ["in", "out", "err"].map { folder.appending(path: ".\($0)-\(UUID().uuidString)") }
        try Data(input.utf8).write(to: files[0])
        for file in files[1...] { try Data().write(to: file) }
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        process.waitUntilExit()
        defer { for file in files { try? FileManager.default.removeItem(at: file) } }
        func text(_ file: URL) throws -> String {
            String(decoding: try Data(contentsOf: file), as: UTF8.self)
        }
        return Outcome(
            status: process.terminationStatus, output: try text(files[1]), errors: try text(files[2]))
    }

    @discardableResult
    private func shares(_ arguments: String..., input: String = "") throws -> Outcome {
        try run(Self.tool.path, arguments, input: input)
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
            Self.tool.path, ["split", "key", "--threshold", "3", "--shares", "5", "--out", out] + extra)
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
        #expect(outcome.output == "9\n")
    }

    @Test func threeKeepersWithEveryMistakeOnceEndWithTheSecret() throws {
        try Data((0..<500).map { UInt8(truncatingIfNeeded: $0) }).write(to: folder.appending(path: "key"))
        let made = try run(
            Self.tool.path,
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
            [Self.scripts.appending(path: "three_keepers.py").path, Self.tool.path, folder.path])
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
        try #require(
            FileManager.default.fileExists(atPath: "/usr/bin/zbarimg")
                && FileManager.default.fileExists(atPath: "/usr/bin/rsvg-convert"),
            "needs zbar-tools and librsvg2-bin: Scripts/install-packages.sh test")
        let drawn = try run("rsvg-convert", ["-d", "150", "-p", "150", "-o", "page.png", "pages/" + page])
        try #require(drawn.status == 0, "\(drawn.errors)")
        let combined = try shares("combine", "--qr", "page.png", share(2), share(3), "--out", "restored")
        #expect(combined.status == 0, "\(combined.errors)")
        try expectSecret("restored")
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
}
