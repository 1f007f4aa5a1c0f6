import Foundation
import PDCrypto
import PDFiles
import PDProtocol
import PDSecrets
import PDStore
import Testing

@testable import PDFleet

@Suite("A backup of a server")
struct BackupTests {
    /// A directory with a server that has a host, a certificate outside of its state, and a log in it.
    private final class World {
        let directory: URL
        let state: ServerState
        var file: String { directory.appending(path: "backup").path }

        init() async throws {
            directory = FileManager.default.temporaryDirectory.appending(path: "backup-\(UUID().uuidString)")
            state = ServerState(directory: directory.appending(path: "server"))
            _ = try ServerSetup(state: state, answers: .init(port: 8080, url: nil), now: .now()).run()
            let certificate = try SelfSignedCertificate(host: "localhost", days: 2)
            try FileManager.default.createDirectory(
                at: directory.appending(path: "pki"), withIntermediateDirectories: false)
            try certificate.write(
                certificate: directory.appending(path: "pki/web.crt"),
                key: directory.appending(path: "pki/web.key"))
            var settings = try SettingsFile(state.settingsFile)
            try settings.set(
                tls: .init(
                    certificate: directory.appending(path: "pki/web.crt").path,
                    key: directory.appending(path: "pki/web.key").path), ofPort: 8080)
            try settings.save()
            try PrivateFiles.makeDirectory(state.releases)
            try PrivateFiles.write(
                [UInt8](repeating: 7, count: 300_000), to: state.releases.appending(path: "1.tar"))
            try PrivateFiles.write([1], to: state.directory.appending(path: "x.77-1.tmp"))
            try await report("first")
        }

        deinit { try? FileManager.default.removeItem(at: directory) }

