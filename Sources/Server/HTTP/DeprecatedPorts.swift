import Logging
import PDProtocol
import PDStore

/// Keeps an issue open for each host that still reports on a deprecated port, and closes it when the host has moved, so
/// that it can be seen when a port may be closed.
actor DeprecatedPorts {
    /// The name of the issue, beside those of checks.
    static let check = "deprecated-port"

    private let store: any IssueStore
    private let now: @Sendable () -> Int64
    private let logger: Logger
    /// The hosts that have the issue; nothing before they have been read.
    private var hosts: Set<HostID>?
    private var isAtWork = false

    init(store: any IssueStore, now: @escaping @Sendable () -> Int64, logger: Logger) {
        self.store = store
        self.now = now
        self.logger = logger
    }

    /// A report came in. That the issue could not be written is no reason to refuse the report: the next one tries again.
    func host(_ host: HostID, reportedOn listener: Listener) async {
        // One change at a time: a store is told the whole set.
        guard !isAtWork else { return }
        isAtWork = true
        defer { isAtWork = false }
        do {
            if hosts == nil { hosts = try await openHosts() }
            guard let known = hosts, known.contains(host) != listener.isDeprecated else { return }
            // Other servers of the fleet write too.
            var current = try await openHosts()
            if listener.isDeprecated { current.insert(host) } else { current.remove(host) }
            _ = try await store.reconcileIssues(
                found: [Self.check: current.sorted { $0.text < $1.text }], at: now())
            hosts = current
        } catch {
            logger.error("the use of a deprecated port could not be written down: \(error)")
        }
    }

    private func openHosts() async throws(StoreError) -> Set<HostID> {
        Set(try await store.openIssues().filter { $0.check == Self.check }.map(\.hostID))
    }
}
