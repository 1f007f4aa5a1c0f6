import PDBasics
import PDCrypto
import PDProtocol
import PDStore

extension Fleet {
    /// The fingerprint of the server's key: what orders name the fleet by.
    package static func fingerprint(of state: ServerState) throws -> OpenPGP.Fingerprint {
        try OpenPGP.Certificate(try PrivateFiles.read(state.serverPublicKey)).fingerprint
    }

    /// Takes an order that was signed elsewhere: its hosts get it when they next ask.
    ///
    /// - Throws: ``FleetError`` where no key that may sign it has, where it is for another fleet or has expired, or where
    ///   one of its hosts is not known.
    package func send(_ file: OrderFile, at now: Moment) async throws -> Order {
        let statement = file.draft.statement
        guard let signature = file.signature else {
            throw FleetError(.refused, "order \(statement.id) is not signed: pd-admin orders sign signs it")
        }
        let signed = SignedStatement(bytes: statement.json(), signature: signature)
        // One that cannot be read trusts nobody; keys list tells of it.
        let keys = OpenPGP.Verifier(
            certificates: try RoleKeys.keyFiles(in: file.draft.role.directory(state)).compactMap {
                try? $0.certificate.get()
            })
        do throws(SignedStatement.Failure) {
            _ = try signed.order(patches: keys, commands: keys, at: OpenPGP.Timestamp(now.seconds))
        } catch {
            throw FleetError(
                .refused,
                "order \(statement.id): \(error); see pd-admin keys list for who may sign a \(file.draft.role.rawValue)"
            )
        }
        guard statement.fleet == (try Self.fingerprint(of: state)) else {
            throw FleetError(.refused, "order \(statement.id) is for another fleet")
        }
        guard now.seconds < statement.expires else {
            throw FleetError(.failed, "order \(statement.id) has expired")
        }
        for host in statement.hosts { _ = try await self.host(named: host.name) }
        let order = Order(
            id: statement.id, submittedAt: now.milliseconds, files: file.files, pendingHosts: statement.hosts,
            signed: Order.Signed(statement: signed.bytes, signature: signature))
        try await store.add(order)
        return order
    }
}
