import Foundation
import Hummingbird
import Logging
import NIOCore
import PDFleet
import PDStore
import ServiceLifecycle

/// A whole server: one application for each port, until a signal ends them.
package struct Service: Sendable {
    /// How long requests that are under way may take once the server has been told to stop.
    static let gracePeriod = Duration.seconds(10)

    private let fleet: Fleet
    private let settings: ServerSettings
    private let logger: Logger

    /// A server for an opened fleet. The settings may differ from the fleet's where flags override them.
    package init(fleet: Fleet, settings: ServerSettings, logger: Logger) {
        self.fleet = fleet
        self.settings = settings
        self.logger = logger
    }

    /// The audits that the settings ask for: one or none.
    private var periodicAudits: [any ServiceLifecycle.Service] {
        guard let interval = settings.auditInterval else { return [] }
        return [
            PeriodicAudit(
                audit: FleetAudit(fleet, holder: UUID().uuidString), interval: interval, now: Self.now,
                logger: logger)
        ]
    }

    /// The clock, in milliseconds since 1970-01-01 UTC.
    private static let now: @Sendable () -> Int64 = {
        Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))
    }

    /// Serves until SIGTERM or SIGINT, then closes the store.
    ///
    /// - Throws: ``StateError`` where keys cannot be read or a port cannot be opened.
    package func run() async throws {
        let clientKeys = try RoleKeys(directory: fleet.state.clientKeys, logger: logger)
        if clientKeys.certificates.isEmpty {
            logger.warning("no client key is installed: every report will be refused")
        }
        for note in settings.notes { logger.warning("\(note)") }
        let endpoints = FleetEndpoints(
            store: fleet.store, clientKeys: clientKeys,
            desk: KeyDesk(store: fleet.store, state: fleet.state, logger: logger),
            releases: fleet.state.releases, options: settings.endpointOptions,
            now: Self.now, logger: logger)
        let listeners = try settings.listeners(relativeTo: fleet.state.settingsFile, logger: logger)
        let files = ConnectionPool.raisedFileLimit()
        let pool = ConnectionPool(files: files, ports: listeners.count)
        if pool.served < settings.limits.connections {
            logger.warning(
                "limits:connections is \(settings.limits.connections), but with \(files) open files \(pool.served) can be served"
            )
        }
        let ports = listeners.map { listener in
            PortService(
                server: FleetServer(
                    endpoints: endpoints, listener: listener, logger: logger,
                    maximumConnections: settings.limits.connections, pool: pool))
        }
        let keys = KeyWatch(clientKeys: clientKeys, serverKey: fleet.state.serverPublicKey, logger: logger)
        var configuration = ServiceGroupConfiguration(
            // Where one fails, the others stop in order, as if they had been told to.
            services: (ports as [any ServiceLifecycle.Service] + periodicAudits + [
                AlertService(fleet: fleet, holder: UUID().uuidString, now: Self.now, logger: logger), keys,
                MemoryReturn(pool: pool),
                DrainService(endpoints: endpoints),
            ]).map { .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.gracePeriod
        configuration.logger.logLevel = max(logger.logLevel, .error)
        let result: Result<Void, any Error>
        do {
            try await ServiceGroup(configuration: configuration).run()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await fleet.store.close()
        logger.notice("stopped")
        try result.get()
    }
}

/// One port, and its name in what is told of it.
private struct PortService: ServiceLifecycle.Service {
    let server: FleetServer

    func run() async throws {
        let listener = server.listener
        do {
            try await server.application { port in
                server.logger.notice(
                    "listening",
                    metadata: [
                        "address": "\(listener.host)", "port": "\(port)",
                        "tls": "\(listener.identity != nil)",
                    ])
            }.run()
        } catch let error as IOError {
            let reason = String(cString: strerror(error.errnoCode))
            throw StateError("cannot listen on \(listener.host) port \(listener.port): \(reason)")
        }
    }
}

/// Tells the endpoints that the server is about to stop. The services of a group stop in the opposite order of their
/// list, so this one is the last there.
private struct DrainService: ServiceLifecycle.Service {
    let endpoints: FleetEndpoints

    func run() async throws {
        try? await gracefulShutdown()  // Cancelled instead of asked: then there is nothing to drain.
        await endpoints.drain()
    }
}

extension ServerSettings {
    /// The ports with what they prove themselves with.
    ///
    /// - Parameter file: the settings file, beside which certificates lie.
    /// - Throws: ``StateError`` that names the certificate or key that cannot be used.
    func listeners(relativeTo file: URL, logger: Logger? = nil) throws(StateError) -> [Listener] {
        var listeners: [Listener] = []
        for port in ports {
            var identity: TLSIdentity?
            if let tls = port.tls {
                identity = try TLSIdentity(
                    certificate: URL(filePath: tls.certificate, relativeTo: file),
                    key: URL(filePath: tls.key, relativeTo: file), logger: logger)
            }
            listeners.append(
                Listener(
                    host: address, port: port.number, isDeprecated: port.isDeprecated, identity: identity))
        }
        if let localPort { listeners.append(Listener(host: "127.0.0.1", port: localPort)) }
        return listeners
    }

    /// What the endpoints want to know.
    var endpointOptions: FleetEndpoints.Options {
        var options = FleetEndpoints.Options()
        options.downloadRelease = downloadRelease
        options.pipeCreate = pipeCreate
        options.trustedProxies = trustedProxies
        options.metricsRanges = metricsRanges
        options.allowance.perSecond = Double(limits.requestsPerMinute) / 60
        options.allowance.burst = Double(limits.requestsPerMinute)
        options.pipes.pipes = limits.pipes
        options.requests = limits.requests
        return options
    }
}
