import Foundation
import GRDB
import PDDocument
import PDProtocol

extension SQLiteStore {
    /// The records of a collection by name.
    public func records(
        _ collection: RecordCollection, from: String?, to: String?
    ) async throws(StoreError) -> [StoredRecord] {
        try await use {
            try await pool.read { db in
                let rows = try Row.fetchCursor(
                    db,
                    sql: """
                        SELECT id, document FROM records
                        WHERE collection = ? AND (? IS NULL OR id >= ?) AND (? IS NULL OR id < ?) ORDER BY id
                        """, arguments: [collection.rawValue, from, from, to, to])
                var records: [StoredRecord] = []
                while let row = try rows.next() {
                    records.append(
                        StoredRecord(id: try row.decode(atIndex: 0), document: try row.document(1)))
                }
                return records
            }
        }
    }

    /// The record of that name, or nothing.
    public func record(
        _ collection: RecordCollection, _ id: String
    ) async throws(StoreError) -> StoredRecord? {
        try await use {
            try await pool.read { db in
                let row = try Row.fetchOne(
                    db, sql: "SELECT document FROM records WHERE collection = ? AND id = ?",
                    arguments: [collection.rawValue, id])
                return try row.map { StoredRecord(id: id, document: try $0.document(0)) }
            }
        }
    }

    /// Applies changes in their order, all or none.
    public func apply(
        issues: [IssueChange], records: [RecordChange], at: Int64
    ) async throws(StoreError) {
        try await use {
            try await pool.write { db in
                for change in issues { try Self.apply(change, at: at, db) }
                for change in records {
                    switch change {
                    case .put(let collection, let record): try Self.put(record, into: collection, db)
                    case .remove(let collection, let id):
                        try db.cachedStatement(sql: "DELETE FROM records WHERE collection = ? AND id = ?")
                            .execute(arguments: [collection.rawValue, id])
                    }
                }
            }
        }
    }

    private static func put(
        _ record: StoredRecord, into collection: RecordCollection, _ db: Database
    ) throws {
        try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO records (collection, id, document) VALUES (?, ?, ?)"
        ).execute(arguments: [collection.rawValue, record.id, Data(record.document.bson)])
    }

    /// What is known of a host of that name that is gone.
    static func departed(_ hostname: Hostname, _ db: Database) throws -> DepartedHost? {
        let statement = try db.cachedStatement(
            sql: "SELECT document FROM records WHERE collection = ? AND id = ?")
        let row = try Row.fetchOne(
            statement, arguments: [RecordCollection.departedHosts.rawValue, hostname.name])
        return try row.map { try DepartedHost(stored: $0.document(0)) }
    }

    /// Keeps how new a host was that goes by that name no longer.
    static func keepDeparted(_ hostname: Hostname, _ document: Document, _ db: Database) throws {
        guard let gone = DepartedHost(document, before: try departed(hostname, db)) else { return }
        try put(gone.record(of: hostname), into: .departedHosts, db)
    }

    private static func apply(_ change: IssueChange, at: Int64, _ db: Database) throws {
        let details: Data? = change.details.isEmpty ? nil : Data(change.details.bson)
        let number = try Int64.fetchOne(
            try db.cachedStatement(sql: "SELECT number FROM hosts WHERE id = ?"),
            arguments: [change.host.text])
        guard let number else {
            guard change.kind != .open else { throw StoreError.unknownHost(change.host.text) }
            return
        }
        switch change.kind {
        case .open:
            try db.cachedStatement(
                sql: """
                    INSERT INTO issues (check_name, host, opened_at, alerted_at, details)
                    VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (check_name, host) WHERE closed_at IS NULL DO NOTHING
                    """
            ).execute(arguments: [change.check, number, at, change.alertedAt, details])
        case .close, .update:
            try db.cachedStatement(
                sql: """
                    UPDATE issues SET closed_at = ?, alerted_at = coalesce(?, alerted_at), details = ?
                    WHERE check_name = ? AND host = ? AND closed_at IS NULL
                    """
            ).execute(arguments: [
                change.kind == .close ? at : nil, change.alertedAt, details, change.check, number,
            ])
        }
    }
}
