import CMongoC
import Glibc
import PDDocument

/// What libmongoc and libbson need, in one place.
enum LibMongoC {
    private static let started: Void = {
        // The library would write to standard error by itself. What matters comes back as an error.
        mongoc_log_set_handler({ _, _, _, _ in }, nil)
        mongoc_init()
    }()

    /// To be called before anything else of the library; the first call starts it.
    static func ready() { _ = started }
}

/// A document as libbson holds it.
struct MongoDocument: ~Copyable {
    let pointer: OpaquePointer

    init(_ document: Document) throws(MongoFailure) {
        let made = document.withUnsafeBytes { bytes in
            bson_new_from_data(bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count)
        }
        guard let made else { throw MongoFailure("a document could not be handed to libbson") }
        pointer = made
    }

    deinit { bson_destroy(pointer) }
}

/// Room for an answer, which libmongoc fills in. A `bson_t` takes 128 bytes and is aligned to 128.
struct MongoReply: ~Copyable {
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
    let pointer: OpaquePointer

    init() {
        pointer = OpaquePointer(memory)
        bson_init(pointer)
    }

    /// What was filled in.
    func document() throws(MongoFailure) -> Document { try Document(libbson: pointer) }

    deinit {
        bson_destroy(pointer)
        memory.deallocate()
    }
}

extension Document {
    /// A copy of what libbson holds, checked.
    init(libbson pointer: OpaquePointer) throws(MongoFailure) {
        guard let data = bson_get_data(pointer) else { throw MongoFailure("an answer is empty") }
        let start = UnsafeRawPointer(data)
        let count = Int(UInt32(littleEndian: start.loadUnaligned(as: UInt32.self)))
        do {
            try self.init(bson: Array(UnsafeRawBufferPointer(start: start, count: count)))
        } catch {
            throw MongoFailure(corrupt: "\(error)")
        }
    }
}

/// What went wrong in libmongoc or on the server.
struct MongoFailure: Error {
    /// The server's or the library's number for it; 0 where it has none.
    let code: Int
    let reason: String
    /// The server's hints what to do about it.
    let labels: Set<String>
    let isCorrupt: Bool

    init(_ reason: String, code: Int = 0, labels: Set<String> = []) {
        self.code = code
        self.reason = reason
        self.labels = labels
        isCorrupt = false
    }

    init(corrupt reason: String) {
        code = 0
        self.reason = reason
        labels = []
        isCorrupt = true
    }

    init(_ error: bson_error_t, reply: borrowing MongoReply) {
        self.init(error, document: try? reply.document())
    }

    /// - Parameter document: what the server answered, where it did; a failure without an answer has no labels.
    init(_ error: bson_error_t, document: Document?) {
        let reason = withUnsafeBytes(of: error.message) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let labels = document?["errorLabels"]?.array ?? []
        self.init(reason, code: Int(error.code), labels: Set(labels.compactMap(\.string)))
    }

    /// A unique index does not allow it.
    var isDuplicate: Bool { code == 11000 || code == 11001 }

    /// A document or command was larger than the server takes.
    var isTooLarge: Bool { code == 10334 || code == 17419 || code == 17420 }

    /// Everything was undone, and may be tried again.
    var isTransient: Bool { labels.contains("TransientTransactionError") }

    /// Whether a transaction was committed is not known; committing again finds out.
    var hasUnknownOutcome: Bool { labels.contains("UnknownTransactionCommitResult") }
}

extension StoreError {
    /// What a failure in libmongoc or on the server means to a caller.
    /// What does not pass by waiting: no right (13), a wrong user or password (18; 11 is libmongoc's own), a pattern that
    /// is refused (51091).
    private static let refusals: Set<Int> = [11, 13, 18, 51091]

    init(mongo error: any Error) {
        switch error {
        case let error as StoreError: self = error
        case let error as MongoFailure:
            self =
                error.isCorrupt
                ? .corrupt(reason: error.reason)
                : Self.refusals.contains(error.code)
                    ? .conflict("the database refuses: \(error.reason)") : .unavailable(reason: error.reason)
        case is CancellationError: self = .unavailable(reason: "the request was cancelled")
        default: self = .unavailable(reason: "\(error)")
        }
    }
}
