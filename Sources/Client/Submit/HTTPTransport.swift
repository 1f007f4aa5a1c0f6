import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL
import PDFiles
import PDProtocol

/// Carries requests over HTTP/1.1, with TLS where the server's address says `https`.
public struct HTTPTransport: ReportTransport, RequestTransport {
    private let client: HTTPClient
    private let group: MultiThreadedEventLoopGroup
    private let url: String
    private let timeout: Duration

    /// The most of an answer that is read, in bytes. Only its status counts.
    private static let answerLimit = 1 << 16

    /// A client for one server.
    ///
    /// - Parameters:
    ///   - serverURL: scheme, host and port, without a slash at the end.
    ///   - caPath: a PEM file with the certificates to trust instead of the system's.
    ///   - connectTimeout: how long to wait for a connection.
    ///   - timeout: how long to wait for the whole answer.
    public init(
        serverURL: String, caPath: String?, connectTimeout: Duration = .seconds(5),
        timeout: Duration = .seconds(20)
    ) {
        url = serverURL
        self.timeout = timeout
        var configuration = HTTPClient.Configuration()
        // A redirection would send reports to a place that nobody has set.
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        // Whoever calls decides when to try again.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .nanoseconds(connectTimeout.nanoseconds)
        if let caPath {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(caPath)
            configuration.tlsConfiguration = tls
        }
        // The default group has a thread for every core.
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    /// Sends the body to the server's `submit` endpoint.
    public func post(_ body: [UInt8]) async throws(TransportError) -> Int {
        do {
            let response = try await execute(V1.submitPath, body)
            // Read, so that the connection can be used again; what it says, and whether it ends well, is of no
            // interest once the status is there.
            _ = try? await response.body.collect(upTo: Self.answerLimit)
            return Int(response.status.code)
        } catch {
            throw TransportError(Self.describe(error))
        }
    }

    /// Sends a signed form, and reads the whole answer.
    public func request(
        _ path: String, _ body: [UInt8], limit: Int
    ) async throws(TransportError) -> TransportAnswer {
        do {
            let response = try await execute(path, body)
            let isGood = (200...299).contains(response.status.code)
            let answer = try await response.body.collect(upTo: isGood ? limit : Self.answerLimit)
            return TransportAnswer(status: Int(response.status.code), body: Array(answer.readableBytesView))
        } catch is NIOTooManyBytesError {
            throw TransportError("its answer has more than \(limit) bytes")
        } catch {
            throw TransportError(Self.describe(error))
        }
    }

    private func execute(_ path: String, _ body: [UInt8]) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url + path)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
        request.headers.add(name: "user-agent", value: "pd-agent")
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await client.execute(request, timeout: .nanoseconds(timeout.nanoseconds))
    }

    /// Ends all connections.
    public func close() async {
        // Nothing is left to do about connections that do not close well.
        try? await client.shutdown()
        try? await group.shutdownGracefully()
    }

    /// One line for people. What the libraries say of themselves is for those who develop them.
    private static func describe(_ error: any Error) -> String {
        switch error {
        case let error as IOError: systemMessage(error.errnoCode)
        case let error as NIOConnectionError:
            // Each of the host's addresses has failed; the first is as good as any.
            error.connectionErrors.first.map { describe($0.error) } ?? "its name cannot be resolved"
        case let error as HTTPClientError where error == .connectTimeout:
            "no connection within the time allowed"
        case let error as HTTPClientError where error == .deadlineExceeded:
            "no answer within the time allowed"
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            "it closed the connection without an answer"
        case is NIOSSLError where "\(error)".contains("CERTIFICATE_VERIFY_FAILED"):
            "its certificate is not trusted: set ssl:ca_path in agent.yml"
        default: "\(error)"
        }
    }
}

extension Duration {
    /// Whole nanoseconds, for spans of up to 292 years.
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
