import Dispatch
import Foundation
import GRDB
import PDProtocol

/// A fleet in one SQLite file, for a server that stands alone.
///
/// Any number of processes may use the file at once. Readers see the state of the last commit and never wait; writers
/// wait for each other, up to ``Settings/busyTimeout``.
///
/// Durability: write-ahead log with `synchronous=FULL`, so every commit ends with `fsync`. Submissions that come while
/// a commit is under way share the next one, in the order in which they came, and are answered after it: under load
/// one `fsync` serves many. One that cannot be stored fails alone; where the commit fails, all of its group fail, and
/// none of it is stored.
///
/// No call blocks a thread of Swift's concurrency or of an event loop: SQLite runs on GRDB's own queues.
public final class SQLiteStore: FleetStore {
    /// How the store deals with others and with overload.
    public struct Settings: Sendable {
        /// Whether the database must be there already, as a tool wants it that only looks.
        public var mustExist = false
        /// How long a write waits while another process writes, before it fails as unavailable. A submission may wait
        /// through the failure of the group before its own, so at most twice as long.
        public var busyTimeout: Duration = .seconds(5)
        /// How many submissions may wait for a commit; one more fails as unavailable.
        public var maximumWaiting = 1024
        /// How many bytes the waiting submissions may take together, or one alone more.
        public var maximumWaitingBytes = 64 << 20

        /// The settings that fit a server.
        public init() {}
    }

    /// Where the database lies.
    public let path: String
    let pool: DatabasePool
    let useCount = UseCount()
    let submissions: SubmissionQueue
    let turns: WriterTurns
    let busyTimeout: Duration
    /// One after the other, where several callers close.
    private let closing = DispatchQueue(label: "PDStore.closing")

    private init(path: String, pool: DatabasePool, turns: WriterTurns, settings: Settings) {
        self.path = path
        self.pool = pool
        self.turns = turns
        busyTimeout = settings.busyTimeout
        submissions = SubmissionQueue(
            maximumCount: settings.maximumWaiting, maximumBytes: settings.maximumWaitingBytes)
    }

    /// Opens the database, and makes it where there is none, unless ``Settings/mustExist``: the file with mode 0600, its
    /// directory, where that is missing too, with 0700. Modes of what exists are left alone.
    ///
    /// - Throws: ``StoreError/newerSchema(found:supported:)`` where a newer version wrote it; it is not touched then.
    public static func open(
        path: String, settings: Settings = Settings()
    ) async throws(StoreError) -> SQLiteStore {
        let turns = WriterTurns(timeout: settings.busyTimeout)
        let pool = await blocking(on: DispatchQueue(label: "PDStore.opening")) {
            () throws(StoreError) -> DatabasePool in
            if !settings.mustExist { try createFile(path) }
            return try connect(path, turns, settings: settings)
        }
        return SQLiteStore(path: path, pool: try pool.get(), turns: turns, settings: settings)
    }

    /// Commits what waits, then closes all connections.
    public func close() async throws(StoreError) {
        await useCount.drain()
        try await blocking(on: closing) { [pool] () throws(StoreError) in
            do {
                // The last connection to go writes the log back and removes it, unless it can only read.
                pool.invalidateReadOnlyConnections()
                try pool.close()
            } catch { throw StoreError(sqlite: error) }
        }.get()
    }

    /// Runs a call against the database, unless the store was closed.
    func use<T: Sendable>(_ body: () async throws -> T) async throws(StoreError) -> T {
        guard useCount.enter() else { throw .unavailable(reason: "the store was closed") }
        defer { useCount.leave() }
        do { return try await body() } catch { throw StoreError(sqlite: error) }
    }
}

// MARK: - Opening

/// Runs blocking work on a thread of Dispatch, which makes one where all are blocked.
private func blocking<T: Sendable>(
    on queue: DispatchQueue, _ work: @escaping @Sendable () throws(StoreError) -> T
) async -> Result<T, StoreError> {
    await withCheckedContinuation { continuation in
        queue.async {
            continuation.resume(returning: Result(catching: work))
        }
    }
}

extension SQLiteStore {
    private static func createFile(_ path: String) throws(StoreError) {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .unavailable(
                reason: "cannot make the directory \(directory): \(error.localizedDescription)")
        }
        let file = Glibc.open(path, O_CREAT | O_EXCL | O_CLOEXEC | O_RDWR, 0o600)
        guard file >= 0 else {
            if errno == EEXIST { return }
            throw .unavailable(reason: "cannot make \(path): \(String(cString: strerror(errno)))")
        }
        Glibc.close(file)
    }

    private static func connect(
        _ path: String, _ turns: WriterTurns, settings: Settings
    ) throws(StoreError) -> DatabasePool {
        let deadline = ContinuousClock.now + settings.busyTimeout
        while true {
            do {
                return try connectOnce(path, turns, settings: settings)
            } catch let error as DatabaseError
                where error.resultCode == .SQLITE_BUSY && ContinuousClock.now < deadline
            {
                // Turning a new file into one with a write-ahead log fails at once, without SQLite's own waiting,
                // where another process is about to do the same.
                usleep(20_000)
            } catch {
                switch StoreError(sqlite: error) {
                case .unavailable(let reason): throw .unavailable(reason: "\(path): \(reason)")
                case .corrupt(let reason): throw .corrupt(reason: "\(path): \(reason)")
                case let other: throw other
                }
            }
        }
    }

    private static func connectOnce(
        _ path: String, _ turns: WriterTurns, settings: Settings
    ) throws -> DatabasePool {
        var configuration = GRDB.Configuration()
        configuration.label = "PDStore"
        configuration.busyMode = turns.busyMode

        // First a look that cannot change anything, and that fails where there is no file.
        var readOnly = configuration
        readOnly.readonly = true
        let isCurrent = try DatabaseQueue(path: path, configuration: readOnly).read { db in
            let missing = try SQLiteSchema.missingSteps(db)
            // What an interrupted copy leaves: to take it for a new database would be to take nothing for the fleet.
            guard !settings.mustExist || missing.count < SQLiteSchema.version else {
                throw StoreError.corrupt(reason: "the file is empty")
            }
            return missing.isEmpty
        }

        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { db in
            // After GRDB, which sets NORMAL: there a commit could be lost with the power.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            // The log stays as long as it once was, unless told otherwise.
            try db.execute(sql: "PRAGMA journal_size_limit = 67108864")
            // Tools open a database while others write to it: no lock where none is needed.
            guard !isCurrent else { return }
            try db.inTransaction(.immediate) {
                try SQLiteSchema.migrate(db)
                return .commit
            }
        }
        return pool
    }
}
