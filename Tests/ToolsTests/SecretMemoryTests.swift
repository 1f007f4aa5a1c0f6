import Foundation
import PDCrypto
import PDTestSupport
import Testing

/// Where a secret key is left in the memory of the tools that hold one.
@Suite(
    "Secret keys in the memory of tools", .timeLimit(.minutes(10)),
    .enabled(if: geteuid() == 0, "only root can look into processes that guard themselves"))
struct SecretMemoryTests {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .appending(path: "Support/search-memory.py").path

    /// What a key would be recognised by, as lines for the script. `control` is there in any case.
    private func needles(_ armored: [UInt8], control: String) throws -> String {
        let binary = try OpenPGP.Armor.unwrap(armored, kind: .secretKey, limit: 1 << 16)
        // RFC 9580, section 5.5.3: header, public part of an Ed25519 key, no protection, the number's length, the number.
        let start = 2 + 51 + 1 + 2
        try #require(binary[1] < 192 && binary[start - 3] == 0)
        let bits = Int(binary[start - 2]) << 8 | Int(binary[start - 1])
        let seed = Array(binary[start..<start + (bits + 7) / 8])
        let middle = Array(seed[7..<23])
        let hex = middle.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        // As the armor has it: its characters for these bytes, up to the end of a line.
        let text = String(decoding: armored, as: UTF8.self).split(separator: "\n").filter {
            !$0.hasPrefix("-") && !$0.hasPrefix("=")
        }.joined()
        let first = (start + 9) / 3 * 4
        let place = first % 64 <= 50 ? first : (first / 64 + 1) * 64
        let base64 = Array(text.utf8)[place..<place + 12]
        let forms: [(String, [UInt8])] = [
            ("binary", middle), ("reversed", middle.reversed()), ("hex", Array(hex.utf8)),
            ("HEX", Array(hex.uppercased().utf8)), ("base64", Array(base64)),
            ("control", Array(control.utf8)),
        ]
        return forms.map { name, bytes in
            name + " " + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\n"
        }.joined()
    }

    private func program(_ name: String) -> String {
        SharesToolRunner.executable.deletingLastPathComponent().appending(path: name).path
    }

    /// Nothing but what is always there was found, at each of these times.
    private func expectClean(_ report: String, _ times: [String], line: Int = #line) {
        let lines = report.split(separator: "\n").map(String.init)
        for time in times {
            #expect(lines.contains { $0.hasPrefix("searched \(time) ") }, "line \(line): \(report)")
            #expect(lines.contains { $0.hasPrefix("\(time) control ") }, "line \(line): \(report)")
        }
        let found = lines.filter { line in
            ["binary", "reversed", "hex", "HEX", "base64"].contains { line.contains(" \($0) ") }
        }
        #expect(found.isEmpty, "line \(line)")
        #expect(lines.contains("status 0"), "line \(line): \(report)")
    }

