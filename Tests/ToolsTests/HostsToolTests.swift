import Foundation
import PDTestSupport
import Testing

@Suite("Looking at hosts, and changing what is known of them", .timeLimit(.minutes(5)))
struct HostsToolTests {
    /// A server without agents that has been told of some hosts.
    private func server() async throws -> FleetRunner {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let home = try GPGHome(algorithm: "ed25519", tools: fleet.tools)
        try fleet.tools.write("peer.asc", try home.gpg(["--armor", "--export", "peer"]).text)
        try fleet.run(
            "pd-admin", "keys", "add", fleet.tools.path("peer.asc").path, "--role", "client", "--state",
            fleet.serverState)
        try await fleet.start()
        for name in ["alpha", "beta", "a-host-whose-name-is-longer-than-a-column-on-a-terminal"] {
            let data = """
                {"hostname": "\(name)", "plugins": {"os_info": {"name": "Debian GNU/Linux", "version": "12"}}}
                """
            #expect(try fleet.post(data: data, signature: try home.sign(data)) == "200")
        }
        #expect(try fleet.stop().status == 0)
        return fleet
    }

    @Test("hosts are suspended, resumed and deleted, several at once, and what was done is said")
    func administration() async throws {
        let fleet = try await server()
        func hosts(_ arguments: String...) throws -> SharesToolRunner.Outcome {
            try fleet.run("pd-admin", ["hosts"] + arguments + ["--state", fleet.serverState])
        }
        let suspended = try hosts("suspend", "alpha", "beta")
        #expect(suspended.status == 0 && suspended.text.contains("alpha is suspended\nbeta is suspended"))
        let list = try fleet.admin("hosts", "list")
        #expect(list.count { $0["suspended"] as? Bool == true } == 2)
        #expect(list.allSatisfy { $0["os"] as? String == "Debian GNU/Linux 12" })
        #expect(try hosts("resume", "alpha", "--json").text.contains("\"resumed\""))
        let dry = try hosts("delete", "--where", #"{"hostname": {"$regex": "^(alpha|beta)$"}}"#, "--dry-run")
        #expect(dry.status == 0 && dry.text.contains("alpha would be deleted"), "\(dry.errors)")
        #expect(try fleet.admin("hosts", "list").count == 3)
        let unasked = try hosts("delete", "alpha", "beta")
        #expect(unasked.status == 2 && unasked.errors.contains("--yes") && unasked.errors.contains("2 hosts"))
        #expect(try hosts("delete", "alpha", "nobody", "--yes").status == 1)
        #expect(try fleet.admin("hosts", "list").count == 3)
        #expect(try hosts("delete", "alpha", "beta", "--yes").text.contains("beta is deleted"))
        #expect(try fleet.admin("hosts", "list").count == 1)
        #expect(try hosts("delete").status == 2)
        #expect(try fleet.admin("hosts", "list", "--silent", "1h").isEmpty)
        #expect(try hosts("list", "--silent", "soon").status == 2)
    }

    @Test("a list is a table that fits its terminal, or comma-separated values, or JSON")
    func forms() async throws {
        let fleet = try await server()
        let program = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-admin").path
        func shown(_ option: String) throws -> [String] {
            let session = try TerminalSession(
                ["/bin/sh", "-c", "stty cols 70; \(program) hosts list \(option) --state server; echo end"],
                in: fleet.tools.directory)
            let text = try session.read(until: "end\r\n")
            #expect(try session.status() == 0)
            return text.split(whereSeparator: \.isNewline).map(String.init)
        }
        let fitted = try shown("")
        #expect(fitted.count == 5 && fitted.allSatisfy { $0.count <= 70 }, "\(fitted)")
        #expect(fitted.contains { $0.contains("…") })
        #expect(try shown("--wide").contains { $0.count > 100 && !$0.contains("…") })
        // What a file gets is never cut.
        let piped = try fleet.run("pd-admin", "hosts", "list", "--state", fleet.serverState)
        #expect(piped.text.contains("longer-than-a-column-on-a-terminal"))
        let csv = try fleet.run("pd-admin", "hosts", "list", "--csv", "--state", fleet.serverState)
        let lines = csv.text.components(separatedBy: "\r\n")
        #expect(lines.count == 5 && lines[0].hasPrefix("id,hostname,submitted_at"))
        #expect(lines.contains { $0.contains(",alpha,20") })
        #expect(
            try fleet.run("pd-admin", "hosts", "list", "--csv", "--json", "--state", fleet.serverState).status
                == 2)
    }

    @Test("groups are made of users that have a password, shown and taken away")
    func groups() throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let program = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-admin").path
        func passwords(_ arguments: String..., input: String = "") throws -> SharesToolRunner.Outcome {
            try fleet.tools.run(
                ["passwords"] + arguments + ["--state", fleet.serverState], program: program,
                input: Data(input.utf8))
        }
        #expect(try passwords("groups", "set", "admins", "fred").status == 1)
        #expect(try passwords("set", "fred", input: "secret\n").status == 0)
        #expect(try passwords("groups", "set", "admins", "fred").status == 0)
        #expect(try passwords("groups", "list").text.contains("fred"))
        #expect(try passwords("groups", "list", "--json").text.contains("\"admins\""))
        // A group must not come to name nobody.
        #expect(try passwords("remove", "fred").status == 2)
        #expect(try passwords("groups", "remove", "admins").status == 0)
        #expect(try passwords("groups", "remove", "admins").status == 1)
        #expect(try passwords("remove", "fred").status == 0)
    }
}
