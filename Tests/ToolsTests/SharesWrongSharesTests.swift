import Foundation
import Testing

@testable import pd_shares

@Suite("pd-shares and wrong shares")
struct SharesWrongSharesTests {
    private let tool: SharesToolRunner
    private let secret = Data((0..<600).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) })

    init() throws {
        tool = try SharesToolRunner()
        try tool.write("key.asc", secret)
    }

    private func split(_ threshold: Int, of shares: Int, format: String = "gfshare", out: String = "out")
        throws
    {
        let outcome = try tool.run([
            "split", "key.asc", "--threshold", "\(threshold)", "--shares", "\(shares)", "--out", out,
            "--format",
            format,
        ])
        #expect(outcome.status == 0)
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
}
