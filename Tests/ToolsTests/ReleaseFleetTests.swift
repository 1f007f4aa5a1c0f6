import Foundation
import PDCrypto
import PDProtocol
import PDTestSupport
import Testing

@Suite("Releases, patches and commands in a fleet, as its users run them", .timeLimit(.minutes(10)))
struct ReleaseFleetTests {
    /// A server, a release builder, and agents that obey the builder's keys.
    private struct World {
        let fleet: FleetRunner
        let builder: ReleaseRunner
        let gpg: GPGHome
        let gpgKey: String

        init() async throws {
            fleet = try FleetRunner()
            builder = ReleaseRunner(tools: fleet.tools)
            try fleet.setUp()
            try builder.release("keygen", "--out", "K")
            gpg = try GPGHome(algorithm: "rsa3072", tools: fleet.tools)
            gpgKey = try builder.fingerprint(of: gpg)
            try fleet.tools.write("gpg.pub.asc", try gpg.gpg(["--armor", "--export", gpgKey]).text)
            for key in ["K/key.pub.asc", "gpg.pub.asc"] {
                for role in ["release", "patch", "command"] {
                    let added = try fleet.run(
                        "pd-admin", "keys", "add", builder.path(key), "--role", role, "--state",
                        fleet.serverState)
                    try #require(added.status == 0, "\(added.errors)")
                }
            }
            try await fleet.start()
        }

        /// Makes agents that obey both keys, and lets each report once.
        func join(_ names: String..., trusting roles: [String] = ["releases", "patches", "commands"]) throws {
            let ours = try fingerprint("K/key.pub.asc")
            let settings = try fleet.tools.text("server/agent-kit/agent.yml")
            for name in names {
                try fleet.tools.write(
                    "server/agent-kit/agent.yml",
                    settings + "hostname: \(name)\ntrust:\n"
                        + roles.map { "  \($0): [\(ours), \(gpgKey)]\n" }.joined())
                let joined = try fleet.run(
                    "pd-agent", "join", "--kit", "\(fleet.serverState)/agent-kit", "--state",
                    builder.path(name))
                try #require(joined.status == 0, "\(joined.errors)")
                try #require(agent(name, "cycle").status == 0)
            }
            try fleet.tools.write("server/agent-kit/agent.yml", settings)
        }

        func fingerprint(_ file: String) throws -> String {
            let shown = try fleet.tools.run(
                ["--show-keys", "--with-colons", builder.path(file)], program: "/usr/bin/gpg"
            ).text
            let line = try #require(shown.split(separator: "\n").first { $0.hasPrefix("fpr:") })
            return String(try #require(line.split(separator: ":").last))
        }

        @discardableResult
        func agent(_ name: String, _ arguments: String...) throws -> SharesToolRunner.Outcome {
            try fleet.run("pd-agent", arguments + ["--state", builder.path(name)])
        }

        @discardableResult
        func admin(_ arguments: String...) throws -> SharesToolRunner.Outcome {
            let outcome = try fleet.run("pd-admin", arguments + ["--state", fleet.serverState])
            try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
            return outcome
        }

        func publish(_ number: Int, _ signer: String...) throws {
            try builder.release("build", "tree", "--number", "\(number)", "--out", "\(number).tar")
            try builder.release(["sign", "\(number).tar"] + signer)
            try builder.release("publish", "\(number).tar", "--state", fleet.serverState)
        }

        /// What the server knows about a host.
        func host(_ name: String) throws -> [String: Any] {
            let shown = try admin("hosts", "show", name, "--json")
            return try #require(try JSONSerialization.jsonObject(with: shown.output) as? [String: Any])
        }

        func integrity(_ name: String) throws -> [String: Any] {
            let plugins = try #require(try host(name)["plugins"] as? [String: Any])
            return try #require(plugins["integrity"] as? [String: Any])
        }
    }

