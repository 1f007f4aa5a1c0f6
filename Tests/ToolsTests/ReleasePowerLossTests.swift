import Foundation
import PDTestSupport
import Testing

@Suite("A machine that stops in the middle of an update", .timeLimit(.minutes(10)))
struct ReleasePowerLossTests {
    /// The calls that change what is on disk; a process that dies between two others leaves the same.
    private static let calls = [
        "openat", "write", "pwrite64", "fsync", "fchmod", "fchmodat", "mkdir", "mkdirat", "rename",
        "renameat",
        "renameat2", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir", "ftruncate",
    ]

    private static let canTrace: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/strace")
        process.arguments = ["-o", "/dev/null", "/bin/true"]
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test(
        "p77_killed before any call of an update, it has the old release or the new one, whole, and the next update ends it",
        .enabled(if: canTrace, "needs strace, and the right to trace"))
    func killed() throws {
        let builder = try ReleaseRunner()
        try builder.release("keygen", "--out", "K")
        for (number, text) in [(1, "old\n"), (2, "new\n")] {
            try builder.write("tree/README", text)
            try builder.write("tree/a/b/c", text, mode: 0o755)
            try builder.makeRelease(number, key: "K/key.asc")
        }
        try builder.joinAgent(trusting: "K/key.pub.asc")
        #expect(try builder.agent("update", "--from", "1.tar").status == 42)
        try builder.tools.makeFolder("trace")

        // Once without an end, to know how many calls there are of each kind.
        try builder.copy("agent", "work")
        let whole = try builder.traced(["-c", "-o", "trace/counts"])
        #expect(whole.status == 42, "\(whole.errors)")
        #expect(try builder.tools.text("work/releases/current/README") == "new\n")

        var ends = (old: 0, new: 0)
        for line in try builder.tools.text("trace/counts").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let name = fields.last.map(String.init), Self.calls.contains(name),
                fields.count > 4, let count = Int(fields[3])
            else { continue }
            // Opening is mostly reading of libraries and keys: every fifth is enough there.
            for call in stride(from: 1, through: count, by: name == "openat" ? 5 : 1) {
                try builder.copy("agent", "work")
                let killed = try builder.traced([
                    "-o", "/dev/null", "-e", "inject=\(name):signal=SIGKILL:when=\(call)",
                ])
                // strace counts the calls of each thread: no thread had so many.
                guard killed.status != 42 else { break }
                let text = try builder.tools.text("work/releases/current/README")
                #expect(try builder.tools.text("work/releases/current/a/b/c") == text, "\(name) \(call)")
                #expect(
                    try builder.agent("verify", state: "work").status == 0,
                    "\(name) \(call) left no whole release")
                if text == "old\n" { ends.old += 1 } else { ends.new += 1 }
                let next = try builder.agent("update", "--from", "2.tar", state: "work")
                #expect([0, 42].contains(next.status), "\(name) \(call): \(next.errors)")
                #expect(try builder.tools.text("work/releases/current/README") == "new\n", "\(name) \(call)")
                #expect(!builder.tools.exists("work/releases/trial.json"), "\(name) \(call)")
                #expect(
                    try builder.tools.names("work/releases").allSatisfy {
                        !$0.hasSuffix(".tmp") && !$0.hasSuffix(".part")
                    },
                    "\(name) \(call)")
                // Whatever was cut short, the old release is refused from here on.
                #expect(try builder.agent("update", "--from", "1.tar", state: "work").status == 1)
            }
        }
        #expect(ends.old > 40 && ends.new > 2, "\(ends)")
    }
}

extension ReleaseRunner {
    private func program(_ name: String) -> String {
        SharesToolRunner.executable.deletingLastPathComponent().appending(path: name).path
    }

    /// Makes `agent` the state of an agent that trusts a key for releases, and for whatever else is named.
    func joinAgent(_ state: String = "agent", trusting key: String, roles: [String] = ["releases"]) throws {
        try release("keygen", "--out", "\(state)-client", "--name", "client")
        try tools.makeFolder("kit")
        let shown = try tools.run(["--show-keys", "--with-colons", path(key)], program: "/usr/bin/gpg").text
        let line = try #require(shown.split(separator: "\n").first { $0.hasPrefix("fpr:") })
        let fingerprint = try #require(line.split(separator: ":").last)
        try write(
            "kit/agent.yml",
            "server_url: http://127.0.0.1:1\nhostname: laptop\ntrust:\n"
                + roles.map { "  \($0): [\(fingerprint)]\n" }.joined())
        try copy("\(state)-client/key.asc", "kit/client.key.asc")
        try copy(key, "kit/server.pub.asc")
        let joined = try tools.run(
            ["join", "--kit", path("kit"), "--state", path(state)], program: program("pd-agent"))
        try #require(joined.status == 0, "\(joined.errors)")
    }

    /// Runs the agent, however it ends.
    func agent(_ arguments: String..., state: String = "agent") throws -> SharesToolRunner.Outcome {
        try tools.run(arguments + ["--state", path(state)], program: program("pd-agent"))
    }

    /// Runs an update to release 2 of the state `work` under strace.
    fileprivate func traced(_ options: [String]) throws -> SharesToolRunner.Outcome {
        try tools.run(
            ["-f", "-qq"] + options + [
                program("pd-agent"), "update", "--from", "2.tar", "--state", path("work"),
            ],
            program: "/usr/bin/strace")
    }
}
