import Foundation
import PDTestSupport
import Testing

/// pd-admin with a pseudo-terminal for its controlling terminal.
@Suite("pd-admin on a terminal")
struct AdminTerminalTests {
    private let tool: SharesToolRunner

    init() throws { tool = try SharesToolRunner() }

    /// What a password of the server is asked for with.
    private func start() throws -> TerminalSession {
        let programs = SharesToolRunner.executable.deletingLastPathComponent()
        let made = try tool.run(
            ["setup", "--yes", "--state", "server"], program: programs.appending(path: "pd-server").path)
        try #require(made.status == 0, "\(made.errors)")
        return try TerminalSession(
            [programs.appending(path: "pd-admin").path, "passwords", "set", "fred", "--state", "server"],
            in: tool.directory)
    }

    @Test(
        "p102 a signal ends the question for a password, and the echo comes back",
        arguments: [("\u{03}", SIGINT), ("\u{1c}", SIGQUIT), ("", SIGTERM), ("", SIGHUP)])
    func p102_adminSignal(_ how: (key: String, signal: Int32)) throws {
        let session = try start()
        try session.read(until: "New password for fred: ")
        try session.waitForEcho(false)
        if how.key.isEmpty {
            session.program.signal(how.signal)
        } else {
            try session.type("half a" + how.key)
        }
        #expect(try session.status() == 128 + how.signal)
        #expect(session.echoes)
        #expect(try !tool.text("server/server.yml").contains("fred"))
    }

    @Test("after a stop the question for a password comes again, and can be answered")
    func adminStop() throws {
        let session = try start()
        try session.read(until: "New password for fred: ")
        try session.waitForEcho(false)
        session.program.signal(SIGTSTP)
        try session.read(until: "New password for fred: ")
        try session.waitForEcho(false)
        try session.type("open sesame\n")
        try session.read(until: "again: ")
        try session.waitForEcho(false)
        try session.type("open sesame\n")
        #expect(try session.status() == 0)
        #expect(session.echoes)
        #expect(try tool.text("server/server.yml").contains("fred"))
    }
}
