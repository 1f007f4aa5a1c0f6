import Logging
import PDBasics
import PDDocument
import PDProtocol
import PDStore

/// Keeps that a request in the name of a host was refused because its signature does not count, so that an audit makes an
/// issue of it: the machine may have lost its key, or somebody else speaks in its name.
///
/// Anybody can send such requests. So few are looked at in a minute, one an hour is kept of a host, and none of a name that
/// the fleet does not know.
package actor RefusedRequests {
    /// So long after the last one it is an issue, in milliseconds.
    static let memory: Int64 = 86_400_000
    /// How often one of a host is kept.
    static let interval: Int64 = 3_600_000
    /// How many are looked at in a minute.
    static let perMinute = 20

    private let store: any HostStore & RecordStore
    private let logger: Logger
    private var minute: Int64 = 0
    private var looked = 0
    /// When one was kept last, by host; hosts of the fleet alone.
    private var kept: [HostID: Int64] = [:]

    package init(store: any HostStore & RecordStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Whether one more may be looked at in this minute.
    package func mayLook(at now: Int64) -> Bool {
        if now / 60_000 != minute { (minute, looked) = (now / 60_000, 0) }
        looked += 1
        return looked <= Self.perMinute
    }

    /// A request that names a host was refused.
    ///
    /// - Parameters:
    ///   - peer: the address that it came from.
    ///   - reason: why; without content that a peer chose.
    package func refused(_ hostname: Hostname, peer: String, reason: String, at now: Int64) async {
        do throws(StoreError) {
            guard let host = try await store.host(hostname.name), host.hostname == hostname,
                kept[host.id].map({ now - $0 >= Self.interval }) ?? true
            else { return }
            kept[host.id] = now
            try await store.apply(records: [
                .put(
                    .refusals,
                    StoredRecord(
                        id: host.id.text,
                        document: [
                            "hostname": .string(hostname.name), "at": .date(milliseconds: now),
                            "peer": .string(peer), "reason": .string(reason),
                        ]))
            ])
        } catch {
            logger.error("that a request was refused could not be written down: \(error)")
        }
    }

    /// What was kept, by the host's name, and what is too old to count.
    static func findings(
        _ records: [StoredRecord], at now: Int64
    ) -> (hosts: [String: String], outdated: [RecordChange]) {
        var hosts: [String: String] = [:]
        var outdated: [RecordChange] = []
        for record in records {
            guard let name = record.document["hostname"]?.string,
                let at = record.document["at"]?.milliseconds,
                at > now - memory
            else {
                outdated.append(.remove(.refusals, id: record.id))
                continue
            }
            hosts[name] =
                "from \(record.document["peer"]?.string ?? "?") on \(AlertText.time(at)): \(record.document["reason"]?.string ?? "")"
        }
        return (hosts, outdated)
    }
}
