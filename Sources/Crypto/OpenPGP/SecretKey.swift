import CGcrypt
import PDSecrets

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension OpenPGP {
    /// A transferable secret key (RFC 9580, section 10.2) without passphrase, to sign with.
    ///
    /// The secret numbers lie in libgcrypt's secure memory, which is wiped when the last copy of this value is gone.
    public struct SecretKey: Sendable {
        /// The public half.
        public let certificate: Certificate

        private let secrets: [Fingerprint: SExpression]
        private let unusable: [Fingerprint: Error]
        private let packets: SecretBytes

        /// The most bytes that are read as a secret key.
        public static let sizeLimit = 1 << 20

        /// Reads exactly one secret key, armored or binary, such as `gpg --export-secret-keys` writes.
        ///
        /// The numbers of each secret key are checked against its public half. A key that is protected by a passphrase
        /// or lies on a card is read, but throws when it is to sign; if it is the primary key without any other, then
        /// here.
        /// - Parameter secret: at most ``sizeLimit`` bytes.
        public init(_ secret: SecretBytes) throws(OpenPGP.Error) {
            var bytes = secret.withUnsafeBytes { Array($0) }
            defer { bytes.wipe() }
            try self.init(bytes)
        }

        /// As ``init(_:)`` of secret memory, which is the better place for them.
        ///
        /// - Parameter bytes: secret; the caller's to wipe.
        public init(_ bytes: [UInt8]) throws(OpenPGP.Error) {
            var binary = try Armor.unwrap(bytes, kind: .secretKey, limit: Self.sizeLimit)
            // All slices of `binary` end with the call, so that the wiping reaches the bytes and not a copy of them.
            let contents = Result { () throws(OpenPGP.Error) in try Contents(binary[...]) }
            let packets = SecretBytes(copying: binary)
            binary.wipe()
            try self.init(contents.get(), packets)
        }

        private init(_ contents: Contents, _ packets: SecretBytes) throws(OpenPGP.Error) {
            certificate = try Certificate(contents.publicPackets)
            secrets = contents.secrets
            unusable = contents.unusable
            self.packets = packets
            if secrets.isEmpty {
                throw unusable[certificate.fingerprint] ?? .noSecretKey(certificate.fingerprint)
            }
        }

        /// A new Ed25519 key (RFC 8032, as algorithm 22) that may certify and sign, with one user ID.
        ///
        /// - Parameters:
        ///   - userID: plain text, such as `penguindome-server`.
        ///   - time: the key's creation time.
        ///   - validity: seconds until it expires, nil for never.
        public static func generate(
            userID: String, at time: Timestamp, validity: Int64?
        ) throws(OpenPGP.Error) -> SecretKey {
            guard (0...Int64(UInt32.max)).contains(time.seconds),
                (1...Int64(UInt32.max)).contains(validity ?? 1),
                !userID.isEmpty, userID.escapingControls == userID
            else { throw .unsuitableTimeOrName }
            let pair: SExpression
            do throws(CryptoError) {
                pair = try SExpression.generateKey(
                    SExpression("(genkey(ecc(curve Ed25519)(flags eddsa)))", []))
            } catch { throw .library(error) }
            guard let point = pair.value("q")?.suffix(32), var seed = pair.value("d") else {
                throw .library(.library(code: gcry_error_t(GPG_ERR_INTERNAL.rawValue)))
            }
            defer { seed.wipe() }
            let oid = PublicKey.ed25519OID
            let publicBody =
                [4] + bigEndian(time.seconds) + [PublicKeyAlgorithm.eddsaLegacy, UInt8(oid.count)] + oid
                + mpi([0x40] + point)
            let key = try PublicKey(publicBody[...])
            let secret = try expression(
                "(private-key(ecc(curve Ed25519)(flags eddsa)(q %b)(d %b)))", [[0x40] + point, seed[...]],
                secret: true)

            var hashed = Subpackets.issuer(key.fingerprint) + Subpackets.creation(time)
            hashed += Subpackets.write(27, [0x03])
            if let validity { hashed += Subpackets.write(9, bigEndian(validity)) }
            // AES-256, 192, 128; SHA-512, 384, 256; no compression; modification detection.
            hashed += Subpackets.write(11, [9, 8, 7]) + Subpackets.write(21, [10, 9, 8])
            hashed += Subpackets.write(22, [0]) + Subpackets.write(30, [1])
            let name = Array(userID.utf8)
            let certification = try sign(
                type: 0x13, hashed: hashed, hash: .sha512, key: key, secret: secret
            ) { digest in
                digest.update(hashedKey(publicBody[...]))
                digest.update([0xb4] + bigEndian(name.count) + name)
            }
            let rest = PacketReader.write(.userID, name) + PacketReader.write(.signature, certification)
            var number = mpi(seed)
            // Appended to what has room for it: a sum of arrays leaves one behind for each sign.
            var secretBody = [UInt8]()
            secretBody.reserveCapacity(publicBody.count + number.count + 3)
            for part in [publicBody, [0], number, checksum(number[...])] { secretBody += part }
            var packet = PacketReader.write(.secretKey, secretBody)
            var binary = [UInt8]()
            binary.reserveCapacity(packet.count + rest.count)
            binary += packet
            binary += rest
            defer {
                number.wipe()
                secretBody.wipe()
                packet.wipe()
                binary.wipe()
            }
            return try SecretKey(binary)
        }

        /// The whole secret key in ASCII armor, as `gpg --import` reads it.
        ///
        public func armored() -> SecretBytes {
            var text = packets.withUnsafeBytes { Armor.wrap($0, kind: .secretKey) }
            defer { text.wipe() }
            return SecretBytes(copying: text)
        }

        /// A detached signature of `document`, binary (RFC 9580, section 10.4).
        ///
        /// - Parameters:
        ///   - purpose: what the signature is for; whoever verifies it must ask for the same.
        ///   - time: what the signature gives as its creation time; the key must be valid then.
        ///   - hash: SHA-512 with RSA and SHA-256 with other keys, unless stated.
        public func signDetached(
            _ document: some Collection<UInt8>, for purpose: Purpose, at time: Timestamp,
            hash: HashAlgorithm? = nil
        ) throws(OpenPGP.Error) -> [UInt8] {
            try sign(document, purpose, time, hash)
        }

        /// As ``signDetached(_:for:at:hash:)``, for no purpose: for requests of version 1, whose form knows none.
        public func signDetachedWithoutPurpose(
            _ document: some Collection<UInt8>, at time: Timestamp, hash: HashAlgorithm? = nil
        ) throws(OpenPGP.Error) -> [UInt8] {
            try sign(document, nil, time, hash)
        }

        private func sign(
            _ document: some Collection<UInt8>, _ purpose: Purpose?, _ time: Timestamp, _ hash: HashAlgorithm?
        ) throws(OpenPGP.Error) -> [UInt8] {
            let (key, secret) = try signer(at: time)
            let body = try Self.sign(
                type: SignaturePacket.Kind.binary,
                hashed: Subpackets.issuer(key.fingerprint) + Subpackets.creation(time)
                    + (purpose.map(Subpackets.purpose) ?? []),
                hash: hash ?? Self.defaultHash(key), key: key, secret: secret
            ) { $0.update(document) }
            return PacketReader.write(.signature, body)
        }

        /// As ``signDetachedWithoutPurpose(_:at:hash:)``, in ASCII armor.
        public func signDetachedWithoutPurposeArmored(
            _ document: some Collection<UInt8>, at time: Timestamp, hash: HashAlgorithm? = nil
        ) throws(OpenPGP.Error) -> String {
            let signature = try signDetachedWithoutPurpose(document, at: time, hash: hash)
            return String(decoding: Armor.wrap(signature, kind: .signature), as: UTF8.self)
        }

        /// The key that signs at `time`.
        func signer(at time: Timestamp) throws(OpenPGP.Error) -> (PublicKey, SExpression) {
            guard (0...Int64(UInt32.max)).contains(time.seconds) else { throw .unsuitableTimeOrName }
            var fault: OpenPGP.Error?
            for component in try certificate.signingKeys(at: time) {
                if let secret = secrets[component.key.fingerprint] { return (component.key, secret) }
                fault = fault ?? unusable[component.key.fingerprint]
            }
            throw fault ?? .noSecretKey(certificate.fingerprint)
        }

        static func defaultHash(_ key: PublicKey) -> HashAlgorithm {
            key.rsaBits == nil ? .sha256 : .sha512
        }
    }
}

