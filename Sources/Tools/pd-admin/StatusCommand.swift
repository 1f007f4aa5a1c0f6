import ArgumentParser
import PDBasics
import PDFleet
import PDToolSupport

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How the fleet stands, on one screen.",
        discussion: "What is open and silent is as of the last audit; nothing is checked anew.")

    @OptionGroup var options: FleetOptions

    func run() async throws {
        let checks = try options.checks()
        let now = options.now()
        let status = try await options.withFleet { fleet in
            try await FleetStatus(fleet, checks: checks, at: now)
        }
        print(options.json ? status.json.json(pretty: true) : StatusText(status).text)
    }
}

/// The screen.
private struct StatusText {
    /// How many of each kind are named.
    private static let named = 6

    private let status: FleetStatus

    init(_ status: FleetStatus) { self.status = status }

    var text: String {
        var lines: [String] = []
        func add(_ heading: String, _ first: String, _ rest: [String] = []) {
            lines.append("\(heading.padded(to: 16))\(first.printable)")
            lines += rest.map { String(repeating: " ", count: 16) + $0.printable }
        }
        add("hosts", hosts)
        add("server", server)
        add("last audit", when(status.lastAuditAt))
        add("last backup", when(status.lastBackupAt))
        add(
            "silent hosts", "\(status.silent.count)",
            listed(status.silent.map { "\($0.hostname), since \(readable($0.since))" }))
        add("open issues", issues, listed(status.byCheck.map { "\($0.count) \($0.check)" }))
        add(
            "waiting orders", "\(status.orders.count)",
            listed(
                status.orders.map {
                    "\($0.id) for \(count($0.hostCount, "host")), since \(readable($0.submittedAt))"
                }))
        add("outbox", outbox, status.outbox.map(line))
        add("ends", ends.first ?? "no certificate and no key", Array(ends.dropFirst()))
        return lines.joined(separator: "\n")
    }

    private var hosts: String {
        "\(status.hostCount)" + (status.suspendedCount == 0 ? "" : ", \(status.suspendedCount) suspended")
    }

    private var server: String {
        guard let seen = status.serverSeenAt else { return "none has run here" }
        return status.isServed ? "runs" : "DOES NOT RUN since \(readable(seen))"
    }

    private var issues: String {
        let counts = status.counts
        let severities = status.bySeverity.map { "\($0.count) \($0.severity.rawValue)" }.joined(
            separator: ", ")
        var parts = ["\(counts[.open] ?? 0) to fix" + (severities.isEmpty ? "" : " (\(severities))")]
        for (state, word) in [
            (Finding.State.grace, "in their grace period"), (.snoozed, "snoozed"), (.exempt, "exempt"),
            (.suspended, "of suspended hosts"),
        ] {
            if let count = counts[state] { parts.append("\(count) \(word)") }
        }
        return parts.joined(separator: ", ")
    }

    private var outbox: String {
        let waiting = status.outbox.reduce(0) { $0 + $1.count }
        return waiting == 0 ? "empty" : "\(count(waiting, "message")) wait"
    }

    private func line(_ channel: FleetStatus.WaitingChannel) -> String {
        "\(channel.count) for \(channel.channel), since \(readable(channel.since))"
            + (channel.lastError.isEmpty ? "" : ": \(channel.lastError)")
    }

    private var ends: [String] {
        status.expiries.map { expiry in
            let end = expiry.endsAt.map { String(readable($0).prefix(10)) } ?? "never"
            guard let notice = expiry.notice else { return "\(expiry.subject): \(end)" }
            return expiry.endsAt == nil
                ? "\(expiry.subject): \(notice)" : "\(expiry.subject): \(end), \(notice)"
        }
    }

    private func listed(_ words: [String]) -> [String] {
        guard words.count > Self.named else { return words }
        return words.prefix(Self.named - 1) + ["and \(words.count - Self.named + 1) more"]
    }

    private func when(_ moment: Int64?) -> String {
        guard let moment else { return "never" }
        guard let age = Moment(milliseconds: status.at).since(Moment(milliseconds: moment)) else {
            return readable(moment)
        }
        let minutes = TimeSpan(milliseconds: age.milliseconds - age.milliseconds % 60_000)
        return "\(readable(moment)), \(minutes.milliseconds == 0 ? "just now" : "\(minutes) ago")"
    }

    private func count(_ number: Int, _ word: String) -> String {
        "\(number) \(word)\(number == 1 ? "" : "s")"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
