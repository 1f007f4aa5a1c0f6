import ArgumentParser
import Glibc

/// Splits a secret among several people and puts it together again.
@main
struct PDShares: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pd-shares",
        abstract: "Split a secret among several people, so that any few of them together restore it.",
        discussion: """
            Works on files alone: no network, no configuration. Exit codes: 0 done, 1 failed or does not verify, \
            2 bad usage.
            """,
        subcommands: [
            SplitCommand.self, CombineCommand.self, InspectCommand.self, VerifyCommand.self,
            RefreshCommand.self,
        ])

    /// Runs the program with exit codes of its own: argument parser's are others.
    static func main() {
        do throws(ToolError) {
            try ProcessProtection.apply()
        } catch {
            Terminal.note("pd-shares: \(error.message)")
            Glibc.exit(1)
        }
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let error as ToolError {
            Terminal.note("pd-shares: \(error.message)")
            Glibc.exit(error.exitCode)
        } catch  where exitCode(for: error) == .success {
            print(fullMessage(for: error))
        } catch  where exitCode(for: error) == .validationFailure {
            Terminal.note("pd-shares: \(Printable.escaped(message(for: error))); see pd-shares --help")
            Glibc.exit(2)
        } catch {
            Terminal.note("pd-shares: \(error)")
            Glibc.exit(1)
        }
    }
}

/// Keeps what this process knows to this process.
enum ProcessProtection {
    /// No core dumps; new files for their owner only; a full disk is an error, not a signal.
    static func apply() throws(ToolError) {
        umask(0o077)
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
            throw ToolError("cannot turn core dumps off", "", errno: errno)
        }
        // A handler that core dumps are piped to gets them whatever the limit says; without mappings they are empty.
        let filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC)
        guard filter >= 0 else { return }
        defer { close(filter) }
        guard write(filter, "0", 1) == 1 else {
            throw ToolError("cannot turn core dumps off in", "/proc/self/coredump_filter", errno: errno)
        }
    }
}
