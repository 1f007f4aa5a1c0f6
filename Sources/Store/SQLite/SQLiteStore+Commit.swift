import Foundation
import GRDB
import PDDocument
import PDProtocol

// Runs on GRDB's writer queue, one group after the other.
extension SQLiteStore {
    /// Has everything that waits committed, and whatever comes meanwhile after that.
    func startCommit() {
        // The queue keeps the order, so that other writes get their turn between two groups.
        pool.asyncWriteWithoutTransaction { [self] db in
            let group = submissions.takeGroup()
            // The first may have waited through the failure of the group before.
            let waited = group.first.map { .now - $0.since } ?? .zero
            let patience = min(busyTimeout, max(.zero, busyTimeout * 2 - waited))
            let answers = turns.write(patience: patience) { Self.commit(group.map(\.report), db) }
            for (entry, answer) in zip(group, answers) { entry.caller.resume(returning: answer) }
            if submissions.finishGroup() { startCommit() }
        }
    }

    /// Writes the reports in one transaction. A report that cannot be written fails alone; where the transaction
    /// fails, all do.
    private static func commit(
        _ reports: [HostReport], _ db: Database
    ) -> [Result<SubmissionReceipt, StoreError>] {
        var refused: [Int: StoreError] = [:]
        while true {
            var answers: [Result<SubmissionReceipt, StoreError>] = []
            answers.reserveCapacity(reports.count)
            do {
                try db.inTransaction(.immediate) {
                    for (index, report) in reports.enumerated() {
                        if let error = refused[index] {
                            answers.append(.failure(error))
                        } else {
                            answers.append(try write(report, number: index, db))
                        }
                    }
                    return .commit
                }
                return answers
            } catch let refusal as Refusal {
                // All was undone: once more, without it. Where many are refused, it is not their fault.
                refused[refusal.number] = refusal.error
                guard refused.count > 16 else { continue }
                return Array(repeating: .failure(refusal.error), count: reports.count)
            } catch {
                return Array(repeating: .failure(StoreError(sqlite: error)), count: reports.count)
            }
        }
    }

    /// A report that spoiled the transaction, and will spoil the next one as well.
    private struct Refusal: Error {
        let number: Int
        let error: StoreError
    }

    private static func write(
        _ report: HostReport, number: Int, _ db: Database
    ) throws -> Result<SubmissionReceipt, StoreError> {
        do {
            let known = try Known(report.hostname, db)
            let effect = try report.effect(on: known?.document) { try Self.departed(report.hostname, db) }
            let id = try store(effect, of: report, known: known, db)
            return .success(
                SubmissionReceipt(id: id, disposition: effect.disposition, differences: effect.differences))
        } catch let error as StoreError {
            // Found out before anything of it was written.
            return .failure(error)
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_CONSTRAINT
        {
            // Half of it may have been written; and after it has met a damaged page, SQLite writes nothing more in the
            // same transaction.
            throw Refusal(number: number, error: StoreError(sqlite: error))
        }
    }

    /// A host as it stands in the table.
    private struct Known {
        let number: Int64
        let id: HostID
        let document: Document

        init?(_ hostname: Hostname, _ db: Database) throws {
            let statement = try db.cachedStatement(
                sql: "SELECT number, id, document FROM hosts WHERE hostname = ?")
            // A cursor, since the row that it lends has not copied the document.
            let rows = try Row.fetchCursor(statement, arguments: [hostname.name])
            guard let row = try rows.next() else { return nil }
            number = try row.decode(atIndex: 0)
            id = try HostID(stored: row.decode(atIndex: 1))
            document = try row.document(2)
        }
    }

    private static func store(
        _ effect: HostReport.Effect, of report: HostReport, known: Known?, _ db: Database
    ) throws -> HostID {
        guard let known else {
            let id = try Self.freeID(for: report.hostname, db)
            guard let document = effect.document else { return id }
            let sql = "INSERT INTO hosts (id, hostname, submitted_at, document) VALUES (?, ?, ?, ?)"
            try db.cachedStatement(sql: sql).execute(arguments: [
                id.text, report.hostname.name, report.submittedAt, Data(document.bson),
            ])
            return id
        }
        guard let document = effect.document else { return known.id }
        try db.cachedStatement(sql: "UPDATE hosts SET submitted_at = ?, document = ? WHERE number = ?")
            .execute(arguments: [report.submittedAt, Data(document.bson), known.number])
        for change in effect.changes {
            let sql = """
                INSERT INTO audit_trail (host, audited_at, hostname, key, kind, content) VALUES (?, ?, ?, ?, ?, ?)
                """
            try db.cachedStatement(sql: sql).execute(arguments: [
                known.number, report.submittedAt, report.hostname.name, change.key, change.kind.rawValue,
                Data(change.content.bson),
            ])
        }
        return known.id
    }

    /// The identifier that its name gives, unless a host has it that was renamed since.
    private static func freeID(for hostname: Hostname, _ db: Database) throws -> HostID {
        let derived = HostID(v1: hostname)
        let isTaken = try db.cachedStatement(sql: "SELECT 1 FROM hosts WHERE id = ?")
        return try Int.fetchOne(isTaken, arguments: [derived.text]) == nil ? derived : try HostID.random()
    }
}
