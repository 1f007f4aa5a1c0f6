import Foundation
import GRDB
import PDProtocol

extension SQLiteStore {
    /// Adds a patch.
    public func add(_ patch: Order) async throws(StoreError) {
        try await use {
            try await pool.write { db in
                guard try Self.number(of: patch.id, db) == nil else {
                    throw StoreError.conflict("there is a patch \(patch.id) already")
                }
                for host in patch.pendingHosts { try Self.refuseConflict(patch, on: host, db) }
                try Self.insert(patch, db)
            }
        }
    }

    /// All patches, the newest first, without their files' content.
    public func orders() async throws(StoreError) -> [Order] {
        try await use {
            try await pool.read { db in
                try Int64.fetchAll(db, sql: "SELECT number FROM patches ORDER BY number DESC")
                    .map { try Self.patch($0, withContent: false, db) }
            }
        }
    }

    /// One patch, whole.
    public func order(_ id: String) async throws(StoreError) -> Order? {
        try await use {
            try await pool.read { db in
                try Self.number(of: id, db).map { try Self.patch($0, withContent: true, db) }
            }
        }
    }

    /// The patches that wait for a host, whole, the oldest first.
    public func orders(pendingFor host: Hostname) async throws(StoreError) -> [Order] {
        try await use {
            try await pool.read { db in
                let statement = try db.cachedStatement(
                    sql:
                        "SELECT patch FROM patch_hosts WHERE hostname = ? AND completed IS NULL ORDER BY patch"
                )
                return try Int64.fetchAll(statement, arguments: [host.name])
                    .map { try Self.patch($0, withContent: true, db) }
            }
        }
    }

    /// Moves a host from those that wait for a patch to those that have it.
    public func acknowledgeOrder(_ id: String, by host: Hostname) async throws(StoreError) -> Bool {
        try await use {
            try await pool.write { db in
                guard let number = try Self.number(of: id, db) else { return false }
                try db.execute(
                    sql: """
                        UPDATE patch_hosts
                        SET completed = (SELECT count(completed) FROM patch_hosts WHERE patch = ?)
                        WHERE patch = ? AND hostname = ? AND completed IS NULL
                        """, arguments: [number, number, host.name])
                return db.changesCount == 1
            }
        }
    }

    /// Notes what a host that waits for an order says became of it.
    public func note(
        _ receipt: OrderReceipt, of id: String, from host: Hostname
    ) async throws(StoreError) -> Bool {
        try await use {
            try await pool.write { db in
                guard let number = try Self.number(of: id, db) else { return false }
                let completed = "(SELECT count(completed) FROM patch_hosts WHERE patch = :patch)"
                var values = Self.columns(of: receipt)
                values["patch"] = number
                values["host"] = host.name
                try db.execute(
                    sql: """
                        UPDATE patch_hosts
                        SET state = :state, attempts = :attempts, returncode = :returncode, reason = :reason,
                            heard_at = :heard_at, completed = \(receipt.state.isFinal ? completed : "NULL")
                        WHERE patch = :patch AND hostname = :host AND completed IS NULL
                        """, arguments: StatementArguments(values))
                return db.changesCount == 1
            }
        }
    }

    private static func columns(of receipt: OrderReceipt?) -> [String: (any DatabaseValueConvertible)?] {
        [
            "state": receipt?.state.rawValue, "attempts": receipt?.attempts,
            "returncode": receipt?.returncode,
            // SQLite ends text at its first NUL.
            "reason": receipt?.reason?.replacingOccurrences(of: "\0", with: "?"), "heard_at": receipt?.at,
        ]
    }

    private static func receipts(of patch: Int64, _ db: Database) throws -> [Hostname: OrderReceipt] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT hostname, state, attempts, returncode, reason, heard_at FROM patch_hosts
                WHERE patch = ? AND state IS NOT NULL
                """, arguments: [patch])
        var receipts: [Hostname: OrderReceipt] = [:]
        for row in rows {
            let text: String = try row.decode(atIndex: 1)
            guard let state = OrderReceipt.State(rawValue: text) else {
                throw StoreError.corrupt(reason: "an order has the state \(text)")
            }
            receipts[try Hostname(stored: row.decode(atIndex: 0))] = OrderReceipt(
                state: state, attempts: try row.decode(Int?.self, atIndex: 2) ?? 0,
                returncode: try row.decode(Int?.self, atIndex: 3),
                reason: try row.decode(String?.self, atIndex: 4),
                at: try row.decode(Int64?.self, atIndex: 5) ?? 0)
        }
        return receipts
    }

    /// Takes hosts off those that a patch waits for; all of them where none are named.
    public func cancelOrder(_ id: String, for hosts: [Hostname]?) async throws(StoreError) -> [Hostname] {
        try await use {
            try await pool.write { db in
                guard let number = try Self.number(of: id, db) else { return [] }
                let pending = try Self.hosts(of: number, isCompleted: false, db)
                let cancelled = pending.filter { hosts?.contains($0) ?? true }
                for host in cancelled {
                    try db.execute(
                        sql: "DELETE FROM patch_hosts WHERE patch = ? AND hostname = ?",
                        arguments: [number, host.name])
                }
                try Self.removeIfUnused(number, db)
                return cancelled
            }
        }
    }

    /// Removes a patch that no host had and none waits for.
    static func removeIfUnused(_ number: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                DELETE FROM patches
                WHERE number = ? AND NOT EXISTS (SELECT 1 FROM patch_hosts WHERE patch = ?)
                """, arguments: [number, number])
    }
}

