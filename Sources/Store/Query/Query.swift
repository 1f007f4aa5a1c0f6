import PDDocument

/// A condition on a host in MongoDB's query language, checked once when it is made.
///
/// Language: <https://www.mongodb.com/docs/manual/reference/operator/query/>.
public struct Query: Sendable {
    /// The query as it was written, for a database that understands it.
    public let document: Document
}
