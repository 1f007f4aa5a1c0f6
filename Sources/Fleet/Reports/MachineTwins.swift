import PDDocument
import PDProtocol
import PDStore

/// Notices that two machines report under one name: each takes the other's place, again and again.
///
/// A machine says in its report which one it is. One that takes the place of another, once, was replaced or installed anew;
/// one that comes back after another had its place shares its name with it. Only a report that names another machine than
/// the one before costs anything: the audit trail then tells which ones there were.
struct MachineTwins: Sendable {
    /// Where a report says which machine it is about, the best first. Agents of version 1 name a serial number at most.
    static let paths = ["plugins.agent.machine", "plugins.dmidecode.system.serial"]
    /// So long after the last change of places they count as twins, in milliseconds.
    static let memory: Int64 = 7 * 86_400_000
    /// How many records of the audit trail are looked through.
    private static let depth = 2000

    let store: any AuditTrailStore & RecordStore

    /// A report has changed a host.
    func look(at receipt: SubmissionReceipt, of hostname: Hostname, at now: Int64) async throws(StoreError) {
        guard
            let path = Self.paths.first(where: { path in
                receipt.differences.contains { $0.path == path && $0.kind == .changed }
            })
        else { return }
        let changes = try await store.auditTrail(of: receipt.id, limit: Self.depth).filter {
            $0.change.key == path && $0.change.kind == .changed && $0.auditedAt > now - Self.memory
        }
        guard let current = changes.last?.change.new?.string,
            let earlier = changes.last?.change.old?.string,
            changes.dropLast().contains(where: { $0.change.old?.string == current })
        else { return }
        let note = StoredRecord(
            id: receipt.id.text,
            document: [
                "hostname": .string(hostname.name), "at": .date(milliseconds: now),
                "machines": [.string(current.cut(to: 100)), .string(earlier.cut(to: 100))],
                "changes": .int(changes.count),
            ])
        try await store.apply(records: [.put(.machineTwins, note)])
    }

    /// What was noticed, by the host's name, and what is too old to count.
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
                outdated.append(.remove(.machineTwins, id: record.id))
                continue
            }
            let machines = (record.document["machines"]?.array ?? []).compactMap(\.string).map {
                "\($0.prefix(12))"
            }
            hosts[name] =
                "\(machines.joined(separator: " and ")) took turns, \(record.document["changes"]?.integer ?? 0) times in a week, last on \(AlertText.time(at))"
        }
        return (hosts, outdated)
    }
}
