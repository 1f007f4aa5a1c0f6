import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import PDFleet

/// The server on one port.
struct FleetServer: Sendable {
    let endpoints: FleetEndpoints
    let listener: Listener
    let logger: Logger
    /// How many connections are served at once. An eighth more are told so, and those beyond wait in the kernel's queue.
    var maximumConnections = ServerSettings.Limits.standardConnections
    /// What all ports have together.
    var pool = ConnectionPool(files: 1 << 20, ports: 1)

    /// The application, to be run in a service group.
    ///
    /// - Parameter onRunning: called with the port once connections are accepted.
    func application(onRunning: @escaping @Sendable (Int) async -> Void) -> some ApplicationProtocol {
        let responder = endpoints.responder(on: listener)
        return Application(
            responder: responder,
            server: .fleet(
                .init(
                    additionalChannelHandlers: [RequestDeadlineHandler(limits: .init())],
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100)),
                identity: listener.identity, connections: maximumConnections, pool: pool,
                onRefusal: { responder.refused(with: $0, peer: $1) }),
            configuration: .init(
                address: .hostname(listener.host, port: listener.port), serverName: nil, backlog: 1024,
                availableConnectionsDelegate: PortConnections(
                    pool: pool, maximum: maximumConnections + max(16, maximumConnections / 8))),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: quiet)
    }

    /// Hummingbird tells of each connection; that is for debugging the library.
    private var quiet: Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }
}
