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

/// Why there was no answer.
public struct TransportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One line for people.
    public let description: String

    /// An error with its line for people.
    public init(_ description: String) {
        self.description = description
    }
}
