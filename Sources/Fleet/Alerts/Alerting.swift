import PDDocument
import PDProtocol
import PDStore

/// Tells people what an audit found: plans messages into the outbox, and delivers what waits there.
package struct Alerting: Sendable {
    /// The parameter of a host that names its owner's address.
    package static let ownerParameter = "user_email"
    /// How long messages that were delivered are kept, to be shown.
    static let kept: Int64 = 90 * 86_400_000

    package let store: any FleetStore
    package let settings: AlertSettings
    package let checks: CheckSet

    package init(store: any FleetStore, settings: AlertSettings, checks: CheckSet) {
        self.store = store
        self.settings = settings
        self.checks = checks
    }

    // MARK: Planning

    /// Puts what is due into the outbox, in one transaction with the note that it was told.
    ///
    /// - Returns: how many findings are in new messages.
    @discardableResult
    package func plan(_ findings: [Finding], at now: Int64) async throws -> Int {
        guard !settings.isEmpty else { return 0 }
        var owners: [String: AlertChannel] = [:]
        for parameter in try await store.parameters() where parameter.name == Self.ownerParameter {
            guard let address = parameter.values.first else { continue }
            owners[parameter.hostname.name] = try settings.ownerChannel(address, checks)
        }
        let told = try await store.records(.told)
        let outbox = try await store.records(.outbox).map { try OutboxMessage($0) }
        let openings = try await openings(since: told, at: now)
        let planner = AlertPlanner(channels: try settings.channels(checks), owners: owners, now: now)
        let plan = planner.plan(findings: findings, told: told, outbox: outbox) { subject, check, after in
            (openings["\(check) \(subject)"] ?? []).count { $0 > after }
        }
        let old = outbox.filter { $0.state != .waiting && $0.createdAt < now - Self.kept }
        let records = plan.records + old.map { .remove(.outbox, id: $0.id) } + fleetNotes(plan.told, at: now)
        guard !records.isEmpty else { return 0 }
        try await store.apply(issues: try await issueNotes(plan.told, at: now), records: records, at: now)
        return plan.told.count
    }

    /// When issues were opened that were told about lately: what comes and goes is counted.
    private func openings(since told: [StoredRecord], at now: Int64) async throws(StoreError) -> [String:
        [Int64]]
    {
        let earliest = told.compactMap { $0.document["at"]?.milliseconds }.filter {
            $0 > now - 7 * 86_400_000
        }.min()
        guard let earliest else { return [:] }
        var openings: [String: [Int64]] = [:]
        for issue in try await store.issues(from: earliest, to: now.addingReportingOverflow(1).partialValue) {
            openings["\(issue.check) \(issue.hostname.name)", default: []].append(issue.openedAt)
        }
        return openings
    }

    /// Notes that people were told of findings, by whatever way.
    package func note(_ findings: [Finding], at now: Int64) async throws(StoreError) {
        try await store.apply(
            issues: try await issueNotes(findings, at: now), records: fleetNotes(findings, at: now), at: now)
    }

    private func issueNotes(_ told: [Finding], at now: Int64) async throws(StoreError) -> [IssueChange] {
        let wanted = Set(
            told.compactMap { finding -> String? in
                guard case .host(let id, _) = finding.subject else { return nil }
                return "\(id.text) \(finding.check.name)"
            })
        guard !wanted.isEmpty else { return [] }
        return try await store.openIssues().filter { wanted.contains("\($0.hostID.text) \($0.check)") }.map {
            IssueChange(.update, host: $0.hostID, check: $0.check, alertedAt: now, details: $0.details)
        }
    }

    private func fleetNotes(_ told: [Finding], at now: Int64) -> [RecordChange] {
        told.compactMap { finding in
            guard case .fleet(let subject) = finding.subject else { return nil }
            return .put(
                .fleetIssues,
                FleetIssue(
                    check: finding.check.name, subject: subject, openedAt: finding.openedAt, alertedAt: now,
                    evidence: finding.evidence
                ).record)
        }
    }

    // MARK: Delivering

    /// What became of the messages that waited.
    package struct Round: Sendable, Equatable {
        package var delivered = 0
        /// The channels that failed, with the reason.
        package var failures: [String: String] = [:]
    }

    /// Delivers what waits and is due, the oldest message of each channel first; a channel that fails is left until its next
    /// attempt and delays no other. To be called by one process at a time.
    ///
    /// - Parameter jitter: a number from 0 to 1, so that many servers do not knock together.
    package func deliver(
        by delivery: any AlertDelivery, at now: Int64, jitter: () -> Double, isUrged: Bool = false
    ) async throws -> Round {
        var round = Round()
        let channels = Dictionary(try settings.channels(checks).map { ($0.name, $0) }) { first, _ in first }
        let waiting = try await store.records(.outbox).map { try OutboxMessage($0) }.filter {
            $0.state == .waiting
        }
        for (name, messages) in Dictionary(grouping: waiting, by: \.channel).sorted(by: { $0.key < $1.key }) {
            let owner =
                name.hasPrefix("\(Check.owner):") ? String(name.dropFirst(Check.owner.utf8.count + 1)) : nil
            let channel = try channels[name] ?? owner.flatMap { try settings.ownerChannel($0, checks) }
            for message in messages.sorted(by: { $0.id < $1.id }) {
                guard let channel else {
                    try await keep(
                        message, .unwanted("the settings have no such channel any more"), now, jitter, &round)
                    continue
                }
                guard
                    message.nextAttemptAt <= now && channel.mayDisturb(with: message.message, at: now)
                        || isUrged
                else { break }
                let outcome = await delivery.deliver(message, by: channel, at: now)
                try await keep(message, outcome, now, jitter, &round)
                if case .failed = outcome { break }
            }
        }
        return round
    }

    private func keep(
        _ message: OutboxMessage, _ outcome: DeliveryOutcome, _ now: Int64, _ jitter: () -> Double,
        _ round: inout Round
    ) async throws(StoreError) {
        var message = message
        message.attempts += 1
        switch outcome {
        case .delivered:
            message.state = .sent
            message.sentAt = now
            message.lastError = ""
            round.delivered += 1
        case .failed(let reason):
            message.lastError = reason
            let wait = Double(OutboxMessage.backOff(after: message.attempts)) * (1 + 0.2 * jitter())
            message.nextAttemptAt = now + Int64(wait)
            round.failures[message.channel] = reason
        case .unwanted(let reason):
            message.state = .refused
            message.lastError = reason
            round.failures[message.channel] = reason
        }
        try await store.apply(records: [.put(.outbox, message.record)])
    }
}
