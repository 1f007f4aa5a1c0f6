import ArgumentParser
import Foundation
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
            help: ArgumentHelp("How often it is tried in all on a host where it fails.", valueName: "number"))
        var attempts = 1

        @Option(help: ArgumentHelp("How much of each output is reported.", valueName: "bytes"))
        var outputLimit = 65_536

        @Flag(inversion: .prefixedNo, help: "Wait until all hosts have done it; standard on a terminal.")
        var wait: Bool?

        @OptionGroup var hosts: HostChoice
        @OptionGroup var order: OrderOptions
        @OptionGroup var options: FleetOptions

        func validate() throws {
            guard (script == nil) != (shell == nil) else {
                throw ValidationError("name one of --script, --shell")
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
                .init(name: name, timeLimit: timeLimit, attempts: attempts, outputLimit: outputLimit))
            try await options.withFleet { fleet in
                let now = options.now()
                let names = try await hosts.resolve(fleet, now: now)
                let patch = try order.patch(kind, [file], for: names, in: fleet.state, now: now)
                try await fleet.store.add(patch)
                print("\(patch.id): waits for \(patch.pendingHosts.count) hosts")
                if wait ?? (isatty(STDOUT_FILENO) == 1) { try await watch(patch.id, fleet.store) }
            }
        }

        /// Shows how many hosts have done it, until all have or it is taken back.
        private func watch(_ id: String, _ store: any FleetStore) async throws {
            let isTerminal = isatty(STDOUT_FILENO) == 1
            var shown = -1
            while let patch = try await store.order(id) {
                let (done, waiting) = (patch.completedHosts.count, patch.pendingHosts.count)
                if done != shown {
                    shown = done
                    print(isTerminal ? "\r\u{1b}[K" : "", terminator: "")
                    print("\(done) of \(done + waiting) hosts", terminator: isTerminal ? "" : "\n")
                    fflush(nil)
                }
                guard waiting > 0 else { break }
                try await Task.sleep(for: .milliseconds(500))
            }
            if isTerminal { print() }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All commands, the newest first.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let patches = try await options.withFleet { try await $0.store.orders() }
            var table = Table("ID", "ADDED", "NAME", "WAITING", "DONE")
            var rows: [Document] = []
            for patch in patches {
                guard case .command(let command) = patch.statement?.kind else { continue }
                rows.append(patch.summary.setting("name", to: .string(command.name)))
                table.add(
                    patch.id, readable(patch.submittedAt), command.name, "\(patch.pendingHosts.count)",
                    "\(patch.completedHosts.count)")
            }
            options.show(rows) { rows.isEmpty ? "There is no command." : table.text }
        }
    }

    struct Results: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What hosts reported of a command.")

        @Argument(help: "Its name.")
        var name: String

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let hosts = try await options.withFleet { try await $0.store.hosts() }
            var table = Table("HOST", "WHEN", "CODE", "OUTPUT")
            var rows: [Document] = []
            for host in hosts {
                guard let result = host.document[["commands", name]]?.document else { continue }
                rows.append(["host": .string(host.hostname.name), "result": .document(result)])
                let output = result["output"]?.string ?? result["stderr"]?.string ?? ""
                let line = output.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
                table.add(
                    host.hostname.name, result["submitted_at"]?.milliseconds.map(readable) ?? "-",
                    "\(result["returncode"]?.integer ?? 0)", line.count <= 60 ? line : line.prefix(59) + "…")
            }
            options.show(rows) {
                rows.isEmpty ? "No host has reported \(Table.printable(name))." : table.text
            }
        }
    }
}
