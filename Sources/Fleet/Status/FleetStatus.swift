import PDDocument
import PDProtocol
import PDStore

/// How a fleet stands, on one screen.
package struct FleetStatus: Sendable, Equatable {
    /// A host that the last audit found silent.
    package struct Silent: Sendable, Equatable {
        package let hostname: Hostname
        /// Since when it has been found so, in milliseconds since 1970-01-01 UTC.
        package let since: Int64
    }

    /// An order for which hosts are awaited.
    package struct WaitingOrder: Sendable, Equatable {
        package let id: String
        package let submittedAt: Int64
        package let hostCount: Int
    }

    /// A channel with messages that wait.
    package struct WaitingChannel: Sendable, Equatable {
        package let channel: String
        package let count: Int
        /// When the oldest of them became due.
        package let since: Int64
        /// Why it could not be delivered; empty before the first attempt.
        package let lastError: String
    }

    package let at: Int64
    package let hostCount: Int
    package let suspendedCount: Int
    /// When a server last said that it runs; nothing where none ever did.
    package let serverSeenAt: Int64?
    package let silent: [Silent]
    /// What is open, as it stands.
    package let findings: [Finding]
    package let orders: [WaitingOrder]
    package let expiries: [FleetExpiry]
    package let lastAuditAt: Int64?
    package let lastBackupAt: Int64?
    package let outbox: [WaitingChannel]

    /// - Parameter now: the clock, in milliseconds since 1970-01-01 UTC.
    package init(_ fleet: Fleet, checks: CheckSet, at now: Int64) async throws {
        let store = fleet.store
        at = now
        (hostCount, suspendedCount) = try await store.reduceHosts(where: nil, into: (0, 0)) { counts, host in
            counts.0 += 1
            if host.document["suspended"]?.bool == true { counts.1 += 1 }
        }
        serverSeenAt = ServerPresence.lastSeen(try await store.records(.presence))
        findings = try await Audit.standing(store: store, checks: checks, at: now)
        silent = findings.compactMap { finding in
            guard finding.check.name == Check.notReporting, finding.state != .suspended,
                case .host(_, let hostname) = finding.subject
            else { return nil }
            return Silent(hostname: hostname, since: finding.openedAt)
        }
        orders = try await store.orders().filter { !$0.pendingHosts.isEmpty }.map {
            WaitingOrder(id: $0.id, submittedAt: $0.submittedAt, hostCount: $0.pendingHosts.count)
        }
        expiries = fleet.expiries(at: now)
        lastAuditAt = try await store.last(.audit)
        lastBackupAt = try await store.last(.backup)
        let waiting = try await store.records(.outbox).map { try OutboxMessage($0) }.filter {
            $0.state == .waiting
        }
        outbox = Dictionary(grouping: waiting, by: \.channel).sorted { $0.key < $1.key }.map {
            channel, messages in
            WaitingChannel(
                channel: channel, count: messages.count, since: messages.map(\.createdAt).min() ?? now,
                lastError: messages.map(\.lastError).first { !$0.isEmpty } ?? "")
        }
    }

    /// Whether a server said lately that it runs.
    package var isServed: Bool { serverSeenAt.map { at - $0 < ServerPresence.tolerance } ?? false }

    /// How many issues stand in each way.
    package var counts: [Finding.State: Int] { findings.reduce(into: [:]) { $0[$1.state, default: 0] += 1 } }

    /// How many issues people should be told, by severity, the worst first.
    package var bySeverity: [(severity: Check.Severity, count: Int)] {
        let alerting = findings.filter(\.isAlerting)
        return Check.Severity.allCases.reversed().map { severity in
            (severity, alerting.count { $0.check.severity == severity })
        }.filter { $0.count > 0 }
    }

    /// How many issues are open, by check, the most first.
    package var byCheck: [(check: String, count: Int)] {
        let counts = findings.reduce(into: [String: Int]()) { $0[$1.check.name, default: 0] += 1 }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }
}

extension FleetStatus {
    /// The members that scripts rely on.
    package var json: Document {
        func time(_ moment: Int64?) -> Value { moment.map(Value.date(milliseconds:)) ?? .null }
        let counts = counts
        return [
            "at": .date(milliseconds: at), "hosts": .int(hostCount), "suspended": .int(suspendedCount),
            "server_seen_at": time(serverSeenAt), "is_served": .bool(isServed),
            "silent": .array(
                silent.map { ["host": .string($0.hostname.name), "since": .date(milliseconds: $0.since)] }),
            "issues": [
                "alerting": .int(counts[.open] ?? 0), "grace": .int(counts[.grace] ?? 0),
                "snoozed": .int(counts[.snoozed] ?? 0), "exempt": .int(counts[.exempt] ?? 0),
                "suspended": .int(counts[.suspended] ?? 0),
                "by_severity": .document(
                    Document(bySeverity.map { ($0.severity.rawValue, .int($0.count)) })),
                "by_check": .document(Document(byCheck.map { ($0.check, .int($0.count)) })),
            ],
            "orders": .array(
                orders.map {
                    [
                        "id": .string($0.id), "submitted_at": .date(milliseconds: $0.submittedAt),
                        "hosts": .int($0.hostCount),
                    ]
                }),
            "ends": .array(
                expiries.map {
                    [
                        "subject": .string($0.subject), "ends_at": time($0.endsAt),
                        "notice": $0.notice.map(Value.string) ?? .null,
                    ]
                }),
            "last_audit_at": time(lastAuditAt), "last_backup_at": time(lastBackupAt),
            "outbox": .array(
                outbox.map {
                    [
                        "channel": .string($0.channel), "waiting": .int($0.count),
                        "since": .date(milliseconds: $0.since), "last_error": .string($0.lastError),
                    ]
                }),
        ]
    }
}
