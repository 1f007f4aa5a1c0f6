import ArgumentParser
import PDBasics
import PDDocument
import PDFleet
import PDProtocol
import PDStore
import PDToolSupport

struct ParametersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parameters",
        abstract: "What people say about hosts: whom to write to, which belong together.",
        subcommands: [List.self, Set.self, Unset.self])

    enum Name: String, CaseIterable, ExpressibleByArgument {
        /// Mail addresses of the person who uses the host.
        case userEmail = "user_email"
        /// The other hosts of the same person; each of them names this one in turn.
        case userClients = "user_clients"
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All parameters, or those of one host.")

        @Argument(help: "The host's name or id.")
        var host: String?

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let parameters = try await options.withFleet { fleet in
                let name = try await host.asyncMap { try await fleet.host(named: $0).hostname }
                return try await fleet.store.parameters().filter { name == nil || $0.hostname == name }
            }
            let rows: [Document] = parameters.map {
                [
                    "host": .string($0.hostname.name), "parameter": .string($0.name),
                    "values": .array($0.values.map(Value.string)),
                ]
            }
            options.show(rows) {
                guard !rows.isEmpty else { return "No parameter is set." }
                var table = Table("HOST", "PARAMETER", "VALUES")
                for parameter in parameters {
                    table.add(
                        parameter.hostname.name, parameter.name, parameter.values.joined(separator: " "))
                }
                return table.text
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a parameter of a host, in place of its values.")

        @Argument(help: "The host's name or id.")
        var host: String

        @Argument(help: "user_email or user_clients.")
        var name: Name

        @Argument(help: "Its values.")
        var values: [String]

        @OptionGroup var options: FleetOptions

        func run() async throws {
            try await ParametersCommand.set(name, of: host, to: values, options)
        }
    }

    struct Unset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a parameter off a host.")

        @Argument(help: "The host's name or id.")
        var host: String

        @Argument(help: "user_email or user_clients.")
        var name: Name

        @OptionGroup var confirmation: Confirmation
        @OptionGroup var options: FleetOptions

        func run() async throws {
            try confirmation.ask("Takes \(name.rawValue) off \(host), whatever it says")
            try await ParametersCommand.set(name, of: host, to: [], options)
        }
    }

    private static func set(
        _ name: Name, of host: String, to values: [String], _ options: FleetOptions
    ) async throws {
        try await options.withFleet { fleet in
            let hostname = try await fleet.host(named: host).hostname
            var changed: [HostParameter] = []
            switch name {
            case .userEmail:
                for value in values where !isAddress(value) {
                    throw ToolFailure(.usage, "\(value.printable) is not a mail address")
                }
                changed = [HostParameter(hostname: hostname, name: name.rawValue, values: values)]
            case .userClients:
                var others: [Hostname] = []
                for value in values {
                    let other = try await fleet.host(named: value).hostname
                    guard other != hostname else {
                        throw ToolFailure(.usage, "\(hostname) belongs to itself already")
                    }
                    if !others.contains(other) { others.append(other) }
                }
                changed = links(of: hostname, to: others, in: try await fleet.store.parameters())
            }
            try await fleet.store.setParameters(changed, at: options.now())
        }
    }

    /// The links of one host, and those of all others that must agree with them.
    static func links(
        of host: Hostname, to others: [Hostname], in parameters: [HostParameter]
    ) -> [HostParameter] {
        let name = Name.userClients.rawValue
        var changed = [HostParameter(hostname: host, name: name, values: others.map(\.name))]
        let known = Dictionary(
            parameters.filter { $0.name == name }.map { ($0.hostname, $0.values) }, uniquingKeysWith: { $1 })
        for other in Swift.Set(known.keys).union(others).subtracting([host]).sorted(by: { $0.name < $1.name })
        {
            let before = known[other] ?? []
            var after = before
            if !others.contains(other) {
                after.removeAll { $0 == host.name }
            } else if !after.contains(host.name) {
                after.append(host.name)
            }
            if after != before { changed.append(HostParameter(hostname: other, name: name, values: after)) }
        }
        return changed
    }

    private static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty && text.utf8.count <= 254
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }
}

extension Optional {
    /// The value that an asynchronous function makes of this one.
    fileprivate func asyncMap<Result>(_ body: (Wrapped) async throws -> Result) async rethrows -> Result? {
        guard let self else { return nil }
        return try await body(self)
    }
}
