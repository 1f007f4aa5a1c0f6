import PDDocument
import PDProtocol
import PDQuery
import PDStore

/// What an audit found.
package struct AuditReport: Sendable, Equatable {
    /// A check whose answer for a host is not known.
    package struct Undecided: Sendable, Equatable {
        /// The host.
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
    /// How many of these are suspended until they report again.
    package let suspendedCount: Int
    /// What is not known, because a regular expression of the check would take too long on what the host reported. Each
    /// has an issue of the kind ``Finding/Kind/unknown``.
    package let undecided: [Undecided]
    /// All open issues of the checks, by subject and check, quiet ones too.
    package let findings: [Finding]

    /// What people should be told.
    package var alerting: [Finding] { findings.filter(\.isAlerting) }
}

/// Puts checks to all hosts of a fleet.
package enum Audit {
    /// Looks at every host, and makes the open issues of these checks what it found: new ones are opened, those that are
    /// gone are closed. Issues of a suspended host stay as they are. What people decided holds: an issue that was closed by
    /// hand does not come back before newer data, one that was opened by hand stays until newer data says otherwise.
    ///
    /// - Parameters:
    ///   - store: where hosts and issues are.
    ///   - checks: what to look for. Issues of other checks are left alone.
    ///   - builtIn: what the server itself found.
    ///   - now: the clock, in milliseconds since 1970-01-01 UTC; what `$ago` counts back from.
    /// - Throws: ``QueryError`` before anything is written, or what the store throws.
    package static func run(
        store: any FleetStore, checks: CheckSet, builtIn: BuiltInFindings = BuiltInFindings(), at now: Int64
    ) async throws -> AuditReport {
        let presence = ServerPresence(try await store.records(.presence), at: now)
        let questions = try Questions(checks, presence, builtIn, now)
        let silences = try await store.records(.silences).map { try Silence($0) }
        let before = try await store.openIssues()
        let parameters = try await store.parameters()

        // Whoever opened or closed an issue by hand wants to know when its host's data is newer.
        let byHand = Set(before.filter { $0.openedBy != nil }.map(\.hostID))
        let linked = LinkedHosts(parameters)
        let watch = Watch(hosts: byHand.union(silences.map(\.host)), names: linked.names)
        let sweep = try await store.reduceHosts(where: nil, into: Sweep(count: checks.checks.count)) {
            sweep, host in
            sweep.take(host, questions, builtIn, watch)
        }
        var ledger = IssueLedger(checks: checks, silences: silences, open: before, now: now)
        for (index, check) in checks.checks.enumerated() {
            // A check that the server itself makes is left alone where nobody looked.
            if check.method == .builtIn, !builtIn.hasLooked(BuiltInCheck(rawValue: check.name)) { continue }
            var found = sweep.found[index]
            if let span = check.sparesLinkedHosts {
                found = linked.unspared(
                    found, silentSince: now.subtractingReportingOverflow(span.milliseconds).partialValue,
                    answering: sweep.reporting)
            }
            ledger.reconcile(check, found: found, suspended: sweep.suspended, dataAt: sweep.dataAt)
        }
        let fleet = try await store.records(.fleetIssues).map { try FleetIssue($0) }
        ledger.reconcileFleet(fleet, found: builtIn.fleet)
        ledger.endSilences(hosts: sweep.names)
        let suspensions = Suspension.changes(try await store.records(.suspensions), found: sweep.suspended)
        try await store.apply(issues: ledger.changes, records: ledger.records + suspensions, at: now)

        let after = try await store.openIssues()
        return AuditReport(
            at: now, hostCount: sweep.hostCount, suspendedCount: sweep.suspended.count,
            undecided: sweep.undecided,
            findings: ledger.findings(
                of: after, suspended: sweep.suspended, distributions: sweep.distributions))
    }

    /// The findings as they stand, without looking at what hosts reported since the last audit.
    package static func standing(
        store: any FleetStore, checks: CheckSet, at now: Int64
    ) async throws -> [Finding] {
        let silences = try await store.records(.silences).map { try Silence($0) }
        let open = try await store.openIssues()
        let fleet = try await store.records(.fleetIssues).map { try FleetIssue($0) }
        let suspended = try await store.suspendedHosts()
        var ledger = IssueLedger(checks: checks, silences: silences, open: open, now: now)
        ledger.fleetIssues = fleet
        return ledger.findings(of: open, suspended: suspended, distributions: [:])
    }
}

/// The queries of all checks, compiled to be put to each host in one pass.
private struct Questions: Sendable {
    enum Role: Sendable { case found, unknown, applies }

    let checks: [Check]
    let queries: QuerySet
    /// For each query the check's index and what a match means.
    let roles: [(check: Int, role: Role)]
    /// The checks that are not about all hosts.
    let limited: Set<Int>
    /// The checks that the server itself makes, by name.
    let builtIn: [(check: Int, kind: BuiltInCheck)]
    let evidence: [[String]]

    init(
        _ set: CheckSet, _ presence: ServerPresence, _ findings: BuiltInFindings, _ now: Int64
    ) throws(QueryError) {
        var queries: [Query] = []
        var roles: [(Int, Role)] = []
        var limited: Set<Int> = []
        var builtIn: [(Int, BuiltInCheck)] = []
        for (index, check) in set.checks.enumerated() {
            let clock = QueryClock(now: now, calendar: check.calendar, presence: presence)
            func add(_ document: Document, _ role: Role) throws(QueryError) {
                queries.append(try Query(clock.resolve(document), now: now))
                roles.append((index, role))
            }
            switch check.method {
            case .query(let query): try add(query, .found)
            case .builtIn:
                guard let kind = BuiltInCheck(rawValue: check.name) else { break }
                if kind == .agentOutdated {
                    // Hosts say which release they use: what the server adds is which one is the newest.
                    let newest = Value.int(findings.newestRelease ?? 0)
                    try add(["plugins.integrity.release": ["$lt": newest]], .found)
                } else {
                    builtIn.append((index, kind))
                }
            }
            if let unknown = check.unknown { try add(unknown.query, .unknown) }
            if let appliesTo = check.appliesTo {
                try add(appliesTo, .applies)
                limited.insert(index)
            }
        }
        checks = set.checks
        self.queries = QuerySet(queries)
        self.roles = roles
        self.limited = limited
        self.builtIn = builtIn
        evidence = set.checks.map { $0.evidence.split(separator: ".").map(String.init) }
    }
}

/// The hosts of which more than a match is wanted: few, so that a sweep does not grow with the fleet.
private struct Watch: Sendable {
    /// Those that people decided something about.
    let hosts: Set<HostID>
    /// Those that are linked with others.
    let names: Set<String>
}

/// What one pass over the hosts has seen so far.
private struct Sweep: Sendable {
    /// For each check the hosts that it found. One that finds nothing is named too: its issues are over.
    var found: [[FoundHost]]
    var hostCount = 0
    var suspended: Set<HostID> = []
    /// When watched hosts sent what is known of them, and what they are called.
    var dataAt: [HostID: Int64] = [:]
    var names: [HostID: Hostname] = [:]
    /// What the distribution of hosts that were found is called, the most exact name first.
    var distributions: [HostID: [String]] = [:]
    /// When watched hosts reported last, by name.
    var reporting: [String: Int64] = [:]
    var undecided: [AuditReport.Undecided] = []
    private var isFound: [Finding.Kind?]
    private var applies: [Bool]

    init(count: Int) {
        found = Array(repeating: [], count: count)
        isFound = Array(repeating: nil, count: count)
        applies = Array(repeating: false, count: count)
    }

    mutating func take(_ host: FleetHost, _ questions: Questions, _ builtIn: BuiltInFindings, _ watch: Watch)
    {
        hostCount += 1
        if watch.names.contains(host.hostname.name) { reporting[host.hostname.name] = host.submittedAt }
        if watch.hosts.contains(host.id) {
            names[host.id] = host.hostname
            dataAt[host.id] = host.submittedAt
        }
        // What a suspended host reported long ago says nothing.
        guard host.document["suspended"] != true else {
            suspended.insert(host.id)
            return
        }
        for index in isFound.indices {
            isFound[index] = nil
            applies[index] = false
        }
        var any = false
        questions.queries.forEachMatch(in: host.document) { match in
            let (check, role) = questions.roles[match]
            switch role {
            case .found:
                if isFound[check] == nil { isFound[check] = .failing }
                any = true
            case .unknown:
                isFound[check] = .unknown
                any = true
            case .applies: applies[check] = true
            }
        } undecided: { match, error in
            // What cannot be known must not look like a machine without a fault.
            let (check, role) = questions.roles[match]
            isFound[check] = .unknown
            if role == .applies { applies[check] = true }
            any = true
            undecided.append(
                .init(hostname: host.hostname, check: questions.checks[check].name, error: error))
        }
        for (check, kind) in questions.builtIn where builtIn.hosts[kind]?[host.hostname.name] != nil {
            isFound[check] = .failing
            any = true
        }
        guard any else { return }
        var isListed = false
        for (index, kind) in isFound.enumerated() {
            guard let kind, !questions.limited.contains(index) || applies[index] else { continue }
            var evidence = ""
            if let text = builtIn.hosts[
                BuiltInCheck(rawValue: questions.checks[index].name) ?? .deprecatedPort]?[
                    host.hostname.name], questions.checks[index].method == .builtIn
            {
                evidence = text
            } else if let unknown = undecided.last(where: {
                $0.hostname == host.hostname && $0.check == questions.checks[index].name
            }) {
                evidence = "\(unknown.error)"
            } else if !questions.evidence[index].isEmpty {
                evidence = FoundHost.words(host.document[questions.evidence[index]])
            }
            found[index].append(
                FoundHost(
                    id: host.id, hostname: host.hostname, submittedAt: host.submittedAt, kind: kind,
                    evidence: evidence))
            isListed = true
        }
        guard isListed, let info = host.document[["plugins", "os_info"]]?.document else { return }
        let like = info["id_like"]?.string?.split(separator: " ").map(String.init) ?? []
        distributions[host.id] = [info["id"] ?? info["distname"]].compactMap { $0?.string } + like
    }
}

/// A host that a check found.
struct FoundHost: Sendable, Equatable {
    let id: HostID
    let hostname: Hostname
    /// When it sent what is known of it.
    let submittedAt: Int64
    let kind: Finding.Kind
    let evidence: String

    /// What a report says about what was seen, short enough for a line.
    static func words(_ value: Value?) -> String {
        let text: String
        switch value {
        case .string(let string): text = string
        case .array(let elements): text = elements.compactMap(\.string).joined(separator: "; ")
        default: return ""
        }
        return String(text.prefix(300))
    }
}
