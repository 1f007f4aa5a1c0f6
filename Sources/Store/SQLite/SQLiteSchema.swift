import GRDB

/// The tables, and how databases of earlier versions get them.
///
/// The version stands in `user_version`, the owner in `application_id` (<https://www.sqlite.org/pragma.html>). Both are
/// read and the missing steps taken in one transaction, so that two processes may open a new database at once.
/// (GRDB's own migrator looks before it locks, and the second of two processes fails.)
enum SQLiteSchema {
    /// "PDom": what `file` and a careful program know the database by.
    static let applicationID: Int32 = 0x5044_6F6D

    /// The version that this software writes.
    static var version: Int { steps.count }

    /// Step n leads from version n to version n + 1. A step that was released is never changed.
    static let steps = [
        """
        CREATE TABLE hosts (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            hostname TEXT NOT NULL UNIQUE,
            submitted_at INTEGER NOT NULL,
            document BLOB NOT NULL
        ) STRICT;

        CREATE TABLE audit_trail (
            number INTEGER PRIMARY KEY,
            host INTEGER NOT NULL REFERENCES hosts (number) ON DELETE CASCADE,
            audited_at INTEGER NOT NULL,
            hostname TEXT NOT NULL,
            key TEXT NOT NULL,
            kind TEXT NOT NULL,
            content BLOB NOT NULL
        ) STRICT;
        CREATE INDEX audit_trail_by_host ON audit_trail (host, number);

        CREATE TABLE issues (
            number INTEGER PRIMARY KEY,
            host INTEGER NOT NULL REFERENCES hosts (number) ON DELETE CASCADE,
            check_name TEXT NOT NULL,
            opened_at INTEGER NOT NULL,
            alerted_at INTEGER,
            closed_at INTEGER
        ) STRICT;
        CREATE UNIQUE INDEX open_issues ON issues (check_name, host) WHERE closed_at IS NULL;
        CREATE INDEX issues_by_host ON issues (host);
        """,
        """
        CREATE TABLE patches (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            submitted_at INTEGER NOT NULL,
            statement BLOB,
            signature BLOB
        ) STRICT;

        CREATE TABLE patch_files (
            patch INTEGER NOT NULL REFERENCES patches (number) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            path TEXT NOT NULL,
            mode INTEGER NOT NULL,
            content BLOB NOT NULL,
            PRIMARY KEY (patch, position)
        ) STRICT, WITHOUT ROWID;

        -- By name, since a patch may wait for a host that has not reported yet, and is kept when a host is gone.
        CREATE TABLE patch_hosts (
            patch INTEGER NOT NULL REFERENCES patches (number) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            hostname TEXT NOT NULL,
            completed INTEGER,
            PRIMARY KEY (patch, hostname)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX pending_patches ON patch_hosts (hostname, patch) WHERE completed IS NULL;

        CREATE TABLE parameters (
            hostname TEXT NOT NULL,
            name TEXT NOT NULL,
            position INTEGER NOT NULL,
            value TEXT NOT NULL,
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (hostname, name, position)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE leases (
            name TEXT PRIMARY KEY,
            holder TEXT NOT NULL,
            ends_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """,
        """
        -- What else is known of an issue, as BSON; nothing where that is nothing.
        ALTER TABLE issues ADD COLUMN details BLOB;
        CREATE INDEX issues_by_time ON issues (closed_at, opened_at);

        CREATE TABLE records (
            collection TEXT NOT NULL,
            id TEXT NOT NULL,
            document BLOB NOT NULL,
            PRIMARY KEY (collection, id)
        ) STRICT, WITHOUT ROWID;
        """,
        """
        -- What a host said last became of an order; nothing where it has said nothing, or only what version 1 says.
        ALTER TABLE patch_hosts ADD COLUMN state TEXT;
        ALTER TABLE patch_hosts ADD COLUMN attempts INTEGER;
        ALTER TABLE patch_hosts ADD COLUMN returncode INTEGER;
        ALTER TABLE patch_hosts ADD COLUMN reason TEXT;
        ALTER TABLE patch_hosts ADD COLUMN heard_at INTEGER;
        """,
    ]

    /// The steps that the database still lacks. To be called in a transaction.
    ///
    /// - Throws: ``StoreError/newerSchema(found:supported:)``, or ``StoreError/corrupt(reason:)`` for a database of
    ///   another program.
    static func missingSteps(_ db: Database) throws -> ArraySlice<String> {
        let owner = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard owner == applicationID else {
            let isEmpty = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") == 0
            guard owner == 0, found == 0, isEmpty else {
                throw StoreError.corrupt(reason: "the file is the database of another program")
            }
            return steps[...]
        }
        guard found <= version else { throw StoreError.newerSchema(found: found, supported: version) }
        guard found >= 0 else { throw StoreError.corrupt(reason: "the schema version is negative") }
        return steps[found...]
    }

    /// Brings the database to the current version. To be called in a transaction that may write.
    static func migrate(_ db: Database) throws {
        for step in try missingSteps(db) { try db.execute(sql: step) }
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        try db.execute(sql: "PRAGMA user_version = \(version)")
    }
}
