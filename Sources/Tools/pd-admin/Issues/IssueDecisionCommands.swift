import ArgumentParser
import Foundation
import PDBasics
import PDDocument
import PDFleet
import PDProtocol
import PDQuery
import PDStore
import PDToolSupport

/// Which hosts and checks are decided about, by whom, and why.
struct DecisionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A host, by name or id; may be given several times, or as a,b.", valueName: "host")
    )
    var host: [String] = []

    @Option(
        name: .customLong("where"),
        help: ArgumentHelp("All hosts that this matches, in MongoDB's query language.", valueName: "query"))
    var condition: String?

    @Flag(name: .customLong("all-hosts"), help: "All hosts.")
    var allHosts = false

    @Option(help: ArgumentHelp("Why; kept in the history.", valueName: "reason"))
    var reason = ""

    @Option(help: ArgumentHelp("Who decides; the user who runs this unless given.", valueName: "name"))
    var by: String?

    /// Who runs this: behind sudo, the person.
    var person: String {
        let environment = ProcessInfo.processInfo.environment
        return by ?? environment["SUDO_USER"] ?? environment["LOGNAME"] ?? environment["USER"]
            ?? "uid \(getuid())"
    }

    func hosts(_ desk: IssueDesk) async throws -> [FleetHost] {
        let names = host.flatMap { $0.split(separator: ",").map(String.init) }
        guard !names.isEmpty || condition != nil || allHosts else {
            throw ToolFailure(.usage, "say which hosts: --host, --where or --all-hosts")
        }
        do {
            let hosts = try await desk.hosts(named: names, where: allHosts ? "{}" : condition)
            guard !hosts.isEmpty else { throw ToolFailure(.failed, "no host matches") }
            return hosts
        } catch let error as QueryError {
            throw ToolFailure(.usage, "--where: \(error)")
        }
    }
}

/// Which checks are decided about.
struct CheckChoice: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A check, by name; may be given several times. Without: all that is open.", valueName: "check"))
    var check: [String] = []

    @Option(name: .customLong("issue-name"), help: .hidden)
    var issueName: [String] = []

    @Flag(help: .hidden)
    var all = false

    var names: [String] { (check + issueName).flatMap { $0.split(separator: ",").map(String.init) } }
}

/// Until when a decision holds.
struct UntilOptions: ParsableArguments {
    @Option(help: ArgumentHelp("For so many days.", valueName: "n"))
    var days: Int?

    @Option(help: ArgumentHelp("For so many hours.", valueName: "n"))
    var hours: Int?

    @Option(help: ArgumentHelp("Until then: 2026-12-24 or 2026-12-24T12:00:00Z.", valueName: "time"))
    var until: String?

    /// Milliseconds since 1970-01-01 UTC; nothing where no end is given.
    func end(_ now: Int64) throws -> Int64? {
        let given = [days != nil || hours != nil, until != nil].count { $0 }
        guard given <= 1 else { throw ToolFailure(.usage, "--until stands alone") }
        for (option, number, limit) in [("--days", days, 36_500), ("--hours", hours, 876_000)] {
            guard let number else { continue }
            guard (1...limit).contains(number) else {
                throw ToolFailure(.usage, "\(option) must be from 1 to \(limit)")
            }
        }
        if let until {
            let end = try Time.read(until, "--until")
            guard end > now else { throw ToolFailure(.usage, "--until: that is over") }
            return end
        }
        guard given == 1 else { return nil }
        return now + Int64(days ?? 0) * 86_400_000 + Int64(hours ?? 0) * 3_600_000
    }
}

/// A command by which somebody decides about issues: the same road for all of them.
protocol IssueDecision: AsyncParsableCommand {
    var options: FleetOptions { get }
    var decision: DecisionOptions { get }
    /// What is said of each host and check that was decided about.
    var done: String { get }
    /// What is said where there was nothing to decide about; the command then ends with 1.
    var nothing: String { get }

    /// Refuses what cannot be meant, before the fleet is opened.
    func check() throws
    /// Decides.
    ///
    /// - Returns: what was decided about.
    func decide(_ desk: IssueDesk, _ hosts: [FleetHost]) async throws -> [IssueDesk.Target]
}

