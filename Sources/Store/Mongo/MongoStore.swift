import CMongoC
import Dispatch
import PDDocument
import PDProtocol

/// A fleet in a MongoDB database, for several servers at once.
///
/// Every write is a transaction with write concern `majority`, read in a snapshot; two that meet are done one after the
/// other. So the database has to be a replica set, of one server at least, or a sharded cluster.
///
/// No call blocks a thread of Swift's concurrency or of an event loop: libmongoc runs on a bounded number of threads of
/// the store's own, with a client of its pool each.
public final class MongoStore: FleetStore {
    /// How the database is reached.
    public let settings: MongoSettings
    private let pool: ClientPool
    private let threads: WorkerThreads
    private let useCount = UseCount()
    private let closing = DispatchQueue(label: "PDStore.mongo.closing")

    private init(settings: MongoSettings, pool: ClientPool) {
        self.settings = settings
        self.pool = pool
        threads = WorkerThreads(
            count: settings.connections, maximumWaiting: settings.maximumWaiting, patience: settings.patience)
    }

    /// Where nobody closed it. The pool closes its connections when the last call has let go of it.
    deinit { threads.stop() }

    /// Opens the database, and makes collections and indices where they are missing. Documents that are there are left
    /// as they are.
    ///
    /// - Parameter mustHoldFleet: whether a database without a fleet is an error, instead of a new one.
    /// - Throws: ``StoreError/unavailable(reason:)`` where it cannot be reached; ``StoreError/newerSchema(found:supported:)``
    ///   where a newer version wrote it, and ``StoreError/conflict(_:)`` where it has no transactions: it is not touched
    ///   then.
    public static func open(
        _ settings: MongoSettings, mustHoldFleet: Bool = false
    ) async throws(StoreError) -> MongoStore {
        let store = try unchecked(settings)
        do {
            try await store.call { connection in
                if mustHoldFleet, try connection.first(MongoSchema.hosts, where: [:]) == nil,
                    try connection.first(MongoSchema.meta, where: [:]) == nil
                {
                    throw StoreError.conflict("there is no fleet in the database \(settings.database)")
                }
                try MongoSchema.open(connection)
            }
        } catch {
            // The first error is the one to tell.
            try? await store.close()
            throw error
        }
        return store
    }

    /// A store whose database has not been looked at.
    static func unchecked(_ settings: MongoSettings) throws(StoreError) -> MongoStore {
        MongoStore(settings: settings, pool: try ClientPool(settings))
    }

    /// Finishes the calls that are under way, then closes all connections.
    public func close() async throws(StoreError) {
        await useCount.drain()
        threads.stop()
        await withCheckedContinuation { continuation in
            closing.async { [pool] in
                pool.destroy()
                continuation.resume()
            }
        }
    }

    // MARK: Calls

    /// Lends a connection to the body, on a thread that may block.
    func call<T: Sendable>(
        _ body: @escaping @Sendable (MongoConnection) throws -> T
    ) async throws(StoreError) -> T {
        guard useCount.enter() else { throw .unavailable(reason: "the store was closed") }
        defer { useCount.leave() }
        do {
            return try await threads.run { [pool, settings] in
                try pool.withClient { client in
                    try body(MongoConnection(client: client, database: settings.database))
                }
            }
        } catch {
            throw StoreError(mongo: error)
        }
    }

    /// Lends a connection whose work is written together or not at all. The body may run more than once.
    func transaction<T: Sendable>(
        _ body: @escaping @Sendable (MongoConnection) throws -> T
    ) async throws(StoreError) -> T {
        try await call { [settings] connection in
            try connection.transaction(retryTime: settings.retryTime, body)
        }
    }
}

/// libmongoc's pool of clients.
private final class ClientPool: Sendable {
    /// Nothing after the end.
    private let pointer: Locked<UncheckedPointer?>

    /// The pool may be used by any thread (<https://mongoc.org/libmongoc/1.23.1/mongoc_client_pool_t.html>).
    private struct UncheckedPointer: @unchecked Sendable {
        let pool: OpaquePointer
    }

    init(_ settings: MongoSettings) throws(StoreError) {
        let uri = try MongoURI(settings.uri)
        uri.setDefault(MONGOC_URI_SERVERSELECTIONTIMEOUTMS, Int32(clamping: settings.patience.milliseconds))
        uri.setDefault(MONGOC_URI_CONNECTTIMEOUTMS, Int32(clamping: settings.patience.milliseconds))
        // The library's own is five minutes, in which a server that hangs holds a thread.
        uri.setDefault(MONGOC_URI_SOCKETTIMEOUTMS, 30_000)
        uri.setDefault(MONGOC_URI_HEARTBEATFREQUENCYMS, 2_000)
        var error = bson_error_t()
        guard let pool = mongoc_client_pool_new_with_error(uri.pointer, &error) else {
            throw .conflict("database: \(MongoFailure(error, document: nil).reason)")
        }
        mongoc_client_pool_max_size(pool, UInt32(clamping: settings.connections))
        mongoc_client_pool_set_error_api(pool, 2)
        mongoc_client_pool_set_appname(pool, "penguindome")
        pointer = Locked(UncheckedPointer(pool: pool))
    }

    deinit { destroy() }

    /// There is a client for each thread, so that nobody waits here.
    func withClient<T>(_ body: (OpaquePointer) throws -> T) throws -> T {
        guard let pool = pointer.withLock({ $0 })?.pool, let client = mongoc_client_pool_pop(pool) else {
            throw StoreError.unavailable(reason: "the store was closed")
        }
        defer { mongoc_client_pool_push(pool, client) }
        return try body(client)
    }

    /// Closes all connections. Nobody may be using one.
    func destroy() {
        let pool = pointer.withLock { pointer in
            defer { pointer = nil }
            return pointer
        }
        if let pool { mongoc_client_pool_destroy(pool.pool) }
    }
}

extension Duration {
    /// Whole milliseconds.
    fileprivate var milliseconds: Int64 { Int64(self / .milliseconds(1)) }
}
