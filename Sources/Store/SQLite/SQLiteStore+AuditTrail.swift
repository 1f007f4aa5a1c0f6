import GRDB
import PDDocument
import PDProtocol

extension SQLiteStore {
    /// The newest records of one host, oldest first.
    public func auditTrail(of host: HostID, limit: Int) async throws(StoreError) -> [AuditRecord] {
        guard limit > 0 else { return [] }
        return try await use {
            try await pool.read { db in
                let rows = try Row.fetchCursor(
                    db,
                    sql: """
                        SELECT audited_at, hostname, key, kind, content FROM audit_trail
                        WHERE host = (SELECT number FROM hosts WHERE id = ?) ORDER BY number DESC LIMIT ?
                        """, arguments: [host.text, limit])
                var records: [AuditRecord] = []
                while let row = try rows.next() { records.append(try AuditRecord(row, of: host)) }
                return records.reversed()
            }
        }
    }
}

extension V1.Change {
    /// What was there and what is there, where there is anything.
    var content: Document {
        var writer = DocumentWriter()
        if let old { writer.append("old", old) }
        if let new { writer.append("new", new) }
        return writer.finish()
    }
}

extension AuditRecord {
    /// From the columns audited_at, hostname, key, kind, content.
    init(_ row: Row, of host: HostID) throws {
        guard let kind = V1.Change.Kind(rawValue: try row.decode(atIndex: 3)) else {
            throw StoreError.corrupt(reason: "an audit record has an unknown kind")
        }
        let content = try row.document(4)
        self.init(
            auditedAt: try row.decode(atIndex: 0), hostID: host,
            hostname: try Hostname(stored: row.decode(atIndex: 1)),
            change: V1.Change(
                key: try row.decode(atIndex: 2), kind: kind, old: content["old"], new: content["new"]))
    }
}
