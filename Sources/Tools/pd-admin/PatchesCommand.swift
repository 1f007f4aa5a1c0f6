import ArgumentParser
import Foundation
import PDDocument
import PDFiles
import PDFleet
import PDProtocol
import PDStore
import PDToolSupport

struct PatchesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patches", abstract: "Files that are put on hosts, or taken off, between releases.",
        subcommands: [Add.self, Remove.self, List.self, OrdersCommand.Cancel.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Put a file on hosts.")

        @Argument(help: "Where it goes among the agent's files, such as collectors/uptime.")
        var path: String

        @Option(help: ArgumentHelp("What it holds.", valueName: "file"))
        var file: String

        @Option(
            help: ArgumentHelp(
                "Its permission bits, in octal; else 755 for a program, 644 for others.", valueName: "bits"))
        var mode: String?

        @OptionGroup var hosts: HostChoice
        @OptionGroup var order: OrderOptions
        @OptionGroup var options: FleetOptions

        func run() async throws {
            let bits = try mode.map { mode throws(ToolFailure) in
                guard let bits = Int(mode, radix: 8), SignedFile.isMode(bits) else {
                    throw ToolFailure(
                        .usage, "--mode must be such as 644 or 755: writable by nobody but its owner")
                }
                return bits
            }
            let content = try Files.read(file, limit: PatchesCommand.sizeLimit)
            let placed: Order.File
            do { placed = try Order.File(placing: path, mode: bits, content: content) } catch {
                throw ToolFailure(explaining: error)
            }
            try await PatchesCommand.add(placed, options: options, hosts: hosts, order: order)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a file off hosts.")

        @Argument(help: "Where it is among the agent's files.")
        var path: String

        @OptionGroup var hosts: HostChoice
        @OptionGroup var order: OrderOptions
        @OptionGroup var options: FleetOptions

        func run() async throws {
            try await PatchesCommand.add(
                Order.File(path: path, mode: 0, content: []), options: options, hosts: hosts, order: order)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "All orders, the newest first; what is done is kept for the record.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let patches = try await options.withFleet { try await $0.store.orders() }
            options.show(patches.map(\.summary)) {
                guard !patches.isEmpty else { return "There is no patch." }
                var table = Table("ID", "ADDED", "KIND", "FILES", "WAITING", "DONE")
                for patch in patches {
                    table.add(
                        patch.id, readable(patch.submittedAt), patch.kind, patch.paths.joined(separator: " "),
                        "\(patch.pendingHosts.count)", "\(patch.completedHosts.count)")
                }
                return table.text
            }
        }
    }

    /// The most bytes of a patch's file.
    static let sizeLimit = 4 << 20

    fileprivate static func add(
        _ file: Order.File, options: FleetOptions, hosts: HostChoice, order: OrderOptions
    ) async throws {
        _ = try await order.issue(.files, [file], for: hosts, options)
    }
}

extension Order {
    /// The paths of its files, without those of signatures.
    var paths: [String] { ownFiles.map(\.path) }

    /// The members that scripts rely on.
    var summary: Document {
        [
            "id": .string(id), "submitted_at": .date(milliseconds: submittedAt), "kind": .string(kind),
            "files": .array(paths.map(Value.string)),
            "pending_hosts": .array(pendingHosts.map { .string($0.name) }),
            "completed_hosts": .array(completedHosts.map { .string($0.name) }),
        ]
    }
}
