import Foundation
import PDTestSupport
import Testing

@Suite("Administering a server by its tools")
struct ServerToolTests {
    /// A server's state that is set up.
    private func server() throws -> FleetRunner {
        let fleet = try FleetRunner()
        try fleet.setUp()
        return fleet
    }

    private func settings(_ fleet: FleetRunner) throws -> String {
        try String(contentsOfFile: fleet.serverState + "/server.yml", encoding: .utf8)
    }

    @Test("the counters that libmongoc makes are left by no run, and those of a killed one disturb none")
    func mongoCounters() throws {
        let tools = try SharesToolRunner()
        let program = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-admin").path
        let outcome = try tools.run(
            ["-c", "touch /dev/shm/mongoc-$$; echo $$; exec \(program) --version"], program: "/bin/sh")
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        let number = outcome.text.split(separator: "\n")[0]
        #expect(!FileManager.default.fileExists(atPath: "/dev/shm/mongoc-\(number)"))
    }

    @Test("pd-server --version says its version, and check-config says whether the server could start")
    func checkConfig() throws {
        let fleet = try server()
        let version = try fleet.run("pd-server", "--version")
        #expect(version.status == 0 && version.text.contains("."))
        let good = try fleet.run("pd-server", "check-config", "--state", fleet.serverState)
        #expect(good.status == 0 && good.text.contains("is good"), "\(good.errors)")
        let file = fleet.serverState + "/server.yml"
        let before = try settings(fleet)
        for (mistake, told) in [
            ("prot: 1\n", "did you mean port?"), ("ssl: {enabled: true}\n", "needs a certificate"),
            ("metrics: {allow: everybody}\n", "neither an address nor a range"),
        ] {
            try (before + mistake).write(toFile: file, atomically: true, encoding: .utf8)
            let bad = try fleet.run("pd-server", "check-config", "--state", fleet.serverState)
            #expect(bad.status == 2 && bad.errors.contains(told), "\(bad.errors)")
            #expect(bad.errors.contains("server.yml:"))
        }
    }

    @Test("check-config and serve name the line of what the server could not use")
    func unusableSettings() throws {
        let fleet = try server()
        let file = fleet.serverState + "/server.yml"
        let before = try settings(fleet)
        let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
        let logging = try #require(lines.firstIndex { $0.hasPrefix("logging:") })
        let address = try #require(lines.firstIndex { $0.hasPrefix("address:") })
        let kept = lines[..<logging].joined(separator: "\n") + "\n"
        let moved = lines.enumerated().map {
            $0.offset == address ? "address: 192.0.2.1" : String($0.element)
        }
        for (text, line, told) in [
            (kept + "logging:\n  handler: file\n  file: .\n", logging + 3, "not a plain file"),
            (kept + "logging: {handler: file, file: nowhere/log}\n", logging + 1, "no directory"),
            (moved.joined(separator: "\n"), address + 1, "192.0.2.1"),
            (
                before + "ssl:\n  enabled: true\n  certificate: none.crt\n  key: none.key\n", lines.count + 2,
                "none.crt"
            ),
        ] {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            for command in ["check-config", "serve"] {
                let bad = try fleet.run("pd-server", command, "--state", fleet.serverState)
                #expect(bad.status == 2 && bad.errors.contains(told), "\(command): \(bad.errors)")
                #expect(bad.errors.contains("server.yml:\(line): "), "\(command): \(bad.errors)")
            }
        }
        try (kept + "logging: {handler: file, file: server.log}\n").write(
            toFile: file, atomically: true, encoding: .utf8)
        let good = try fleet.run("pd-server", "check-config", "--state", fleet.serverState)
        #expect(good.status == 0, "\(good.errors)")
    }

    @Test("check-config sees a database and keys that are none, and a certificate that has expired")
    func unusableState() throws {
        let fleet = try server()
        for (name, told) in [
            ("fleet.sqlite", "not a database"), ("keys/server.key.asc", "server.key.asc"),
            ("keys/server.pub.asc", "server.pub.asc"),
        ] {
            let path = "\(fleet.serverState)/\(name)"
            let content = try Data(contentsOf: URL(filePath: path))
            for spoiled in [Data("garbage".utf8), nil] {
                if let spoiled {
                    try spoiled.write(to: URL(filePath: path))
                } else {
                    try FileManager.default.removeItem(atPath: path)
                }
                let bad = try fleet.run("pd-server", "check-config", "--state", fleet.serverState)
                if spoiled == nil, name.hasPrefix("keys/") {
                    // The one may be kept on another machine, the other is made again. The server starts.
                    #expect(bad.status == 0 && bad.text.contains("note: \(path) is not there"), "\(bad.text)")
                    continue
                }
                #expect(bad.status == 2, "\(name): \(bad.text)")
                #expect(bad.errors.contains(spoiled == nil ? path : told), "\(bad.errors)")
            }
            try content.write(to: URL(filePath: path))
        }
        let script = """
            cd "$0" && openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=h \
              -keyout old.key -out old.csr && openssl x509 -req -in old.csr -signkey old.key -days -1 -out old.crt
            """
        let made = try fleet.tools.run(["-c", script, fleet.serverState], program: "/bin/sh")
        try #require(made.status == 0, "\(made.errors)")
        try (settings(fleet) + "ssl: {enabled: true, certificate: old.crt, key: old.key}\n").write(
            toFile: fleet.serverState + "/server.yml", atomically: true, encoding: .utf8)
        let noted = try fleet.run("pd-server", "check-config", "--state", fleet.serverState)
        #expect(noted.status == 0 && noted.text.contains("old.crt expired at 20"), "\(noted.text)")
    }

