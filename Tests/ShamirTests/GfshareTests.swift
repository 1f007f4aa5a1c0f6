import Foundation
import Testing

@testable import PDShamir

@Suite("libgfshare's format")
struct GfshareTests {
    /// A recorded split.
    struct Recorded: Decodable, CustomTestStringConvertible {
        let name: String
        let threshold: Int
        let secret_b64: Data
        let shares: [String: Data]

        var testDescription: String { name }

        func list() throws -> [(UInt8, [UInt8])] {
            try shares.sorted { $0.key < $1.key }.map { (try #require(UInt8($0.key)), Array($0.value)) }
        }
    }

    private static let vectors = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../vectors/v1/gfshare").standardizedFileURL

    private static func recorded() throws -> [Recorded] {
        let decoder = JSONDecoder()
        let small = try decoder.decode(
            [Recorded].self, from: Data(contentsOf: vectors.appending(path: "shares.json")))
        let key = try decoder.decode(
            Recorded.self, from: Data(contentsOf: vectors.appending(path: "private_key.json")))
        return small + [key]
    }

    @Test(arguments: try recorded())
    func p21_recordedSharesOfTheOriginalRestoreTheirSecrets(recorded: Recorded) throws {
        let shares = try recorded.list()
        let secret = Array(recorded.secret_b64)
        for start in shares.indices {
            let choice = (0..<recorded.threshold).map { shares[(start + $0) % shares.count] }
            #expect(try Shamir.secret(from: choice) == secret)
        }
        #expect(try Shamir.secret(from: shares) == secret)
        if recorded.threshold > 2, secret.count > 1 {
            #expect(try Shamir.secret(from: Array(shares[..<2])) != secret)
        }
    }

    @Test(arguments: [
        "key.256", "key.300", "key.1000", "key.00a", "key.-01", "key.000", "key.1", "key.01", "key", "",
        "001", "key.٠٠١",
        "key.001 ", "key.+01", "key001",
    ])
    func p02_namesThatAreNoShareNumbersAreRefused(name: String) {
        #expect(GfshareName.number(in: name) == nil)
    }

    @Test func p02_everyNumberHasANameThatReadsBack() {
        for number in UInt8(1)...255 {
            #expect(
                GfshareName.number(in: GfshareName.name(stem: "private_key.asc", number: number)) == number)
        }
        #expect(GfshareName.name(stem: "s", number: 7) == "s.007")
    }

    // MARK: - Against the tools themselves

    private static let toolsAreInstalled = FileManager.default.isExecutableFile(atPath: "/usr/bin/gfsplit")

    private func inTemporaryDirectory(_ body: (URL) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "shamir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: directory) } }
        try body(directory)
    }

    private func run(_ tool: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/\(tool)")
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    /// A split that both programs are asked for.
    struct Exchange: CustomTestStringConvertible {
        let threshold: Int
        let shares: Int
        let bytes: Int

        var testDescription: String { "\(threshold) of \(shares), \(bytes) bytes" }
    }

    /// 64 MB take a minute without optimisation, so they are done on request.
    private static let exchanges: [Exchange] = {
        let counts = [(2, 2), (3, 5), (5, 9), (2, 255), (5, 5)]
        let small = counts.flatMap { threshold, shares in
            [1, 4095, 4096, 4097, 5000].map { Exchange(threshold: threshold, shares: shares, bytes: $0) }
        }
        let isSlowWanted = ProcessInfo.processInfo.environment["PENGUINDOME_SLOW_TESTS"] != nil
        return small + (isSlowWanted ? [Exchange(threshold: 3, shares: 5, bytes: 64_000_000)] : [])
    }()

    @Test(.enabled(if: toolsAreInstalled), arguments: exchanges)
    func p20_gfcombineRestoresWhatWeSplit(exchange: Exchange) throws {
        try inTemporaryDirectory { directory in
            let generator = CountingRandomness(seed: UInt64(exchange.bytes))
            let secret = (0..<exchange.bytes).map { _ in generator.nextByte() }
            let shares = try Shamir.shares(
                of: secret, threshold: exchange.threshold, shares: exchange.shares, randomness: generator)
            var names: [String] = []
            for (index, share) in shares.enumerated().suffix(exchange.threshold) {
                let file = directory.appending(
                    path: GfshareName.name(stem: "secret", number: UInt8(index + 1)))
                try Data(share).write(to: file)
                names.append(file.path)
            }
            let restored = directory.appending(path: "restored")
            try run("gfcombine", ["-o", restored.path] + names)
            #expect(try Data(contentsOf: restored) == Data(secret))
        }
    }

    @Test(.enabled(if: toolsAreInstalled), arguments: exchanges)
    func p20_weRestoreWhatGfsplitSplit(exchange: Exchange) throws {
        try inTemporaryDirectory { directory in
            let generator = CountingRandomness(seed: UInt64(exchange.bytes))
            let secret = (0..<exchange.bytes).map { _ in generator.nextByte() }
            let file = directory.appending(path: "secret")
            try Data(secret).write(to: file)
            try run(
                "gfsplit",
                [
                    "-n", "\(exchange.threshold)", "-m", "\(exchange.shares)", file.path,
                    directory.path + "/share",
                ])
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
                .filter { GfshareName.number(in: $0) != nil }.sorted()
            #expect(names.count == exchange.shares)
            let shares = try names.prefix(exchange.threshold).map { name in
                (
                    try #require(GfshareName.number(in: name)),
                    Array(try Data(contentsOf: directory.appending(path: name)))
                )
            }
            #expect(try Shamir.secret(from: shares) == secret)
        }
    }
}
