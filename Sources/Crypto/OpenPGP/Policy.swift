extension OpenPGP {
    /// What is believed: every rule of this room, under its number in `docs/security/pitfalls.md`. The files of packets only
    /// take bytes apart, ``PublicKey`` computes; here is decided.
    ///
    /// The verdict on a signature is ``checkForm(_:for:)``, the mathematics, then ``checkTime(_:made:now:)``, then the
    /// life of the certificate (``ComponentKey/checkAlive(made:now:)`` of the primary key) and the right of the key
    /// (``ComponentKey/checkMaySign(made:now:)``).
    enum Policy {
        // MARK: 42, numbers of RSA keys (RFC 9580, section 12.4)

        /// Smaller keys are refused.
        static let minimumRSABits = 2048
        /// Smaller keys are accepted with a warning.
        static let recommendedRSABits = 3072
        /// Larger keys only serve to keep a verifier busy.
        static let maximumRSABits = 8192

        /// What is wrong with an RSA public key. Its exponent may be small, as GnuPG's was until 2006: PKCS #1 padding is
        /// compared as a whole. It may not be large: that only costs time.
        static func weakness(modulus: ArraySlice<UInt8>, exponent: ArraySlice<UInt8>) -> String? {
            let bits = PublicKey.bitCount(modulus)
            guard bits >= minimumRSABits else { return "RSA of \(bits) bits" }
            guard bits <= maximumRSABits else { return "RSA of \(bits) bits, which takes too long" }
            guard (modulus.last ?? 0) & 1 == 1 else { return "an even RSA modulus" }
            guard (exponent.last ?? 0) & 1 == 1, (2...32).contains(PublicKey.bitCount(exponent)) else {
                return "its RSA exponent is even, or not between 3 and 2^32"
            }
            return nil
        }

        // MARK: 136, what reading may cost

        /// What verifying the self-signatures of one certificate may cost, in microseconds (``PublicKey/verificationCost``).
        static let certificateCost = 100_000
        /// The same of all certificates that are read at once.
        static let fileCost = 500_000

        // MARK: 49 and 50, who signed

        /// The one key that the signature names, as a hint where to look: a matching key ID is no reason to trust. Others
        /// take the first of several names for the signer, wherever they look first; so there may be one.
        static func checkSigner(_ signature: SignaturePacket) throws(Error) {
            guard signature.issuers.count == 1 else {
                throw .malformedPacket("a signature that names two signers")
            }
        }

        // MARK: 39, 41, 45, 131, what the signature of a document says of itself

        /// Throws unless `signature` is of a binary document, for `purpose`, over SHA-2, and says nothing that must be
        /// understood and is not.
        ///
        /// - Returns: its hash algorithm, and when it was made.
        static func checkForm(
            _ signature: SignaturePacket, for purpose: Purpose?
        ) throws(Error) -> (hash: HashAlgorithm, made: Timestamp) {
            guard signature.type == SignaturePacket.Kind.binary else {
                throw .wrongSignatureType(signature.type)
            }
            try checkPurpose(signature.subpackets.purposes, purpose)
            let hash = try trusted(signature.hash)
            if let fault = signature.formFault { throw fault }
            guard let made = signature.subpackets.creationTime else { throw .missingCreationTime }
            return (hash, made)
        }

        /// Throws unless `notations`, all those of the name, say that a signature was made for `purpose`; nil: for none,
        /// and not for any either.
        private static func checkPurpose(
            _ notations: [Subpackets.PurposeNotation], _ purpose: Purpose?
        ) throws(Error) {
            guard let notation = notations.first else {
                guard let purpose else { return }
                throw .missingPurpose(wanted: purpose)
            }
            guard notations.count == 1 else { throw .malformedPurpose("it stands there more than once") }
            guard notation.isHashed else { throw .malformedPurpose("it stands outside of what is signed") }
            // With the critical bit, gpg calls the signature a bad one.
            guard !notation.isCritical else { throw .malformedPurpose("it is marked as critical") }
            guard notation.flags == Subpackets.humanReadable else {
                throw .malformedPurpose("its notation is not plain text")
            }
            guard let purpose, notation.value.elementsEqual(purpose.rawValue.utf8) else {
                let found = String(decoding: notation.value.prefix(64), as: UTF8.self).escapingControls
                throw .wrongPurpose(found: found, wanted: purpose)
            }
        }

        /// The algorithm, if documents may be signed over it.
        static func trusted(_ hash: StatedHash) throws(Error) -> HashAlgorithm {
            if let algorithm = HashAlgorithm(rawValue: hash.id) { return algorithm }
            throw hash.weakName.map { .weakHash($0) } ?? .unsupportedHash(hash.id)
        }

        // MARK: 55, when the signature was made

        /// The latest time that is not in the future at `now`: the clocks of signer and verifier differ.
        static func latest(_ now: Timestamp) -> Timestamp { now.advanced(by: Certificate.clockSkew) }

        /// Throws if the signature is from the future, or has ended by its own words.
        static func checkTime(
            _ signature: SignaturePacket, made: Timestamp, now: Timestamp
        ) throws(Error) {
            guard made <= OpenPGP.Policy.latest(now) else { throw .signatureFromTheFuture(made) }
            if let end = signature.expirationTime, end <= now { throw .signatureExpired(end) }
        }

        // MARK: 54, what an owner says of a key over which hash

        /// The digest to check an owner's statement with. A broken hash may forbid, never allow: over one, a revocation
        /// counts, since a forged one does no more than end a key, and a declaration narrows what another one allows.
        static func digest(ofStatement hash: StatedHash) throws(Error) -> DigestState.Algorithm {
            let stated = DigestState.Algorithm(rawValue: hash.id)
            if hash.weakName != nil, let stated, stated.isAvailable { return stated }
            return try trusted(hash).digest
        }

        /// Why a signature by a subkey does not show that its holder agreed to a binding (52); nil if it does.
        static func backSignatureFault(_ signature: SignaturePacket, _ subkey: PublicKey) -> Error? {
            if let hash = signature.hash.weakName {
                return .weakSelfSignature(subkey.fingerprint, hash: hash)
            }
            guard signature.formFault == nil, let made = signature.subpackets.creationTime,
                made >= subkey.creationTime,
                // One that ends would need watching; nobody makes them.
                signature.expirationTime == nil
            else { return .noBackSignature(subkey.fingerprint) }
            return nil
        }
    }
}

