import Foundation
import Hummingbird
import Logging
import NIOCore
import PDStore
import ServiceLifecycle

/// A whole server: one application for each port, until a signal ends them.
public struct Service: Sendable {
    /// How long requests that are under way may take once the server has been told to stop.
    static let gracePeriod = Duration.seconds(10)

    private let fleet: Fleet
    private let settings: ServerSettings
    private let logger: Logger

    /// A server for an opened fleet. The settings may differ from the fleet's where flags override them.
    public init(fleet: Fleet, settings: ServerSettings, logger: Logger) {
        self.fleet = fleet
        self.settings = settings
        self.logger = logger
    }

    /// Serves until SIGTERM or SIGINT, then closes the store.
    ///
    /// - Throws: ``StateError`` where keys cannot be read or a port cannot be opened.
    public func run() async throws {
        let clientKeys = try RoleKeys(directory: fleet.state.clientKeys, logger: logger)
        if clientKeys.certificates.isEmpty {
            logger.warning("no client key is installed: every report will be refused")
        }
        for note in settings.notes { logger.warning("\(note)") }
        let ingest = Ingest(
            store: fleet.store, clientKeys: clientKeys,
            now: { Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) }, logger: logger)
        let budget = BodyBudget()
        let applications = settings.ports.map { port in
            FleetServer(
                ingest: ingest, store: fleet.store, address: .init(host: settings.address, port: port),
                logger: logger, budget: budget
            ).application { [logger, settings] port in
                logger.notice("listening", metadata: ["address": "\(settings.address)", "port": "\(port)"])
            }
        }
        var configuration = ServiceGroupConfiguration(
            services: applications, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.gracePeriod
        configuration.logger.logLevel = max(logger.logLevel, .error)
        let result: Result<Void, any Error>
        do {
            try await ServiceGroup(configuration: configuration).run()
            result = .success(())
        } catch let error as IOError {
            let ports = settings.ports.map(String.init).joined(separator: ", ")
            let reason = String(cString: strerror(error.errnoCode))
            result = .failure(StateError("cannot listen on \(settings.address) port \(ports): \(reason)"))
        } catch {
            result = .failure(error)
        }
        try await fleet.store.close()
        logger.notice("stopped")
        try result.get()
    }
}
