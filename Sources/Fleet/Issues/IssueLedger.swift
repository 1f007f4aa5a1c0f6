import PDDocument
import PDProtocol
import PDStore

/// Works out what changes between the issues that were open and what an audit found, and how what is open stands. Pure: it
/// reads nothing and writes nothing.
struct IssueLedger {
    private let checks: [String: Check]
    private var silences: [String: Silence]
    private let open: [String: [HostID: Issue]]
    private let now: Int64
    /// What is to be written.
    private(set) var changes: [IssueChange] = []
    private(set) var records: [RecordChange] = []
    var fleetIssues: [FleetIssue] = []
    /// What is over with this audit.
    private var closed: Set<String> = []

    init(checks: CheckSet, silences: [Silence], open: [Issue], now: Int64) {
        self.checks = Dictionary(checks.checks.map { ($0.name, $0) }) { first, _ in first }
        self.silences = Dictionary(silences.map { ($0.record.id, $0) }) { first, _ in first }
        self.open = Dictionary(grouping: open, by: \.check).mapValues { issues in
            Dictionary(issues.map { ($0.hostID, $0) }) { first, _ in first }
        }
        self.now = now
    }

    // MARK: Opening and closing

    /// - Parameters:
    ///   - suspended: hosts whose issues stay as they are.
    ///   - dataAt: when hosts sent what is known of them, at least those with issues that were opened by hand.
    mutating func reconcile(
        _ check: Check, found: [FoundHost], suspended: Set<HostID>, dataAt: [HostID: Int64]
    ) {
        let known = open[check.name] ?? [:]
        for host in found {
            let closedByHand = Silence.id(.closed, host.id, check.name)
            guard let issue = known[host.id] else {
                if let silence = silences[closedByHand] {
                    guard host.submittedAt > silence.since else { continue }
                    silences[closedByHand] = nil
                    records.append(.remove(.silences, id: closedByHand))
                }
                changes.append(
                    IssueChange(.open, host: host.id, check: check.name, details: Self.details(host)))
                continue
            }
            if issue.kind == .unknown, host.kind == .failing {
                // What could not be told is known now: another issue, with a grace period of its own.
                changes.append(IssueChange(.close, host: host.id, check: check.name, details: issue.details))
                changes.append(
                    IssueChange(.open, host: host.id, check: check.name, details: Self.details(host)))
            } else if issue.kind == host.kind, issue.evidence != host.evidence {
                changes.append(
                    IssueChange(
                        .update, host: host.id, check: check.name,
                        details: issue.details.setting(
                            "evidence", to: host.evidence.isEmpty ? nil : .string(host.evidence))))
            }
        }
        let names = Set(found.map(\.id))
        for (host, issue) in known.sorted(by: { $0.key.text < $1.key.text })
        where !names.contains(host) && !suspended.contains(host) {
            // Whoever opened it by hand saw something that no report said; a newer report may.
            if issue.openedBy != nil, dataAt[host] ?? .max <= issue.openedAt { continue }
            changes.append(IssueChange(.close, host: host, check: check.name, details: issue.details))
            closed.insert("\(host.text) \(check.name)")
        }
    }

    private static func details(_ host: FoundHost) -> Document {
        var writer = DocumentWriter()
        if host.kind != .failing { writer.append("kind", .string(host.kind.rawValue)) }
        if !host.evidence.isEmpty { writer.append("evidence", .string(host.evidence)) }
        return writer.finish()
    }

    /// - Parameter found: what was found of the fleet; nothing where nobody looked.
    mutating func reconcileFleet(_ known: [FleetIssue], found: [BuiltInFindings.OfFleet]?) {
        guard let found else {
            fleetIssues = known
            return
        }
        let byID = Dictionary(known.map { ($0.id, $0) }) { first, _ in first }
        fleetIssues = found.filter { checks[$0.check.rawValue] != nil }.map { finding in
            let id = FleetIssue(
                check: finding.check.rawValue, subject: finding.subject, openedAt: now, evidence: ""
            ).id
            return FleetIssue(
                check: finding.check.rawValue, subject: finding.subject, openedAt: byID[id]?.openedAt ?? now,
                alertedAt: byID[id]?.alertedAt, evidence: finding.evidence)
        }
        let standing = Set(fleetIssues.map(\.id))
        records += known.filter { !standing.contains($0.id) }.flatMap { issue in
            [.remove(.fleetIssues, id: issue.id), .put(.closedFleetIssues, issue.closed(at: now))]
        }
        records += fleetIssues.filter { byID[$0.id] != $0 }.map { .put(.fleetIssues, $0.record) }
    }

