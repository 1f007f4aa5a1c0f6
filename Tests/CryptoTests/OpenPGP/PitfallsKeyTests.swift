import Foundation
import PDSecrets
import Testing

@testable import PDCrypto

@Suite("Pitfalls 49 to 55: whose signature it is")
struct PitfallsKeyTests {
    static let day: Int64 = 86_400

    /// What happens to a signature over `document` by `signer`, where only `certificate` is trusted.
    static func verdict(
        _ certificate: OpenPGP.Certificate, _ signer: ForgedKey,
        made: OpenPGP.Timestamp = OpenPGP.Timestamp(1_717_286_400), now: OpenPGP.Timestamp = ForgedKey.now
    ) throws -> OpenPGP.Error? {
        let signature = try Forge.packet(.signature, signer.signature(over: [1, 2, 3], made: made))
        do throws(OpenPGP.Error) {
            let verifier = OpenPGP.Verifier(certificates: [certificate])
            let result = try verifier.verify(signature: signature, of: [1, 2, 3], at: now)
            #expect(result.certificate == certificate.fingerprint)
            #expect(result.signingKey == signer.fingerprint)
            #expect(result.creationTime == made)
            return nil
        } catch {
            return error
        }
    }

    @Test("p49_Naming one key while another signs, or two, refuses the signature")
    func p49_misnamedSigner() throws {
        let (a, b) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let both = try OpenPGP.Verifier(certificates: [Forge.certificate(a), Forge.certificate(b)])
        let onlyA = try OpenPGP.Verifier(certificates: [Forge.certificate(a)])
        let onlyB = try OpenPGP.Verifier(certificates: [Forge.certificate(b)])
        // B signs; the hashed area says A, the unhashed one B.
        let crossed = try Forge.packet(
            .signature, b.signature(over: [1], hashed: a.area(ForgedKey.born)))
        for verifier in [both, onlyA] {
            #expect(throws: OpenPGP.Error.badSignature) {
                try verifier.verify(signature: crossed, of: [1], at: ForgedKey.now)
            }
        }
        #expect(throws: OpenPGP.Error.unknownSigner(keyID: BaseN.upperHexadecimal.text(a.fingerprint.keyID)))
        {
            try onlyB.verify(signature: crossed, of: [1], at: ForgedKey.now)
        }
        // The hashed area decides alone; without it the unhashed one does, as long as it names one key.
        let names = [a, b].map { OpenPGP.Subpackets.write(16, $0.fingerprint.bytes.suffix(8)) }
        let time = OpenPGP.Subpackets.creation(ForgedKey.born)
        for (hashed, unhashed, isGood) in [
            (names[1] + time, names[0], true), (time, names[1], true), (time, names[1] + names[1], true),
            (names[0] + time, names[1], false), (time, names[0] + names[1], false),
            (time, names[1] + names[0], false), (names[1] + names[0] + time, [], false),
        ] {
            let signature = try Forge.packet(
                .signature, b.signature(over: [1], hashed: hashed, unhashed: unhashed))
            for verifier in [both, onlyB] {
                let found = try? verifier.verify(signature: signature, of: [1], at: ForgedKey.now)
                #expect((found != nil) == isGood, "\(hashed) \(unhashed)")
            }
        }
        // B signs; all of it says A. In a release this refuses the file, since A is trusted and did not sign.
        let claimed = try Forge.packet(
            .signature, b.signature(over: [1], hashed: a.area(ForgedKey.born), unhashed: []))
        for verifier in [both, onlyA] {
            #expect(throws: OpenPGP.Error.badSignature) {
                try verifier.verify(signature: claimed, of: [1], at: ForgedKey.now)
            }
            #expect(throws: OpenPGP.Error.badSignature) {
                try verifier.verifyRelease(signatures: claimed, of: [1], at: ForgedKey.now)
            }
        }
        #expect(throws: OpenPGP.Error.unknownSigner(keyID: BaseN.upperHexadecimal.text(a.fingerprint.keyID)))
        {
            try onlyB.verify(signature: claimed, of: [1], at: ForgedKey.now)
        }
    }

    @Test("p49_Two copies of one certificate count as one: renewal and revocation both hold")
    func p49_copies() throws {
        let key = try ForgedKey.ed25519()
        let old = try Forge.certificate(key, extra: Forge.flags(3) + Forge.keyExpires(after: Self.day))
        let renewed = try Forge.certificate(key, made: ForgedKey.born.advanced(by: 60))
        let revoked = try Forge.certificate(
            key, directly: Forge.revocation(key, reason: 2, made: ForgedKey.born))
        let signature = try Forge.packet(.signature, key.signature(over: [1]))
        for certificates in [[old, renewed], [renewed, old]] {
            _ = try OpenPGP.Verifier(certificates: certificates)
                .verify(signature: signature, of: [1], at: ForgedKey.now)
        }
        for certificates in [[revoked, renewed], [renewed, revoked], [old, renewed, revoked]] {
            #expect(throws: OpenPGP.Error.keyRevoked(key.fingerprint)) {
                try OpenPGP.Verifier(certificates: certificates)
                    .verify(signature: signature, of: [1], at: ForgedKey.now)
            }
        }
    }

    @Test("p50_A key ID that matches is no reason to trust")
    func p50_keyIDIsNotTrust() throws {
        let (trusted, attacker) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let certificate = try Forge.certificate(trusted)
        let signature = try Forge.packet(
            .signature,
            attacker.signature(
                over: [1], hashed: trusted.area(ForgedKey.born),
                unhashed: OpenPGP.Subpackets.write(16, trusted.fingerprint.bytes.suffix(8))))
        let verifier = OpenPGP.Verifier(certificates: [certificate])
        #expect(throws: OpenPGP.Error.badSignature) {
            try verifier.verify(signature: signature, of: [1], at: ForgedKey.now)
        }
        #expect(
            try Self.verdict(certificate, attacker)
                == .unknownSigner(keyID: BaseN.upperHexadecimal.text(attacker.fingerprint.keyID)))
        // A certificate of the attacker's key that carries the trusted key's self-signature is not bound by it.
        let stolen = try OpenPGP.Certificate(
            Forge.packet(.publicKey, attacker.body) + Forge.name(trusted))
        #expect(stolen.userIDs.isEmpty)
        #expect(try Self.verdict(stolen, attacker) == .noSelfSignature(attacker.fingerprint))
    }

    @Test(
        "p51_A key that may only certify or encrypt, or says nothing, does not sign",
        arguments: [
            0x00, 0x01, 0x04, 0x08, 0x0c, 0x20,
        ] as [UInt8])
    func p51_keyFlags(flags: UInt8) throws {
        let key = try ForgedKey.ed25519()
        let certificate = try Forge.certificate(key, extra: Forge.flags(flags))
        #expect(try Self.verdict(certificate, key) == .keyCannotSign(key.fingerprint))
        #expect(certificate.problem(at: ForgedKey.now) == .keyCannotSign(key.fingerprint))
        #expect(try Self.verdict(Forge.certificate(key, extra: []), key) == .keyCannotSign(key.fingerprint))
        let subkey = try ForgedKey.ed25519()
        let withSubkey = try Forge.certificate(
            key, extra: Forge.flags(1), then: Forge.subkey(subkey, of: key, flags: flags, back: subkey))
        #expect(try Self.verdict(withSubkey, subkey) == .keyCannotSign(subkey.fingerprint))
    }

    @Test("p52_A subkey signs only with a binding by the primary key and a back signature of its own")
    func p52_bindings() throws {
        let (key, subkey, other) = try (ForgedKey.ed25519(), ForgedKey.ed25519(), ForgedKey.ed25519())
        func verdict(_ packets: [UInt8]) throws -> OpenPGP.Error? {
            try Self.verdict(Forge.certificate(key, extra: Forge.flags(1), then: packets), subkey)
        }
        #expect(try verdict(Forge.subkey(subkey, of: key, back: subkey)) == nil)
        #expect(try verdict(Forge.packet(.publicSubkey, subkey.body)) == .noSubkeyBinding(subkey.fingerprint))
        #expect(try verdict(Forge.subkey(subkey, of: key, back: nil)) == .noBackSignature(subkey.fingerprint))
        #expect(
            try verdict(Forge.subkey(subkey, of: key, back: other)) == .noBackSignature(subkey.fingerprint))
        #expect(try verdict(Forge.subkey(subkey, of: key, back: key)) == .noBackSignature(subkey.fingerprint))
        // Bound by, and to, another primary key.
        #expect(
            try verdict(Forge.subkey(subkey, of: other, back: subkey)) == .noSubkeyBinding(subkey.fingerprint)
        )
        // The binding of another subkey.
        let foreign =
            try Forge.packet(.publicSubkey, subkey.body)
            + Forge.subkey(other, of: key, back: other).dropFirst(other.body.count + 2)
        #expect(try verdict(foreign) == .brokenSelfSignature(key.fingerprint))
        // Signatures by the subkey that are none of this kind, such as a binding or one over a document.
        for type in [0x00, 0x13, 0x18, 0x28] as [UInt8] {
            let other = try Forge.subkey(subkey, of: key, back: subkey, backType: type)
            #expect(try verdict(other) == .noBackSignature(subkey.fingerprint), "type \(type)")
        }
        // A back signature over SHA-1.
        #expect(
            try verdict(Forge.subkey(subkey, of: key, back: subkey, backHashID: 2))
                == .weakSelfSignature(subkey.fingerprint, hash: "SHA-1"))
        // A back signature that ends, now or ever: nobody makes them, and nobody would watch them.
        for seconds in [1, Int64(UInt32.max)] {
            let ending = try Forge.subkey(
                subkey, of: key, back: subkey,
                backExtra: OpenPGP.Subpackets.write(3, OpenPGP.bigEndian(seconds)))
            #expect(try verdict(ending) == .noBackSignature(subkey.fingerprint))
        }
        // The subkey's own life.
        let short = try Forge.subkey(subkey, of: key, back: subkey, extra: Forge.keyExpires(after: Self.day))
        #expect(
            try verdict(short)
                == .keyExpired(subkey.fingerprint, at: ForgedKey.born.advanced(by: Self.day)))
        // A subkey is worth no more than its primary key.
        let revoked = try Forge.certificate(
            key, directly: Forge.revocation(key, reason: 0, made: ForgedKey.born),
            then: Forge.subkey(subkey, of: key, back: subkey))
        #expect(try Self.verdict(revoked, subkey) == .keyRevoked(key.fingerprint))
        let expired = try Forge.certificate(
            key, extra: Forge.flags(1) + Forge.keyExpires(after: Self.day),
            then: Forge.subkey(subkey, of: key, back: subkey))
        #expect(
            try Self.verdict(expired, subkey)
                == .keyExpired(key.fingerprint, at: ForgedKey.born.advanced(by: Self.day)))
    }

    @Test("p53_A key that has expired, or is not born yet, is refused, whatever its signature claims")
    func p53_expiration() throws {
        let key = try ForgedKey.ed25519()
        let end = ForgedKey.born.advanced(by: 10 * Self.day)
        let certificate = try Forge.certificate(
            key, extra: Forge.flags(3) + Forge.keyExpires(after: 10 * Self.day))
        #expect(certificate.expirationTime(at: ForgedKey.now) == end)
        for made in [1, 20] as [Int64] {
            let made = ForgedKey.born.advanced(by: made * Self.day)
            #expect(try Self.verdict(certificate, key, made: made) == .keyExpired(key.fingerprint, at: end))
        }
        // Alive the second before, expired at the second itself.
        #expect(try Self.verdict(certificate, key, now: end.advanced(by: -1)) == nil)
        #expect(try Self.verdict(certificate, key, now: end) == .keyExpired(key.fingerprint, at: end))
        let newborn = try ForgedKey.ed25519(born: ForgedKey.now.advanced(by: Self.day))
        let future = try Forge.certificate(newborn, made: newborn.key.creationTime)
        #expect(try Self.verdict(future, newborn) == .keyFromTheFuture(newborn.fingerprint))
    }

    @Test("p53_A direct-key signature decides where it speaks of the key's use, and else says nothing")
    func p53_directKey() throws {
        let key = try ForgedKey.ed25519()
        func certificate(_ extra: [UInt8]) throws -> OpenPGP.Certificate {
            let signature = try key.signature(
                type: 0x1f, over: OpenPGP.hashedKey(key.body[...]),
                hashed: key.area(ForgedKey.born.advanced(by: Self.day)) + extra)
            return try Forge.certificate(key, directly: Forge.packet(.signature, signature))
        }
        // Such as one that only names who else may revoke, or how long it holds.
        #expect(try Self.verdict(certificate([]), key) == nil)
        #expect(try Self.verdict(certificate(Forge.flags(3)), key) == nil)
        #expect(try Self.verdict(certificate(Forge.flags(1)), key) == .keyCannotSign(key.fingerprint))
    }

    @Test("p53_The newest valid self-signature decides, and its hashed area only")
    func p53_newestSelfSignature() throws {
        let key = try ForgedKey.ed25519()
        let later = ForgedKey.born.advanced(by: Self.day)
        func certificate(_ names: [[UInt8]]) throws -> OpenPGP.Certificate {
            try OpenPGP.Certificate(Forge.packet(.publicKey, key.body) + names.flatMap { $0 })
        }
        let unlimited = try Forge.name(key, "a")
        let limited = try Forge.name(
            key, "b", extra: Forge.flags(3) + Forge.keyExpires(after: 2 * Self.day), made: later)
        for names in [[unlimited, limited], [limited, unlimited]] {
            let end = ForgedKey.born.advanced(by: 2 * Self.day)
            #expect(try Self.verdict(certificate(names), key) == .keyExpired(key.fingerprint, at: end))
        }
        let extended = try Forge.name(key, "c", made: later.advanced(by: 1))
        #expect(try Self.verdict(certificate([limited, extended]), key) == nil)
        // A self-signature from the future does not count yet.
        let notYet = try Forge.name(
            key, "d", extra: Forge.flags(0), made: ForgedKey.now.advanced(by: Self.day))
        #expect(try Self.verdict(certificate([unlimited, notYet]), key) == nil)
        // One that has ended no longer counts.
        let ended = try Forge.name(
            key, "e", extra: Forge.flags(0) + OpenPGP.Subpackets.write(3, OpenPGP.bigEndian(60)), made: later)
        #expect(try Self.verdict(certificate([unlimited, ended]), key) == nil)
        // A key expiration that nobody signed for is not there.
        let unsigned =
            try Forge.packet(.userID, Array("f".utf8))
            + Forge.packet(
                .signature,
                key.signature(
                    type: 0x13, over: Forge.content(key, name: "f"),
                    hashed: key.area(ForgedKey.born) + Forge.flags(3),
                    unhashed: Forge.keyExpires(after: 1)))
        #expect(try Self.verdict(certificate([unsigned]), key) == nil)
        // Flags that nobody signed for allow nothing.
        let unsignedFlags =
            try Forge.packet(.userID, Array("f".utf8))
            + Forge.packet(
                .signature,
                key.signature(
                    type: 0x13, over: Forge.content(key, name: "f"), hashed: key.area(ForgedKey.born),
                    unhashed: Forge.flags(3)))
        #expect(try Self.verdict(certificate([unsignedFlags]), key) == .keyCannotSign(key.fingerprint))
    }

    @Test(
        "p53_A hard revocation kills all signatures, a soft one the later ones",
        arguments: [
            (nil, true), (0, true), (2, true), (99, true), (1, false), (3, false),
        ] as [(UInt8?, Bool)])
    func p53_revocation(reason: UInt8?, isHard: Bool) throws {
        let (key, subkey) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let revokedAt = ForgedKey.born.advanced(by: 10 * Self.day)
        let (before, after) = (revokedAt.advanced(by: -1), revokedAt)
        let whole = try Forge.certificate(
            key, directly: Forge.revocation(key, reason: reason, made: revokedAt),
            then: Forge.subkey(subkey, of: key, back: subkey))
        for signer in [key, subkey] {
            let expected: OpenPGP.Error? = isHard ? .keyRevoked(key.fingerprint) : nil
            #expect(try Self.verdict(whole, signer, made: before) == expected)
            #expect(try Self.verdict(whole, signer, made: after) == .keyRevoked(key.fingerprint))
        }
        #expect(whole.isRevoked)
        #expect(whole.problem(at: ForgedKey.now) == .keyRevoked(key.fingerprint))
        // A self-signature made later does not bring the key back.
        let again = try Forge.certificate(
            key, made: ForgedKey.now, directly: Forge.revocation(key, reason: reason, made: revokedAt))
        #expect(try Self.verdict(again, key, made: after) == .keyRevoked(key.fingerprint))
        // Of the subkey only.
        let part = try Forge.certificate(
            key,
            then: Forge.subkey(subkey, of: key, back: subkey)
                + Forge.revocation(key, of: subkey, reason: reason, made: revokedAt))
        #expect(try Self.verdict(part, subkey, made: after) == .keyRevoked(subkey.fingerprint))
        #expect(
            try Self.verdict(part, subkey, made: before) == (isHard ? .keyRevoked(subkey.fingerprint) : nil))
        #expect(try Self.verdict(part, key, made: after) == nil)
        #expect(!part.isRevoked)
    }

    @Test("p53_A revocation by another key, or a damaged one, is ignored")
    func p53_foreignRevocation() throws {
        let (key, other) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let foreign = try Forge.revocation(key, by: other, reason: 2, made: ForgedKey.born)
        #expect(try Self.verdict(Forge.certificate(key, directly: foreign), key) == nil)
        var damaged = try Forge.revocation(key, reason: 2, made: ForgedKey.born)
        damaged[damaged.count - 1] ^= 1
        #expect(try Self.verdict(Forge.certificate(key, directly: damaged), key) == nil)
        let ofOther = try Forge.revocation(other, reason: 2, made: ForgedKey.born)
        #expect(try Self.verdict(Forge.certificate(key, directly: ofOther), key) == nil)
    }

    @Test(
        "p53_A revocation over a weak hash counts, of a key, a subkey and a name",
        arguments: [1, 2, 3, 8, 9, 10, 11] as [UInt8])
    func p53_revocationOverWeakHash(hashID: UInt8) throws {
        for key in try [ForgedKey.ed25519(), .p256(), .rsa()] {
            let subkey = try ForgedKey.ed25519()
            let bound = try Forge.subkey(subkey, of: key, back: subkey)
            let ofKey = try Forge.revocation(key, reason: 2, made: ForgedKey.born, hashID: hashID)
            let whole = try Forge.certificate(key, directly: ofKey, then: bound)
            #expect(whole.isRevoked)
            for signer in [key, subkey] {
                #expect(try Self.verdict(whole, signer) == .keyRevoked(key.fingerprint))
            }
            let ofSubkey = try Forge.revocation(
                key, of: subkey, reason: 2, made: ForgedKey.born, hashID: hashID)
            let part = try Forge.certificate(key, then: bound + ofSubkey)
            #expect(try Self.verdict(part, subkey) == .keyRevoked(subkey.fingerprint))
            #expect(try Self.verdict(part, key) == nil)
            let ofName = try Forge.packet(
                .signature,
                key.signature(
                    type: 0x30, over: Forge.content(key, name: "forged"), hashID: hashID,
                    made: ForgedKey.born.advanced(by: 1)))
            let nameless = try Forge.certificate(key, then: ofName)
            #expect(nameless.userIDs.isEmpty)
            #expect(try Self.verdict(nameless, key) == .noSelfSignature(key.fingerprint))
            // They are checked like any other.
            for revocation in [ofKey, ofSubkey] {
                var damaged = revocation
                damaged[damaged.count - 1] ^= 1
                let alive = try Forge.certificate(key, then: bound + damaged)
                #expect(!alive.isRevoked)
                #expect(alive.subkeys.allSatisfy { $0.revocations.isEmpty })
            }
        }
    }

    @Test(
        "p53_What gpg calls revoked is revoked here, whatever its revocation was hashed with",
        arguments: [1, 2, 3, 8, 9, 10, 11] as [UInt8])
    func p53_revocationsOfGnuPG(hashID: UInt8) throws {
        let (key, subkey) = try (ForgedKey.rsa(), ForgedKey.ed25519())
        let bound = try Forge.subkey(subkey, of: key, back: subkey)
        let ofKey = try Forge.revocation(key, reason: 2, made: ForgedKey.born, hashID: hashID)
        let ofSubkey = try Forge.revocation(
            key, of: subkey, reason: 2, made: ForgedKey.born, hashID: hashID)
        for (certificate, record) in try [
            (Forge.certificate(key, directly: ofKey, then: bound), "pub:r:"),
            (Forge.certificate(key, then: bound + ofSubkey), "sub:r:"),
        ] {
            let home = try GnuPGHome()
            _ = try home.tryGpg(["--import"], input: certificate.bytes)
            let listing = try String(decoding: home.gpg("--list-keys", "--with-colons"), as: UTF8.self)
            #expect(listing.contains(subkey.fingerprint.description))
            // gpg goes by no MD5 at all, also where that keeps a key alive.
            #expect(listing.contains(record) == (hashID != 1), "\(listing)")
            #expect(try Self.verdict(certificate, subkey) != nil)
        }
    }

    @Test("p53_A revocation over an unknown hash cannot be checked, and is ignored as gpg does")
    func p53_uncheckableRevocation() throws {
        let key = try ForgedKey.ed25519()
        // The hash is private or experimental.
        let revocation = try key.signature(
            type: 0x20, over: OpenPGP.hashedKey(key.body[...]), hashID: 100)
        let certificate = try Forge.certificate(key, directly: Forge.packet(.signature, revocation))
        #expect(!certificate.isRevoked)
        #expect(try Self.verdict(certificate, key) == nil)
        let home = try GnuPGHome()
        _ = try home.tryGpg(["--import"], input: certificate.bytes)
        let listing = try String(decoding: home.gpg("--list-keys", "--with-colons"), as: UTF8.self)
        #expect(listing.contains("pub:-:"), "\(listing)")
    }

    /// Subpackets that are understood but critical, unknown and critical, repeated, and of wrong length.
    static let oddities: [[UInt8]] = [
        OpenPGP.Subpackets.write(0x80 | 4, [1]), OpenPGP.Subpackets.write(0x80 | 7, [0]),
        OpenPGP.Subpackets.write(0x80 | 24, Array("hkp://a".utf8)),
        OpenPGP.Subpackets.write(0x80 | 26, Array("https://a".utf8)),
        OpenPGP.Subpackets.write(0x80 | 100, [1]), OpenPGP.Subpackets.creation(ForgedKey.born),
        OpenPGP.Subpackets.write(4, [1, 1]), OpenPGP.Subpackets.write(2, [1]), [200], [0],
        OpenPGP.Subpackets.write(29, [3]) + OpenPGP.Subpackets.write(29, [3]),
        OpenPGP.Subpackets.write(29, []),
    ]

    @Test("p53_A revocation counts however little else of it can be read", arguments: oddities)
    func p53_oddRevocation(oddity: [UInt8]) throws {
        let (key, subkey) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let contents = [
            (0x20, OpenPGP.hashedKey(key.body[...])), (0x28, Forge.content(key, subkey: subkey)),
            (0x30, Forge.content(key, name: "forged")),
        ]
        let made = ForgedKey.born.advanced(by: 1)
        for (hashed, unhashed) in [(oddity, []), ([], oddity)] {
            let revocations = try contents.map { type, content in
                try Forge.packet(
                    .signature,
                    key.signature(
                        type: UInt8(type), over: content, hashed: key.area(made) + hashed, unhashed: unhashed)
                )
            }
            let bound = try Forge.subkey(subkey, of: key, back: subkey)
            let whole = try Forge.certificate(key, directly: revocations[0])
            #expect(try Self.verdict(whole, key) == .keyRevoked(key.fingerprint))
            let part = try Forge.certificate(key, then: bound + revocations[1])
            #expect(try Self.verdict(part, subkey) == .keyRevoked(subkey.fingerprint))
            #expect(try Self.verdict(part, key) == nil)
            let named = try Forge.certificate(key, then: revocations[2])
            #expect(try Self.verdict(named, key) == .noSelfSignature(key.fingerprint))
        }
    }

    @Test("p53_A revocation counts without a date, and behind a subpacket that is empty")
    func p53_revocationWithoutDate() throws {
        let key = try ForgedKey.ed25519()
        let issuer = OpenPGP.Subpackets.issuer(key.fingerprint)
        for hashed in [issuer, [0] + key.area(ForgedKey.born), [0] + issuer] {
            let revocation = try Forge.packet(
                .signature, key.signature(type: 0x20, over: OpenPGP.hashedKey(key.body[...]), hashed: hashed))
            let certificate = try Forge.certificate(key, directly: revocation)
            #expect(try Self.verdict(certificate, key) == .keyRevoked(key.fingerprint))
        }
    }

    @Test("p53_A name that one copy of a key revokes is revoked in the others, and where it stands twice")
    func p53_revokedNameOfCopies() throws {
        let key = try ForgedKey.ed25519()
        let end = ForgedKey.born.advanced(by: Self.day)
        let primary = Forge.packet(.publicKey, key.body)
        let ending = try Forge.name(key, "a", extra: Forge.flags(3) + Forge.keyExpires(after: Self.day))
        let endless = try Forge.name(key, "b", made: ForgedKey.born.advanced(by: 1))
        let revocation = try Forge.packet(
            .signature,
            key.signature(
                type: 0x30, over: Forge.content(key, name: "b"), made: ForgedKey.born.advanced(by: 2)))
        let old = try OpenPGP.Certificate(primary + ending + endless)
        let new = try OpenPGP.Certificate(primary + ending + endless + revocation)
        let twice = try OpenPGP.Certificate(primary + ending + endless + endless + revocation)
        #expect(try Self.verdict(old, key) == nil)
        #expect(new.userIDs == ["a"] && twice.userIDs == ["a"])
        let signature = try Forge.packet(.signature, key.signature(over: [1]))
        for certificates in [[new], [twice], [old, new], [new, old], [old, twice]] {
            #expect(throws: OpenPGP.Error.keyExpired(key.fingerprint, at: end)) {
                try OpenPGP.Verifier(certificates: certificates)
                    .verify(signature: signature, of: [1], at: ForgedKey.now)
            }
        }
    }

    @Test("p49_A subkey of two certificates signs once for a threshold, whatever dates it gives")
    func p49_sharedSubkeyCountsOnce() throws {
        let (a, b, shared) = try (ForgedKey.ed25519(), ForgedKey.ed25519(), ForgedKey.ed25519())
        let revokedAt = ForgedKey.born.advanced(by: 10 * Self.day)
        let certificates = try [
            Forge.certificate(
                a, directly: Forge.revocation(a, reason: 1, made: revokedAt),
                then: Forge.subkey(shared, of: a, back: shared)),
            Forge.certificate(b, then: Forge.subkey(shared, of: b, back: shared)),
        ]
        let signatures = try [-1, 1].flatMap {
            try Forge.packet(.signature, shared.signature(over: [1], made: revokedAt.advanced(by: $0)))
        }
        #expect(throws: OpenPGP.Error.thresholdNotReached(have: 1, need: 2)) {
            try OpenPGP.Verifier(certificates: certificates)
                .verifyRelease(signatures: signatures, of: [1], threshold: 2, at: ForgedKey.now)
        }
    }

    @Test("p53_A subkey's revocation holds wherever it stands among the packets of its key")
    func p53_subkeyRevocationAnywhere() throws {
        let (key, subkey, other) = try (ForgedKey.ed25519(), ForgedKey.ed25519(), ForgedKey.ed25519())
        let parts = try [
            Forge.packet(.publicKey, key.body), Forge.name(key), Forge.subkey(subkey, of: key, back: subkey),
            Forge.subkey(other, of: key, back: other),
        ]
        let revocation = try Forge.revocation(key, of: subkey, reason: 2, made: ForgedKey.born)
        for place in 1...parts.count {
            let packets = (parts[..<place] + [revocation] + parts[place...]).flatMap { $0 }
            let certificate = try OpenPGP.Certificate(packets)
            #expect(
                try Self.verdict(certificate, subkey) == .keyRevoked(subkey.fingerprint), "place \(place)")
            #expect(try Self.verdict(certificate, other) == nil)
            #expect(try Self.verdict(certificate, key) == nil)
        }
    }

    @Test("p53_The newest declaration holds also where it cannot be gone by: no older one takes its place")
    func p53_unreadableDeclaration() throws {
        let key = try ForgedKey.ed25519()
        let later = ForgedKey.born.advanced(by: Self.day)
        let ending = Forge.flags(3) + Forge.keyExpires(after: 2 * Self.day)
        let expired = OpenPGP.Error.keyExpired(
            key.fingerprint, at: ForgedKey.born.advanced(by: 2 * Self.day))
        func verdict(_ extra: [UInt8], hashID: UInt8 = 8) throws -> OpenPGP.Error? {
            let newer = try Forge.name(key, "b", extra: extra, hashID: hashID, made: later)
            return try Self.verdict(Forge.certificate(key, then: newer), key)
        }
        // These are understood.
        for oddity in Self.oddities[..<4] { #expect(try verdict(ending + oddity) == expired) }
        let unknown = Self.oddities[4]
        #expect(try verdict(ending + unknown) == .unknownCriticalSubpacket(100))
        for oddity in Self.oddities[5...] {
            guard case .malformedPacket = try verdict(ending + oddity) else {
                Issue.record("\(oddity) is passed over")
                continue
            }
        }
        for twice in [Forge.flags(3), Forge.keyExpires(after: 9)] {
            #expect(try verdict(ending + twice) != nil)
        }
        #expect(try verdict(ending, hashID: 2) == expired)
        // A name of which nothing better is known is nobody's.
        let odd = try OpenPGP.Certificate(
            Forge.packet(.publicKey, key.body) + Forge.name(key, "a") + Forge.name(key, "b", extra: unknown))
        #expect(odd.userIDs == ["a"])
        // Among those of one second the later in the file wins; a newer one heals.
        let healed = try Forge.name(key, "c", made: later.advanced(by: 1))
        let newer = try Forge.name(key, "b", extra: unknown, made: later)
        #expect(try Self.verdict(Forge.certificate(key, then: newer + healed), key) == nil)
    }

    @Test(
        "p53_What a direct-key signature or a picture's forbids, no newer name allows, nor the other way round"
    )
    func p53_declarationsOfTwoPlaces() throws {
        let key = try ForgedKey.ed25519()
        let (early, late) = (ForgedKey.born, ForgedKey.born.advanced(by: Self.day))
        let end = ForgedKey.born.advanced(by: 2 * Self.day)
        let ending = Forge.keyExpires(after: 2 * Self.day)
        func direct(_ extra: [UInt8], _ made: OpenPGP.Timestamp) throws -> [UInt8] {
            try Forge.packet(
                .signature,
                key.signature(
                    type: 0x1f, over: OpenPGP.hashedKey(key.body[...]), hashed: key.area(made) + extra))
        }
        for (first, second) in [(early, late), (late, early)] {
            func verdict(_ directly: [UInt8], _ named: [UInt8]) throws -> OpenPGP.Error? {
                let certificate = try Forge.certificate(
                    key, extra: named, made: second, directly: direct(directly, first))
                return try Self.verdict(certificate, key)
            }
            #expect(try verdict(Forge.flags(3), Forge.flags(3)) == nil)
            #expect(try verdict(Forge.flags(1), Forge.flags(3)) == .keyCannotSign(key.fingerprint))
            #expect(try verdict(Forge.flags(3), Forge.flags(1)) == .keyCannotSign(key.fingerprint))
            // One that does not speak of the key's use leaves it to the other.
            #expect(try verdict(Forge.flags(3), []) == nil)
            #expect(try verdict(Forge.flags(1), []) == .keyCannotSign(key.fingerprint))
            let expired = OpenPGP.Error.keyExpired(key.fingerprint, at: end)
            #expect(try verdict(Forge.flags(3) + ending, Forge.flags(3)) == expired)
            #expect(try verdict(Forge.flags(3), Forge.flags(3) + ending) == expired)
            #expect(try verdict(Self.oddities[4], Forge.flags(3)) == .unknownCriticalSubpacket(100))
        }
        let picture: [UInt8] = [5, 1] + Array("abcd".utf8)
        let content = OpenPGP.hashedKey(key.body[...]) + [0xd1] + OpenPGP.bigEndian(picture.count) + picture
        for extra in [Forge.flags(1), Forge.flags(3) + ending, Forge.flags(3)] {
            let signed = try Forge.packet(
                .signature, key.signature(type: 0x13, over: content, hashed: key.area(late) + extra))
            let certificate = try Forge.certificate(key, then: Forge.packet(.userAttribute, picture) + signed)
            #expect(try (Self.verdict(certificate, key) == nil) == (extra == Forge.flags(3)))
            #expect(certificate.userIDs == ["forged"])
        }
    }

    @Test("p52_A self-signature, a binding or a back signature older than the key it is about is none")
    func p52_olderThanKey() throws {
        let key = try ForgedKey.ed25519(born: ForgedKey.born.advanced(by: 2))
        let early = try Forge.certificate(key, made: ForgedKey.born)
        #expect(try Self.verdict(early, key) == .signatureOlderThanKey(key.fingerprint))
        let primary = try ForgedKey.ed25519()
        // Bindings and back signatures are made when the primary key is.
        let newer = try ForgedKey.ed25519(born: ForgedKey.born.advanced(by: 1))
        let bound = try Forge.certificate(
            primary, then: Forge.subkey(newer, of: primary, back: newer))
        #expect(try Self.verdict(bound, newer) == .signatureOlderThanKey(newer.fingerprint))
        let back = try Forge.certificate(
            primary, then: Forge.subkey(newer, of: primary, back: newer, made: newer.key.creationTime))
        #expect(try Self.verdict(back, newer) == .noBackSignature(newer.fingerprint))
        let good = try Forge.certificate(
            primary,
            then: Forge.subkey(
                newer, of: primary, back: newer, made: newer.key.creationTime,
                backMade: newer.key.creationTime))
        #expect(try Self.verdict(good, newer) == nil)
    }

    @Test("p52_A primary key that is bound as its own subkey may do no more than it may")
    func p52_ownSubkey() throws {
        let key = try ForgedKey.ed25519()
        let certificate = try Forge.certificate(
            key, extra: Forge.flags(1), then: Forge.subkey(key, of: key, back: key))
        #expect(try Self.verdict(certificate, key) == .keyCannotSign(key.fingerprint))
    }

    @Test("p53_A certificate and a copy of it together say what either of them says")
    func p53_merging() throws {
        let (key, subkey, other) = try (ForgedKey.ed25519(), ForgedKey.ed25519(), ForgedKey.ed25519())
        let primary = Forge.packet(.publicKey, key.body)
        let name = try Forge.name(key, extra: Forge.flags(3) + Forge.keyExpires(after: Self.day))
        let bound = try Forge.subkey(subkey, of: key, back: subkey)
        let old = try OpenPGP.Certificate(primary + name)
        let expired = OpenPGP.Error.keyExpired(key.fingerprint, at: ForgedKey.born.advanced(by: Self.day))
        #expect(try Self.verdict(old, key) == expired)
        let copies = try [
            OpenPGP.Certificate(primary + Forge.name(key, made: ForgedKey.born.advanced(by: 9)) + bound),
            OpenPGP.Certificate(
                primary + name + bound + Forge.revocation(key, of: subkey, reason: 2, made: ForgedKey.born)),
            OpenPGP.Certificate(primary + Forge.revocation(key, reason: 2, made: ForgedKey.born) + name),
        ]
        for (first, second) in [(old, copies[0]), (copies[0], old)] {
            let merged = try first.merging(second)
            #expect(merged.userIDs == ["forged"])
            for signer in [key, subkey] { #expect(try Self.verdict(merged, signer) == nil) }
            // What is known already adds nothing.
            #expect(try merged.merging(first).bytes == merged.bytes)
            #expect(try merged.merging(second).bytes == merged.bytes)
        }
        for (first, second) in [(copies[0], copies[1]), (copies[1], copies[0])] {
            let merged = try first.merging(second)
            #expect(try Self.verdict(merged, subkey) == .keyRevoked(subkey.fingerprint))
            #expect(try Self.verdict(merged, key) == nil)
        }
        for copy in copies[..<2] {
            for (first, second) in [(copy, copies[2]), (copies[2], copy)] {
                #expect(try Self.verdict(first.merging(second), key) == .keyRevoked(key.fingerprint))
            }
        }
        #expect(throws: OpenPGP.Error.notExactlyOneKey(found: 2)) {
            try old.merging(Forge.certificate(other))
        }
    }

    @Test("p49_A subkey of two certificates counts for the first of them, in every run")
    func p49_sharedSubkey() throws {
        let (a, b, shared) = try (ForgedKey.ed25519(), ForgedKey.ed25519(), ForgedKey.ed25519())
        let certificates = try [a, b].map {
            try Forge.certificate($0, then: Forge.subkey(shared, of: $0, back: shared))
        }
        let signature = try Forge.packet(.signature, shared.signature(over: [1]))
        let both = try signature + Forge.packet(.signature, b.signature(over: [1]))
        // The order of a dictionary differs from one to the next.
        for _ in 0..<32 {
            for order in [certificates, certificates.reversed()] {
                let verifier = OpenPGP.Verifier(certificates: order)
                let found = try verifier.verify(signature: signature, of: [1], at: ForgedKey.now)
                #expect(found.certificate == order[0].fingerprint)
            }
            let verifier = OpenPGP.Verifier(certificates: certificates)
            #expect(
                try verifier.verifyRelease(signatures: both, of: [1], threshold: 2, at: ForgedKey.now).count
                    == 2)
        }
    }

    @Test(
        "Packets of a certificate that say nothing are passed over, and those that must be understood are not"
    )
    func foreignPackets() throws {
        let (key, subkey) = try (ForgedKey.ed25519(), ForgedKey.ed25519())
        let good = try Forge.certificate(key, then: Forge.subkey(subkey, of: key, back: subkey)).bytes
        for type in [10, 12, 21, 40, 60, 63] as [UInt8] {
            let more = Forge.packet(OpenPGP.PacketTag(rawValue: type), Array("PGP".utf8))
            #expect(try Self.verdict(OpenPGP.Certificate(good + more), subkey) == nil)
        }
        for type in [8, 11, 15, 22, 39] as [UInt8] {
            let tag = OpenPGP.PacketTag(rawValue: type)
            #expect(throws: OpenPGP.Error.unexpectedPacket(tag)) {
                try OpenPGP.Certificate(good + Forge.packet(tag, Array("PGP".utf8)))
            }
        }
        // A subkey of another version signs nothing, and neither do signatures about it.
        for version in [3, 5, 6] as [UInt8] {
            let other = Forge.packet(.publicSubkey, [version] + subkey.body.dropFirst())
            let binding = try Forge.subkey(subkey, of: key, back: subkey).dropFirst(2 + subkey.body.count)
            let certificate = try OpenPGP.Certificate(good + other + binding)
            #expect(try Self.verdict(certificate, subkey) == nil)
            #expect(throws: OpenPGP.Error.unsupportedKeyVersion(version)) {
                try OpenPGP.Certificate(
                    Forge.packet(.publicKey, [version] + key.body.dropFirst()) + Forge.name(key))
            }
        }
    }

    @Test("p53_A name that was revoked vouches for nothing, unless it was signed again later")
    func p53_revokedName() throws {
        let key = try ForgedKey.ed25519()
        func certificate(signedAt: OpenPGP.Timestamp) throws -> OpenPGP.Certificate {
            let revocation = try Forge.packet(
                .signature,
                key.signature(
                    type: 0x30, over: Forge.content(key, name: "forged"),
                    made: ForgedKey.born.advanced(by: 10)))
            return try Forge.certificate(key, made: signedAt, then: revocation)
        }
        #expect(try certificate(signedAt: ForgedKey.born).userIDs.isEmpty)
        #expect(
            try Self.verdict(certificate(signedAt: ForgedKey.born), key) == .noSelfSignature(key.fingerprint))
        #expect(try Self.verdict(certificate(signedAt: ForgedKey.born.advanced(by: 11)), key) == nil)
    }

    @Test(
        "p54_A key whose own signature is over a weak hash is refused with the hash's name",
        arguments: [
            (2, "SHA-1"), (1, "MD5"), (3, "RIPEMD-160"), (11, "SHA-224"),
        ] as [(UInt8, String)])
    func p54_weakSelfSignature(hashID: UInt8, name: String) throws {
        let key = try ForgedKey.ed25519()
        let certificate = try Forge.certificate(key, hashID: hashID)
        let error = OpenPGP.Error.weakSelfSignature(key.fingerprint, hash: name)
        #expect(certificate.problem(at: ForgedKey.now) == error)
        #expect(certificate.fitness(at: ForgedKey.now) == .never(error))
        #expect(try Self.verdict(certificate, key) == error)
    }

    @Test("p53_A direct-key signature ends the key also where it says nothing else")
    func p53_directExpiration() throws {
        let key = try ForgedKey.ed25519()
        func direct(_ validity: Int64, made: OpenPGP.Timestamp = ForgedKey.born) throws -> [UInt8] {
            try Forge.packet(
                .signature,
                key.signature(
                    type: 0x1f, over: OpenPGP.hashedKey(key.body[...]),
                    hashed: key.area(made) + Forge.keyExpires(after: validity)))
        }
        let end = ForgedKey.born.advanced(by: Self.day)
        let ended = try Forge.certificate(key, directly: direct(Self.day))
        #expect(try Self.verdict(ended, key) == .keyExpired(key.fingerprint, at: end))
        #expect(ended.expirationTime(at: ForgedKey.now) == end)
        // The newest of them counts; none of them takes away an end that a user ID's signature tells.
        let later = ForgedKey.born.advanced(by: 60)
        let renewed = try direct(Self.day) + direct(9999 * Self.day, made: later)
        #expect(try Self.verdict(Forge.certificate(key, directly: renewed), key) == nil)
        // A later one that speaks of something else, such as who may revoke, takes nothing away.
        let silent = try Forge.packet(
            .signature,
            key.signature(type: 0x1f, over: OpenPGP.hashedKey(key.body[...]), hashed: key.area(later)))
        #expect(
            try Self.verdict(Forge.certificate(key, directly: direct(Self.day) + silent), key)
                == .keyExpired(key.fingerprint, at: end))
        let flags = Forge.flags(3) + Forge.keyExpires(after: Self.day)
        #expect(
            try Self.verdict(Forge.certificate(key, extra: flags, directly: renewed), key)
                == .keyExpired(key.fingerprint, at: end))
        // What one copy of a certificate says holds for the other.
        let signature = try Forge.packet(.signature, key.signature(over: [1]))
        for certificates in try [[ended, Forge.certificate(key)], [Forge.certificate(key), ended]] {
            #expect(throws: OpenPGP.Error.keyExpired(key.fingerprint, at: end)) {
                try OpenPGP.Verifier(certificates: certificates)
                    .verify(signature: signature, of: [1], at: ForgedKey.now)
            }
        }
    }

    @Test("p53_A revocation holds wherever it stands among the packets of its key")
    func p53_revocationAnywhere() throws {
        let (key, subkey, other) = try (ForgedKey.ed25519(), ForgedKey.ed25519(), ForgedKey.ed25519())
        let primary = Forge.packet(.publicKey, key.body)
        let revocation = try Forge.revocation(key, reason: 2, made: ForgedKey.born)
        let parts = try [Forge.name(key), Forge.subkey(subkey, of: key, back: subkey)]
        let picture = Forge.packet(.userAttribute, [2, 1, 0])
        for packets in [
            primary + revocation + parts[0] + parts[1], primary + parts[0] + revocation + parts[1],
            primary + parts[0] + parts[1] + revocation, primary + parts[0] + parts[1] + picture + revocation,
        ] {
            let certificate = try OpenPGP.Certificate(packets)
            #expect(certificate.isRevoked)
            #expect(certificate.bytes == packets)
            #expect(try Self.verdict(certificate, key) == .keyRevoked(key.fingerprint))
            #expect(try Self.verdict(certificate, subkey) == .keyRevoked(key.fingerprint))
        }
        // One by a stranger says nothing, in any place.
        let both = try [primary + parts[0], Forge.certificate(other).bytes]
        let stranger = try ForgedKey.ed25519()
        let foreign = try Forge.revocation(key, by: stranger, reason: 2, made: ForgedKey.born)
        let found = try OpenPGP.Certificate.all(in: both[0] + foreign + both[1] + foreign)
        #expect(found.map(\.isRevoked) == [false, false])
        #expect(throws: OpenPGP.Error.mistake(.signature)) {
            try OpenPGP.Certificate.all(in: revocation + both[0])
        }
    }

    @Test("p53_The revocation that gpg made with a key, added to that key's file, revokes it")
    func p53_revocationAddedToFile() throws {
        let home = try GnuPGHome()
        try home.gpg("--quick-generate-key", "leaver", "ed25519", "sign", "1y")
        let exported = try home.gpg("--armor", "--export")
        let fingerprint = try OpenPGP.Certificate(exported).fingerprint
        let file = home.folder.appending(path: "openpgp-revocs.d/\(fingerprint).rev")
        // gpg puts a colon before the armor, so that nobody imports it by mistake.
        let text = try String(contentsOf: file, encoding: .utf8)
            .replacing(":-----BEGIN", with: "-----BEGIN")
        let revocation = Array(text[try #require(text.range(of: "-----BEGIN")).lowerBound...].utf8)
        let signature = try home.gpg("--detach-sign", input: [1])
        #expect(throws: OpenPGP.Error.keyRevoked(fingerprint)) {
            try OpenPGP.Verifier(certificates: [OpenPGP.Certificate(exported + revocation)])
                .verify(signature: signature, of: [1], at: .now())
        }
    }

    @Test("p54_gpg's key with a SHA-1 self-signature is refused by name")
    func p54_weakSelfSignatureOfGnuPG() throws {
        let home = try GnuPGHome()
        try home.gpg(
            "--allow-weak-key-signatures", "--cert-digest-algo", "SHA1", "--quick-generate-key", "weak",
            "rsa2048",
            "sign", "1y")
        let certificate = try OpenPGP.Certificate(home.gpg("--export"))
        let signature = try home.gpg("--detach-sign", input: [1])
        #expect(throws: OpenPGP.Error.weakSelfSignature(certificate.fingerprint, hash: "SHA-1")) {
            try OpenPGP.Verifier(certificates: [certificate]).verify(
                signature: signature, of: [1], at: .now())
        }
    }

    @Test("p55_A signature from the future is refused beyond the allowance, one older than its key always")
    func p55_times() throws {
        let key = try ForgedKey.ed25519()
        let certificate = try Forge.certificate(key)
        let now = ForgedKey.now
        let skew = OpenPGP.Certificate.clockSkew
        #expect(try Self.verdict(certificate, key, made: now.advanced(by: skew)) == nil)
        let late = now.advanced(by: skew + 1)
        #expect(try Self.verdict(certificate, key, made: late) == .signatureFromTheFuture(late))
        #expect(try Self.verdict(certificate, key, made: ForgedKey.born) == nil)
        #expect(
            try Self.verdict(certificate, key, made: ForgedKey.born.advanced(by: -1))
                == .signatureOlderThanKey(key.fingerprint))
        let verifier = OpenPGP.Verifier(certificates: [certificate])
        let signature = try Forge.packet(.signature, key.signature(over: [1], made: now))
        // The ends of the range do not trap.
        for extreme in [Int64.min, Int64.max] {
            _ = try? verifier.verify(signature: signature, of: [1], at: OpenPGP.Timestamp(extreme))
            #expect(!OpenPGP.Timestamp(extreme).description.isEmpty)
        }
    }

    @Test(
        "Times are written as ISO 8601 writes them",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_717_286_400, "2024-06-02T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_294_967_295, "2106-02-07T06:28:15Z"), (-1, "1969-12-31T23:59:59Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
        ] as [(Int64, String)])
    func times(seconds: Int64, text: String) {
        #expect(OpenPGP.Timestamp(seconds).description == text)
    }

    @Test("Fingerprints are read and written as forty hexadecimal digits")
    func fingerprints() throws {
        let text = "B166502ADF9F7B78D8577D33DEBB2C59748B84CA"
        let fingerprint = try #require(OpenPGP.Fingerprint(hex: text))
        #expect(fingerprint.description == text)
        #expect(OpenPGP.Fingerprint(hex: "b166 502a df9f 7b78 d857  7d33 debb 2c59 748b 84ca") == fingerprint)
        #expect(BaseN.upperHexadecimal.text(fingerprint.keyID) == "DEBB2C59748B84CA")
        // The last two: a digit too many, and digits that are none of ASCII.
        let wide = text.replacingOccurrences(of: "8", with: "\u{ff18}")
        for wrong in [
            "", String(text.dropLast()), text + "00", "G" + text.dropFirst(), "0x" + text, text + "0", wide,
        ] {
            #expect(OpenPGP.Fingerprint(hex: wrong) == nil)
        }
        #expect(OpenPGP.Fingerprint([UInt8](repeating: 0, count: 19)) == nil)
    }
}