        func report(_ name: String, in state: ServerState? = nil) async throws {
            let fleet = try await Fleet(state: state ?? self.state, makingStore: true)
            _ = try await fleet.store.record(
                V1.Submission(
                    hostname: #require(Hostname(name)), collectedAt: nil, plugins: ["x": 1], commands: nil),
                submittedAt: 1)
            try await fleet.store.close()
        }

        func hosts(_ state: ServerState) async throws -> [String] {
            let fleet = try await Fleet(state: state)
            let names = try await fleet.store.hosts().map(\.hostname.name)
            try await fleet.store.close()
            return names
        }

        func backUp(passphrase: String? = nil) async throws {
            let descriptor = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            defer { close(descriptor) }
            let fleet = try await Fleet(state: state)
            _ = try await FleetBackup(fleet).write(
                to: descriptor, path: file, passphrase: passphrase.map { SecretBytes(copying: $0.utf8) },
                at: 1_700_000_000_000)
            try await fleet.store.close()
        }

        func restoration(
            _ state: ServerState, from file: String? = nil, passphrase: String = ""
        ) async throws -> FleetRestore {
            let descriptor = open(file ?? self.file, O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            return try await FleetRestore(
                state, from: descriptor, path: "FILE",
                passphrase: { SecretBytes(copying: passphrase.utf8) })
        }

        /// All files of a state, but for what means nothing elsewhere.
        func content(_ state: ServerState) throws -> [String: Data] {
            var content: [String: Data] = [:]
            for name in try FileManager.default.subpathsOfDirectory(atPath: state.directory.path)
            where !state.isTransient(name.split(separator: "/").first.map(String.init) ?? name)
                && name != "tls"
            {
                content[name] = FileManager.default.contents(
                    atPath: state.directory.appending(path: name).path)
            }
            return content
        }
    }

    private func bytes(_ file: String) throws -> Data { try Data(contentsOf: URL(filePath: file)) }

    @Test(
        "p146_restored in another place, it is the same server, whatever its files' paths were",
        arguments: [nil, "a passphrase"])
    func elsewhere(passphrase: String?) async throws {
        let world = try await World()
        try await world.backUp(passphrase: passphrase)
        let other = ServerState(directory: world.directory.appending(path: "other/place"))
        let restoration = try await world.restoration(other, passphrase: passphrase ?? "")
        #expect(restoration.description.hosts == 1 && restoration.description.madeAt == 1_700_000_000_000)
        #expect(restoration.notes.isEmpty)
        #expect(try !restoration.replaces)
        try restoration.commit()
        try FileManager.default.removeItem(at: world.directory.appending(path: "pki"))

        #expect(try await world.hosts(other) == ["first"])
        let (old, new) = (try world.content(world.state), try world.content(other))
        let own: Set = ["server.yml", "fleet.sqlite"]
        #expect(Set(new.keys).subtracting(old.keys) == ["tls/web.crt", "tls/web.key"])
        #expect(Set(old.keys).isSubset(of: new.keys))
        for (name, content) in old where !own.contains(name) { #expect(new[name] == content, "\(name)") }
        let settings = try SettingsFile(other.settingsFile).settings()
        let tls = try #require(settings.ports.first?.tls)
        #expect(tls == .init(certificate: "tls/web.crt", key: "tls/web.key"))
        try CertificateFile(URL(filePath: tls.certificate, relativeTo: other.settingsFile))
            .check(key: URL(filePath: tls.key, relativeTo: other.settingsFile))
        #expect(try Files.names(in: other.directory.path).filter(other.isTransient) == ["lock", "serving"])
    }

    @Test("any tar unpacks one that is not sealed, and any SHA-256 says whether it is whole")
    func foreignTools() async throws {
        let world = try await World()
        try await world.backUp()
        let all = try bytes(world.file)
        let script = """
            import hashlib, sys, tarfile
            archive = tarfile.open(sys.argv[1])
            members = archive.getmembers()
            last = members[-1]
            assert last.name == 'SHA256'
            digest = archive.extractfile(last).read().decode().strip()
            assert digest == hashlib.sha256(open(sys.argv[1], 'rb').read()[:last.offset]).hexdigest()
            print(' '.join(sorted(m.name for m in members)))
            """
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", script, world.file]
        process.standardOutput = output
        try process.run()
        let names = String(decoding: try #require(try output.fileHandleForReading.readToEnd()), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        for name in [
            "backup.json", "server.yml", "fleet.sqlite", "checks.yml", "keys/server.key.asc",
            "agent-kit/client.key.asc", "releases/1.tar", "tls/web.key",
        ] { #expect(names.contains(name), "\(name)") }
        #expect(!names.contains(".tmp") && all.count % 512 == 0)
    }

    @Test(
        "p165_one flipped bit anywhere is found before anything is changed", arguments: [nil, "a passphrase"])
    func flippedBits(passphrase: String?) async throws {
        let world = try await World()
        try await world.backUp(passphrase: passphrase)
        let whole = try bytes(world.file)
        try await world.report("second")
        let before = try world.content(world.state)
        // Each try with a passphrase costs the memory and time that Argon2id is meant to cost.
        let tries = passphrase == nil ? 200 : 20
        // Every part of the header, the end, and anywhere.
        let marked =
            passphrase == nil
            ? [0, whole.count - 1] : [0, 15, 16, 32, 35, 36, 40, 44, 63, 64, whole.count - 1]
        let places = marked + (0..<tries - marked.count).map { _ in Int.random(in: 0..<whole.count) }
        for place in places {
            var damaged = whole
            damaged[place] ^= 1 << UInt8.random(in: 0..<8)
            try await expectRefusal(of: damaged, "byte \(place)", world, passphrase)
        }
        #expect(try world.content(world.state) == before)
        #expect(try await world.hosts(world.state) == ["first", "second"])
    }

    @Test(
        "p165_one that was cut off or has something behind it is refused", arguments: [nil, "a passphrase"])
    func truncated(passphrase: String?) async throws {
        let world = try await World()
        try await world.backUp(passphrase: passphrase)
        let whole = try bytes(world.file)
        let before = try world.content(world.state)
        let count = whole.count
        for length in [0, 1, 15, 16, 63, 64, 511, 512, 600, count / 2, count - 1024, count - 512, count - 1] {
            try await expectRefusal(of: whole.prefix(length), "\(length) bytes", world, passphrase)
        }
        for tail in [Data([0]), Data(repeating: 0, count: 512), whole] {
            try await expectRefusal(of: whole + tail, "\(tail.count) more", world, passphrase)
        }
        #expect(try world.content(world.state) == before)
    }

    private func expectRefusal(
        of bytes: Data, _ what: String, _ world: World, _ passphrase: String?
    ) async throws {
        let file = world.directory.appending(path: "damaged")
        try bytes.write(to: file)
        do {
            _ = try await world.restoration(world.state, from: file.path, passphrase: passphrase ?? "")
            Issue.record("\(what): it was taken")
        } catch let error as StateError {
            #expect(error.description.contains("nothing was restored"), "\(what): \(error)")
        }
        #expect(!Files.exists(world.state.restoring.path), "\(what)")
    }

    @Test("a wrong passphrase is said to be one")
    func wrongPassphrase() async throws {
        let world = try await World()
        try await world.backUp(passphrase: "right")
        await #expect {
            _ = try await world.restoration(world.state, passphrase: "wrong")
        } throws: { "\($0)".contains("passphrase is wrong") }
    }

    @Test("what was there is set aside, and the restoration of a restoration keeps the last")
    func replaced() async throws {
        let world = try await World()
        try await world.backUp()
        for round in ["second", "third"] {
            try await world.report(round)
            let restoration = try await world.restoration(world.state)
            #expect(try restoration.replaces)
            try restoration.commit()
            #expect(try await world.hosts(world.state) == ["first"])
            #expect(
                try await world.hosts(ServerState(directory: world.state.replaced))
                    == ["first", round].sorted())
        }
        try await world.restoration(world.state).cancel()
        #expect(!Files.exists(world.state.restoring.path))
        // What was set aside is no part of the next backup.
        try await world.backUp()
        #expect(try !bytes(world.file).contains(Data("replaced/".utf8)))
    }

    @Test("while a server runs, nothing is restored; while one restores, no server starts")
    func running() async throws {
        let world = try await World()
        try await world.backUp()
        let serving = try world.state.beginServing()
        // Two servers may share a state.
        let another = try world.state.beginServing()
        await #expect {
            _ = try await world.restoration(world.state)
        } throws: { "\($0)".contains("a server works in") }
        withExtendedLifetime((serving, another)) {}
    }

