import PDDocument
import PDProtocol
import PDQuery
import PDStore

// A host is suspended where its document says so, and a report ends that. Which hosts may be is kept beside them, so that
// whoever wants to know need not read all that a fleet has reported.

extension FleetStore {
    /// The hosts that are suspended until they report again.
    package func suspendedHosts() async throws(StoreError) -> Set<HostID> {
        var suspended: Set<HostID> = []
        for record in try await records(.suspensions) {
            guard let host = try await host(record.id), host.document["suspended"]?.bool == true else {
                continue
            }
            suspended.insert(host.id)
        }
        return suspended
    }

    /// Suspends a host, or takes that back.
    package func suspend(_ isSuspended: Bool, host: HostID) async throws(StoreError) {
        // First that it may be: a note too much does no harm, one that is missing would.
        if isSuspended { try await apply(records: [Suspension.note(host)]) }
        try await setSuspended(isSuspended, host: host)
    }
}

enum Suspension {
    static func note(_ host: HostID) -> RecordChange {
        .put(.suspensions, StoredRecord(id: host.text, document: [:]))
    }

    /// What makes the notes those of the hosts that an audit found suspended: databases from elsewhere have none.
    static func changes(_ known: [StoredRecord], found: Set<HostID>) -> [RecordChange] {
        let names = Set(found.map(\.text))
        return known.filter { !names.contains($0.id) }.map { .remove(.suspensions, id: $0.id) }
            + found.sorted { $0.text < $1.text }.filter { host in !known.contains { $0.id == host.text } }
            .map(note)
    }
}
