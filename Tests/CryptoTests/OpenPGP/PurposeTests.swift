import Testing

@testable import PDCrypto

/// What a signature was made for is part of what is signed, and nothing else is taken for it.
@Suite("Purposes of signatures")
struct PurposeTests {
    static let document = Array("what is signed\n".utf8)
    static let pairs = Purpose.allCases.flatMap { made in Purpose.allCases.map { (made: made, wanted: $0) } }

    /// A notation with this name, value and flags.
    static func notation(
        _ value: String, name: String = Purpose.notationName, flags: Int64 = 0x8000_0000,
        isCritical: Bool = false
    ) -> [UInt8] {
        let lengths = [UInt8(0), UInt8(name.utf8.count), 0, UInt8(value.utf8.count)]
        var subpacket = OpenPGP.Subpackets.write(
            20, OpenPGP.bigEndian(flags) + lengths + Array(name.utf8) + Array(value.utf8))
        if isCritical { subpacket[1] |= 0x80 }
        return subpacket
    }

    /// A key that signs with these subpackets after those that every signature has.
    struct Signer {
        let key: ForgedKey
        let verifier: OpenPGP.Verifier

        init() throws {
            key = try ForgedKey.ed25519()
            verifier = try OpenPGP.Verifier(certificates: [Forge.certificate(key)])
        }

        func sign(hashed: [UInt8] = [], unhashed: [UInt8] = []) throws -> [UInt8] {
            let made = OpenPGP.Timestamp(1_717_286_400)
            return try Forge.packet(
                .signature,
                key.signature(
                    over: PurposeTests.document, hashed: key.area(made) + hashed,
                    unhashed: OpenPGP.Subpackets.write(16, key.fingerprint.bytes.suffix(8)) + unhashed))
        }

        /// What each way to verify says of `signature`: nil where it is accepted.
        func verdicts(_ signature: [UInt8], _ purpose: Purpose?) -> [OpenPGP.Error?] {
            [
                verdict {
                    guard let purpose else {
                        return try verifier.verifyWithoutPurpose(
                            signature: signature, of: PurposeTests.document, at: ForgedKey.now)
                    }
                    return try verifier.verify(
                        signature: signature, of: PurposeTests.document, for: purpose, at: ForgedKey.now)
                },
                verdict {
                    guard let purpose else {
                        return try verifier.verifyRelease(
                            signatures: signature, of: PurposeTests.document, at: ForgedKey.now)
                    }
                    return try verifier.verifyRelease(
                        signatures: signature, of: PurposeTests.document, for: purpose, at: ForgedKey.now)
                },
            ]
        }

        private func verdict(_ body: () throws -> Any) -> OpenPGP.Error? {
            do {
                _ = try body()
                return nil
            } catch {
                return error as? OpenPGP.Error ?? .notExactlyOneSignature(found: -1)
            }
        }
    }

