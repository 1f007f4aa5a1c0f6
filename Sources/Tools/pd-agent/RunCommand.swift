import ArgumentParser
import PDClient

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Stays, and updates, collects and delivers at the intervals of the settings.",
        discussion:
            "SIGHUP has it read its settings anew; SIGTERM ends it. One at a time for a state directory.")

    @OptionGroup var options: Options

    func run() throws {
        var arguments = ["--state=\(options.directory.path)"]
        if let file = options.stateOptions.settingsPath { arguments.append("--config=\(file)") }
        try AgentLoop(
            state: options.directory, configuration: options.stateOptions.settingsPath,
            program: "/proc/self/exe", arguments: arguments
        ).run()
    }
}