    @Test(
        "a release signed by us, one signed by gpg: published, installed, tampered with, reported, repaired, no way back"
    )
    func releases() async throws {
        let world = try await World()
        try world.join("laptop")
        #expect(try world.agent("laptop", "update").status == 0)
        #expect(try world.integrity("laptop")["status"] as? String == "none")

        try world.builder.write("tree/README", "one\n")
        try world.builder.write("tree/collectors/desk", "#!/bin/sh\necho '{\"lamp\": true}'\n", mode: 0o755)
        try world.publish(1, "--key", "K/key.asc")
        let installed = try world.agent("laptop", "update")
        #expect(installed.status == 42, "\(installed.errors)")
        #expect(try world.agent("laptop", "update").status == 0)
        #expect(try world.agent("laptop", "cycle").status == 0)
        #expect(try world.integrity("laptop")["status"] as? String == "intact")
        let plugins = try #require(try world.host("laptop")["plugins"] as? [String: Any])
        #expect((plugins["desk"] as? [String: Any])?["lamp"] as? Bool == true)

        // Somebody changes a collector: it is reported, and does not run.
        try world.builder.write(
            "laptop/releases/1/collectors/desk", "#!/bin/sh\ntouch \(world.builder.path("ran"))\necho 1\n",
            mode: 0o755)
        #expect(try world.agent("laptop", "verify").status == 1)
        #expect(try world.agent("laptop", "cycle").status == 0)
        #expect(try world.integrity("laptop")["changed"] as? [String] == ["collectors/desk"])
        let after = try #require(try world.host("laptop")["plugins"] as? [String: Any])
        #expect(
            ((after["desk"] as? [String: Any])?["reason"] as? String)?.contains("not as it was signed")
                == true)
        #expect(!world.fleet.tools.exists("ran"))

        // The next release, signed by gpg, repairs it.
        try world.builder.write("tree/README", "two\n")
        try world.publish(2, "--gpg-key", world.gpgKey, "--gpg-home", world.gpg.directory.path)
        #expect(try world.agent("laptop", "update").status == 42)
        #expect(try world.agent("laptop", "verify").status == 0)
        #expect(try world.agent("laptop", "cycle").status == 0)
        #expect(try world.integrity("laptop")["release"] as? Int == 2)
        #expect(try world.fleet.tools.text("laptop/releases/current/README") == "two\n")

        // p112: the server, or whoever stands before it, hands out the old one again.
        for suffix in ["manifest", "manifest.sig", "tar", "tar.sig"] {
            try FileManager.default.removeItem(atPath: "\(world.fleet.serverState)/releases/2.\(suffix)")
        }
        #expect(try world.agent("laptop", "update").status == 0)
        let back = try world.agent("laptop", "update", "--from", world.builder.path("1.tar"))
        #expect(back.status == 1 && back.errors.contains("--allow-downgrade 1"), "\(back.errors)")
        #expect(try world.agent("laptop", "update", "--allow-downgrade", "1").status == 1)
        #expect(try world.fleet.tools.text("laptop/releases/current/README") == "two\n")
    }

    @Test("p114_the agent of the release in use takes over, as long as it is what was signed")
    func takingOver() async throws {
        let world = try await World()
        try world.join("laptop")
        let mark = world.builder.path("mark")
        try world.builder.write(
            "tree/bin/pd-agent", "#!/bin/sh\necho \"$1 $PENGUINDOME_AGENT_HANDED_OVER\" >> \(mark)\n",
            mode: 0o755)
        try world.publish(1, "--key", "K/key.asc")
        #expect(try world.agent("laptop", "update").status == 42)
        #expect(try world.fleet.tools.text("mark") == "verify \ncycle \n")
        #expect(try world.agent("laptop", "cycle").status == 0)
        #expect(try world.agent("laptop", "update").status == 0)
        #expect(try world.fleet.tools.text("mark") == "verify \ncycle \ncycle 1\nupdate 1\n")
        // Changed, it is not run; the installed one does the work, and tells.
        try world.builder.write(
            "laptop/releases/1/bin/pd-agent", "#!/bin/sh\necho evil >> \(mark)\n", mode: 0o755)
        let cycle = try world.agent("laptop", "cycle")
        #expect(cycle.status == 0 && cycle.errors.contains("not as it was signed"), "\(cycle.errors)")
        #expect(try !world.fleet.tools.text("mark").contains("evil"))
        #expect(try world.integrity("laptop")["changed"] as? [String] == ["bin/pd-agent"])
    }

    @Test("a release whose agent does not start is left again, and the server hears why")
    func broken() async throws {
        let world = try await World()
        try world.join("laptop")
        try world.builder.write("tree/README", "good\n")
        try world.publish(1, "--key", "K/key.asc")
        #expect(try world.agent("laptop", "update").status == 42)
        try world.builder.write(
            "tree/bin/pd-agent", "#!/bin/sh\necho 'no such library' >&2\nexit 127\n", mode: 0o755)
        try world.publish(2, "--key", "K/key.asc")
        let failed = try world.agent("laptop", "update")
        #expect(failed.status == 1 && failed.errors.contains("release 1 is in use again"), "\(failed.errors)")
        #expect(try world.agent("laptop", "verify").status == 0)
        #expect(try world.agent("laptop", "cycle").status == 0)
        #expect((try world.integrity("laptop")["update"] as? String)?.contains("no such library") == true)
    }

