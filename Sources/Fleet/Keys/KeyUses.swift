import Logging
import PDCrypto
import PDDocument
import PDProtocol
import PDStore

/// Keeps which client key each host signs with, so that it can be seen when an old one is needed no longer. Written where
/// it changes; what a server before this one saw is read once.
package actor KeyUses {
    private let store: any RecordStore
    private let logger: Logger
    private var known: [Hostname: OpenPGP.Fingerprint]?

    package init(store: any RecordStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// A host's report that was signed by a key has been taken. That this cannot be written is no reason to refuse the
    /// report: the next one tries again.
    package func note(_ host: Hostname, _ key: OpenPGP.Fingerprint, at now: Int64) async {
        do {
            if known == nil { known = try await store.keyUses() }
            guard known?[host] != key else { return }
            let document: Document = [
                "client_key": .string("\(key)"), "since": .date(milliseconds: now),
            ]
            try await store.apply(records: [
                .put(.keyUses, StoredRecord(id: host.name, document: document))
            ])
            known?[host] = key
        } catch {
            logger.error("which key a host signs with could not be written down: \(error)")
        }
    }
}

extension RecordStore {
    /// The client key that each host signed with last.
    package func keyUses() async throws(StoreError) -> [Hostname: OpenPGP.Fingerprint] {
        var uses: [Hostname: OpenPGP.Fingerprint] = [:]
        for record in try await records(.keyUses) {
            guard let host = Hostname(record.id),
                let key = record.document["client_key"]?.string.flatMap({ OpenPGP.Fingerprint(hex: $0) })
            else { continue }
            uses[host] = key
        }
        return uses
    }
}
