import ArgumentParser
import PDBasics
import PDDocument
import PDFleet
import PDStore
import PDToolSupport

struct AlertsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "What people are told, and by which ways.",
        subcommands: [List.self, Test.self, Retry.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Messages that wait, and those of the last 90 days that were delivered.")

        @OptionGroup var options: FleetOptions

        @Flag(help: "Only those that wait.")
        var waiting = false

        func run() async throws {
            let messages = try await options.withFleet { fleet in
                try await fleet.store.records(.outbox).map { try OutboxMessage($0) }
            }.filter { !waiting || $0.state == .waiting }
            options.show(messages.map(\.summary)) {
                guard !messages.isEmpty else {
                    return waiting ? "No message waits." : "Nobody was told anything."
                }
                var table = Table("WHEN", "CHANNEL", "STATE", "OPEN", "TRIES", "NEXT TRY", "ERROR")
                for message in messages {
                    table.add(
                        readable(message.createdAt), message.channel, message.state.rawValue,
                        "\(message.message.openCount)", "\(message.attempts)",
                        message.state == .waiting ? readable(message.nextAttemptAt) : "", message.lastError)
                }
                return table.text
            }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a message that says that it is a test.")

        @Option(help: ArgumentHelp("The channel, as server.yml names it.", valueName: "name"))
        var channel: String

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let checks = try options.checks()
            let now = options.now()
            let outcome = try await options.withFleet { fleet in
                let channels = try fleet.settings.alerts.channels(checks)
                let owner =
                    channel.hasPrefix("owner:")
                    ? try fleet.settings.alerts.ownerChannel(String(channel.dropFirst(6)), checks) : nil
                guard let channel = channels.first(where: { $0.name == channel }) ?? owner else {
                    let names = channels.map(\.name).joined(separator: ", ")
                    throw ToolFailure(
                        .usage,
                        "there is no channel \(channel.printable): "
                            + (names.isEmpty
                                ? "server.yml has none under alerts:channels" : "server.yml has \(names)"))
                }
                return await NetworkDelivery(fleet).deliver(
                    .test(channel: channel.name, at: now), by: channel, at: now)
            }
            switch outcome {
            case .delivered:
                options.show([["channel": .string(channel), "delivered": true]]) { "\(channel): delivered" }
            case .failed(let reason), .unwanted(let reason):
                throw ToolFailure(.failed, "\(channel): \(reason)")
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try now to deliver what waits, instead of at its time.")

        @OptionGroup var options: FleetOptions

        func run() async throws {
            let checks = try options.checks()
            let now = options.now()
            let round = try await options.withFleet { fleet in
                guard
                    try await fleet.store.takeLease(
                        "alerts-retry", holder: "pd-admin", at: now, duration: 300_000)
                else {
                    throw ToolFailure(.failed, "somebody else is trying at this moment")
                }
                let round = try await Alerting(
                    store: fleet.store, settings: fleet.settings.alerts, checks: checks
                )
                .deliver(
                    by: NetworkDelivery(fleet), at: now, jitter: { Double.random(in: 0...1) }, isUrged: true)
                try await fleet.store.releaseLease("alerts-retry", holder: "pd-admin")
                return round
            }
            options.show([["delivered": .int(round.delivered), "failed": .int(round.failures.count)]]) {
                (["\(round.delivered) delivered"]
                    + round.failures.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })
                    .joined(separator: "\n")
            }
            if !round.failures.isEmpty { throw ExitCode(1) }
        }
    }
}

extension OutboxMessage {
    fileprivate var summary: Document {
        var writer = DocumentWriter()
        writer.append("id", .string(id))
        writer.append("channel", .string(channel))
        writer.append("created_at", .date(milliseconds: createdAt))
        writer.append("state", .string(state.rawValue))
        writer.append("open", .int(message.openCount))
        writer.append("attempts", .int(attempts))
        writer.append("next_attempt_at", .date(milliseconds: nextAttemptAt))
        if let sentAt { writer.append("sent_at", .date(milliseconds: sentAt)) }
        writer.append("last_error", .string(lastError))
        return writer.finish()
    }
}