    // MARK: Silences

    /// Ends the decisions whose time is over, those that end with their issue, and those about hosts that are gone.
    mutating func endSilences(hosts: [HostID: Hostname]) {
        for (id, silence) in silences.sorted(by: { $0.key < $1.key }) {
            guard let hostname = hosts[silence.host] else {
                silences[id] = nil
                records.append(.remove(.silences, id: id))
                continue
            }
            let isResolved =
                silence.endsWhenResolved && closed.contains("\(silence.host.text) \(silence.check)")
            guard silence.kind != .closed, !silence.holds(at: now) || isResolved else { continue }
            silences[id] = nil
            records.append(.remove(.silences, id: id))
            records.append(
                .put(
                    .issueEvents,
                    IssueEvent(
                        silence.kind == .snooze ? .snoozeEnded : .exemptionEnded, at: now, host: silence.host,
                        hostname: hostname, check: silence.check,
                        reason: isResolved ? "the issue is resolved" : "its time is over"
                    ).record))
        }
    }

    // MARK: How it stands

    /// The open issues of the checks and of those that people opened by hand, by subject and check.
    func findings(
        of issues: [Issue], suspended: Set<HostID>, distributions: [HostID: [String]]
    ) -> [Finding] {
        var cutoffs: [String: Int64] = [:]
        func isPastGrace(_ check: Check, _ kind: Finding.Kind, _ openedAt: Int64) -> Bool {
            let span = kind == .unknown ? check.unknown?.gracePeriod ?? check.gracePeriod : check.gracePeriod
            let key = "\(check.name) \(kind.rawValue)"
            let cutoff = cutoffs[key] ?? check.moment(before: now, span)
            cutoffs[key] = cutoff
            return openedAt <= cutoff
        }
        var findings: [Finding] = []
        for issue in issues {
            guard var check = checks[issue.check] ?? issue.openedBy.map({ _ in Self.byHand(issue.check) })
            else { continue }
            check.fix = check.fix(on: distributions[issue.hostID] ?? [])
            let silence =
                [Silence.Kind.exemption, .snooze].lazy
                .compactMap { silences[Silence.id($0, issue.hostID, issue.check)] }
                .first { $0.holds(at: now) } ?? issue.legacySnooze(at: now)
            let state: Finding.State =
                suspended.contains(issue.hostID)
                ? .suspended
                : silence.map { $0.kind == .exemption ? .exempt : .snoozed }
                    ?? (isPastGrace(check, issue.kind, issue.openedAt) ? .open : .grace)
            findings.append(
                Finding(
                    subject: .host(issue.hostID, issue.hostname), check: check, kind: issue.kind,
                    openedAt: issue.openedAt, alertedAt: issue.alertedAt, evidence: issue.evidence,
                    state: state,
                    silence: silence))
        }
        for issue in fleetIssues {
            guard let check = checks[issue.check] else { continue }
            findings.append(
                Finding(
                    subject: .fleet(issue.subject), check: check, kind: .failing, openedAt: issue.openedAt,
                    alertedAt: issue.alertedAt, evidence: issue.evidence,
                    state: isPastGrace(check, .failing, issue.openedAt) ? .open : .grace, silence: nil))
        }
        return findings.sorted { ($0.subject.name, $0.check.name) < ($1.subject.name, $1.check.name) }
    }

    /// What a person opened by hand under a name that no check has.
    private static func byHand(_ name: String) -> Check {
        Check(name: name, title: name, method: .builtIn)
    }
}
