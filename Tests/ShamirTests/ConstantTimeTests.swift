import Foundation
import Testing

@Suite("Constant time")
struct ConstantTimeTests {
    /// Builds and runs programs under valgrind for half a minute, so it is done on request.
    private static let isWanted =
        ProcessInfo.processInfo.environment["PENGUINDOME_SLOW_TESTS"] != nil
        && FileManager.default.isExecutableFile(atPath: "/usr/bin/valgrind")

    @Test(.enabled(if: isWanted))
    func p22_p23_valgrindSeesNoBranchOrAddressThatDependsOnASecretAndSeesATableLookUp() throws {
        let process = Process()
        process.executableURL =
            URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../ConstantTime/run.sh").standardizedFileURL
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
