import Foundation
import Testing

@testable import PDCrypto

/// A trusted Ed25519 key, a document, and a good signature to spoil.
struct Scene {
    let document = Array("the document\n".utf8)
    let key: ForgedKey
    let certificate: OpenPGP.Certificate
    let verifier: OpenPGP.Verifier

    init(_ key: ForgedKey? = nil) throws {
        self.key = try key ?? .ed25519()
        certificate = try Forge.certificate(self.key)
        verifier = OpenPGP.Verifier(certificates: [certificate])
    }

    func packet(_ body: [UInt8]) -> [UInt8] { Forge.packet(.signature, body) }

    func good() throws -> [UInt8] { try packet(key.signature(over: document)) }

    @discardableResult
    func verify(_ signature: [UInt8], at now: OpenPGP.Timestamp = ForgedKey.now) throws(OpenPGP.Error)
        -> OpenPGP.VerifiedSignature
    {
        try verifier.verify(signature: signature, of: document, at: now)
    }

    func release(
        _ signatures: [UInt8], threshold: Int = 1, verifier: OpenPGP.Verifier? = nil
    ) throws(OpenPGP.Error) -> [OpenPGP.VerifiedSignature] {
        try (verifier ?? self.verifier)
            .verifyRelease(signatures: signatures, of: document, threshold: threshold, at: ForgedKey.now)
    }

    /// Expects this signature to be refused with an error for which `isExpected` holds.
    func refuses(
        _ signature: [UInt8], _ isExpected: (OpenPGP.Error) -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        do throws(OpenPGP.Error) {
            try verify(signature)
            Issue.record("accepted", sourceLocation: sourceLocation)
        } catch {
            #expect(isExpected(error), "refused for another reason: \(error)", sourceLocation: sourceLocation)
        }
    }

    func refuses(
        _ signature: [UInt8], _ error: OpenPGP.Error, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        refuses(signature, { $0 == error }, sourceLocation: sourceLocation)
    }

    func refusesAsMalformed(_ signature: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
        refuses(
            signature, { if case .malformedPacket = $0 { true } else { false } },
            sourceLocation: sourceLocation)
    }
}

@Suite("Pitfalls 38 to 41: signatures that peers judge differently")
struct PitfallsSignatureTests {
    // MARK: 38

