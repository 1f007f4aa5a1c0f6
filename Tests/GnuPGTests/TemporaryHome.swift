import Foundation
import PDCrypto
import PDGnuPG
import PDSecrets
import Testing

/// A GnuPG home in a temporary folder whose agent remembers no passphrase; both are gone with this object.
final class TemporaryHome: Sendable {
    let folder: URL

    init() throws {
        // The path of the agent's socket must stay short.
        folder = FileManager.default.temporaryDirectory.appending(path: "pdh-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try configure("gpg-agent.conf", "default-cache-ttl 0\nmax-cache-ttl 0\n")
    }

    deinit {
        // Nobody is left to hear of a failure; the agent also ends by itself when its folder is gone.
        _ = try? stopAgent()
        // The agent answers before it ends, and removes its sockets meanwhile, over which a removal stumbles.
        for _ in 0..<50 where FileManager.default.fileExists(atPath: folder.path) {
            guard (try? FileManager.default.removeItem(at: folder)) == nil else { return }
            usleep(20_000)
        }
    }

    var home: GnuPG.Home { get throws { try GnuPG.Home(path: folder.path) } }

    func stopAgent() throws {
        try Program.succeed(["gpgconf", "--homedir", folder.path, "--kill", "all"], in: folder)
    }

    func configure(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: name))
    }

    @discardableResult
    func gpg(_ arguments: String..., passphrase: String = "") throws -> [UInt8] {
        try Program.succeed(
            [
                "gpg", "--homedir", folder.path, "--batch", "--quiet", "--no-tty", "--pinentry-mode",
                "loopback",
                "--passphrase", passphrase,
            ] + arguments, in: folder)
    }

    /// Makes a key, and gives its primary fingerprint.
    func makeKey(
        _ algorithm: String, usage: String = "sign", passphrase: String = "",
        name: String = "someone <s@example.org>",
        validity: String = "2y", at time: String? = nil
    ) throws -> OpenPGP.Fingerprint {
        let before = try Set(home.keys().map(\.fingerprint))
        let clock = time.map { ["--faked-system-time", $0] } ?? []
        try Program.succeed(
            [
                "gpg", "--homedir", folder.path, "--batch", "--quiet", "--no-tty", "--pinentry-mode",
                "loopback",
                "--passphrase", passphrase,
            ] + clock + ["--quick-generate-key", name, algorithm, usage, validity], in: folder)
        return try #require(home.keys().map(\.fingerprint).first { !before.contains($0) })
    }

    /// A file in this home, with these bytes.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = folder.appending(path: name)
        try Data(bytes).write(to: file)
        return file.path
    }

    /// The exit status of gpgv and of sqv for `signature` of `document`, with nothing but `certificate` trusted.
    func verdicts(
        _ signature: [UInt8], _ document: [UInt8], _ certificate: OpenPGP.Certificate
    ) throws -> [String: Int32] {
        let id = UUID().uuidString
        let (key, sig, doc) = try (
            file("\(id).key", certificate.bytes), file("\(id).sig", signature), file("\(id).doc", document)
        )
        return try [
            "gpgv": Program.run(["gpgv", "--keyring", key, sig, doc], in: folder).status,
            "sqv": Program.run(["sqv", "--keyring", key, sig, doc], in: folder).status,
        ]
    }
}

extension GnuPG.Passphrase {
    /// Always the same passphrase.
    static func known(_ text: String) throws -> GnuPG.Passphrase {
        let secret = SecretBytes(copying: text.utf8)
        return .provided { secret }
    }
}
