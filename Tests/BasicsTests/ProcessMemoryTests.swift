import Foundation
import PDTestSupport
import Testing

@testable import PDBasics

@Suite struct ProcessMemoryTests {
    /// Set in the process that the test starts: what it does there cannot be undone.
    private static let isChild = ProcessInfo.processInfo.environment["PENGUINDOME_TEST_PROTECTED"] != nil

    @Test func `p34_ a protected process dumps no core and shows its memory to no neighbour`() async throws {
        guard !Self.isChild else {
            try ProcessMemory.protect()
            var limit = rlimit()
            #expect(getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0)
            #expect(limit.rlim_cur == 0 && limit.rlim_max == 0)
            let filter = try String(contentsOf: URL(filePath: "/proc/self/coredump_filter"), encoding: .utf8)
            #expect(filter == "00000000\n")
            // What cannot be dumped belongs to root, whoever runs it.
            var status = stat()
            #expect(stat("/proc/self/mem", &status) == 0)
            #expect(status.st_uid == 0)
            // A second time changes nothing.
            try ProcessMemory.protect()
            return
        }
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let arguments = ["--testing-library", "swift-testing", "--filter", "ProcessMemoryTests"]
        // As root everything belongs to root: as nobody it would not, if it could be dumped. Nobody cannot run anything
        // where /proc is hidden, nor what lies in root's home.
        let nobody = ["--reuid", "65534", "--clear-groups"]
        let isReadable = ["setpriv"] + nobody + ["test", "-r", "/proc/self/status", "-a", "-x", executable]
        let canDrop = try await Program.run("/usr/bin/env", isReadable).status == 0
        let drops = geteuid() == 0 && canDrop
        let result = try await Program.run(
            "/usr/bin/env",
            ["PENGUINDOME_TEST_PROTECTED=1"] + (drops ? ["setpriv"] + nobody : []) + [executable] + arguments)
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains("with 2 tests"), "\(result.output)")
    }

    @Test(.enabled(if: !isChild)) func `a refusal names what was refused and why`() {
        let refused = ProcessMemory.Refused(what: "turn core dumps off", code: EPERM)
        #expect(refused.description == "cannot turn core dumps off: Operation not permitted")
    }
}
