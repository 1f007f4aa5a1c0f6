import Foundation
import PDFiles
import Testing

@testable import PDClient

/// The real program where what it stands on is missing.
@Suite("The agent's program")
struct AgentProgramTests {
    private static func run(_ script: String) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script.replacingOccurrences(of: "AGENT", with: PluginTests.agent)]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = [output, errors].map {
            String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        return (process.terminationStatus, text[0], text[1])
    }

    @Test(
        "p202_says so where /proc is not mounted, instead of taking no arguments for a wish for help",
        .enabled(if: geteuid() == 0))
    func noProc() throws {
        let found = try Self.run(
            "exec unshare --mount --propagation private sh -c 'umount -l /proc && exec AGENT status'")
        #expect(found.status == 1 && found.output.isEmpty)
        #expect(found.errors == "pd-agent: /proc is not mounted: mount it, and try again\n")
    }

    @Test("p202_raises its limit of open files, or says that it is too low")
    func fewFiles() throws {
        // A soft limit it may raise; a hard one only with CAP_SYS_RESOURCE, which root may lack.
        #expect(try Self.run("ulimit -S -n 5; exec AGENT --version").status == 0)
        let hard = try Self.run("ulimit -n 5; exec AGENT --version")
        #expect(
            hard.status == 0 && hard.errors.isEmpty
                || hard.status == 1 && hard.errors.contains("files may be open at a time"), "\(hard)")
    }
}
