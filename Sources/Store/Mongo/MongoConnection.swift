import CMongoC
import PDDocument

/// One client of libmongoc, borrowed by one thread for one call.
///
/// Everything that is sent is built from fixed names and BSON values. Text of peers is a value, never a name.
struct MongoConnection {
    let client: OpaquePointer
    let database: String
    /// Set inside of a transaction.
    var session: OpaquePointer?

    private func options(_ options: Document = [:]) throws -> MongoDocument {
        let made = try MongoDocument(options)
        var error = bson_error_t()
        guard let session else { return made }
        guard mongoc_client_session_append(session, made.pointer, &error) else {
            throw MongoFailure(error, document: nil)
        }
        return made
    }

    // MARK: Commands

    /// Runs a command on the primary. What it could not write is an error.
    @discardableResult
    func run(_ command: Document, on other: String? = nil) throws -> Document {
        let command = try MongoDocument(command)
        let options = try options()
        let reply = MongoReply()
        var error = bson_error_t()
        guard
            mongoc_client_command_with_opts(
                client, other ?? database, command.pointer, nil, options.pointer, reply.pointer, &error)
        else { throw MongoFailure(error, reply: reply) }
        let answer = try reply.document()
        let refused = answer["writeErrors"]?.array?.first?.document ?? answer["writeConcernError"]?.document
        if let refused {
            throw MongoFailure(
                refused["errmsg"]?.string ?? "a write was refused", code: refused["code"]?.integer ?? 0,
                labels: Set((answer["errorLabels"]?.array ?? []).compactMap(\.string)))
        }
        return answer
    }

    /// Adds documents, in as many commands as their size asks for.
    func insert(_ documents: [Document], into collection: String) throws {
        var batch: [Value] = []
        var bytes = 0
        for document in documents {
            if !batch.isEmpty, bytes + document.byteCount > 8 << 20 || batch.count == 1000 {
                try run(["insert": .string(collection), "documents": .array(batch)])
                batch = []
                bytes = 0
            }
            batch.append(.document(document))
            bytes += document.byteCount
        }
        if !batch.isEmpty { try run(["insert": .string(collection), "documents": .array(batch)]) }
    }

    /// Changes the documents that a filter picks; the answer is how many it picked.
    @discardableResult
    func update(
        _ collection: String, where filter: Document, _ change: Document, all: Bool = false
    ) throws -> Int {
        try run([
            "update": .string(collection),
            "updates": [["q": .document(filter), "u": .document(change), "multi": .bool(all)]],
        ])["n"]?.integer ?? 0
    }

    /// Removes the documents that a filter picks; the answer is how many.
    @discardableResult
    func delete(_ collection: String, where filter: Document) throws -> Int {
        try run(["delete": .string(collection), "deletes": [["q": .document(filter), "limit": 0]]])["n"]?
            .integer ?? 0
    }

    // MARK: Reading

    /// How long the server may work at one query, in milliseconds: a pattern in it may be one that never ends.
    static let maximumQueryMilliseconds = 20_000

    /// Lends each document that a filter picks, until `body` says that it has enough.
    ///
    /// - Parameter options: `sort`, `projection`, `limit` and the like.
    func forEach(
        _ collection: String, where filter: Document, _ options: Document = [:],
        _ body: (Document) throws -> Bool
    ) throws {
        let filter = try MongoDocument(filter)
        // A transaction has a read concern of its own.
        let bounded = options.setting("maxTimeMS", to: .int(Self.maximumQueryMilliseconds))
        let options = try self.options(
            session == nil ? bounded.setting("readConcern", to: ["level": "majority"]) : bounded)
        guard let collection = mongoc_client_get_collection(client, database, collection) else {
            throw MongoFailure("a collection could not be opened")
        }
        defer { mongoc_collection_destroy(collection) }
        guard let cursor = mongoc_collection_find_with_opts(collection, filter.pointer, options.pointer, nil)
        else {
            throw MongoFailure("a query could not be made")
        }
        defer { mongoc_cursor_destroy(cursor) }
        var found: OpaquePointer?
        while mongoc_cursor_next(cursor, &found) {
            guard let found else { break }
            guard try body(Document(libbson: found)) else { return }
        }
        var error = bson_error_t()
        var answer: OpaquePointer?
        if mongoc_cursor_error_document(cursor, &error, &answer) {
            throw MongoFailure(error, document: try answer.map { try Document(libbson: $0) })
        }
    }

    /// All documents that a filter picks.
    func all(
        _ collection: String, where filter: Document, _ options: Document = [:]
    ) throws -> [Document] {
        var documents: [Document] = []
        try forEach(collection, where: filter, options) {
            documents.append($0)
            return true
        }
        return documents
    }

    /// The first document that a filter picks.
    func first(
        _ collection: String, where filter: Document, _ options: Document = [:]
    ) throws -> Document? {
        try all(collection, where: filter, options.setting("limit", to: .int64(1))).first
    }
}

// MARK: - Transactions

extension MongoConnection {
    /// Does what the body does together or not at all. Where it meets another transaction, it is done again.
    ///
    /// - Parameter retryTime: for how long.
    func transaction<T>(retryTime: Duration, _ body: (MongoConnection) throws -> T) throws -> T {
        let deadline = ContinuousClock.now + retryTime
        var pause: UInt32 = 1000
        /// Waits before it is done again; false where the time is up.
        func mayRetry() -> Bool {
            guard ContinuousClock.now < deadline else { return false }
            usleep(UInt32.random(in: pause / 2...pause))
            pause = min(pause * 2, 64_000)
            return true
        }
        var error = bson_error_t()
        guard let session = mongoc_client_start_session(client, nil, &error) else {
            throw MongoFailure(error, document: nil)
        }
        defer { mongoc_client_session_destroy(session) }
        var inside = self
        inside.session = session
        while true {
            try Self.begin(session)
            do {
                let result = try body(inside)
                try Self.commit(session, mayRetry: mayRetry)
                return result
            } catch {
                // What cannot be undone now is undone by the server when it gives up on the session. Does nothing
                // after a commit.
                mongoc_client_session_abort_transaction(session, nil)
                guard let failure = error as? MongoFailure, failure.isTransient, mayRetry() else {
                    throw error
                }
            }
        }
    }

    /// Snapshot reads, and a write that a majority of the servers has.
    private static func begin(_ session: OpaquePointer) throws {
        let options = mongoc_transaction_opts_new()
        let reads = mongoc_read_concern_new()
        let writes = mongoc_write_concern_new()
        defer {
            mongoc_transaction_opts_destroy(options)
            mongoc_read_concern_destroy(reads)
            mongoc_write_concern_destroy(writes)
        }
        mongoc_read_concern_set_level(reads, "snapshot")
        mongoc_write_concern_set_wmajority(writes, 10_000)
        mongoc_transaction_opts_set_read_concern(options, reads)
        mongoc_transaction_opts_set_write_concern(options, writes)
        var error = bson_error_t()
        guard mongoc_client_session_start_transaction(session, options, &error) else {
            throw MongoFailure(error, document: nil)
        }
    }

    private static func commit(_ session: OpaquePointer, mayRetry: () -> Bool) throws {
        while true {
            let reply = MongoReply()
            var error = bson_error_t()
            if mongoc_client_session_commit_transaction(session, reply.pointer, &error) { return }
            let failure = MongoFailure(error, reply: reply)
            guard failure.hasUnknownOutcome else { throw failure }
            guard mayRetry() else {
                throw MongoFailure(
                    "\(failure.reason); whether it was written is not known", code: failure.code)
            }
        }
    }
}
