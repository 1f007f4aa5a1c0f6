import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections that take their time: a request's head must be complete in time, and its body must keep coming.
///
/// An idle timeout alone does not stop a peer that sends one byte a second. Here the time for the whole head is fixed,
/// and the time for the body is a fixed allowance plus what the bytes that have arrived earn at the slowest rate that a
/// working connection has.
final class RequestDeadlineHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    /// What a peer is allowed.
    struct Limits: Sendable {
        /// From the opening of the connection, or the end of the request before, to the end of a request's head.
        var head: TimeAmount = .seconds(60)
        /// For a body of any size.
        var body: TimeAmount = .seconds(30)
        /// The slowest rate that earns a body more time, in bytes a second.
        var bytesPerSecond: Int64 = 16_384
        /// The most that is read of one body, in bytes. Somewhat more than is accepted, so that a peer that sends too
        /// much still gets its answer.
        var bodyBytes: Int = 24 << 20
    }

    private let limits: Limits
    private var deadline: Scheduled<Void>?
    private var started = NIODeadline.now()
    private var received = 0

    init(limits: Limits) {
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { schedule(limits.head, context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
    }

    func channelActive(context: ChannelHandlerContext) {
        schedule(limits.head, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            started = context.eventLoop.now
            received = 0
            schedule(limits.body, context)
        case .body(let buffer):
            received += buffer.readableBytes
            if received > limits.bodyBytes { context.close(promise: nil) }
        case .end:
            // The answer may take as long as it needs; the next head has its own time from here on.
            schedule(limits.head, context)
        }
        context.fireChannelRead(data)
    }

    private func schedule(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            self?.expired(channel)
        }
    }

    /// A body that has earned more time gets it; everything else is closed.
    private func expired(_ channel: any Channel) {
        let earned = limits.body + .seconds(Int64(received) / limits.bytesPerSecond)
        let left = earned - (channel.eventLoop.now - started)
        if received > 0, left > .zero {
            deadline = channel.eventLoop.assumeIsolated().scheduleTask(in: left) { [weak self] in
                self?.expired(channel)
            }
        } else {
            channel.close(promise: nil)
        }
    }
}
