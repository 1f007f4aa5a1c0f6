import PDSecrets

extension OpenPGP {
    /// Who made a signature, when, and over which digest.
    public struct VerifiedSignature: Hashable, Sendable {
        /// The trusted certificate, by its primary key.
        public let certificate: Fingerprint
        /// The key of the certificate that signed: the primary key or a subkey.
        public let signingKey: Fingerprint
        /// When the signature says that it was made.
        public let creationTime: Timestamp
        /// The hash algorithm.
        public let hash: HashAlgorithm
    }

    /// Verifies signatures of documents against the certificates that are trusted for one purpose.
    ///
    /// Holds no state but the certificates: one verifier may serve any number of threads at once.
    ///
    /// A signature is believed if its key belongs to one of the certificates, is allowed to sign, is bound to the
    /// certificate by its owner, and is neither revoked nor expired now; and if the signature itself is of a binary
    /// document, over SHA-2, not expired, and not dated in the future.
    public struct Verifier: Sendable {
        /// The certificates that are trusted.
        public let certificates: [Certificate]
        /// Keys that may have signed, each with the primary key that answers for it.
        private let candidates: [KeyID: [(primary: ComponentKey, component: ComponentKey)]]

        /// The most bytes that are read as signatures of one document.
        public static let sizeLimit = 1 << 18
        /// The most signatures of one release that are looked at.
        public static let signatureLimit = 64

        /// A verifier that trusts `certificates`, and no others.
        public init(certificates: [Certificate]) {
            self.certificates = certificates
            // Two copies of one certificate count as one: what either of them says, such as a revocation, holds.
            var primaries: [ComponentKey] = []
            var subkeys: [[ComponentKey]] = []
            for certificate in certificates {
                let place = Self.merge(certificate.primary, into: &primaries)
                if place == subkeys.count { subkeys.append([]) }
                for subkey in certificate.subkeys { _ = Self.merge(subkey, into: &subkeys[place]) }
            }
            // A subkey of two certificates is the first one's, so that the order of the certificates decides and nothing
            // else. Two keys may have one ID: both are tried.
            var candidates: [KeyID: [(primary: ComponentKey, component: ComponentKey)]] = [:]
            for (primary, subkeys) in zip(primaries, subkeys) {
                for component in [primary] + subkeys {
                    candidates[component.key.fingerprint.keyID, default: []].append((primary, component))
                }
            }
            self.candidates = candidates
        }

        /// Adds `key` to what `keys` know of it, or to their end. Returns its place.
        private static func merge(_ key: ComponentKey, into keys: inout [ComponentKey]) -> Int {
            if let place = keys.firstIndex(where: { $0.key.fingerprint == key.key.fingerprint }) {
                keys[place].merge(key)
                return place
            }
            keys.append(key)
            return keys.count - 1
        }

        /// Verifies exactly one detached signature, armored or binary, of `document`.
        ///
        /// - Parameters:
        ///   - signature: at most ``sizeLimit`` bytes, with no packet in them but the signature.
        ///   - document: the bytes that were signed; the ones to use after this returns.
        ///   - purpose: what the signature must have been made for.
        ///   - now: the time at which keys and signature must hold.
        /// - Throws: the first reason to refuse.
        public func verify(
            signature: [UInt8], of document: some Collection<UInt8>, for purpose: Purpose, at now: Timestamp
        ) throws(OpenPGP.Error) -> VerifiedSignature {
            try verifyOne(signature, document, purpose, now)
        }

        /// As ``verify(signature:of:for:at:)``, of what has no purpose: requests of version 1, whose form knows none.
        ///
        /// A signature that was made for some purpose is refused. Nothing that is verified so may be obeyed.
        public func verifyWithoutPurpose(
            signature: [UInt8], of document: some Collection<UInt8>, at now: Timestamp
        ) throws(OpenPGP.Error) -> VerifiedSignature {
            try verifyOne(signature, document, nil, now)
        }

        private func verifyOne(
            _ signature: [UInt8], _ document: some Collection<UInt8>, _ purpose: Purpose?, _ now: Timestamp
        ) throws(OpenPGP.Error) -> VerifiedSignature {
            let packets = try Self.signaturePackets(signature)
            guard packets.count == 1 else { throw .notExactlyOneSignature(found: packets.count) }
            return try verifyAll(packets, document, purpose, threshold: 1, now)[0]
        }

