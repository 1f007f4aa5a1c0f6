import Foundation
import PDTestSupport
import Testing

@Suite("A server that is backed up and restored, as its users do it", .timeLimit(.minutes(10)))
struct BackupToolTests {
    /// A TLS server with two agents, each of which has reported.
    private func makeFleet() async throws -> (fleet: FleetRunner, agents: [String]) {
        let fleet = try FleetRunner()
        try fleet.setUp()
        try fleet.useTLS()
        try await fleet.start()
        let agents = ["one", "two"].map { fleet.tools.path("agent-\($0)").path }
        for (index, agent) in agents.enumerated() {
            let joined = try fleet.run(
                "pd-agent", "join", "--kit", "\(fleet.serverState)/agent-kit", "--state", agent)
            try #require(joined.status == 0, "\(joined.errors)")
            let settings = URL(filePath: "\(agent)/agent.yml")
            let text = try String(contentsOf: settings, encoding: .utf8)
            try Data("\(text)hostname: laptop\(index)\n".utf8).write(to: settings)
            let cycle = try fleet.run("pd-agent", "cycle", "--state", agent)
            try #require(cycle.status == 0, "\(cycle.errors)")
        }
        return (fleet, agents)
    }

    private func backUp(_ fleet: FleetRunner, _ arguments: [String] = [], input: String = "") throws
        -> SharesToolRunner.Outcome
    {
        try admin(
            fleet, ["backup", fleet.tools.path("backup").path] + arguments + ["--state", fleet.serverState],
            input)
    }

    private func admin(_ fleet: FleetRunner, _ arguments: [String], _ input: String = "") throws
        -> SharesToolRunner.Outcome
    {
        let executable = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-admin")
        return try fleet.tools.run(arguments, program: executable.path, input: Data(input.utf8))
    }

    @Test(
        "p146_the server's disk is lost: restored elsewhere, it is the old one to every agent, and no report is lost"
    )
    func lostDisk() async throws {
        let (fleet, agents) = try await makeFleet()
        let written = try backUp(fleet, ["--passphrase"], input: "correct horse\n")
        #expect(written.status == 0, "\(written.errors)")
        #expect(written.text.contains("2 hosts"))
        #expect(try fleet.tools.mode("backup") == 0o600)
        try fleet.kill()
        try FileManager.default.removeItem(atPath: fleet.serverState)
        // What the agents collect meanwhile waits.
        for agent in agents { #expect(try fleet.run("pd-agent", "cycle", "--state", agent).status == 3) }

        fleet.stateName = "new/machine"
        let file = fleet.tools.path("backup").path
        let wrong = try admin(fleet, ["restore", file, "--state", fleet.serverState], "wrong\n")
        #expect(wrong.status == 1 && wrong.errors.contains("passphrase is wrong"))
        let restored = try admin(fleet, ["restore", file, "--state", fleet.serverState], "correct horse\n")
        #expect(restored.status == 0, "\(restored.errors)")
        try await fleet.start()
        for agent in agents {
            let cycle = try fleet.run("pd-agent", "cycle", "--state", agent)
            #expect(cycle.status == 0, "\(cycle.errors)")
        }
        #expect(try fleet.admin("hosts", "list").map { $0["hostname"] as? String } == ["laptop0", "laptop1"])
        #expect(try fleet.log().split(separator: "\n").count { $0.contains("status=200") } >= 4)
        // Setup repairs, and takes what was restored for its own.
        let again = try fleet.run("pd-server", "setup", "--yes", "--state", fleet.serverState)
        #expect(again.status == 0 && !again.text.contains("made"), "\(again.text)\(again.errors)")
        #expect(try fleet.stop().status == 0)
    }

    @Test(
        "a server that runs is not replaced, and one that has something is only replaced where that is said")
    func questions() async throws {
        let (fleet, _) = try await makeFleet()
        #expect(try backUp(fleet).status == 0)
        let file = fleet.tools.path("backup").path
        let twice = try backUp(fleet)
        #expect(twice.status == 1 && twice.errors.contains("exists already"))

        let restore = ["restore", file, "--state", fleet.serverState]
        let running = try admin(fleet, restore + ["--yes"])
        #expect(running.status == 1 && running.errors.contains("stop it first"))
        #expect(try fleet.stop().status == 0)

        let settings = "\(fleet.serverState)/server.yml"
        try Data("port: 1\n".utf8).write(to: URL(filePath: settings))
        let unasked = try admin(fleet, restore)
        #expect(unasked.status == 2 && unasked.errors.contains("--yes"))
        #expect(try String(contentsOfFile: settings, encoding: .utf8) == "port: 1\n")
        let meant = try admin(fleet, restore + ["--yes", "--json"])
        #expect(meant.status == 0 && meant.text.contains("\"hosts\": 2"), "\(meant.errors)")
        #expect(try String(contentsOfFile: settings, encoding: .utf8) != "port: 1\n")
        #expect(
            try String(contentsOfFile: "\(fleet.serverState)/replaced/server.yml", encoding: .utf8)
                == "port: 1\n")

        try Data("SQLite format 3\0 and so on".utf8).write(to: fleet.tools.path("database"))
        let database = try admin(
            fleet, ["restore", fleet.tools.path("database").path, "--state", fleet.serverState])
        #expect(database.status == 1 && database.errors.contains("store copy"))
    }