extension OpenPGP.SecretKey {
    /// The body of a signature packet of this `type`, over what `feed` gives to the digest.
    static func sign(
        type: UInt8, hashed: [UInt8], hash: OpenPGP.HashAlgorithm, key: OpenPGP.PublicKey,
        secret: SExpression,
        feed: (borrowing DigestState) -> Void
    ) throws(OpenPGP.Error) -> [UInt8] {
        let prefix =
            [4, type, key.algorithm, hash.rawValue] + OpenPGP.bigEndian(hashed.count).suffix(2) + hashed
        let state = DigestState(hash.digest)
        feed(state)
        state.update(prefix + [4, 0xff] + OpenPGP.bigEndian(prefix.count))
        let digest = state.digest()
        let unhashed = OpenPGP.Subpackets.write(16, key.fingerprint.bytes.suffix(8))
        let value = try signatureValue(digest, hash.digest, key: key, secret: secret)
        return prefix + OpenPGP.bigEndian(unhashed.count).suffix(2) + unhashed + digest.prefix(2) + value
    }

    /// The algorithm-specific fields of a signature over `digest` (RFC 9580, section 5.2.3).
    static func signatureValue(
        _ digest: [UInt8], _ hash: DigestState.Algorithm, key: OpenPGP.PublicKey, secret: SExpression
    ) throws(OpenPGP.Error) -> [UInt8] {
        let format: String
        switch try key.material.get() {
        case .rsa: format = "(data(flags pkcs1)(hash \(hash.libraryName) %b))"
        case .eddsa: format = "(data(flags eddsa)(hash-algo sha512)(value %b))"
        // A nonce derived from key and digest: no generator whose failure would give the key away.
        case .ecdsa: format = "(data(flags rfc6979)(hash \(hash.libraryName) %b))"
        }
        let signature: SExpression
        do throws(CryptoError) {
            signature = try secret.sign(SExpression(format, [digest[...]]))
        } catch {
            throw .library(error)
        }
        let names = key.rsaBits == nil ? ["r", "s"] : ["s"]
        let numbers = names.compactMap(signature.value)
        guard numbers.count == names.count else { throw .malformedSecretKey(key.fingerprint) }
        if key.algorithm == OpenPGP.PublicKeyAlgorithm.ed25519 {
            return numbers.flatMap { $0 }
        }
        return numbers.flatMap { OpenPGP.mpi($0) }
    }

