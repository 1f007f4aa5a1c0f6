import NIOCore
import NIOHTTP1

/// Stands before NIO's decoder, and lets no byte pass that breaks ``RequestFraming``, nor any after it.
final class RequestFramingHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private var framing = RequestFraming()
    private var isDeaf = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDeaf else { return }
        var buffer = unwrapInboundIn(data)
        let outcome = buffer.withUnsafeReadableBytes { framing.take($0) }
        isDeaf = outcome.isBroken
        if outcome.accepted == buffer.readableBytes {
            context.fireChannelRead(data)
        } else if let start = buffer.readSlice(length: outcome.accepted), start.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(start))
        }
        // As for what the decoder itself refuses.
        if outcome.isBroken { context.fireErrorCaught(HTTPParserError.invalidConstant) }
    }
}
