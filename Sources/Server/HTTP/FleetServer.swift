import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import PDProtocol
import PDStore

/// The HTTP side: routes to their handlers, and what each refusal is called in HTTP.
public struct FleetServer: Sendable {
    /// How the server is reached.
    public struct Address: Sendable {
        /// The address to bind, for instance `127.0.0.1` or `::`.
        public var host: String
        /// The TCP port; 0 lets the system choose.
        public var port: Int

        /// An address with its port.
        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// How many connections may be open at once. Further ones wait in the kernel's queue.
    static let maximumConnections = 20_000

    let ingest: Ingest
    let store: any FleetStore
    let address: Address
    let logger: Logger
    private let budget: BodyBudget

    /// A server that is ready to run.
    public init(ingest: Ingest, store: any FleetStore, address: Address, logger: Logger) {
        self.init(ingest: ingest, store: store, address: address, logger: logger, budget: BodyBudget())
    }

    /// One of several that share what they may keep in memory.
    init(ingest: Ingest, store: any FleetStore, address: Address, logger: Logger, budget: BodyBudget) {
        self.budget = budget
        self.ingest = ingest
        self.store = store
        self.address = address
        self.logger = logger
    }

    /// The application, to be run in a service group.
    ///
    /// - Parameter onRunning: called with the port once connections are accepted.
    public func application(onRunning: @escaping @Sendable (Int) async -> Void) -> some ApplicationProtocol {
        Application(
            router: router(),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [RequestDeadlineHandler(limits: .init())],
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
            configuration: .init(
                address: .hostname(address.host, port: address.port), serverName: nil, backlog: 1024,
                availableConnectionsDelegate: .maximum(Self.maximumConnections, logger: logger)),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: quiet)
    }

    /// Hummingbird tells of each connection; that is for debugging the library.
    private var quiet: Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }

    private func router() -> Router<FleetRequestContext> {
        let router = Router(context: FleetRequestContext.self)
        for prefix in V1.pathPrefixes {
            router.post("\(prefix)/submit") { request, context in await submit(request, context) }
        }
        router.get("healthz") { _, _ in await health() }
        return router
    }

    private func health() async -> Response {
        do {
            _ = try await store.host("health.invalid")
            return text(.ok, "ok")
        } catch {
            logger.error("health: \(error)")
            return text(.serviceUnavailable, "unavailable")
        }
    }

    private func submit(_ request: Request, _ context: FleetRequestContext) async -> Response {
        let start = ContinuousClock.now
        var (response, outcome, host) = await answer(request)
        response.headers[.cacheControl] = "no-store"
        let elapsed = start.duration(to: .now)
        let level: Logger.Level = response.status.code < 400 ? .info : .warning
        logger.log(
            level: level, "submit",
            metadata: [
                "status": "\(response.status.code)", "host": "\(host?.name ?? "-")",
                "peer": "\(context.peer)",
                "outcome": "\(outcome)", "ms": "\(Double(elapsed / .microseconds(1)).rounded() / 1000)",
            ])
        return response
    }

    private func answer(_ request: Request) async -> (Response, outcome: String, Hostname?) {
        var body: [UInt8] = []
        var share = BodyBudget.Share(of: budget)
        do {
            for try await buffer in request.body {
                guard body.count + buffer.readableBytes <= V1.maximumBodyBytes else {
                    let reason = "body of more than \(V1.maximumBodyBytes) bytes"
                    return (text(.contentTooLarge, "too large"), reason, nil)
                }
                guard share.take(buffer.readableBytes) else {
                    return (busy(), "too many bodies at once", nil)
                }
                body.append(contentsOf: buffer.readableBytesView)
            }
        } catch {
            return (text(.badRequest, "incomplete"), "the body did not arrive whole", nil)
        }
        do {
            let taken = try await ingest.submit(body: body, contentType: request.headers[.contentType])
            return (text(.ok, "ok"), "\(taken.receipt.disposition)", taken.hostname)
        } catch {
            switch error {
            case .malformed(let reason): return (text(.badRequest, "malformed"), "\(reason)", nil)
            case .signature(let reason): return (text(.forbidden, "forbidden"), reason, nil)
            case .tooLarge(let reason): return (text(.contentTooLarge, "too large"), "\(reason)", nil)
            case .unavailable(let reason):
                return (busy(), "\(reason)", nil)
            }
        }
    }

    private func busy() -> Response {
        var response = text(.serviceUnavailable, "unavailable")
        response.headers[.retryAfter] = "60"
        return response
    }

    private func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

/// What a handler knows about the connection that a request came over.
struct FleetRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The peer's address, without its port.
    let peer: String

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress?.ipAddress ?? "-"
    }
}