    /// The sum of all bytes modulo 65,536 (RFC 9580, section 5.5.3).
    fileprivate static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let sum = bytes.reduce(UInt16(0)) { $0 &+ UInt16($1) }
        return [UInt8(sum >> 8), UInt8(sum & 0xff)]
    }
}

extension OpenPGP.SecretKey {
    /// What stands in a transferable secret key. Holds no slice of what it was read from.
    private struct Contents {
        var publicPackets: [UInt8] = []
        var secrets: [OpenPGP.Fingerprint: SExpression] = [:]
        var unusable: [OpenPGP.Fingerprint: OpenPGP.Error] = [:]

        init(_ binary: ArraySlice<UInt8>) throws(OpenPGP.Error) {
            var reader = OpenPGP.PacketReader(binary)
            var keys = 0
            while let packet = try reader.next() {
                switch packet.tag {
                case .secretKey, .secretSubkey:
                    if packet.tag == .secretKey { keys += 1 }
                    var body = OpenPGP.ByteReader(packet.body)
                    let key = try OpenPGP.PublicKey(&body)
                    let tag = packet.tag == .secretKey ? OpenPGP.PacketTag.publicKey : .publicSubkey
                    publicPackets += OpenPGP.PacketReader.write(tag, key.body)
                    do throws(OpenPGP.Error) {
                        secrets[key.fingerprint] = try Self.secret(&body, key)
                    } catch {
                        if case .malformedSecretKey = error { throw error }
                        unusable[key.fingerprint] = error
                    }
                case .publicKey where keys == 0: throw .mistake(.publicKey)
                default: publicPackets += packet.bytes
                }
            }
            guard keys == 1 else { throw .notExactlyOneKey(found: keys) }
        }

