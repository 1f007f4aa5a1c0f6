import Foundation
import PDCrypto
import Testing

@testable import PDFleet

@Suite("Setting a server up")
struct ServerSetupTests {
    private func withState(_ body: (ServerState) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "pd-setup-test-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try body(ServerState(directory: directory))
    }

    private func setUp(_ state: ServerState, port: Int = 8080, url: String? = nil) throws -> [ServerSetup
        .Step]
    {
        try ServerSetup(state: state, answers: .init(port: port, url: url), now: .now()).run()
    }

    private func mode(_ url: URL) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int)
    }

    @Test("keys, settings, checks and the agent's kit are made, for their owner's eyes")
    func fresh() throws {
        try withState { state in
            let steps = try setUp(state)
            #expect(!steps.contains { $0.wasThere })
            for directory in [state.directory, state.keys, state.clientKeys, state.agentKit] {
                #expect(try mode(directory) == 0o700, "\(directory.path)")
            }
            let kit = state.agentKit
            for file in [
                state.settingsFile, state.checksFile, state.serverSecretKey, state.serverPublicKey,
                kit.appending(path: "agent.yml"), kit.appending(path: "client.key.asc"),
                kit.appending(path: "server.pub.asc"),
            ] {
                #expect(try mode(file) == 0o600, "\(file.path)")
            }
            let secret = try OpenPGP.SecretKey(PrivateFiles.read(kit.appending(path: "client.key.asc")))
            let trusted = try RoleKeys(directory: state.clientKeys).certificates
            #expect(trusted.map(\.fingerprint) == [secret.certificate.fingerprint])
            let server = try OpenPGP.SecretKey(PrivateFiles.read(state.serverSecretKey))
            #expect(server.certificate.fingerprint != secret.certificate.fingerprint)
        }
    }

    @Test("running it again keeps everything that is there")
    func again() throws {
        try withState { state in
            _ = try setUp(state)
            try PrivateFiles.write(Array("port: 1234\n".utf8), to: state.settingsFile)
            let files = try #require(
                FileManager.default.subpathsOfDirectory(atPath: state.directory.path) as [String]?)
            let before = files.map {
                FileManager.default.contents(atPath: state.directory.appending(path: $0).path)
            }
            let steps = try setUp(state, port: 9999)
            #expect(!steps.contains { !$0.wasThere })
            let after = files.map {
                FileManager.default.contents(atPath: state.directory.appending(path: $0).path)
            }
            #expect(before == after)
        }
    }

    @Test("what is missing is made again from what is there")
    func repair() throws {
        try withState { state in
            _ = try setUp(state)
            let key = try PrivateFiles.read(state.agentKit.appending(path: "client.key.asc"))
            try FileManager.default.removeItem(at: state.clientKeys)
            try FileManager.default.removeItem(at: state.checksFile)
            _ = try setUp(state)
            #expect(try PrivateFiles.read(state.agentKit.appending(path: "client.key.asc")) == key)
            #expect(try RoleKeys(directory: state.clientKeys).certificates.count == 1)
            #expect(FileManager.default.fileExists(atPath: state.checksFile.path))
        }
    }

    @Test("a server's key whose secret half is kept elsewhere stays the one that agents know")
    func secretElsewhere() throws {
        try withState { state in
            _ = try setUp(state)
            let known = try PrivateFiles.read(state.serverPublicKey)
            try FileManager.default.removeItem(at: state.serverSecretKey)
            _ = try setUp(state)
            #expect(try PrivateFiles.read(state.serverPublicKey) == known)
            #expect(try PrivateFiles.read(state.agentKit.appending(path: "server.pub.asc")) == known)
            #expect(!FileManager.default.fileExists(atPath: state.serverSecretKey.path))
        }
    }

    @Test("the key of the kit is trusted before the kit has it")
    func trustComesFirst() throws {
        try withState { state in
            // Nothing can be trusted: a file has the place of the directory.
            try PrivateFiles.makeDirectory(state.keys)
            try PrivateFiles.write([], to: state.clientKeys)
            #expect(throws: StateError.self) { try setUp(state) }
            let secret = state.agentKit.appending(path: "client.key.asc")
            #expect(!FileManager.default.fileExists(atPath: secret.path))
            try FileManager.default.removeItem(at: state.clientKeys)
            _ = try setUp(state)
            let kit = try OpenPGP.SecretKey(PrivateFiles.read(secret))
            let trusted = try RoleKeys(directory: state.clientKeys).certificates
            #expect(trusted.map(\.fingerprint) == [kit.certificate.fingerprint])
        }
    }

    @Test("a client key that was removed stays removed")
    func removedStaysRemoved() throws {
        try withState { state in
            _ = try setUp(state)
            let trusted = try #require(try RoleKeys(directory: state.clientKeys).certificates.first)
            #expect(try RoleKeys.remove(trusted.fingerprint, from: state.clientKeys).count == 1)
            _ = try setUp(state)
            #expect(try RoleKeys(directory: state.clientKeys).certificates.isEmpty)
        }
    }

    @Test("without a URL for others the server listens on this machine alone")
    func addresses() throws {
        func settings(_ url: String?) throws -> ServerSettings {
            var result: ServerSettings?
            try withState { state in
                _ = try setUp(state, url: url)
                let yaml = String(decoding: try PrivateFiles.read(state.settingsFile), as: UTF8.self)
                result = try ServerSettings(yaml: yaml, file: "server.yml")
            }
            return try #require(result)
        }
        #expect(try settings(nil).address == "127.0.0.1")
        #expect(try settings("http://mdm.example.com:8080").address != "127.0.0.1")
    }

    @Test("a directory that cannot be made is named in one line")
    func notWritable() {
        let state = ServerState(directory: URL(filePath: "/proc/nothing/here"))
        #expect { try setUp(state) } throws: { "\($0)".contains("/proc/nothing") }
    }

    @Test("setting a machine up leaves the modes of directories that were there, and makes missing ones open")
    func parents() throws {
        let top = FileManager.default.temporaryDirectory.appending(path: "pd-parents-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: top) }
        try #require(mkdir(top.path, 0o710) == 0 && chmod(top.path, 0o710) == 0)
        let old = umask(0o077)
        defer { umask(old) }
        _ = try SystemSetup(root: top, programs: "/usr/bin", state: "/a/b/state").prepare()
        #expect(try mode(top) == 0o710)
        #expect(try mode(top.appending(path: "a")) == 0o755)
        #expect(try mode(top.appending(path: "a/b")) == 0o755)
        #expect(try mode(top.appending(path: "a/b/state")) == 0o700)
        try #require(chmod(top.appending(path: "a/b").path, 0o711) == 0)
        _ = try SystemSetup(root: top, programs: "/usr/bin", state: "/a/b/state").prepare()
        #expect(try mode(top.appending(path: "a/b")) == 0o711)
    }
}
