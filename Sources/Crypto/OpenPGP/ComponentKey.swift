extension OpenPGP {
    /// One key of a certificate, primary or sub, with what its owner declared about it.
    ///
    /// Whose signatures those declarations are was settled when the certificate was read; only the clock decides
    /// later which of them holds.
    struct ComponentKey: Sendable {
        let key: PublicKey
        /// Valid declarations, the newest first.
        var declarations: [Declaration] = []
        /// Direct-key signatures that say nothing but when the key ends, the newest first.
        var limits: [Declaration] = []
        var revocations: [Revocation] = []
        /// Why there is no valid declaration, if a reason was found.
        var fault: Error?

        /// A self-signature, or the binding of a subkey.
        struct Declaration: Equatable, Sendable {
            let created: Timestamp
            /// When the declaration itself ends.
            let expires: Timestamp?
            /// When the key ends by this declaration.
            let keyExpires: Timestamp?
            let mayCertify: Bool
            let maySign: Bool
            /// Why a subkey may not sign although its binding says so.
            var signingFault: Error?

            init(_ signature: SignaturePacket, created: Timestamp, key: PublicKey) {
                let subpackets = signature.subpackets
                self.created = created
                expires = signature.expirationTime
                let validity = subpackets.keyValidity ?? 0
                keyExpires = validity > 0 ? key.creationTime.advanced(by: validity) : nil
                // RFC 9580, section 5.2.3.29. Flags that are not there allow nothing.
                mayCertify = (subpackets.keyFlags ?? 0) & 0x01 != 0
                maySign = (subpackets.keyFlags ?? 0) & 0x02 != 0
            }
        }

        struct Revocation: Equatable, Sendable {
            let created: Timestamp
            /// The key may have been in the wrong hands: nothing that it ever signed is believed. Only the reasons
            /// "superseded" and "retired" are softer (RFC 9580, section 5.2.3.31).
            let isHard: Bool

            init(_ signature: SignaturePacket, created: Timestamp) {
                self.created = created
                let reason = signature.subpackets.revocationReason
                isHard = reason != 1 && reason != 3
            }
        }

        mutating func add(_ declaration: Declaration) { Self.insert(declaration, into: &declarations) }

        mutating func addLimit(_ limit: Declaration) { Self.insert(limit, into: &limits) }

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
            for limit in other.limits where !limits.contains(limit) { addLimit(limit) }
            for revocation in other.revocations where !revocations.contains(revocation) {
                revocations.append(revocation)
            }
        }

        /// The declaration that holds at `now`.
        func declaration(at now: Timestamp, skew: Int64) -> Declaration? {
            Self.current(declarations, at: now, skew: skew)
        }

        private static func current(_ list: [Declaration], at now: Timestamp, skew: Int64) -> Declaration? {
            let latest = now.advanced(by: skew)
            return list.first { $0.created <= latest && $0.expires.map { $0 > now } ?? true }
        }

        /// When the key ends by all that holds at `now`; nil if never.
        func expirationTime(at now: Timestamp, skew: Int64) -> Timestamp? {
            let current = [declarations, limits].compactMap { Self.current($0, at: now, skew: skew) }
            return current.compactMap(\.keyExpires).min()
        }

        /// Throws unless this key is alive at `now`, and was not revoked before `made`.
        func checkAlive(made: Timestamp, now: Timestamp, skew: Int64) throws(Error) -> Declaration {
            _ = try key.material.get()
            for revocation in revocations where revocation.isHard || revocation.created <= made {
                throw .keyRevoked(key.fingerprint)
            }
            guard key.creationTime <= now.advanced(by: skew) else { throw .keyFromTheFuture(key.fingerprint) }
            guard let declaration = declaration(at: now, skew: skew) else {
                throw fault ?? .noSelfSignature(key.fingerprint)
            }
            if let end = expirationTime(at: now, skew: skew), end <= max(now, made) {
                throw .keyExpired(key.fingerprint, at: end)
            }
            return declaration
        }

        /// Throws unless this key may have signed a document at `made`, seen from `now`.
        func checkMaySign(made: Timestamp, now: Timestamp, skew: Int64) throws(Error) {
            let declaration = try checkAlive(made: made, now: now, skew: skew)
            guard declaration.maySign else { throw .keyCannotSign(key.fingerprint) }
            if let fault = declaration.signingFault { throw fault }
            guard key.creationTime <= made else { throw .signatureOlderThanKey(key.fingerprint) }
        }
    }
}
