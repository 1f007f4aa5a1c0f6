import PDDocument

/// A condition on a host in MongoDB's query language, checked and compiled once when it is made.
///
/// It means what it means to MongoDB, and is evaluated on the bytes of a document without allocating for it. What
/// MongoDB would accept and this does not is refused with an error when the query is made, never read differently.
///
/// Language: <https://www.mongodb.com/docs/manual/reference/operator/query/>; the part that is understood:
/// `docs/query.md`.
public struct Query: Sendable {
    /// The query for a database that understands it, with `$date` and `$ago` replaced by points in time.
    public let document: Document
    let filter: Filter

    /// Compiles a query.
    ///
    /// - Parameters:
    ///   - document: the query.
    ///   - now: what `{"$ago": "1d"}` counts back from, in milliseconds since 1970-01-01 UTC. Without it, `$ago` is
    ///     an error.
    /// - Throws: ``QueryError`` that names the operator or value and its place.
    public init(_ document: Document, now: Int64? = nil) throws(QueryError) {
        self.document = try TimeLiterals(now: now).resolve(document, at: [])
        filter = try QueryParser.filter(self.document, at: [])
    }

    /// Compiles a query that is written as JSON.
    ///
    /// - Throws: ``QueryError``, also where the text is not a JSON object.
    public init(json: String, now: Int64? = nil) throws(QueryError) {
        let document: Document
        do {
            document = try Document(json: Array(json.utf8))
        } catch {
            throw QueryError(.notJSON(error), at: [])
        }
        try self.init(document, now: now)
    }

    /// Whether the document fulfils the condition.
    ///
    /// - Throws: ``PatternError`` where a regular expression would take more than its limits: then that is
    ///   not known.
    public func matches(_ host: Document) throws(PatternError) -> Bool {
        try host.withUnsafeBytes { (bytes) throws(PatternError) in try filter.matches(bytes) }
    }
}

/// Many queries that are put to each document in one pass over its bytes.
public struct QuerySet: Sendable {
    private let paths: PathTable
    private let queries: [(condition: Condition<FieldTest>, firstPath: Int)]

    /// A set of queries; each is known by its index.
    public init(_ queries: [Query]) {
        var all: [Path] = []
        var conditions: [(Condition<FieldTest>, Int)] = []
        for query in queries {
            conditions.append((query.filter.condition, all.count))
            all += query.filter.paths.paths
        }
        paths = PathTable(all)
        self.queries = conditions
    }

    /// Calls `body` with the index of each query that the document fulfils, in their order.
    ///
    /// - Parameter undecided: is called for each query of which that is not known: see ``Query/matches(_:)``.
    public func forEachMatch(
        in host: Document, _ body: (Int) -> Void, undecided: (Int, PatternError) -> Void
    ) {
        host.withUnsafeBytes { bytes in
            paths.withValues(of: bytes) { values in
                for (index, query) in queries.enumerated() {
                    do throws(PatternError) {
                        if try values.fulfil(query.condition, firstPath: query.firstPath) { body(index) }
                    } catch { undecided(index, error) }
                }
            }
        }
    }
}
