import Logging
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

extension Agent {
    /// What the fleet's server has for this machine, over this transport.
    public func source(over transport: any RequestTransport) -> FleetSource {
        FleetSource(transport: transport, hostname: hostname, signer: signer, now: now)
    }

    /// Asks which orders wait, carries them out, and tells the server how far each has come.
    ///
    /// - Returns: whether anything was put in place or run, and how many orders were refused.
    /// - Throws: ``AgentError`` where orders could not be looked at; ``ReleaseError`` where the server did not hear of
    ///   one, which is told again next time.
    public func carryOutOrders(of source: FleetSource) async throws -> (changed: Bool, refused: Int) {
        let lock = try state.lock()
        let folder = try OrderFolder(state.orders)
        let release = Files.exists(state.releases) ? try ReleaseFolder(state.releases).current ?? 0 : 0
        let keys = try TrustedKeys(settings.trust, state: state, log: log)
        let fleet = try OpenPGP.Certificate(
            try Files.read(state.serverKey, limit: OpenPGP.Certificate.sizeLimit)
        ).fingerprint
        let time = now()
        try folder.clean(current: release, now: time / 1000)
        let spool = try Spool(directory: state.spool, lock: lock, log: log)
        let keeper = OrderKeeper(
            folder: folder, keys: keys, hostname: hostname,
            fleets: Set(KeyHistory(file: state.keyHistory).formerServerKeys + [fleet]), release: release,
            report: { name, result in
                let data = V1.Submission(
                    hostname: hostname, collectedAt: now(), plugins: nil, commands: [name: .document(result)]
                ).json()
                let signature = try signer.sign(data, at: now() / 1000)
                try spool.add(SignedReport(data: data, signature: Array(signature.utf8)))
            }, log: log)
        let orders = try await source.orders()
        for order in orders {
            guard let receipt = keeper.announcement(of: order, now: time / 1000) else { continue }
            // That it has begun is for people to watch: what came of it is told again until the server has heard it.
            do { try await source.send(receipt) } catch {
                log.info("the server did not hear that an order has begun: \(error)")
            }
        }
        let outcome = keeper.run(orders, now: time / 1000)
        try remember(outcome.refused)
        withExtendedLifetime(lock) {}
        for receipt in outcome.receipts { try await source.send(receipt) }
        return (outcome.changed, outcome.refused.count)
    }

    /// Keeps what was refused, to be reported as part of `integrity`.
    private func remember(_ refused: [(id: String, reason: String)]) throws(FileError) {
        let document: Document = [
            "refused": .array(
                refused.map { ["order": .string($0.id), "reason": .string($0.reason)] })
        ]
        try Files.writeAtomically(Array(document.json().utf8), to: "\(state.orders)/refused.json")
    }
}
