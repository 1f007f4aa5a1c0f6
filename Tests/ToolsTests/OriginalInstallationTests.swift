import Foundation
import PDTestSupport
import Testing

@Suite("An installation of the original is taken over", .timeLimit(.minutes(5)))
struct OriginalInstallationTests {
    private static let vectors = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../vectors/v1"
    )
    .standardizedFileURL
    private static let mongo = ProcessInfo.processInfo.environment["PENGUINDOME_TEST_SECANTUSD"]

    /// A server of the original as its documents describe it, with recorded keys, documents and a recorded release.
    private struct Original {
        let tools: SharesToolRunner
        let server: GPGHome
        let client: GPGHome
        let port: Int

        var directory: String { tools.path("original").path }
        var serverFingerprint: String { get throws { try Self.fingerprint(server, "penguindome-server") } }
        var clientFingerprint: String { get throws { try Self.fingerprint(client, "penguindome-client") } }

        init(_ tools: SharesToolRunner, database: String) throws {
            self.tools = tools
            port = try FleetRunner.freePort()
            server = try GPGHome(algorithm: "rsa3072", tools: tools, userID: "penguindome-server")
            client = try GPGHome(algorithm: "rsa3072", tools: tools, userID: "penguindome-client")
            for folder in ["server", "client", "var/client_releases"] {
                try FileManager.default.createDirectory(
                    at: tools.path("original/\(folder)"), withIntermediateDirectories: true)
            }
            // What its server's keyring holds besides its own key: public halves.
            let exported = try client.gpg(["--export"]).output
            for key in [
                exported, try Data(contentsOf: vectors.appending(path: "wire/rsa3072/client_pub.asc")),
                try Data(contentsOf: vectors.appending(path: "secret_keeping/public_key.asc")),
            ] { try #require(server.gpg(["--import"], input: key).status == 0) }
            try #require(client.gpg(["--import"], input: server.gpg(["--export"]).output).status == 0)
            try copy(server, "server/keyring")
            try copy(client, "client/keyring")
            for name in ["1717286400.tar", "1717286400.tar.asc"] {
                try FileManager.default.copyItem(
                    at: vectors.appending(path: "release/ed25519/\(name)"),
                    to: tools.path("original/var/client_releases/\(name)"))
            }
            try tools.write(
                "original/server/settings.yml",
                """
                audit_cron: {email: it@example.com, enabled: false}
                \(database)
                loaded_by: nobody
                logging:
                  handler: RotatingFile
                  level: info
                  syslog: {facility: user, host: null, port: syslog}
                port:
                  \(port): {deprecated: false, threaded: false}
                secret_keeping:
                  combine_threshold: 2
                  enabled: true
                  key_fingerprint: 267C71D61A93938E108CFAF500183075848CF95F
                  key_id: 00183075848CF95F
                  key_name: penguindome-secret-keeping-9d5bab45cbad49a59893f6ad31e2d99f
                  num_shares: 3
                  selectors: [plugins.geolocation.location]
                support_arch_linux: true
                threaded: true

                """.replacing("loaded_by: nobody\n", with: ""))
            try tools.write(
                "original/client/settings.yml",
                """
                geolocation_api_key: KEY
                logging: {facility: user, handler: syslog, level: info}
                schedule: {collect_interval: 5, submit_interval: 1}
                server_url: http://127.0.0.1:\(port)/

                """)
        }

        private static func fingerprint(_ home: GPGHome, _ name: String) throws -> String {
            let lines = try home.gpg(["--with-colons", "--list-secret-keys", name]).text.split(
                separator: "\n")
            let line = try #require(lines.first { $0.hasPrefix("fpr:") })
            return String(try #require(line.split(separator: ":").last))
        }

        /// A copy without the sockets of the agent that made it.
        private func copy(_ home: GPGHome, _ name: String) throws {
            let script = """
                cd "$0" && find . -type d -exec mkdir -p -m 700 "$1/{}" ';' && find . -type f -exec cp -p {} "$1/{}" ';'
                """
            let copied = try tools.run(
                ["-c", script, home.directory.path, tools.path("original/\(name)").path], program: "/bin/sh")
            try #require(copied.status == 0, "\(copied.errors)")
        }

        /// Names, modes and contents of everything.
        func state() throws -> String {
            let script =
                "cd \"$0\" && find . -printf '%p %m %s\\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum"
            let listed = try tools.run(["-c", script, directory], program: "/bin/sh")
            try #require(listed.status == 0, "\(listed.errors)")
            return listed.text
        }
    }

    private func takeOver(_ fleet: FleetRunner, _ original: Original) throws -> SharesToolRunner.Outcome {
        try fleet.run(
            "pd-server", "setup", "--yes", "--from-original", original.directory, "--state", fleet.serverState
        )
    }

    /// A MongoDB server for as long as the test runs.
    private final class Database {
        let port: Int
        private let running: SharesToolRunner.Running

        init(_ tools: SharesToolRunner) async throws {
            port = try FleetRunner.freePort()
            running = try tools.start(command: [
                try #require(mongo), "--port", "\(port)", "--storage-path", tools.path("mongo").path,
            ])
            for _ in 0..<200 {
                let script = "exec 3<>/dev/tcp/127.0.0.1/\(port)"
                if try tools.run(["-c", script], program: "/bin/bash").status == 0 { return }
                try await Task.sleep(for: .milliseconds(50))
            }
            Issue.record("the database did not answer within ten seconds")
        }

        deinit {
            kill(running.process.processIdentifier, SIGKILL)
            _ = running.process.wait()
        }
    }

    @Test(
        "settings, keys, database and release are taken over, and the traffic of recorded agents goes on",
        .enabled(if: mongo != nil, "PENGUINDOME_TEST_SECANTUSD is not set"))
    func wholeWay() async throws {
        let fleet = try FleetRunner()
        let database = try await Database(fleet.tools)
        let original = try Original(
            fleet.tools, database: "database: {host: '127.0.0.1:\(database.port)', name: penguindome}")
        let before = try original.state()
        let outcome = try takeOver(fleet, original)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try original.state() == before, "the original stays as it is")
        for note in ["threaded", "support_arch_linux", "RotatingFile", "the secret-keepers'"] {
            #expect(outcome.text.contains(note), "\(note): \(outcome.text)")
        }
        let server = try original.serverFingerprint
        #expect(outcome.text.contains("server key \(server)"))
        let keys = try fleet.admin("keys", "list").compactMap { $0["fingerprint"] as? String }
        #expect(
            try Set(keys) == [original.clientFingerprint, "B166502ADF9F7B78D8577D33DEBB2C59748B84CA"])
        let keepers = try fleet.tools.run(
            ["--show-keys", "server/keys/secret-keeping.pub.asc"], program: "/usr/bin/gpg")
        #expect(keepers.text.contains("267C71D61A93938E108CFAF500183075848CF95F"))

        try await fleet.start(port: original.port)
        // Recorded requests, byte for byte.
        let recorded = try JSONSerialization.jsonObject(
            with: Data(contentsOf: Self.vectors.appending(path: "wire/rsa3072/requests.json")))
        var taken = 0
        for request in try #require(recorded as? [[String: Any]]) {
            guard let name = request["name"] as? String,
                name.hasPrefix("submit_") || name.hasPrefix("update_"),
                let mustRefuse = request["must_refuse"] as? Bool, let body = request["body"] as? String,
                let path = request["path"] as? String,
                let headers = request["request_headers"] as? [String: String],
                let type = headers.first(where: { $0.key.lowercased() == "content-type" })?.value
            else { continue }
            try fleet.tools.write("body", body)
            let status = try fleet.tools.run(
                [
                    "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: \(type)",
                    "--data-binary", "@body", fleet.url(path),
                ], program: "/usr/bin/curl"
            ).text
            #expect((status == "200") != mustRefuse, "\(name): \(status)")
            if status == "200" { taken += 1 }
        }
        #expect(taken > 10)
        #expect(try fleet.admin("hosts", "list").contains { $0["hostname"] as? String == "vec-rsa3072" })

        // An agent of the original that is alive: its key signs, and it learns of no release but its own.
        let data = #"{"hostname": "old-one", "old_release": 1717286400}"#
        try fleet.tools.write("data", data)
        try fleet.tools.write("signature", try original.client.sign(data))
        let answer = try fleet.tools.run(
            [
                "-s", "--data-urlencode", "data@data", "--data-urlencode", "signature@signature",
                fleet.url("/penguindome/v1/update"),
            ], program: "/usr/bin/curl")
        #expect(answer.text.contains("current") && !answer.text.contains("out-of-date"))
        // A new agent joins with the kit, and speaks by the same key.
        let agent = fleet.tools.path("agent").path
        let joined = try fleet.run(
            "pd-agent", "join", "--kit", "\(fleet.serverState)/agent-kit", "--state", agent)
        #expect(joined.status == 0, "\(joined.errors)")
        #expect(try fleet.run("pd-agent", "cycle", "--state", agent).status == 0)
        try moveLaptop(fleet, original)

        // What was written lies in the original's database.
        #expect(try fleet.stop().status == 0)
        let again = try FleetRunner()
        #expect(try takeOver(again, original).status == 0)
        #expect(try again.admin("hosts", "list").contains { $0["hostname"] as? String == "vec-rsa3072" })
    }

    /// Has the script of docs/migrating.md put an agent in the place of the original's, below a directory.
    private func moveLaptop(_ fleet: FleetRunner, _ original: Original) throws {
        let script = Self.vectors.appending(path: "../../Scripts/move-from-original.sh").standardizedFileURL
        let agent = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-agent").path
        let cron = fleet.tools.path("root/etc/cron.d")
        try FileManager.default.createDirectory(at: cron, withIntermediateDirectories: true)
        let line = "* * * * * root \(original.directory)/bin/client-cron &>/dev/null\n"
        try fleet.tools.write("root/etc/cron.d/penguindome", line)
        try fleet.tools.write("root/etc/cron.d/other", "@daily root true\n")
        func move(digest: String) throws -> SharesToolRunner.Outcome {
            try fleet.tools.run(
                [
                    "AGENT=file://\(agent)", "SHA256=\(digest)", "ORIGINAL=\(original.directory)",
                    "ROOT=\(fleet.tools.path("root").path)", "/bin/sh", script.path,
                ], program: "/usr/bin/env")
        }
        let wrong = try move(digest: String(repeating: "0", count: 64))
        #expect(wrong.status != 0 && fleet.tools.exists("root/etc/cron.d/penguindome"))
        let digest = try fleet.tools.run([agent], program: "/usr/bin/sha256sum").text.prefix(64)
        for _ in 0..<2 {
            let moved = try move(digest: String(digest))
            #expect(moved.status == 0, "\(moved.errors)")
        }
        #expect(!fleet.tools.exists("root/etc/cron.d/penguindome"))
        #expect(fleet.tools.exists("root/etc/cron.d/other"))
        let status = try fleet.run(
            "pd-agent", "status", "--json", "--state", fleet.tools.path("root/var/lib/penguindome/agent").path
        )
        #expect(try status.text.contains(original.clientFingerprint))
        #expect(status.text.contains("\"waiting\": 0"))
    }

    @Test(
        "p184: a database that is not reached, a server that is there and a directory that is none are said, and harm nothing"
    )
    func failures() throws {
        let fleet = try FleetRunner()
        let original = try Original(fleet.tools, database: "database: {host: '127.0.0.1:1'}")
        let outcome = try takeOver(fleet, original)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("127.0.0.1"))
        let settings = try fleet.tools.text("server/server.yml")
        let again = try takeOver(fleet, original)
        #expect(again.status == 1 && again.errors.contains("there is a server"))
        #expect(try fleet.tools.text("server/server.yml") == settings)
        let none = try fleet.run(
            "pd-server", "setup", "--yes", "--from-original", "/usr", "--state",
            fleet.tools.path("other").path)
        #expect(none.status == 1 && none.errors.contains("/usr"), "\(none.errors)")
        #expect(!fleet.tools.exists("other/server.yml"))
    }

    @Test(
        "p183: what a cut left of taking over is taken over again, and the keys of another server are not written over"
    )
    func interrupted() throws {
        let fleet = try FleetRunner()
        let original = try Original(fleet.tools, database: "database: {host: '127.0.0.1:1'}")
        #expect(try takeOver(fleet, original).status == 0)
        // The settings come last.
        try FileManager.default.removeItem(atPath: "\(fleet.serverState)/server.yml")
        #expect(try takeOver(fleet, original).status == 0)
        try FileManager.default.removeItem(atPath: "\(fleet.serverState)/server.yml")
        let other = try Original(try SharesToolRunner(), database: "database: {host: '127.0.0.1:1'}")
        let refused = try takeOver(fleet, other)
        #expect(refused.status == 1 && refused.errors.contains("another server"))
    }

    @Test("p181: an import takes the keys of hosts alone, and names what it leaves out")
    func keyring() throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let original = try Original(fleet.tools, database: "")
        let state = ["--state", fleet.serverState]
        let keyring = "\(original.directory)/server/keyring"
        let taken = try fleet.run("pd-admin", ["keys", "import-keyring", keyring] + state)
        #expect(taken.status == 0, "\(taken.errors)")
        let keepers = "267C71D61A93938E108CFAF500183075848CF95F"
        #expect(!taken.text.contains(keepers))
        #expect(taken.errors.contains("\(keepers) is left out: it is the secret-keepers'"))
        #expect(try taken.errors.contains("\(original.serverFingerprint) is left out"))
        let keys = try fleet.admin("keys", "list").compactMap { $0["fingerprint"] as? String }
        #expect(try keys.contains(original.clientFingerprint) && !keys.contains(keepers))
        let asked = try fleet.run("pd-admin", ["keys", "import-keyring", keyring, keepers] + state)
        #expect(asked.status == 4 && asked.errors.contains("secret-keepers'"), "\(asked.errors)")
    }

    @Test(
        "p182: no release is published for agents of version 1 that would delete the original's client, unless that is wanted"
    )
    func deletion() throws {
        let fleet = try FleetRunner()
        let original = try Original(fleet.tools, database: "database: {host: '127.0.0.1:1'}")
        #expect(try takeOver(fleet, original).status == 0)
        let builder = ReleaseRunner(tools: fleet.tools)
        try fleet.tools.makeFolder("tree")
        try fleet.tools.write("tree/README", "what is new")
        try builder.release("keygen", "--out", "K")
        #expect(
            try fleet.run(
                "pd-admin", "keys", "add", "K/key.pub.asc", "--role", "release", "--state", fleet.serverState
            ).status == 0)
        try builder.makeRelease(1_800_000_001, key: "K/key.asc")
        let publish = [
            "publish", "1800000001.tar", "--v1-key", "server/keys/server.key.asc", "--state",
            fleet.serverState,
        ]
        let refused = try builder.run(publish)
        #expect(
            refused.status == 4 && refused.errors.contains("--replace-original-client"), "\(refused.errors)")
        #expect(refused.errors.contains("client/"))
        #expect(!fleet.tools.exists("server/releases/1800000001.manifest.sig"))
        // For agents of this software it harms nobody.
        try builder.release("publish", "1800000001.tar", "--state", fleet.serverState)
        try builder.makeRelease(1_800_000_002, key: "K/key.asc")
        let wanted = try builder.run(
            publish.map { $0.replacing("0001", with: "0002") } + ["--replace-original-client"])
        #expect(wanted.status == 0, "\(wanted.errors)")
        // From then on there is no client of the original's to be deleted.
        try builder.makeRelease(1_800_000_003, key: "K/key.asc")
        #expect(try builder.run(publish.map { $0.replacing("0001", with: "0003") }).status == 0)
    }
}
