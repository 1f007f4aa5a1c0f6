import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import PDFleet
import PDProtocol

/// What happens to every request, whatever its route: the body is read within its limits, the handler answers, and the
/// log and the metrics get one line for it.
struct FleetResponder: HTTPResponder {
    typealias Context = FleetRequestContext

    let routes: RouteTable
    let listener: Listener
    let shared: SharedLimits
    let proxies: TrustedProxies
    let deprecatedPorts: DeprecatedPorts
    let metrics: ServerMetrics
    let logger: Logger

    func respond(to request: Request, context: FleetRequestContext) async throws -> Response {
        let start = ContinuousClock.now
        let client = proxies.client(peer: context.peer, headers: request.headers)
        let isHead = request.method == .head
        var name = "unknown"
        var isQuiet = false
        var call: Call?
        var response: Response
        var outcome: String?
        do throws(Refusal) {
            switch routes.match(isHead ? .get : request.method, request.uri.path) {
            case .nothing: throw .notFound("no such path")
            case .otherMethods(let methods):
                throw .method(allowed: methods.contains(.get) ? methods + [.head] : methods)
            case .route(let route, let parameters):
                name = route.name
                isQuiet = route.isQuiet
                // What the body takes is given back when the answer is there.
                var share = BodyBudget.Share(of: shared.bodies)
                let body = try await Self.read(request, upTo: route.maximumBodyBytes, share: &share)
                // Only now: whoever promises a body and sends none, without any key, would hold a place.
                guard shared.requests.enter() else {
                    throw .unavailable("too many requests at once", retryAfter: 5)
                }
                defer { shared.requests.leave() }
                let opened = Call(
                    head: request.head, body: body, parameters: parameters, client: client,
                    listener: listener)
                call = opened
                response = try await route.handler(opened)
                if let host = opened.host, !opened.isReplay {
                    await deprecatedPorts.host(host, asked: route.name, on: listener)
                }
                if !isHead, response.body.isLarge, let eventLoop = context.eventLoop {
                    guard let place = shared.answers.place() else {
                        throw .unavailable("too many large answers at once", retryAfter: 30)
                    }
                    response.body = response.body.paced(on: eventLoop, in: place)
                }
            }
        } catch {
            response = error.response
            // The peer may go on to send what nobody wants, or not send what it announced.
            if case .tooLarge = error, Self.isUnread(request) { response.headers[.connection] = "close" }
            outcome = error.reason
        }
        response.headers[.cacheControl] = "no-store"
        if isHead { response = response.withoutBody() }
        record(
            Answer(
                route: name, isQuiet: isQuiet, status: response.status, host: call?.host?.name,
                client: client, admission: call?.admission,
                outcome: outcome ?? call?.outcome ?? "ok", elapsed: start.duration(to: .now)))
        return response
    }

    /// A request was refused before it could come this far.
    func refused(with refusal: Refusal, peer: SocketAddress?) {
        record(
            Answer(
                route: "unknown", isQuiet: false, status: refusal.status, host: nil,
                client: peer?.ipAddress.flatMap(IPAddress.init), outcome: refusal.reason, elapsed: .zero))
    }

    /// What the log and the metrics tell of a request.
    private struct Answer {
        var route: String
        var isQuiet: Bool
        var status: HTTPResponse.Status
        var host: String?
        var client: IPAddress?
        /// What let it pass, where more than a signature is asked for.
        var admission: AccessControl.Admission?
        var outcome: String
        var elapsed: Duration
    }

    private func record(_ answer: Answer) {
        metrics.count(route: answer.route, status: answer.status.code, took: answer.elapsed)
        let level: Logger.Level = answer.status.code >= 400 ? .warning : answer.isQuiet ? .debug : .info
        var metadata: Logger.Metadata = [
            "status": "\(answer.status.code)", "host": "\(answer.host ?? "-")",
            "peer": "\(answer.client.map { "\($0)" } ?? "-")", "port": "\(listener.port)",
            "outcome": "\(answer.outcome)",
            "ms": "\(Double(answer.elapsed / .microseconds(1)).rounded() / 1000)",
        ]
        if let admission = answer.admission { metadata["admitted"] = "\(admission)" }
        logger.log(level: level, "\(answer.route)", metadata: metadata)
    }

    /// Whether a body is refused before it has come: one that is far too long, or that the peer holds back until it is
    /// asked for. What is a little too long is read, since many a peer hears no answer before it has sent everything.
    private static func isUnread(_ request: Request) -> Bool {
        guard let declared = request.headers[.contentLength] else { return false }
        guard let length = Int(declared) else { return true }
        return length > RequestDeadlineHandler.Limits().bodyBytes
            || length > V1.maximumBodyBytes && request.headers[.expect] != nil
    }

    private static func read(
        _ request: Request, upTo limit: Int, share: inout BodyBudget.Share
    ) async throws(Refusal) -> [UInt8] {
        var body: [UInt8] = []
        if isUnread(request) { throw .tooLarge("body of more than \(limit) bytes") }
        do {
            for try await buffer in request.body {
                guard body.count + buffer.readableBytes <= limit else {
                    throw Refusal.tooLarge("body of more than \(limit) bytes")
                }
                guard share.take(buffer.readableBytes) else {
                    throw Refusal.unavailable("too many bodies at once", retryAfter: 5)
                }
                body.append(contentsOf: buffer.readableBytesView)
            }
        } catch let refusal as Refusal {
            throw refusal
        } catch is SlowBody {
            throw .slow
        } catch {
            throw .incomplete
        }
        return body
    }
}

extension Response {
    /// The same head without a body, for `HEAD`.
    fileprivate func withoutBody() -> Response {
        var response = Response(status: status, headers: headers)
        if let length = body.contentLength { response.headers[.contentLength] = "\(length)" }
        return response
    }
}

/// What a handler knows about the connection that a request came over.
struct FleetRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The peer's address; nothing in tests without a network.
    let peer: IPAddress?
    /// What the connection runs on; nothing in tests without a network.
    let eventLoop: (any EventLoop)?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress?.ipAddress.flatMap(IPAddress.init)
        eventLoop = source.channel.remoteAddress.map { _ in source.channel.eventLoop }
    }
}
