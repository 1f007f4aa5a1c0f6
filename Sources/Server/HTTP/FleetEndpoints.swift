import Foundation
import Logging
import PDCrypto
import PDFleet
import PDStore

/// Everything that the server answers, and what its parts share. One of them serves all ports.
struct FleetEndpoints: Sendable {
    /// What settings say about the endpoints.
    struct Options: Sendable {
        /// `server_auth:download_release`; without it everybody may download.
        var downloadRelease: AccessRule?
        /// `server_auth:pipe_create`; without it nobody may create a pipe.
        var pipeCreate: AccessRule?
        /// Proxies whose `X-Forwarded-For` is believed.
        var trustedProxies: [AddressRange] = []
        /// Who may read the metrics, besides this machine.
        var metricsRanges: [AddressRange] = []
        /// What one host may ask for.
        var allowance = HostAllowance.Limits()
        /// What refused requests of one address may cost.
        var refusals = RefusalAllowance.Limits()
        /// What pipes may take.
        var pipes = PipeRelay.Limits()
        /// What gives pipes their identifiers.
        var pipeRandom: any RandomSource = SecureRandom(.sessionKey)
        /// What an address may guess.
        var failures = FailureThrottle.Limits()
        /// How many requests may be under way.
        var requests = ServerSettings.Limits.standardRequests
    }

    let routes: RouteTable
    let limits: SharedLimits
    let proxies: TrustedProxies
    let deprecatedPorts: DeprecatedPorts
    let metrics: ServerMetrics
    let logger: Logger
    private let readiness: Readiness
    private let relay: PipeRelay

    /// - Parameters:
    ///   - store: where reports go.
    ///   - clientKeys: the keys that may sign requests.
    ///   - desk: where machines register their own keys.
    ///   - releases: the directory of releases.
    ///   - options: what settings say.
    ///   - now: the clock, in milliseconds since 1970-01-01 UTC.
    ///   - logger: gets a line for each request, and for what matters besides.
    init(
        store: any FleetStore, clientKeys: RoleKeys, desk: KeyDesk, releases: URL,
        options: Options = .init(),
        now: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        let metrics = ServerMetrics()
        let signed = SignedRequests(
            clientKeys: clientKeys, now: now, allowance: HostAllowance(limits: options.allowance),
            refusals: RefusalAllowance(limits: options.refusals),
            refused: RefusedRequests(store: store, logger: logger))
        let shelf = ReleaseShelf(directory: releases, logger: logger)
        let passwords = PasswordChecker()
        let failures = FailureThrottle(limits: options.failures)
        func access(_ rule: AccessRule?, _ fallback: AccessControl.Default) -> AccessControl {
            AccessControl(rule: rule, otherwise: fallback, passwords: passwords, failures: failures)
        }
        relay = PipeRelay(limits: options.pipes, random: options.pipeRandom)
        let writes = WriteHealth()
        readiness = Readiness(leases: store, writes: writes, now: now, logger: logger)
        let uses = KeyUses(store: store, logger: logger)
        let submit = SubmitEndpoint(
            signed: signed, ingest: Ingest(store: store, logger: logger), metrics: metrics, writes: writes,
            uses: uses)
        let keys = KeysEndpoint(signed: signed, desk: desk, uses: uses, logger: logger)
        let update = UpdateEndpoint(
            signed: signed, patches: store, releases: ReleaseMessages(shelf), logger: logger)
        let agentUpdate = AgentUpdateEndpoint(signed: signed, releases: shelf)
        let orders = OrdersEndpoint(signed: signed, store: store, logger: logger)
        let release = ReleaseEndpoint(access: access(options.downloadRelease, .open), releases: shelf)
        let pipes = PipeEndpoints(
            signed: signed, access: access(options.pipeCreate, .closed), store: store, relay: relay,
            logger: logger)
        let health = HealthEndpoints(
            readiness: readiness, metrics: metrics, store: store, metricsRanges: options.metricsRanges,
            logger: logger)
        let all = [
            submit.routes, update.routes, agentUpdate.routes, orders.routes, keys.routes, release.routes,
            pipes.routes, health.routes,
        ]
        routes = RouteTable(all.flatMap { $0 })
        limits = SharedLimits(requests: AdmissionGate(limit: options.requests))
        proxies = TrustedProxies(options.trustedProxies)
        deprecatedPorts = DeprecatedPorts(store: store, now: now, logger: logger)
        self.metrics = metrics
        self.logger = logger
    }

    /// What answers on one port.
    func responder(on listener: Listener) -> FleetResponder {
        FleetResponder(
            routes: routes, listener: listener, shared: limits, proxies: proxies,
            deprecatedPorts: deprecatedPorts, metrics: metrics, logger: logger)
    }

    /// The server is about to stop: says so to those who ask, and answers those who wait.
    func drain() async {
        await readiness.stop()
        await relay.stop()
    }
}