    @Test("a port that is taken is named, alone, in one line")
    func takenPort() throws {
        let fleet = try server()
        let (descriptor, taken) = try FleetRunner.boundSocket()
        defer { close(descriptor) }
        try #require(listen(descriptor, 1) == 0)
        let file = fleet.serverState + "/server.yml"
        let text = try settings(fleet).split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("port:")
                ? "port: [\(fleet.port), \(taken)]" : line.hasPrefix("address:") ? "address: 127.0.0.1" : line
        }
        try text.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
        let outcome = try fleet.run("pd-server", "serve", "--state", fleet.serverState)
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.hasSuffix("cannot listen on 127.0.0.1 port \(taken): Address already in use\n"))
        for noise in ["CancellationError", "Already closed", " error "] {
            #expect(!outcome.errors.contains(noise), "\(outcome.errors)")
        }
    }

    @Test(
        "a server that is killed leaves no name of its in shared memory, about which a later one would complain"
    )
    func sharedMemory() async throws {
        let fleet = try server()
        try await fleet.start()
        let process = try #require(fleet.server).process.processIdentifier
        try fleet.kill()
        #expect(!FileManager.default.fileExists(atPath: "/dev/shm/mongoc-\(process)"))
    }

    @Test("p34 neither the server nor its tools leave secrets in core dumps")
    func coreDumps() async throws {
        let fleet = try server()
        try await fleet.start()
        #expect(try !#require(fleet.server).dumpsCore())
        #expect(try fleet.stop().status == 0)
        // It waits for a password.
        let admin = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-admin").path
        let running = try fleet.tools.start(
            command: [admin, "passwords", "set", "fred", "--state", fleet.serverState])
        for _ in 0..<500 where try running.dumpsCore() { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try !running.dumpsCore())
        try running.input.close()
        #expect(try running.finish().status == 2)
    }

    @Test("p102_p35 a password is read from standard input, and only its hash is kept")
    func passwords() throws {
        let fleet = try server()
        let state = fleet.serverState
        let admin = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-admin").path
        let set = try fleet.tools.run(
            ["passwords", "set", "fred", "--endpoint", "download_release", "--state", state], program: admin,
            input: Data("open sesame\n".utf8))
        #expect(set.status == 0, "\(set.errors)")
        #expect(!set.text.contains("sesame") && !set.errors.contains("sesame"))
        let text = try settings(fleet)
        #expect(text.contains("fred: $pbkdf2-sha256$600000$") && !text.contains("sesame"))
        #expect(text.contains("# The TCP port on which agents deliver."))
        let list = try fleet.run("pd-admin", "passwords", "list", "--json", "--state", state)
        #expect(list.text.contains("\"fred\"") && list.text.contains("download_release"))
        #expect(!list.text.contains("pbkdf2"))
        let carriage = try fleet.tools.run(
            ["passwords", "set", "anna", "--state", state], program: admin, input: Data("\r\n".utf8))
        #expect(carriage.status == 2 && carriage.errors.contains("empty"))
        let argument = try fleet.run("pd-admin", "passwords", "set", "fred", "secret", "--state", state)
        #expect(argument.status == 2)
        let colon = try fleet.run("pd-admin", "passwords", "set", "a:b", "--state", state)
        #expect(colon.status == 2)
        let empty = try fleet.tools.run(["passwords", "set", "anna", "--state", state], program: admin)
        #expect(empty.status == 2 && empty.errors.contains("empty"))
        let remove = try fleet.run(
            "pd-admin", "passwords", "remove", "fred", "--endpoint", "download_release", "--state", state)
        #expect(remove.status == 0, "\(remove.errors)")
        // An endpoint whose last password is gone does not become open to everybody.
        #expect(try settings(fleet).contains("download_release"))
        let again = try fleet.run(
            "pd-admin", "passwords", "remove", "fred", "--endpoint", "download_release", "--state", state)
        #expect(again.status == 1)
    }

    @Test("changes of the settings that are made at once are all made")
    func changesAtOnce() throws {
        let fleet = try server()
        let admin = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-admin").path
        let ports = (20_001...20_009).map { "\($0)" }
        let running = try ports.map {
            try fleet.tools.start(command: [admin, "ports", "add", $0, "--state", fleet.serverState])
        }
        for one in running { #expect(try one.finish().status == 0) }
        let list = try fleet.run("pd-admin", "ports", "list", "--state", fleet.serverState).text
        #expect(ports.filter { !list.contains($0) } == [])
    }

    @Test("what changes while somebody types a password stays changed")
    func changeWhileTyping() async throws {
        let fleet = try server()
        let admin = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-admin").path
        let typing = try fleet.tools.start(
            command: [admin, "passwords", "set", "fred", "--state", fleet.serverState])
        // The question is open, once it has read what there is to read.
        for _ in 0..<500 where try typing.dumpsCore() { try await Task.sleep(for: .milliseconds(10)) }
        try await Task.sleep(for: .milliseconds(300))
        let add = try fleet.run("pd-admin", "ports", "add", "20001", "--state", fleet.serverState)
        #expect(add.status == 0, "\(add.errors)")
        try typing.input.write(contentsOf: Data("open sesame\n".utf8))
        try typing.input.close()
        #expect(try typing.finish().status == 0)
        let text = try settings(fleet)
        #expect(text.contains("fred") && text.contains("20001"))
    }

    @Test("ports are added, changed and removed, and the server serves what they say")
    func ports() async throws {
        let fleet = try server()
        let state = fleet.serverState
        let second = try FleetRunner.freePort()
        func admin(_ arguments: String...) throws -> SharesToolRunner.Outcome {
            try fleet.run("pd-admin", ["ports"] + arguments + ["--state", state])
        }
        let add = try admin("add", "\(second)", "--self-signed", "localhost", "--days", "30", "--deprecated")
        #expect(add.status == 0, "\(add.errors)")
        #expect(try admin("add", "\(second)").status == 1)
        #expect(try admin("add", "99999").status == 2)
        #expect(try admin("configure", "\(second)").status == 2)
        #expect(try admin("configure", "\(second)", "--tls", "--no-tls").status == 2)
        #expect(try admin("add", "5555", "--self-signed", "localhost", "--days", "826").status == 1)
        #expect(try admin("add", "5555", "--certificate", "/dev/null", "--key", "/dev/null").status == 1)
        let list = try admin("list")
        #expect(list.text.contains("\(second)") && list.text.contains("yes"))
        try await fleet.start()
        let tls = try fleet.tools.run(
            [
                "-sS", "--cacert", "\(state)/tls/\(second).crt", "--resolve", "localhost:\(second):127.0.0.1",
                "https://localhost:\(second)/healthz",
            ],
            program: "/usr/bin/curl")
        #expect(tls.text == "ok", "\(tls.errors)")
        #expect(try fleet.stop().status == 0)
        #expect(try admin("configure", "\(second)", "--no-deprecated", "--no-tls").status == 0)
        #expect(try admin("remove", "\(fleet.port)").status == 0)
        #expect(try admin("remove", "\(second)").status == 1)
        let client = try admin("client", "\(second)", "--host", "mdm.example.com")
        #expect(client.text.contains("http://mdm.example.com:\(second)"), "\(client.errors)")
        #expect(
            try String(contentsOfFile: state + "/agent-kit/agent.yml", encoding: .utf8)
                .contains("server_url: http://mdm.example.com:\(second)"))
        #expect(try settings(fleet).contains("# trace, debug, info"))
    }

    @Test(
        "client keys are taken from a GnuPG home without the server's own, and retired ones are shown as that"
    )
    func keyring() throws {
        let fleet = try server()
        let home = fleet.tools.path("gnupg").path
        let export = fleet.tools.path("client.asc").path
        let script = """
            set -e
            mkdir -m 700 "$0" "$0.other"
            for uid in client; do
              GNUPGHOME="$0.other" gpg --batch --quiet --passphrase '' --quick-gen-key $uid ed25519 sign never
              GNUPGHOME="$0.other" gpg --batch --armor --export $uid >"$1"
            done
            GNUPGHOME="$0" gpg --batch --quiet --passphrase '' --quick-gen-key server ed25519 sign never
            GNUPGHOME="$0" gpg --batch --quiet --import "$1"
            """
        let made = try fleet.tools.run(["-c", script, home, export], program: "/bin/sh")
        try #require(made.status == 0, "\(made.errors)")
        let taken = try fleet.run(
            "pd-admin", "keys", "import-keyring", home, "--state", fleet.serverState)
        #expect(taken.status == 0, "\(taken.errors)")
        #expect(taken.text.split(separator: "\n").count == 1)
        let fingerprint = String(taken.text.prefix(40))
        let list = try fleet.run("pd-admin", "keys", "list", "--state", fleet.serverState)
        #expect(list.text.contains(fingerprint) && !list.text.contains("server"))
        let retire = try fleet.run("pd-admin", "keys", "retire", fingerprint, "--state", fleet.serverState)
        #expect(retire.status == 0, "\(retire.errors)")
        let after = try fleet.run("pd-admin", "keys", "list", "--state", fleet.serverState)
        #expect(after.text.contains { $0 == "\n" } && after.text.contains("retired"))
        #expect(
            try fleet.run("pd-admin", "keys", "retire", fingerprint, "--state", fleet.serverState).status == 1
        )
        #expect(
            try fleet.run("pd-admin", "keys", "import-keyring", "/nowhere", "--state", fleet.serverState)
                .status == 1)
        _ = try fleet.tools.run(
            ["-c", "for h in \"$0\" \"$0.other\"; do GNUPGHOME=$h gpgconf --kill all; done", home],
            program: "/bin/sh")
    }

    @Test("a retired key signs again only where that is asked for")
    func retiredKey() throws {
        let fleet = try server()
        let home = try GPGHome(algorithm: "ed25519", tools: fleet.tools)
        let key = fleet.tools.path("key.asc").path
        #expect(try home.gpg(["--armor", "--output", key, "--export"]).status == 0)
        func keys(_ arguments: String...) throws -> SharesToolRunner.Outcome {
            try fleet.run("pd-admin", ["keys"] + arguments + ["--state", fleet.serverState])
        }
        let added = try keys("add", key, "--role", "client")
        let fingerprint = String(added.text.prefix(40))
        func row() throws -> String {
            try #require(keys("list").text.split(separator: "\n").first { $0.contains(fingerprint) })
                .description
        }
        #expect(try keys("retire", fingerprint).status == 0)
        for refused in [
            try keys("import-keyring", home.directory.path, fingerprint),
            try keys("add", key, "--role", "client"),
        ] {
            #expect(refused.status == 1 && refused.errors.contains("--retired"), "\(refused.errors)")
            #expect(try row().hasSuffix("retired"))
        }
        #expect(try keys("import-keyring", home.directory.path, fingerprint, "--retired").status == 0)
        #expect(try row().hasSuffix("good"))
        #expect(try keys("retire", fingerprint).status == 0)
        #expect(try keys("add", key, "--role", "client", "--retired").status == 0)
        #expect(try row().hasSuffix("good"))
    }

    @Test("an older copy of a key takes nothing back: neither a revocation nor a later end")
    func olderCopies() async throws {
        let fleet = try server()
        let home = try GPGHome(algorithm: "ed25519", tools: fleet.tools)
        let fingerprint = try String(
            #require(
                home.gpg(["--with-colons", "--list-keys"]).text.split(separator: "\n")
                    .first { $0.hasPrefix("fpr:") }
            ).split(separator: ":")[1])
        func copy(_ name: String) throws -> String {
            let file = fleet.tools.path(name).path
            try #require(home.gpg(["--armor", "--output", file, "--export"]).status == 0)
            return file
        }
        func expire(_ when: String) throws {
            let set = try home.gpg(["--passphrase", "", "--quick-set-expire", fingerprint, when])
            try #require(set.status == 0, "\(set.errors)")
        }
        func state(after file: String, _ flags: String...) throws -> String {
            let added = try fleet.run(
                "pd-admin",
                ["keys", "add", file, "--role", "client", "--state", fleet.serverState] + flags)
            try #require(added.status == 0, "\(added.errors)")
            let list = try fleet.run("pd-admin", "keys", "list", "--state", fleet.serverState)
            return try #require(list.text.split(separator: "\n").first { $0.contains(fingerprint) })
                .description
        }
        try await Task.sleep(for: .seconds(1.1))
        try expire("seconds=1")
        let short = try copy("short.asc")
        try await Task.sleep(for: .seconds(2.1))
        #expect(try state(after: short, "--force").contains("expired"))
        try expire("never")
        let renewed = try copy("renewed.asc")
        #expect(try state(after: renewed).hasSuffix("good"))
        #expect(try state(after: short).hasSuffix("good"))
        let revocation = home.directory.appending(path: "openpgp-revocs.d/\(fingerprint).rev")
        let text = try String(contentsOf: revocation, encoding: .utf8)
        let armored = text.replacing(":-----BEGIN", with: "-----BEGIN")
        try #require(home.gpg(["--import"], input: Data(armored.utf8)).status == 0)
        #expect(try state(after: try copy("revoked.asc")).contains("revoked"))
        #expect(try state(after: renewed).contains("revoked"))
    }

    @Test("a file that is no key is listed as that, and keeps nobody from retiring another")
    func unreadableKeyFile() throws {
        let fleet = try server()
        let client = fleet.serverState + "/keys/client"
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: client).first)
        try "garbage".write(toFile: client + "/stray.asc", atomically: true, encoding: .utf8)
        let list = try fleet.run("pd-admin", "keys", "list", "--state", fleet.serverState)
        #expect(list.status == 0 && list.text.contains("unreadable"), "\(list.errors)")
        #expect(list.text.contains("stray.asc") && list.text.contains("good"))
        #expect(try fleet.admin("keys", "list").count == 2)
        let retire = try fleet.run(
            "pd-admin", "keys", "retire", String(name.prefix(40)), "--state", fleet.serverState)
        #expect(retire.status == 0, "\(retire.errors)")
        // The server would not start with it.
        let check = try fleet.run("pd-server", "check-config", "--state", fleet.serverState)
        #expect(check.status == 2 && check.errors.contains("stray.asc"), "\(check.errors)")
    }

    @Test("settings that are a link stay one, and their file keeps its mode, owner and group")
    func linkedSettings() throws {
        let fleet = try server()
        let link = fleet.serverState + "/server.yml"
        let file = fleet.tools.path("elsewhere.yml").path
        try FileManager.default.moveItem(atPath: link, toPath: file)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        try #require(chmod(file, 0o640) == 0)
        if geteuid() == 0 { try #require(chown(file, 65_533, 65_532) == 0) }
        var before = stat()
        try #require(lstat(file, &before) == 0)
        let add = try fleet.run("pd-admin", "ports", "add", "20001", "--state", fleet.serverState)
        #expect(add.status == 0, "\(add.errors)")
        var after = stat()
        try #require(lstat(file, &after) == 0)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == file)
        #expect(after.st_mode == before.st_mode)
        #expect(after.st_uid == before.st_uid && after.st_gid == before.st_gid)
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("20001"))
        // Whoever has broken into the server must not lead root elsewhere.
        guard geteuid() == 0 else { return }
        try #require(lchown(link, 65_534, 65_534) == 0)
        let refused = try fleet.run("pd-admin", "ports", "add", "20002", "--state", fleet.serverState)
        #expect(refused.status == 1 && refused.errors.contains("follow the link"), "\(refused.errors)")
        #expect(try !String(contentsOfFile: file, encoding: .utf8).contains("20002"))
    }

    @Test(
        "setup gives all of a state that came back as root's to its owner, and nothing outside",
        .enabled(if: geteuid() == 0))
    func restoredState() throws {
        let fleet = try server()
        let state = fleet.serverState
        let outside = fleet.tools.path("outside").path
        let twice = fleet.tools.path("twice").path
        for file in [outside, twice] { try "x".write(toFile: file, atomically: true, encoding: .utf8) }
        try FileManager.default.createSymbolicLink(
            atPath: state + "/keys/link", withDestinationPath: outside)
        try FileManager.default.linkItem(atPath: twice, toPath: state + "/keys/twice")
        func owner(_ path: String) throws -> uid_t {
            var info = stat()
            try #require(lstat(path, &info) == 0)
            return info.st_uid
        }
        try #require(chown(state, 65_534, 65_534) == 0)
        let again = try fleet.run("pd-server", "setup", "--yes", "--state", state)
        #expect(again.status == 0, "\(again.errors)")
        for name in try FileManager.default.subpathsOfDirectory(atPath: state)
        where !["keys/link", "keys/twice"].contains(name) {
            #expect(try owner("\(state)/\(name)") == 65_534, "\(name)")
        }
        #expect(try owner(outside) == 0 && owner(twice) == 0)
    }

    @Test("a port that only the privileged may open is said to need setup, which lets the unit open it")
    func lowPort() throws {
        let fleet = try server()
        let add = try fleet.run("pd-admin", "ports", "add", "443", "--state", fleet.serverState)
        #expect(add.status == 0 && add.text.contains("pd-server setup"), "\(add.text)")
        let configure = try fleet.run(
            "pd-admin", "ports", "configure", "443", "--deprecated", "--state", fleet.serverState)
        #expect(configure.text.contains("pd-server setup"))
        let high = try fleet.run("pd-admin", "ports", "add", "20001", "--state", fleet.serverState)
        #expect(high.status == 0 && !high.text.contains("setup"))
        let root = fleet.tools.path("root").path
        let unit = root + "/usr/lib/systemd/system/penguindome-server.service"
        func setUp() throws -> String {
            let outcome = try fleet.run("pd-server", "setup", "--yes", "--root", root)
            try #require(outcome.status == 0, "\(outcome.errors)")
            return try String(contentsOfFile: unit, encoding: .utf8)
        }
        #expect(try !setUp().contains("CAP_NET_BIND_SERVICE"))
        let file = root + "/var/lib/penguindome/server/server.yml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try (text + "local_port: 81\n").write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try setUp().contains("AmbientCapabilities=CAP_NET_BIND_SERVICE"))
    }

    @Test("a port that is added uses the certificate of all ports, and comments beside it stay")
    func commonTLS() throws {
        let fleet = try server()
        func ports(_ arguments: String...) throws -> SharesToolRunner.Outcome {
            let outcome = try fleet.run("pd-admin", ["ports"] + arguments + ["--state", fleet.serverState])
            try #require(outcome.status == 0, "\(outcome.errors)")
            return outcome
        }
        func row(_ port: Int) throws -> String {
            try #require(ports("list").text.split(separator: "\n").first { $0.hasPrefix("\(port) ") })
                .description
        }
        _ = try ports("add", "20001", "--self-signed", "localhost")
        let file = fleet.serverState + "/server.yml"
        try """
        port:
          20002:
            # for the old laptops
            deprecated: false
        ssl: {enabled: true, certificate: tls/20001.crt, key: tls/20001.key}

        """.write(toFile: file, atomically: true, encoding: .utf8)
        _ = try ports("add", "20003")
        #expect(try row(20_003).contains("tls/20001.crt"))
        _ = try ports("configure", "20002", "--deprecated")
        #expect(try row(20_002).contains("tls/20001.crt"))
        #expect(try settings(fleet).contains("# for the old laptops"))
        _ = try ports("configure", "20003", "--no-tls")
        #expect(try !row(20_003).contains("tls/20001.crt"))
        try "port: [20004]\nssl: {enabled: true, certificate: tls/20001.crt, key: tls/20001.key}\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        _ = try ports("add", "20005")
        #expect(try row(20_004).contains("tls/20001.crt") && row(20_005).contains("tls/20001.crt"))
    }

    @Test(
        "a certificate that vouches for itself takes no other's place, and none at all where it is not used")
    func selfSignedOverwritesNothing() throws {
        let fleet = try server()
        let tls = fleet.serverState + "/tls"
        func ports(_ arguments: String...) throws -> SharesToolRunner.Outcome {
            try fleet.run("pd-admin", ["ports"] + arguments + ["--state", fleet.serverState])
        }
        func files() throws -> [String] {
            guard FileManager.default.fileExists(atPath: tls) else { return [] }
            return try FileManager.default.contentsOfDirectory(atPath: tls).sorted()
                .map { "\($0) " + (try String(contentsOfFile: "\(tls)/\($0)", encoding: .utf8)) }
        }
        // Port 20009 is taken by local_port: the settings would not do.
        let file = fleet.serverState + "/server.yml"
        try (settings(fleet) + "local_port: 20009\n").write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try ports("add", "20009", "--self-signed", "localhost").status == 2)
        #expect(try files() == [])
        #expect(try ports("add", "20001", "--self-signed", "localhost").status == 0)
        let first = try files()
        #expect(try ports("configure", "20001", "--self-signed", "127.0.0.1").status == 0)
        let second = try files()
        #expect(first.count == 2 && second.count == 2 && first != second)
        let made = try fleet.tools.run(
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                "/CN=mine", "-keyout", "\(tls)/20002.key", "-out", "\(tls)/20002.crt",
            ], program: "/usr/bin/openssl")
        try #require(made.status == 0, "\(made.errors)")
        let before = try files()
        let refused = try ports("add", "20002", "--self-signed", "localhost")
        #expect(refused.status == 1 && refused.errors.contains("20002.crt"), "\(refused.errors)")
        #expect(refused.errors.split(separator: "\n").count == 1)
        let own = try ports("add", "20002", "--certificate", "\(tls)/20002.crt", "--key", "\(tls)/20002.key")
        #expect(own.status == 0, "\(own.errors)")
        #expect(try ports("configure", "20002", "--self-signed", "localhost").status == 1)
        try FileManager.default.removeItem(atPath: tls + "/20002.crt")
        #expect(try ports("configure", "20002", "--self-signed", "localhost").status == 1)
        #expect(try files() == before.filter { !$0.hasPrefix("20002.crt") })
    }

    @Test("the kit gets a certificate that vouches for itself, wherever it lies, and no other")
    func kitCertificate() throws {
        let fleet = try server()
        let state = fleet.serverState
        func client(_ port: Int, _ host: String = "localhost") throws -> String {
            let outcome = try fleet.run(
                "pd-admin", "ports", "client", "\(port)", "--host", host, "--state", state)
            try #require(outcome.status == 0, "\(outcome.errors)")
            return try String(contentsOfFile: state + "/agent-kit/agent.yml", encoding: .utf8)
        }
        let script = """
            set -e
            mkdir "$0/tls" "$0-other"
            openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=own -addext subjectAltName=DNS:localhost \\
              -keyout "$0/tls/own.key" -out "$0/tls/own.crt" 2>"$0-log"
            cat "$0/tls/own.key" "$0/tls/own.crt" >"$0-other/both.pem"
            openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=authority -keyout "$0-ca.key" -out "$0-ca.crt" \\
              2>"$0-log"
            openssl req -newkey rsa:2048 -nodes -subj /CN=issued -keyout "$0/tls/issued.key" -out "$0-csr" \\
              2>"$0-log"
            echo subjectAltName=DNS:localhost >"$0-ext"
            openssl x509 -req -in "$0-csr" -CA "$0-ca.crt" -CAkey "$0-ca.key" -CAcreateserial \\
              -extfile "$0-ext" -out "$0/tls/issued.crt" 2>"$0-log"
            """
        let made = try fleet.tools.run(["-c", script, state], program: "/bin/sh")
        try #require(made.status == 0, "\(made.errors)")
        try """
        port:
          20001: {ssl: {enabled: true, certificate: tls/own.crt, key: tls/own.key}}
          20002: {ssl: {enabled: true, certificate: ../server-other/both.pem, key: ../server-other/both.pem}}
          20003: {ssl: {enabled: true, certificate: \(state)/tls/issued.crt, key: \(state)/tls/issued.key}}
          20004: {}

        """.write(toFile: state + "/server.yml", atomically: true, encoding: .utf8)
        let kit = state + "/agent-kit/server.crt"
        let own = try String(contentsOfFile: state + "/tls/own.crt", encoding: .utf8)
        for port in [20_001, 20_002] {
            #expect(try client(port).contains("ca_path: server.crt"))
            // A file may hold the key as well.
            #expect(try String(contentsOfFile: kit, encoding: .utf8) == own)
            try FileManager.default.removeItem(atPath: kit)
            #expect(try !client(20_003).contains("ca_path"))
            #expect(!FileManager.default.fileExists(atPath: kit))
        }
        #expect(try client(20_004, "::1").contains("http://[::1]:20004"))
    }

    @Test("a setup that was interrupted anywhere is repaired by the next one")
    func interruptedSetup() throws {
        let fleet = try FleetRunner()
        let state = fleet.serverState
        let kit = state + "/agent-kit"
        func setUp() throws -> SharesToolRunner.Outcome {
            let outcome = try fleet.run("pd-server", "setup", "--yes", "--state", state)
            try #require(outcome.status == 0, "\(outcome.errors)")
            return outcome
        }
        let first = try fleet.run("pd-server", "setup", "--yes", "--state", state, "--port", "18090")
        try #require(first.status == 0, "\(first.errors)")
        let left = ["keys/server.key.asc.123-456.tmp", "agent-kit/client.key.asc.9-4294967295.tmp"]
        let others = ["notes.tmp", "agent-kit/a.b-c.tmp"]
        for name in left + others {
            try "x".write(toFile: "\(state)/\(name)", atomically: true, encoding: .utf8)
        }
        // As if it had ended before the kit was written.
        try FileManager.default.removeItem(atPath: kit + "/agent.yml")
        try FileManager.default.removeItem(atPath: kit + "/client.key.asc")
        _ = try setUp()
        #expect(
            try String(contentsOfFile: kit + "/agent.yml", encoding: .utf8)
                .contains("server_url: http://127.0.0.1:18090\n"))
        #expect(FileManager.default.fileExists(atPath: kit + "/client.key.asc"))
        for name in left { #expect(!FileManager.default.fileExists(atPath: "\(state)/\(name)"), "\(name)") }
        for name in others { #expect(FileManager.default.fileExists(atPath: "\(state)/\(name)"), "\(name)") }
        // A kit whose key nobody trusts is said to be that.
        let list = try fleet.admin("keys", "list")
        for key in list {
            let fingerprint = try #require(key["fingerprint"] as? String)
            #expect(try fleet.run("pd-admin", "keys", "remove", fingerprint, "--state", state).status == 0)
        }
        #expect(try setUp().text.contains("not trusted"))
    }

    @Test("several setups at once make one server")
    func setupsAtOnce() throws {
        let fleet = try FleetRunner()
        let server = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-server").path
        let running = try (0..<4).map { _ in
            try fleet.tools.start(command: [server, "setup", "--yes", "--state", fleet.serverState])
        }
        for one in running {
            let outcome = try one.finish()
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        #expect(try fleet.admin("keys", "list").count == 1)
    }

    @Test("setup makes no units that would use other settings or a path that they cannot hold")
    func unitsForOthers() throws {
        let fleet = try FleetRunner()
        let root = fleet.tools.path("root").path
        let config = fleet.tools.path("server.yml").path
        // The programs could not be in units either: whatever is wrong here, this machine stays as it is.
        let refused = try fleet.run(
            "pd-server", "setup", "--yes", "--system", "--state", fleet.serverState, "--config", config,
            "--programs", "/srv/a b")
        #expect(refused.status == 2 && refused.errors.contains("--config"), "\(refused.errors)")
        #expect(!FileManager.default.fileExists(atPath: fleet.serverState))
        for path in ["/srv/a b", "/srv/50%", "/srv/a\tb", "/srv/$HOME", "/srv/a\"b", "/srv/a\\b"] {
            let unusable = try fleet.run("pd-server", "setup", "--yes", "--root", root, "--state", path)
            #expect(
                unusable.status == 2 && unusable.errors.contains("--state"), "\(path): \(unusable.errors)")
            let programs = try fleet.run("pd-server", "setup", "--yes", "--root", root, "--programs", path)
            #expect(programs.status == 2 && programs.errors.contains("--programs"), "\(programs.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: root))
    }

    @Test(
        "setup takes no port that there is not, and no root without a name",
        arguments: [
            ["--url", "http://mdm.example.com:99999"], ["--url", "http://mdm.example.com:0"], ["--root", ""],
        ])
    func unusableArguments(arguments: [String]) throws {
        let fleet = try FleetRunner()
        let outcome = try fleet.run(
            "pd-server", ["setup", "--yes", "--state", fleet.serverState] + arguments)
        #expect(outcome.status == 2, "\(outcome.errors)")
        #expect(try fleet.tools.names() == [])
    }

    @Test("setup says so where others may write in the state directory")
    func openDirectory() throws {
        let fleet = try FleetRunner()
        try FileManager.default.createDirectory(atPath: fleet.serverState, withIntermediateDirectories: false)
        try #require(chmod(fleet.serverState, 0o777) == 0)
        let open = try fleet.run("pd-server", "setup", "--yes", "--state", fleet.serverState)
        // Root does not work there at all.
        #expect(
            open.status == (geteuid() == 0 ? 1 : 0) && open.errors.contains("chmod go-w"), "\(open.errors)")
        try #require(chmod(fleet.serverState, 0o755) == 0)
        #expect(try fleet.run("pd-server", "setup", "--yes", "--state", fleet.serverState).errors == "")
    }

    @Test(
        "setup with --root lays out a package: units, the user's declaration and the state; again, it keeps all"
    )
    func root() throws {
        let fleet = try FleetRunner()
        let root = fleet.tools.path("root").path
        let first = try fleet.run("pd-server", "setup", "--yes", "--root", root, "--port", "443")
        #expect(first.status == 0, "\(first.errors)")
        let units = root + "/usr/lib/systemd/system"
        let unit = try String(contentsOfFile: units + "/penguindome-server.service", encoding: .utf8)
        #expect(unit.contains("ExecStart=/usr/bin/pd-server serve --state /var/lib/penguindome/server\n"))
        #expect(unit.contains("AmbientCapabilities=CAP_NET_BIND_SERVICE"))
        for name in ["penguindome-audit.service", "penguindome-audit.timer"] {
            #expect(FileManager.default.fileExists(atPath: "\(units)/\(name)"))
        }
        #expect(FileManager.default.fileExists(atPath: root + "/var/lib/penguindome/server/server.yml"))
        #expect(FileManager.default.fileExists(atPath: root + "/usr/lib/sysusers.d/penguindome.conf"))
        let owner = try String(contentsOfFile: root + "/usr/lib/tmpfiles.d/penguindome.conf", encoding: .utf8)
        #expect(owner == "Z /var/lib/penguindome/server - penguindome penguindome -\n")
        #expect(!unit.contains("Documentation="))
        let second = try fleet.run("pd-server", "setup", "--yes", "--root", root)
        #expect(second.status == 0, "\(second.errors)")
        #expect(!second.text.contains("made"), "\(second.text)")
        guard FileManager.default.fileExists(atPath: "/usr/bin/systemd-analyze") else { return }
        for name in ["penguindome-server.service", "penguindome-audit.service"] {
            let verdict = try fleet.tools.run(
                ["security", "--offline=true", "--threshold=30", "--no-pager", "\(units)/\(name)"],
                program: "/usr/bin/systemd-analyze")
            #expect(verdict.status == 0, "\(name): \(verdict.text.suffix(300)) \(verdict.errors)")
        }
    }

    @Test(
        "p113_a key that hosts hold gets no other role, nor the other way round; p125_the server's own signs no reports"
    )
    func p113_roles() throws {
        let fleet = try server()
        let keys = fleet.serverState + "/keys"
        func add(_ file: String, _ role: String) throws -> SharesToolRunner.Outcome {
            try fleet.run("pd-admin", "keys", "add", file, "--role", role, "--state", fleet.serverState)
        }
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: keys + "/client").first)
        for role in ["release", "patch", "command"] {
            let refused = try add("\(keys)/client/\(name)", role)
            #expect(refused.status == 1 && refused.errors.contains("may sign reports"), "\(refused.errors)")
        }
        // Nor once it is retired: hosts have held it.
        let copy = fleet.tools.path("client.pub.asc").path
        try FileManager.default.copyItem(atPath: "\(keys)/client/\(name)", toPath: copy)
        let fingerprint = String(name.prefix(40))
        let retired = try fleet.run("pd-admin", "keys", "retire", fingerprint, "--state", fleet.serverState)
        #expect(retired.status == 0)
        for role in ["release", "patch", "command"] {
            let refused = try add(copy, role)
            #expect(refused.status == 1 && refused.errors.contains("retired client key"), "\(refused.errors)")
        }
        // It can be forgotten without being trusted once more.
        let forgotten = try fleet.run("pd-admin", "keys", "remove", fingerprint, "--state", fleet.serverState)
        #expect(forgotten.status == 0, "\(forgotten.errors)")
        #expect(
            try !fleet.run("pd-admin", "keys", "list", "--state", fleet.serverState).text.contains(
                fingerprint))
        let own = try add(keys + "/server.pub.asc", "client")
        #expect(own.status == 1 && own.errors.contains("the server's own key"))
        // A fleet may leave the key of its server out, or not.
        #expect(try add(keys + "/server.pub.asc", "release").status == 0)
        let other = try FleetRunner()
        try other.setUp()
        let key = other.serverState + "/keys/server.pub.asc"
        #expect(try add(key, "patch").status == 0)
        let release = try add(key, "release")
        #expect(release.status == 0)
        // What no role trusts any more, the kit of new agents does not offer.
        let offered = "\(fleet.serverState)/agent-kit/keys/\(release.text.prefix(40)).pub.asc"
        for role in ["release", "patch"] {
            #expect(FileManager.default.fileExists(atPath: offered))
            let removed = try fleet.run(
                "pd-admin", "keys", "remove", String(release.text.prefix(40)), "--role", role, "--state",
                fleet.serverState)
            #expect(removed.status == 0)
        }
        #expect(!FileManager.default.fileExists(atPath: offered))
        #expect(try add(key, "release").status == 0)
        let refused = try add(key, "client")
        #expect(refused.status == 1 && refused.errors.contains("may sign releases"), "\(refused.errors)")
    }

    @Test("a URL that promises TLS gets it, and an agent of the kit reports at once")
    func setupWithTLS() async throws {
        let fleet = try FleetRunner()
        let port = try FleetRunner.freePort()
        let state = fleet.serverState
        let made = try fleet.run(
            "pd-server", "setup", "--yes", "--state", state, "--url", "https://localhost:\(port)")
        #expect(made.status == 0 && made.errors.isEmpty, "\(made.errors)")
        let checked = try fleet.run("pd-server", "check-config", "--state", state)
        #expect(checked.status == 0 && !checked.text.contains("agent kit"), "\(checked.text)")
        let executable = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-server")
        let server = try fleet.tools.start(command: [executable.path, "serve", "--state", state])
        defer {
            server.process.terminate()
            _ = try? server.finish()
        }
        let agent = fleet.tools.path("agent").path
        #expect(
            try fleet.run("pd-agent", "join", "--kit", "\(state)/agent-kit", "--state", agent).status == 0)
        var cycle = try fleet.run("pd-agent", "cycle", "--state", agent)
        for _ in 0..<20 where cycle.status == 3 {
            try await Task.sleep(for: .milliseconds(200))
            cycle = try fleet.run("pd-agent", "submit", "--state", agent)
        }
        #expect(cycle.status == 0, "\(cycle.errors)")
        // The state may move: nothing in the settings says where it is.
        #expect(try !settings(fleet).contains(state))
    }

    @Test(
        "p144_where ports and kit contradict each other, whoever changes them is told, and check-config says so"
    )
    func contradictions() throws {
        let fleet = try server()
        let kit = fleet.serverState + "/agent-kit"
        func admin(_ arguments: String...) throws -> SharesToolRunner.Outcome {
            let outcome = try fleet.run("pd-admin", ["ports"] + arguments + ["--state", fleet.serverState])
            #expect(outcome.status == 0, "\(outcome.errors)")
            return outcome
        }
        func check() throws -> String {
            try fleet.run("pd-server", "check-config", "--state", fleet.serverState).text
        }
        #expect(try !check().contains("agent kit"))
        let first = try admin("configure", "\(fleet.port)", "--self-signed", "127.0.0.1")
        #expect(first.errors.contains("has TLS") && !first.text.contains("replaced"), "\(first.text)")
        #expect(try check().contains("has TLS"))
        #expect(try admin("client", "\(fleet.port)").errors.isEmpty)
        #expect(try !check().contains("agent kit"))
        let again = try admin("configure", "\(fleet.port)", "--self-signed", "127.0.0.1")
        #expect(again.text.contains("reach it no longer") && again.errors.contains("would not trust"))
        let other = try FleetRunner.freePort()
        // A port that is not there is added.
        #expect(try admin("configure", "\(other)").text.contains("added"))
        #expect(try admin("configure", "\(fleet.port)", "--deprecated").errors.contains("is deprecated"))
        #expect(try admin("remove", "\(fleet.port)").errors.contains("does not listen"))
        let plain = try admin("client", "\(other)", "--hostname", "mdm.example.com")
        #expect(plain.text.contains("http://mdm.example.com:\(other)"))
        let text = try String(contentsOfFile: kit + "/agent.yml", encoding: .utf8)
        #expect(!text.contains("ssl") && !FileManager.default.fileExists(atPath: kit + "/server.crt"))
        #expect(try !check().contains("agent kit"))
    }

    @Test("one wrong line of the settings stops the server, and no tool that can do without it")
    func wrongLine() throws {
        let fleet = try server()
        let file = fleet.serverState + "/server.yml"
        try (settings(fleet) + "groups: {admins: [nobody]}\n")
            .write(toFile: file, atomically: true, encoding: .utf8)
        for command in [["hosts", "list"], ["issues", "audit"], ["store", "check"]] {
            let outcome = try fleet.run("pd-admin", command + ["--state", fleet.serverState])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.errors.contains("server.yml:") && outcome.errors.contains("nobody"))
        }
        #expect(try fleet.run("pd-server", "serve", "--state", fleet.serverState).status == 2)
        #expect(try fleet.run("pd-server", "check-config", "--state", fleet.serverState).status == 2)
    }

    @Test("the kit names no host that the port's certificate does not name")
    func kitHost() throws {
        let fleet = try server()
        func admin(_ arguments: String...) throws -> SharesToolRunner.Outcome {
            try fleet.run("pd-admin", ["ports"] + arguments + ["--state", fleet.serverState])
        }
        let kit = fleet.serverState + "/agent-kit/agent.yml"
        let before = try String(contentsOfFile: kit, encoding: .utf8)
        let made = try admin("configure", "\(fleet.port)", "--self-signed", "mdm.example.com")
        #expect(made.status == 0, "\(made.errors)")
        let refused = try admin("client", "\(fleet.port)")
        #expect(refused.status == 1 && refused.errors.contains("--host"), "\(refused.errors)")
        #expect(refused.errors.split(separator: "\n").count == 1)
        #expect(try String(contentsOfFile: kit, encoding: .utf8) == before)
        #expect(try admin("client", "\(fleet.port)", "--host", "mdm.example.com").status == 0)
        #expect(try admin("client", "\(fleet.port)").status == 0)
        #expect(try admin("configure", "\(fleet.port)", "--self-signed", "127.0.0.1").status == 0)
        #expect(try admin("client", "\(fleet.port)").status == 1)
        #expect(try admin("client", "\(fleet.port)", "--host", "127.0.0.1").status == 0)
    }

    @Test("a log file whose directory is missing is found before the server starts")
    func logDirectory() throws {
        let fleet = try server()
        let file = fleet.serverState + "/server.yml"
        let text = try settings(fleet)
        func check() throws -> SharesToolRunner.Outcome {
            try fleet.run("pd-server", "check-config", "--state", fleet.serverState)
        }
        #expect(try check().status == 0)
        let wrong = text.replacing("logging:\n", with: "logging:\n  handler: file\n  file: /nowhere/x/log\n")
        try wrong.write(toFile: file, atomically: true, encoding: .utf8)
        let refused = try check()
        #expect(refused.status == 2 && refused.errors.contains("/nowhere/x"), "\(refused.errors)")
    }
}
