import PDDocument
import PDProtocol

// Each collection of records is one of the database, `penguindome_` and its name, of documents {_id, content}.
extension MongoStore {
    /// The records of a collection by name.
    public func records(
        _ collection: RecordCollection, from: String?, to: String?
    ) async throws(StoreError) -> [StoredRecord] {
        try await call { connection in
            var range = DocumentWriter()
            if let from { range.append("$gte", .string(from)) }
            if let to { range.append("$lt", .string(to)) }
            let ids = range.finish()
            return try connection.all(
                MongoSchema.name(of: collection), where: ids.isEmpty ? [:] : ["_id": .document(ids)],
                ["sort": ["_id": 1]]
            ).map { try StoredRecord(stored: $0) }
        }
    }

    /// The record of that name, or nothing.
    public func record(
        _ collection: RecordCollection, _ id: String
    ) async throws(StoreError) -> StoredRecord? {
        try await call { connection in
            try connection.first(MongoSchema.name(of: collection), where: ["_id": .string(id)])
                .map { try StoredRecord(stored: $0) }
        }
    }

    /// Applies changes in their order, all or none.
    public func apply(
        issues: [IssueChange], records: [RecordChange], at: Int64
    ) async throws(StoreError) {
        try await transaction { connection in
            try connection.pass(.issues)
            for change in issues { try Self.apply(change, at: at, connection) }
            for change in records {
                switch change {
                case .put(let collection, let record): try connection.put(record, into: collection)
                case .remove(let collection, let id):
                    try connection.delete(MongoSchema.name(of: collection), where: ["_id": .string(id)])
                }
            }
        }
    }

    private static func apply(_ change: IssueChange, at: Int64, _ connection: MongoConnection) throws {
        guard let host = try connection.key(of: change.host) else {
            guard change.kind != .open else { throw StoreError.unknownHost(change.host.text) }
            return
        }
        let open = try connection.first(
            MongoSchema.issues,
            where: [
                "hostname": host.hostname.value, "name": .string(change.check), "closed_at": nil,
            ])
        let known = open.flatMap { Issue(stored: $0, of: host) }
        if change.kind == .open {
            guard known == nil else { return }
            let issue = Issue(
                hostID: host.id, hostname: host.hostname, check: change.check, openedAt: at,
                alertedAt: change.alertedAt, details: change.details)
            return try connection.insert([issue.stored], into: MongoSchema.issues)
        }
        guard let known, let key = open?["_id"] else { return }
        let changed = Issue(
            hostID: host.id, hostname: host.hostname, check: known.check, openedAt: known.openedAt,
            alertedAt: change.alertedAt ?? known.alertedAt,
            closedAt: change.kind == .close ? at : nil, details: change.details)
        try connection.delete(MongoSchema.issues, where: ["_id": key])
        try connection.insert([changed.stored.setting("_id", to: key)], into: MongoSchema.issues)
    }
}

extension MongoConnection {
    fileprivate func put(_ record: StoredRecord, into collection: RecordCollection) throws {
        let name = MongoSchema.name(of: collection)
        try delete(name, where: ["_id": .string(record.id)])
        try insert([["_id": .string(record.id), "content": .document(record.document)]], into: name)
    }

    /// What is known of a host of that name that is gone.
    func departed(_ hostname: Hostname) throws -> DepartedHost? {
        let name = MongoSchema.name(of: .departedHosts)
        return try first(name, where: ["_id": hostname.value]).map {
            try DepartedHost(stored: StoredRecord(stored: $0).document)
        }
    }

    /// Keeps how new a host was that goes by that name no longer. To be called in a transaction, before it goes.
    func keepDeparted(_ hostname: Hostname) throws {
        guard let host = try host(named: hostname)?.host,
            let gone = DepartedHost(host.document, before: try departed(hostname))
        else { return }
        try put(gone.record(of: hostname), into: .departedHosts)
    }
}

extension StoredRecord {
    fileprivate init(stored: Document) throws {
        guard let id = stored["_id"]?.string, let content = stored["content"]?.document else {
            throw StoreError.corrupt(reason: "a record has no name or no content")
        }
        self.init(id: id, document: content)
    }
}
