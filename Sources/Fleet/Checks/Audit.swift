import PDDocument
import PDProtocol
import PDQuery
import PDStore

/// What an audit found.
package struct AuditReport: Sendable, Equatable {
    /// One thing to fix on one host.
    package struct Finding: Sendable, Equatable {
        /// The host and since when.
        package let issue: Issue
        /// What is wrong, why it matters and what to do about it.
        package let check: Check
        /// Whether it is older than the check's grace period, so that people should be told.
        package let isAlerting: Bool
    }

    /// A check of which it is not known whether it finds a host.
    package struct Undecided: Sendable, Equatable {
        /// The host, by its name.
        package let hostname: Hostname
        /// The check, by its name.
        package let check: String
        /// Why it is not known.
        package let error: PatternError
    }

    /// The clock of the audit, in milliseconds since 1970-01-01 UTC.
    package let at: Int64
    /// How many hosts were looked at.
    package let hostCount: Int
    /// How many were passed over because they are suspended.
    package let suspendedCount: Int
    /// What is not known, because a regular expression of the check would take too long on what the host reported. Each
    /// has an issue, as if the check had found it.
    package let undecided: [Undecided]
    /// All open issues of the checks that ran, by hostname and check.
    package let findings: [Finding]
}

/// Puts checks to all hosts of a fleet.
package enum Audit {
    /// Looks at every host that is not suspended, and makes the open issues of these checks what it found: new ones
    /// are opened, those that are gone are closed, also those of a host that has been suspended.
    ///
    /// - Parameters:
    ///   - store: where hosts and issues are.
    ///   - checks: what to look for, each with a name of its own. Issues of other checks are left alone.
    ///   - now: the clock, in milliseconds since 1970-01-01 UTC; what `$ago` counts back from.
    /// - Throws: ``QueryError`` before anything is written, or what the store throws.
    package static func run(
        store: some HostStore & IssueStore, checks: [Check], at now: Int64
    ) async throws -> AuditReport {
        let queries = QuerySet(try checks.map { try Query($0.query, now: now) })
        let sweep = try await store.reduceHosts(
            where: nil, into: Sweep(found: Array(repeating: [], count: checks.count))
        ) { sweep, host in
            guard host.document["suspended"] != true else {
                sweep.suspendedCount += 1
                return
            }
            sweep.hostCount += 1
            queries.forEachMatch(in: host.document) {
                sweep.found[$0].append(host.id)
            } undecided: {
                // What cannot be known must not look like a machine without a fault.
                sweep.found[$0].append(host.id)
                sweep.undecided.append(.init(hostname: host.hostname, check: checks[$0].name, error: $1))
            }
        }
        let names = checks.map(\.name)
        let byName = Dictionary(zip(names, checks)) { first, _ in first }
        let issues = try await store.reconcileIssues(
            found: Dictionary(zip(names, sweep.found)) { $0 + $1 }, at: now)
        let findings = issues.compactMap { issue in
            byName[issue.check].map { check in
                AuditReport.Finding(
                    issue: issue, check: check,
                    isAlerting: now.subtractingReportingOverflow(issue.openedAt).partialValue
                        >= check.gracePeriod.milliseconds)
            }
        }
        return AuditReport(
            at: now, hostCount: sweep.hostCount, suspendedCount: sweep.suspendedCount,
            undecided: sweep.undecided, findings: findings)
    }

    /// What one pass over the hosts has seen so far.
    private struct Sweep: Sendable {
        /// For each check the hosts that it matched. One that finds nothing is named too: its issues are over.
        var found: [[HostID]]
        var hostCount = 0
        var suspendedCount = 0
        var undecided: [AuditReport.Undecided] = []
    }
}
