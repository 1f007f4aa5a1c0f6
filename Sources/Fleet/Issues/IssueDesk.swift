import Foundation
import PDDocument
import PDProtocol
import PDQuery
import PDStore

/// Where people decide about issues. Each decision is kept with who made it and why, in one transaction with what it does.
package struct IssueDesk: Sendable {
    package let store: any FleetStore
    package let checks: CheckSet
    /// The clock, in milliseconds since 1970-01-01 UTC.
    package let now: Int64
    /// Who decides.
    package let by: String

    package init(store: any FleetStore, checks: CheckSet, now: Int64, by: String) {
        self.store = store
        self.checks = checks
        self.now = now
        self.by = by
    }

    /// A host and a check that are decided about.
    package struct Target: Sendable, Hashable {
        package let host: HostID
        package let hostname: Hostname
        /// Empty where it is about the host as a whole.
        package let check: String

        package init(host: HostID, hostname: Hostname, check: String) {
            self.host = host
            self.hostname = hostname
            self.check = check
        }
    }

    // MARK: Choosing

    /// The hosts that are named, or that a query finds.
    ///
    /// - Throws: ``StoreError/unknownHost(_:)``, ``QueryError``.
    package func hosts(named names: [String], where query: String?) async throws -> [FleetHost] {
        var hosts: [FleetHost] = []
        for name in names {
            guard let host = try await store.host(name) else { throw StoreError.unknownHost(name) }
            if !hosts.contains(where: { $0.id == host.id }) { hosts.append(host) }
        }
        if let query {
            let known = Set(hosts.map(\.id))
            hosts += try await store.hosts(where: try Query(json: query, now: now)).filter {
                !known.contains($0.id)
            }
        }
        return hosts
    }

    /// What a decision is about: the named checks on the hosts, whether an issue is open or not; without names all issues
    /// that are open there.
    ///
    /// - Throws: ``StateError`` for a check that is not there.
    package func targets(hosts: [FleetHost], checks names: [String]) async throws -> [Target] {
        let open = try await store.openIssues()
        for name in names where checks[name] == nil && !open.contains(where: { $0.check == name }) {
            throw StateError("there is no check \(name): pd-admin checks list names them")
        }
        let byHost = Dictionary(grouping: open, by: \.hostID)
        return hosts.flatMap { host in
            let wanted = names.isEmpty ? (byHost[host.id] ?? []).map(\.check) : names
            return wanted.map { Target(host: host.id, hostname: host.hostname, check: $0) }
        }
    }

    // MARK: Deciding

    /// Keeps issues quiet until a date, until they are resolved, or whichever comes first.
    package func snooze(_ targets: [Target], until: Int64?, untilResolved: Bool, reason: String)
        async throws(StoreError)
    {
        try await decide(
            .snooze, .snoozed, targets, until: until, untilResolved: untilResolved, reason: reason)
    }

    /// Documents that something may stay as it is, until a date.
    package func exempt(_ targets: [Target], until: Int64?, reason: String) async throws(StoreError) {
        try await decide(.exemption, .exempted, targets, until: until, untilResolved: false, reason: reason)
    }

    private func decide(
        _ kind: Silence.Kind, _ event: IssueEvent.Kind, _ targets: [Target], until: Int64?,
        untilResolved: Bool,
        reason: String
    ) async throws(StoreError) {
        try await store.apply(
            records: targets.flatMap { target in
                [
                    .put(
                        .silences,
                        Silence(
                            kind, host: target.host, check: target.check, since: now, until: until,
                            endsWhenResolved: untilResolved, reason: reason, by: by
                        ).record), self.event(event, target, reason: reason, until: until),
                ]
            })
    }

    /// Ends a snooze, or an exemption.
    ///
    /// - Returns: what was quiet and no longer is.
    package func endSilence(
        _ kind: Silence.Kind, _ targets: [Target], reason: String
    ) async throws(StoreError) -> [Target] {
        let known = Set(try await store.records(.silences).map(\.id))
        let open = try await store.openIssues()
        var ended: [Target] = []
        var records: [RecordChange] = []
        var issues: [IssueChange] = []
        for target in targets {
            let id = Silence.id(kind, target.host, target.check)
            // A snooze of version 1 stands in the issue.
            let legacy = open.first {
                kind == .snooze && $0.hostID == target.host && $0.check == target.check
                    && $0.legacySnooze(at: now) != nil
            }
            guard known.contains(id) || legacy != nil else { continue }
            ended.append(target)
            records.append(.remove(.silences, id: id))
            records.append(event(kind == .snooze ? .unsnoozed : .exemptionEnded, target, reason: reason))
            if let legacy {
                issues.append(
                    IssueChange(
                        .update, host: target.host, check: target.check,
                        details: legacy.details.setting("unsnoozed_at", to: .date(milliseconds: now))))
            }
        }
        try await store.apply(issues: issues, records: records, at: now)
        return ended
    }

    /// Opens issues by hand: they stay until newer data of the host says otherwise, or until they are closed by hand.
    package func open(_ targets: [Target], reason: String) async throws(StoreError) {
        let details: Document = ["opened_by": .string(by), "evidence": .string(reason)]
        try await store.apply(
            issues: targets.map { IssueChange(.open, host: $0.host, check: $0.check, details: details) },
            records: targets.flatMap { target in
                [
                    .remove(.silences, id: Silence.id(.closed, target.host, target.check)),
                    event(.openedByHand, target, reason: reason),
                ]
            }, at: now)
    }

    /// Closes issues by hand: they do not come back before newer data of the host.
    ///
    /// - Returns: those that were open.
    package func close(_ targets: [Target], reason: String) async throws(StoreError) -> [Target] {
        let open = try await store.openIssues()
        var issues: [IssueChange] = []
        var records: [RecordChange] = []
        var closed: [Target] = []
        for target in targets {
            guard let issue = open.first(where: { $0.hostID == target.host && $0.check == target.check })
            else { continue }
            closed.append(target)
            issues.append(
                IssueChange(
                    .close, host: target.host, check: target.check,
                    details: issue.details.setting("closed_by", to: .string(by))))
            records.append(
                .put(
                    .silences,
                    Silence(
                        .closed, host: target.host, check: target.check, since: now, reason: reason, by: by
                    ).record))
            records.append(event(.closedByHand, target, reason: reason))
        }
        try await store.apply(issues: issues, records: records, at: now)
        return closed
    }

    /// Leaves hosts out of audits until they report again, or takes that back.
    ///
    /// - Returns: the hosts as what was decided about.
    @discardableResult
    package func suspend(_ hosts: [FleetHost], _ isSuspended: Bool, reason: String) async throws(StoreError)
        -> [Target]
    {
        let targets = hosts.map { Target(host: $0.id, hostname: $0.hostname, check: "") }
        for host in hosts { try await store.suspend(isSuspended, host: host.id) }
        try await store.apply(
            records: targets.map { event(isSuspended ? .suspended : .resumed, $0, reason: reason) })
        return targets
    }

    private func event(
        _ kind: IssueEvent.Kind, _ target: Target, reason: String, until: Int64? = nil
    ) -> RecordChange {
        .put(
            .issueEvents,
            IssueEvent(
                kind, at: now, host: target.host, hostname: target.hostname, check: target.check, by: by,
                reason: reason, until: until
            ).record)
    }

    // MARK: History

    /// One line of what happened to issues.
    package struct HistoryEntry: Sendable, Equatable {
        package let at: Int64
        package let host: HostID
        package let hostname: Hostname
        package let check: String
        /// `opened`, `closed`, or an event's kind.
        package let what: String
        package let by: String
        package let reason: String
        package let until: Int64?
    }

    /// What happened in a period, by time.
    package func history(from: Int64, to: Int64) async throws(StoreError) -> [HistoryEntry] {
        var entries: [HistoryEntry] = []
        for issue in try await store.issues(from: from, to: to) {
            func entry(_ at: Int64, _ what: String, _ by: String, _ reason: String) -> HistoryEntry {
                HistoryEntry(
                    at: at, host: issue.hostID, hostname: issue.hostname, check: issue.check, what: what,
                    by: by,
                    reason: reason, until: nil)
            }
            let cannotTell = issue.kind == .unknown ? "the host cannot tell" : ""
            if issue.openedAt >= from, issue.openedBy == nil {
                entries.append(
                    entry(
                        issue.openedAt, "opened", "",
                        [cannotTell, issue.evidence].filter { !$0.isEmpty }.joined(separator: ": ")))
            }
            if let told = issue.alertedAt, (from..<to).contains(told) {
                entries.append(entry(told, "told", "", ""))
            }
            if let closed = issue.closedAt, (from..<to).contains(closed), issue.details["closed_by"] == nil {
                entries.append(entry(closed, "closed", "", "the check no longer finds it"))
            }
        }
        let events = try await store.records(
            .issueEvents, from: RecordTime.name(from), to: RecordTime.name(to))
        for record in events {
            let event = try IssueEvent(record)
            entries.append(
                HistoryEntry(
                    at: event.at, host: event.host, hostname: event.hostname, check: event.check,
                    what: event.kind.rawValue, by: event.by, reason: event.reason, until: event.until))
        }
        return entries.sorted {
            ($0.at, $0.hostname.name, $0.check, $0.what) < ($1.at, $1.hostname.name, $1.check, $1.what)
        }
    }
}
