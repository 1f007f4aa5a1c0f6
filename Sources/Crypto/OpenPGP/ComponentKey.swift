extension OpenPGP {
    /// One key of a certificate, primary or sub, with what its owner declared about it.
    ///
    /// Whose signatures those declarations are was settled when the certificate was read; only the clock decides
    /// later which of them holds.
    struct ComponentKey: Sendable {
        let key: PublicKey
        /// What the owner declared in signing for a name, or in binding a subkey, the newest first.
        var declarations: [Declaration] = []
        /// Direct-key signatures about the key's use, the newest first.
        var directDeclarations: [Declaration] = []
        /// Direct-key signatures that say nothing but when the key ends, the newest first.
        var limits: [Declaration] = []
        var revocations: [Revocation] = []
        /// When names and pictures, by their packets' bytes, were revoked last. What was declared for one before that says
        /// nothing, in whatever copy of the key it stands.
        var revokedNames: [ArraySlice<UInt8>: Timestamp] = [:]
        /// Why there is no declaration, if a reason was found.
        var fault: Error?

        /// A signature by the owner, its mathematics in order.
        struct Statement {
            let created: Timestamp
            /// Why it cannot be gone by: its form, its hash, or its date.
            let fault: Error?
        }

        /// A self-signature, or the binding of a subkey.
        ///
        /// One with a fault takes the place of older ones all the same: what it would have said is not known, and it may
        /// have been the key's end.
        struct Declaration: Equatable, Sendable {
            let created: Timestamp
            /// When the declaration itself ends.
            let expires: Timestamp?
            /// When the key ends by this declaration.
            let keyExpires: Timestamp?
            /// RFC 9580, section 5.2.3.29; nil where it says nothing.
            let flags: UInt8?
            /// Why the key may not be used while this is the declaration that holds.
            let fault: Error?
            /// The packet of the name or picture that was signed for; nil where the key itself was.
            let name: ArraySlice<UInt8>?
            /// Why a subkey may not sign although its binding says so.
            var signingFault: Error?

            init(
                _ signature: SignaturePacket, _ statement: Statement, key: PublicKey,
                name: ArraySlice<UInt8>? = nil
            ) {
                self.name = name
                let subpackets = signature.subpackets
                created = statement.created
                expires = signature.expirationTime
                let validity = subpackets.keyValidity ?? 0
                keyExpires = validity > 0 ? key.creationTime.advanced(by: validity) : nil
                flags = subpackets.keyFlags
                let isTooOld = statement.created < key.creationTime
                fault = statement.fault ?? (isTooOld ? .signatureOlderThanKey(key.fingerprint) : nil)
            }

            var flagsAllowSigning: Bool { (flags ?? 0) & 0x02 != 0 }
        }

        struct Revocation: Equatable, Sendable {
            let created: Timestamp
            /// The key may have been in the wrong hands: nothing that it ever signed is believed. Only the reasons
            /// "superseded" and "retired" are softer (RFC 9580, section 5.2.3.31).
            let isHard: Bool

            init(_ signature: SignaturePacket, _ statement: Statement) {
                created = statement.created
                let reason = signature.subpackets.revocationReason
                isHard =
                    reason != 1 && reason != 3 || signature.formFault != nil
                    || signature.subpackets.creationTime == nil
            }
        }

        mutating func add(_ declaration: Declaration) { Self.insert(declaration, into: &declarations) }

        /// Adds what a direct-key signature says.
        mutating func addDirect(_ declaration: Declaration) {
            if declaration.flags != nil || declaration.fault != nil {
                Self.insert(declaration, into: &directDeclarations)
            } else {
                Self.insert(declaration, into: &limits)
            }
        }

        /// A self-signature outlives a revocation of the name only if it is newer.
        mutating func revoke(name: ArraySlice<UInt8>, at time: Timestamp) {
            revokedNames[name] = max(time, revokedNames[name] ?? time)
        }

        /// Whether the name that it is about has not been revoked since.
        func stands(_ declaration: Declaration) -> Bool {
            guard let name = declaration.name, let revoked = revokedNames[name] else { return true }
            return declaration.created > revoked
        }

        private static func insert(_ declaration: Declaration, into list: inout [Declaration]) {
            // Among those of one second the later in the file wins, as with GnuPG.
            let index = list.firstIndex { $0.created <= declaration.created } ?? list.endIndex
            list.insert(declaration, at: index)
        }

        /// Adds what another copy of the same key declares.
        mutating func merge(_ other: ComponentKey) {
            for declaration in other.declarations where !declarations.contains(declaration) {
                add(declaration)
            }
            for declaration in other.directDeclarations + other.limits
            where !directDeclarations.contains(declaration) && !limits.contains(declaration) {
                addDirect(declaration)
            }
            for revocation in other.revocations where !revocations.contains(revocation) {
                revocations.append(revocation)
            }
            for (name, time) in other.revokedNames { revoke(name: name, at: time) }
        }

        /// The declarations that hold at `now`: the newest by a name or a binding, and the newest direct ones. What one of
        /// them refuses, no other allows.
        private func current(at now: Timestamp, skew: Int64) -> [Declaration] {
            [declarations, directDeclarations, limits].compactMap { newest($0, at: now, skew: skew) }
        }

        private func newest(_ list: [Declaration], at now: Timestamp, skew: Int64) -> Declaration? {
            let latest = now.advanced(by: skew)
            return list.first { $0.created <= latest && $0.expires.map { $0 > now } ?? true && stands($0) }
        }

        /// When the key ends by all that holds at `now`; nil if never.
        func expirationTime(at now: Timestamp, skew: Int64) -> Timestamp? {
            current(at: now, skew: skew).compactMap(\.keyExpires).min()
        }

        /// Throws unless this key is alive at `now`, and was not revoked before `made`.
        ///
        /// - Returns: the declarations that say so.
        @discardableResult
        func checkAlive(made: Timestamp, now: Timestamp, skew: Int64) throws(Error) -> [Declaration] {
            _ = try key.material.get()
            for revocation in revocations where revocation.isHard || revocation.created <= made {
                throw .keyRevoked(key.fingerprint)
            }
            guard key.creationTime <= now.advanced(by: skew) else { throw .keyFromTheFuture(key.fingerprint) }
            let current = current(at: now, skew: skew)
            if let fault = current.compactMap(\.fault).first { throw fault }
            // A limit alone vouches for nothing.
            guard
                [declarations, directDeclarations].contains(where: {
                    newest($0, at: now, skew: skew) != nil
                })
            else { throw fault ?? .noSelfSignature(key.fingerprint) }
            if let end = current.compactMap(\.keyExpires).min(), end <= max(now, made) {
                throw .keyExpired(key.fingerprint, at: end)
            }
            return current
        }

        /// Throws unless this key may have signed a document at `made`, seen from `now`.
        func checkMaySign(made: Timestamp, now: Timestamp, skew: Int64) throws(Error) {
            let current = try checkAlive(made: made, now: now, skew: skew)
            // Flags that are nowhere allow nothing.
            let speaking = current.filter { $0.flags != nil }
            guard !speaking.isEmpty, speaking.allSatisfy(\.flagsAllowSigning) else {
                throw .keyCannotSign(key.fingerprint)
            }
            if let fault = current.compactMap(\.signingFault).first { throw fault }
            guard key.creationTime <= made else { throw .signatureOlderThanKey(key.fingerprint) }
        }
    }
}
