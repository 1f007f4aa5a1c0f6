import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("p121 Connections that take their time")
struct RequestDeadlineTests {
    private static let limits = RequestDeadlineHandler.Limits(
        head: .seconds(60), body: .seconds(30), bytesPerSecond: 1000, bodyBytes: 100_000)
    private static let head = HTTPRequestPart.head(
        HTTPRequest(method: .post, scheme: "http", authority: "h", path: "/"))

    private func connected() throws -> (EmbeddedChannel, EmbeddedEventLoop) {
        let loop = EmbeddedEventLoop()
        let channel = EmbeddedChannel(
            handlers: [RequestDeadlineHandler(limits: Self.limits), Reader(answers: false)], loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return (channel, loop)
    }

    @Test("a connection that never sends a whole head is closed in time")
    func p121_head() throws {
        let (channel, loop) = try connected()
        loop.advanceTime(by: .seconds(59))
        #expect(channel.isActive)
        loop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test("a body that does not come is closed in time, though its head did")
    func silentBody() throws {
        let (channel, loop) = try connected()
        try channel.writeInbound(Self.head)
        loop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        loop.advanceTime(by: .seconds(7))
        #expect(!channel.isActive)
    }

    @Test("a body that trickles is closed, however often a byte comes")
    func p121_trickle() throws {
        let (channel, loop) = try connected()
        try channel.writeInbound(Self.head)
        for _ in 0..<40 where channel.isActive {
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(bytes: [0])))
            loop.advanceTime(by: .seconds(1))
        }
        #expect(!channel.isActive)
    }

    @Test("a body that keeps coming gets the time that it earns, and the next request its own")
    func steady() throws {
        let (channel, loop) = try connected()
        try channel.writeInbound(Self.head)
        for _ in 0..<60 {
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 0, count: 1500)))
            loop.advanceTime(by: .seconds(1))
        }
        #expect(channel.isActive)
        try channel.writeInbound(HTTPRequestPart.end(nil))
        try answer(channel, bytes: 0)
        loop.advanceTime(by: .seconds(59))
        #expect(channel.isActive)
        try channel.writeInbound(Self.head)
        loop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
    }

    @Test("a body that came fast and then stays away has saved no time")
    func p121_stalled() throws {
        let (channel, loop) = try connected()
        try channel.writeInbound(Self.head)
        loop.advanceTime(by: .seconds(10))
        try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 0, count: 90_000)))
        loop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        loop.advanceTime(by: .seconds(7))
        #expect(!channel.isActive)
    }

    /// Answers a body that is given up, as the server does.
    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = HTTPRequestPart
        typealias OutboundOut = HTTPResponsePart
        private let answers: Bool

        init(answers: Bool) { self.answers = answers }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            guard error is SlowBody else { return context.fireErrorCaught(error) }
            guard answers else { return }
            context.write(wrapOutboundOut(.head(HTTPResponse(status: .requestTimeout))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    @Test("p168_whoever reads a body that is too slow can answer, and the peer has some time to take it")
    func slowBodyIsAnswered() throws {
        let loop = EmbeddedEventLoop()
        let channel = EmbeddedChannel(
            handlers: [RequestDeadlineHandler(limits: Self.limits), Reader(answers: true)], loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(Self.head)
        loop.advanceTime(by: .seconds(31))
        guard case .head(let response)? = try channel.readOutbound(as: HTTPResponsePart.self) else {
            Issue.record("there was no answer")
            return
        }
        #expect(response.status == .requestTimeout)
        // What still comes is nobody's, and does not make the connection last.
        for _ in 0..<6 where channel.isActive {
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 0, count: 5000)))
            loop.advanceTime(by: .seconds(1))
        }
        #expect(!channel.isActive)
    }

    private func answer(_ channel: EmbeddedChannel, bytes: Int) throws {
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try channel.writeOutbound(HTTPResponsePart.body(ByteBuffer(repeating: 0, count: bytes)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
    }

    @Test("a handler may take its time, and the next head has its own from the end of the answer")
    func slowHandler() throws {
        let (channel, loop) = try connected()
        try channel.writeInbound(Self.head)
        try channel.writeInbound(HTTPRequestPart.end(nil))
        loop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        try answer(channel, bytes: 1)
        loop.advanceTime(by: .seconds(59))
        #expect(channel.isActive)
        loop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test("an answer that is taken gets the time that it earns; one that nobody takes is closed in time")
    func slowAnswer() throws {
        let (channel, loop) = try connected()
        try channel.writeInbound(Self.head)
        try channel.writeInbound(HTTPRequestPart.end(nil))
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        for _ in 0..<200 where channel.isActive {
            try channel.writeOutbound(HTTPResponsePart.body(ByteBuffer(repeating: 0, count: 1500)))
            loop.advanceTime(by: .seconds(1))
        }
        #expect(channel.isActive)
        loop.advanceTime(by: .seconds(170))
        #expect(!channel.isActive)
    }

    @Test("whoever closes behind an answer waits until it is on its way, and no longer than its time")
    func closingWaits() throws {
        for isTaken in [true, false] {
            let loop = EmbeddedEventLoop()
            let socket = SlowSocket()
            let channel = EmbeddedChannel(
                handlers: [socket, RequestDeadlineHandler(limits: Self.limits)], loop: loop)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            try channel.writeInbound(Self.head)
            try channel.writeInbound(HTTPRequestPart.end(nil))
            channel.write(HTTPResponsePart.head(HTTPResponse(status: .ok)), promise: nil)
            channel.writeAndFlush(HTTPResponsePart.end(nil), promise: nil)
            channel.close(promise: nil)
            loop.run()
            #expect(channel.isActive)
            if isTaken { socket.take() } else { loop.advanceTime(by: .seconds(61)) }
            loop.run()
            #expect(!channel.isActive)
        }
    }

    /// A socket whose peer takes nothing before it is told to.
    private final class SlowSocket: ChannelOutboundHandler {
        typealias OutboundIn = HTTPResponsePart
        private var waiting: [EventLoopPromise<Void>] = []

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if let promise { waiting.append(promise) }
        }

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            for promise in waiting { promise.fail(ChannelError.ioOnClosedChannel) }
            waiting = []
            context.close(mode: mode, promise: promise)
        }

        func take() {
            let taken = waiting
            waiting = []
            for promise in taken { promise.succeed() }
        }
    }

    @Test("a body that does not end is closed at the limit")
    func endless() throws {
        let (channel, _) = try connected()
        try channel.writeInbound(Self.head)
        for _ in 0..<11 where channel.isActive {
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 0, count: 10_000)))
        }
        #expect(!channel.isActive)
    }
}
