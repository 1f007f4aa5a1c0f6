import PDDocument
import PDProtocol
import PDStore

extension Evidence {
    /// Reads what a store knows about a period.
    ///
    /// - Parameters:
    ///   - framework: leaves out the checks that answer to none of its controls.
    ///   - keptFor: for how long closed issues are kept, in milliseconds; nothing where they are kept for good.
    ///   - now: the clock, in milliseconds since 1970-01-01 UTC.
    /// - Throws: ``FleetError`` for a framework that no check names, ``StoreError``.
    package init(
        store: any FleetStore, checks set: CheckSet, from: Int64, to: Int64, framework: String? = nil,
        keptFor: Int64? = nil, at now: Int64
    ) async throws {
        let known = Set(set.checks.flatMap(\.controls.keys))
        if let framework, !known.contains(framework) {
            let names = known.sorted().joined(separator: ", ")
            throw FleetError(
                .usage,
                "no check of checks.yml answers to a control of \(framework)"
                    + (names.isEmpty ? "" : ": it names \(names)"))
        }
        let period = Period(from: from, to: to, now: now)
        let hosts = try await store.reduceHosts(where: nil, into: [Host]()) { hosts, host in
            hosts.append(
                Host(
                    id: host.id, hostname: host.hostname, submittedAt: host.submittedAt,
                    isSuspended: host.document["suspended"]?.bool == true))
        }
        let issues = try await store.issues(from: from, to: period.knownTo)
        let ofFleet = try await store.records(.fleetIssues).map { try FleetIssue($0) }
        let closedOfFleet = try await store.records(.closedFleetIssues).map { try FleetIssue($0) }
        let events = try await store.records(
            .issueEvents, from: nil, to: RecordTime.name(period.knownTo)
        ).map { Decision(record: $0.id, event: try IssueEvent($0)) }
        let audits = AuditDays(try await store.records(.presence))

        func isWanted(_ check: String) -> Bool {
            framework.map { set[check]?.controls[$0]?.isEmpty == false } ?? true
        }
        func overlaps(_ since: Int64, _ end: Int64?) -> Bool {
            since < period.knownTo && (end.map { $0 > from } ?? true)
        }
        let episodes =
            (issues.map(Episode.init)
            + (ofFleet + closedOfFleet).map(Episode.init)
            .filter { $0.openedAt < period.knownTo && ($0.closedAt ?? .max) >= from })
            .filter { isWanted($0.check) }
            .sorted { ($0.check, $0.subject, $0.openedAt) < ($1.check, $1.subject, $1.openedAt) }
        // A host that was renamed since is called what it is called now.
        let names = Dictionary(hosts.map { ($0.id, $0.hostname.name) }) { first, _ in first }
        let exceptions = (Self.exceptions(events, names: names) + issues.compactMap(Exception.init(legacy:)))
            .filter { isWanted($0.check) && overlaps($0.since, $0.end) }
            .sorted { ($0.check, $0.hostname, $0.since) < ($1.check, $1.hostname, $1.since) }
        let former = Set(episodes.map(\.check) + exceptions.map(\.check)).filter { set[$0] == nil }

        self.period = period
        madeAt = now
        self.framework = framework
        checks =
            set.checks.filter { isWanted($0.name) }
            + former.sorted().map { Check(name: $0, title: $0, method: .builtIn) }
        formerChecks = former
        self.hosts = hosts
        self.episodes = episodes
        self.exceptions = exceptions
        decisions = events.filter {
            $0.event.at >= from && !$0.event.by.isEmpty
                && ($0.event.check.isEmpty || isWanted($0.event.check))
        }
        days = Self.days(period, episodes, exceptions, audits)
        keptSince = keptFor.map { now.subtractingReportingOverflow($0).partialValue }
    }

    /// The decisions that events tell of, each with its end.
    ///
    /// - Parameter names: what hosts are called now.
    static func exceptions(_ events: [Decision], names: [HostID: String] = [:]) -> [Exception] {
        var ended: [Exception] = []
        var open: [String: Exception] = [:]
        for decision in events.sorted(by: { ($0.event.at, $0.record) < ($1.event.at, $1.record) }) {
            let event = decision.event
            let kind: Silence.Kind
            switch event.kind {
            case .exempted, .exemptionEnded: kind = .exemption
            case .snoozed, .unsnoozed, .snoozeEnded: kind = .snooze
            default: continue
            }
            let key = Silence.id(kind, event.host, event.check)
            if var before = open.removeValue(forKey: key) {
                before.endedAt = event.at
                before.endReason = event.reason
                ended.append(before)
            }
            guard event.kind == .exempted || event.kind == .snoozed else { continue }
            open[key] = Exception(
                record: decision.record, kind: kind, host: event.host,
                hostname: names[event.host] ?? event.hostname.name,
                check: event.check, since: event.at, until: event.until, by: event.by, reason: event.reason)
        }
        return ended + open.values
    }