    @Test(
        "a command on three of five hosts: run once on each of them, on no other, result kept, acknowledged")
    func command() async throws {
        let world = try await World()
        let names = ["h1", "h2", "h3", "h4", "h5"]
        for name in names { try world.join(name) }
        let marks = world.builder.path("marks")
        try world.fleet.tools.makeFolder("marks")
        let added = try world.admin(
            "commands", "run", "hello", "--shell", "echo done >> \(marks)/$(basename $0); echo hello",
            "--hosts",
            "h1,h3,h5", "--key", world.builder.path("K/key.asc"), "--no-wait")
        let id = String(added.text.prefix(24))
        for name in names {
            let outcome = try world.agent(name, "update")
            #expect(
                outcome.status == (["h1", "h3", "h5"].contains(name) ? 42 : 0), "\(name): \(outcome.errors)")
        }
        for name in names { #expect(try world.agent(name, "update").status == 0) }
        let results = try world.fleet.admin("commands", "results", "hello")
        #expect(results.compactMap { $0["host"] as? String }.sorted() == ["h1", "h3", "h5"])
        #expect(results.allSatisfy { ($0["result"] as? [String: Any])?["output"] as? String == "hello\n" })
        let mark = try #require(try world.fleet.tools.names("marks").first)
        #expect(try world.fleet.tools.text("marks/\(mark)") == "done\ndone\ndone\n")
        let listed = try #require(try world.fleet.admin("commands", "list").first)
        #expect(listed["id"] as? String == id && (listed["pending_hosts"] as? [String])?.isEmpty == true)
        #expect((listed["completed_hosts"] as? [String])?.sorted() == ["h1", "h3", "h5"])
    }

