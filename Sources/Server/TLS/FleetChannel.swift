import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// HTTP/1.1 by its rules; over TLS, with the certificate of the moment, where there is an identity: Hummingbird's own
/// would keep the first one.
struct FleetChannel: ServerChildChannel {
    let base: HTTP1Channel
    let identity: TLSIdentity?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            guard let identity else { return }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: identity.context))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(RequestRulesHandler(), position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1, over TLS where there is an identity.
    static func fleet(
        _ configuration: HTTP1Channel.Configuration, identity: TLSIdentity?
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            FleetChannel(
                base: HTTP1Channel(responder: responder, configuration: configuration), identity: identity)
        }
    }
}
