import Foundation
import Testing

@testable import PDCrypto

/// What keys of real people look like, and what reading them may cost.
@Suite("Keys of real people")
struct RealKeyTests {
    static let day: Int64 = 86_400
    static let later = ForgedKey.born.advanced(by: day)

    private func verdict(
        _ packets: [UInt8], _ signer: ForgedKey, now: OpenPGP.Timestamp = ForgedKey.now
    ) throws -> OpenPGP.Error? {
        try PitfallsKeyTests.verdict(OpenPGP.Certificate(packets), signer, now: now)
    }

    // MARK: 42

    @Test(
        "p42 RSA exponents are odd, from 3 to 2^32 - 1",
        arguments: [
            ([3], true), ([17], true), ([35], true), ([41], true), ([1, 1], true), ([1, 0, 1], true),
            ([0xff, 0xff, 0xff, 0xff], true), ([1], false), ([2], false), ([1, 0, 0], false),
            ([1, 0, 0, 0, 1], false), ([UInt8](repeating: 0xff, count: 32), false), ([], false),
        ] as [([UInt8], Bool)])
    func p42_exponents(exponent: [UInt8], isGood: Bool) throws {
        let key = try PitfallsNumberTests.rsa(bits: 3072, exponent: exponent)
        if case .success = key.material { #expect(isGood) } else { #expect(!isGood) }
    }

    @Test("p42 A key with the exponent 41, as gpg made them until 2006, signs", arguments: [3, 41, 257])
    func p42_smallExponent(exponent: Int) throws {
        let pair = try SExpression.generateKey(
            SExpression("(genkey(rsa(nbits 4:2048)(rsa-use-e \("\(exponent)".utf8.count):\(exponent))))", []))
        let key = try ForgedKey(rsa: pair)
        #expect(key.secret.value("e") == (exponent < 256 ? [UInt8(exponent)] : [1, 1]))
        let certificate = try Forge.certificate(key)
        #expect(try PitfallsKeyTests.verdict(certificate, key) == nil)
        let home = try GnuPGHome()
        try home.gpg("--import", input: certificate.bytes)
        let signature = try Forge.packet(.signature, key.signature(over: [1, 2, 3]))
        #expect(try home.verifies(signature, [1, 2, 3]).status == 0)
    }

    // MARK: 54

    /// A declaration over this hash, a day after another over SHA-256.
    private func narrowed(
        _ key: ForgedKey, old: [UInt8] = Forge.flags(3), by new: [UInt8], hashID: UInt8,
        made: OpenPGP.Timestamp = later
    ) throws -> OpenPGP.Certificate {
        try Forge.certificate(
            key, extra: old, then: Forge.name(key, "b", extra: new, hashID: hashID, made: made))
    }

    @Test(
        "p54 A newer self-signature over a broken hash narrows the one over SHA-2, and never widens it",
        arguments: [
            1, 2, 3, 11,
        ] as [UInt8])
    func p54_narrows(hashID: UInt8) throws {
        let key = try ForgedKey.ed25519()
        func verdict(_ certificate: OpenPGP.Certificate) throws -> OpenPGP.Error? {
            try PitfallsKeyTests.verdict(certificate, key)
        }
        let ending = Forge.keyExpires(after: 2 * Self.day)
        let expired = OpenPGP.Error.keyExpired(
            key.fingerprint, at: ForgedKey.born.advanced(by: 2 * Self.day))
        // The same again: the key stands.
        #expect(try verdict(narrowed(key, by: Forge.flags(3), hashID: hashID)) == nil)
        #expect(try verdict(narrowed(key, by: [], hashID: hashID)) == nil)
        // What it forbids is forbidden.
        #expect(
            try verdict(narrowed(key, by: Forge.flags(1), hashID: hashID)) == .keyCannotSign(key.fingerprint))
        #expect(try verdict(narrowed(key, by: Forge.flags(3) + ending, hashID: hashID)) == expired)
        #expect(
            try verdict(narrowed(key, by: Forge.flags(3) + PitfallsKeyTests.oddities[4], hashID: hashID))
                == .unknownCriticalSubpacket(100))
        // What it allows is not allowed: neither use, nor a longer life, nor a name.
        #expect(
            try verdict(narrowed(key, old: Forge.flags(1), by: Forge.flags(3), hashID: hashID))
                == .keyCannotSign(key.fingerprint))
        #expect(
            try verdict(narrowed(key, old: [], by: Forge.flags(3), hashID: hashID))
                == .keyCannotSign(key.fingerprint))
        let longer = Forge.flags(3) + Forge.keyExpires(after: 9999 * Self.day)
        #expect(
            try verdict(narrowed(key, old: Forge.flags(3) + ending, by: longer, hashID: hashID)) == expired)
        #expect(try narrowed(key, by: Forge.flags(3), hashID: hashID).userIDs == ["forged"])
        // An older one says nothing any more, and of several only the newest counts.
        let early = ForgedKey.born.advanced(by: -1)
        let elder = try ForgedKey.ed25519(born: early)
        let old = try Forge.certificate(
            elder, then: Forge.name(elder, "b", extra: Forge.flags(1) + ending, hashID: hashID, made: early))
        #expect(try PitfallsKeyTests.verdict(old, elder) == nil)
        let lifted = try Forge.certificate(
            key,
            then: Forge.name(key, "b", extra: Forge.flags(1), hashID: hashID, made: Self.later)
                + Forge.name(key, "c", hashID: hashID, made: Self.later.advanced(by: 1)))
        #expect(try verdict(lifted) == nil)
        // A newer one over SHA-2 decides alone.
        let renewed = try Forge.certificate(
            key,
            then: Forge.name(key, "b", extra: Forge.flags(1), hashID: hashID, made: Self.later)
                + Forge.name(key, "c", made: Self.later.advanced(by: 1)))
        #expect(try verdict(renewed) == nil)
    }

    @Test(
        "p54 A direct-key signature over a broken hash narrows, too, and does not stand for a self-signature")
    func p54_weakDirectKey() throws {
        let key = try ForgedKey.ed25519()
        func direct(_ extra: [UInt8], hashID: UInt8 = 2) throws -> [UInt8] {
            try Forge.packet(
                .signature,
                key.signature(
                    type: 0x1f, over: OpenPGP.hashedKey(key.body[...]), hashID: hashID,
                    hashed: key.area(Self.later) + extra))
        }
        #expect(
            try PitfallsKeyTests.verdict(Forge.certificate(key, directly: direct(Forge.flags(1))), key)
                == .keyCannotSign(key.fingerprint))
        #expect(
            try PitfallsKeyTests.verdict(Forge.certificate(key, directly: direct(Forge.flags(3))), key) == nil
        )
        #expect(
            try verdict(Forge.packet(.publicKey, key.body) + direct(Forge.flags(3)), key)
                == .weakSelfSignature(key.fingerprint, hash: "SHA-1"))
        #expect(
            try verdict(Forge.packet(.publicKey, key.body) + direct(Forge.flags(3), hashID: 8), key) == nil)
    }

    @Test(
        "p54 No binding over a broken hash lets a subkey sign; a newer one takes the right away",
        arguments: [
            1, 2, 3, 11,
        ] as [UInt8])
    func p54_weakBindings(hashID: UInt8) throws {
        let (key, subkey) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let content = Forge.content(key, subkey: subkey)
        func binding(
            _ flags: UInt8, hashID: UInt8, made: OpenPGP.Timestamp = ForgedKey.born
        ) throws -> [UInt8] {
            let back = try subkey.signature(type: 0x19, over: content, hashed: subkey.area(ForgedKey.born))
            let hashed = key.area(made) + Forge.flags(flags) + Self.long(32, back)
            return try Forge.packet(
                .signature, key.signature(type: 0x18, over: content, hashID: hashID, hashed: hashed))
        }
        func verdict(_ bindings: [UInt8]...) throws -> OpenPGP.Error? {
            try PitfallsKeyTests.verdict(
                Forge.certificate(
                    key, extra: Forge.flags(1),
                    then: Forge.packet(.publicSubkey, subkey.body) + bindings.joined()), subkey)
        }
        #expect(try verdict(binding(2, hashID: 8)) == nil)
        #expect(try verdict(binding(2, hashID: hashID)) != nil)
        #expect(try verdict(binding(8, hashID: 8), binding(2, hashID: hashID, made: Self.later)) != nil)
        #expect(try verdict(binding(2, hashID: 8), binding(2, hashID: hashID, made: Self.later)) == nil)
        #expect(
            try verdict(binding(2, hashID: 8), binding(8, hashID: hashID, made: Self.later))
                == .keyCannotSign(subkey.fingerprint))
    }

    /// A subpacket with a body of 192 bytes or more, too.
    static func long(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        [0xff] + OpenPGP.bigEndian(body.count + 1) + [type] + body
    }

    @Test("p54 The key whose newest self-signature gpg made over SHA-1 signs, as Sequoia has it")
    func p54_mixedOfGnuPG() throws {
        let home = try GnuPGHome()
        try home.gpg("--quick-generate-key", "person", "ed25519", "sign", "1y")
        let old = try OpenPGP.Certificate(home.gpg("--export"))
        let fingerprint = old.fingerprint
        try home.gpg(
            "--faked-system-time", "\(Int(Date.now.timeIntervalSince1970) + 100)", "--cert-digest-algo",
            "SHA1",
            "--allow-weak-key-signatures", "--quick-set-expire", fingerprint.description, "2y")
        // gpg keeps the newer self-signature alone; who has both keys has both.
        let new = try OpenPGP.Certificate(home.gpg("--export"))
        let now = OpenPGP.Timestamp(OpenPGP.Timestamp.now().seconds + 200)
        #expect(new.fitness(at: now) == .never(.weakSelfSignature(fingerprint, hash: "SHA-1")))
        let certificate = try old.merging(new)
        #expect(certificate.fitness(at: now) == .signs)
        // The later end over SHA-1 does not count.
        let end = try #require(certificate.expirationTime(at: now))
        #expect(end < now.advanced(by: 400 * Self.day))
    }

    // MARK: 136

    /// An RSA key of 8192 bits with this exponent, and `count` self-signatures that somebody made up.
    private func costly(exponent: [UInt8], count: Int) throws -> [UInt8] {
        var random = SplitMix64(state: 136)
        var modulus = (0..<1024).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        modulus[0] |= 0x80
        modulus[1023] |= 1
        let body =
            [4] + OpenPGP.bigEndian(ForgedKey.born.seconds) + [1] + OpenPGP.mpi(modulus)
            + OpenPGP.mpi(exponent)
        let id = OpenPGP.Fingerprint(ofKeyPacket: body[...]).bytes.suffix(8)
        let hashed = OpenPGP.Subpackets.creation(ForgedKey.born) + Forge.flags(3)
        let unhashed = OpenPGP.Subpackets.write(16, id)
        let junk: [UInt8] =
            [4, 0x1f, 1, 8, 0, UInt8(hashed.count)] + hashed + [0, UInt8(unhashed.count)] + unhashed + [0, 0]
            + OpenPGP.mpi([1] + [UInt8](repeating: 7, count: 31))
        return Forge.packet(.publicKey, body)
            + repeatElement(Forge.packet(.signature, junk), count: count).joined()
    }

    @Test(
        "p136 A key whose verification is dear is refused before it costs much",
        arguments: [
            [1, 0, 1], [0xff, 0xff, 0xff, 0xff], [UInt8](repeating: 0xff, count: 32),
        ])
    func p136_costlyKey(exponent: [UInt8]) throws {
        let bytes = try costly(exponent: exponent, count: 3000)
        let started = ContinuousClock.now
        do throws(OpenPGP.Error) {
            // An exponent of 256 bits is no key at all, and costs nothing.
            #expect(try OpenPGP.Certificate(bytes).problem(at: ForgedKey.now) != nil)
            #expect(exponent.count > 4)
        } catch { #expect(error == .tooCostly) }
        // A hundredth of what they would take, with room for a busy machine and a build without optimisation.
        #expect(ContinuousClock.now - started < .seconds(3))
    }

    @Test("p136 Many small keys, much to hash and many subkeys with revocations are counted as well")
    func p136_otherWays() throws {
        let key = try ForgedKey.ed25519()
        let started = ContinuousClock.now
        let name = try Forge.name(key)
        func refused(_ bytes: [UInt8]) {
            #expect(throws: OpenPGP.Error.tooCostly) { try OpenPGP.Certificate.all(in: bytes) }
        }
        let primary = Forge.packet(.publicKey, key.body)
        refused(primary + repeatElement(name, count: 200).joined())
        refused(Array(repeatElement(primary + name, count: 1000).joined()))
        let long = try Forge.name(key, String(repeating: "x", count: 200_000))
        refused(primary + long.prefix(200_005) + repeatElement(long.dropFirst(200_005), count: 200).joined())
        let revocation = try Forge.revocation(key, of: .ed25519(), reason: 2, made: ForgedKey.born)
        let subkeys = try (0..<32).flatMap { _ in try Forge.packet(.publicSubkey, ForgedKey.ed25519().body) }
        refused(primary + name + subkeys + repeatElement(revocation, count: 32).joined())
        #expect(throws: Never.self) {
            try OpenPGP.Certificate(primary + name + subkeys + revocation + revocation)
        }
        #expect(ContinuousClock.now - started < .seconds(20))
    }

    @Test("p136 Signatures by others cost nothing, however many there are")
    func p136_foreignSignatures() throws {
        let (key, other) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let foreign = try Forge.packet(
            .signature, other.signature(type: 0x10, over: Forge.content(key, name: "forged")))
        let certificate = try Forge.certificate(
            key, then: Array(repeatElement(foreign, count: 5000).joined()))
        #expect(try PitfallsKeyTests.verdict(certificate, key) == nil)
    }

    // MARK: Several certificates in one file

    @Test("One certificate that cannot be read does not spoil the good ones beside it")
    func brokenBesideGood() throws {
        let (key, other) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let good = try Forge.certificate(key).bytes
        let second = try Forge.certificate(other).bytes
        func versioned(_ version: UInt8) throws -> [UInt8] {
            try Forge.packet(.publicKey, [version] + other.body.dropFirst()) + Forge.name(other)
        }
        for bad in try [versioned(3), versioned(5), versioned(6)] {
            for file in [good + bad, bad + good] {
                #expect(try OpenPGP.Certificate.all(in: file).map(\.fingerprint) == [key.fingerprint])
                #expect(try OpenPGP.Certificate(file).bytes == good)
            }
            #expect(throws: OpenPGP.Error.unsupportedKeyVersion(bad[2])) {
                try OpenPGP.Certificate.all(in: bad)
            }
        }
        // The second one is cut.
        #expect(
            try OpenPGP.Certificate.all(in: good + second.dropLast(3)).map(\.fingerprint) == [key.fingerprint]
        )
        #expect(throws: OpenPGP.Error.self) { try OpenPGP.Certificate.all(in: second.dropLast(3)) }
        // The first one has what must be understood and is not.
        let critical = Forge.packet(OpenPGP.PacketTag(rawValue: 39), [1])
        #expect(
            try OpenPGP.Certificate.all(in: second + critical + good).map(\.fingerprint) == [key.fingerprint])
    }

    @Test("What may be the revocation of a good certificate is not passed over with a broken one")
    func revocationBesideBroken() throws {
        let (key, other) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let good = try Forge.certificate(key).bytes
        let second = try Forge.certificate(other).bytes
        let revocation = try Forge.revocation(key, reason: 2, made: ForgedKey.born)
        // Another copy of it that cannot be read to its end.
        let cut = Array(revocation.dropLast(1))
        for file in [good + good + cut, good + cut + good] {
            #expect(throws: OpenPGP.Error.self) { try OpenPGP.Certificate.all(in: file) }
        }
        #expect(
            try OpenPGP.Certificate.all(in: second + good + cut).map(\.fingerprint)
                == [other.fingerprint])
        // Behind the other key, in either order and in blocks of their own.
        let armored = [good, second, revocation].map { OpenPGP.Armor.wrap($0, kind: .publicKey) }
        for file in [
            good + second + revocation, second + revocation + good, armored[0] + armored[1] + armored[2],
        ] {
            #expect(try OpenPGP.Certificate.all(in: file).map(\.fingerprint) == [other.fingerprint])
        }
        let alone = [UInt8](good.prefix(0)) + second + revocation
        #expect(try OpenPGP.Certificate.all(in: alone).map(\.isRevoked) == [false])
        // Behind its own, it counts.
        let certificates = try OpenPGP.Certificate.all(in: armored[1] + armored[0] + armored[2])
        #expect(certificates.map(\.isRevoked) == [false, true])
    }

    // MARK: Reasons

    @Test("Whether a certificate could ever sign is told from why it does not now")
    func fitness() throws {
        let key = try ForgedKey.ed25519()
        let now = ForgedKey.now
        func fitness(_ extra: [UInt8], directly: [UInt8] = []) throws -> OpenPGP.Certificate.Fitness {
            try Forge.certificate(key, extra: extra, directly: directly).fitness(at: now)
        }
        let ending = Forge.keyExpires(after: Self.day)
        let expired = OpenPGP.Error.keyExpired(key.fingerprint, at: Self.later)
        let revocation = try Forge.revocation(key, reason: 2, made: ForgedKey.born)
        #expect(try fitness(Forge.flags(3)) == .signs)
        #expect(try fitness(Forge.flags(3) + ending) == .notNow(expired))
        #expect(try fitness(Forge.flags(3), directly: revocation) == .notNow(.keyRevoked(key.fingerprint)))
        let cannot = OpenPGP.Certificate.Fitness.never(.keyCannotSign(key.fingerprint))
        #expect(try fitness(Forge.flags(1)) == cannot)
        #expect(try fitness(Forge.flags(1) + ending) == cannot)
        #expect(try fitness(Forge.flags(1), directly: revocation) == cannot)
        #expect(
            try OpenPGP.Certificate(Forge.packet(.publicKey, key.body)).fitness(at: now)
                == .never(.noSelfSignature(key.fingerprint)))
    }

    @Test("A key whose self-signature was changed is said to be damaged, not the data")
    func brokenSelfSignature() throws {
        let key = try ForgedKey.ed25519()
        var bytes = try Forge.certificate(key).bytes
        bytes[bytes.count - 1] ^= 1
        let certificate = try OpenPGP.Certificate(bytes)
        #expect(certificate.fitness(at: ForgedKey.now) == .never(.brokenSelfSignature(key.fingerprint)))
    }

    @Test("Of several reasons, that of the key that was meant to sign is named")
    func reasonOfSigner() throws {
        let (key, signer, other) = try (ForgedKey.ed25519(), ForgedKey.ed25519(), ForgedKey.ed25519())
        let signing = try Forge.subkey(
            signer, of: key, back: signer, extra: Forge.keyExpires(after: Self.day))
        let encrypting =
            try Forge.subkey(other, of: key, flags: 12, back: nil)
            + Forge.revocation(key, of: other, reason: 2, made: ForgedKey.born)
        for subkeys in [signing + encrypting, encrypting + signing] {
            let certificate = try Forge.certificate(key, extra: Forge.flags(1), then: subkeys)
            #expect(certificate.problem(at: ForgedKey.now) == .keyExpired(signer.fingerprint, at: Self.later))
        }
    }

    @Test(
        "Keys of algorithms that are not supported are named as people call them",
        arguments: [
            ("nistp384", "ECDSA on NIST P-384"), ("nistp521", "ECDSA on NIST P-521"),
            ("secp256k1", "ECDSA on secp256k1"), ("brainpoolP256r1", "ECDSA on Brainpool P-256"),
            ("dsa2048", "DSA"),
        ])
    func unsupported(algorithm: String, name: String) throws {
        let home = try GnuPGHome()
        try home.gpg("--quick-generate-key", "x", algorithm, "sign", "1y")
        let certificate = try OpenPGP.Certificate(home.gpg("--export"))
        #expect(certificate.fitness(at: .now()) == .never(.unsupportedAlgorithm(name)))
    }
}
