import Foundation
import PDStore

/// The one audit of a fleet, whoever asks for it: a server again and again, a timer, an administrator. It puts the checks to
/// the hosts, adds what the server itself knows, plans what is to be told, and removes what is too old.
package struct FleetAudit: Sendable {
    /// Held while an audit runs, so that of several processes on one database one does.
    package static let lease = "audit-run"
    /// An audit that takes longer is taken for dead.
    static let longest: Int64 = 900_000
    /// What orders may wait for a host before that is an issue: by then a machine that is used has asked.
    static let pendingFor: Int64 = 3 * 86_400_000

    package let fleet: Fleet
    /// Different in each process.
    package let holder: String

    package init(_ fleet: Fleet, holder: String) {
        self.fleet = fleet
        self.holder = holder
    }

    /// What an audit did.
    package struct Result: Sendable {
        package let report: AuditReport
        package let checks: CheckSet
        /// How many findings people will be told about.
        package let told: Int
        package let removed: PruneReceipt?
    }

    /// - Parameter now: the clock, in milliseconds since 1970-01-01 UTC.
    /// - Returns: nothing where another process audits at this moment.
    package func run(at now: Int64) async throws -> Result? {
        let store = fleet.store
        let checks = try CheckFile.read(fleet.state.checksFile)
        guard try await store.takeLease(Self.lease, holder: holder, at: now, duration: Self.longest) else {
            return nil
        }
        do {
            let report = try await Audit.run(
                store: store, checks: checks, builtIn: try await builtInFindings(at: now), at: now)
            let told = try await Alerting(store: store, settings: fleet.settings.alerts, checks: checks)
                .plan(report.findings, at: now)
            try await store.apply(records: [
                .put(.presence, Landmark.audit.record(at: now)),
                .put(.presence, try await AuditDays.noting(store, at: now)),
            ])
            let removed = try await fleet.prune(at: now)
            try await store.releaseLease(Self.lease, holder: holder)
            return Result(report: report, checks: checks, told: told, removed: removed)
        } catch {
            // The first error is the one to tell; the lease ends by itself.
            try? await store.releaseLease(Self.lease, holder: holder)
            throw error
        }
    }

    // MARK: What the server itself finds

    /// - Parameter now: the clock, in milliseconds since 1970-01-01 UTC.
    package func builtInFindings(at now: Int64) async throws -> BuiltInFindings {
        var pending: [String: String] = [:]
        for order in try await fleet.store.orders() where order.submittedAt <= now - Self.pendingFor {
            for host in order.pendingHosts {
                let since = AlertText.time(order.submittedAt)
                pending[host.name] =
                    pending[host.name].map { "\($0), \(order.id)" } ?? "since \(since): \(order.id)"
            }
        }
        let twins = MachineTwins.findings(try await fleet.store.records(.machineTwins), at: now)
        let refused = RefusedRequests.findings(try await fleet.store.records(.refusals), at: now)
        let outdated = twins.outdated + refused.outdated
        if !outdated.isEmpty { try await fleet.store.apply(records: outdated) }
        let releases = try ReleaseShelf(directory: fleet.state.releases).numbers(with: ".manifest.sig")
        return BuiltInFindings(
            hosts: [
                .pendingPatches: pending, .twinHosts: twins.hosts, .failedVerification: refused.hosts,
            ], newestRelease: Int(releases.last ?? 0), fleet: expiring(at: now))
    }

    /// The certificates and keys that end soon, or have ended.
    private func expiring(at now: Int64) -> [BuiltInFindings.OfFleet] {
        fleet.expiries(at: now).compactMap { expiry in
            expiry.notice.map { .init(check: .expiringCertificate, subject: expiry.subject, evidence: $0) }
        }
    }
}
