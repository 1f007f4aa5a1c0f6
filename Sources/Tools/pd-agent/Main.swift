import ArgumentParser
import Glibc
import PDClient

@main
enum Main {
    static func main() async {
        // What the agent writes is for nobody else, and a broken pipe is an error to handle, not a reason to die.
        umask(0o077)
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try PDAgent.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as AgentError {
            fail(error.description, error.exitCode)
        } catch  where PDAgent.exitCode(for: error) == .success {
            // Help was asked for.
            print(PDAgent.fullMessage(for: error))
        } catch {
            fail(PDAgent.message(for: error) + " (see pd-agent --help)", 2)
        }
    }

    /// Ends with one line on standard error.
    private static func fail(_ message: String, _ code: Int32) -> Never {
        let line = Array("pd-agent: \(message)\n".utf8)
        _ = write(2, line, line.count)
        exit(code)
    }
}