extension IssueDecision {
    var nothing: String { "No host matches." }

    func check() throws {}

    func run() async throws {
        try check()
        let checks = try options.checks()
        let targets = try await options.withFleet { fleet in
            let desk = IssueDesk(store: fleet.store, checks: checks, now: options.now(), by: decision.person)
            return try await decide(desk, try await decision.hosts(desk))
        }
        options.show(targets.map { ["host": .string($0.hostname.name), "check": .string($0.check)] }) {
            guard !targets.isEmpty else { return nothing }
            return targets.map {
                "\($0.hostname)\($0.check.isEmpty ? "" : " \($0.check.printable)"): \(done)"
            }
            .joined(separator: "\n")
        }
        if targets.isEmpty { throw ExitCode(1) }
    }
}

extension IssuesCommand {
    struct Snooze: IssueDecision {
        static let configuration = CommandConfiguration(
            abstract: "Tell nobody about issues for a while.",
            discussion:
                "A snooze outlives an issue that comes and goes, and a host that is renamed. Its end is told in working time."
        )

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions
        @OptionGroup var choice: CheckChoice
        @OptionGroup var end: UntilOptions

        @Flag(help: "Until the issue is resolved; with a date, until whichever comes first.")
        var untilResolved = false

        var done: String {
            let date = (try? end.end(options.now())).flatMap { $0 }.map { "until \(readable($0))" }
            return "snoozed "
                + [date, untilResolved ? "until it is resolved" : nil].compactMap(\.self).joined(
                    separator: " or ")
        }
        var nothing: String { "No issue is open there: name a --check to snooze it beforehand." }

        func check() throws {
            guard try end.end(options.now()) != nil || untilResolved else {
                throw ToolFailure(.usage, "say for how long: --days, --hours, --until or --until-resolved")
            }
        }

        func decide(_ desk: IssueDesk, _ hosts: [FleetHost]) async throws -> [IssueDesk.Target] {
            let targets = try await desk.targets(hosts: hosts, checks: choice.names)
            try await desk.snooze(
                targets, until: try end.end(desk.now), untilResolved: untilResolved, reason: decision.reason)
            return targets
        }
    }

    struct Unsnooze: IssueDecision {
        static let configuration = CommandConfiguration(abstract: "End snoozes.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions
        @OptionGroup var choice: CheckChoice

        @Flag(help: "End an exemption instead.")
        var exemption = false

        var done: String { exemption ? "no longer exempt" : "no longer snoozed" }
        var nothing: String { exemption ? "Nothing is exempt there." : "Nothing is snoozed there." }

        func decide(_ desk: IssueDesk, _ hosts: [FleetHost]) async throws -> [IssueDesk.Target] {
            let names = choice.names.isEmpty ? desk.checks.checks.map(\.name) : choice.names
            return try await desk.endSilence(
                exemption ? .exemption : .snooze, try await desk.targets(hosts: hosts, checks: names),
                reason: decision.reason)
        }
    }

    struct Exempt: IssueDecision {
        static let configuration = CommandConfiguration(
            abstract: "Document that something may stay as it is, for auditors.",
            discussion: "Exemptions stand in reports with who decided, why, and until when.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions
        @OptionGroup var choice: CheckChoice
        @OptionGroup var end: UntilOptions

        var done: String {
            "exempt" + ((try? end.end(options.now())).flatMap { $0 }.map { " until \(readable($0))" } ?? "")
        }

        func check() throws {
            guard !decision.reason.isEmpty else { throw ToolFailure(.usage, "an exemption needs a --reason") }
            guard !choice.names.isEmpty else { throw ToolFailure(.usage, "an exemption needs a --check") }
            guard try end.end(options.now()) != nil else {
                throw ToolFailure(.usage, "an exemption needs an end: --days, --hours or --until")
            }
        }

        func decide(_ desk: IssueDesk, _ hosts: [FleetHost]) async throws -> [IssueDesk.Target] {
            let targets = try await desk.targets(hosts: hosts, checks: choice.names)
            try await desk.exempt(targets, until: try end.end(desk.now), reason: decision.reason)
            return targets
        }
    }

