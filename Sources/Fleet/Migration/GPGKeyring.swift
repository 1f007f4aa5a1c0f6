import Foundation
import PDCrypto
import PDFiles
import PDSecrets

/// The keys of a GnuPG home, read from a copy of it: whoever looks changes nothing there.
struct GPGKeyring {
    /// All public keys that can be read here.
    let certificates: [OpenPGP.Certificate]
    /// Those whose secret half is there, without a passphrase.
    let secretKeys: [OpenPGP.SecretKey]

    /// Reads a home directory.
    ///
    /// - Throws: ``StateError`` that names the directory, and what is wrong with it.
    init(_ home: URL) throws {
        guard Files.exists(home.path) else { throw StateError("there is no keyring \(home.path)") }
        // Short: the path of the agent's socket has at most 107 bytes, unix(7).
        let copy = URL(filePath: "/tmp/pd-keyring-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: copy, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer {
            // An agent that has ended by itself, or a directory that is gone, is as good.
            _ = try? ProgramOutput.read("/usr/bin/gpgconf", ["--homedir", copy.path, "--kill", "all"])
            try? FileManager.default.removeItem(at: copy)
        }
        try Self.copyFiles(of: home, to: copy)
        let listed = try Self.gpg(copy, "--with-colons", "--list-secret-keys")
        do {
            let exported = try Self.gpg(copy, "--export")
            certificates = exported.isEmpty ? [] : try OpenPGP.Certificate.all(in: exported)
            secretKeys = try Self.primaryFingerprints(listed).map { fingerprint in
                var bytes = try Self.gpg(
                    copy, "--pinentry-mode", "loopback", "--passphrase", "", "--export-secret-keys",
                    fingerprint)
                defer { bytes.wipe() }
                return try OpenPGP.SecretKey(bytes)
            }
        } catch let error as OpenPGP.Error {
            throw StateError("a key in \(home.path) cannot be used: \(error)")
        }
    }

    /// Regular files alone: sockets and locks are the business of who made them.
    private static func copyFiles(of home: URL, to copy: URL) throws {
        for path in ["", "private-keys-v1.d", "openpgp-revocs.d"] {
            let (source, target) = (home.appending(path: path), copy.appending(path: path))
            guard Files.exists(source.path) else { continue }
            try FileManager.default.createDirectory(
                at: target, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for name in try Files.names(in: source.path)
            where !name.hasSuffix(".lock") && !name.hasPrefix(".#") {
                var info = stat()
                let file = source.appending(path: name)
                guard stat(file.path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { continue }
                try Files.writeAtomically(
                    try Files.read(file.path, limit: 64 << 20), to: target.appending(path: name).path)
            }
        }
    }

    private static func gpg(_ home: URL, _ arguments: String...) throws -> [UInt8] {
        try ProgramOutput.read(
            "/usr/bin/gpg", ["--homedir", home.path, "--batch", "--quiet", "--no-tty"] + arguments)
    }

    /// The fingerprints of primary keys in `--with-colons` (GnuPG's doc/DETAILS): an `fpr` line follows each `sec` line.
    private static func primaryFingerprints(_ listing: [UInt8]) -> [String] {
        var fingerprints: [String] = []
        var isPrimary = false
        for line in String(decoding: listing, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            switch fields.first {
            case "sec": isPrimary = true
            case "ssb": isPrimary = false
            case "fpr":
                if isPrimary, fields.count > 9 { fingerprints.append(String(fields[9])) }
                isPrimary = false
            default: break
            }
        }
        return fingerprints
    }
}