    private static func days(
        _ period: Period, _ episodes: [Episode], _ exceptions: [Exception], _ audits: AuditDays
    ) -> [Day] {
        var days = period.days.map { Day(date: $0, audits: audits.count(on: $0)) }
        guard let first = days.first?.date.number else { return [] }
        // What begins counts from the day of its beginning on, what ends no more from the day of its end on.
        var open = [Int](repeating: 0, count: days.count + 1)
        var excepted = open
        func place(_ moment: Int64) -> Int { min(max(Period.day(moment) - first, 0), days.count) }
        let covering = Dictionary(grouping: exceptions) { "\($0.host.text) \($0.check)" }
        for (index, episode) in episodes.enumerated() {
            let closedAt = episode.closedAt.flatMap { $0 < period.knownTo ? $0 : nil }
            let (begin, end) = (place(episode.openedAt), closedAt.map(place) ?? days.count)
            open[begin] += 1
            open[end] -= 1
            if episode.openedAt >= period.from { days[begin].opened.append(index) }
            if closedAt != nil, end < days.count { days[end].closed.append(index) }
            guard let host = episode.host else { continue }
            var covered = IndexRanges()
            for exception in covering["\(host.text) \(episode.check)"] ?? [] {
                let from = max(begin, place(exception.since))
                let to = min(
                    end, exception.end.map { $0 < period.knownTo ? place($0) : days.count } ?? days.count)
                covered.insert(from, to)
            }
            for range in covered.ranges {
                excepted[range.lowerBound] += 1
                excepted[range.upperBound] -= 1
            }
        }
        var sums = (open: 0, excepted: 0)
        for index in days.indices {
            sums.open += open[index]
            sums.excepted += excepted[index]
            days[index].open = sums.open
            days[index].excepted = sums.excepted
        }
        return days
    }
}

/// Ranges of days that do not overlap, so that an issue that two decisions cover counts once.
private struct IndexRanges {
    private(set) var ranges: [Range<Int>] = []

    mutating func insert(_ from: Int, _ to: Int) {
        guard from < to else { return }
        var (from, to) = (from, to)
        ranges.removeAll { range in
            guard range.lowerBound <= to, range.upperBound >= from else { return false }
            (from, to) = (min(from, range.lowerBound), max(to, range.upperBound))
            return true
        }
        ranges.append(from..<to)
    }
}

// MARK: - Records

extension Evidence.Episode {
    init(_ issue: Issue) {
        record =
            "\(issue.hostID.text) \(issue.check) \(Timestamp.text(milliseconds: issue.openedAt))"
        host = issue.hostID
        subject = issue.hostname.name
        check = issue.check
        kind = issue.kind
        openedAt = issue.openedAt
        closedAt = issue.closedAt
        alertedAt = issue.alertedAt
        evidence = issue.evidence
        openedBy = issue.openedBy ?? ""
        closedBy = issue.details["closed_by"]?.string ?? ""
    }

    init(_ issue: FleetIssue) {
        record = "fleet \(issue.id) \(Timestamp.text(milliseconds: issue.openedAt))"
        host = nil
        subject = issue.subject
        check = issue.check
        kind = .failing
        openedAt = issue.openedAt
        closedAt = issue.closedAt
        alertedAt = issue.alertedAt
        evidence = issue.evidence
        openedBy = ""
        closedBy = ""
    }
}

extension Evidence.Exception {
    /// A snooze of version 1, which stands in the issue itself.
    init?(legacy issue: Issue) {
        guard let since = issue.details["snoozed_at"]?.milliseconds else { return nil }
        record = Evidence.Episode(issue).record
        kind = .snooze
        host = issue.hostID
        hostname = issue.hostname.name
        check = issue.check
        self.since = since
        until = issue.details["unsnooze_at"]?.milliseconds
        endedAt = issue.details["unsnoozed_at"]?.milliseconds
        by = ""
        reason = ""
    }
}