extension OpenPGP.ComponentKey {
    // MARK: 53 and 54, what holds of what the owner declared

    /// The declarations that hold at `now`. What one of them forbids, no other allows.
    ///
    /// Of those by names or a binding, and of direct ones, the newest over SHA-2; and the newest over a broken hash, where
    /// it is newer. One that cannot be gone by takes the place of older ones all the same: it may have been the key's end.
    func current(at now: OpenPGP.Timestamp) -> [Declaration] {
        [true, false].flatMap { isDirect in
            let standing = declarations.filter {
                $0.isDirect == isDirect && $0.created <= OpenPGP.Policy.latest(now)
                    && $0.expires.map { $0 > now } ?? true && stands($0)
            }
            let strong = standing.first { $0.weakHash == nil }
            let weak = standing.first { declaration in
                declaration.weakHash != nil && strong.map { declaration.created >= $0.created } ?? true
            }
            return [strong, weak].compactMap { $0 }
        }
    }

    /// Whether the name that it is about has not been revoked since.
    func stands(_ declaration: Declaration) -> Bool {
        guard let name = declaration.name, let revoked = revokedNames[name] else { return true }
        return declaration.created > revoked
    }

    /// When the key ends by all that holds at `now`; nil if never.
    func expirationTime(at now: OpenPGP.Timestamp) -> OpenPGP.Timestamp? {
        current(at: now).compactMap(\.keyExpires).min()
    }

    /// Throws unless this key is alive at `now`, and was not revoked before `made` (53, 55).
    ///
    /// - Returns: the declarations that say so.
    @discardableResult
    func checkAlive(
        made: OpenPGP.Timestamp, now: OpenPGP.Timestamp
    ) throws(OpenPGP.Error) -> [Declaration] {
        _ = try key.material.get()
        for revocation in revocations where revocation.isHard || revocation.created <= made {
            throw .keyRevoked(key.fingerprint)
        }
        guard key.creationTime <= OpenPGP.Policy.latest(now) else { throw .keyFromTheFuture(key.fingerprint) }
        let current = current(at: now)
        if let fault = current.compactMap(\.fault).first { throw fault }
        // A mere end of the key vouches for nothing, nor does a broken hash.
        guard current.contains(where: { $0.weakHash == nil && !($0.isDirect && $0.flags == nil) }) else {
            if let hash = current.compactMap(\.weakHash).first {
                throw .weakSelfSignature(key.fingerprint, hash: hash)
            }
            throw fault ?? .noSelfSignature(key.fingerprint)
        }
        if let end = current.compactMap(\.keyExpires).min(), end <= max(now, made) {
            throw .keyExpired(key.fingerprint, at: end)
        }
        return current
    }

    // MARK: 51 and 52, which key may sign

    /// Throws unless this key may have signed a document at `made`, seen from `now`.
    func checkMaySign(
        made: OpenPGP.Timestamp, now: OpenPGP.Timestamp
    ) throws(OpenPGP.Error) {
        let current = try checkAlive(made: made, now: now)
        // Flags that are nowhere allow nothing, and those over a broken hash only take away.
        let speaking = current.filter { $0.flags != nil }
        guard speaking.contains(where: { $0.weakHash == nil }), speaking.allSatisfy(\.flagsAllowSigning)
        else {
            throw .keyCannotSign(key.fingerprint)
        }
        if let fault = current.compactMap(\.signingFault).first { throw fault }
        guard key.creationTime <= made else { throw .signatureOlderThanKey(key.fingerprint) }
    }

    /// Whether the owner ever said that this key signs: what is wrong with such a key is the reason to name.
    var isMeantToSign: Bool { declarations.contains(where: \.flagsAllowSigning) }
}
