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
    /// Those who come beyond its limit are told so.
    let connections: AdmissionGate
    let pool: ConnectionPool
    let onRefusal: @Sendable (Refusal, SocketAddress?) -> Void

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        let isAdmitted = !pool.isCrowded && connections.enter()
        if isAdmitted { channel.closeFuture.whenComplete { [connections] _ in connections.leave() } }
        return channel.eventLoop.makeCompletedFuture {
            guard let identity else { return }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: identity.context))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(RequestFramingHandler(), position: .before(decoder))
            try pipeline.addHandler(
                RequestRulesHandler(isSurplus: !isAdmitted, onRefusal: onRefusal), position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1, over TLS where there is an identity.
    ///
    /// - Parameters:
    ///   - connections: how many are served on this port; further ones get 503.
    ///   - pool: the connections of all ports.
    ///   - onRefusal: is told of requests that no handler sees, with the peer's address.
    static func fleet(
        _ configuration: HTTP1Channel.Configuration, identity: TLSIdentity?, connections: Int,
        pool: ConnectionPool,
        onRefusal: @escaping @Sendable (Refusal, SocketAddress?) -> Void
    ) -> HTTPServerBuilder {
        let gate = AdmissionGate(limit: connections)
        return HTTPServerBuilder { responder in
            FleetChannel(
                base: HTTP1Channel(responder: responder, configuration: configuration), identity: identity,
                connections: gate, pool: pool, onRefusal: onRefusal)
        }
    }
}
