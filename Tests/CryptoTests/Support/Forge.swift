@testable import PDCrypto

/// A key pair whose owner signs whatever a test wants, however malformed.
struct ForgedKey {
    /// When forged keys are made, unless a test says otherwise: 2024-06-01.
    static let born = OpenPGP.Timestamp(1_717_200_000)
    /// When forged signatures are looked at, unless a test says otherwise: 2026-11-30.
    static let now = OpenPGP.Timestamp(1_796_000_000)

    let body: [UInt8]
    let secret: SExpression
    let key: OpenPGP.PublicKey

    var fingerprint: OpenPGP.Fingerprint { key.fingerprint }

    private init(_ body: [UInt8], _ secret: SExpression) throws {
        self.body = body
        self.secret = secret
        key = try OpenPGP.PublicKey(body[...])
    }

    /// A new Ed25519 key, as algorithm 22 (legacy) or 27.
    static func ed25519(born: OpenPGP.Timestamp = born, algorithm: UInt8 = 22) throws -> ForgedKey {
        let pair = try SExpression.generateKey(SExpression("(genkey(ecc(curve Ed25519)(flags eddsa)))", []))
        let point = (pair.value("q") ?? []).suffix(32)
        let head = [4] + OpenPGP.bigEndian(born.seconds) + [algorithm]
        let oid = OpenPGP.PublicKeyAlgorithm.ed25519OID
        let rest = algorithm == 22 ? [UInt8(oid.count)] + oid + OpenPGP.mpi([0x40] + point) : Array(point)
        return try ForgedKey(head + rest, pair)
    }

    /// The Ed25519 key of a seed whose first octet is zero, with messages whose signatures have leading zeros.
    static func ed25519WithLeadingZero() throws -> ForgedKey {
        let seed = hex("00f8e16b444307e6df80387732f3e95af7fb1c8ad6edc8381367427411521d81")
        let point = hex("6717148bb6cbae2abdc72d8d82aea82b4c701128572f95ada5350cb1161abb83")
        let secret = try SExpression(
            "(private-key(ecc(curve Ed25519)(flags eddsa)(q %b)(d %b)))", [[0x40] + point, seed[...]])
        let oid = OpenPGP.PublicKeyAlgorithm.ed25519OID
        let head = [4] + OpenPGP.bigEndian(born.seconds) + [22, UInt8(oid.count)]
        return try ForgedKey(head + oid + OpenPGP.mpi([0x40] + point), secret)
    }

    /// A new ECDSA key on NIST P-256.
    static func p256(born: OpenPGP.Timestamp = born) throws -> ForgedKey {
        let pair = try SExpression.generateKey(SExpression("(genkey(ecc(curve \"NIST P-256\")))", []))
        let oid: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]
        let body =
            [4] + OpenPGP.bigEndian(born.seconds) + [19, UInt8(oid.count)] + oid
            + OpenPGP.mpi(pair.value("q") ?? [])
        return try ForgedKey(body, pair)
    }

    /// A new RSA key of 2048 bits. Its signatures name the hash, which those of the others do not.
    static func rsa(born: OpenPGP.Timestamp = born) throws -> ForgedKey {
        try ForgedKey(
            rsa: SExpression.generateKey(SExpression("(genkey(rsa(nbits 4:2048)))", [])), born: born)
    }

    /// The RSA key of this pair.
    init(rsa pair: SExpression, born: OpenPGP.Timestamp = born) throws {
        let numbers = OpenPGP.mpi(pair.value("n") ?? []) + OpenPGP.mpi(pair.value("e") ?? [])
        try self.init([4] + OpenPGP.bigEndian(born.seconds) + [1] + numbers, pair)
    }

    /// The body of a signature packet.
    ///
    /// - Parameters:
    ///   - content: what is hashed before the signature's own part.
    ///   - hashed: the hashed area; unless given, issuer and creation time.
    ///   - unhashed: the unhashed area; unless given, the issuer's key ID.
    ///   - algorithm: what the signature says that it is made with; unless given, the key's.
    func signature(
        type: UInt8 = 0, over content: [UInt8], algorithm: UInt8? = nil, hashID: UInt8 = 8,
        hashed: [UInt8]? = nil,
        unhashed: [UInt8]? = nil,
        made: OpenPGP.Timestamp = OpenPGP.Timestamp(1_717_286_400)
    ) throws -> [UInt8] {
        let hashed = hashed ?? area(made)
        let unhashed = unhashed ?? OpenPGP.Subpackets.write(16, fingerprint.bytes.suffix(8))
        let prefix = [4, type, algorithm ?? key.algorithm, hashID] + length(hashed.count) + hashed
        let algorithm: DigestState.Algorithm =
            switch hashID {
            case 1: .md5
            case 2: .sha1
            case 3: .ripemd160
            case 11: .sha224
            case 9: .sha384
            case 10: .sha512
            default: .sha256
            }
        let digest = DigestState.hash(
            content + prefix + [4, 0xff] + OpenPGP.bigEndian(prefix.count), algorithm)
        let value = try OpenPGP.SecretKey.signatureValue(digest, algorithm, key: key, secret: secret)
        return prefix + length(unhashed.count) + unhashed + digest.prefix(2) + value
    }

    /// The packet of this key with its secret number, for Ed25519 and P-256; the checksum covers `more` as well.
    func secretPacket(_ tag: OpenPGP.PacketTag = .secretKey, more: [UInt8] = []) -> [UInt8] {
        let number = OpenPGP.mpi(secret.value("d") ?? []) + more
        let sum = number.reduce(UInt16(0)) { $0 &+ UInt16($1) }
        return OpenPGP.packet(tag, body + [0] + number + OpenPGP.bigEndian(sum).suffix(2))
    }

    /// Issuer fingerprint and creation time, the least that a hashed area should say.
    func area(_ made: OpenPGP.Timestamp) -> [UInt8] {
        OpenPGP.Subpackets.issuer(fingerprint) + OpenPGP.Subpackets.creation(made)
    }

    private func length(_ count: Int) -> [UInt8] { Array(OpenPGP.bigEndian(count).suffix(2)) }
}

