import Foundation
import Testing

@testable import PDCrypto

@Suite("Pitfalls 42 to 44: numbers of keys and signatures")
struct PitfallsNumberTests {
    /// An RSA key packet of a modulus of `bits` bits that no one has the factors of.
    static func rsa(bits: Int, exponent: [UInt8] = [1, 0, 1], lastByte: UInt8 = 0x01) throws
        -> OpenPGP.PublicKey
    {
        var modulus = [UInt8](repeating: 0x5a, count: (bits + 7) / 8)
        if let first = modulus.indices.first {
            modulus[first] = UInt8(truncatingIfNeeded: 1 << ((bits + 7) % 8))
            modulus[modulus.count - 1] = lastByte
        }
        let body =
            [4] + OpenPGP.bigEndian(ForgedKey.born.seconds) + [1] + OpenPGP.mpi(modulus)
            + OpenPGP.mpi(exponent)
        return try OpenPGP.PublicKey(body[...])
    }

    @Test(
        "p42 RSA keys below 2048 bits, of even or no modulus, or of a bad exponent are refused",
        arguments: [
            (0, [1, 0, 1], 1), (1024, [1, 0, 1], 1), (2047, [1, 0, 1], 1), (2048, [1, 0, 1], 2),
            (3072, [1], 1), (3072, [2], 1), (3072, [1, 0, 0, 0, 1], 1), (3072, [1, 0, 0], 1), (3072, [], 1),
            (8200, [1, 0, 1], 1),
        ] as [(Int, [UInt8], UInt8)])
    func p42_unsoundRSA(bits: Int, exponent: [UInt8], lastByte: UInt8) throws {
        let key = try Self.rsa(bits: bits, exponent: exponent, lastByte: lastByte)
        let error = #expect(throws: OpenPGP.Error.self) { try key.material.get() }
        guard case .weakKey(key.fingerprint, _) = error else {
            Issue.record("refused for another reason: \(String(describing: error))")
            return
        }
        let certificate = try OpenPGP.Certificate(Forge.packet(.publicKey, Array(key.body)))
        #expect(certificate.problem(at: ForgedKey.now) == error)
    }

