import Foundation
import PDTestSupport
import Testing

@Suite("A fleet's keys are replaced while it reports", .timeLimit(.minutes(15)))
struct KeyRotationFleetTests {
    /// Ten agents, each in a state directory of its own, and what each has delivered and made.
    private final class Laptops {
        let fleet: FleetRunner
        let names = (1...10).map { "lap\($0)" }
        private var made: [String: Int] = [:]
        private var logs = ""

        init(_ fleet: FleetRunner) { self.fleet = fleet }

        func state(_ name: String) -> String { fleet.tools.path(name).path }

        func file(_ name: String, _ file: String) throws -> String { try fleet.tools.text("\(name)/\(file)") }

        func join(_ name: String) throws {
            let kit = "\(fleet.serverState)/agent-kit"
            let joined = try fleet.run("pd-agent", "join", "--kit", kit, "--state", state(name))
            try #require(joined.status == 0, "\(joined.errors)")
            // What this machine is like is of no interest here, and takes time to find out.
            let off = [
                "hd_encryption", "firewall", "os_updates", "packages", "users", "dmidecode", "listeners",
            ]
            let settings = try file(name, "agent.yml")
            try fleet.tools.write(
                "\(name)/agent.yml",
                settings + "hostname: \(name)\ncollectors:\n" + off.map { "  \($0): false\n" }.joined())
        }

        @discardableResult
        func run(_ command: String, on name: String) throws -> SharesToolRunner.Outcome {
            if command != "submit" && command != "update" { made[name, default: 0] += 1 }
            return try fleet.run("pd-agent", command, "--state", state(name))
        }

        /// Collects, delivers and follows, as the timer has it; every time it must work.
        func cycle(_ names: some Sequence<String>) throws {
            for name in names {
                let outcome = try run("cycle", on: name)
                #expect(outcome.status == 0, "\(name): \(outcome.errors)")
            }
        }

        func stopServer() throws {
            logs += try fleet.log()
            #expect(try fleet.stop().status == 0)
        }

