import PDCrypto
import PDGnuPG
import PDTestSupport
import Testing

@Suite("Keyrings of GnuPG")
struct KeyringTests {
    @Test("An empty keyring lists no key")
    func empty() throws {
        #expect(try TemporaryHome().home.keys() == [])
    }

    @Test("Keys are listed with their names, and with whether the agent has the secret half")
    func list() throws {
        let (ours, theirs) = try (TemporaryHome(), TemporaryHome())
        let mine = try ours.makeKey("ed25519", name: "Jörg Müller <j@example.org>")
        let other = try theirs.makeKey("rsa3072")
        let exported = try ours.file("other", theirs.home.certificate(other).bytes)
        try ours.gpg("--import", exported)
        let keys = try ours.home.keys()
        #expect(keys.count == 2)
        let first = try #require(keys.first { $0.fingerprint == mine })
        #expect(first.userIDs == ["Jörg Müller <j@example.org>"])
        #expect(first.hasSecretKey)
        let second = try #require(keys.first { $0.fingerprint == other })
        #expect(second.userIDs == ["someone <s@example.org>"])
        #expect(!second.hasSecretKey)
    }

    @Test("An exported certificate is the one that gpg exports, and lasts as long")
    func export() throws {
        let temporary = try TemporaryHome()
        let fingerprint = try temporary.makeKey("rsa3072", usage: "cert")
        try temporary.gpg("--quick-add-key", fingerprint.description, "ed25519", "sign", "1y")
        let certificate = try temporary.home.certificate(fingerprint)
        #expect(certificate.fingerprint == fingerprint)
        #expect(certificate.userIDs == ["someone <s@example.org>"])
        #expect(certificate.problem(at: .now()) == nil)
        #expect(try certificate.bytes == temporary.gpg("--export", fingerprint.description))
    }

    @Test("Signatures of other people are left out of a certificate")
    func minimalExport() throws {
        let temporary = try TemporaryHome()
        let key = try temporary.makeKey("ed25519")
        let before = try temporary.home.certificate(key).bytes
        let friend = try temporary.makeKey("ed25519", usage: "cert", name: "friend")
        try temporary.gpg("--local-user", friend.description, "--quick-sign-key", key.description)
        #expect(try temporary.gpg("--export", key.description).count > before.count)
        #expect(try temporary.home.certificate(key).bytes == before)
    }

    @Test("A key that is not in the keyring is named")
    func unknown() throws {
        let temporary = try TemporaryHome()
        let fingerprint = try #require(OpenPGP.Fingerprint([UInt8](repeating: 7, count: 20)))
        #expect(throws: GnuPG.Error.noSuchKey(fingerprint)) { try temporary.home.certificate(fingerprint) }
        #expect(throws: GnuPG.Error.noSuchKey(fingerprint)) {
            try GnuPG.Signer(fingerprint, in: temporary.home)
        }
    }

    @Test("A subkey's fingerprint is answered with that of its primary key")
    func subkey() throws {
        let temporary = try TemporaryHome()
        let primary = try temporary.makeKey("ed25519", usage: "cert")
        try temporary.gpg("--quick-add-key", primary.description, "ed25519", "sign", "1y")
        let listing = try String(decoding: temporary.gpg("--list-keys", "--with-colons"), as: UTF8.self)
        let fingerprints = listing.split(separator: "\n").filter { $0.hasPrefix("fpr:") }
            .map { String($0.split(separator: ":", omittingEmptySubsequences: false)[9]) }
        let subkey = try #require(fingerprints.last.flatMap(OpenPGP.Fingerprint.init(hex:)))
        #expect(subkey != primary)
        #expect(throws: GnuPG.Error.subkey(subkey, of: primary)) { try temporary.home.certificate(subkey) }
    }

    @Test(
        "A home that is no directory is refused before gpg would make one",
        arguments: ["/nonexistent", "/etc/passwd"])
    func noHome(_ path: String) {
        #expect(throws: GnuPG.Error.noSuchHome(path)) { try GnuPG.Home(path: path) }
    }

    @Test("Control characters in names are escaped")
    func controlCharacters() throws {
        let temporary = try TemporaryHome()
        let key = try OpenPGP.SecretKey.generate(userID: "xy", at: .now(), validity: nil)
        var bytes = key.certificate.bytes
        // The certification no longer fits, which a listing does not care about.
        let name = try #require(bytes.indices.dropLast().first { bytes[$0] == 0x78 && bytes[$0 + 1] == 0x79 })
        bytes[name] = 0x1b
        let file = try temporary.file("key", bytes)
        try temporary.gpg("--allow-non-selfsigned-uid", "--import", file)
        let listed = try #require(temporary.home.keys().first)
        #expect(listed.userIDs.count == 1)
        #expect(!listed.userIDs.joined().unicodeScalars.contains { $0.value < 0x20 })
        #expect(listed.userIDs.joined().hasSuffix("y"))
    }
}
