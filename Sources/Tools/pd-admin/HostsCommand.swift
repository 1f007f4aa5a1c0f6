import ArgumentParser
import Foundation
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

        func run() async throws {
            let query: Query?
            do {
                query = try condition.map { try Query(json: $0, now: options.now()) }
            } catch {
                throw ToolFailure(.usage, "--where: \(error)")
            }
            let hosts = try await options.withFleet { fleet in
                if let query {
                    try await fleet.store.hosts(where: query)
                } else {
                    try await fleet.store.hosts()
                }
            }
            options.show(hosts.map(\.summary)) {
                guard !hosts.isEmpty else {
                    return condition == nil ? "No host has reported yet." : "No host matches."
                }
                var table = Table("HOST", "LAST REPORT", "AGENT", "ID")
                for host in hosts {
                    table.add(
                        host.hostname.name, readable(host.submittedAt), host.document["agent"]?.string ?? "-",
                        host.id.text)
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
    /// The members that scripts rely on.
    var summary: Document {
        [
            "id": .string(id.text), "hostname": .string(hostname.name),
            "submitted_at": .date(milliseconds: submittedAt),
            "collected_at": document["collected_at"] ?? .null, "agent": document["agent"] ?? .null,
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