        /// Makes sure that each report was taken, once, and that none waits or was set aside.
        func checkReports(of names: some Sequence<String>) throws {
            let lines = try (logs + fleet.log()).split(separator: "\n")
            for name in names {
                let taken = lines.count {
                    $0.contains(" submit: ") && $0.contains("host=\(name) ") && $0.contains("status=200")
                }
                #expect(taken == made[name], "\(name)")
                let status = try fleet.run("pd-agent", "status", "--json", "--state", state(name))
                let document = try #require(
                    try JSONSerialization.jsonObject(with: status.output) as? [String: Any])
                #expect(document["waiting"] as? Int == 0 && (document["bad"] as? [String])?.isEmpty == true)
            }
        }
    }

    private func rotate(_ fleet: FleetRunner, _ arguments: String...) throws -> [String: Any] {
        let outcome = try fleet.run(
            "pd-admin", ["keys", "rotate"] + arguments + ["--yes", "--json", "--state", fleet.serverState])
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try #require(try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any])
    }

    private func list(_ rotation: [String: Any], _ name: String) -> [String] {
        ((rotation["rotation"] as? [String: Any])?[name] as? [String]) ?? []
    }

    @Test(
        "a fleet of ten agents lives through client key rotation with one lost laptop (it gets nothing), server key rotation, certificate change"
    )
    func wholeLife() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        try fleet.useTLS()
        try await fleet.start()
        let laptops = Laptops(fleet)
        for name in laptops.names { try laptops.join(name) }
        try laptops.cycle(laptops.names)
        let here = laptops.names.dropLast()
        let (away, lost) = ("lap9", "lap10")
        let lostKey = try laptops.file(lost, "client.key.asc")

        // Reports lie on all laptops, signed by the old key, while the server is down and the key is replaced.
        try laptops.stopServer()
        for name in here { #expect(try laptops.run("collect", on: name).status == 0) }
        let begun = try rotate(fleet, "client", "--lost", lost)
        #expect(list(begun, "following") == here.map { $0 } && list(begun, "lost") == [lost])
        try await fleet.start()
        let punctual = here.filter { $0 != away }
        try laptops.cycle(punctual)
        #expect(list(try rotate(fleet, "client"), "following") == [away])
        // It signs with what it has, and hears nothing.
        #expect(try laptops.run("cycle", on: lost).status == 0)
        #expect(try laptops.file(lost, "client.key.asc") == lostKey)
        #expect(try !laptops.file(lost, "keys.json").contains("client_key"))

        // One that was away comes back when the old key is retired already.
        let finished = try rotate(fleet, "client", "--finish")
        #expect(finished["finished"] as? Bool == true)
        // The server has seen that its keys are others within a second.
        var status: Int32 = 0
        for _ in 0..<50 where status == 0 { status = try laptops.run("cycle", on: lost).status }
        #expect(status == 4)
        #expect(try laptops.file(lost, "client.key.asc") == lostKey)
        try laptops.cycle([away])
        let kitKey = try fleet.tools.text("server/agent-kit/client.key.asc")
        for name in here { #expect(try laptops.file(name, "client.key.asc") == kitKey, "\(name)") }

        // The server's key.
        let oldServer = try fleet.tools.text("server/agent-kit/server.pub.asc")
        #expect(list(try rotate(fleet, "server"), "following").count == here.count)
        try laptops.cycle(here)
        #expect(try rotate(fleet, "server")["finished"] as? Bool == true)
        let newServer = try fleet.tools.text("server/keys/server.pub.asc")
        #expect(newServer != oldServer)
        for name in here { #expect(try laptops.file(name, "server.pub.asc") == newServer, "\(name)") }

        // The certificate of its port.
        let oldCertificate = try fleet.tools.text("server/agent-kit/server.crt")
        #expect(list(try rotate(fleet, "certificate"), "following").count == here.count)
        try laptops.cycle(here)
        #expect(try rotate(fleet, "certificate")["finished"] as? Bool == true)
        let newCertificate = try fleet.tools.text("server/agent-kit/server.crt")
        #expect(!newCertificate.contains(oldCertificate))
        var isServed = false
        for _ in 0..<100 where !isServed {
            isServed =
                try fleet.tools.run(
                    ["-sf", "--cacert", "server/agent-kit/server.crt", fleet.url("/healthz")],
                    program: "/usr/bin/curl"
                ).status == 0
            if !isServed { try await Task.sleep(for: .milliseconds(100)) }
        }
        #expect(isServed)
        try laptops.cycle(here)
        for name in here { #expect(try laptops.file(name, "server.crt") == newCertificate, "\(name)") }
        try laptops.cycle(here)
        try laptops.checkReports(of: here)
    }

    @Test(
        "an order that was signed before the server's key was replaced is obeyed after that, and whom agents trust stays"
    )
    func ordersAcross() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        try await fleet.start()
        let made = try fleet.run("pd-release", "keygen", "--out", "K")
        try #require(made.status == 0, "\(made.errors)")
        let added = try fleet.run(
            "pd-admin", "keys", "add", "K/key.pub.asc", "--role", "command", "--state", fleet.serverState)
        try #require(added.status == 0, "\(added.errors)")
        let laptops = Laptops(fleet)
        try laptops.join("lap1")
        let key = try #require(added.text.firstMatch(of: /[0-9A-F]{40}/)).output
        let settings = try laptops.file("lap1", "agent.yml") + "trust:\n  commands: [\(key)]\n"
        try fleet.tools.write("lap1/agent.yml", settings)
        try laptops.cycle(["lap1"])
        let ordered = try fleet.run(
            "pd-admin", "commands", "run", "who", "--shell", "id", "--all-hosts", "--key", "K/key.asc",
            "--yes", "--state", fleet.serverState)
        try #require(ordered.status == 0, "\(ordered.errors)")
        _ = try rotate(fleet, "server")
        let updated = try laptops.run("update", on: "lap1")
        #expect(updated.status == 42, "\(updated.errors)")
        #expect(try fleet.admin("orders", "list").first?["state"] as? String == "done")
        #expect(try laptops.file("lap1", "agent.yml") == settings)
        #expect(try laptops.file("lap1", "server.pub.asc") == fleet.tools.text("server/keys/server.pub.asc"))
    }

    @Test("removing a key says how many hosts it cuts off, and asks")
    func removal() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        try await fleet.start()
        let laptops = Laptops(fleet)
        try laptops.join("lap1")
        try laptops.cycle(["lap1"])
        let key = try #require(try fleet.admin("keys", "list").first?["fingerprint"] as? String)
        let asked = try fleet.run("pd-admin", "keys", "remove", key, "--state", fleet.serverState)
        #expect(asked.status == 2 && asked.errors.contains("1 host") && asked.errors.contains("lap1"))
        #expect(try fleet.admin("keys", "list").count == 1)
        let done = try fleet.run("pd-admin", "keys", "remove", key, "--yes", "--state", fleet.serverState)
        #expect(done.status == 0 && done.errors.contains("lap1"))
        #expect(try fleet.admin("keys", "list").isEmpty)
    }

    @Test("agents of version 1 are counted and named, since they cannot follow")
    func version1() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let home = try GPGHome(algorithm: "rsa3072", tools: fleet.tools)
        try fleet.tools.write("peer.asc", try home.gpg(["--armor", "--export", "peer"]).text)
        try fleet.run(
            "pd-admin", "keys", "add", "peer.asc", "--role", "client", "--state", fleet.serverState)
        try await fleet.start()
        let data = #"{"hostname": "old-one", "plugins": {"x": 1}}"#
        #expect(try fleet.post(data: data, signature: try home.sign(data)) == "200")
        let outcome = try fleet.run(
            "pd-admin", "keys", "rotate", "client", "--yes", "--state", fleet.serverState)
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("1 host with an agent of version 1 cannot follow"))
        #expect(outcome.errors.contains("old-one"))
        let refused = try fleet.run("pd-admin", "keys", "rotate", "client", "--state", fleet.serverState)
        #expect(refused.status == 0, "nothing is asked where nobody is cut off")
    }
}
