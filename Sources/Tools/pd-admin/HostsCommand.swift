import ArgumentParser
import Foundation
import PDBasics
import PDDocument
import PDFleet
import PDProtocol
import PDQuery
import PDStore
import PDToolSupport

struct HostsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hosts", abstract: "The machines of the fleet and what they reported.",
        subcommands: [
            List.self, Show.self, History.self, Suspend.self, Resume.self, Rename.self, Delete.self,
            Waiting.self, Approve.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All hosts, or those that a query matches.")

        @OptionGroup var options: FleetOptions

        @Option(
            name: .customLong("where"),
            help: ArgumentHelp(
                "Only hosts that this matches, in MongoDB's query language: '{\"plugins.firewall.status\": \"off\"}'.",
                valueName: "query"))
        var condition: String?

        @Option(
            help: ArgumentHelp(
                "Only hosts that have not reported for so long, such as 3d.", valueName: "span"))
        var silent: String?

        func run() async throws {
            let span = try silent.map { text throws(ToolFailure) in
                guard let span = TimeSpan(text) else {
                    throw ToolFailure(.usage, "--silent must be \(TimeSpan.form)")
                }
                return span
            }
            let query: Query?
            do {
                query = try condition.map { try Query(json: $0, now: options.now()) }
            } catch {
                throw ToolFailure(.usage, "--where: \(error)")
            }
            let latest = span.map { options.now().subtractingReportingOverflow($0.milliseconds).partialValue }
            let hosts = try await options.withFleet { fleet in
                try await fleet.store.reduceHosts(where: query, into: [FleetHost]()) { hosts, host in
                    if latest.map({ host.submittedAt <= $0 }) ?? true { hosts.append(host) }
                }
            }
            options.show(hosts.map(\.summary)) {
                guard !hosts.isEmpty else {
                    return condition == nil && silent == nil
                        ? "No host has reported yet." : "No host matches."
                }
                var table = Table("HOST", "STATE", "LAST REPORT", "OS", "AGENT", "ID")
                for host in hosts {
                    table.add(
                        host.hostname.name, host.isSuspended ? "suspended" : "active",
                        readable(host.submittedAt), host.system ?? "-",
                        host.document["agent"]?.string ?? "-", host.id.text)
                }
                return table.text
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Everything that is known about one host.")

        @OptionGroup var options: FleetOptions

        @Argument(help: "The host's name or id.")
        var host: String

        func run() async throws {
            let found = try await options.withFleet { try await $0.host(named: host) }
            if options.json {
                print(found.document.setting("id", to: .string(found.id.text)).json(pretty: true))
            } else {
                print(HostReport(found).text)
            }
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What changed on one host, oldest first.")

        @OptionGroup var options: FleetOptions

        @Argument(help: "The host's name or id.")
        var host: String

        @Option(help: ArgumentHelp("At most so many of the newest changes.", valueName: "number"))
        var limit = 1000

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit must be at least 1") }
        }

        func run() async throws {
            let records = try await options.withFleet { fleet in
                try await fleet.store.auditTrail(of: fleet.host(named: host).id, limit: limit)
            }
            options.show(records.map(\.summary)) {
                guard !records.isEmpty else {
                    return "Nothing has changed on \(host) since its first report."
                }
                var table = Table("WHEN", "CHANGE", "WHAT", "OLD", "NEW")
                for record in records {
                    table.add(
                        readable(record.auditedAt), record.change.kind.rawValue, record.change.key,
                        short(record.change.old), short(record.change.new))
                }
                return table.text
            }
        }

        /// A value on one line that still fits a terminal.
        private func short(_ value: Value?) -> String {
            let text = value?.json() ?? "-"
            return text.count <= 40 ? text : text.prefix(39) + "…"
        }
    }
}

extension FleetHost {
    /// Whether it is left out of audits until it reports again.
    var isSuspended: Bool { document["suspended"] == .bool(true) }

    /// Its operating system, as its agent calls it: `Debian GNU/Linux 12`.
    var system: String? {
        guard let name = document[["plugins", "os_info", "name"]]?.string else { return nil }
        return document[["plugins", "os_info", "version"]]?.string.map { "\(name) \($0)" } ?? name
    }

    /// The members that scripts rely on.
    var summary: Document {
        [
            "id": .string(id.text), "hostname": .string(hostname.name),
            "submitted_at": .date(milliseconds: submittedAt),
            "collected_at": document["collected_at"] ?? .null, "agent": document["agent"] ?? .null,
            "os": system.map(Value.string) ?? .null, "suspended": .bool(isSuspended),
        ]
    }
}

extension AuditRecord {
    /// The members that scripts rely on.
    var summary: Document {
        [
            "audited_at": .date(milliseconds: auditedAt), "hostname": .string(hostname.name),
            "key": .string(change.key), "type": .string(change.kind.rawValue), "old": change.old ?? .null,
            "new": change.new ?? .null,
        ]
    }
}
