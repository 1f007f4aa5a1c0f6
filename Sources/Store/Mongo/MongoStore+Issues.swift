import PDDocument
import PDProtocol

// The fields of version 1. `closed_at` is missing or null while an issue is open; fields that this version does not
// know are left alone.
extension MongoStore {
    /// Makes the open issues of these checks what an audit found.
    public func reconcileIssues(found: [String: [HostID]], at: Int64) async throws(StoreError) -> [Issue] {
        try await transaction { connection in
            try connection.pass(.issues)
            let keys = try connection.hostKeys()
            let names = Dictionary(keys.map { ($0.id, $0.hostname) }) { first, _ in first }
            for (check, hosts) in found {
                let hosts = try Set(
                    hosts.map { id in
                        guard let name = names[id] else { throw StoreError.unknownHost(id.text) }
                        return name.name
                    })
                try Self.reconcile(check, foundOn: hosts, at: at, connection)
            }
            return try Self.openIssues(keys, connection)
        }
    }

    /// All open issues, by hostname and check.
    public func openIssues() async throws(StoreError) -> [Issue] {
        try await call { connection in try Self.openIssues(try connection.hostKeys(), connection) }
    }

    private static func reconcile(
        _ check: String, foundOn hosts: Set<String>, at: Int64, _ connection: MongoConnection
    ) throws {
        let open = try connection.all(
            MongoSchema.issues, where: ["closed_at": nil, "name": .string(check)],
            ["projection": ["hostname": 1]])
        let gone = open.filter { !hosts.contains($0["hostname"]?.string ?? "") }.compactMap { $0["_id"] }
        for start in stride(from: 0, to: gone.count, by: 1000) {
            let some = Array(gone[start..<min(start + 1000, gone.count)])
            try connection.update(
                MongoSchema.issues, where: ["_id": ["$in": .array(some)]],
                ["$set": ["closed_at": .date(milliseconds: at)]], all: true)
        }
        let new = hosts.subtracting(open.compactMap { $0["hostname"]?.string }).sorted()
        try connection.insert(
            new.map { name in
                ["hostname": .string(name), "name": .string(check), "opened_at": .date(milliseconds: at)]
            }, into: MongoSchema.issues)
    }

    /// Issues of hosts that are gone, which version 1 may have left behind, are passed over.
    private static func openIssues(_ keys: [HostKey], _ connection: MongoConnection) throws -> [Issue] {
        try issues(keys, where: ["closed_at": nil], connection)
    }

    /// All issues that were open at some moment of a period.
    public func issues(from: Int64, to: Int64) async throws(StoreError) -> [Issue] {
        try await call { connection in
            try Self.issues(
                try connection.hostKeys(),
                where: [
                    "opened_at": ["$lt": .date(milliseconds: to)],
                    "$or": [
                        ["closed_at": nil], ["closed_at": ["$gte": .date(milliseconds: from)]],
                    ],
                ], connection)
        }
    }

    private static func issues(
        _ keys: [HostKey], where filter: Document, _ connection: MongoConnection
    ) throws -> [Issue] {
        let byName = Dictionary(keys.map { ($0.hostname.name, $0) }) { first, _ in first }
        return try connection.all(MongoSchema.issues, where: filter).compactMap { stored in
            (stored["hostname"]?.string).flatMap { byName[$0] }.flatMap { Issue(stored: stored, of: $0) }
        }.sorted { left, right in
            (left.hostname.name, left.check, left.openedAt)
                < (right.hostname.name, right.check, right.openedAt)
        }
    }
}

extension Issue {
    /// Nothing where the document is no issue.
    init?(stored: Document, of host: HostKey) {
        guard let check = stored["name"]?.string, let opened = stored["opened_at"]?.milliseconds else {
            return nil
        }
        self.init(
            hostID: host.id, hostname: host.hostname, check: check, openedAt: opened,
            alertedAt: stored["alerted_at"]?.milliseconds, closedAt: stored["closed_at"]?.milliseconds,
            details: Document(stored.lazy.filter { !Self.fields.contains($0.key) }.map { ($0.key, $0.value) })
        )
    }

    private static let fields: Set = ["_id", "hostname", "name", "opened_at", "alerted_at", "closed_at"]

    /// The fields of version 1.
    var stored: Document {
        var writer = DocumentWriter()
        writer.append("hostname", .string(hostname.name))
        writer.append("name", .string(check))
        writer.append("opened_at", .date(milliseconds: openedAt))
        if let alertedAt { writer.append("alerted_at", .date(milliseconds: alertedAt)) }
        if let closedAt { writer.append("closed_at", .date(milliseconds: closedAt)) }
        for (key, value) in details { writer.append(key, value) }
        return writer.finish()
    }
}