/// Packets of certificates, in any combination.
enum Forge {
    static func packet(_ tag: OpenPGP.PacketTag, _ body: [UInt8]) -> [UInt8] {
        OpenPGP.packet(tag, body)
    }

    static func flags(_ flags: UInt8) -> [UInt8] { OpenPGP.Subpackets.write(27, [flags]) }

    static func keyExpires(after seconds: Int64) -> [UInt8] {
        OpenPGP.Subpackets.write(9, OpenPGP.bigEndian(seconds))
    }

    /// What a certification of `name` hashes.
    static func content(_ key: ForgedKey, name: String) -> [UInt8] {
        OpenPGP.hashedKey(key.body[...]) + [0xb4] + OpenPGP.bigEndian(name.utf8.count) + name.utf8
    }

    /// What a binding of `subkey` hashes.
    static func content(_ key: ForgedKey, subkey: ForgedKey) -> [UInt8] {
        OpenPGP.hashedKey(key.body[...]) + OpenPGP.hashedKey(subkey.body[...])
    }

    /// A user ID packet with a self-signature.
    static func name(
        _ key: ForgedKey, _ name: String = "forged", extra: [UInt8] = flags(3), hashID: UInt8 = 8,
        made: OpenPGP.Timestamp = ForgedKey.born
    ) throws -> [UInt8] {
        try packet(.userID, Array(name.utf8))
            + packet(
                .signature,
                key.signature(
                    type: 0x13, over: content(key, name: name), hashID: hashID, hashed: key.area(made) + extra
                ))
    }

    /// A certificate of `key` with one name.
    static func certificate(
        _ key: ForgedKey, extra: [UInt8] = flags(3), hashID: UInt8 = 8,
        made: OpenPGP.Timestamp = ForgedKey.born,
        directly: [UInt8] = [], then more: [UInt8] = []
    ) throws -> OpenPGP.Certificate {
        let named = try name(key, extra: extra, hashID: hashID, made: made)
        return try OpenPGP.Certificate(packet(.publicKey, key.body) + directly + named + more)
    }

    /// A subkey packet with its binding.
    ///
    /// - Parameter back: who makes the embedded back signature; nil for none.
    static func subkey(
        _ subkey: ForgedKey, of key: ForgedKey, flags: UInt8 = 2, back: ForgedKey?, extra: [UInt8] = [],
        backType: UInt8 = 0x19, backHashID: UInt8 = 8, backExtra: [UInt8] = [],
        made: OpenPGP.Timestamp = ForgedKey.born, backMade: OpenPGP.Timestamp = ForgedKey.born
    ) throws -> [UInt8] {
        let content = content(key, subkey: subkey)
        var hashed = key.area(made) + Self.flags(flags) + extra
        if let back {
            hashed += try OpenPGP.Subpackets.write(
                32,
                back.signature(
                    type: backType, over: content, hashID: backHashID,
                    hashed: back.area(backMade) + backExtra))
        }
        return try packet(.publicSubkey, subkey.body)
            + packet(.signature, key.signature(type: 0x18, over: content, hashed: hashed))
    }

    /// A revocation of the key itself, or of a subkey.
    static func revocation(
        _ key: ForgedKey, of subkey: ForgedKey? = nil, by signer: ForgedKey? = nil, reason: UInt8?,
        made: OpenPGP.Timestamp, hashID: UInt8 = 8
    ) throws -> [UInt8] {
        let signer = signer ?? key
        let content = subkey.map { Self.content(key, subkey: $0) } ?? OpenPGP.hashedKey(key.body[...])
        let hashed = signer.area(made) + (reason.map { OpenPGP.Subpackets.write(29, [$0]) } ?? [])
        return try packet(
            .signature,
            signer.signature(type: subkey == nil ? 0x20 : 0x28, over: content, hashID: hashID, hashed: hashed)
        )
    }
}

/// Numbers that look random and are the same in every run.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
