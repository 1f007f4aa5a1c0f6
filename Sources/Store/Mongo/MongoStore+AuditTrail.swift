import PDDocument
import PDProtocol

extension MongoStore {
    /// The newest records of one host, oldest first.
    public func auditTrail(of host: HostID, limit: Int) async throws(StoreError) -> [AuditRecord] {
        guard limit > 0 else { return [] }
        return try await call { connection in
            guard let key = try connection.key(of: host) else { return [] }
            return try connection.auditTrail(of: key, limit: limit)
        }
    }
}

extension MongoConnection {
    /// The newest records of one host, oldest first.
    func auditTrail(of key: HostKey, limit: Int) throws -> [AuditRecord] {
        // Those of version 1 have no number, and come before all that have.
        let records = try all(
            MongoSchema.auditTrail, where: AuditRecord.filter(key),
            [
                "sort": ["number": -1, "audited_at": -1, "_id": -1],
                "limit": .int64(limit < .max ? Int64(limit) : 0),
            ])
        return try records.reversed().map { try AuditRecord(stored: $0, of: key) }
    }
}

extension AuditRecord {
    /// The records of one host: ours by its identifier, those of version 1 by its name.
    static func filter(_ key: HostKey) -> Document {
        [
            "$or": [
                ["host": .string(key.id.text)],
                ["hostname": .string(key.hostname.name), "host": ["$exists": false]],
            ]
        ]
    }

    /// The fields of version 1, and with them whose record it is and which.
    ///
    /// A record whose values do not fit one document is kept without them: the change must not be refused for good
    /// because it cannot be told whole.
    func stored(number: Int) -> Document {
        func fields(old: Value?, new: Value?) -> Document {
            var writer = DocumentWriter()
            writer.append("audited_at", .date(milliseconds: auditedAt))
            writer.append("hostname", .string(hostname.name))
            writer.append("key", .string(change.key))
            writer.append("type", .string(change.kind.rawValue))
            if let old { writer.append("old", old) }
            if let new { writer.append("new", new) }
            writer.append("host", .string(hostID.text))
            writer.append("number", .int64(Int64(number)))
            return writer.finish()
        }
        let whole = fields(old: change.old, new: change.new)
        // Less than 16 MiB, since the command is around it.
        return whole.byteCount <= 15 << 20 ? whole : fields(old: nil, new: nil)
    }

    init(stored: Document, of host: HostKey) throws(StoreError) {
        guard let key = stored["key"]?.string, let at = stored["audited_at"]?.milliseconds else {
            throw .corrupt(reason: "an audit record of \(host.hostname) has no key or no time")
        }
        let (old, new) = (stored["old"], stored["new"])
        // Version 1 has other words beside these.
        let kind =
            (stored["type"] ?? stored["action"])?.string.flatMap(V1.Change.Kind.init)
            ?? (old == nil ? .added : new == nil ? .deleted : .changed)
        self.init(
            auditedAt: at, hostID: host.id,
            hostname: stored["hostname"]?.string.flatMap { Hostname($0) } ?? host.hostname,
            change: V1.Change(key: key, kind: kind, old: old, new: new))
    }
}
