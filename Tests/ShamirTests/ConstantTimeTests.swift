import Foundation
import PDSecrets
import Testing

@Suite("Constant time")
struct ConstantTimeTests {
    /// They take a minute each, and the second one wants a quiet machine, so they run on request.
    private static let isWanted =
        ProcessInfo.processInfo.environment["PENGUINDOME_SLOW_TESTS"] != nil
        && FileManager.default.isExecutableFile(atPath: "/usr/bin/valgrind")

    private func run(_ script: String) throws -> Int32 {
        let process = Process()
        process.executableURL =
            URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../ConstantTime/\(script)").standardizedFileURL
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test(.enabled(if: isWanted))
    func p22_p23_valgrindSeesNoBranchOrAddressThatDependsOnASecretAndSeesATableLookUp() throws {
        #expect(try run("run.sh") == 0)
    }

    @Test(.enabled(if: isWanted))
    func p22_p23_noTimeTellsSecretsApartAndThatOfATableLookUpDoes() throws {
        #expect(try run("timing.sh") == 0)
    }
}