    @Test("the progress of a fleet-wide command is shown while hosts do it, and ends when all have")
    func progress() async throws {
        let world = try await World()
        try world.join("h1", "h2")
        let program = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-admin").path
        let watching = try world.fleet.tools.start(command: [
            program, "commands", "run", "hi", "--shell", "echo hi", "--all-hosts", "--wait", "--key",
            world.builder.path("K/key.asc"), "--state", world.fleet.serverState,
        ])
        for name in ["h1", "h2"] {
            for _ in 0..<100 {
                if try world.agent(name, "update").status == 42 { break }
                try await Task.sleep(for: .milliseconds(100))
            }
            try await Task.sleep(for: .seconds(1))
        }
        let outcome = try watching.finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            outcome.text.contains("1 of 2 hosts") && outcome.text.contains("2 of 2 hosts"), "\(outcome.text)")
    }

    @Test(
        "an order that is written on the server, signed elsewhere and sent is carried out; unsigned it is not sent"
    )
    func signedElsewhere() async throws {
        let world = try await World()
        try world.join("h")
        let file = world.builder.path("order.json")
        try world.admin("commands", "run", "far", "--shell", "echo far", "--hosts", "h", "--out", file)
        let send = ["orders", "send", file, "--state", world.fleet.serverState]
        #expect(try world.fleet.run("pd-admin", send).status == 4)
        let sign = ["orders", "sign", file, "--key", world.builder.path("K/key.asc")]
        #expect(try world.fleet.run("pd-admin", sign).status == 2, "nobody was asked")
        let signed = try world.fleet.run("pd-admin", sign + ["--yes"])
        #expect(signed.status == 0 && signed.errors.contains("hosts (1): h"), "\(signed)")
        #expect(signed.errors.contains("| echo far"), "\(signed)")
        let sent = try world.fleet.run("pd-admin", send)
        #expect(sent.status == 0, "\(sent)")
        #expect(try world.agent("h", "update").status == 42)
        let standing = try #require(try world.fleet.admin("orders", "list").first)
        #expect(standing["state"] as? String == "done" && standing["kind"] as? String == "command")
    }

    @Test("a command that fails is tried as often as told; one that hangs is killed; output is capped")
    func failingCommands() async throws {
        let world = try await World()
        try world.join("h")
        let key = world.builder.path("K/key.asc")
        let count = world.builder.path("count")
        try world.admin(
            "commands", "run", "fails", "--shell", "echo x >> \(count); echo why >&2; exit 3", "--hosts", "h",
            "--attempts", "2", "--key", key)
        try world.admin(
            "commands", "run", "hangs", "--shell", "sleep 100", "--time-limit", "1", "--hosts", "h", "--key",
            key)
        try world.admin(
            "commands", "run", "floods", "--shell", "yes | head -c 300000", "--output-limit", "1000",
            "--hosts", "h",
            "--key", key)
        for _ in 0..<3 { _ = try world.agent("h", "update") }
        #expect(try world.fleet.tools.text("count") == "x\nx\n")
        let commands = try #require(try world.host("h")["commands"] as? [String: Any])
        let fails = try #require(commands["fails"] as? [String: Any])
        #expect(fails["returncode"] as? Int == 3 && fails["stderr"] as? String == "why\n")
        let states = try world.fleet.admin("orders", "list").compactMap { order in
            (order["what"] as? String).flatMap { what in (order["state"] as? String).map { "\(what) \($0)" } }
        }
        #expect(Set(states) == ["fails failed", "hangs failed", "floods done"])
        let shown = try world.admin("commands", "results", "fails", "--host", "h").text
        #expect(shown.contains("exit code 3") && shown.contains("! why"), "\(shown)")
        let hangs = try #require(commands["hangs"] as? [String: Any])
        #expect((hangs["stderr"] as? String)?.contains("did not finish in time") == true)
        #expect(((commands["floods"] as? [String: Any])?["output"] as? String)?.utf8.count == 1000)
        // By their dates the server tells a captured result that is sent again from a new one.
        #expect(commands.values.allSatisfy { ($0 as? [String: Any])?["collected_at"] != nil })
        #expect(
            try world.fleet.admin("commands", "list").allSatisfy {
                ($0["pending_hosts"] as? [String])?.isEmpty == true
            })
    }

    @Test(
        "p107_p113_an order by a key that the agent, or the server, does not trust for it is not carried out")
    func untrusted() async throws {
        let world = try await World()
        try world.join("h", trusting: ["releases"])
        // The server's own key may sign nothing unless its owner says so.
        let refused = try world.fleet.run(
            "pd-admin", "commands", "run", "x", "--shell", "touch \(world.builder.path("ran"))", "--hosts",
            "h",
            "--state", world.fleet.serverState)
        #expect(refused.status == 4 && refused.errors.contains("may not sign a command"), "\(refused.errors)")
        // A key that the server lets sign, and the agent does not obey.
        try world.admin(
            "commands", "run", "x", "--shell", "touch \(world.builder.path("ran"))", "--hosts", "h", "--key",
            world.builder.path("K/key.asc"))
        let update = try world.agent("h", "update")
        #expect(update.status == 4 && update.errors.contains("1 of the orders that wait was refused"))
        let standing = try #require(try world.fleet.admin("orders", "list").first)
        #expect(standing["state"] as? String == "refused" && standing["host"] as? String == "h")
        #expect((standing["reason"] as? String)?.contains("not trusted here") == true)
        #expect(!world.fleet.tools.exists("ran"))
        #expect(try world.agent("h", "cycle").status == 0)
        let told = try #require(try world.integrity("h")["refused"] as? [[String: Any]])
        #expect((told.first?["reason"] as? String)?.contains("not trusted here") == true)
        let waiting = try #require(
            try world.fleet.admin("commands", "list").first?["pending_hosts"] as? [String])
        #expect(waiting == ["h"])
    }

    @Test(
        "p131_the signature over a file that an operator deployed gives no order and no release to another machine"
    )
    func signatureOfFile() async throws {
        let world = try await World()
        try world.join("laptop", "victim")
        let ran = world.builder.path("ran")
        // What the attacker gives the operator to deploy: no ordinary file, but an order for another machine.
        let script = Array("#!/bin/sh\ntouch \(ran)\n".utf8)
        let now = Int64(Date().timeIntervalSince1970)
        let server = try OpenPGP.Certificate(Array(try world.fleet.tools.read("server/keys/server.pub.asc")))
        let statement = try OrderStatement(
            id: "0123456789abcdef01234567",
            kind: .command(.init(name: "x", timeLimit: 60, attempts: 1, outputLimit: 100)),
            fleet: server.fingerprint, hosts: [try #require(Hostname("victim"))], created: now - 10,
            expires: now + 86_400,
            files: [SignedFile(path: try RelativePath("client/commands/x"), mode: 0o755, content: script)])
        try world.fleet.tools.write("config.json", Data(statement.json()))
        let add = [
            "patches", "add", "etc/app/config.json", "--file", world.builder.path("config.json"), "--hosts",
            "laptop", "--key", world.builder.path("K/key.asc"), "--state", world.fleet.serverState,
        ]
        // For agents of version 1 it would be signed as a file: not this one.
        func sql(_ text: String) throws -> String {
            let outcome = try world.fleet.tools.run(
                [world.builder.path("server/fleet.sqlite"), "PRAGMA foreign_keys = 1; " + text],
                program: "/usr/bin/sqlite3")
            try #require(outcome.status == 0, "\(outcome.errors)")
            return outcome.text
        }
        func hex(_ bytes: [UInt8]) -> String {
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let refused = try world.fleet.run("pd-admin", add + ["--v1"])
        #expect(refused.status == 1 && refused.errors.contains("the form of an order"), "\(refused.errors)")
        let added = try world.fleet.run("pd-admin", add)
        #expect(added.status == 0, "\(added.errors)")
        let files = "SELECT count(*) FROM patch_files WHERE path LIKE 'signatures/%'"
        #expect(try sql(files) == "0\n")

        // What signs without a look, such as gpg or an older version of this software, gives the attacker his signature.
        let key = try OpenPGP.SecretKey(Array(try world.fleet.tools.read("K/key.asc")))
        let signatures: [[UInt8]] = [
            try key.detachedSignature(of: statement.json(), for: .file, at: .init(now)),
            try key.signDetachedWithoutPurpose(statement.json(), at: .init(now)),
            Array(
                try world.gpg.gpg(["--output", "-", "--detach-sign", world.builder.path("config.json")])
                    .output),
        ]
        for signature in signatures {
            // The broken-into server offers it.
            _ = try sql("DELETE FROM patches WHERE id = '\(statement.id)'")
            _ = try sql(
                """
                INSERT INTO patches (id, submitted_at, statement, signature)
                VALUES ('\(statement.id)', 1, X'\(hex(statement.json()))', X'\(hex(signature))');
                INSERT INTO patch_files SELECT number, 0, 'client/commands/x', 493, X'\(hex(script))'
                FROM patches WHERE id = '\(statement.id)';
                INSERT INTO patch_hosts (patch, position, hostname) SELECT number, 0, 'victim'
                FROM patches WHERE id = '\(statement.id)'
                """)
            let update = try world.agent("victim", "update")
            #expect(
                update.status == 4 && update.errors.contains("1 of the orders that wait was refused"),
                "\(update)")
            #expect(!world.fleet.tools.exists("ran"))
            #expect(try world.agent("victim", "cycle").status == 0)
            let told = try #require(try world.integrity("victim")["refused"] as? [[String: Any]])
            let reason = try #require(told.first?["reason"] as? String)
            #expect(
                reason.contains("made for file-1, not for order-1")
                    || reason.contains("does not say what it is for"),
                "\(reason)")
        }

        // The same with a manifest, and a machine that trusts the key for releases alone.
        try world.builder.write("tree/README", "one\n")
        try world.builder.release("build", "tree", "--number", "9", "--out", "9.tar")
        let manifest = Array(try world.fleet.tools.read("9.manifest"))
        for signature in [
            try key.detachedSignature(of: manifest, for: .file, at: .init(now)),
            try key.detachedSignature(of: manifest, for: .order, at: .init(now)),
            try key.signDetachedWithoutPurpose(manifest, at: .init(now)),
        ] {
            try world.fleet.tools.write("9.manifest.sig", Data(signature))
            let update = try world.agent("victim", "update", "--from", world.builder.path("9.tar"))
            #expect(update.status == 1, "\(update)")
            #expect(!world.fleet.tools.exists("victim/releases/current"))
        }
        try world.builder.release("sign", "9.tar", "--key", "K/key.asc")
        let good = try world.agent("victim", "update", "--from", world.builder.path("9.tar"))
        #expect(good.status == 42, "\(good)")
    }

    @Test(
        "a patch puts a collector on a host, is acknowledged and verified; the next one takes it off; conflicts are refused"
    )
    func orders() async throws {
        let world = try await World()
        try world.join("h")
        try world.builder.write("tree/README", "one\n")
        try world.publish(1, "--key", "K/key.asc")
        #expect(try world.agent("h", "update").status == 42)
        try world.builder.write("door", "#!/bin/sh\necho '\"shut\"'\n")
        let add = [
            "patches", "add", "collectors/door", "--file", world.builder.path("door"), "--mode", "755",
            "--hosts", "h",
            "--gpg-key", world.gpgKey, "--gpg-home", world.gpg.directory.path, "--state",
            world.fleet.serverState,
        ]
        #expect(try world.fleet.run("pd-admin", add).status == 0)
        let twice = try world.fleet.run("pd-admin", add)
        #expect(twice.status == 1, "\(twice.text)")
        #expect(try world.agent("h", "update").status == 42)
        #expect(try world.agent("h", "update").status == 0)
        #expect(try world.agent("h", "cycle").status == 0)
        let plugins = try #require(try world.host("h")["plugins"] as? [String: Any])
        #expect(plugins["door"] as? String == "shut")
        #expect(try world.integrity("h")["patched"] as? [String] == ["collectors/door"])
        #expect(try world.fleet.admin("patches", "list").first?["completed_hosts"] as? [String] == ["h"])

        // A patched file is verified as well.
        try world.builder.write("h/orders/files-1/collectors/door", "#!/bin/sh\necho 1\n", mode: 0o755)
        #expect(try world.agent("h", "verify").status == 1)
        try await Task.sleep(for: .seconds(1))
        try world.admin(
            "patches", "remove", "collectors/door", "--hosts", "h", "--key", world.builder.path("K/key.asc"))
        #expect(try world.agent("h", "update").status == 42)
        #expect(try world.agent("h", "verify").status == 0)
        #expect(try world.agent("h", "cycle").status == 0)
        #expect((try world.host("h")["plugins"] as? [String: Any])?["door"] == nil)
        for path in ["../x", "/etc/x", "a//b", "a/.."] {
            let bad = try world.fleet.run(
                "pd-admin", "patches", "add", path, "--file", world.builder.path("door"), "--hosts", "h",
                "--key",
                world.builder.path("K/key.asc"), "--state", world.fleet.serverState)
            #expect(bad.status == 2, "\(path): \(bad.errors)")
        }
    }

    @Test("parameters link hosts both ways, unknown names are refused; hosts are suspended, renamed, deleted")
    func administration() async throws {
        let world = try await World()
        try world.join("a", "b", "c")
        try world.admin("parameters", "set", "a", "user_email", "ada@example.com")
        try world.admin("parameters", "set", "a", "user_clients", "b", "c")
        func links() throws -> [String: [String]] {
            let rows = try world.fleet.admin("parameters", "list").filter {
                $0["parameter"] as? String == "user_clients"
            }
            return Dictionary(
                rows.map { ($0["host"] as? String ?? "", ($0["values"] as? [String] ?? []).sorted()) },
                uniquingKeysWith: { $1 })
        }
        #expect(try links() == ["a": ["b", "c"], "b": ["a"], "c": ["a"]])
        try world.admin("parameters", "set", "a", "user_clients", "c")
        #expect(try links() == ["a": ["c"], "c": ["a"]])
        try world.admin("parameters", "unset", "c", "user_clients", "--yes")
        #expect(try links() == [:])
        for bad in [
            ["a", "user_phone", "1"], ["a", "user_email", "no address"], ["a", "user_clients", "a"],
        ] {
            let outcome = try world.fleet.run(
                "pd-admin", ["parameters", "set"] + bad + ["--state", world.fleet.serverState])
            #expect(outcome.status == 2, "\(bad): \(outcome.errors)")
        }
        #expect(
            try world.fleet.run(
                "pd-admin", "parameters", "set", "nobody", "user_email", "x@y", "--state",
                world.fleet.serverState
            ).status == 1)
        try world.admin("hosts", "suspend", "a")
        #expect(try world.host("a")["suspended"] as? Bool == true)
        try world.admin("hosts", "resume", "a")
        #expect(try world.host("a")["suspended"] as? Bool != true)
        try world.admin("hosts", "rename", "b", "d")
        try world.admin("hosts", "delete", "c", "--yes")
        #expect(
            try world.fleet.admin("hosts", "list").compactMap { $0["hostname"] as? String }.sorted() == [
                "a", "d",
            ])
    }
}