    struct Open: IssueDecision {
        static let configuration = CommandConfiguration(
            abstract: "Open issues by hand; they stay until newer data of the host says otherwise.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions

        @Option(help: ArgumentHelp("The check, or a name of your own.", valueName: "check"))
        var check: String

        var done: String { "open" }

        func decide(_ desk: IssueDesk, _ hosts: [FleetHost]) async throws -> [IssueDesk.Target] {
            let targets = hosts.map { IssueDesk.Target(host: $0.id, hostname: $0.hostname, check: check) }
            try await desk.open(targets, reason: decision.reason)
            return targets
        }
    }

    struct Close: IssueDecision {
        static let configuration = CommandConfiguration(
            abstract: "Close issues by hand; they do not come back before newer data of the host.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions
        @OptionGroup var choice: CheckChoice

        var done: String { "closed" }
        var nothing: String { "No issue is open there." }

        func decide(_ desk: IssueDesk, _ hosts: [FleetHost]) async throws -> [IssueDesk.Target] {
            try await desk.close(
                try await desk.targets(hosts: hosts, checks: choice.names), reason: decision.reason)
        }
    }

    struct Suspend: IssueDecision {
        static let configuration = CommandConfiguration(
            abstract: "Tell nobody about hosts until they report again.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions

        var done: String { "suspended until it reports again" }

        func decide(_ desk: IssueDesk, _ hosts: [FleetHost]) async throws -> [IssueDesk.Target] {
            try await desk.suspend(hosts, true, reason: decision.reason)
        }
    }

    struct Resume: IssueDecision {
        static let configuration = CommandConfiguration(
            commandName: "resume", abstract: "Audit suspended hosts again.", aliases: ["unsuspend"])

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions

        var done: String { "audited again" }

        func decide(_ desk: IssueDesk, _ hosts: [FleetHost]) async throws -> [IssueDesk.Target] {
            try await desk.suspend(hosts, false, reason: decision.reason)
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What happened to issues: opened, told, snoozed, exempted, closed; by whom, and why.")

        @OptionGroup var options: FleetOptions

        @Option(help: ArgumentHelp("Only this host.", valueName: "host"))
        var host: [String] = []

        @Option(help: ArgumentHelp("Only this check.", valueName: "check"))
        var check: [String] = []

        @Option(help: ArgumentHelp("How many days back.", valueName: "n"))
        var days = 90

        func run() async throws {
            let now = options.now()
            guard (1...36_500).contains(days) else {
                throw ToolFailure(.usage, "--days must be from 1 to 36500")
            }
            let checks = try options.checks()
            let entries = try await options.withFleet { fleet in
                try await IssueDesk(store: fleet.store, checks: checks, now: now, by: "")
                    .history(from: now - Int64(days) * 86_400_000, to: now + 1)
            }.filter {
                (host.isEmpty || host.contains($0.hostname.name) || host.contains($0.host.text))
                    && (check.isEmpty || check.contains($0.check))
            }
            options.show(entries.map(\.summary)) {
                guard !entries.isEmpty else { return "Nothing happened." }
                var table = Table("WHEN", "HOST", "CHECK", "WHAT", "BY", "UNTIL", "WHY")
                for entry in entries {
                    table.add(
                        readable(entry.at), entry.hostname.name, entry.check, entry.what, entry.by,
                        entry.until.map(readable) ?? "", entry.reason)
                }
                return table.text
            }
        }
    }
}

extension IssueDesk.HistoryEntry {
    /// The members that scripts rely on.
    fileprivate var summary: Document {
        var writer = DocumentWriter()
        writer.append("at", .date(milliseconds: at))
        writer.append("host", .string(hostname.name))
        writer.append("check", .string(check))
        writer.append("what", .string(what))
        writer.append("by", .string(by))
        writer.append("reason", .string(reason))
        if let until { writer.append("until", .date(milliseconds: until)) }
        return writer.finish()
    }
}