        /// Verifies the detached signatures of a release file.
        ///
        /// Signatures by keys that are not trusted are passed over. Each one that names a trusted key must verify,
        /// or the file is refused. A certificate counts once, however often and with whichever subkeys it signed.
        ///
        /// - Parameters:
        ///   - purpose: what each of these signatures must have been made for.
        ///   - threshold: how many different trusted certificates must have signed, at least 1.
        /// - Returns: one signature of each certificate that signed, in the order of the file.
        public func verifyRelease(
            signatures: [UInt8], of document: some Collection<UInt8>, for purpose: Purpose,
            threshold: Int = 1, at now: Timestamp
        ) throws(OpenPGP.Error) -> [VerifiedSignature] {
            try verifyAll(Self.signaturePackets(signatures), document, purpose, threshold: threshold, now)
        }

        /// Verifies `signatures` of `document`, of which at least one has to count; nil: for no purpose.
        func verifyAll<Document: Collection<UInt8>>(
            _ signatures: [Packet], _ document: Document, _ purpose: Purpose?, threshold: Int,
            _ now: Timestamp
        ) throws(OpenPGP.Error) -> [VerifiedSignature] {
            guard signatures.count <= Self.signatureLimit else {
                throw .malformedPacket("more than \(Self.signatureLimit) signatures")
            }
            // Hashed once for each algorithm.
            var hashed: [HashAlgorithm: HashedDocument] = [:]
            func digest(_ signature: SignaturePacket, _ hash: HashAlgorithm) -> [UInt8] {
                if signatures.count == 1 { return signature.digest(of: document, hash.digest) }
                let base = hashed[hash] ?? HashedDocument(document, hash.digest)
                hashed[hash] = base
                return signature.finish(base.state.copy())
            }
            var verified = [VerifiedSignature]()
            var ignored: OpenPGP.Error?
            for packet in signatures {
                do throws(OpenPGP.Error) {
                    let found = try verify(SignaturePacket(packet.body), purpose, now, digest)
                    // A key that two certificates share is one key all the same.
                    if !verified.contains(where: {
                        $0.certificate == found.certificate || $0.signingKey == found.signingKey
                    }) {
                        verified.append(found)
                    }
                } catch {
                    switch error {
                    case .unknownSigner, .missingIssuer, .unsupportedSignatureVersion:
                        ignored = ignored ?? error
                    default: throw error
                    }
                }
            }
            if verified.isEmpty, let ignored { throw ignored }
            let need = max(threshold, 1)
            guard verified.count >= need else { throw .thresholdNotReached(have: verified.count, need: need) }
            return verified
        }

        /// The signature packets of a detached signature, binary or in any number of armored blocks. Beside them nothing
        /// may stand but what says nothing.
        static func signaturePackets(_ bytes: [UInt8]) throws(OpenPGP.Error) -> [Packet] {
            var packets = [Packet]()
            for block in try Armor.blocks(bytes, kind: .signature, limit: sizeLimit) {
                var reader = PacketReader(block[...])
                while let packet = try reader.next() {
                    if packet.tag == .signature {
                        packets.append(packet)
                    } else if !packet.tag.mayBeIgnored {
                        throw packet.tag.fault(orElse: .unexpectedPacket(packet.tag))
                    }
                }
            }
            return packets
        }

        /// Verifies one signature of the document that `digest` hashes.
        private func verify(
            _ signature: SignaturePacket, _ purpose: Purpose?, _ now: Timestamp,
            _ digest: (SignaturePacket, HashAlgorithm) -> [UInt8]
        ) throws(OpenPGP.Error) -> VerifiedSignature {
            let issuers = signature.issuers
            guard let named = issuers.first else { throw .missingIssuer }
            let candidates = issuers.flatMap { self.candidates[$0] ?? [] }
            guard !candidates.isEmpty else { throw .unknownSigner(keyID: BaseN.upperHexadecimal.text(named)) }
            try Policy.checkSigner(signature)
            let (hash, made) = try Policy.checkForm(signature, for: purpose)

            let digest = digest(signature, hash)
            var fault: OpenPGP.Error?
            for candidate in candidates {
                do throws(OpenPGP.Error) {
                    // Mathematics first: what is said about a key is then said to the one who holds it.
                    let key = candidate.component.key
                    try OpenPGP.verify(signature, by: key, digest: digest, hash: hash.digest)
                    try Policy.checkTime(signature, made: made, now: now)
                    try candidate.primary.checkAlive(made: made, now: now)
                    try candidate.component.checkMaySign(made: made, now: now)
                    return VerifiedSignature(
                        certificate: candidate.primary.key.fingerprint,
                        signingKey: key.fingerprint, creationTime: made, hash: hash)
                } catch {
                    if fault == nil || fault == .badSignature { fault = error }
                }
            }
            throw fault ?? .badSignature
        }
    }

    /// A document under one hash algorithm, to be copied for each of its signatures.
    private final class HashedDocument {
        let state: DigestState

        init(_ document: some Collection<UInt8>, _ algorithm: DigestState.Algorithm) {
            state = DigestState(algorithm)
            state.update(document)
        }
    }
}
