import ArgumentParser
import Glibc
import Logging
import PDClient

/// What every command takes.
struct Options: ParsableArguments {
    @Option(
        help: "The agent's state directory [env: PENGUINDOME_STATE; standard: /var/lib/penguindome/agent].")
    var state: String?

    @Option(
        help: "A settings file to use instead of agent.yml in the state directory [env: PENGUINDOME_CONFIG].")
    var config: String?

    var directory: StateDirectory {
        StateDirectory(state ?? environment("PENGUINDOME_STATE") ?? "/var/lib/penguindome/agent")
    }

    var log: Logger {
        Logger(label: "pd-agent") { StreamLogHandler.standardError(label: $0) }
    }

    func agent() throws -> Agent {
        try Agent.load(
            state: directory, configuration: config ?? environment("PENGUINDOME_CONFIG"), log: log)
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

    private func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