    /// Runs a tool that signs with a key that is there, and searches it at its end.
    private func search(
        _ runner: SharesToolRunner, key: String, _ tool: String, _ arguments: [String], line: Int = #line
    ) throws {
        let needles = try needles(
            Array(Data(contentsOf: URL(filePath: key))), control: try #require(arguments.last))
        try runner.write("needles", needles)
        let outcome = try runner.run(
            [Self.script, "needles", program(tool)] + arguments, program: "/usr/bin/env")
        expectClean(outcome.errors, ["exit"], line: line)
    }

    @Test("p134_the search finds what is there")
    func p134_control() throws {
        let builder = try ReleaseRunner()
        try builder.release("keygen", "--out", "K")
        // This one holds the text of the key in an ordinary buffer.
        let key = builder.path("K/key.asc")
        try builder.tools.write(
            "needles", try needles(Array(Data(contentsOf: URL(filePath: key))), control: key))
        let outcome = try builder.tools.run(
            [
                Self.script, "needles", "/usr/bin/python3", "-c",
                "import sys; text = open(sys.argv[1]).read()", key,
            ],
            program: "/usr/bin/env")
        #expect(outcome.errors.contains("exit base64 ") && outcome.errors.contains("exit control "))
    }

    @Test("p134_pd-release sign and publish leave no key behind")
    func p134_release() throws {
        let builder = try ReleaseRunner()
        try builder.release("keygen", "--out", "K")
        try builder.write("tree/README", "text\n")
        try builder.release("build", "tree", "--number", "1", "--out", "1.tar")
        try search(
            builder.tools, key: builder.path("K/key.asc"), "pd-release",
            ["sign", "1.tar", "--key", builder.path("K/key.asc")])
    }

    @Test("p134_tools that make keys leave none behind")
    func p134_making() async throws {
        let builder = try ReleaseRunner()
        for (tool, arguments, file) in [
            ("pd-release", ["keygen", "--out", builder.path("new")], "new/key.asc"),
            (
                "pd-server", ["setup", "--yes", "--port", "20001", "--state", builder.path("state")],
                "state/keys/server.key.asc"
            ),
        ] {
            // The search waits here for what to look for, while the tool is stopped at its end.
            let fifo = builder.path("fifo-\(tool)")
            try #require(mkfifo(fifo, 0o600) == 0)
            let running = try builder.tools.start(
                command: ["/usr/bin/env", Self.script, fifo, program(tool)] + arguments)
            for _ in 0..<1200 {
                if String(decoding: try Data(contentsOf: running.errors), as: UTF8.self).contains("status") {
                    break
                }
                if let key = FileManager.default.contents(atPath: builder.path(file)), key.count > 0 {
                    let lines = try needles(Array(key), control: try #require(arguments.last))
                    try Data(lines.utf8).write(to: URL(filePath: fifo), options: [])
                    break
                }
                try await Task.sleep(for: .milliseconds(50))
            }
            expectClean(try running.finish().errors, ["exit"])
        }
    }

    @Test("p134_pd-admin signs orders, on the spot and elsewhere, and leaves no key behind")
    func p134_orders() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        try await fleet.start()
        let agent = fleet.tools.path("agent").path
        for arguments in [["join", "--kit", "\(fleet.serverState)/agent-kit"], ["cycle"]] {
            let outcome = try fleet.run("pd-agent", arguments + ["--state", agent])
            try #require(outcome.status == 0, "\(outcome.errors)")
        }
        let builder = ReleaseRunner(tools: fleet.tools)
        try builder.release("keygen", "--out", "K")
        let key = builder.path("K/key.asc")
        for (command, file) in [("sign", "order-1"), ("run", "order-2")] {
            let run = [
                "commands", "run", "c", "--shell", "true", "--all-hosts", "--state", fleet.serverState,
            ]
            if command == "sign" {
                let written = try fleet.run("pd-admin", run + ["--out", builder.path(file)])
                try #require(written.status == 0, "\(written.errors)")
                try search(
                    fleet.tools, key: key, "pd-admin",
                    ["orders", "sign", builder.path(file), "--yes", "--key", key])
            } else {
                let added = try fleet.run(
                    "pd-admin", "keys", "add", builder.path("K/key.pub.asc"), "--role", "command", "--state",
                    fleet.serverState)
                try #require(added.status == 0, "\(added.errors)")
                try search(fleet.tools, key: key, "pd-admin", run + ["--yes", "--key", key])
            }
        }
    }

    @Test("p134_a server that looked at its key, and an agent that waits for its server, have no copy of one")
    func p134_waiting() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let serverKey = "\(fleet.serverState)/keys/server.key.asc"
        let clientKey = "\(fleet.serverState)/agent-kit/client.key.asc"
        // Takes connections and never answers.
        let (silent, port) = try FleetRunner.boundSocket()
        defer { close(silent) }
        try #require(listen(silent, 8) == 0)
        let kit = try fleet.run(
            "pd-agent", "join", "--kit", "\(fleet.serverState)/agent-kit", "--state",
            fleet.tools.path("agent").path)
        try #require(kit.status == 0, "\(kit.errors)")
        let settings = fleet.tools.path("agent/agent.yml")
        let text = try String(contentsOf: settings, encoding: .utf8)
        try text.replacing(":\(fleet.port)", with: ":\(port)").write(
            to: settings, atomically: false, encoding: .utf8)
        for (key, tool, arguments, waits) in [
            (serverKey, "pd-server", ["serve", "--state", fleet.serverState], fleet.port),
            (clientKey, "pd-agent", ["cycle", "--state", fleet.tools.path("agent").path], port),
        ] {
            try fleet.tools.write(
                "needles", try needles(Array(Data(contentsOf: URL(filePath: key))), control: arguments[2]))
            let running = try fleet.tools.start(
                command: ["/usr/bin/env", Self.script, "needles", program(tool)] + arguments)
            func report() throws -> String {
                String(decoding: try Data(contentsOf: running.errors), as: UTF8.self)
            }
            var child: Int32?
            for _ in 0..<600 {
                child = try report().split(separator: "\n").first { $0.hasPrefix("pid ") }
                    .flatMap { Int32($0.dropFirst(4)) }
                if tool == "pd-server" {
                    if try fleet.tools.run(["-sf", fleet.url("/healthz")], program: "/usr/bin/curl").status
                        == 0
                    {
                        break
                    }
                } else if try connections(to: waits) > 0 {
                    break
                }
                try await Task.sleep(for: .milliseconds(50))
            }
            let process = try #require(child)
            Foundation.kill(running.process.processIdentifier, SIGUSR1)
            for _ in 0..<600 {
                if try report().contains("searched waiting") { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            Foundation.kill(process, SIGTERM)
            let outcome = try running.finish().errors
            expectClean(outcome.replacing(/status -?[0-9]+/, with: "status 0"), ["waiting"])
            #expect(tool != "pd-server" || outcome.contains("searched exit"))
        }
    }

    /// How many connections to a port of this machine are established (proc(5)).
    private func connections(to port: Int) throws -> Int {
        let wanted = "0100007F:" + String(format: "%04X", port)
        return try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8).split(separator: "\n").filter {
            let fields = $0.split(separator: " ")
            return fields.count > 3 && fields[2] == wanted && fields[3] == "01"
        }.count
    }
}
