import ArgumentParser
import Foundation
import PDBasics
import PDDocument
import PDFiles
import PDFleet
import PDProtocol
import PDStore
import PDToolSupport

struct OrdersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders",
        abstract: "What hosts were ordered to do, and how far they have come.",
        subcommands: [List.self, Sign.self, Send.self, Cancel.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every order on every host it names, the newest first.",
            discussion: """
                The states: offered, received, running, done, failed, refused, expired. Hosts say so themselves, under a \
                key that all of them share: these are claims.
                """)

        @Option(help: ArgumentHelp("Only on this host.", valueName: "name"))
        var host: String?

        @Option(help: ArgumentHelp("Only this order.", valueName: "id"))
        var id: String?

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let now = Moment.now()
            let standings = try await options.withFleet { fleet in
                let hostname = try await host.mapAsync { try await fleet.host(named: $0).hostname }
                return try await fleet.store.orders().filter { id == nil || $0.id == id }
                    .flatMap { OrderStanding.all(of: $0, at: now) }
                    .filter { hostname == nil || $0.host == hostname }
            }
            options.show(standings.map(\.document)) {
                guard !standings.isEmpty else { return "There is no order." }
                var table = Table("ID", "KIND", "WHAT", "HOST", "STATE", "SINCE", "REASON")
                for standing in standings {
                    table.add(
                        standing.order.id, standing.order.kind, standing.what, standing.host.name,
                        standing.state.rawValue, readable(standing.receipt?.at ?? standing.order.submittedAt),
                        standing.receipt?.reason ?? standing.receipt?.returncode.map { "exit code \($0)" }
                            ?? "-")
                }
                return table.text
            }
        }
    }

    struct Sign: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign an order that --out wrote, on any machine.",
            discussion: "Shows hosts, files and command, and asks. Needs no server and no state.")

        @Argument(help: "The file; the signature is put into it.")
        var file: String

        @OptionGroup var signing: OrderKey

        func validate() throws {
            guard signing.isNamed else {
                throw ValidationError("name the key that signs: --key or --gpg-key")
            }
        }

        func run() throws {
            do {
                let order = try OrderFile(json: Files.read(file, limit: OrderFile.sizeLimit), file: file)
                try signing.confirm(order.draft, mustAsk: true)
                let signer = try signing.signer(orElse: nil)
                let signed = try order.draft.signed(by: signer, forVersion1: signing.v1, at: .now())
                let text = OrderFile(order.draft, signed: signed).json
                try Files.writeAtomically(Array(text.utf8), to: file)
                print(
                    "\(signed.id): signed by \(signer.certificate.fingerprint); pd-admin orders send sends it"
                )
            } catch { throw ToolFailure(explaining: error) }
        }
    }

    struct Send: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let hosts have an order that was signed elsewhere.",
            discussion: "Exit code 4 where no key signed it that may.")

        @Argument(help: "The file that orders sign signed.")
        var file: String

        @OptionGroup var options: FleetOptions

        func run() async throws {
            // The file is the operator's: it is read before anything is done as the state's owner.
            let signed: OrderFile
            do {
                signed = try OrderFile(json: Files.read(file, limit: OrderFile.sizeLimit), file: file)
            } catch { throw ToolFailure(explaining: error) }
            let order = try await options.withFleet { fleet in try await fleet.send(signed, at: .now()) }
            print("\(order.id): waits for \(Plural.of(order.pendingHosts.count, "host"))")
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an order back from the hosts that are not through with it.")

        @Argument(help: "Its id, as list shows it.")
        var id: String

        @Option(help: ArgumentHelp("Only from these hosts, parted by commas.", valueName: "names"))
        var hosts: String?

        @OptionGroup var options: FleetOptions

        func run() async throws {
            guard OrderStatement.isID(id) else {
                throw ToolFailure(.usage, "an id has 24 hexadecimal digits")
            }
            let cancelled = try await options.withFleet { fleet in
                guard try await fleet.store.order(id) != nil else {
                    throw ToolFailure(.failed, "there is no order \(id): see pd-admin orders list")
                }
                let names = try await hosts.mapAsync {
                    try await fleet.hosts(.named($0.split(separator: ",").map(String.init)), at: .now())
                }
                return try await fleet.store.cancelOrder(id, for: names)
            }
            print("taken back from \(Plural.of(cancelled.count, "host"))")
        }
    }
}

extension Optional {
    fileprivate func mapAsync<Result>(_ body: (Wrapped) async throws -> Result) async throws -> Result? {
        guard let self else { return nil }
        return try await body(self)
    }
}
