import PDSecrets

extension OpenPGP {
    /// A transferable secret key (RFC 9580, section 10.2) without passphrase, to sign with.
    ///
    /// The secret numbers lie in libgcrypt's secure memory, which is wiped when the last copy of this value is gone.
    public struct SecretKey: DetachedSigner {
        /// The public half.
        public let certificate: Certificate

        private let keys: SecretPackets
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
            let contents = Result { () throws(OpenPGP.Error) in try SecretPackets(binary[...]) }
            packets = SecretBytes(copying: binary)
            binary.wipe()
            keys = try contents.get()
            certificate = try Certificate(keys.publicPackets)
            if keys.secrets.isEmpty {
                throw keys.unusable[certificate.fingerprint] ?? .noSecretKey(certificate.fingerprint)
            }
        }

        /// A new Ed25519 key (RFC 8032, as algorithm 22) that may certify and sign, with one user ID.
        ///
        /// - Parameters:
        ///   - userID: plain text, such as `penguindome-server`.
        ///   - time: the key's creation time.
        ///   - validity: seconds until it expires, nil for never.
        ///   - random: gives the secret number.
        public static func generate(
            userID: String, at time: Timestamp, validity: Int64?,
            random: some RandomSource = SecureRandom(.longTermKey)
        ) throws(OpenPGP.Error) -> SecretKey {
            guard (1...Int64(UInt32.max)).contains(validity ?? 1), UInt32(exactly: time.seconds) != nil,
                !userID.isEmpty, userID.escapingControls == userID
            else { throw .unsuitableTimeOrName }
            let pair = try library { () throws(CryptoError) in
                try Curve25519.Signing.PrivateKey(random: random)
            }
            let point = pair.publicKey.rawRepresentation
            let oid = PublicKeyAlgorithm.ed25519OID
            let publicBody =
                [4] + bigEndian(time.seconds) + [PublicKeyAlgorithm.eddsaLegacy.rawValue, UInt8(oid.count)]
                + oid + mpi([0x40] + point)
            let key = try PublicKey(publicBody[...])
            var number = pair.rawRepresentation.withUnsafeBytes { mpi($0) }
            // Never grown: growing leaves a copy behind.
            var secretBody = [UInt8](), binary = [UInt8]()
            secretBody.reserveCapacity(publicBody.count + number.count + 3)
            secretBody += publicBody + [0]
            secretBody += number
            secretBody += checksum(number[...])
            var secretPacket = packet(.secretKey, secretBody)
            defer {
                number.wipe()
                secretBody.wipe()
                secretPacket.wipe()
                binary.wipe()
            }
            var hashed = Subpackets.issuer(key.fingerprint) + Subpackets.creation(time)
            hashed += Subpackets.write(27, [0x03])
            if let validity { hashed += Subpackets.write(9, bigEndian(validity)) }
            // AES-256, 192, 128; SHA-512, 384, 256; no compression; modification detection.
            hashed += Subpackets.write(11, [9, 8, 7]) + Subpackets.write(21, [10, 9, 8])
            hashed += Subpackets.write(22, [0]) + Subpackets.write(30, [1])
            let name = Array(userID.utf8)
            let secret = try SecretPackets.secret(secretBody.dropFirst(publicBody.count), key)
            let named = hashedKey(publicBody[...]) + [0xb4] + bigEndian(name.count) + name
            let certification = try signature(0x13, of: named, hashed, .sha512, key, secret)
            let rest = packet(.userID, name) + packet(.signature, certification)
            binary.reserveCapacity(secretPacket.count + rest.count)
            binary += secretPacket
            binary += rest
            return try SecretKey(binary)
        }

        /// The whole secret key in ASCII armor, as `gpg --import` reads it.
        public func armored() -> SecretBytes {
            var text = packets.withUnsafeBytes { Armor.wrap($0, kind: .secretKey) }
            defer { text.wipe() }
            return SecretBytes(copying: text)
        }

