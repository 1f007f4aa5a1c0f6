import Dispatch
import PDProtocol

/// Carries requests over HTTP/1.1, with TLS 1.2 or later where the server's address says `https`, by libcurl.
///
/// No redirection is followed, no cookie kept, and no protocol but HTTP spoken. Requests go one after the other over one
/// connection, which is kept open for the next one.
public struct HTTPTransport: ReportTransport, RequestTransport {
    private let connection: HTTPConnection
    // libcurl blocks: it must not block a thread that Swift's tasks share.
    private let queue = DispatchQueue(label: "pd-agent.http")
    private let url: String

    /// The most of an answer that is read where only its status counts, in bytes.
    private static let answerLimit = 1 << 16

    /// A client for one server.
    ///
    /// - Parameters:
    ///   - serverURL: scheme, host and port, without a slash at the end.
    ///   - caPath: a PEM file with the certificates to trust instead of the system's.
    ///   - proxy: the proxy to use; else what the environment names.
    ///   - connectTimeout: how long to wait for a connection.
    ///   - timeout: how long to wait for the whole answer.
    public init(
        serverURL: String, caPath: String?, proxy: HTTPProxy = .environment,
        connectTimeout: Duration = .seconds(5), timeout: Duration = .seconds(20)
    ) {
        url = serverURL
        connection = HTTPConnection(
            caPath: caPath, proxy: proxy, connectTimeout: connectTimeout, timeout: timeout)
    }

    /// Sends the body to the server's `submit` endpoint.
    public func post(_ body: [UInt8]) async throws(TransportError) -> Int {
        // Read, so that the connection can be used again; what it says, and whether it ends well, is of no interest once
        // the status is there.
        let answer = HTTPAnswer(limit: Self.answerLimit, otherLimit: Self.answerLimit)
        do throws(TransportError) {
            try await perform(V1.submitPath, body, answer)
        } catch {
            guard answer.status != nil else { throw error }
        }
        return answer.status ?? 0
    }

    /// Sends a signed form, and reads the whole answer.
    public func request(
        _ path: String, _ body: [UInt8], limit: Int
    ) async throws(TransportError) -> TransportAnswer {
        let answer = HTTPAnswer(limit: limit, otherLimit: Self.answerLimit)
        try await perform(path, body, answer)
        return TransportAnswer(status: answer.status ?? 0, body: answer.body)
    }

    private func perform(_ path: String, _ body: [UInt8], _ answer: HTTPAnswer) async throws(TransportError) {
        let connection = connection
        let url = url + path
        let result = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: connection.post(body, to: url, into: answer)) }
        }
        try result.get()
    }

    /// Ends all connections.
    public func close() async {
        let connection = connection
        await withCheckedContinuation { continuation in
            queue.async {
                connection.close()
                continuation.resume()
            }
        }
    }
}
