import ArgumentParser
import PDBasics
import PDDocument
import PDFleet
import PDProtocol
import PDStore
import PDToolSupport

extension HostsCommand {
    /// Which hosts something is done to.
    struct Choice: ParsableArguments {
        @Argument(help: "Names or ids of hosts.")
        var names: [String] = []

        @Option(
            name: .customLong("where"),
            help: ArgumentHelp("Those that this matches, in MongoDB's query language.", valueName: "query"))
        var condition: String?

        @Flag(help: "Only say which hosts are meant.")
        var dryRun = false

        func validate() throws {
            guard names.isEmpty != (condition == nil) else {
                throw ValidationError("name hosts, or say which with --where")
            }
        }

        /// Does something to each of them, and says so.
        ///
        /// - Parameters:
        ///   - done: what has become of them, as in `suspended`.
        ///   - confirm: asks, where that is to be done; called with their number and names.
        func perform(
            _ done: String, _ options: FleetOptions, confirm: (String) throws -> Void = { _ in },
            _ body: (FleetHost, Fleet) async throws -> Void
        ) async throws {
            let names = try await options.withFleet { fleet in
                let selection = condition.map { HostSelection.matching($0) } ?? .named(self.names)
                let names = try await fleet.hosts(selection, at: .now())
                guard !dryRun else { return names }
                try confirm(
                    "\(Plural.of(names.count, "host")): " + names.map(\.name).joined(separator: ", "))
                for name in names { try await body(fleet.host(named: name.name), fleet) }
                return names
            }
            if options.json {
                let word = dryRun ? "would_be_\(done)" : done
                print(([word: .array(names.map { .string($0.name) })] as Document).json(pretty: true))
            } else {
                for name in names { print("\(name) \(dryRun ? "would be" : "is") \(done)") }
            }
        }
    }

    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leave hosts out of audits until they report again.")

        @OptionGroup var choice: Choice
        @OptionGroup var options: FleetOptions

        func run() async throws {
            try await choice.perform("suspended", options) { host, fleet in
                try await fleet.store.suspend(true, host: host.id)
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Audit suspended hosts again.")

        @OptionGroup var choice: Choice
        @OptionGroup var options: FleetOptions

        func run() async throws {
            try await choice.perform("resumed", options) { host, fleet in
                try await fleet.store.suspend(false, host: host.id)
            }
        }
    }

    struct Rename: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a host another name; its issues, history, patches and parameters go with it.",
            discussion: "The host must then report under the new name: set hostname in its agent.yml.")

        @Argument(help: "The host's name or id.")
        var host: String

        @Argument(help: "The new name.")
        var name: String

        @OptionGroup var options: FleetOptions

        func run() async throws {
            guard let hostname = Hostname(name) else {
                throw ToolFailure(.usage, "\(name.printable) is not a host name")
            }
            let old = try await options.withFleet { fleet in
                let found = try await fleet.host(named: host)
                try await fleet.store.rename(host: found.id, to: hostname)
                return found.hostname
            }
            if options.json {
                print(
                    (["renamed": .string(old.name), "to": .string(hostname.name)] as Document).json(
                        pretty: true))
            } else {
                print("\(old) is called \(hostname) now.")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Forget hosts, with their issues, history and parameters. One is new when it reports again; what it reported before changes nothing."
        )

        @OptionGroup var choice: Choice
        @OptionGroup var confirmation: Confirmation
        @OptionGroup var options: FleetOptions

        func run() async throws {
            try await choice.perform(
                "deleted", options,
                confirm: { hosts in
                    try confirmation.ask(
                        "Forgets, with issues, history and parameters, \(hosts)",
                        otherwise: "nothing was deleted")
                },
                { host, fleet in try await fleet.store.delete(host: host.id) })
        }
    }
}