        /// A detached signature of `document`, binary, over SHA-512 with RSA and SHA-256 with other keys.
        ///
        /// - Parameter now: what the signature gives as its creation time.
        public func detachedSignature(
            of document: some Collection<UInt8>, for purpose: Purpose, at now: Timestamp
        ) throws(OpenPGP.Error) -> [UInt8] {
            try sign(document, for: purpose, at: now)
        }

        /// As ``detachedSignature(of:for:at:)``, for no purpose: for requests of version 1, whose form knows none.
        public func signDetachedWithoutPurpose(
            _ document: some Collection<UInt8>, at now: Timestamp
        ) throws(OpenPGP.Error) -> [UInt8] {
            try sign(document, for: nil, at: now)
        }

        func sign(
            _ document: some Collection<UInt8>, for purpose: Purpose?, at time: Timestamp,
            hash: HashAlgorithm? = nil
        ) throws(OpenPGP.Error) -> [UInt8] {
            guard UInt32(exactly: time.seconds) != nil else { throw .unsuitableTimeOrName }
            let (key, secret) = try signer(at: time)
            let hashed = Subpackets.issuer(key.fingerprint) + Subpackets.creation(time)
            let body = try Self.signature(
                SignaturePacket.Kind.binary, of: document, hashed + (purpose.map(Subpackets.purpose) ?? []),
                hash ?? (key.rsaBits == nil ? .sha256 : .sha512), key, secret)
            return packet(.signature, body)
        }

        /// The key that signs at `time`.
        private func signer(at time: Timestamp) throws(OpenPGP.Error) -> (PublicKey, SExpression) {
            var fault: OpenPGP.Error?
            for component in try certificate.signingKeys(at: time) {
                if let secret = keys.secrets[component.key.fingerprint] { return (component.key, secret) }
                fault = fault ?? keys.unusable[component.key.fingerprint]
            }
            throw fault ?? .noSecretKey(certificate.fingerprint)
        }

        /// The body of a signature packet of this `type`, of `content`, with these subpackets in its hashed area.
        private static func signature(
            _ type: UInt8, of content: some Collection<UInt8>, _ hashed: [UInt8], _ hash: HashAlgorithm,
            _ key: PublicKey, _ secret: SExpression
        ) throws(OpenPGP.Error) -> [UInt8] {
            let prefix =
                [4, type, key.algorithm, hash.rawValue] + bigEndian(hashed.count).suffix(2) + hashed
            let end = [4, 0xff] + bigEndian(prefix.count)
            let digest = DigestState.hash(content, hash.digest, prefix[...], end)
            let unhashed = Subpackets.write(16, key.fingerprint.bytes.suffix(8))
            let value = try signatureValue(digest, hash.digest, key: key, secret: secret)
            return prefix + bigEndian(unhashed.count).suffix(2) + unhashed + digest.prefix(2) + value
        }

        /// The algorithm-specific fields of a signature over `digest` (RFC 9580, section 5.2.3).
        static func signatureValue(
            _ digest: [UInt8], _ hash: DigestState.Algorithm, key: PublicKey, secret: SExpression
        ) throws(OpenPGP.Error) -> [UInt8] {
            let (format, names) =
                switch try key.material.get() {
                case .rsa: ("(data(flags pkcs1)(hash \(hash.libraryName) %b))", ["s"])
                case .eddsa: ("(data(flags eddsa)(hash-algo sha512)(value %b))", ["r", "s"])
                // A nonce derived from key and digest: no generator whose failure would give the key away.
                case .ecdsa: ("(data(flags rfc6979)(hash \(hash.libraryName) %b))", ["r", "s"])
                }
            let signature = try library { () throws(CryptoError) in
                try secret.sign(SExpression(format, [digest[...]]))
            }
            let numbers = names.compactMap(signature.value)
            guard numbers.count == names.count else { throw .malformedSecretKey(key.fingerprint) }
            return key.algorithm == PublicKeyAlgorithm.ed25519.rawValue
                ? numbers.flatMap { $0 } : numbers.flatMap { mpi($0) }
        }

