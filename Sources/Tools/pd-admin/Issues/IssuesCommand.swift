import ArgumentParser
import Foundation
import PDBasics
import PDDocument
import PDFleet
import PDSettings
import PDStore
import PDToolSupport

struct IssuesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issues", abstract: "What to fix, and why; and what was decided about it.",
        subcommands: [
            AuditCommand.self, List.self, Snooze.self, Unsnooze.self, Suspend.self, Resume.self, Exempt.self,
            Open.self, Close.self, History.self,
        ])

    struct AuditCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "audit", abstract: "Put all checks to all hosts, and tell what people should know.",
            discussion: """
                The checks are those of checks.yml in the state directory. What is snoozed, exempt, suspended or younger than \
                its grace period is left out, unless asked for. Ends with 1 under --fail where something is to be fixed.
                """)

        @OptionGroup var options: FleetOptions

        @Flag(help: "Everything: the four --ignore options together.")
        var full = false

        @Flag(help: "Also what is younger than its grace period.")
        var ignoreGracePeriod = false

        @Flag(help: "Also what is snoozed.")
        var ignoreSnoozed = false

        @Flag(help: "Also issues of hosts that are suspended.")
        var ignoreSuspended = false

        @Flag(help: "Also what is exempt.")
        var ignoreFilters = false

        @Flag(inversion: .prefixedNo, help: "Also show what was told within its alert frequency.")
        var displayRecent = true

        @Flag(inversion: .prefixedNo, help: "Note what is shown as told, as a message to people would.")
        var updateRecent = false

        @Flag(help: "Send what is due at once, instead of leaving that to the server.")
        var email = false

        @Option(help: ArgumentHelp("Only this host.", valueName: "host"))
        var host: [String] = []

        @Option(name: .customLong("check"), help: ArgumentHelp("Only this check.", valueName: "check"))
        var check: [String] = []

        @Option(name: .customLong("issue-name"), help: .hidden)
        var issueName: [String] = []

        @Option(help: ArgumentHelp("Audit as if it were that time: 2026-11-02T10:00:00Z.", valueName: "time"))
        var at: String?

        @Flag(help: "End with exit code 1 where something is to be fixed.")
        var fail = false

        func run() async throws {
            let now = try at.map { try Time.read($0, "--at") } ?? options.now()
            var filter = try filter(try options.checks())
            let report = try await options.withFleet { fleet in
                // Before anything is audited or told: a name that is wrong must not have changed anything.
                for name in host { filter.hosts.insert(try await fleet.host(named: name).id) }
                let audit = FleetAudit(fleet, holder: "pd-admin \(ProcessInfo.processInfo.processIdentifier)")
                guard let result = try await audit.run(at: now) else {
                    throw ToolFailure(.failed, "another audit runs at this moment: try again")
                }
                let alerting = Alerting(
                    store: fleet.store, settings: fleet.settings.alerts, checks: result.checks)
                if email { try await deliver(alerting, NetworkDelivery(fleet), at: now) }
                if updateRecent {
                    try await alerting.note(
                        result.report.findings.filter { filter.shows($0, at: now) }, at: now)
                }
                return result.report
            }
            let shown = report.findings.filter { filter.shows($0, at: now) }
            options.show(shown.map(\.summary)) { FindingText.text(shown, of: report) }
            if fail, !shown.isEmpty { throw ExitCode(1) }
        }

        private func filter(_ checks: CheckSet) throws -> FindingFilter {
            var filter = FindingFilter()
            for name in check + issueName {
                guard checks[name] != nil else {
                    throw ToolFailure(
                        .usage, "there is no check \(name.printable): pd-admin checks list names them")
                }
                filter.checks.insert(name)
            }
            for (isWanted, state) in [
                (ignoreGracePeriod, Finding.State.grace), (ignoreSnoozed, .snoozed),
                (ignoreSuspended, .suspended), (ignoreFilters, .exempt),
            ] where isWanted || full {
                filter.states.insert(state)
            }
            filter.showsRecent = displayRecent
            return filter
        }

        private func deliver(
            _ alerting: Alerting, _ delivery: any AlertDelivery, at now: Int64
        ) async throws {
            let round = try await alerting.deliver(
                by: delivery, at: now, jitter: { Double.random(in: 0...1) }, isUrged: true)
            for (channel, reason) in round.failures.sorted(by: { $0.key < $1.key }) {
                ToolFailure.warn("channel \(channel.printable): \(reason.printable)")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What is open as of the last audit, quiet or not; nothing is checked anew.")

        @OptionGroup var options: FleetOptions

        @Option(help: ArgumentHelp("Only this host.", valueName: "host"))
        var host: [String] = []

        @Option(help: ArgumentHelp("Only this check.", valueName: "check"))
        var check: [String] = []

        func run() async throws {
            let checks = try options.checks()
            let findings = try await options.withFleet { fleet in
                try await Audit.standing(store: fleet.store, checks: checks, at: options.now())
            }.filter {
                (host.isEmpty || host.contains($0.subject.name))
                    && (check.isEmpty || check.contains($0.check.name))
            }
            options.show(findings.map(\.summary)) {
                guard !findings.isEmpty else { return "No issue is open." }
                var table = Table("HOST", "CHECK", "SEVERITY", "STATE", "SINCE", "WHY QUIET")
                for finding in findings {
                    table.add(
                        finding.subject.name,
                        finding.check.name + (finding.kind == .unknown ? " (cannot tell)" : ""),
                        finding.check.severity.rawValue, finding.state.rawValue, readable(finding.openedAt),
                        FindingText.silence(finding))
                }
                return table.text
            }
        }
    }
}

