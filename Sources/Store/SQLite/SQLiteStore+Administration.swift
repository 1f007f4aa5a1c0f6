import Foundation
import GRDB
import PDDocument
import PDProtocol

extension SQLiteStore {
    /// Marks a host as suspended, or not.
    public func setSuspended(_ suspended: Bool, host: HostID) async throws(StoreError) {
        try await change(host) { number, document, db in
            let changed = document.setting("suspended", to: suspended ? .bool(true) : nil)
            try db.execute(
                sql: "UPDATE hosts SET document = ? WHERE number = ?",
                arguments: [Data(changed.bson), number])
        }
    }

    /// Gives a host another name.
    public func rename(host: HostID, to name: Hostname) async throws(StoreError) {
        try await change(host) { number, document, db in
            let old = try String.fetchOne(
                db, sql: "SELECT hostname FROM hosts WHERE number = ?", arguments: [number])
            guard let old, old != name.name else { return }
            let owner = try Int64.fetchOne(
                db, sql: "SELECT number FROM hosts WHERE hostname = ?", arguments: [name.name])
            guard owner == nil else { throw StoreError.conflict("a host is called \(name) already") }
            let changed = document.setting("hostname", to: .string(name.name))
            try db.execute(
                sql: "UPDATE hosts SET hostname = ?, document = ? WHERE number = ?",
                arguments: [name.name, Data(changed.bson), number])
            try Self.keepDeparted(Hostname(stored: old), document, db)
            // Where something stands under the new name already, that of the renamed host counts.
            for table in ["patch_hosts", "parameters"] {
                try db.execute(
                    sql: "UPDATE OR REPLACE \(table) SET hostname = ? WHERE hostname = ?",
                    arguments: [name.name, old])
            }
        }
    }

    /// Removes a host with its issues, audit trail and parameters.
    public func delete(host: HostID) async throws(StoreError) {
        try await change(host) { number, document, db in
            let hostname = try String.fetchOne(
                db, sql: "SELECT hostname FROM hosts WHERE number = ?", arguments: [number])
            if let hostname { try Self.keepDeparted(Hostname(stored: hostname), document, db) }
            try db.execute(sql: "DELETE FROM parameters WHERE hostname = ?", arguments: [hostname])
            let waiting = try Int64.fetchAll(
                db, sql: "SELECT patch FROM patch_hosts WHERE hostname = ? AND completed IS NULL",
                arguments: [hostname])
            for patch in waiting {
                try db.execute(
                    sql: "DELETE FROM patch_hosts WHERE patch = ? AND hostname = ?",
                    arguments: [patch, hostname])
                try Self.removeIfUnused(patch, db)
            }
            try db.execute(sql: "DELETE FROM hosts WHERE number = ?", arguments: [number])
        }
    }

    private func change(
        _ host: HostID, _ body: @escaping @Sendable (Int64, Document, Database) throws -> Void
    ) async throws(StoreError) {
        try await use {
            try await pool.write { db in
                let row = try Row.fetchOne(
                    db, sql: "SELECT number, document FROM hosts WHERE id = ?", arguments: [host.text])
                guard let row else { throw StoreError.unknownHost(host.text) }
                try body(row.decode(atIndex: 0), row.document(1), db)
            }
        }
    }
}

// MARK: - Leases

extension SQLiteStore {
    /// Takes or prolongs a lease.
    public func takeLease(
        _ name: String, holder: String, at: Int64, duration: Int64
    ) async throws(StoreError) -> Bool {
        try await use {
            try await pool.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO leases (name, holder, ends_at) VALUES (?, ?, ?)
                        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at
                        WHERE leases.holder = excluded.holder OR leases.ends_at <= ?
                        """, arguments: [name, holder, at + duration, at])
                return db.changesCount == 1
            }
        }
    }

    /// Writes a lease of the holder's own, and takes it back in the same way.
    public func proveWritable(holder: String, at: Int64, patience: Duration) async throws(StoreError) {
        try await use {
            try await pool.writeWithoutTransaction { [turns] db in
                try turns.write(patience: patience) {
                    for sql in [
                        "INSERT OR REPLACE INTO leases (name, holder, ends_at) VALUES (:name, :name, :at)",
                        "DELETE FROM leases WHERE name = :name AND :at >= 0",
                    ] {
                        try db.inTransaction(.immediate) {
                            try db.execute(sql: sql, arguments: ["name": "readiness-\(holder)", "at": at])
                            return .commit
                        }
                    }
                }
            }
        }
    }

    /// Gives a lease back, where the caller has it.
    public func releaseLease(_ name: String, holder: String) async throws(StoreError) {
        try await use {
            try await pool.write { db in
                try db.execute(
                    sql: "DELETE FROM leases WHERE name = ? AND holder = ?", arguments: [name, holder])
            }
        }
    }
}
