import Foundation
import Testing

@Suite("A fleet, as its users run it", .timeLimit(.minutes(5)))
struct FleetTests {
    @Test("setup, serve, join, cycle, list, audit: one host with what it collected")
    func wholeWay() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        try await fleet.start()
        let agent = fleet.tools.path("agent").path
        #expect(
            try fleet.run("pd-agent", "join", "--kit", "\(fleet.serverState)/agent-kit", "--state", agent)
                .status == 0)
        for _ in 0..<2 { #expect(try fleet.run("pd-agent", "cycle", "--state", agent).status == 0) }

        let hosts = try fleet.admin("hosts", "list")
        let host = try #require(hosts.first)
        #expect(hosts.count == 1)
        let name = try #require(host["hostname"] as? String)
        #expect((host["id"] as? String)?.count == 36)
        #expect((host["submitted_at"] as? String)?.hasSuffix("Z") == true)

        let shown = try fleet.run("pd-admin", "hosts", "show", name, "--json", "--state", fleet.serverState)
        let document = try #require(try JSONSerialization.jsonObject(with: shown.output) as? [String: Any])
        let plugins = try #require(document["plugins"] as? [String: Any])
        for collector in ["os_info", "network_devices", "sshd", "firewall", "hd_encryption"] {
            #expect(plugins[collector] != nil, "\(collector)")
        }
        // The same machine twice within a second: nothing has changed, so nothing is in the history.
        #expect(try fleet.admin("hosts", "history", name).isEmpty)

        for issue in try fleet.admin("issues", "audit") {
            #expect(issue["host"] as? String == name)
            #expect(issue["check"] is String && issue["opened_at"] is String)
        }
        #expect(try fleet.stop().status == 0)
    }

    @Test("an agent that joins with the kit trusts the certificate that the server made itself, and no other")
    func selfSigned() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        try fleet.useTLS()
        try await fleet.start()
        let agent = fleet.tools.path("agent").path
        #expect(
            try fleet.run("pd-agent", "join", "--kit", "\(fleet.serverState)/agent-kit", "--state", agent)
                .status == 0)
        let delivered = try fleet.run("pd-agent", "cycle", "--state", agent)
        #expect(delivered.status == 0, "\(delivered.errors)")
        #expect(try fleet.admin("hosts", "list").count == 1)

        #expect(try fleet.stop().status == 0)
        try fleet.useTLS()
        try await fleet.start()
        let refused = try fleet.run("pd-agent", "cycle", "--state", agent)
        #expect(refused.status == 3 && refused.errors.contains("certificate is not trusted"))
    }

    @Test("a server that is down costs no report: spooled, then delivered, each once")
    func serverDown() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let agent = fleet.tools.path("agent").path
        try fleet.run("pd-agent", "join", "--kit", "\(fleet.serverState)/agent-kit", "--state", agent)
        for _ in 0..<2 { #expect(try fleet.run("pd-agent", "cycle", "--state", agent).status == 3) }
        #expect(try fleet.admin("hosts", "list").isEmpty)
        try await fleet.start()
        #expect(try fleet.run("pd-agent", "submit", "--state", agent).status == 0)
        #expect(try fleet.admin("hosts", "list").count == 1)
        #expect(try fleet.log().split(separator: "\n").count { $0.contains("status=200") } == 2)
        #expect(try fleet.run("pd-agent", "submit", "--state", agent).status == 0)
        #expect(try fleet.log().split(separator: "\n").count { $0.contains("status=200") } == 2)
    }

    @Test(
        "a report of gpg and curl alone is accepted, one flipped byte is refused",
        arguments: ["rsa3072", "ed25519"])
    func foreignPeer(algorithm: String) async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let home = try GPGHome(algorithm: algorithm, tools: fleet.tools)
        let exported = try home.gpg(["--armor", "--export", "peer"])
        try fleet.tools.write("peer.asc", exported.text)
        let added = try fleet.run(
            "pd-admin", "keys", "add", fleet.tools.path("peer.asc").path, "--role", "client", "--state",
            fleet.serverState)
        #expect(added.status == 0, "\(added.errors)")
        try await fleet.start()
        let data = #"{"hostname": "foreign", "plugins": {"firewall": {"status": "off"}}}"#
        let signature = try home.sign(data)
        #expect(try fleet.post(data: data.replacing("off", with: "oof"), signature: signature) == "403")
        #expect(try fleet.admin("hosts", "list").isEmpty)
        #expect(try fleet.post(data: data, signature: signature) == "200")
        #expect(try fleet.admin("hosts", "list").map { $0["hostname"] as? String } == ["foreign"])
        let query = #"{"plugins.firewall.status": "off"}"#
        #expect(try fleet.admin("hosts", "list", "--where", query).count == 1)
        #expect(try fleet.admin("hosts", "list", "--where", query.replacing("off", with: "on")).isEmpty)
        #expect(try fleet.post(data: data, signature: nil) == "403")
        #expect(try fleet.post(data: "not json", signature: try home.sign("not json")) == "400")
    }

    @Test("an accepted report survives kill -9 of the server", arguments: 1...3)
    func killed(round: Int) async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let home = try GPGHome(algorithm: "ed25519", tools: fleet.tools)
        try fleet.tools.write("peer.asc", try home.gpg(["--armor", "--export", "peer"]).text)
        try fleet.run(
            "pd-admin", "keys", "add", fleet.tools.path("peer.asc").path, "--role", "client", "--state",
            fleet.serverState)
        try await fleet.start()
        let data = #"{"hostname": "h", "plugins": {"round": \#(round)}}"#
        #expect(try fleet.post(data: data, signature: try home.sign(data)) == "200")
        try fleet.kill()
        try await fleet.start()
        let shown = try fleet.run("pd-admin", "hosts", "show", "h", "--json", "--state", fleet.serverState)
        #expect(shown.text.contains("\"round\": \(round)"))
    }

    @Test("a change on the machine is in the history, and nothing else is")
    func history() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let home = try GPGHome(algorithm: "ed25519", tools: fleet.tools)
        try fleet.tools.write("peer.asc", try home.gpg(["--armor", "--export", "peer"]).text)
        try fleet.run(
            "pd-admin", "keys", "add", fleet.tools.path("peer.asc").path, "--role", "client", "--state",
            fleet.serverState)
        try await fleet.start()
        for (minute, status) in ["stopped", "stopped", "running"].enumerated() {
            let data = """
                {"hostname": "h", "collected_at": "2026-01-01T00:0\(minute):00+00:00", "plugins":
                 {"sshd": {"status": "\(status)", "seen_at": "2026-01-01T00:0\(minute):00"}, "os": {"id": "debian"}}}
                """
            #expect(try fleet.post(data: data, signature: try home.sign(data)) == "200")
        }
        let history = try fleet.admin("hosts", "history", "h")
        #expect(history.count == 1)
        #expect(history.first?["key"] as? String == "plugins.sshd.status")
        #expect(
            history.first?["old"] as? String == "stopped" && history.first?["new"] as? String == "running")
    }

    @Test("a database that another process holds is answered with 503, and the agent keeps its report")
    func lockedDatabase() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let agent = fleet.tools.path("agent").path
        try fleet.run("pd-agent", "join", "--kit", "\(fleet.serverState)/agent-kit", "--state", agent)
        try await fleet.start()
        let holder = try fleet.tools.start(command: ["/usr/bin/sqlite3", "\(fleet.serverState)/fleet.sqlite"])
        try holder.input.write(contentsOf: Data("BEGIN IMMEDIATE;\nSELECT 'held';\n".utf8))
        while try Data(contentsOf: holder.output).isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try fleet.run("pd-agent", "cycle", "--state", agent).status == 3)
        #expect(try fleet.log().contains("status=503"))
        try holder.input.write(contentsOf: Data("ROLLBACK;\n".utf8))
        try holder.input.close()
        _ = try holder.finish()
        #expect(try fleet.run("pd-agent", "submit", "--state", agent).status == 0)
        #expect(try fleet.admin("hosts", "list").count == 1)
    }

    @Test("17 MiB are refused with 413 and the server still serves")
    func tooLarge() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        try await fleet.start()
        try fleet.tools.write("big", Data("data=".utf8) + Data(repeating: UInt8(ascii: "a"), count: 17 << 20))
        let status = try fleet.tools.run(
            [
                "-s", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", "@big",
                fleet.url("/penguindome/v1/submit"),
            ], program: "/usr/bin/curl")
        #expect(status.text == "413")
        #expect(try fleet.tools.run(["-sf", fleet.url("/healthz")], program: "/usr/bin/curl").text == "ok")
    }

    @Test("tools say in one line what is wrong, with the exit code for it")
    func failures() async throws {
        let fleet = try FleetRunner()
        func expect(_ status: Int32, _ words: String, _ arguments: String...) throws {
            let outcome = try fleet.run(arguments[0], Array(arguments.dropFirst()))
            #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(arguments): \(outcome.errors)")
            #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
        }
        let missing = fleet.tools.path("missing").path
        try expect(1, missing, "pd-admin", "hosts", "list", "--state", missing)
        try expect(1, missing, "pd-server", "serve", "--state", missing)
        try expect(2, "--frobnicate", "pd-admin", "hosts", "list", "--frobnicate")
        try expect(2, "70000", "pd-server", "setup", "--yes", "--state", missing, "--port", "70000")
        try expect(2, "--yes", "pd-server", "setup", "--state", missing)
        try fleet.setUp()
        let state = fleet.serverState
        try expect(1, "nobody", "pd-admin", "hosts", "show", "nobody", "--state", state)
        try expect(2, "$foo", "pd-admin", "hosts", "list", "--state", state, "--where", #"{"$foo": 1}"#)
        try expect(
            1, "not a public key", "pd-admin", "keys", "add", "/etc/passwd", "--role", "client", "--state",
            state)
        let settings = try String(contentsOfFile: "\(state)/server.yml", encoding: .utf8)
        try fleet.tools.write("server/server.yml", settings.replacing("port:", with: "prot:"))
        try expect(2, "did you mean port?", "pd-server", "serve", "--state", state)
        try fleet.tools.write("server/server.yml", settings)
        try fleet.tools.write(
            "server/fleet.sqlite", Data("no database at all, but long enough to look at".utf8))
        try expect(1, "database is damaged", "pd-admin", "hosts", "list", "--state", state)
        try FileManager.default.removeItem(atPath: "\(state)/fleet.sqlite")
        try expect(3, "database is not available", "pd-admin", "hosts", "list", "--state", state)
    }

    @Test("a port in use is said in one line, and the store is left as it was")
    func portInUse() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        try await fleet.start()
        let outcome = try fleet.run("pd-server", "serve", "--state", fleet.serverState)
        #expect(outcome.status == 1)
        #expect(outcome.errors.split(separator: "\n").last?.contains("\(fleet.port)") == true)
        #expect(try fleet.tools.run(["-sf", fleet.url("/healthz")], program: "/usr/bin/curl").text == "ok")
    }
}
