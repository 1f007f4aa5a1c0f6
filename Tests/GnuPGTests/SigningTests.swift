import Foundation
import PDCrypto
import PDGnuPG
import PDTestSupport
import Testing

@Suite("Signing through gpg-agent")
struct SigningTests {
    static let document = Array("{\"release\": \"2026.11\"}\r\nsecond line\n".utf8)

    struct Kind: Sendable, CustomTestStringConvertible {
        var algorithm: String
        var passphrase: String
        var subkey: String?

        var testDescription: String {
            algorithm + (subkey.map { " with subkey \($0)" } ?? "")
                + (passphrase.isEmpty ? "" : " with passphrase")
        }

        static let all = [
            Kind(algorithm: "rsa3072", passphrase: ""),
            Kind(algorithm: "rsa3072", passphrase: "correct horse"),
            Kind(algorithm: "ed25519", passphrase: ""),
            Kind(algorithm: "ed25519", passphrase: "größer ☂"),
            Kind(algorithm: "rsa3072", passphrase: "", subkey: "ed25519"),
            Kind(algorithm: "ed25519", passphrase: "", subkey: "nistp256/ecdsa"),
        ]
    }

    /// Our verdict and those of gpgv and sqv.
    static func expectAccepted(
        _ signature: [UInt8], by certificate: OpenPGP.Certificate, in home: TemporaryHome
    ) throws {
        let verifier = OpenPGP.Verifier(certificates: [certificate])
        #expect(
            try verifier.verify(signature: signature, of: document, for: .file, at: .now()).certificate
                == certificate.fingerprint)
        #expect(try home.verdicts(signature, document, certificate) == ["gpgv": 0, "sqv": 0])
        #expect(throws: OpenPGP.Error.badSignature) {
            try verifier.verify(signature: signature, of: document + [0x0a], for: .file, at: .now())
        }
    }

    @Test("We, gpgv and sqv accept binary and armored signatures", arguments: Kind.all)
    func sign(_ kind: Kind) throws {
        let temporary = try TemporaryHome()
        let fingerprint = try temporary.makeKey(
            kind.algorithm, usage: kind.subkey == nil ? "sign" : "cert", passphrase: kind.passphrase)
        if let subkey = kind.subkey {
            try temporary.gpg("--quick-add-key", fingerprint.description, subkey, "sign", "1y")
        }
        let signer = try GnuPG.Signer(fingerprint, in: temporary.home, passphrase: .known(kind.passphrase))
        #expect(signer.certificate.fingerprint == fingerprint)
        let binary = try signer.detachedSignature(of: Self.document, for: .file, at: .now())
        #expect(binary.first.map { $0 & 0x80 } == 0x80)
        try Self.expectAccepted(binary, by: signer.certificate, in: temporary)
        let armored = try OpenPGP.armored(
            signature: signer.detachedSignature(of: Self.document, for: .file, at: .now()))
        #expect(armored.hasPrefix("-----BEGIN PGP SIGNATURE-----\n"))
        try Self.expectAccepted(Array(armored.utf8), by: signer.certificate, in: temporary)
    }

    @Test("A key in a file and one behind the agent sign through one interface")
    func oneInterface() throws {
        let temporary = try TemporaryHome()
        let fingerprint = try temporary.makeKey("ed25519")
        let signers: [any OpenPGP.DetachedSigner] = try [
            GnuPG.Signer(fingerprint, in: temporary.home),
            OpenPGP.SecretKey(temporary.gpg("--export-secret-keys")),
        ]
        for signer in signers {
            #expect(signer.certificate.fingerprint == fingerprint)
            try Self.expectAccepted(
                signer.detachedSignature(of: Self.document, for: .file, at: .now()), by: signer.certificate,
                in: temporary
            )
            try Self.expectAccepted(
                Array(
                    OpenPGP.armored(
                        signature: signer.detachedSignature(of: Self.document, for: .file, at: .now())
                    ).utf8),
                by: signer.certificate,
                in: temporary)
        }
    }

    @Test("Documents of 0 bytes and of a megabyte are signed", arguments: [0, 1 << 20])
    func size(_ count: Int) throws {
        let temporary = try TemporaryHome()
        let signer = try GnuPG.Signer(temporary.makeKey("ed25519"), in: temporary.home)
        let document = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let signature = try signer.detachedSignature(of: document, for: .file, at: .now())
        #expect(try temporary.verdicts(signature, document, signer.certificate) == ["gpgv": 0, "sqv": 0])
    }

    @Test("A wrong passphrase is called one, is given once only, and the right one works after it")
    func wrongPassphrase() throws {
        let temporary = try TemporaryHome()
        let fingerprint = try temporary.makeKey("ed25519", passphrase: "right")
        let wrong = try GnuPG.Signer(fingerprint, in: temporary.home, passphrase: .known("wrong"))
        #expect(throws: GnuPG.Error.badPassphrase) {
            try wrong.detachedSignature(of: Self.document, for: .file, at: .now())
        }
        let right = try GnuPG.Signer(fingerprint, in: temporary.home, passphrase: .known("right"))
        try Self.expectAccepted(
            right.detachedSignature(of: Self.document, for: .file, at: .now()), by: right.certificate,
            in: temporary)
        #expect(throws: GnuPG.Error.badPassphrase) {
            try wrong.detachedSignature(of: Self.document, for: .file, at: .now())
        }
    }

    @Test("A passphrase that was not given cancels")
    func cancelled() throws {
        let temporary = try TemporaryHome()
        let fingerprint = try temporary.makeKey("ed25519", passphrase: "right")
        let signer = try GnuPG.Signer(fingerprint, in: temporary.home, passphrase: .provided { nil })
        #expect(throws: GnuPG.Error.cancelled) {
            try signer.detachedSignature(of: Self.document, for: .file, at: .now())
        }
    }

    @Test("A person who closes the agent's dialog cancels")
    func pinentryCancels() throws {
        let temporary = try TemporaryHome()
        let script =
            "#!/bin/sh\necho OK\nwhile read -r word rest; do case $word in\n"
            + "GETPIN) echo 'ERR 83886179 Operation cancelled <Pinentry>';;\nBYE) echo OK; exit;;\n*) echo OK;;\nesac; done\n"
        let pinentry = try temporary.file("pinentry", Array(script.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: pinentry)
        let fingerprint = try temporary.makeKey("ed25519", passphrase: "right")
        try temporary.configure(
            "gpg-agent.conf", "default-cache-ttl 0\nmax-cache-ttl 0\npinentry-program \(pinentry)\n")
        try temporary.stopAgent()
        let signer = try GnuPG.Signer(fingerprint, in: temporary.home)
        #expect(throws: GnuPG.Error.cancelled) {
            try signer.detachedSignature(of: Self.document, for: .file, at: .now())
        }
    }

    @Test(
        "p131_What gpg-agent signs counts for its purpose and no other, and gpgv and sqv accept it",
        arguments: Purpose.allCases)
    func purpose(made: Purpose) throws {
        let temporary = try TemporaryHome()
        let signer = try GnuPG.Signer(temporary.makeKey("ed25519"), in: temporary.home)
        let signature = try signer.detachedSignature(of: Self.document, for: made, at: .now())
        #expect(
            try temporary.verdicts(signature, Self.document, signer.certificate) == ["gpgv": 0, "sqv": 0])
        let verifier = OpenPGP.Verifier(certificates: [signer.certificate])
        _ = try verifier.verify(signature: signature, of: Self.document, for: made, at: .now())
        for wanted in Purpose.allCases where wanted != made {
            #expect(throws: OpenPGP.Error.wrongPurpose(found: made.rawValue, wanted: wanted)) {
                try verifier.verify(signature: signature, of: Self.document, for: wanted, at: .now())
            }
        }
        // A second one from gpg.conf: nothing leaves that a verifier would refuse.
        try temporary.configure("gpg.conf", "sig-notation \(Purpose.notationName)=order-1\n")
        #expect(throws: GnuPG.Error.self) {
            try signer.detachedSignature(of: Self.document, for: made, at: .now())
        }
    }

    @Test("A missing pinentry is called that")
    func noPinentry() throws {
        let temporary = try TemporaryHome()
        let fingerprint = try temporary.makeKey("ed25519", passphrase: "right")
        try temporary.configure("gpg-agent.conf", "max-cache-ttl 0\npinentry-program /nonexistent/pinentry\n")
        try temporary.stopAgent()
        let signer = try GnuPG.Signer(fingerprint, in: temporary.home)
        #expect(throws: GnuPG.Error.pinentryMissing) {
            try signer.detachedSignature(of: Self.document, for: .file, at: .now())
        }
    }

    @Test(
        "A passphrase that gpg would misread is refused", arguments: ["", "two\nlines", "nul\u{0}", "cr\r"])
    func unsuitablePassphrase(_ passphrase: String) throws {
        let temporary = try TemporaryHome()
        let fingerprint = try temporary.makeKey("ed25519", passphrase: "right")
        let signer = try GnuPG.Signer(fingerprint, in: temporary.home, passphrase: .known(passphrase))
        #expect(throws: GnuPG.Error.unsuitablePassphrase) {
            try signer.detachedSignature(of: Self.document, for: .file, at: .now())
        }
    }

    @Test("Without the secret key nothing is signed")
    func noSecretKey() throws {
        let (ours, theirs) = try (TemporaryHome(), TemporaryHome())
        let fingerprint = try theirs.makeKey("ed25519")
        try ours.gpg("--import", ours.file("key", theirs.home.certificate(fingerprint).bytes))
        let signer = try GnuPG.Signer(fingerprint, in: ours.home)
        #expect(throws: GnuPG.Error.noSecretKey) {
            try signer.detachedSignature(of: Self.document, for: .file, at: .now())
        }
    }

    @Test("A missing agent is called that")
    func noAgent() throws {
        let temporary = try TemporaryHome()
        let signer = try GnuPG.Signer(temporary.makeKey("ed25519"), in: temporary.home)
        try temporary.stopAgent()
        try temporary.configure("gpg.conf", "agent-program /nonexistent/gpg-agent\n")
        #expect(throws: GnuPG.Error.agentMissing) {
            try signer.detachedSignature(of: Self.document, for: .file, at: .now())
        }
    }

    @Test("An expired key does not sign")
    func expired() throws {
        let temporary = try TemporaryHome()
        let fingerprint = try temporary.makeKey("ed25519", validity: "1d", at: "20240601T000000!")
        let signer = try GnuPG.Signer(fingerprint, in: temporary.home)
        #expect(
            throws: GnuPG.Error.unusableKey(
                .keyExpired(fingerprint, at: OpenPGP.Timestamp(1_717_200_000 + 86_400)))
        ) { try signer.detachedSignature(of: Self.document, for: .file, at: .now()) }
    }

    @Test("A key that may only certify does not sign")
    func cannotSign() throws {
        let temporary = try TemporaryHome()
        let fingerprint = try temporary.makeKey("ed25519", usage: "cert")
        let signer = try GnuPG.Signer(fingerprint, in: temporary.home)
        #expect(throws: GnuPG.Error.unusableKey(.keyCannotSign(fingerprint))) {
            try signer.detachedSignature(of: Self.document, for: .file, at: .now())
        }
    }

    @Test("What gpg.conf makes gpg sign otherwise is not handed out")
    func configuration() throws {
        let temporary = try TemporaryHome()
        let signer = try GnuPG.Signer(temporary.makeKey("rsa3072"), in: temporary.home)
        let other = try temporary.makeKey("ed25519", name: "other")
        let faults: [(String, OpenPGP.Error)] = [
            ("textmode", .wrongSignatureType(1)),
            ("digest-algo SHA1", .weakHash("SHA-1")),
            ("local-user \(other)", .notExactlyOneSignature(found: 2)),
        ]
        for (line, fault) in faults {
            try temporary.configure("gpg.conf", line + "\n")
            #expect(throws: GnuPG.Error.refusedSignature(fault)) {
                try signer.detachedSignature(of: Self.document, for: .file, at: .now())
            }
        }
    }

    @Test("Armor is as it was asked for, whatever gpg.conf says")
    func armor() throws {
        let temporary = try TemporaryHome()
        let signer = try GnuPG.Signer(temporary.makeKey("ed25519"), in: temporary.home)
        try temporary.configure("gpg.conf", "armor\ncomment whatever\n")
        let binary = try signer.detachedSignature(of: Self.document, for: .file, at: .now())
        #expect(binary.first.map { $0 & 0x80 } == 0x80)
        try Self.expectAccepted(binary, by: signer.certificate, in: temporary)
        try Self.expectAccepted(
            Array(
                OpenPGP.armored(
                    signature: signer.detachedSignature(of: Self.document, for: .file, at: .now())
                ).utf8),
            by: signer.certificate,
            in: temporary)
    }

    @Test("A time that no signature can bear is refused", arguments: [-1, Int64(UInt32.max) + 1, .max, .min])
    func unsuitableTime(_ seconds: Int64) throws {
        let temporary = try TemporaryHome()
        let signer = try GnuPG.Signer(temporary.makeKey("ed25519"), in: temporary.home)
        #expect(throws: GnuPG.Error.unusableKey(.unsuitableTimeOrName)) {
            try signer.detachedSignature(of: Self.document, for: .file, at: OpenPGP.Timestamp(seconds))
        }
    }

    @Test("Many threads sign and list at once, in two homes")
    func concurrency() async throws {
        let homes = try [TemporaryHome(), TemporaryHome()]
        let signers = try homes.map {
            try GnuPG.Signer($0.makeKey("ed25519", passphrase: "p"), in: $0.home, passphrase: .known("p"))
        }
        let accepted = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<16 {
                group.addTask {
                    let (home, signer) = (homes[index % 2], signers[index % 2])
                    let document = Self.document + [UInt8(index)]
                    let signature = try signer.detachedSignature(of: document, for: .file, at: .now())
                    _ = try OpenPGP.Verifier(certificates: [signer.certificate])
                        .verify(signature: signature, of: document, for: .file, at: .now())
                    return try home.home.keys().count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(accepted == 16)
    }

    @Test("Errors have one line for people, and no secret in it")
    func descriptions() throws {
        let temporary = try TemporaryHome()
        let fingerprint = try temporary.makeKey("ed25519", passphrase: "right")
        let signer = try GnuPG.Signer(fingerprint, in: temporary.home, passphrase: .known("guessed-wrong"))
        let error = #expect(throws: GnuPG.Error.self) {
            try signer.detachedSignature(of: Self.document, for: .file, at: .now())
        }
        #expect(error?.description == "wrong passphrase or PIN")
        #expect(!String(reflecting: signer).contains("guessed"))
    }
}