/// Points in time on a command line.
enum Time {
    /// Milliseconds since 1970-01-01 UTC.
    static func read(_ text: String, _ option: String) throws -> Int64 {
        if let time = Timestamp.milliseconds(text.utf8) { return time }
        if let day = CivilDate(text) { return Int64(day.number) * 86_400_000 }
        throw ToolFailure(
            .usage,
            "\(option): \(text.printable) is no time such as 2026-11-02T10:00:00Z or 2026-11-02")
    }
}

extension FleetOptions {
    /// The checks of this fleet.
    func checks() throws -> CheckSet {
        do {
            return try asOwner { try CheckFile.read(state.checksFile) }
        } catch let error as SettingsError {
            throw ToolFailure(.usage, error.description)
        }
    }

    /// The clock, in milliseconds since 1970-01-01 UTC.
    func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}

/// What is found, for people.
enum FindingText {
    static func text(_ findings: [Finding], of report: AuditReport) -> String {
        let hosts = report.hostCount == 1 ? "1 host" : "\(report.hostCount) hosts"
        let suspended = report.suspendedCount == 0 ? "" : ", \(report.suspendedCount) suspended"
        let quiet = report.findings.count - findings.count
        let rest = quiet == 0 ? "" : " \(quiet) quiet or young: --full shows \(quiet == 1 ? "it" : "them")."
        guard !findings.isEmpty else { return "Nothing to fix on \(hosts)\(suspended).\(rest)" }
        var lines: [String] = []
        for finding in findings {
            let title = (finding.kind == .unknown ? "cannot tell: " : "") + finding.check.title
            lines.append("  \(finding.subject.name.printable): \(title)")
            if !finding.evidence.isEmpty { lines.append("    seen   \(oneLine(finding.evidence))") }
            if !finding.check.why.isEmpty { lines.append("    why    \(oneLine(finding.check.why))") }
            if !finding.check.fix.isEmpty { lines.append("    fix    \(oneLine(finding.check.fix))") }
            var since = "    since  \(readable(finding.openedAt))"
            if finding.state == .grace {
                since += ", within the grace period of \(finding.check.gracePeriod)"
            }
            if finding.state != .open, finding.state != .grace { since += ", \(finding.state.rawValue)" }
            let silence = silence(finding)
            lines.append(silence.isEmpty ? since : "\(since): \(silence)")
        }
        lines.append("\(findings.count) to fix on \(hosts)\(suspended).\(rest)")
        return lines.joined(separator: "\n")
    }

    /// Until when it is quiet, who decided, and why.
    static func silence(_ finding: Finding) -> String {
        guard let silence = finding.silence else { return "" }
        var parts: [String] = []
        if let until = silence.until { parts.append("until \(readable(until))") }
        if silence.endsWhenResolved { parts.append("until it is resolved") }
        if !silence.by.isEmpty { parts.append("by \(silence.by)") }
        if !silence.reason.isEmpty { parts.append(silence.reason) }
        return parts.joined(separator: ", ")
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ").printable
    }
}

extension Finding {
    /// The members that scripts rely on.
    var summary: Document {
        var writer = DocumentWriter()
        writer.append("host", .string(subject.name))
        if case .host(let id, _) = subject { writer.append("host_id", .string(id.text)) }
        writer.append("check", .string(check.name))
        writer.append("kind", .string(kind.rawValue))
        writer.append("severity", .string(check.severity.rawValue))
        writer.append("opened_at", .date(milliseconds: openedAt))
        if let alertedAt { writer.append("alerted_at", .date(milliseconds: alertedAt)) }
        writer.append("state", .string(state.rawValue))
        writer.append("alerting", .bool(isAlerting))
        writer.append("title", .string(check.title))
        writer.append("why", .string(check.why))
        writer.append("fix", .string(check.fix))
        writer.append("evidence", .string(evidence))
        if let silence {
            var inner = DocumentWriter()
            inner.append("kind", .string(silence.kind.rawValue))
            inner.append("since", .date(milliseconds: silence.since))
            if let until = silence.until { inner.append("until", .date(milliseconds: until)) }
            inner.append("ends_when_resolved", .bool(silence.endsWhenResolved))
            inner.append("by", .string(silence.by))
            inner.append("reason", .string(silence.reason))
            writer.append("silence", .document(inner.finish()))
        }
        return writer.finish()
    }
}
