/// Carries a request to the server.
public protocol ReportTransport: Sendable {
    /// Sends the body to the server's `submit` endpoint.
    ///
    /// - Returns: the status of the answer.
    /// - Throws: ``TransportError`` where there was none.
    func post(_ body: [UInt8]) async throws(TransportError) -> Int

    /// Ends all connections.
    func close() async
}

/// Carries requests whose answers matter.
public protocol RequestTransport: Sendable {
    /// Sends a form to a path of the server.
    ///
    /// - Parameter limit: the most bytes of a good answer.
    /// - Throws: ``TransportError`` where there was no whole answer.
    func request(_ path: String, _ body: [UInt8], limit: Int) async throws(TransportError) -> TransportAnswer
}

/// What a server answered.
public struct TransportAnswer: Sendable, Equatable {
    /// The HTTP status.
    public let status: Int
    /// The whole body.
    public let body: [UInt8]

    /// An answer.
    public init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Why there was no answer.
public struct TransportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One line for people.
    public let description: String

    /// An error with its line for people.
    public init(_ description: String) {
        self.description = description
    }
}