    @Test("p40 Keys of other versions, and keys too long for their fingerprint, are refused by name")
    func p40_keyPackets() throws {
        let body = try ForgedKey.ed25519().body
        for version in [0, 2, 3, 5, 6, 255] as [UInt8] {
            #expect(throws: OpenPGP.Error.unsupportedKeyVersion(version)) {
                try OpenPGP.PublicKey(([version] + body.dropFirst())[...])
            }
        }
        // Two octets hold the length of what is hashed. An algorithm that nobody knows may be of any length.
        func unknown(_ count: Int) throws -> OpenPGP.PublicKey {
            try OpenPGP.PublicKey((body.prefix(5) + [99] + [UInt8](repeating: 1, count: count - 6))[...])
        }
        #expect(try unknown(0xffff).body.count == 0xffff)
        #expect(throws: OpenPGP.Error.malformedPacket("a key of more than 65,535 bytes")) {
            try unknown(0x10000)
        }
    }

    @Test("p43 A point in another form than GnuPG's is no Ed25519 key")
    func p43_pointForm() throws {
        var body = try ForgedKey.ed25519().body
        let form = body.count - 33
        #expect(body[form] == 0x40)
        // As long as before, and the same point behind it.
        body[form] = 0x41
        let key = try OpenPGP.PublicKey(body[...])
        #expect(throws: OpenPGP.Error.weakKey(key.fingerprint, reason: "its point is none of Ed25519")) {
            try key.material.get()
        }
    }

    @Test("p42 RSA of 2048 bits is accepted with a warning, of 3072 without")
    func p42_shortRSA() throws {
        let short = try Self.rsa(bits: 2048)
        #expect(throws: Never.self) { try short.material.get() }
        #expect(try OpenPGP.Certificate(Forge.packet(.publicKey, Array(short.body))).weakness != nil)
        let long = try Self.rsa(bits: 3072)
        #expect(try OpenPGP.Certificate(Forge.packet(.publicKey, Array(long.body))).weakness == nil)
    }

    /// RFC 8017, section 5.2.2, step 1: otherwise each signature could be spelled a second time.
    @Test(
        "p42 An RSA signature that is not below the modulus is refused, equal as it is to a good one modulo it"
    )
    func p42_tooLargeSignature() throws {
        let forged = try ForgedKey.rsa()
        guard case .rsa(_, let modulus, _) = try forged.key.material.get() else { return }
        // One that has room for the modulus on top: a third of them.
        var found: (digest: [UInt8], good: [UInt8], twin: [UInt8])?
        for number in 0..<2000 where found == nil {
            let digest = Array(SHA256.hash(Array(String(number).utf8)))
            let value = try OpenPGP.SecretKey.signatureValue(
                digest, .sha256, key: forged.key, secret: forged.secret)
            var reader = OpenPGP.ByteReader(value[...])
            let good = try Array(#require(reader.mpi(maximumBits: 2048).leftPadded(to: modulus.count)))
            found = Self.sum(good, Array(modulus)).map { (digest, good, $0) }
        }
        let (digest, good, twin) = try #require(found)
        #expect(throws: Never.self) {
            try forged.key.verify(OpenPGP.mpi(good)[...], digest: digest, hash: .sha256)
        }
        for number in [twin, Array(modulus), Array(modulus) + [0], good + [0]] {
            #expect(throws: OpenPGP.Error.badSignature) {
                try forged.key.verify(OpenPGP.mpi(number)[...], digest: digest, hash: .sha256)
            }
        }
    }

    /// The sum of two numbers of equal length, where it is no longer than they are.
    private static func sum(_ left: [UInt8], _ right: [UInt8]) -> [UInt8]? {
        var carry = 0
        let digits = zip(left, right).reversed().map { left, right in
            carry += Int(left) + Int(right)
            defer { carry >>= 8 }
            return UInt8(truncatingIfNeeded: carry)
        }
        return carry == 0 ? digits.reversed() : nil
    }

    @Test(
        "p43 EdDSA numbers that lost one or two leading octets verify, here and with gpg",
        arguments: [
            (584, 31, 32), (10_973, 30, 32), (127, 32, 31), (44_108, 32, 30),
        ])
    func p43_shortNumbers(message: Int, lengthOfR: Int, lengthOfS: Int) throws {
        let scene = try Scene(.ed25519WithLeadingZero())
        let document = Array(String(message).utf8)
        let signature = try scene.key.signature(over: document)
        var fields = OpenPGP.ByteReader(try OpenPGP.SignaturePacket(signature[...]).value)
        let (r, s) = try (fields.mpi(maximumBits: 256), fields.mpi(maximumBits: 256))
        #expect(r.count == lengthOfR && s.count == lengthOfS)
        _ = try scene.verifier.verify(signature: scene.packet(signature), of: document, at: ForgedKey.now)

        let home = try GnuPGHome()
        try home.gpg("--import", input: Array(scene.certificate.armored().utf8))
        let verdict = try home.verifies(scene.packet(signature), document)
        #expect(verdict.status == 0, "\(verdict.errors)")
    }

    @Test("p43 A secret key whose seed begins with a zero octet is read and signs as before")
    func p43_shortSeed() throws {
        let key = try ForgedKey.ed25519WithLeadingZero()
        let seed = hex("00f8e16b444307e6df80387732f3e95af7fb1c8ad6edc8381367427411521d81")
        let number = OpenPGP.mpi(seed)
        #expect(number.count == 2 + 31)
        let sum = number.reduce(UInt16(0)) { $0 &+ UInt16($1) }
        let packet = Forge.packet(
            OpenPGP.PacketTag.secretKey, key.body + [0] + number + OpenPGP.bigEndian(sum).suffix(2))
        let secret = try OpenPGP.SecretKey(packet + Forge.name(key))
        let made = OpenPGP.Timestamp(1_717_286_400)
        let expected = try Forge.packet(.signature, key.signature(over: [1, 2, 3], made: made))
        #expect(try secret.signDetached([1, 2, 3], at: made) == expected)
        // A wrong checksum, and a seed that is not of this public key.
        #expect(throws: OpenPGP.Error.malformedSecretKey(key.fingerprint)) {
            try OpenPGP.SecretKey(
                Forge.packet(.secretKey, key.body + [0] + number + [0, 0]) + Forge.name(key))
        }
        let other = OpenPGP.mpi([1] + seed.dropFirst())
        let otherSum = other.reduce(UInt16(0)) { $0 &+ UInt16($1) }
        #expect(throws: OpenPGP.Error.malformedSecretKey(key.fingerprint)) {
            try OpenPGP.SecretKey(
                Forge.packet(.secretKey, key.body + [0] + other + OpenPGP.bigEndian(otherSum).suffix(2))
                    + Forge.name(key))
        }
    }

    @Test("p43 Bytes after the numbers of a secret key are refused, right as its checksum is")
    func p43_bytesAfterSecretNumbers() throws {
        for key in [try ForgedKey.ed25519(), try .p256()] {
            let name = try Forge.name(key)
            #expect(
                try OpenPGP.SecretKey(key.secretPacket() + name).certificate.fingerprint == key.fingerprint)
            #expect(throws: OpenPGP.Error.malformedSecretKey(key.fingerprint)) {
                try OpenPGP.SecretKey(key.secretPacket(more: [0]) + name)
            }
        }
    }

    @Test("p43 Bytes after the end of a public key are refused")
    func p43_bytesAfterPublicKey() throws {
        for key in [try ForgedKey.ed25519(), try .ed25519(algorithm: 27), try .p256(), try .rsa()] {
            #expect(try OpenPGP.PublicKey(key.body[...]).fingerprint == key.fingerprint)
            #expect(throws: OpenPGP.Error.malformedPacket("bytes after the end of a key")) {
                try OpenPGP.PublicKey((key.body + [0])[...])
            }
        }
    }

    @Test("p43 A damaged secret subkey is refused with its file, whole as the primary key may be")
    func p43_damagedSubkey() throws {
        let (key, subkey) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let primary = try key.secretPacket() + Forge.name(key)
        let binding = try Forge.subkey(subkey, of: key, back: subkey).dropFirst(2 + subkey.body.count)
        var damaged = subkey.secretPacket(.secretSubkey)
        #expect(throws: Never.self) { try OpenPGP.SecretKey(primary + damaged + binding) }
        damaged[damaged.count - 1] ^= 1
        #expect(throws: OpenPGP.Error.malformedSecretKey(subkey.fingerprint)) {
            try OpenPGP.SecretKey(primary + damaged + binding)
        }
    }

    /// GnuPG's marks: string-to-key type 101, then `GNU`, then 1 for a key that is elsewhere and 2 for one on a card.
    @Test(
        "A secret key that is elsewhere is not taken for one behind a passphrase",
        arguments: [254, 255] as [UInt8])
    func secretElsewhere(usage: UInt8) throws {
        let key = try ForgedKey.ed25519()
        let name = try Forge.name(key)
        func file(_ protection: [UInt8]) -> [UInt8] { Forge.packet(.secretKey, key.body + protection) + name }
        for mark: [UInt8] in [[1], [2, 0]] {
            #expect(throws: OpenPGP.Error.noSecretKey(key.fingerprint)) {
                try OpenPGP.SecretKey(file([usage, 9, 101, 8] + "GNU".utf8 + mark))
            }
        }
        // Salted and iterated, with an initial vector and something encrypted.
        let salted = [usage, 9, 3, 8] + [UInt8](repeating: 7, count: 9 + 16 + 40)
        #expect(throws: OpenPGP.Error.passphraseProtected(key.fingerprint)) {
            try OpenPGP.SecretKey(file(salted))
        }
    }

    @Test("A secret key's file holds one primary key, and that one is secret")
    func oneSecretKey() throws {
        let (key, subkey) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let name = try Forge.name(key)
        // Its packet with a head of two octets, and then its binding.
        let binding = try Forge.subkey(subkey, of: key, back: subkey).dropFirst(2 + subkey.body.count)
        let secretSubkey = subkey.secretPacket(.secretSubkey) + binding
        #expect(throws: Never.self) { try OpenPGP.SecretKey(key.secretPacket() + name + secretSubkey) }
        #expect(throws: OpenPGP.Error.mistake(.publicKey)) {
            try OpenPGP.SecretKey(Forge.packet(.publicKey, key.body) + name + secretSubkey)
        }
        #expect(throws: OpenPGP.Error.notExactlyOneKey(found: 2)) {
            try OpenPGP.SecretKey(key.secretPacket() + name + subkey.secretPacket() + Forge.name(subkey))
        }
    }

    @Test("p43 EdDSA numbers too long, zero, not minimal, or an S beyond the group's order are refused")
    func p43_badNumbers() throws {
        let scene = try Scene()
        let body = try scene.key.signature(over: scene.document)
        let parsed = try OpenPGP.SignaturePacket(body[...])
        var fields = OpenPGP.ByteReader(parsed.value)
        let r = try #require(fields.mpi(maximumBits: 256).leftPadded(to: 32))
        let s = try #require(fields.mpi(maximumBits: 256).leftPadded(to: 32))
        let head = body.dropLast(parsed.value.count)
        func with(_ value: [UInt8]) -> [UInt8] { scene.packet(head + value) }
        try scene.verify(with(OpenPGP.mpi(r) + OpenPGP.mpi(s)))

        scene.refusesAsMalformed(with(OpenPGP.mpi([1] + r) + OpenPGP.mpi(s)))
        scene.refusesAsMalformed(with(OpenPGP.mpi(r) + OpenPGP.mpi([1] + s)))
        scene.refuses(with(OpenPGP.mpi(r) + [0, 0]), .badSignature)
        scene.refuses(with([0, 0] + OpenPGP.mpi(s)), .badSignature)
        scene.refuses(with([0, 0, 0, 0]), .badSignature)
        scene.refusesAsMalformed(with([]))
        scene.refusesAsMalformed(with(OpenPGP.mpi(r)))
        scene.refusesAsMalformed(with(OpenPGP.mpi(r) + OpenPGP.mpi(s) + [0]))
        // A bit count that is not that of the number: one too many, and whole octets of zeros.
        var loose = OpenPGP.mpi([0x7f] + r.dropFirst())
        loose[1] = 0
        loose[0] = 1
        scene.refusesAsMalformed(with(loose + OpenPGP.mpi(s)))
        scene.refusesAsMalformed(with([1, 0, 0] + r.dropFirst() + OpenPGP.mpi(s)))

        // S + L is the same number modulo the order.
        var carry = 0
        let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        let beyond: [UInt8] = zip(s, order).map { pair in
            let sum = Int(pair.0) + Int(pair.1) + carry
            carry = sum >> 8
            return UInt8(sum & 0xff)
        }
        #expect(carry == 0)
        scene.refuses(with(OpenPGP.mpi(r) + OpenPGP.mpi(beyond)), .badSignature)
    }

    @Test("p43 Ed25519 as algorithm 27 of RFC 9580 verifies, and the two forms are not mixed")
    func p43_nativeForm() throws {
        let scene = try Scene(.ed25519(algorithm: 27))
        let body = try scene.key.signature(over: scene.document)
        try scene.verify(scene.packet(body))
        scene.refusesAsMalformed(scene.packet(body + [0]))
        scene.refusesAsMalformed(scene.packet(body.dropLast()))
        // The key's owner says so: nothing else is wrong with it.
        let mixed = try scene.key.signature(over: scene.document, algorithm: 22)
        scene.refuses(scene.packet(mixed), .badSignature)
    }

    @Test("p44 ECDSA numbers of zero, the order, beyond it, or too long are refused")
    func p44_badNumbers() throws {
        let scene = try Scene(.p256())
        let body = try scene.key.signature(over: scene.document)
        let parsed = try OpenPGP.SignaturePacket(body[...])
        var fields = OpenPGP.ByteReader(parsed.value)
        let (r, s) = try (fields.mpi(maximumBits: 256), fields.mpi(maximumBits: 256))
        let head = body.dropLast(parsed.value.count)
        try scene.verify(scene.packet(head + OpenPGP.mpi(r) + OpenPGP.mpi(s)))
        let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
        let beyond = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552")
        let highest = [UInt8](repeating: 0xff, count: 32)
        for wrong in [[], order, beyond, highest] {
            scene.refuses(scene.packet(head + OpenPGP.mpi(wrong) + OpenPGP.mpi(s)), .badSignature)
            scene.refuses(scene.packet(head + OpenPGP.mpi(r) + OpenPGP.mpi(wrong)), .badSignature)
        }
        scene.refuses(scene.packet(head + [0, 0, 0, 0]), .badSignature)
        scene.refusesAsMalformed(scene.packet(head + OpenPGP.mpi([1] + order) + OpenPGP.mpi(s)))
    }

    @Test("p44 A digest shorter than the curve is refused", arguments: [2, 11] as [UInt8])
    func p44_shortDigest(hashID: UInt8) throws {
        for key in [try ForgedKey.p256(), try .ed25519()] {
            let scene = try Scene(key)
            try scene.refuses(scene.packet(key.signature(over: scene.document, hashID: hashID))) {
                if case .weakHash = $0 { true } else { false }
            }
        }
    }

    @Test("p44 Points that are not on the curve make no key that verifies")
    func p44_badPoints() throws {
        let good = try ForgedKey.p256()
        var body = good.body
        body[body.count - 1] ^= 1
        let key = try OpenPGP.PublicKey(body[...])
        let signature = try OpenPGP.SignaturePacket(good.signature(over: [])[...])
        #expect(throws: OpenPGP.Error.badSignature) {
            try key.verify(signature.value, digest: SHA256.hash([]), hash: .sha256)
        }
        // The compressed form, one of another length, and the hybrid ones of ANSI X9.62 are no keys at all.
        let head = good.body.prefix(6 + 1 + 8)
        for point in [
            [0x02] + good.body.suffix(64).prefix(32), [0x04] + good.body.suffix(63),
            [0x06] + good.body.suffix(64), [0x07] + good.body.suffix(64),
        ] {
            let key = try OpenPGP.PublicKey((head + OpenPGP.mpi(point))[...])
            #expect(throws: OpenPGP.Error.self) { try key.material.get() }
        }
    }

    /// libgcrypt 1.10 aborts the process on the first four.
    @Test(
        "p43 Ed25519 points of few words, of no curve, or beyond the field make no key",
        arguments: [
            // The neutral element, the point of order two, one of order four, and one with x = 3.
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "3126711e11ef574692935381d2cd2bbab5dd113c4010f91fd7c4dd7b12bf431a",
            // A y of three words; x = 0 with a sign; y that is p, p + 1 and p + 3; a y without a point.
            "0300000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000010000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0300000000000000000000000000000000000000000000000000000000000070",
        ])
    func p43_unusablePoints(point: String) throws {
        let head = [4] + OpenPGP.bigEndian(ForgedKey.born.seconds)
        let oid = OpenPGP.PublicKeyAlgorithm.ed25519OID
        for body in [
            head + [27] + hex(point), head + [22, UInt8(oid.count)] + oid + OpenPGP.mpi([0x40] + hex(point)),
        ] {
            let key = try OpenPGP.PublicKey(body[...])
            let fields = body[5] == 27 ? hex(point) + [UInt8](repeating: 0, count: 32) : [0, 1, 1, 0, 0]
            let error = #expect(throws: OpenPGP.Error.self) {
                try key.verify(fields[...], digest: SHA256.hash([]), hash: .sha256)
            }
            #expect(error == .weakKey(key.fingerprint, reason: "its point is none of Ed25519"))
        }
    }
}
