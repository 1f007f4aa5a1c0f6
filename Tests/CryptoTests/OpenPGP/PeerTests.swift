import Foundation
import PDCrypto
import Testing

/// What GnuPG and Sequoia say about our signatures and keys, and we about theirs.
@Suite("Other programs", .serialized)
struct PeerTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        var algorithm: String
        var usage: String
        /// Algorithm of a signing subkey, if there is one.
        var subkey: String?

        var testDescription: String { algorithm + (subkey.map { " with subkey \($0)" } ?? "") }

        static let all = [
            Kind(algorithm: "rsa2048", usage: "sign"),
            Kind(algorithm: "rsa3072", usage: "sign"),
            Kind(algorithm: "rsa4096", usage: "sign"),
            Kind(algorithm: "ed25519", usage: "sign"),
            Kind(algorithm: "nistp256", usage: "sign"),
            Kind(algorithm: "rsa3072", usage: "cert", subkey: "rsa3072"),
            Kind(algorithm: "ed25519", usage: "cert", subkey: "ed25519"),
            Kind(algorithm: "ed25519", usage: "cert", subkey: "nistp256/ecdsa"),
        ]
    }

    static let document = Array("{\"hostname\": \"laptop\"}\n".utf8)

    /// A home with one key of `kind`, and the key's fingerprint.
    static func home(_ kind: Kind) throws -> (GnuPGHome, String) {
        let home = try GnuPGHome()
        try home.gpg("--quick-generate-key", "someone <s@example.org>", kind.algorithm, kind.usage, "2y")
        let listing = try String(decoding: home.gpg("--list-keys", "--with-colons"), as: UTF8.self)
        let line = try #require(listing.split(separator: "\n").first { $0.hasPrefix("fpr:") })
        let fingerprint = String(line.split(separator: ":", omittingEmptySubsequences: false)[9])
        if let subkey = kind.subkey { try home.gpg("--quick-add-key", fingerprint, subkey, "sign", "1y") }
        return (home, fingerprint)
    }

    @Test("What gpg signs verifies here, and what is changed does not", arguments: Kind.all)
    func gpgSignsWeVerify(_ kind: Kind) throws {
        let (home, fingerprint) = try Self.home(kind)
        for options in [["--export"], ["--export", "--armor"]] {
            let certificate = try OpenPGP.Certificate(home.tryGpg(options).output)
            #expect(certificate.fingerprint.description == fingerprint)
            #expect(certificate.userIDs == ["someone <s@example.org>"])
            #expect(certificate.problem(at: .now()) == nil)
            #expect((certificate.weakness != nil) == (kind.algorithm == "rsa2048"))
            let verifier = OpenPGP.Verifier(certificates: [certificate])
            for hash in ["SHA256", "SHA384", "SHA512"] {
                for form in ["--no-armor", "--armor"] {
                    let signature = try home.gpg(
                        "--digest-algo", hash, form, "--detach-sign", input: Self.document)
                    let result = try verifier.verify(signature: signature, of: Self.document, at: .now())
                    #expect(result.certificate.description == fingerprint)
                    #expect((result.signingKey == result.certificate) == (kind.subkey == nil))
                    #expect(throws: OpenPGP.Error.badSignature) {
                        try verifier.verify(signature: signature, of: Self.document + [0x0a], at: .now())
                    }
                }
            }
        }
    }

    @Test("What we sign with a key of gpg, gpg, gpgv and sqv verify", arguments: Kind.all)
    func weSignOthersVerify(_ kind: Kind) throws {
        let (home, fingerprint) = try Self.home(kind)
        let keyring = try home.file("key.pgp", home.gpg("--export"))
        let document = try home.file("doc", Self.document)
        for options in [["--export-secret-keys"], ["--export-secret-keys", "--armor"]] {
            let key = try OpenPGP.SecretKey(home.tryGpg(options).output)
            #expect(key.certificate.fingerprint.description == fingerprint)
            for hash in [nil] + OpenPGP.HashAlgorithm.allCases {
                let signature = try key.signDetached(Self.document, at: .now(), hash: hash)
                let path = try home.file("sig", signature)
                let armored = try home.file(
                    "sig.asc", Array(key.signDetachedArmored(Self.document, at: .now(), hash: hash).utf8))
                for signature in [path, armored] {
                    let gpg = try home.tryGpg(["--verify", signature, document])
                    #expect(gpg.status == 0, "\(gpg.errors)")
                    #expect(!gpg.errors.lowercased().contains("warning"), "\(gpg.errors)")
                    let gpgv = try Program.run("gpgv", ["--keyring", keyring, signature, document])
                    #expect(gpgv.status == 0, "\(gpgv.errors)")
                    let sqv = try Program.run("sqv", ["--keyring", keyring, signature, document])
                    #expect(sqv.status == 0, "\(sqv.errors)")
                }
                _ = try OpenPGP.Verifier(certificates: [key.certificate])
                    .verify(signature: signature, of: Self.document, at: .now())
            }
        }
    }

    @Test("A key that we make is imported by gpg without a warning, signs there and here")
    func generatedKey() throws {
        let now = OpenPGP.Timestamp.now()
        let key = try OpenPGP.SecretKey.generate(userID: "penguindome-server", at: now, validity: 86_400)
        #expect(key.certificate.userIDs == ["penguindome-server"])
        #expect(key.certificate.expirationTime(at: now) == OpenPGP.Timestamp(now.seconds + 86_400))
        #expect(key.certificate.problem(at: now) == nil)

        let home = try GnuPGHome()
        let imported = try home.tryGpg(
            ["--verbose", "--import"], input: key.armored().withUnsafeBytes { Array($0) })
        #expect(imported.status == 0)
        #expect(!imported.errors.lowercased().contains("warn"), "\(imported.errors)")
        let listing = try String(decoding: home.gpg("--list-secret-keys", "--with-colons"), as: UTF8.self)
        #expect(listing.contains(key.certificate.fingerprint.description))
        #expect(listing.contains("penguindome-server"))
        let checked = try home.tryGpg(["--check-sigs"])
        #expect(checked.status == 0)
        #expect(String(decoding: checked.output, as: UTF8.self).contains("sig!"))

        let ours = try key.signDetachedArmored(Self.document, at: now)
        let verdict = try home.verifies(Array(ours.utf8), Self.document)
        #expect(verdict.status == 0, "\(verdict.errors)")
        #expect(!verdict.errors.lowercased().contains("warning"), "\(verdict.errors)")
        let theirs = try home.gpg("--armor", "--detach-sign", input: Self.document)
        _ = try OpenPGP.Verifier(certificates: [key.certificate])
            .verify(signature: theirs, of: Self.document, at: OpenPGP.Timestamp.now())

        let keyring = try home.file("pub.asc", Array(key.certificate.armored().utf8))
        let signature = try home.file("s", Array(ours.utf8))
        let document = try home.file("d", Self.document)
        let sqv = try Program.run("sqv", ["--keyring", keyring, signature, document])
        #expect(sqv.status == 0, "\(sqv.errors)")
        // What gpg exports again is what we made.
        let again = try OpenPGP.SecretKey(home.gpg("--export-secret-keys", "--armor"))
        #expect(again.certificate.fingerprint == key.certificate.fingerprint)
    }

    @Test("A secret key with a passphrase is refused by name")
    func passphrase() throws {
        let home = try GnuPGHome()
        let made = try Program.run(
            "gpg",
            [
                "--homedir", home.folder.path, "--batch", "--quiet", "--no-tty", "--pinentry-mode",
                "loopback",
                "--passphrase", "secret", "--quick-generate-key", "locked", "ed25519", "sign", "never",
            ])
        #expect(made.status == 0, "\(made.errors)")
        let exported = try Program.run(
            "gpg",
            [
                "--homedir", home.folder.path, "--batch", "--quiet", "--no-tty", "--pinentry-mode",
                "loopback",
                "--passphrase", "secret", "--export-secret-keys",
            ])
        let certificate = try OpenPGP.Certificate(home.gpg("--export"))
        #expect(throws: OpenPGP.Error.passphraseProtected(certificate.fingerprint)) {
            try OpenPGP.SecretKey(exported.output)
        }
    }

    @Test("A secret key whose primary half is elsewhere signs with its subkey")
    func offlinePrimary() throws {
        let (home, _) = try Self.home(Kind(algorithm: "ed25519", usage: "cert", subkey: "ed25519"))
        let key = try OpenPGP.SecretKey(home.gpg("--export-secret-subkeys"))
        let signature = try key.signDetached(Self.document, at: .now())
        let verdict = try home.verifies(signature, Self.document)
        #expect(verdict.status == 0, "\(verdict.errors)")
    }

    @Test("Keys with encryption subkeys, several names and other people's signatures are read")
    func fullKeys() throws {
        let home = try GnuPGHome()
        try home.gpg("--quick-generate-key", "first", "default", "default", "1y")
        try home.gpg("--quick-add-uid", "first", "second name")
        try home.gpg("--quick-generate-key", "other", "rsa2048", "default", "1y")
        try home.gpg("--default-key", "other", "--yes", "--quick-sign-key", Self.fingerprint(home, "first"))
        let certificates = try OpenPGP.Certificate.all(in: home.gpg("--export", "--armor"))
        #expect(certificates.count == 2)
        #expect(Set(certificates[0].userIDs) == ["first", "second name"])
        let blocks = try home.gpg("--export", "--armor", "first") + home.gpg("--export", "--armor", "other")
        #expect(try OpenPGP.Certificate.all(in: blocks).map(\.fingerprint) == certificates.map(\.fingerprint))
        #expect(throws: OpenPGP.Error.notExactlyOneKey(found: 2)) { try OpenPGP.Certificate(blocks) }
        let key = try OpenPGP.SecretKey(home.gpg("--export-secret-keys", "first"))
        #expect(key.certificate.bytes == certificates[0].bytes)
    }

    static func fingerprint(_ home: GnuPGHome, _ name: String) throws -> String {
        let listing = try String(decoding: home.gpg("--list-keys", "--with-colons", name), as: UTF8.self)
        let line = try #require(listing.split(separator: "\n").first { $0.hasPrefix("fpr:") })
        return String(line.split(separator: ":", omittingEmptySubsequences: false)[9])
    }
}