        /// The sum of all bytes modulo 65,536 (RFC 9580, section 5.5.3).
        fileprivate static func checksum(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
            bigEndian(bytes.reduce(0) { $0 + Int($1) }).suffix(2)
        }
    }

    /// What stands in a transferable secret key. Holds no slice of what it was read from.
    private struct SecretPackets: Sendable {
        var publicPackets: [UInt8] = []
        var secrets: [Fingerprint: SExpression] = [:]
        var unusable: [Fingerprint: Error] = [:]

        init(_ binary: ArraySlice<UInt8>) throws(Error) {
            var reader = PacketReader(binary)
            var keys = 0
            while let packet = try reader.next() {
                switch packet.tag {
                case .secretKey, .secretSubkey:
                    if packet.tag == .secretKey { keys += 1 }
                    var body = ByteReader(packet.body)
                    let key = try PublicKey(&body)
                    let tag = packet.tag == .secretKey ? PacketTag.publicKey : .publicSubkey
                    publicPackets += OpenPGP.packet(tag, key.body)
                    do throws(Error) {
                        secrets[key.fingerprint] = try Self.secret(body.rest, key)
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
        static func secret(_ bytes: ArraySlice<UInt8>, _ key: PublicKey) throws(Error) -> SExpression {
            var fields = ByteReader(bytes)
            let usage = try fields.byte()
            guard usage == 0 else {
                // GnuPG's mark of a secret key that is elsewhere: string-to-key type 101.
                let isElsewhere = usage >= 254 && fields.rest.dropFirst().first == 101
                throw isElsewhere ? .noSecretKey(key.fingerprint) : .passphraseProtected(key.fingerprint)
            }
            let material = try key.material.get()
            let numbers = fields.rest.dropLast(2)
            guard fields.rest.suffix(2) == SecretKey.checksum(numbers) else {
                throw .malformedSecretKey(key.fingerprint)
            }
            fields = ByteReader(numbers)
            let secret: SExpression
            switch material {
            case .rsa(_, let n, let e):
                let (d, p, q, u) = try (fields.mpi(), fields.mpi(), fields.mpi(), fields.mpi())
                let format = "(private-key(rsa(n %b)(e %b)(d %b)(p %b)(q %b)(u %b)))"
                secret = try expression(format, [n, e, d, p, q, u], secret: true)
            case .eddsa:
                let isFixed = key.algorithm == PublicKeyAlgorithm.ed25519.rawValue
                let seed = try isFixed ? fields.bytes(32) : fields.mpi(maximumBits: 256)
                var padded = [UInt8](repeating: 0, count: 32 - seed.count) + seed
                defer { padded.wipe() }
                let format = "(private-key(ecc(curve Ed25519)(flags eddsa)(q %b)(d %b)))"
                secret = try expression(format, [[0x40] + key.body.suffix(32), padded[...]], secret: true)
            case .ecdsa:
                let scalar = try fields.mpi(maximumBits: 256)
                let format = "(private-key(ecc(curve \"NIST P-256\")(q %b)(d %b)))"
                secret = try expression(format, [key.body.suffix(65), scalar], secret: true)
            }
            guard fields.isAtEnd else { throw .malformedSecretKey(key.fingerprint) }
            try check(secret, key)
            return secret
        }

        /// Throws unless a signature by `secret` is one of `key`.
        ///
        /// Signatures by a pair that does not belong together can give the secret half away, and libgcrypt's own test
        /// of a key does not look at the point of an Ed25519 one.
        private static func check(_ secret: SExpression, _ key: PublicKey) throws(Error) {
            let digest = SHA256.hash(key.fingerprint.bytes)
            do throws(Error) {
                let value = try SecretKey.signatureValue(digest, .sha256, key: key, secret: secret)
                try verify(value[...], by: key, digest: digest, hash: .sha256)
            } catch {
                throw .malformedSecretKey(key.fingerprint)
            }
        }
    }
}
