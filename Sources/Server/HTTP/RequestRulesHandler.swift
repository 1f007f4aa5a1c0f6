import NIOCore
import NIOHTTP1
import PDProtocol

/// Stands between NIO's decoder and everything else: a request that breaks ``RequestRules`` is answered with 400, one on a
/// connection too many with 503, and either is the last one of its connection.
final class RequestRulesHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long a connection too many may last, whatever its peer does.
    private static let surplusTime = TimeAmount.seconds(10)

    /// Is told of requests that no handler sees.
    private let onRefusal: @Sendable (Refusal, SocketAddress?) -> Void
    private let isSurplus: Bool
    /// Requests that were let pass and whose answer has not ended.
    private var unanswered = 0
    /// Whether a request's end is still to come.
    private var isReading = false
    /// Whether nothing more of the peer is heard once the request that is being read has ended.
    private var isLast = false
    /// Whether nothing more is heard at all.
    private var isDeaf = false
    /// Whether the request that is being read waits to be told to go on.
    private var owesContinue = false
    private var closesAfterAnswer = false

    /// - Parameters:
    ///   - isSurplus: whether the connection is one more than the port should have.
    ///   - onRefusal: is told of requests that no handler sees, with the peer's address.
    init(isSurplus: Bool = false, onRefusal: @escaping @Sendable (Refusal, SocketAddress?) -> Void) {
        self.isSurplus = isSurplus
        self.onRefusal = onRefusal
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard isSurplus else { return }
        context.eventLoop.scheduleTask(in: Self.surplusTime) { [channel = context.channel] in
            channel.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDeaf else { return }
        switch unwrapInboundIn(data) {
        case .head(let received):
            guard let head = RequestRules.checked(received) else {
                return errorCaught(context: context, error: HTTPParserError.invalidConstant)
            }
            if isSurplus { return refuseSurplus(context) }
            unanswered += 1
            isReading = true
            isLast = head.headers.first(name: "connection") == "close"
            context.fireChannelRead(wrapInboundOut(.head(head)))
            owesContinue = Self.waits(head)
            goOn(context)
        case .body:
            owesContinue = false
            context.fireChannelRead(data)
        case .end:
            owesContinue = false
            isReading = false
            isDeaf = isLast
            context.fireChannelRead(data)
        }
    }

    /// What is no HTTP, here or before: 400, after the answers that are owed before it. A request whose body breaks after
    /// it has been answered gets no second answer.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? HTTPParserError {
            guard !isDeaf else { return }
            isDeaf = true
            if isReading { isLast = true }
            // A peer that goes in the middle of a request breaks no rule.
            if error != .invalidEOFState {
                onRefusal(.malformed("not HTTP"), context.channel.remoteAddress)
            }
            if isReading, unanswered == 0 { return context.close(mode: .output, promise: nil) }
        }
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if isLast, unanswered == 1 { head.headers.replaceOrAdd(name: "connection", value: "close") }
            closesAfterAnswer = head.headers.first(name: "connection") == "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            unanswered = max(0, unanswered - 1)
            guard closesAfterAnswer else {
                context.write(data, promise: promise)
                return goOn(context)
            }
            // Only this half: closing both while the peer still sends would take the answer from it.
            isDeaf = true
            let written = promise ?? context.eventLoop.makePromise()
            written.futureResult.assumeIsolated().whenSuccess { context.close(mode: .output, promise: nil) }
            context.write(data, promise: written)
        }
    }

    private func refuseSurplus(_ context: ChannelHandlerContext) {
        isDeaf = true
        let refusal = Refusal.unavailable("too many connections", retryAfter: 5)
        onRefusal(refusal, context.channel.remoteAddress)
        var head = HTTPResponseHead(version: .http1_1, status: .serviceUnavailable)
        head.headers = ["connection": "close", "content-length": "0", "retry-after": "5"]
        write(context: context, data: wrapOutboundOut(.head(head)), promise: nil)
        write(context: context, data: wrapOutboundOut(.end(nil)), promise: nil)
        context.flush()
    }

    /// Whether the peer waits before it sends its body (RFC 9110, section 10.1.1). One that will be refused for its length
    /// is not told to send it.
    private static func waits(_ head: HTTPRequestHead) -> Bool {
        guard head.version == .http1_1, head.headers.first(name: "expect")?.lowercased() == "100-continue"
        else { return false }
        guard let length = head.headers.first(name: "content-length") else { return true }
        return Int(length).map { $0 <= V1.maximumBodyBytes } ?? false
    }

    /// Tells the peer to send its body, once the answers before it have been sent.
    private func goOn(_ context: ChannelHandlerContext) {
        guard owesContinue, unanswered == 1 else { return }
        owesContinue = false
        let head = HTTPResponseHead(version: .http1_1, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }
}
