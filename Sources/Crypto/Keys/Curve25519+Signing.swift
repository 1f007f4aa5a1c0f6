import CGcrypt
import PDSecrets

extension Curve25519 {
    /// Ed25519 (RFC 8032 section 5.1), pure: the message is not hashed before.
    public enum Signing {
        /// The length of a signature, in bytes.
        public static let signatureByteCount = 64
    }
}

extension Curve25519.Signing {
    /// A private key.
    public struct PrivateKey: Sendable {
        /// The 32-byte seed.
        public let rawRepresentation: SecretBytes
        /// The public half.
        public let publicKey: PublicKey

        /// Makes a new key.
        public init(random: some RandomSource) throws(CryptoError) {
            try self.init(rawRepresentation: SecretBytes(count: Curve25519.keyByteCount, random: random))
        }

        /// Takes a seed of 32 bytes.
        ///
        /// The public key is always computed, never taken from outside: signing the same message under two
        /// public keys gives the private key away.
        public init(rawRepresentation: SecretBytes) throws(CryptoError) {
            try Curve25519.check(keyByteCount: rawRepresentation.count)
            self.rawRepresentation = rawRepresentation
            let seed = try rawRepresentation.withUnsafeBytes { seed throws(CryptoError) in
                try SExpression("(private-key(ecc(curve Ed25519)(flags eddsa)(d %b)))", reading: [seed])
            }
            var context: OpaquePointer?
            try CryptoError.check(gcry_mpi_ec_new(&context, seed.handle, nil))
            defer { gcry_ctx_release(context) }
            guard let point = gcry_mpi_ec_get_mpi("q@eddsa", context, 1) else {
                throw .library(code: GPG_ERR_BROKEN_SECKEY.rawValue)
            }
            defer { gcry_mpi_release(point) }
            var bits: UInt32 = 0
            guard let bytes = gcry_mpi_get_opaque(point, &bits) else {
                throw .library(code: GPG_ERR_BROKEN_SECKEY.rawValue)
            }
            publicKey = try PublicKey(
                rawRepresentation: Array(UnsafeRawBufferPointer(start: bytes, count: Int(bits + 7) / 8)))
        }

        /// Signs `message` as it is, for no purpose: 64 bytes, the same ones each time (RFC 8032 section 5.1.6).
        package func signature(for message: some Collection<UInt8>) throws(CryptoError) -> [UInt8] {
            let key = try rawRepresentation.withUnsafeBytes { seed throws(CryptoError) in
                try publicKey.rawRepresentation.withContiguousBytes { point throws(CryptoError) in
                    try SExpression(
                        "(private-key(ecc(curve Ed25519)(flags eddsa)(q %b)(d %b)))", reading: [point, seed])
                }
            }
            let signature = try key.sign(Curve25519.Signing.data(message))
            guard let r = signature.value("r"), let s = signature.value("s"), r.count == 32, s.count == 32
            else {
                throw .library(code: GPG_ERR_INV_SEXP.rawValue)
            }
            return r + s
        }
    }

    /// A public key.
    public struct PublicKey: Hashable, Sendable {
        /// The encoded point, 32 bytes (RFC 8032 section 5.1.2).
        public let rawRepresentation: [UInt8]

        /// Takes a key of 32 bytes.
        ///
        /// - Throws: ``CryptoError/invalidPublicKey`` for what is no canonical encoding of a point, and for points of
        ///   low order (under which anyone can sign).
        public init(rawRepresentation: some Collection<UInt8>) throws(CryptoError) {
            try Curve25519.check(keyByteCount: rawRepresentation.count)
            self.rawRepresentation = Array(rawRepresentation)
            guard try EdwardsPoint.isUsableAsKey(self.rawRepresentation) else { throw .invalidPublicKey }
        }

        /// Whether `signature` was made over `message` with the private half of this key.
        ///
        /// Signatures whose S is not below the group order are refused (RFC 8032 section 5.1.7): without
        /// that, anyone could make a second valid signature out of one.
        ///
        /// - Throws: where libgcrypt fails for a reason that lies neither in the key nor in the signature.
        package func isValidSignature(
            _ signature: some Collection<UInt8>, for message: some Collection<UInt8>
        ) throws(CryptoError) -> Bool {
            guard signature.count == Curve25519.Signing.signatureByteCount else { return false }
            let r = Array(signature.prefix(32))
            let s = Array(signature.suffix(32))
            guard EdwardsPoint.isBelowGroupOrder(s) else { return false }
            let key = try SExpression(
                "(public-key(ecc(curve Ed25519)(flags eddsa)(q %b)))", [rawRepresentation[...]])
            let value = try SExpression("(sig-val(eddsa(r %b)(s %b)))", [r[...], s[...]])
            let data = try Curve25519.Signing.data(message)
            let verdict = gcry_pk_verify(value.handle, data.handle, key.handle)
            if gcry_err_code(verdict) == GPG_ERR_BAD_SIGNATURE { return false }
            try CryptoError.check(verdict)
            return true
        }
    }

    /// The message as libgcrypt takes it. It has no form for an empty atom: a bare `(value)` stands for that.
    private static func data(_ message: some Collection<UInt8>) throws(CryptoError) -> SExpression {
        guard message.count > 0 else {
            return try SExpression("(data(flags eddsa)(hash-algo sha512)(value))", [])
        }
        guard message.count <= Int32.max else { throw .byteCount(of: .message, message.count) }
        return try message.withContiguousBytes { message throws(CryptoError) in
            try SExpression("(data(flags eddsa)(hash-algo sha512)(value %b))", reading: [message])
        }
    }
}
