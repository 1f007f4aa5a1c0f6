import HTTPTypes
import PDProtocol

/// One thing that can be asked of the server.
struct Route: Sendable {
    /// Answers one request.
    typealias Handler = @Sendable (Call) async throws(Refusal) -> Response

    /// How the log and the metrics call it.
    let name: String
    let method: HTTPRequest.Method
    /// The paths under which it is reached; a component in braces, `{number}`, stands for any text without a slash.
    let paths: [String]
    /// The most that a body may have, in bytes.
    let maximumBodyBytes: Int
    /// Whether a good answer is told only to those who debug: for what is asked every few seconds.
    let isQuiet: Bool
    let handler: Handler

    init(
        _ name: String, _ method: HTTPRequest.Method, _ paths: [String], maximumBodyBytes: Int = 0,
        isQuiet: Bool = false, handler: @escaping Handler
    ) {
        self.name = name
        self.method = method
        self.paths = paths
        self.maximumBodyBytes = maximumBodyBytes
        self.isQuiet = isQuiet
        self.handler = handler
    }

    /// An endpoint of version 1, under both of its spellings.
    static func v1(
        _ name: String, _ method: HTTPRequest.Method = .post,
        maximumBodyBytes: Int = V1.maximumRequestBytes, isQuiet: Bool = false, handler: @escaping Handler
    ) -> Route {
        Route(
            name, method, V1.pathPrefixes.map { "\($0)/\(name)" }, maximumBodyBytes: maximumBodyBytes,
            isQuiet: isQuiet, handler: handler)
    }
}
