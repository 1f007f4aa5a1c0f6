import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections that take their time: a request's head must be complete in time, its body must keep coming, and
/// its answer must keep being taken.
///
/// An idle timeout alone does not stop a peer that sends one byte a second. Here the time for the whole head is fixed,
/// and the time for a body and for an answer is a fixed allowance plus what their bytes earn at the slowest rate that a
/// working connection has. A body that comes faster saves no time for later: else a peer that sends much at once could
/// hold what it has sent in memory for many minutes. While a handler is at work no time runs.
final class RequestDeadlineHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What a peer is allowed.
    struct Limits: Sendable {
        /// From the opening of the connection, or the end of the answer before, to the end of a request's head.
        var head: TimeAmount = .seconds(60)
        /// For a body of any size.
        var body: TimeAmount = .seconds(30)
        /// For an answer of any size.
        var answer: TimeAmount = .seconds(60)
        /// For the answer that a body comes too slowly, and for the peer to take it.
        var farewell: TimeAmount = .seconds(5)
        /// The slowest rate that earns a body or an answer more time, in bytes a second.
        var bytesPerSecond: Int64 = 16_384
        /// The most that is read of one body, in bytes. Somewhat more than is accepted, so that a peer that sends too
        /// much still gets its answer.
        var bodyBytes: Int = 24 << 20
    }

    private let limits: Limits
    private var deadline: Scheduled<Void>?
    private var allowed = TimeAmount.zero
    private var started = NIODeadline.now()
    /// Bytes that have earned time since `started`.
    private var moved: Int64 = 0

    /// Requests whose answer has not been written to its end.
    private var unanswered = 0
    private var isReceiving = false
    /// Bytes of the body that is being received.
    private var received = 0
    /// Answers that have begun and are not on their way to their last byte.
    private var answersUnderWay = 0
    /// Answers whose end has been handed on and is not on its way.
    private var endsPending = 0
    /// Whether the connection is to be closed once the answers are on their way; with what is told then.
    private var closesAfterwards = false
    private var heldPromise: EventLoopPromise<Void>?
    private var isExpired = false
    /// Whether the body that was being received is not waited for any more.
    private var isGivenUp = false
    private var context: ChannelHandlerContext?

    init(limits: Limits) {
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(limits.head, context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        stop()
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(limits.head, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Nobody reads it any more.
        guard !isGivenUp else { return }
        switch unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            isReceiving = true
            received = 0
            // Behind an answer that is still owed, nothing more may be read for a while.
            if unanswered == 1 { begin(limits.body, context) }
        case .body(let buffer):
            received += buffer.readableBytes
            if answersUnderWay == 0 { earn(buffer.readableBytes, context) }
            if received > limits.bodyBytes { expire(context.channel) }
        case .end:
            isReceiving = false
            if unanswered == 0 {
                begin(limits.head, context)
            } else if answersUnderWay == 0 {
                stop()
            }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head:
            if answersUnderWay == 0, !isGivenUp { begin(limits.answer, context) }
            answersUnderWay += 1
            context.write(data, promise: promise)
        case .body(let buffer):
            moved += Int64(buffer.readableBytes)
            context.write(data, promise: promise)
        case .end:
            endsPending += 1
            let written = promise ?? context.eventLoop.makePromise()
            written.futureResult.assumeIsolated().whenComplete { _ in self.answered(context) }
            context.write(data, promise: written)
        }
    }

    /// Whoever closes right behind the end of an answer, as a server that stops does, would cut off what the peer has not
    /// taken yet: closing waits for it.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all, endsPending > 0, !isExpired else {
            return context.close(mode: mode, promise: promise)
        }
        closesAfterwards = true
        if let promise {
            if let heldPromise {
                heldPromise.futureResult.cascade(to: promise)
            } else {
                heldPromise = promise
            }
        }
    }

    /// An answer is on its way to its last byte, or never will be.
    private func answered(_ context: ChannelHandlerContext) {
        endsPending -= 1
        answersUnderWay = max(0, answersUnderWay - 1)
        // A request that is no HTTP is answered without having come this far.
        unanswered = max(0, unanswered - 1)
        if closesAfterwards, endsPending == 0 {
            closesAfterwards = false
            return context.close(promise: heldPromise)
        }
        guard answersUnderWay == 0, context.channel.isActive, !isGivenUp else { return }
        if isReceiving {
            begin(limits.body, context)
        } else if unanswered == 0 {
            begin(limits.head, context)
        } else {
            stop()
        }
    }

    private func begin(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        allowed = time
        started = context.eventLoop.now
        moved = 0
        schedule(time, context.channel)
    }

    /// Bytes of a body have come. For answers this would not do: they are written ahead of what the peer has taken.
    private func earn(_ bytes: Int, _ context: ChannelHandlerContext) {
        let elapsed = (context.eventLoop.now - started).nanoseconds / 1_000_000
        moved = min(moved + Int64(bytes), elapsed * limits.bytesPerSecond / 1000)
    }

    private func stop() {
        deadline?.cancel()
        deadline = nil
    }

    private func schedule(_ time: TimeAmount, _ channel: any Channel) {
        stop()
        deadline = channel.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            self?.passed(channel)
        }
    }

    /// A body or an answer that has earned more time gets it. A body that comes too slowly is given up, and whoever reads it
    /// answers; everything else is closed.
    private func passed(_ channel: any Channel) {
        let earned = allowed + .seconds(moved / limits.bytesPerSecond)
        let left = earned - (channel.eventLoop.now - started)
        if left > .zero { return schedule(left, channel) }
        guard isReceiving, unanswered == 1, answersUnderWay == 0, !isGivenUp, let context else {
            return expire(channel)
        }
        isGivenUp = true
        schedule(limits.farewell, channel)
        context.fireErrorCaught(SlowBody())
    }

    private func expire(_ channel: any Channel) {
        isExpired = true
        channel.close(promise: nil)
    }
}

/// A request's body came more slowly than any connection that works.
struct SlowBody: Error {}
