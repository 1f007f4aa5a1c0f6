import GRDB
import PDProtocol

extension SQLiteStore {
    /// Makes the open issues of these checks what an audit found.
    public func reconcileIssues(found: [String: [HostID]], at: Int64) async throws(StoreError) -> [Issue] {
        try await use {
            try await pool.write { db in
                for (check, hosts) in found { try Self.reconcile(check, foundOn: hosts, at: at, db) }
                return try Self.openIssues(db)
            }
        }
    }

    /// All open issues, by hostname and check.
    public func openIssues() async throws(StoreError) -> [Issue] {
        try await use { try await pool.read { db in try Self.openIssues(db) } }
    }

    private static func reconcile(
        _ check: String, foundOn hosts: [HostID], at: Int64, _ db: Database
    ) throws {
        let number = try db.cachedStatement(sql: "SELECT number FROM hosts WHERE id = ?")
        let found = try Set(
            hosts.map { id in
                guard let found = try Int64.fetchOne(number, arguments: [id.text]) else {
                    throw StoreError.unknownHost(id.text)
                }
                return found
            })
        let open = try Int64.fetchSet(
            db, sql: "SELECT host FROM issues WHERE check_name = ? AND closed_at IS NULL", arguments: [check])

        let close = try db.cachedStatement(
            sql: "UPDATE issues SET closed_at = ? WHERE check_name = ? AND host = ? AND closed_at IS NULL")
        for host in open.subtracting(found) { try close.execute(arguments: [at, check, host]) }
        let insert = try db.cachedStatement(
            sql: "INSERT INTO issues (check_name, host, opened_at) VALUES (?, ?, ?)")
        for host in found.subtracting(open).sorted() { try insert.execute(arguments: [check, host, at]) }
    }

    private static func openIssues(_ db: Database) throws -> [Issue] {
        try issues(db, where: "closed_at IS NULL")
    }

    /// All issues that were open at some moment of a period.
    public func issues(from: Int64, to: Int64) async throws(StoreError) -> [Issue] {
        try await use {
            try await pool.read { db in
                try Self.issues(
                    db, where: "opened_at < ? AND (closed_at IS NULL OR closed_at >= ?)",
                    arguments: [to, from])
            }
        }
    }

    static func issues(
        _ db: Database, where condition: String, arguments: StatementArguments = []
    ) throws -> [Issue] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, hostname, check_name, opened_at, alerted_at, closed_at, details
                FROM issues JOIN hosts ON hosts.number = issues.host
                WHERE \(condition) ORDER BY hostname, check_name, opened_at
                """, arguments: arguments)
        var issues: [Issue] = []
        while let row = try rows.next() {
            issues.append(
                Issue(
                    hostID: try HostID(stored: row.decode(atIndex: 0)),
                    hostname: try Hostname(stored: row.decode(atIndex: 1)),
                    check: try row.decode(atIndex: 2),
                    openedAt: try row.decode(atIndex: 3), alertedAt: try row.decode(atIndex: 4),
                    closedAt: try row.decode(atIndex: 5),
                    details: row.hasNull(atIndex: 6) ? [:] : try row.document(6)))
        }
        return issues
    }
}
