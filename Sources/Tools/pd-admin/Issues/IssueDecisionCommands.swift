import ArgumentParser
import Foundation
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

extension IssuesCommand {
    /// Opens the fleet and lends a desk to decide at.
    private static func withDesk(
        _ options: FleetOptions, _ decision: DecisionOptions,
        _ body: (IssueDesk, [FleetHost]) async throws -> [IssueDesk.Target]
    ) async throws -> [IssueDesk.Target] {
        let checks = try options.checks()
        return try await options.withFleet { fleet in
            let desk = IssueDesk(store: fleet.store, checks: checks, now: options.now(), by: decision.person)
            return try await body(desk, try await decision.hosts(desk))
        }
    }

    /// Says what was done: one line for each, and 1 where there was nothing to do it to.
    private static func show(
        _ targets: [IssueDesk.Target], _ options: FleetOptions, _ done: String, none: String
    ) throws {
        options.show(targets.map { ["host": .string($0.hostname.name), "check": .string($0.check)] }) {
            guard !targets.isEmpty else { return none }
            return targets.map { "\($0.hostname)\($0.check.isEmpty ? "" : " \($0.check)"): \(done)" }.joined(
                separator: "\n")
        }
        if targets.isEmpty { throw ExitCode(1) }
    }

    struct Snooze: AsyncParsableCommand {
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

        func run() async throws {
            let until = try end.end(options.now())
            guard until != nil || untilResolved else {
                throw ToolFailure(.usage, "say for how long: --days, --hours, --until or --until-resolved")
            }
            let targets = try await IssuesCommand.withDesk(options, decision) { desk, hosts in
                let targets = try await desk.targets(hosts: hosts, checks: choice.names)
                try await desk.snooze(
                    targets, until: until, untilResolved: untilResolved, reason: decision.reason)
                return targets
            }
            let words = [until.map { "until \(readable($0))" }, untilResolved ? "until it is resolved" : nil]
                .compactMap { $0 }.joined(separator: " or ")
            try IssuesCommand.show(
                targets, options, "snoozed \(words)",
                none: "No issue is open there: name a --check to snooze it beforehand.")
        }
    }

    struct Unsnooze: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End snoozes.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions
        @OptionGroup var choice: CheckChoice

        @Flag(help: "End an exemption instead.")
        var exemption = false

        func run() async throws {
            let ended = try await IssuesCommand.withDesk(options, decision) { desk, hosts in
                let names = choice.names.isEmpty ? desk.checks.checks.map(\.name) : choice.names
                return try await desk.endSilence(
                    exemption ? .exemption : .snooze, try await desk.targets(hosts: hosts, checks: names),
                    reason: decision.reason)
            }
            try IssuesCommand.show(
                ended, options, exemption ? "no longer exempt" : "no longer snoozed",
                none: exemption ? "Nothing is exempt there." : "Nothing is snoozed there.")
        }
    }

    struct Exempt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Document that something may stay as it is, for auditors.",
            discussion: "Exemptions stand in reports with who decided, why, and until when.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions
        @OptionGroup var choice: CheckChoice
        @OptionGroup var end: UntilOptions

        func run() async throws {
            guard !decision.reason.isEmpty else { throw ToolFailure(.usage, "an exemption needs a --reason") }
            guard !choice.names.isEmpty else { throw ToolFailure(.usage, "an exemption needs a --check") }
            guard let until = try end.end(options.now()) else {
                throw ToolFailure(.usage, "an exemption needs an end: --days, --hours or --until")
            }
            let targets = try await IssuesCommand.withDesk(options, decision) { desk, hosts in
                let targets = try await desk.targets(hosts: hosts, checks: choice.names)
                try await desk.exempt(targets, until: until, reason: decision.reason)
                return targets
            }
            try IssuesCommand.show(targets, options, "exempt until \(readable(until))", none: "")
        }
    }

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open issues by hand; they stay until newer data of the host says otherwise.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions

        @Option(help: ArgumentHelp("The check, or a name of your own.", valueName: "check"))
        var check: String

        func run() async throws {
            let targets = try await IssuesCommand.withDesk(options, decision) { desk, hosts in
                let targets = hosts.map { IssueDesk.Target(host: $0.id, hostname: $0.hostname, check: check) }
                try await desk.open(targets, reason: decision.reason)
                return targets
            }
            try IssuesCommand.show(targets, options, "open", none: "")
        }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Close issues by hand; they do not come back before newer data of the host.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions
        @OptionGroup var choice: CheckChoice

        func run() async throws {
            let closed = try await IssuesCommand.withDesk(options, decision) { desk, hosts in
                try await desk.close(
                    try await desk.targets(hosts: hosts, checks: choice.names), reason: decision.reason)
            }
            try IssuesCommand.show(closed, options, "closed", none: "No issue is open there.")
        }
    }

    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell nobody about hosts until they report again.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions

        func run() async throws { try await IssuesCommand.suspend(true, options, decision) }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume", abstract: "Audit suspended hosts again.", aliases: ["unsuspend"])

        @OptionGroup var options: FleetOptions
        @OptionGroup var decision: DecisionOptions

        func run() async throws { try await IssuesCommand.suspend(false, options, decision) }
    }

    private static func suspend(_ isSuspended: Bool, _ options: FleetOptions, _ decision: DecisionOptions)
        async throws
    {
        let targets = try await withDesk(options, decision) { desk, hosts in
            try await desk.suspend(hosts, isSuspended, reason: decision.reason)
            return hosts.map { IssueDesk.Target(host: $0.id, hostname: $0.hostname, check: "") }
        }
        try show(
            targets, options, isSuspended ? "suspended until it reports again" : "audited again", none: "")
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
