import ArgumentParser
import PDBasics
import PDDocument
import PDFleet
import PDToolSupport

extension HostsCommand {
    struct Waiting: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Machines whose keys wait for approval.",
            discussion: """
                A machine that calls itself like a host whose key is known, or that registers by a client key that was \
                lost. Compare the key with what pd-agent status shows at the machine.
                """)

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let machines = try await options.withFleet { fleet in
                try await fleet.store.machines().filter { !$0.claims.isEmpty }
            }
            let rows = machines.flatMap { machine in machine.claims.map { (machine, $0) } }
            options.show(
                rows.map { machine, claim in
                    [
                        "host": .string(machine.hostname.name), "key": .string(claim.keys.fingerprint),
                        "asked_at": .date(milliseconds: claim.at),
                        "address": claim.peer.map(Value.string) ?? .null,
                        "known_key": machine.keys.map { .string($0.fingerprint) } ?? .null,
                        "lost": .bool(machine.isLost),
                    ]
                }
            ) {
                guard !rows.isEmpty else { return "No machine waits." }
                var table = Table("HOST", "KEY", "ASKED", "FROM", "KNOWN KEY")
                for (machine, claim) in rows {
                    table.add(
                        machine.hostname.name, claim.keys.fingerprint, readable(claim.at), claim.peer ?? "-",
                        machine.isLost ? "lost" : machine.keys?.fingerprint ?? "-")
                }
                return table.text
            }
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a machine's key that waits be the host's.",
            discussion:
                "From then on it is sent the fleet's client key, and another machine of that name is not.")

        @Argument(help: "The host's name or id.")
        var host: String

        @Option(help: ArgumentHelp("The key, or its beginning, where more than one waits.", valueName: "key"))
        var key: String?

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let (name, keys) = try await options.withFleet { fleet in
                let hostname = try await fleet.host(named: host).hostname
                return (
                    hostname,
                    try await fleet.approve(hostname, fingerprint: key, at: Moment.now().milliseconds)
                )
            }
            print("\(keys.fingerprint) is the key of \(name)")
        }
    }
}
