import Foundation
import GRDB
import PDDocument
import PDProtocol
import PDQuery

extension SQLiteStore {
    /// Has the report written with the next commit, and answers after it.
    public func record(
        _ submission: V1.Submission, submittedAt: Int64
    ) async throws(StoreError) -> SubmissionReceipt {
        let report = HostReport(submission, submittedAt: submittedAt)
        return try await use {
            try await withCheckedContinuation { caller in
                switch submissions.offer(SubmissionQueue.Entry(report: report, caller: caller)) {
                case .queued: break
                case .first: startCommit()
                case .full:
                    caller.resume(
                        returning: .failure(.unavailable(reason: "too many submissions wait to be written")))
                }
            }.get()
        }
    }

    /// The host of that name or identifier.
    public func host(_ nameOrID: String) async throws(StoreError) -> FleetHost? {
        try await use {
            try await pool.read { db in
                let select = "SELECT id, hostname, submitted_at, document FROM hosts WHERE "
                // The identifier first: a host may call itself like another one's. What is neither an identifier nor
                // a name stays away from SQLite, which ends text at its first NUL.
                if let id = HostID(nameOrID),
                    let row = try Row.fetchOne(db, sql: select + "id = ?", arguments: [id.text])
                {
                    return try FleetHost(row)
                }
                guard let hostname = Hostname(nameOrID),
                    let row = try Row.fetchOne(db, sql: select + "hostname = ?", arguments: [hostname.name])
                else { return nil }
                return try FleetHost(row)
            }
        }
    }

    /// Goes over hosts in one snapshot, without holding more than one.
    public func reduceHosts<Result: Sendable>(
        where query: Query?, into initial: Result,
        _ body: @escaping @Sendable (inout Result, FleetHost) -> Void
    ) async throws(StoreError) -> Result {
        try await use {
            try await pool.read { db in
                var result = initial
                let rows = try Row.fetchCursor(
                    db, sql: "SELECT id, hostname, submitted_at, document FROM hosts ORDER BY hostname")
                while let row = try rows.next() {
                    let document = try row.document(3)
                    if try query?.matches(document) ?? true {
                        body(&result, try FleetHost(row, document: document))
                    }
                }
                return result
            }
        }
    }
}

// MARK: - Rows

extension Row {
    /// The document in a column.
    func document(_ column: Int) throws -> Document {
        let bytes = try withUnsafeData(atIndex: column) { data in data.map([UInt8].init) ?? [] }
        do {
            return try Document(bson: bytes)
        } catch {
            throw StoreError.corrupt(reason: "\(error)")
        }
    }
}

extension HostID {
    init(stored text: String) throws {
        guard let id = HostID(text) else {
            throw StoreError.corrupt(reason: "a host has a malformed identifier")
        }
        self = id
    }
}

extension Hostname {
    init(stored text: String) throws {
        guard let hostname = Hostname(text) else {
            throw StoreError.corrupt(reason: "a host has a malformed name")
        }
        self = hostname
    }
}

extension FleetHost {
    /// From the columns id, hostname, submitted_at, document.
    init(_ row: Row) throws {
        try self.init(row, document: row.document(3))
    }

    fileprivate init(_ row: Row, document: Document) throws {
        self.init(
            id: try HostID(stored: row.decode(atIndex: 0)),
            hostname: try Hostname(stored: row.decode(atIndex: 1)),
            submittedAt: try row.decode(atIndex: 2), document: document)
    }
}
