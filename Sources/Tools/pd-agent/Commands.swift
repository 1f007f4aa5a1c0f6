import ArgumentParser
import Glibc
import PDBasics
import PDClient
import PDDocument
import PDFiles
import PDToolSupport

struct Join: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes this machine a member of a fleet. Doing it again is fine.")

    @Option(help: "The folder that pd-server setup made: agent.yml, client.key.asc, server.pub.asc.")
    var kit: String

    @Flag(
        help: "Leave the other fleet that the state directory belongs to, and drop what waits for its server."
    )
    var force = false

    @Option(
        help: ArgumentHelp("What this machine calls itself, instead of its host name.", valueName: "name"))
    var hostname: String?

    @OptionGroup var options: Options

    func run() throws {
        let (result, settings) = try Membership.join(
            kit: kit, state: options.directory, hostname: hostname, force: force, log: options.log)
        switch result {
        case .joined: print("joined the fleet of \(settings.serverURL)")
        case .unchanged: print("already a member of the fleet of \(settings.serverURL)")
        case .settingsReplaced:
            print(
                "already a member of the fleet of \(settings.serverURL); the settings are now the kit's, with what "
                    + "this machine has of its own, ",
                terminator: "")
            print("the old ones are in \(options.directory.path)/agent.yml.old")
        }
        for note in settings.notes { print("note: \(note)") }
    }
}

struct Collect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Looks at this machine and keeps a report to deliver.")

    @Flag(help: "Only show the report; keep nothing.")
    var print = false

    @OptionGroup var options: Options

    func run() async throws {
        try options.handOver()
        let agent = try options.agent(isReadOnly: print)
        if print {
            // Also what a pipe or a full disk says at the end must be heard.
            try Files.writeAll(Array((await agent.shownReport() + "\n").utf8), to: 1, path: "standard output")
        } else {
            try await agent.collect()
        }
    }
}

struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Delivers the reports that wait.")

    @OptionGroup var options: Options

    func run() async throws {
        try options.handOver()
        let agent = try options.agent()
        try await options.withTransport(agent) { _ = try await agent.submit(over: $0) }
    }
}

struct Cycle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Looks at this machine and delivers what waits, the new report last.")

    @OptionGroup var options: Options

    func run() async throws {
        try options.handOver()
        let agent = try options.agent()
        let count = try await options.withTransport(agent) {
            try await agent.cycleFollowingKeys(over: $0)
        }
        // Timers and cron want silence; a person at a terminal does not.
        if isatty(1) != 0 {
            print(
                "looked at this machine and delivered \(count == 1 ? "1 report" : "\(count) reports")",
                terminator: "")
            print(" to \(agent.settings.serverURL); pd-agent what shows it")
        }
        agent.logResources()
    }
}

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows who this agent is and how it fares.")

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var options: Options

    func run() throws {
        let status = try options.agent(isReadOnly: true).status()
        if json {
            print(status.json(pretty: true))
            return
        }
        // What there may be many of, and must not push the rest off the screen.
        let shown = 3
        for (name, value) in status {
            switch value {
            case .null: print("\(name): -")
            case .string(let text): print("\(name): \(text.printable)")
            case .array(let values):
                for value in values.prefix(shown) {
                    print("\(name): \((value.string ?? value.json()).printable)")
                }
                if values.count > shown {
                    print("\(name): and \(values.count - shown) more (--json has all)")
                }
            default: print("\(name): \(value.json())")
            }
        }
    }
}