    @Test(
        "p166_stopped between any two steps, it is finished by whoever opens the state next",
        arguments: 0...16)
    func interrupted(after steps: Int) async throws {
        let world = try await World()
        try await world.backUp()
        try await world.report("second")
        try PrivateFiles.write([1], to: world.state.directory.appending(path: "own-notes"))
        let expected = ServerState(directory: world.directory.appending(path: "expected"))
        try await world.restoration(expected).commit()

        // As commit() does, until it is stopped.
        let (state, directory) = (world.state, world.state.directory)
        let names: [String]
        do {
            let restoration = try await world.restoration(state)
            names = try Files.names(in: state.restoring.appending(path: "new").path)
            _ = restoration
        }
        try PrivateFiles.write(
            Array(names.joined(separator: "\n").utf8), to: state.restoring.appending(path: "ready"))
        let old = state.restoring.appending(path: "old")
        try PrivateFiles.makeDirectory(old)
        let replaced = try Files.names(in: directory.path).filter {
            !["lock", "serving", "restoring", "replaced"].contains($0)
        }
        var moves = replaced.map { (directory.appending(path: $0), old.appending(path: $0)) }
        moves += names.map { (state.restoring.appending(path: "new/\($0)"), directory.appending(path: $0)) }
        moves.append((old, state.replaced))
        for (from, to) in moves.prefix(steps) { try Files.rename(from.path, to: to.path) }

        #expect(state.isHalfRestored)
        #expect(try await world.hosts(state) == ["first"])
        #expect(!Files.exists(state.restoring.path))
        // Compared file by file, since two copies of a database may differ in their free pages.
        var (found, wanted) = (try world.content(state), try world.content(expected))
        for name in ["fleet.sqlite"] { (found[name], wanted[name]) = (nil, nil) }
        #expect(found == wanted)
        #expect(Files.exists(state.replaced.appending(path: "own-notes").path))
        #expect(
            try await world.hosts(ServerState(directory: state.replaced)) == ["first", "second"])
    }
}