    @Test(
        "p38 A changed hashed area, algorithm, type, digest or number, a cut and an empty signature are refused"
    )
    func p38_changedSignatures() throws {
        let scene = try Scene()
        let good = try scene.good()
        try scene.verify(good)
        // Header 2 octets; then version, type, algorithm, hash, length of the hashed area.
        for (offset, what) in [
            (3, "type"), (4, "algorithm"), (5, "hash"), (12, "hashed area"), (good.count - 1, "S"),
        ] {
            var changed = good
            changed[offset] ^= 0x04
            #expect(throws: OpenPGP.Error.self, "\(what)") { try scene.verify(changed) }
        }
        for length in 0..<good.count {
            #expect(throws: OpenPGP.Error.self) { try scene.verify(Array(good[..<length])) }
        }
        #expect(throws: OpenPGP.Error.badSignature) {
            try scene.verifier.verify(signature: good, of: scene.document + [0], at: ForgedKey.now)
        }
    }

    @Test("p38 What only the unhashed area or the first digest bits say does not decide, as with all peers")
    func p38_unprotectedParts() throws {
        let scene = try Scene()
        let expiration = OpenPGP.Subpackets.write(3, OpenPGP.bigEndian(1))
        let keyID = OpenPGP.Subpackets.write(16, scene.key.fingerprint.bytes.suffix(8))
        for unhashed in [
            [], OpenPGP.Subpackets.write(16, [UInt8](repeating: 7, count: 8)), keyID + expiration,
        ] {
            try scene.verify(scene.packet(scene.key.signature(over: scene.document, unhashed: unhashed)))
        }
        var left16 = try scene.good()
        let offset = left16.count - 2 * 34 - 2
        #expect(left16[offset..<(offset + 2)].count == 2)
        left16[offset] ^= 0xff
        try scene.verify(left16)
        try scene.verify(Forge.packet(.marker, Array("PGP".utf8)) + scene.good())
    }

    @Test("p38 An unknown critical subpacket refuses even in the unhashed area, as with gpg and gpgv")
    func p38_criticalUnhashed() throws {
        let scene = try Scene()
        let unhashed = OpenPGP.Subpackets.write(0x80 | 100, [1])
        try scene.refuses(
            scene.packet(scene.key.signature(over: scene.document, unhashed: unhashed)),
            .unknownCriticalSubpacket(100))
    }

    @Test("p38 Trailing bytes, overrunning lengths and foreign packets are refused")
    func p38_trailing() throws {
        let scene = try Scene()
        let good = try scene.good()
        scene.refusesAsMalformed(good + [0, 0, 0, 0])
        scene.refusesAsMalformed(good + [0xff, 0xff])
        let literal = Forge.packet(.literalData, [0x62, 0, 0, 0, 0, 0] + scene.document)
        scene.refuses(good + literal, .unexpectedPacket(.literalData))
        scene.refuses(literal + good, .unexpectedPacket(.literalData))
        // The unhashed area's length, raised by one and to the limit.
        var body = try scene.key.signature(over: scene.document)
        let unhashedLength = 6 + scene.key.area(ForgedKey.now).count
        for wrong in [[0, 11] as [UInt8], [0xff, 0xff]] {
            body.replaceSubrange(unhashedLength..<(unhashedLength + 2), with: wrong)
            scene.refusesAsMalformed(scene.packet(body))
        }
    }

    @Test("p38 Several signatures: one request carries one; a release needs all named trusted keys to verify")
    func p38_severalSignatures() throws {
        let scene = try Scene()
        let good = try scene.good()
        let bad = try scene.packet(scene.key.signature(over: [1, 2, 3]))
        let unknown = try scene.packet(ForgedKey.ed25519().signature(over: scene.document))
        for pair in [good + good, good + bad, bad + good, good + unknown, unknown + good] {
            scene.refuses(pair, .notExactlyOneSignature(found: 2))
        }
        #expect(try scene.release(good + good).count == 1)
        #expect(try scene.release(good + unknown).map(\.certificate) == [scene.key.fingerprint])
        #expect(try scene.release(unknown + good).map(\.certificate) == [scene.key.fingerprint])
        for pair in [good + bad, bad + good] {
            #expect(throws: OpenPGP.Error.badSignature) { try scene.release(pair) }
        }
        #expect(throws: OpenPGP.Error.self) { try scene.release(unknown) }
        #expect(throws: OpenPGP.Error.self) { try scene.release([]) }
        #expect(throws: OpenPGP.Error.thresholdNotReached(have: 0, need: 1)) {
            try scene.release(Forge.packet(.marker, Array("PGP".utf8)))
        }
    }

    @Test("p38_p68 A threshold counts certificates, not signatures or subkeys")
    func p68_threshold() throws {
        let scene = try Scene()
        let other = try ForgedKey.ed25519()
        let subkey = try ForgedKey.ed25519()
        let withSubkey = try Forge.certificate(
            scene.key, then: Forge.subkey(subkey, of: scene.key, back: subkey))
        let verifier = OpenPGP.Verifier(certificates: [withSubkey, try Forge.certificate(other)])
        let one = try scene.good()
        let sub = try scene.packet(subkey.signature(over: scene.document))
        let two = try scene.packet(other.signature(over: scene.document))
        #expect(throws: OpenPGP.Error.thresholdNotReached(have: 1, need: 2)) {
            try scene.release(one + one + sub, threshold: 2, verifier: verifier)
        }
        let signers = try scene.release(one + sub + two, threshold: 2, verifier: verifier).map(\.certificate)
        #expect(signers == [scene.key.fingerprint, other.fingerprint])
        #expect(throws: OpenPGP.Error.thresholdNotReached(have: 2, need: 3)) {
            try scene.release(one + two, threshold: 3, verifier: verifier)
        }
        // A threshold below one is one.
        #expect(throws: OpenPGP.Error.thresholdNotReached(have: 0, need: 1)) {
            try scene.release(Forge.packet(.marker, Array("PGP".utf8)), threshold: 0)
        }
    }

    // MARK: 39 to 41

    @Test(
        "p39 Only a signature of a binary document is one",
        arguments: [
            0x01, 0x02, 0x10, 0x11, 0x12, 0x13, 0x16, 0x18, 0x19, 0x1f, 0x20, 0x28, 0x30, 0x40, 0x50, 0xff,
        ]
            as [UInt8])
    func p39_signatureTypes(type: UInt8) throws {
        let scene = try Scene()
        let signature = try scene.packet(scene.key.signature(type: type, over: scene.document))
        scene.refuses(signature, .wrongSignatureType(type))
        #expect(throws: OpenPGP.Error.wrongSignatureType(type)) { try scene.release(signature) }
    }

    @Test(
        "p40 Signatures of other versions are refused by name, and passed over in a release",
        arguments: [
            0, 1, 2, 3, 5, 6, 255,
        ] as [UInt8])
    func p40_versions(version: UInt8) throws {
        let scene = try Scene()
        var other = try scene.key.signature(over: scene.document)
        other[0] = version
        let packet = scene.packet(other)
        scene.refuses(packet, .unsupportedSignatureVersion(version))
        #expect(throws: OpenPGP.Error.unsupportedSignatureVersion(version)) { try scene.release(packet) }
        #expect(try scene.release(packet + scene.good()).count == 1)
    }

    @Test(
        "p41 Weak hash algorithms are refused by name",
        arguments: [
            (1, "MD5"), (2, "SHA-1"), (3, "RIPEMD-160"), (11, "SHA-224"),
        ] as [(UInt8, String)])
    func p41_weakHashes(id: UInt8, name: String) throws {
        let scene = try Scene()
        let signature = try scene.packet(scene.key.signature(over: scene.document, hashID: id))
        scene.refuses(signature, .weakHash(name))
        #expect(throws: OpenPGP.Error.weakHash(name)) { try scene.release(signature) }
    }

    @Test(
        "p41 Unknown hash algorithms are refused by number",
        arguments: [0, 4, 7, 12, 14, 110, 255] as [UInt8])
    func p41_unknownHashes(id: UInt8) throws {
        let scene = try Scene()
        try scene.refuses(
            scene.packet(scene.key.signature(over: scene.document, hashID: id)), .unsupportedHash(id))
    }

    @Test(
        "p41_gpg's own signatures over SHA-1, RIPEMD-160 and SHA-224 are refused here",
        arguments: [
            ("SHA1", "SHA-1"), ("RIPEMD160", "RIPEMD-160"), ("SHA224", "SHA-224"),
        ])
    func p41_weakHashesOfGnuPG(option: String, name: String) throws {
        let home = try GnuPGHome()
        try home.gpg("--quick-generate-key", "weak", "rsa2048", "sign", "1y")
        let certificate = try OpenPGP.Certificate(home.gpg("--export"))
        let signature = try home.gpg(
            "--allow-weak-digest-algos", "--digest-algo", option, "--detach-sign", input: [1, 2, 3])
        #expect(throws: OpenPGP.Error.weakHash(name)) {
            try OpenPGP.Verifier(certificates: [certificate]).verify(
                signature: signature, of: [1, 2, 3], at: .now())
        }
    }
}
