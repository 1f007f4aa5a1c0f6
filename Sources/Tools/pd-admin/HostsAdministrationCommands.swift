import ArgumentParser
import PDBasics
import PDFleet
import PDProtocol
import PDStore
import PDToolSupport

extension HostsCommand {
    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leave a host out of audits until it reports again.")

        @Argument(help: "The host's name or id.")
        var host: String

        @OptionGroup var options: FleetOptions

        func run() async throws {
            try await options.withFleet { fleet in
                try await fleet.store.suspend(true, host: fleet.host(named: host).id)
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Audit a suspended host again.")

        @Argument(help: "The host's name or id.")
        var host: String

        @OptionGroup var options: FleetOptions

        func run() async throws {
            try await options.withFleet { fleet in
                try await fleet.store.suspend(false, host: fleet.host(named: host).id)
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
            try await options.withFleet { fleet in
                try await fleet.store.rename(host: fleet.host(named: host).id, to: hostname)
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Forget a host, with its issues, history and parameters. It is new when it reports again; what it reported before changes nothing."
        )

        @Argument(help: "The host's name or id.")
        var host: String

        @OptionGroup var options: FleetOptions

        func run() async throws {
            try await options.withFleet { fleet in
                try await fleet.store.delete(host: fleet.host(named: host).id)
            }
        }
    }
}
