import PDDocument
import PDProtocol

extension MongoStore {
    /// Removes what is old. Not in a transaction: what is half removed is removed by the next call.
    public func prune(
        auditTrailBefore: Int64?, closedIssuesBefore: Int64?
    ) async throws(StoreError) -> PruneReceipt {
        try await call { connection in
            func delete(_ collection: String, _ field: String, before time: Int64?) throws -> Int {
                guard let time else { return 0 }
                return try connection.run([
                    "delete": .string(collection),
                    "deletes": [["q": [field: ["$lt": .date(milliseconds: time)]], "limit": 0]],
                    "writeConcern": ["w": "majority"],
                ])["n"]?.integer ?? 0
            }
            return PruneReceipt(
                auditRecords: try delete(MongoSchema.auditTrail, "audited_at", before: auditTrailBefore),
                closedIssues: try delete(MongoSchema.issues, "closed_at", before: closedIssuesBefore))
        }
    }

    /// Reads every document, and looks for what belongs to no host.
    public func check() async throws(StoreError) -> [String] {
        try await call { connection in
            var problems: [String] = []
            var names: Set<String> = []
            var ids: Set<String> = []
            try connection.forEach(MongoSchema.hosts, where: [:], [:]) { stored in
                do {
                    if let host = try StoredHost(stored)?.host {
                        names.insert(host.hostname.name)
                        if !ids.insert(host.id.text).inserted {
                            problems.append("clients: two hosts have the identifier \(host.id)")
                        }
                    } else {
                        problems.append("clients: a document has no host name, and is passed over")
                    }
                } catch {
                    problems.append("clients: \(error)")
                }
                return true
            }
            var orphans = 0
            try connection.forEach(
                MongoSchema.auditTrail, where: [:], ["projection": ["hostname": 1, "host": 1]]
            ) {
                let isKnown =
                    $0["host"]?.string.map(ids.contains) ?? $0["hostname"]?.string.map(names.contains)
                if isKnown != true { orphans += 1 }
                return true
            }
            if orphans > 0 { problems.append("audit_trail: \(orphans) records are of no host") }
            let issues = try connection.all(MongoSchema.issues, where: [:], ["projection": ["hostname": 1]])
                .filter { $0["hostname"]?.string.map(names.contains) != true }.count
            if issues > 0 { problems.append("issues: \(issues) are of no host, and are passed over") }
            try connection.forEach(MongoSchema.patches, where: [:], [:]) { stored in
                do { _ = try Order(stored: stored) } catch { problems.append("patches: \(error)") }
                return true
            }
            return problems
        }
    }
}

// MARK: - From and to other stores

extension MongoStore {
    /// The identifiers of all hosts, by hostname.
    public func hostIDs() async throws(StoreError) -> [HostID] {
        try await call { try $0.hostKeys().map(\.id) }
    }

    /// All that there is of one host, in one snapshot.
    public func archive(of host: HostID) async throws(StoreError) -> HostArchive? {
        try await transaction { connection in
            guard let key = try connection.key(of: host),
                let stored = try connection.first(MongoSchema.hosts, where: ["_id": key.key]),
                let found = try StoredHost(stored)?.host
            else { return nil }
            return HostArchive(
                host: found, auditTrail: try connection.auditTrail(of: key, limit: .max),
                issues: try connection.all(MongoSchema.issues, where: ["hostname": key.hostname.value])
                    .compactMap { Issue(stored: $0, of: key) })
        }
    }

    /// Puts a host there, in the place of what there was of it.
    public func put(_ archive: HostArchive) async throws(StoreError) {
        let (id, hostname) = (archive.host.id, archive.host.hostname)
        try await transaction { connection in
            try connection.pass(.issues)
            if let owner = try connection.host(named: hostname), owner.host.id != id {
                throw StoreError.conflict("another host is called \(hostname)")
            }
            if let known = try connection.key(of: id) {
                try connection.delete(MongoSchema.hosts, where: ["_id": known.key])
                try connection.delete(MongoSchema.auditTrail, where: AuditRecord.filter(known))
                try connection.delete(MongoSchema.issues, where: ["hostname": known.hostname.value])
            }
            try connection.insert(
                [
                    StoredHost.stored(
                        key: nil, document: archive.host.document, id: id, changes: archive.auditTrail.count)
                ], into: MongoSchema.hosts)
            try connection.insert(
                archive.auditTrail.enumerated().map { $0.element.stored(number: $0.offset + 1) },
                into: MongoSchema.auditTrail)
            try connection.insert(archive.issues.map(\.stored), into: MongoSchema.issues)
        }
    }

    /// Puts a patch there, in the place of one with the same identifier.
    public func put(_ patch: Order) async throws(StoreError) {
        guard let key = Order.key(patch.id) else {
            throw .conflict("\(patch.id) is no identifier of a patch")
        }
        try await transaction { connection in
            let number = try connection.pass(.patches)
            try connection.delete(MongoSchema.patches, where: ["_id": key])
            try connection.insert([patch.stored(key: key, number: number)], into: MongoSchema.patches)
        }
    }
}
