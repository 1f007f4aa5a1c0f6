import ArgumentParser
import Foundation
import PDDocument
import PDFleet
import PDSettings
import PDStore
import PDToolSupport

struct IssuesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issues", abstract: "What to fix, and why.", subcommands: [AuditCommand.self, List.self])

    struct AuditCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "audit", abstract: "Put all checks to all hosts, and tell what is open.",
            discussion: "The checks are those of checks.yml in the state directory.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let checks = try options.checks()
            let report = try await options.withFleet { fleet in
                let report = try await Audit.run(store: fleet.store, checks: checks, at: options.now())
                _ = try await fleet.prune(at: options.now())
                return report
            }
            options.show(report.findings.map(\.summary)) { text(report) }
        }

        private func text(_ report: AuditReport) -> String {
            let hosts = report.hostCount == 1 ? "1 host" : "\(report.hostCount) hosts"
            let skipped =
                report.suspendedCount == 0 ? "" : ", \(report.suspendedCount) suspended and left out"
            guard !report.findings.isEmpty else { return "Nothing to fix on \(hosts)\(skipped)." }
            var lines: [String] = []
            for finding in report.findings {
                lines.append("  \(finding.issue.hostname): \(finding.check.title)")
                lines.append("    why    \(oneLine(finding.check.why))")
                lines.append("    fix    \(oneLine(finding.check.fix))")
                let grace =
                    finding.isAlerting ? "" : ", within the grace period of \(finding.check.gracePeriod)"
                lines.append("    since  \(readable(finding.issue.openedAt))\(grace)")
            }
            lines.append("\(report.findings.count) to fix on \(hosts)\(skipped).")
            for unknown in report.undecided {
                lines.append(
                    "note: \(unknown.check) cannot be decided on \(unknown.hostname.name), and counts as found: "
                        + "\(unknown.error)")
            }
            return lines.joined(separator: "\n")
        }

        private func oneLine(_ text: String) -> String {
            text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What was open after the last audit; nothing is checked anew.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let issues = try await options.withFleet { try await $0.store.openIssues() }
            options.show(issues.map(\.summary)) {
                guard !issues.isEmpty else { return "No issue is open." }
                var table = Table("HOST", "CHECK", "SINCE")
                for issue in issues { table.add(issue.hostname.name, issue.check, readable(issue.openedAt)) }
                return table.text
            }
        }
    }
}

extension FleetOptions {
    /// The checks of this fleet.
    func checks() throws -> [Check] {
        let file = state.checksFile
        do {
            return try CheckFile.read(
                yaml: String(decoding: try PrivateFiles.read(file), as: UTF8.self), file: file.path)
        } catch let error as SettingsError {
            throw ToolFailure(.usage, error.description)
        }
    }

    /// The clock, in milliseconds since 1970-01-01 UTC.
    func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}

extension Issue {
    /// The members that scripts rely on.
    var summary: Document {
        [
            "host": .string(hostname.name), "host_id": .string(hostID.text), "check": .string(check),
            "opened_at": .date(milliseconds: openedAt),
        ]
    }
}

extension AuditReport.Finding {
    /// The members that scripts rely on.
    var summary: Document {
        Document(
            issue.summary.map { ($0.key, $0.value) } + [
                ("title", .string(check.title)), ("why", .string(check.why)), ("fix", .string(check.fix)),
                ("alerting", .bool(isAlerting)),
            ])
    }
}