    @Test("encrypted to a key of gpg's, whoever has the secret half restores it")
    func openPGP() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let home = try GPGHome(algorithm: "ed25519", tools: fleet.tools)
        let made = try home.gpg([
            "--passphrase", "", "--quick-gen-key", "keeper@example.com", "default", "default", "never",
        ])
        try #require(made.status == 0, "\(made.errors)")
        let listed = try home.gpg(["--with-colons", "--list-keys", "keeper@example.com"]).text
        let fingerprint = try #require(
            listed.split(separator: "\n").first { $0.hasPrefix("fpr:") }?.split(separator: ":").last)
        let gpg = ["--gpg-home", home.directory.path]
        let unknown = try backUp(fleet, ["--recipient", String(repeating: "A", count: 40)] + gpg)
        #expect(unknown.status == 1 && unknown.errors.contains("no key"))
        #expect(!fleet.tools.exists("backup"))
        let written = try backUp(fleet, ["--recipient", String(fingerprint)] + gpg)
        #expect(written.status == 0, "\(written.errors)")

        let restore = ["restore", fleet.tools.path("backup").path, "--state", fleet.tools.path("other").path]
        let restored = try admin(fleet, restore + gpg)
        #expect(restored.status == 0, "\(restored.errors)")
        #expect(fleet.tools.exists("other/keys/server.key.asc"))
        var bytes = try fleet.tools.read("backup")
        bytes[bytes.count / 2] ^= 1
        try fleet.tools.write("backup", bytes)
        let damaged = try admin(fleet, restore + ["--yes"] + gpg)
        #expect(damaged.status == 1 && damaged.errors.contains("nothing was restored"))
    }

    @Test(
        "p166_kill -9 at any moment of a restoration leaves the old server or the new one, and the next one works"
    )
    func killed() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        // Large enough that a restoration takes a while.
        try FileManager.default.createDirectory(
            atPath: "\(fleet.serverState)/releases", withIntermediateDirectories: true)
        for number in 1...20 {
            try Data(repeating: UInt8(number), count: 1 << 20).write(
                to: URL(filePath: "\(fleet.serverState)/releases/\(number).tar"))
        }
        #expect(try backUp(fleet).status == 0)
        let settings = "\(fleet.serverState)/server.yml"
        let original = try String(contentsOfFile: settings, encoding: .utf8)
        let executable = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-admin")
        let command = [
            executable.path, "restore", fleet.tools.path("backup").path, "--yes", "--state",
            fleet.serverState,
        ]
        let begin = ContinuousClock.now
        #expect(try fleet.tools.run(Array(command.dropFirst()), program: command[0]).status == 0)
        let whole = Int((ContinuousClock.now - begin) / .microseconds(1))
        var outcomes: Set<String> = []
        for _ in 0..<25 {
            try Data("\(original)# changed\n".utf8).write(to: URL(filePath: settings))
            let running = try fleet.tools.start(command: command)
            usleep(UInt32.random(in: 0..<UInt32(whole)))
            kill(running.process.processIdentifier, SIGKILL)
            _ = try running.finish()
            // Any tool that looks at the state finds one of the two, whole.
            #expect(try fleet.admin("hosts", "list").isEmpty)
            let found = try String(contentsOfFile: settings, encoding: .utf8)
            #expect(found == original || found == "\(original)# changed\n")
            outcomes.insert(found == original ? "new" : "old")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: "\(fleet.serverState)/releases").count
                    == 20)
        }
        #expect(outcomes.contains("old"))
        #expect(try fleet.tools.run(Array(command.dropFirst()), program: command[0]).status == 0)
        #expect(!FileManager.default.fileExists(atPath: "\(fleet.serverState)/restoring"))
    }
}
