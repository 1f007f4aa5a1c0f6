import ArgumentParser
import PDClient

/// What the agent starts to have collectors run apart from it.
struct CollectorWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collector-worker", abstract: "Runs collectors for an agent.", shouldDisplay: false)

    @Flag(help: "Let collectors remember nothing.")
    var readOnly = false

    @OptionGroup var options: Options

    func run() throws {
        try Agent.work(
            state: options.directory, configuration: options.stateOptions.settingsPath,
            isWritable: !readOnly, log: options.log)
    }
}
