import Foundation
import GRDB
import PDDocument
import PDProtocol

extension SQLiteStore {
    /// Removes what is old, in one transaction.
    public func prune(
        auditTrailBefore: Int64?, closedIssuesBefore: Int64?
    ) async throws(StoreError) -> PruneReceipt {
        try await use {
            try await pool.write { db in
                func delete(_ sql: String, before time: Int64?) throws -> Int {
                    guard let time else { return 0 }
                    try db.execute(sql: sql, arguments: [time])
                    return db.changesCount
                }
                return PruneReceipt(
                    auditRecords: try delete(
                        "DELETE FROM audit_trail WHERE audited_at < ?", before: auditTrailBefore),
                    closedIssues: try delete(
                        "DELETE FROM issues WHERE closed_at < ?", before: closedIssuesBefore))
            }
        }
    }

    /// Has SQLite check its file, and reads every row as the other calls do.
    public func check() async throws(StoreError) -> [String] {
        try await use {
            try await pool.read { db in
                var problems = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
                let lost = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
                if lost > 0 { problems.append("\(lost) rows belong to rows that are not there") }
                for (table, columns, read) in Self.readers {
                    let rows = try Row.fetchCursor(db, sql: "SELECT number, \(columns) FROM \(table)")
                    while let row = try rows.next() {
                        do {
                            try read(row, db)
                        } catch {
                            problems.append("\(table), row \(row[0] as Int64): \(StoreError(sqlite: error))")
                        }
                    }
                }
                let records = try Row.fetchCursor(db, sql: "SELECT collection, id, document FROM records")
                while let row = try records.next() {
                    do {
                        _ = try row.document(2)
                    } catch {
                        problems.append(
                            "records, \(row[0] as String) \(row[1] as String): \(StoreError(sqlite: error))")
                    }
                }
                do {
                    for name in try String.fetchAll(db, sql: "SELECT DISTINCT hostname FROM parameters") {
                        _ = try Hostname(stored: name)
                    }
                } catch { problems.append("parameters: \(StoreError(sqlite: error))") }
                return problems
            }
        }
    }

    /// For each table with numbers: the columns to read, and what reading a row means.
    private static let readers:
        [(table: String, columns: String, read: @Sendable (Row, Database) throws -> Void)] = [
            (
                "hosts", "id, hostname, document",
                { row, _ in
                    _ = try HostID(stored: row.decode(atIndex: 1))
                    _ = try Hostname(stored: row.decode(atIndex: 2))
                    _ = try row.document(3)
                }
            ),
            (
                "audit_trail", "hostname, kind, content",
                { row, _ in
                    _ = try Hostname(stored: row.decode(atIndex: 1))
                    guard V1.Change.Kind(rawValue: try row.decode(atIndex: 2)) != nil else {
                        throw StoreError.corrupt(reason: "an audit record has an unknown kind")
                    }
                    _ = try row.document(3)
                }
            ),
            (
                "issues", "check_name, details",
                { row, _ in
                    _ = try row.decode(String.self, atIndex: 1)
                    if !row.hasNull(atIndex: 2) { _ = try row.document(2) }
                }
            ),
            (
                "patches", "id",
                { row, db in _ = try SQLiteStore.patch(row.decode(atIndex: 0), withContent: false, db) }
            ),
        ]

    /// Removes a database file with what belongs to it.
    public static func removeDatabase(_ path: String) {
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
    }
}

// MARK: - From and to other stores

extension SQLiteStore {
    /// The identifiers of all hosts, by hostname.
    public func hostIDs() async throws(StoreError) -> [HostID] {
        try await use {
            try await pool.read { db in
                try String.fetchAll(db, sql: "SELECT id FROM hosts ORDER BY hostname").map {
                    try HostID(stored: $0)
                }
            }
        }
    }

    /// All that there is of one host, in one snapshot.
    public func archive(of host: HostID) async throws(StoreError) -> HostArchive? {
        try await use {
            try await pool.read { db in
                let row = try Row.fetchOne(
                    db, sql: "SELECT id, hostname, submitted_at, document, number FROM hosts WHERE id = ?",
                    arguments: [host.text])
                guard let row else { return nil }
                let found = try FleetHost(row)
                let number: Int64 = try row.decode(atIndex: 4)
                let trail = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT audited_at, hostname, key, kind, content FROM audit_trail
                        WHERE host = ? ORDER BY number
                        """, arguments: [number])
                let issues = try Self.issues(db, where: "host = ?", arguments: [number])
                return HostArchive(
                    host: found, auditTrail: try trail.map { try AuditRecord($0, of: host) },
                    issues: issues)
            }
        }
    }

    /// Puts a host there, in the place of what there was of it.
    public func put(_ archive: HostArchive) async throws(StoreError) {
        let host = archive.host
        try await use {
            try await pool.write { db in
                let owner = try String.fetchOne(
                    db, sql: "SELECT id FROM hosts WHERE hostname = ?", arguments: [host.hostname.name])
                guard owner == nil || owner == host.id.text else {
                    throw StoreError.conflict("another host is called \(host.hostname)")
                }
                // What belongs to it goes with it.
                try db.execute(sql: "DELETE FROM hosts WHERE id = ?", arguments: [host.id.text])
                try db.execute(
                    sql: "INSERT INTO hosts (id, hostname, submitted_at, document) VALUES (?, ?, ?, ?)",
                    arguments: [
                        host.id.text, host.hostname.name, host.submittedAt, Data(host.document.bson),
                    ])
                let number = db.lastInsertedRowID
                for record in archive.auditTrail { try Self.insert(record, number, db) }
                for issue in archive.issues {
                    try db.execute(
                        sql: """
                            INSERT INTO issues (host, check_name, opened_at, alerted_at, closed_at, details)
                            VALUES (?, ?, ?, ?, ?, ?)
                            """,
                        arguments: [
                            number, issue.check, issue.openedAt, issue.alertedAt, issue.closedAt,
                            issue.details.isEmpty ? nil : Data(issue.details.bson),
                        ])
                }
            }
        }
    }

    private static func insert(_ record: AuditRecord, _ host: Int64, _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO audit_trail (host, audited_at, hostname, key, kind, content) VALUES (?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            host, record.auditedAt, record.hostname.name, record.change.key, record.change.kind.rawValue,
            Data(record.change.content.bson),
        ])
    }

    /// Puts a patch there, in the place of one with the same identifier.
    public func put(_ patch: Order) async throws(StoreError) {
        try await use {
            try await pool.write { db in
                try db.execute(sql: "DELETE FROM patches WHERE id = ?", arguments: [patch.id])
                try Self.insert(patch, db)
            }
        }
    }
}
