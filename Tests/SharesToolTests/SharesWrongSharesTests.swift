import Foundation
import PDTestSupport
import Testing

@testable import PDShamir
@testable import PDShareFiles

@Suite("pd-shares and wrong shares")
struct SharesWrongSharesTests {
    private let tool: SharesToolRunner
    private let secret = Data((0..<600).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) })

    init() throws {
        tool = try SharesToolRunner()
        try tool.write("key.asc", secret)
    }

    private func split(
        _ threshold: Int, of shares: Int, format: String = "gfshare", out: String = "out", more: [String] = []
    ) throws {
        let outcome = try tool.run(
            [
                "split", "key.asc", "--threshold", "\(threshold)", "--shares", "\(shares)", "--out", out,
                "--format", format,
            ] + more)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    /// What reads the shares of libgfshare's format in `out`.
    private func commands(_ threshold: Int) -> [[String]] {
        [
            ["verify", "out", "--threshold", "\(threshold)"],
            ["combine", "out", "--threshold", "\(threshold)", "--out", "x"],
            ["combine", "out", "--threshold", "\(threshold)", "--out", "-"],
            [
                "refresh", "out", "--old-threshold", "\(threshold)", "--threshold", "2", "--shares", "2",
                "--out",
                "new",
            ],
        ]
    }

    private func spoil(_ number: Int) throws {
        let name = "out/key.asc.00\(number)"
        try tool.write(name, Data(try tool.read(name).map { $0 &+ 101 }))
    }

    // MARK: - libgfshare's format

    /// In these the secret of the first shares and that of all are the same in spite of the error.
    @Test(arguments: [(3, 5, 1), (3, 7, 1), (3, 7, 2), (3, 7, 3), (4, 6, 3), (5, 7, 1), (5, 9, 1), (3, 5, 5)])
    func p06_aShareOfLibgfshareThatIsWrongThroughoutIsNamed(_ numbers: (Int, Int, Int)) throws {
        let (threshold, count, wrong) = numbers
        try split(threshold, of: count)
        #expect(try tool.run(commands(threshold)[0]).status == 0)
        try spoil(wrong)
        for command in commands(threshold) {
            let outcome = try tool.run(command)
            #expect(outcome.status == 1)
            #expect(outcome.output.isEmpty)
            #expect(
                outcome.lastError.contains("out/key.asc.00\(wrong) does not fit the other shares"),
                "\(command): \(outcome.errors)")
            #expect(!tool.exists("x") && !tool.exists("new"))
        }
        try FileManager.default.removeItem(at: tool.path("out/key.asc.00\(wrong)"))
        #expect(try tool.run(commands(threshold)[1]).status == 0)
        #expect(try tool.read("x") == secret)
    }

    @Test func p06_whereNoSingleShareOfLibgfshareExplainsItNoneIsBlamed() throws {
        try split(3, of: 5)
        try FileManager.default.removeItem(at: tool.path("out/key.asc.003"))
        try spoil(2)
        for command in commands(3) {
            let outcome = try tool.run(command)
            #expect(outcome.status == 1)
            #expect(outcome.lastError.contains("with one more share it can be named"), "\(outcome.errors)")
        }
        try split(3, of: 7, out: "more")
        try FileManager.default.removeItem(at: tool.path("out"))
        try FileManager.default.moveItem(at: tool.path("more"), to: tool.path("out"))
        try spoil(1)
        try spoil(6)
        for command in commands(3) {
            let outcome = try tool.run(command)
            #expect(outcome.status == 1)
            #expect(outcome.lastError.contains("more than one is wrong"), "\(outcome.errors)")
        }
        #expect(!tool.exists("x") && !tool.exists("new"))
    }

    @Test(arguments: [100_000, 299_999])
    func p06_aWrongByteAnywhereInALongShareIsNoticed(place: Int) throws {
        try tool.write("key.asc", Data(count: 300_000))
        try split(3, of: 5)
        var share = try tool.read("out/key.asc.001")
        share[place] ^= 1
        try tool.write("out/key.asc.001", share)
        let outcome = try tool.run(commands(3)[0])
        #expect(outcome.status == 1)
        #expect(outcome.lastError.contains("out/key.asc.001 does not fit"))
    }

    // MARK: - Native shares under names of libgfshare's

    /// The native shares of a split of two, the whole secret in them, with text changed, named like shares of
    /// libgfshare.
    private func renamed(_ change: (String) throws -> Data) throws -> [String] {
        try split(2, of: 2, format: "native", out: "native", more: ["--whole"])
        return try (1...2).map { number in
            let name = "s.00\(number)"
            try tool.write(name, try change(tool.text("native/key.asc.\(number)-of-2.share.txt")))
            return name
        }
    }

    @Test func p31_nativeSharesAreReadWhateverTheirNames() throws {
        let changes: [(String) -> String] = [
            { $0 },
            { $0.replacingOccurrences(of: "BEGIN PENGUINDOME SHARE", with: "begin penguindome share") },
            { String(repeating: "\n", count: 6000) + $0 },
            { "\u{feff}" + $0.replacingOccurrences(of: "\n", with: "\r\n") },
        ]
        for (index, change) in changes.enumerated() {
            if index > 0 { try FileManager.default.removeItem(at: tool.path("native")) }
            let names = try renamed { Data(change($0).utf8) }
            let outcome = try tool.run(["combine"] + names + ["--out", "x\(index)"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try tool.read("x\(index)") == secret)
        }
    }

    @Test func p31_damagedNativeSharesAreNeverTakenForLibgfsharesWhateverTheirNames() throws {
        // What changes no meaning is undone.
        let harmless: [(String) throws -> Data] = [
            { Data($0.replacingOccurrences(of: "PENGUINDOME", with: "PENGUINDOM").utf8) },
            { Data($0.split(separator: "\n").map { "> " + $0 + "\n" }.joined().utf8) },
            { Data($0.split(separator: "\n").dropFirst().joined(separator: "\n").utf8) },
            { Data($0.lowercased().utf8) },
            { try #require($0.data(using: .utf16)) },
            { try #require($0.data(using: .utf16BigEndian)) },
            { try #require("für Jürgen\n\($0)".data(using: .isoLatin1)) },
        ]
        for change in harmless {
            let names = try renamed(change)
            let combined = try tool.run(["combine", "--out", "x"] + names)
            #expect(combined.status == 0, "\(combined.errors)")
            #expect(try tool.read("x") == secret)
            let verified = try tool.run(["verify", "--threshold", "2"] + names)
            #expect(verified.status == 2)
            #expect(verified.lastError.contains("these ones tell their threshold"), "\(verified.errors)")
            for name in ["native", "x"] { try FileManager.default.removeItem(at: tool.path(name)) }
        }
        // What cannot be undone is said, for each share.
        let harmful: [(change: (String) -> String, says: String)] = [
            ({ String($0.prefix(34)) }, "not a share"),
            ({ $0.split(separator: "\n").dropLast(3).joined(separator: "\n") }, "\"Check:\" is missing"),
            ({ $0.replacingOccurrences(of: "\n3: ", with: "\n3: XYZ") }, "\"3:\""),
        ]
        for (change, says) in harmful {
            let names = try renamed { Data(change($0).utf8) }
            for command in [["combine", "--out", "x"] + names, ["verify"] + names] {
                let outcome = try tool.run(command)
                #expect(outcome.status == 1, "\(outcome.errors)")
                for name in names {
                    let own = outcome.errors.split(separator: "\n").filter { $0.contains("\(name)") }
                    #expect(own.contains { $0.contains(says) }, "\(outcome.errors)")
                }
                #expect(!tool.exists("x"))
            }
            let outcome = try tool.run(["verify", "--threshold", "2"] + names)
            #expect(outcome.status == 1 || outcome.status == 2, "\(outcome.errors)")
            try FileManager.default.removeItem(at: tool.path("native"))
        }
    }

    @Test func p31_sharesOfTwoFormatsAreRefusedWithOneLine() throws {
        // The second share is whole but for letter case, the first one is not.
        let names = try renamed {
            Data($0.lowercased().replacingOccurrences(of: "\n2: ", with: "\n2: xyz").utf8)
        }
        try split(2, of: 3)
        let native = "native/key.asc.1-of-2.share.txt"
        try tool.write("lower.001", Data(try tool.text(native).lowercased().utf8))
        for file in [native, "lower.001", names[0]] {
            for files in [[file, "out/key.asc.002"], ["out/key.asc.001", "out/key.asc.003", file]] {
                let outcome = try tool.run(["combine"] + files + ["--out", "x"])
                #expect(outcome.status == 1)
                #expect(outcome.lastError.contains("shares of two formats"), "\(outcome.errors)")
                #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
            }
        }
        #expect(!tool.exists("x"))
    }

    // MARK: - Native shares

    @Test func p29_p32_aHolderWhoRaisesTheThresholdIsNamedAndBlocksNobody() throws {
        try split(3, of: 5, format: "native")
        let name = "out/key.asc.5-of-5.share.txt"
        let share = try tool.read(name).withUnsafeBytes { try Share(parsing: $0) }
        let set = try ShareSet(
            identifier: share.set.identifier, label: share.set.label, created: share.set.created,
            threshold: 255,
            shares: 255, content: share.set.content)
        let forged = try Share(set: set, number: 5, holder: nil, body: share.body)
        try tool.write(name, Data(forged.encoded().withUnsafeBytes(Array.init)))
        for command in [
            ["verify", "out"], ["combine", "out", "--out", "x"], ["refresh", "out", "--out", "new"],
        ] {
            let outcome = try tool.run(command)
            #expect(outcome.status == 1)
            #expect(
                outcome.lastError.contains("\(name) contradicts the other 4 shares, which restore a secret"),
                "\(outcome.errors)")
            #expect(!tool.exists("x") && !tool.exists("new"))
        }
        try FileManager.default.removeItem(at: tool.path(name))
        #expect(try tool.run(["combine", "out", "--out", "x"]).status == 0)
        #expect(try tool.read("x") == secret)
    }

    // MARK: - Memory

    @Test func sharesAreMadeAndCombinedWhereAddressesAreLimited() throws {
        let limited = ["/bin/sh", "-c", "ulimit -v 400000; exec \"$@\"", "sh"]
        let made = ["split", "key.asc", "--threshold", "2", "--shares", "2", "--out", "out"]
        #expect(try tool.run(made, prefix: limited).status == 0)
        #expect(try tool.run(["combine", "out", "--out", "x"], prefix: limited).status == 0)
        #expect(try tool.read("x") == secret)
    }

    /// Root may read the memory of a process that does not let others do so.
    @Test(.enabled(if: geteuid() == 0, "needs root"))
    func p34_sharesOfLibgfshareThatWereLookedAtAreNowhereInMemory() throws {
        try tool.write("key.asc", Data((0..<32).map { _ in UInt8.random(in: 0...255) }))
        try split(2, of: 3)
        let arguments = ["out/key.asc.001", "out/key.asc.002", "-", "--threshold", "2", "--out", "x"]
        let running = try tool.start(["combine"] + arguments)
        // Until it reads what comes from the pipe, for which it has a descriptor of its own: read(N, …).
        let system = "/proc/\(running.process.processIdentifier)"
        let pipe = try FileManager.default.destinationOfSymbolicLink(atPath: "\(system)/fd/0")
        func readsThePipe() throws -> Bool {
            let call = try String(contentsOfFile: "\(system)/syscall", encoding: .utf8).split(separator: " ")
            guard call.count > 1, ["0", "63"].contains(call[0]),
                let descriptor = Int(call[1].dropFirst(2), radix: 16)
            else { return false }
            return (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(system)/fd/\(descriptor)"))
                == pipe
        }
        let deadline = ContinuousClock.now + .seconds(30)
        while try !readsThePipe(), ContinuousClock.now < deadline { usleep(10_000) }
        try #require(try readsThePipe())
        let memory = try Self.writableMemory(system)
        #expect(memory.range(of: Data("out/key.asc.001".utf8)) != nil, "the search finds what is there")
        for number in 1...2 {
            let share = try tool.read("out/key.asc.00\(number)")
            for start in stride(from: 0, to: 32, by: 8) {
                #expect(memory.range(of: share[start..<(start + 8)]) == nil, "share \(number), byte \(start)")
            }
        }
        // Nothing comes: no share.
        try running.input.close()
        let outcome = try running.finish()
        #expect(outcome.status == 1)
        #expect(outcome.lastError.contains("not a share"), "\(outcome.errors)")
        #expect(!tool.exists("x"))
    }

    private static func writableMemory(_ system: String) throws -> Data {
        let file = try FileHandle(forReadingFrom: URL(filePath: "\(system)/mem"))
        var memory = Data()
        for line in try String(contentsOfFile: "\(system)/maps", encoding: .utf8).split(separator: "\n") {
            let fields = line.split(separator: " ")
            let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            // What was never touched reads as zeros: large reservations hold little.
            guard fields[1].hasPrefix("rw"), ends[1] - ends[0] < 1 << 28 else { continue }
            try file.seek(toOffset: ends[0])
            memory += try file.read(upToCount: Int(ends[1] - ends[0])) ?? Data()
        }
        return memory
    }
}