// MARK: - Rows

extension SQLiteStore {
    private static func number(of id: String, _ db: Database) throws -> Int64? {
        // What is no identifier stays away from SQLite, which ends text at its first NUL.
        guard id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT number FROM patches WHERE id = ?"), arguments: [id])
    }

    private static func refuseConflict(_ patch: Order, on host: Hostname, _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                SELECT patches.id FROM patch_hosts
                JOIN patches ON patches.number = patch_hosts.patch
                JOIN patch_files ON patch_files.patch = patch_hosts.patch
                WHERE patch_hosts.hostname = ? AND completed IS NULL AND path = ?
                """)
        for file in patch.files {
            if let other = try String.fetchOne(statement, arguments: [host.name, file.path]) {
                throw StoreError.conflict(
                    "patch \(other), which waits for \(host), names \(file.path) as well")
            }
        }
    }

    static func insert(_ patch: Order, _ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO patches (id, submitted_at, statement, signature) VALUES (?, ?, ?, ?)",
            arguments: [
                patch.id, patch.submittedAt, patch.signed.map { Data($0.statement) },
                patch.signed.map { Data($0.signature) },
            ])
        let number = db.lastInsertedRowID
        for (position, file) in patch.files.enumerated() {
            try db.execute(
                sql: "INSERT INTO patch_files (patch, position, path, mode, content) VALUES (?, ?, ?, ?, ?)",
                arguments: [number, position, file.path, file.mode, Data(file.content)])
        }
        let hosts =
            patch.pendingHosts.map { ($0, nil as Int?) }
            + patch.completedHosts.enumerated().map { ($0.element, $0.offset) }
        for (position, (host, completed)) in hosts.enumerated() {
            var values = columns(of: patch.receipts[host])
            values["patch"] = number
            values["position"] = position
            values["host"] = host.name
            values.updateValue(completed, forKey: "completed")
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO patch_hosts
                        (patch, position, hostname, completed, state, attempts, returncode, reason, heard_at)
                    VALUES (:patch, :position, :host, :completed, :state, :attempts, :returncode, :reason, :heard_at)
                    """, arguments: StatementArguments(values))
        }
    }

    private static func hosts(of patch: Int64, isCompleted: Bool, _ db: Database) throws -> [Hostname] {
        let names = try String.fetchAll(
            db,
            sql: isCompleted
                ? "SELECT hostname FROM patch_hosts WHERE patch = ? AND completed IS NOT NULL ORDER BY completed"
                : "SELECT hostname FROM patch_hosts WHERE patch = ? AND completed IS NULL ORDER BY position",
            arguments: [patch])
        return try names.map { try Hostname(stored: $0) }
    }

    static func patch(_ number: Int64, withContent: Bool, _ db: Database) throws -> Order {
        let head = try Row.fetchOne(
            db, sql: "SELECT id, submitted_at, statement, signature FROM patches WHERE number = ?",
            arguments: [number])
        guard let head else {
            throw StoreError.corrupt(reason: "hosts are named for a patch that is not there")
        }
        let content = withContent ? "content" : "x''"
        let files = try Row.fetchAll(
            db, sql: "SELECT path, mode, \(content) FROM patch_files WHERE patch = ? ORDER BY position",
            arguments: [number])
        let statement: Data? = try head.decode(atIndex: 2)
        let signature: Data? = try head.decode(atIndex: 3)
        return Order(
            id: try head.decode(atIndex: 0), submittedAt: try head.decode(atIndex: 1),
            files: try files.map { file in
                Order.File(
                    path: try file.decode(atIndex: 0), mode: try file.decode(atIndex: 1),
                    content: [UInt8](try file.decode(Data.self, atIndex: 2)))
            },
            pendingHosts: try hosts(of: number, isCompleted: false, db),
            completedHosts: try hosts(of: number, isCompleted: true, db),
            receipts: try receipts(of: number, db),
            signed: statement.flatMap { statement in
                signature.map { Order.Signed(statement: [UInt8](statement), signature: [UInt8]($0)) }
            })
    }
}
