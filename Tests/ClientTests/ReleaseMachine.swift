import Foundation
import PDCrypto
import PDFiles
import PDProtocol
import Testing

@testable import PDClient

/// A machine that follows releases, and somebody who makes them.
struct ReleaseMachine {
    static let now: Int64 = 1_750_000_000

    let directory: TemporaryDirectory
    let key: OpenPGP.SecretKey
    let other: OpenPGP.SecretKey
    let settings: AgentSettings

    init() throws {
        directory = try TemporaryDirectory()
        key = try .generate(userID: "release", at: .init(1_700_000_000), validity: nil)
        other = try .generate(userID: "client", at: .init(1_700_000_000), validity: nil)
        try directory.write(key.certificate.armored(), to: "/state/keys/release.asc")
        try directory.write(other.certificate.armored(), to: "/state/server.pub.asc")
        settings = try AgentSettings(
            yaml: """
                server_url: http://127.0.0.1:1
                hostname: laptop
                trust:
                  releases: [\(key.certificate.fingerprint)]
                """, file: "agent.yml")
    }

    var state: StateDirectory { StateDirectory(directory.path + "/state") }

    func folder() throws -> ReleaseFolder { try ReleaseFolder(state.releases) }

    func updater(architecture: String = "x86_64", now: Int64 = ReleaseMachine.now) -> Updater {
        Updater(
            state: state, settings: settings, architecture: architecture, log: LogLines().logger(),
            now: { now * 1000 })
    }

    func integrity(now: Int64 = ReleaseMachine.now) -> Integrity {
        Agent.integrity(state: state, settings: settings, log: LogLines().logger(), now: now * 1000)
    }

    /// What a release is made of.
    struct Parts {
        var files = ["README": "text\n", "collectors/uptime": "#!/bin/sh\necho 1\n"]
        var product = Manifest.agentProduct
        var channel = "stable"
        var architecture = "x86_64"
        var created: Int64 = 1_749_000_000
        var expires: Int64 = 1_760_000_000
        var minimumPrevious = 0
        var signer: OpenPGP.SecretKey?
        /// Changes the archive before it is described.
        var change: ([UInt8]) -> [UInt8] = { $0 }
        /// Instead of the archive that is described.
        var delivered: [UInt8]?
    }

    func release(_ number: Int, _ change: (inout Parts) -> Void = { _ in }) throws -> ReleaseInMemory {
        var parts = Parts()
        change(&parts)
        let files = try parts.files.map { path, content in
            (
                path: try RelativePath(path), mode: path.hasPrefix("README") ? 0o644 : 0o755,
                content: Array(content.utf8)
            )
        }
        let archive = parts.change(try TarWriter.archive(files))
        let manifest = try Manifest(
            number: number, product: parts.product, channel: parts.channel, architecture: parts.architecture,
            created: parts.created, expires: parts.expires, minimumPrevious: parts.minimumPrevious,
            archive: .init(size: archive.count, digest: SHA256.hash(archive)),
            files: files.map { SignedFile(path: $0.path, mode: $0.mode, content: $0.content) })
        let bytes = manifest.json()
        return ReleaseInMemory(
            statement: SignedStatement(
                bytes: bytes,
                signature: try (parts.signer ?? key).detachedSignature(
                    of: bytes, for: .manifest, at: .init(ReleaseMachine.now - 10))),
            archive: parts.delivered ?? archive)
    }

    /// A file of the release in use.
    func installed(_ path: String) -> String? {
        try? String(contentsOfFile: "\(state.releases)/current/\(path)", encoding: .utf8)
    }
}

/// A release that is handed out as a server does.
struct ReleaseInMemory: ReleaseSource {
    var statement: SignedStatement
    var archive: [UInt8]
    /// Ends the connection after so many bytes in all.
    var breaksAt = Int.max
    var pieceSize = 1000

    func newest(after current: Int) async throws(ReleaseError) -> SignedStatement? { statement }

    func piece(of number: Int, at offset: Int) async throws(ReleaseError) -> [UInt8] {
        guard offset < breaksAt else { throw .notReached("the connection broke") }
        return Array(archive.dropFirst(offset).prefix(pieceSize))
    }
}