        /// The secret numbers after the public part of a key (RFC 9580, section 5.5.3), in libgcrypt's form.
        private static func secret(
            _ reader: inout OpenPGP.ByteReader, _ key: OpenPGP.PublicKey
        ) throws(OpenPGP.Error) -> SExpression {
            let usage = try reader.byte()
            guard usage == 0 else {
                // GnuPG's mark of a secret key that is elsewhere: string-to-key type 101.
                let rest = reader.rest
                if usage >= 254, rest.dropFirst().first == 101 { throw .noSecretKey(key.fingerprint) }
                throw .passphraseProtected(key.fingerprint)
            }
            let material = try key.material.get()
            let numbers = reader.rest.dropLast(2)
            guard reader.rest.suffix(2).elementsEqual(checksum(numbers)) else {
                throw .malformedSecretKey(key.fingerprint)
            }
            var fields = OpenPGP.ByteReader(numbers)
            var publicFields = OpenPGP.ByteReader(key.body.dropFirst(6))
            let secret: SExpression
            switch material {
            case .rsa:
                let (n, e) = try (
                    publicFields.mpi(maximumBits: 16_384), publicFields.mpi(maximumBits: 16_384)
                )
                let (d, p) = try (fields.mpi(maximumBits: 16_384), fields.mpi(maximumBits: 16_384))
                let (q, u) = try (fields.mpi(maximumBits: 16_384), fields.mpi(maximumBits: 16_384))
                secret = try OpenPGP.expression(
                    "(private-key(rsa(n %b)(e %b)(d %b)(p %b)(q %b)(u %b)))", [n, e, d, p, q, u], secret: true
                )
            case .eddsa(_, let algorithm):
                let isLegacy = algorithm == OpenPGP.PublicKeyAlgorithm.eddsaLegacy
                let point = key.body.suffix(32)
                let seed = try isLegacy ? fields.mpi(maximumBits: 256) : fields.bytes(32)
                var padded = [UInt8](repeating: 0, count: 32 - seed.count) + seed
                defer { padded.wipe() }
                secret = try OpenPGP.expression(
                    "(private-key(ecc(curve Ed25519)(flags eddsa)(q %b)(d %b)))",
                    [[0x40] + point, padded[...]],
                    secret: true)
            case .ecdsa:
                let scalar = try fields.mpi(maximumBits: 256)
                secret = try OpenPGP.expression(
                    "(private-key(ecc(curve \"NIST P-256\")(q %b)(d %b)))", [key.body.suffix(65), scalar],
                    secret: true)
            }
            guard fields.isAtEnd else { throw .malformedSecretKey(key.fingerprint) }
            try check(secret, key)
            return secret
        }

        /// Throws unless a signature by `secret` is one of `key`.
        ///
        /// Signatures by a pair that does not belong together can give the secret half away, and libgcrypt's own test
        /// of a key does not look at the point of an Ed25519 one.
        private static func check(_ secret: SExpression, _ key: OpenPGP.PublicKey) throws(OpenPGP.Error) {
            let digest = SHA256.hash(key.fingerprint.bytes)
            do throws(OpenPGP.Error) {
                let value = try signatureValue(digest, .sha256, key: key, secret: secret)
                try key.verify(value[...], digest: digest, hash: .sha256)
            } catch {
                throw .malformedSecretKey(key.fingerprint)
            }
        }
    }
}
