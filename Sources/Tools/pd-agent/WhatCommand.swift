import ArgumentParser
import Glibc
import PDBasics
import PDClient
import PDDocument
import PDFiles
import PDToolSupport

struct WhatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "what",
        abstract: "Shows what this machine last told the fleet's server, and what changed with it.",
        discussion: """
            Whoever may not read the agent's state sees the public digest: the same without what is said of single users.
            """)

    @Flag(help: "As JSON.")
    var json = false

    @Flag(help: "The very bytes that were signed and sent.")
    var bytes = false

    @OptionGroup var options: Options

    func run() throws {
        let state = options.directory
        let sent: LastSent
        do throws(AgentError) {
            sent = try Agent.lastSent(state)
        } catch {
            guard case .file(let problem) = error, problem.code == EACCES, let digest = state.digest else {
                throw error
            }
            try Files.writeAll(try Files.read(digest), to: 1, path: "standard output")
            return
        }
        if bytes {
            try Files.writeAll(sent.bytes, to: 1, path: "standard output")
        } else if json {
            let changed = sent.changed.map { Value.array($0.map(Value.string)) } ?? .null
            let settings = try options.settings()
            let document: Document = [
                "report": .document(sent.report), "changed": changed,
                "withheld": .array(settings.withheld.map(Value.string)),
                "orders": .array(
                    try Agent.orders(state, settings, log: options.log).map { .document($0.document) }),
            ]
            print(document.json(pretty: true))
        } else {
            try show(sent)
        }
    }

    private func show(_ sent: LastSent) throws {
        print("As \((sent.report["hostname"]?.string ?? "?").printable), this machine told the server:")
        for (name, value) in sent.report["plugins"]?.document ?? [:] {
            let status = value.document?["status"]?.string.map { ": \($0.printable)" } ?? ""
            let reason = value.document?["reason"]?.string.map { " (\($0.printable))" } ?? ""
            print("  \(name.printable)\(status)\(reason)")
        }
        switch sent.changed {
        case nil: print("It was the first report.")
        case let paths? where paths.isEmpty: print("Nothing had changed since the one before.")
        case let paths?:
            print("Changed since the one before: \(paths.joined(separator: ", ").printable)")
        }
        let settings = try options.settings()
        print("Kept back, since this agent cannot seal it: \(settings.withheld.joined(separator: ", "))")
        let orders = try Agent.orders(options.directory, settings, log: options.log)
        if !orders.isEmpty { print("Orders that this machine took:") }
        for order in orders {
            let end = order.returncode.map { ", exit code \($0)" } ?? ""
            let reason = order.reason.map { " (\($0.printable))" } ?? ""
            print(
                "  \(Timestamp.text(milliseconds: order.accepted * 1000)) \((order.what ?? "?").printable):",
                "\(order.state)\(end)\(reason), signed by \(order.signer ?? "a key that is trusted no longer"),",
                "order \(order.id)")
        }
        print("All of it: pd-agent what --json; byte for byte: pd-agent what --bytes")
    }
}
