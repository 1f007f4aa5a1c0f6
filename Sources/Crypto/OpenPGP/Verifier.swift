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
        /// The seconds by which a signature or a key may be dated in the future.
        public let clockSkew: Int64
        private let candidates: [KeyID: [Candidate]]

        /// A key that may have signed, with the primary key that answers for it.
        private struct Candidate: Sendable {
            let primary: ComponentKey
            let component: ComponentKey
        }

        /// The most bytes that are read as signatures of one document.
        public static let sizeLimit = 1 << 18
        /// The most signatures of one release that are looked at.
        public static let signatureLimit = 64

        /// A verifier that trusts `certificates`, and no others.
        ///
        /// - Parameter clockSkew: the seconds by which a signature or a key may be dated in the future.
        public init(certificates: [Certificate], clockSkew: Int64 = Certificate.clockSkew) {
            self.certificates = certificates
            self.clockSkew = clockSkew
            // Two copies of one certificate count as one: what either of them says, such as a revocation, holds.
            var merged = [(primary: ComponentKey, subkeys: [ComponentKey])]()
            for certificate in certificates {
                let known = merged.firstIndex { $0.primary.key.fingerprint == certificate.fingerprint }
                let place = known ?? merged.endIndex
                if known == nil { merged.append((certificate.primary, [])) }
                merged[place].primary.merge(certificate.primary)
                for subkey in certificate.subkeys { Self.merge(subkey, into: &merged[place].subkeys) }
            }
            // A subkey of two certificates is the first one's, so that the order of the certificates decides and nothing
            // else. Two keys may have one ID: both are tried.
            var candidates = [KeyID: [Candidate]]()
            for (primary, subkeys) in merged {
                for component in [primary] + subkeys {
                    candidates[component.key.fingerprint.keyID, default: []]
                        .append(Candidate(primary: primary, component: component))
                }
            }
            self.candidates = candidates
        }

        private static func merge(_ subkey: ComponentKey, into subkeys: inout [ComponentKey]) {
            if let place = subkeys.firstIndex(where: { $0.key.fingerprint == subkey.key.fingerprint }) {
                subkeys[place].merge(subkey)
            } else {
                subkeys.append(subkey)
            }
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
            let parsed = try SignaturePacket(packets[0].body)
            var digests = DocumentDigests(document, signatures: 1)
            return try verify(parsed, &digests, for: purpose, at: now)
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
            try verifyAll(signatures, of: document, for: purpose, threshold: threshold, at: now)
        }

        /// As ``verifyRelease(signatures:of:for:threshold:at:)``; nil: for no purpose.
        func verifyAll(
            _ signatures: [UInt8], of document: some Collection<UInt8>, for purpose: Purpose?,
            threshold: Int, at now: Timestamp
        ) throws(OpenPGP.Error) -> [VerifiedSignature] {
            let packets = try Self.signaturePackets(signatures)
            guard packets.count <= Self.signatureLimit else {
                throw .malformedPacket("more than \(Self.signatureLimit) signatures")
            }
            var digests = DocumentDigests(document, signatures: packets.count)
            var verified = [VerifiedSignature]()
            var ignored: OpenPGP.Error?
            for packet in packets {
                do throws(OpenPGP.Error) {
                    let found = try verify(
                        SignaturePacket(packet.body), &digests, for: purpose, at: now)
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
                    switch packet.tag {
                    case .signature: packets.append(packet)
                    case .compressedData: throw .compressedMessage
                    default:
                        if packet.tag.mayBeIgnored { continue }
                        throw packet.tag.isEncryption ? .encryptedMessage : .unexpectedPacket(packet.tag)
                    }
                }
            }
            return packets
        }

        /// Verifies one signature of the document that `digests` hashes.
        func verify<Document>(
            _ signature: SignaturePacket, _ digests: inout DocumentDigests<Document>, for purpose: Purpose?,
            at now: Timestamp
        ) throws(OpenPGP.Error) -> VerifiedSignature {
            let issuers = signature.issuers
            guard let named = issuers.first else { throw .missingIssuer }
            let candidates = issuers.flatMap { self.candidates[$0] ?? [] }
            guard !candidates.isEmpty else { throw .unknownSigner(keyID: named.description) }
            try Policy.checkSigner(signature)
            let (hash, made) = try Policy.checkForm(signature, for: purpose)

            let digest = digests.finish(signature, hash)
            var fault: OpenPGP.Error?
            for candidate in candidates {
                do throws(OpenPGP.Error) {
                    // Mathematics first: what is said about a key is then said to the one who holds it.
                    try candidate.component.key.verify(signature, digest: digest, hash: hash.digest)
                    try Policy.checkTime(signature, made: made, now: now, skew: clockSkew)
                    try candidate.primary.checkAlive(made: made, now: now, skew: clockSkew)
                    try candidate.component.checkMaySign(made: made, now: now, skew: clockSkew)
                    return VerifiedSignature(
                        certificate: candidate.primary.key.fingerprint,
                        signingKey: candidate.component.key.fingerprint, creationTime: made, hash: hash)
                } catch {
                    if fault == nil || fault == .badSignature { fault = error }
                }
            }
            throw fault ?? .badSignature
        }
    }

    /// One document under each hash algorithm that its signatures use, hashed once for each.
    struct DocumentDigests<Document: Collection<UInt8>> {
        private let document: Document
        private let isShared: Bool
        private var hashed: [HashAlgorithm: HashedDocument] = [:]

        private final class HashedDocument {
            let state: DigestState

            init(_ document: Document, _ hash: HashAlgorithm) {
                state = DigestState(hash.digest)
                state.update(document)
            }
        }

        init(_ document: Document, signatures: Int) {
            self.document = document
            isShared = signatures > 1
        }

        /// The digest of the document and of what `signature` adds to it.
        mutating func finish(_ signature: SignaturePacket, _ hash: HashAlgorithm) -> [UInt8] {
            if !isShared { return signature.digest(of: document, hash.digest) }
            let base = hashed[hash] ?? HashedDocument(document, hash)
            hashed[hash] = base
            return signature.finish(base.state.copy())
        }
    }
}