    @Test("A signature for one purpose counts for that and for no other", arguments: pairs)
    func p131_pairs(_ pair: (made: Purpose, wanted: Purpose)) throws {
        let key = try OpenPGP.SecretKey.generate(userID: "signer", at: ForgedKey.born, validity: nil)
        let verifier = OpenPGP.Verifier(certificates: [key.certificate])
        let signature = try key.signDetached(Self.document, for: pair.made, at: ForgedKey.now)
        if pair.made == pair.wanted {
            let found = try verifier.verify(
                signature: signature, of: Self.document, for: pair.wanted, at: ForgedKey.now)
            #expect(found.certificate == key.certificate.fingerprint)
        } else {
            #expect(
                throws: OpenPGP.Error.wrongPurpose(found: pair.made.rawValue, wanted: pair.wanted)
            ) {
                try verifier.verify(
                    signature: signature, of: Self.document, for: pair.wanted, at: ForgedKey.now)
            }
        }
        #expect(throws: OpenPGP.Error.wrongPurpose(found: pair.made.rawValue, wanted: nil)) {
            try verifier.verifyWithoutPurpose(signature: signature, of: Self.document, at: ForgedKey.now)
        }
    }

    @Test("A signature without a purpose counts only where none is asked for", arguments: Purpose.allCases)
    func p131_none(_ purpose: Purpose) throws {
        let signer = try Signer()
        let signature = try signer.sign()
        #expect(signer.verdicts(signature, nil) == [nil, nil])
        #expect(
            signer.verdicts(signature, purpose)
                == [.missingPurpose(wanted: purpose), .missingPurpose(wanted: purpose)])
    }

    /// Ways to say what a signature is for that do not count.
    static let unreliable: [(name: String, hashed: [UInt8], unhashed: [UInt8])] = [
        ("twice the same", notation("order-1") + notation("order-1"), []),
        ("two purposes", notation("order-1") + notation("file-1"), []),
        ("another first", notation("file-1") + notation("order-1"), []),
        ("outside only", [], notation("order-1")),
        ("outside, too", notation("order-1"), notation("order-1")),
        ("another outside, too", notation("order-1"), notation("file-1")),
        ("critical", notation("order-1", isCritical: true), []),
        ("binary", notation("order-1", flags: 0), []),
        ("a further flag", notation("order-1", flags: 0x8000_0001), []),
        ("another flag", notation("order-1", flags: 0x4000_0000), []),
        ("critical outside, too", notation("order-1"), notation("order-1", isCritical: true)),
        ("binary, too", notation("order-1") + notation("order-1", flags: 0), []),
    ]

    @Test("A purpose that is said twice, outside, as critical or as binary counts for nothing")
    func p131_unreliable() throws {
        let signer = try Signer()
        #expect(signer.verdicts(try signer.sign(hashed: Self.notation("order-1")), .order) == [nil, nil])
        for (name, hashed, unhashed) in Self.unreliable {
            let signature = try signer.sign(hashed: hashed, unhashed: unhashed)
            for purpose in [Purpose.order, .file, nil] {
                for verdict in signer.verdicts(signature, purpose) {
                    guard case .malformedPurpose = verdict else {
                        Issue.record("\(name): \(verdict.map(\.description) ?? "accepted")")
                        continue
                    }
                }
            }
        }
    }

    @Test("A purpose that is spelled otherwise is another one, and its text cannot act on a terminal")
    func p131_spelling() throws {
        let signer = try Signer()
        for value in [
            "", "order", "order-1 ", " order-1", "ORDER-1", "order-1\0", "order-11", "order-1\u{1b}[2J",
        ] {
            let signature = try signer.sign(hashed: Self.notation(value))
            for verdict in signer.verdicts(signature, .order) {
                guard case .wrongPurpose(let found, .order) = verdict else {
                    Issue.record("\(value): \(verdict.map(\.description) ?? "accepted")")
                    continue
                }
                #expect(!found.unicodeScalars.contains { $0.value < 0x20 })
            }
        }
        for name in [
            "Purpose@penguindome", "purpose@penguindome\0", "purpose", "purpose@penguindome.example",
        ] {
            let signature = try signer.sign(hashed: Self.notation("order-1", name: name))
            #expect(signer.verdicts(signature, .order).first == .missingPurpose(wanted: .order))
            // Notations of others are none of ours.
            #expect(signer.verdicts(signature, nil) == [nil, nil])
            let both = try signer.sign(hashed: Self.notation("file-1", name: name) + Self.notation("order-1"))
            #expect(signer.verdicts(both, .order) == [nil, nil])
        }
    }

    @Test("A signature for another purpose beside a good one refuses the file")
    func p131_mixed() throws {
        let signer = try Signer()
        let good = try signer.sign(hashed: Self.notation("order-1"))
        let other = try signer.sign(hashed: Self.notation("file-1"))
        for signatures in [good + other, other + good] {
            #expect(signer.verdicts(signatures, .order)[1] == .wrongPurpose(found: "file-1", wanted: .order))
        }
        // That of a stranger decides nothing, whatever it was made for.
        let stranger = try Signer().sign(hashed: Self.notation("file-1"))
        #expect(signer.verdicts(stranger + good, .order)[1] == nil)
    }

    @Test("gpg and gpgv accept what is signed here, and the other way round", arguments: Purpose.allCases)
    func p131_gpg(_ purpose: Purpose) throws {
        let home = try GnuPGHome()
        try home.gpg("--quick-generate-key", "person", "ed25519", "sign", "1y")
        let key = try OpenPGP.SecretKey(home.gpg("--export-secret-keys"))
        let verifier = OpenPGP.Verifier(certificates: [key.certificate])
        let ours = try key.signDetached(Self.document, for: purpose, at: .now())
        let verdict = try home.verifies(ours, Self.document, ["--verify-options", "show-notations"])
        #expect(verdict.status == 0, "\(verdict.errors)")
        #expect(verdict.errors.contains("\(Purpose.notationName)=\(purpose)"), "\(verdict.errors)")
        let paths = try [
            "--keyring", home.file("keys", home.gpg("--export")), home.file("sig", ours),
            home.file("doc", Self.document),
        ]
        #expect(try Program.run("gpgv", paths).status == 0)

        let notation = "\(Purpose.notationName)=\(purpose)"
        for form in ["--armor", "--no-armor"] {
            let theirs = try home.gpg(
                "--sig-notation", notation, form, "--detach-sign", input: Self.document)
            _ = try verifier.verify(signature: theirs, of: Self.document, for: purpose, at: .now())
            let critical = try home.gpg(
                "--sig-notation", "!" + notation, form, "--detach-sign", input: Self.document)
            #expect(throws: OpenPGP.Error.malformedPurpose("it is marked as critical")) {
                try verifier.verify(signature: critical, of: Self.document, for: purpose, at: .now())
            }
            let twice = try home.gpg(
                "--sig-notation", notation, "--sig-notation", "\(Purpose.notationName)=other", form,
                "--detach-sign", input: Self.document)
            #expect(throws: OpenPGP.Error.malformedPurpose("it stands there more than once")) {
                try verifier.verify(signature: twice, of: Self.document, for: purpose, at: .now())
            }
        }
    }

    @Test("A bare Ed25519 signature counts for its purpose alone", arguments: pairs)
    func p131_bare(_ pair: (made: Purpose, wanted: Purpose)) throws {
        let key = try Curve25519.Signing.PrivateKey(random: SecureRandom())
        let signature = try key.signature(of: Self.document, for: pair.made)
        #expect(
            try key.publicKey.isValidSignature(signature, of: Self.document, for: pair.wanted)
                == (pair.made == pair.wanted))
        #expect(try !key.publicKey.isValidSignature(signature, for: Self.document))
        let bytes = Array("penguindome/\(pair.made.rawValue)\0".utf8) + Self.document
        #expect(try signature == key.signature(for: bytes))
        // A part of the content cannot pass for the end of a purpose.
        let longer = Array("x".utf8) + Self.document
        #expect(try !key.publicKey.isValidSignature(signature, of: longer, for: pair.made))
    }

    @Test("The names of purposes are distinct, short and plain")
    func p131_names() {
        #expect(Set(Purpose.allCases.map(\.rawValue)).count == Purpose.allCases.count)
        for purpose in Purpose.allCases {
            #expect(purpose.rawValue.utf8.allSatisfy { (0x21...0x7e).contains($0) })
            #expect(purpose.rawValue.utf8.count < 100)
            #expect(purpose.rawValue.contains(/-[1-9][0-9]*$/))
        }
    }
}
