extension OpenPGP {
    /// A transferable public key (RFC 9580, section 10.1): a primary key, the names of its owner, subkeys, and the
    /// owner's signatures that hold them together.
    ///
    /// Reading one checks those signatures once. It succeeds for every well-formed key; whether the key is fit for
    /// use, at which time, is what ``problem(at:)`` and the verification tell.
    public struct Certificate: Sendable {
        /// The packets of this certificate as they were read, without armor.
        public let bytes: [UInt8]
        /// The user IDs that the primary key signed for, in the order of the file, with control characters escaped.
        public let userIDs: [String]

        let primary: ComponentKey
        let subkeys: [ComponentKey]

        /// The most bytes that are read as certificates.
        public static let sizeLimit = 4 << 20
        /// The seconds by which the clocks of signer and verifier may differ.
        public static let clockSkew: Int64 = 300

        /// Reads exactly one certificate, armored or binary. Others that cannot be read here, such as of another version,
        /// may stand beside it.
        public init(_ bytes: [UInt8]) throws(OpenPGP.Error) {
            let found = try Certificate.all(in: bytes)
            guard found.count == 1 else { throw .notExactlyOneKey(found: found.count) }
            self = found[0]
        }

        /// Reads all certificates in `bytes`: binary ones one after the other, or any number of armored blocks. Those that
        /// cannot be read here are passed over, if there is a good one.
        public static func all(in bytes: [UInt8]) throws(OpenPGP.Error) -> [Certificate] {
            let groups = try CertificateGroup.all(in: bytes)
            var budget = Policy.fileCost
            var faults: [OpenPGP.Error] = []
            var certificates: [Certificate] = []
            let keys = Dictionary(groups.map { ($0.fingerprint.keyID, $0.fingerprint) }) { first, _ in first }
            // What may belong to a good one, such as another copy of it or its revocation, is never passed over.
            var spoiled: [KeyID: OpenPGP.Error] = [:]
            for group in groups {
                for id in group.misplacedIssuers {
                    if let key = keys[id] { spoiled[id] = .misplacedRevocation(key) }
                }
                do throws(OpenPGP.Error) {
                    if let fault = group.fault { throw fault }
                    certificates.append(try Certificate(packets: group.packets, budget: &budget))
                } catch {
                    if error == .tooCostly { throw error }
                    spoiled[group.fingerprint.keyID] = error
                    faults.append(error)
                }
            }
            let good = certificates.filter { spoiled[$0.fingerprint.keyID] == nil }
            faults += certificates.compactMap { spoiled[$0.fingerprint.keyID] }
            if good.isEmpty { throw faults.first ?? .notExactlyOneKey(found: 0) }
            return good
        }

        /// Takes the packets of one certificate, and verifies its self-signatures.
        ///
        /// - Parameter budget: what the file may still cost; what this one does is taken off.
        init(packets: [Packet], budget: inout Int) throws(OpenPGP.Error) {
            let allowed = min(budget, Policy.certificateCost)
            let reader = try CertificateReader(packets, budget: allowed)
            budget -= allowed - reader.budget
            userIDs = reader.userIDs
            bytes = packets.flatMap(\.bytes)
            primary = reader.primary
            subkeys = reader.subkeys
        }

        /// The primary key's fingerprint: what a certificate is trusted by.
        public var fingerprint: Fingerprint { primary.key.fingerprint }

        /// When the primary key was made.
        public var creationTime: Timestamp { primary.key.creationTime }

        /// When the primary key ends, as declared by the self-signature that holds at `now`; nil if never.
        public func expirationTime(at now: Timestamp) -> Timestamp? { primary.expirationTime(at: now) }

        /// Why a document signed with this certificate at `time` would be refused, or nil if it would be accepted.
        ///
        /// To warn ahead of an expiration, ask with a time to come.
        public func problem(at time: Timestamp) -> OpenPGP.Error? {
            let outcome = Result { () throws(OpenPGP.Error) in try signingKeys(at: time) }
            guard case .failure(let error) = outcome else { return nil }
            return error
        }

        /// Whether a certificate signs documents.
        public enum Fitness: Equatable, Sendable {
            /// It does.
            case signs
            /// It could, but not at that time: it has expired, is revoked, or begins later.
            case notNow(OpenPGP.Error)
            /// It cannot, at no time, as it stands there.
            case never(OpenPGP.Error)
        }

        /// Whether this certificate signs documents at `time`, and if not, whether it ever could.
        public func fitness(at time: Timestamp) -> Fitness {
            guard let problem = problem(at: time) else { return .signs }
            switch problem {
            case .keyExpired, .keyRevoked, .keyFromTheFuture:
                let signers = ([primary] + subkeys).filter(\.isMeantToSign)
                guard !signers.isEmpty else { return .never(.keyCannotSign(fingerprint)) }
                let isAnySupported = signers.contains { (try? $0.key.material.get()) != nil }
                return isAnySupported ? .notNow(problem) : .never(problem)
            default: return .never(problem)
            }
        }

        /// A fault of the keys that is not grave enough to refuse signatures, or nil.
        public var weakness: String? {
            let bits = ([primary] + subkeys).compactMap(\.key.rsaBits).min()
            guard let bits, bits < Policy.recommendedRSABits else { return nil }
            return "RSA of \(bits) bits; \(Policy.recommendedRSABits) are recommended"
        }

        /// This certificate in ASCII armor.
        public func armored() -> String {
            String(decoding: Armor.wrap(bytes, kind: .publicKey), as: UTF8.self)
        }

        /// The keys that may sign at `time`, the ones to prefer first: subkeys, the newest before the others, then the
        /// primary key. Never empty.
        func signingKeys(at time: Timestamp) throws(OpenPGP.Error) -> [ComponentKey] {
            try primary.checkAlive(made: time, now: time)
            var faults: [(error: OpenPGP.Error, isMeantToSign: Bool)] = []
            var usable = [ComponentKey]()
            for candidate in subkeys.sorted(by: { $0.key.creationTime > $1.key.creationTime }) + [primary] {
                do throws(OpenPGP.Error) {
                    try candidate.checkMaySign(made: time, now: time)
                    usable.append(candidate)
                } catch {
                    faults.append((error, candidate.isMeantToSign))
                }
            }
            // Of several reasons the one of a key that was meant to sign says most, and then that of the primary key.
            let fault = faults.first(where: \.isMeantToSign) ?? faults.last
            guard !usable.isEmpty else { throw fault?.error ?? .keyCannotSign(fingerprint) }
            return usable
        }
    }
}
