extension OpenPGP {
    /// One key of a certificate, primary or sub, with what its owner said about it, in values.
    ///
    /// Whose signatures those are was settled when the certificate was read; ``Policy`` says, at each time, what holds.
    struct ComponentKey: Sendable {
        let key: PublicKey
        /// Self-signatures and bindings, the newest first.
        private(set) var declarations: [Declaration] = []
        var revocations: [Revocation] = []
        /// When names and pictures, by their packets' bytes, were revoked last. What was declared for one before that says
        /// nothing, in whatever copy of the key it stands.
        private(set) var revokedNames: [ArraySlice<UInt8>: Timestamp] = [:]
        /// Why there is no declaration, if a reason was found.
        var fault: Error?

        /// A self-signature, or the binding of a subkey, its mathematics in order.
        struct Declaration: Equatable, Sendable {
            let created: Timestamp
            /// When the declaration itself ends.
            let expires: Timestamp?
            /// When the key ends by this declaration.
            let keyExpires: Timestamp?
            /// RFC 9580, section 5.2.3.29; nil where it says nothing.
            let flags: UInt8?
            /// The name of the hash, if it is a broken one.
            let weakHash: String?
            /// Why it cannot be gone by: its form, or its date.
            let fault: Error?
            /// The packet of the name or picture that was signed for; nil where the key itself was.
            let name: ArraySlice<UInt8>?
            /// Whether the primary key signed itself alone, without a name.
            let isDirect: Bool
            /// Why a subkey may not sign although its binding says so.
            var signingFault: Error?

            init(
                _ signature: SignaturePacket, key: PublicKey, signer: PublicKey,
                name: ArraySlice<UInt8>? = nil
            ) throws(Error) {
                let subpackets = signature.subpackets
                guard let created = subpackets.creationTime else { throw .missingCreationTime }
                self.created = created
                self.name = name
                isDirect = signature.type == SignaturePacket.Kind.directKey
                expires = signature.expirationTime
                let validity = subpackets.keyValidity ?? 0
                keyExpires = validity > 0 ? key.creationTime.advanced(by: validity) : nil
                flags = subpackets.keyFlags
                weakHash = signature.hash.weakName
                let tooYoung = [signer, key].first { created < $0.creationTime }
                fault = signature.formFault ?? tooYoung.map { .signatureOlderThanKey($0.fingerprint) }
            }

            var flagsAllowSigning: Bool { (flags ?? 0) & 0x02 != 0 }
        }

        struct Revocation: Equatable, Sendable {
            let created: Timestamp
            /// The key may have been in the wrong hands: nothing that it ever signed is believed. Only the reasons
            /// "superseded" and "retired" are softer (RFC 9580, section 5.2.3.31).
            let isHard: Bool

            /// One without a date counts from the beginning.
            init(_ signature: SignaturePacket) {
                let subpackets = signature.subpackets
                created = subpackets.creationTime ?? Timestamp(0)
                let isSoft = subpackets.revocationReason == 1 || subpackets.revocationReason == 3
                isHard = !isSoft || signature.formFault != nil || subpackets.creationTime == nil
            }
        }

        init(key: PublicKey, fault: Error? = nil) {
            self.key = key
            self.fault = fault
        }

        /// Among those of one second the later in the file wins, as with GnuPG.
        mutating func add(_ declaration: Declaration) {
            let index = declarations.firstIndex { $0.created <= declaration.created } ?? declarations.endIndex
            declarations.insert(declaration, at: index)
        }

        /// A self-signature outlives a revocation of the name only if it is newer.
        mutating func revoke(name: ArraySlice<UInt8>, at time: Timestamp) {
            revokedNames[name] = max(time, revokedNames[name] ?? time)
        }

        /// Adds what another copy of the same key declares.
        mutating func merge(_ other: ComponentKey) {
            for declaration in other.declarations where !declarations.contains(declaration) {
                add(declaration)
            }
            for revocation in other.revocations where !revocations.contains(revocation) {
                revocations.append(revocation)
            }
            for (name, time) in other.revokedNames { revoke(name: name, at: time) }
        }
    }
}
