import Logging
import PDProtocol
import PDStore

/// Keeps an issue open for each host that still uses a deprecated port, and closes it when the host has moved, so that it
/// can be seen when a port may be closed.
///
/// A host has moved when what it asked on a deprecated port it asks on another: one that reports there and fetches updates
/// here has not. What it asks now and then does not keep the issue open by itself.
actor DeprecatedPorts {
    /// The name of the issue, beside those of checks.
    static let check = "deprecated-port"

    /// What hosts ask regularly, each in its own way.
    private enum Use {
        case report, update, other

        init(route: String) {
            switch route {
            case "submit": self = .report
            case "update", "v2/update": self = .update
            default: self = .other
            }
        }
    }

    private let store: any IssueStore & HostStore
    private let now: @Sendable () -> Int64
    private let logger: Logger
    /// The hosts that have the issue; nothing before they have been read.
    private var hosts: [Hostname: HostID]?
    /// What they asked on deprecated ports last, as far as this process has seen it.
    private var uses: [Hostname: Set<Use>] = [:]
    private var isAtWork = false

    init(store: any IssueStore & HostStore, now: @escaping @Sendable () -> Int64, logger: Logger) {
        self.store = store
        self.now = now
        self.logger = logger
    }

    /// A signed request of a host was answered. That the issue could not be written is no reason to refuse the request: the
    /// next one tries again.
    func host(_ host: Hostname, asked route: String, on listener: Listener) async {
        // One change at a time: a store is told the whole set.
        guard !isAtWork else { return }
        isAtWork = true
        defer { isAtWork = false }
        do {
            if hosts == nil { hosts = try await openHosts() }
            guard let known = hosts?[host] else {
                if listener.isDeprecated { try await open(host, Use(route: route)) }
                return
            }
            if listener.isDeprecated {
                uses[host, default: []].insert(Use(route: route))
                return
            }
            // What a server before this one saw is not known: reports, more likely than anything else.
            uses[host, default: [.report]].subtract([Use(route: route), .other])
            if uses[host]?.isEmpty ?? true { try await close(host, known) }
        } catch {
            logger.error("the use of a deprecated port could not be written down: \(error)")
        }
    }

    private func open(_ host: Hostname, _ use: Use) async throws(StoreError) {
        // One that has never reported is no host yet.
        guard let id = try await store.host(host.name)?.id else { return }
        try await change { $0[host] = id }
        uses[host] = [use]
    }

    private func close(_ host: Hostname, _ id: HostID) async throws(StoreError) {
        try await change { hosts in hosts = hosts.filter { $0.value != id } }
        uses[host] = nil
    }

    /// Other servers of the fleet write too, so what is open is read again.
    private func change(_ body: (inout [Hostname: HostID]) -> Void) async throws(StoreError) {
        var current = try await openHosts()
        body(&current)
        _ = try await store.reconcileIssues(
            found: [Self.check: current.values.sorted { $0.text < $1.text }], at: now())
        hosts = current
    }

    private func openHosts() async throws(StoreError) -> [Hostname: HostID] {
        let issues = try await store.openIssues().filter { $0.check == Self.check }
        return Dictionary(issues.map { ($0.hostname, $0.hostID) }, uniquingKeysWith: { first, _ in first })
    }
}
