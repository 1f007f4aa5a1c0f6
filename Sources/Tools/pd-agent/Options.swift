import ArgumentParser
import Logging
import PDClient
import PDToolSupport

/// What every command takes.
struct Options: ParsableArguments {
    @OptionGroup var stateOptions: StateOptions

    var directory: StateDirectory {
        StateDirectory(stateOptions.directory(installed: "/var/lib/penguindome/agent").path)
    }

    var log: Logger {
        Logger(label: "pd-agent") { StreamLogHandler.standardError(label: $0) }
    }

    func agent() throws -> Agent {
        try Agent.load(
            state: directory, configuration: stateOptions.settingsFile?.path, log: log)
    }

    func settings() throws -> AgentSettings {
        try Agent.settings(state: directory, configuration: stateOptions.settingsFile?.path)
    }

    /// Lends the way to the agent's server.
    func withTransport<R>(_ agent: Agent, _ body: (HTTPTransport) async throws -> R) async throws -> R {
        let transport = HTTPTransport(serverURL: agent.settings.serverURL, caPath: agent.settings.caPath)
        do {
            let result = try await body(transport)
            await transport.close()
            return result
        } catch {
            await transport.close()
            throw error
        }
    }
}
