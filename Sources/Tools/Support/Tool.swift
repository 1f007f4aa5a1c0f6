import ArgumentParser
import Glibc
import PDBasics

/// The outermost command of a tool: runs it, and turns every way to stop into an exit code of ``ToolFailure/Code`` and
/// at most one line on standard error.
public protocol Tool: AsyncParsableCommand {}

extension Tool {
    /// The program's entry.
    public static func main() async {
        begin()
        do {
            var command = try command()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch { end(error) }
    }

    /// The program's entry for a command that stays: it runs on the thread that the program began on, and there is no other.
    /// A command that waits in the pool of Swift's concurrency is looked after by it each second.
    public static func mainAlone() {
        begin()
        do {
            var command = try command()
            try command.run()
        } catch { end(error) }
    }

    private static func begin() {
        // A reader that went away is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        umask(0o077)
    }

    private static func command() throws -> any ParsableCommand {
        // All of them hold secret keys at times.
        try ProcessMemory.forbidCoreDumps()
        return try parseAsRoot()
    }

    private static func end(_ error: any Error) {
        let name = configuration.commandName ?? "tool"
        do {
            throw error
        } catch let failure as any ExitCoded {
            complain(name, failure.description)
            Glibc.exit(failure.exitCode)
        } catch  where exitCode(for: error) == .success {
            print(fullMessage(for: error))
        } catch  where exitCode(for: error) == .validationFailure {
            complain(name, "\(message(for: error)); see \(name) --help")
            Glibc.exit(ToolFailure.Code.usage.rawValue)
        } catch let code as ExitCode {
            Glibc.exit(code.rawValue)
        } catch {
            complain(name, "\(error)")
            Glibc.exit(ToolFailure.Code.failed.rawValue)
        }
    }

    private static func complain(_ name: String, _ text: String) {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        var rest = Array("\(name): \(line)\n".utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            // Nobody can be told that nobody can be told.
            guard count > 0 || count < 0 && errno == EINTR else { return }
            rest = rest.dropFirst(max(count, 0))
        }
    }
}
