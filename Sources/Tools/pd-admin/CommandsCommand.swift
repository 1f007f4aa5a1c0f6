import ArgumentParser
import Foundation
import PDBasics
import PDDocument
import PDFiles
import PDFleet
import PDProtocol
import PDStore
import PDToolSupport

struct CommandsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commands", abstract: "Programs that hosts run once, and what came of them.",
        subcommands: [Run.self, List.self, Results.self])

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have hosts run a script or a shell line, once.",
            discussion: """
                Each host runs it when it next asks, and reports under commands.NAME. On a terminal the progress is shown \
                until all are done; Ctrl-C ends the watching, not the command.
                """)

        @Argument(help: "The name under which the result is kept.")
        var name: String

        @Option(
            help: ArgumentHelp("A program: a script with its #! line, or an executable.", valueName: "file"))
        var script: String?

        @Option(help: ArgumentHelp("A line for /bin/sh.", valueName: "line"))
        var shell: String?

        @Option(help: ArgumentHelp("How long it may run on a host.", valueName: "seconds"))
        var timeLimit = 60

        @Option(
            help: ArgumentHelp(
                "How often it is tried in all on a host where it fails; forever for each time the host asks, until it works.",
                valueName: "number"))
        var attempts = "1"

        @Option(help: ArgumentHelp("How much of each output is reported.", valueName: "bytes"))
        var outputLimit = OrderStatement.Command.outputLimits.upperBound

        @Flag(inversion: .prefixedNo, help: "Wait until all hosts have done it; standard on a terminal.")
        var wait: Bool?

        @OptionGroup var hosts: HostChoice
        @OptionGroup var order: OrderOptions
        @OptionGroup var options: FleetOptions

        func validate() throws {
            guard (script == nil) != (shell == nil) else {
                throw ValidationError("name one of --script, --shell")
            }
            guard attempts == OrderStatement.Command.forever || Int(attempts) != nil else {
                throw ValidationError("--attempts must be a number, or forever")
            }
            guard OrderStatement.Command.isName(name) else {
                throw ValidationError(
                    "the name must have no dot, slash or control character, and no leading $")
            }
        }

        func run() async throws {
            let content: [UInt8]
            if let script {
                content = try Files.read(script, limit: PatchesCommand.sizeLimit)
            } else {
                content = Array("#!/bin/sh\n\(shell ?? "")\n".utf8)
            }
            let file = Order.File(
                path: "\(OrderStatement.commandFolder)/\(name)", mode: 0o755, content: content)
            let kind = OrderStatement.Kind.command(
                .init(name: name, timeLimit: timeLimit, attempts: Int(attempts), outputLimit: outputLimit))
            let issued = try await order.issue(kind, [file], for: hosts, options)
            guard let id = issued?.id, wait ?? (isatty(STDOUT_FILENO) == 1) else { return }
            let standings = try await options.withFleet { fleet in try await watch(id, fleet.store) }
            let refused = standings.filter { $0.state == .refused }
            guard !standings.contains(where: { $0.state == .failed }) else {
                throw ToolFailure(.failed, "it failed on some hosts: see pd-admin commands results \(name)")
            }
            if let first = refused.first {
                throw ToolFailure(
                    .refused,
                    "\(Plural.of(refused.count, "host")) refused it, \(first.host) because \(first.receipt?.reason ?? "it may")"
                )
            }
        }

        /// Shows how far hosts have come, until each is through with it or refuses it, or it is taken back.
        private func watch(_ id: String, _ store: any FleetStore) async throws -> [OrderStanding] {
            let isTerminal = isatty(STDOUT_FILENO) == 1
            var shown = ""
            var standings: [OrderStanding] = []
            while let order = try await store.order(id) {
                standings = OrderStanding.all(of: order, at: .now())
                func count(_ state: OrderStanding.State) -> Int { standings.count { $0.state == state } }
                var line = "\(count(.done)) of \(Plural.of(standings.count, "host"))"
                for state in [OrderStanding.State.failed, .refused, .expired] where count(state) > 0 {
                    line += ", \(count(state)) \(state.rawValue)"
                }
                if line != shown {
                    shown = line
                    print(isTerminal ? "\r\u{1b}[K" : "", terminator: "")
                    print(line, terminator: isTerminal ? "" : "\n")
                    fflush(nil)
                }
                guard standings.contains(where: { [.offered, .received, .running].contains($0.state) }) else {
                    break
                }
                try await Task.sleep(for: .milliseconds(500))
            }
            if isTerminal { print() }
            return standings
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All commands, the newest first.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let patches = try await options.withFleet { try await $0.store.orders() }
            let now = Moment.now()
            var table = Table("ID", "ADDED", "NAME", "WAITING", "DONE", "FAILED", "REFUSED")
            var rows: [Document] = []
            for patch in patches {
                guard case .command(let command) = patch.statement?.kind else { continue }
                let standings = OrderStanding.all(of: patch, at: now)
                func hosts(_ states: OrderStanding.State...) -> [Hostname] {
                    standings.filter { states.contains($0.state) }.map(\.host)
                }
                let (failed, refused) = (hosts(.failed), hosts(.refused))
                rows.append(
                    patch.summary.setting("name", to: .string(command.name))
                        .setting("failed_hosts", to: .array(failed.map { .string($0.name) }))
                        .setting("refused_hosts", to: .array(refused.map { .string($0.name) })))
                table.add(
                    patch.id, readable(patch.submittedAt), command.name,
                    "\(hosts(.offered, .received, .running).count)", "\(hosts(.done).count)",
                    "\(failed.count)",
                    "\(refused.count)")
            }
            options.show(rows) { rows.isEmpty ? "There is no command." : table.text }
        }
    }

    struct Results: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All that hosts reported of a command.")

        @Argument(help: "Its name.")
        var name: String

        @Option(help: ArgumentHelp("Only of this host.", valueName: "name"))
        var host: String?

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let (hosts, isOrdered) = try await options.withFleet { fleet in
                let isOrdered = try await fleet.store.orders().contains { order in
                    if case .command(let command) = order.statement?.kind {
                        command.name == name
                    } else {
                        false
                    }
                }
                if let host { return ([try await fleet.host(named: host)], isOrdered) }
                return (try await fleet.store.hosts(), isOrdered)
            }
            let results = hosts.compactMap { host in
                host.document[["commands", name]]?.document.map { (host, $0) }
            }
            guard isOrdered || !results.isEmpty else {
                throw ToolFailure(
                    .failed, "no command is called \(name.printable): see pd-admin commands list")
            }
            options.show(results.map { ["host": .string($0.hostname.name), "result": .document($1)] }) {
                guard !results.isEmpty else { return "No host has reported \(name.printable)." }
                return results.map(text).joined(separator: "\n")
            }
        }

        /// Everything that one host reported, line by line.
        private func text(_ host: FleetHost, _ result: Document) -> String {
            let time = result["submitted_at"]?.milliseconds.map(readable) ?? "-"
            var lines = ["\(host.hostname)  \(time)  exit code \(result["returncode"]?.integer ?? 0)"]
            for (field, mark) in [("output", "| "), ("stdout", "| "), ("stderr", "! ")] {
                guard var output = result[field]?.string, !output.isEmpty else { continue }
                if output.last?.isNewline == true { output.removeLast() }
                lines += output.split(separator: "\n", omittingEmptySubsequences: false)
                    .map { mark + String($0).printable }
            }
            return lines.joined(separator: "\n")
        }
    }
}
