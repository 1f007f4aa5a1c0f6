import ArgumentParser
import Glibc
import Logging
import PDClient
import PDToolSupport

/// What every command takes.
struct Options: ParsableArguments {
    @OptionGroup var stateOptions: StateOptions

    var directory: StateDirectory {
        StateDirectory(stateOptions.directoryPath(installed: StateOptions.installedAgent))
    }

    /// For what is done at a terminal, and where the settings are not known.
    var log: Logger {
        Logger(label: "pd-agent") { StreamLogHandler.standardError(label: $0) }
    }

    /// - Parameter isReadOnly: whether collectors may remember nothing.
    func agent(isReadOnly: Bool = false) throws -> Agent {
        var worker = ["/proc/self/exe", "collector-worker", "--state=\(directory.path)"]
        if let file = stateOptions.settingsPath { worker.append("--config=\(file)") }
        if isReadOnly { worker.append("--read-only") }
        return try Agent.load(
            state: directory, configuration: stateOptions.settingsPath, worker: worker,
            log: AgentLog.logger(settings(), state: directory, isKept: !isReadOnly))
    }

    func settings() throws -> AgentSettings {
        try Agent.settings(state: directory, configuration: stateOptions.settingsPath)
    }

    /// Goes on as the agent of the release in use, where it brought one; returns where there is none, or where this
    /// process is the one to go on.
    func handOver() throws {
        // Set for every program that is handed over to: two of them must not play ball.
        let mark = "PENGUINDOME_AGENT_HANDED_OVER"
        guard getenv(mark) == nil,
            let successor = Agent.successor(state: directory, settings: try settings(), log: log)
        else { return }
        setenv(mark, "1", 1)
        let code = successor.execute(CommandLine.arguments)
        // Still here: it could not be started.
        log.error("the agent of the release in use cannot be started: \(String(cString: strerror(code)))")
    }

    /// Lends the way to the agent's server.
    func withTransport<R>(_ agent: Agent, _ body: (HTTPTransport) async throws -> R) async throws -> R {
        let transport = HTTPTransport(
            serverURL: agent.settings.serverURL, caPath: agent.settings.caPath, proxy: agent.settings.proxy)
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
