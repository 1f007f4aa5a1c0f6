import ArgumentParser
import Glibc
import PDBasics
import PDCrypto
import PDSecrets
import PDShamir
import PDShareFiles

/// Splits a secret among several people and puts it together again.
@main
struct PDShares: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pd-shares",
        abstract: "Split a secret among several people, so that any few of them together restore it.",
        discussion: """
            Works on files alone: no network, no configuration. Exit codes: 0 proved or done, 1 does not fit, \
            2 bad usage, 3 a file could not be read or written, 5 written but unproved.
            """,
        version: BuildStamp.text,
        subcommands: [
            SplitCommand.self, CombineCommand.self, InspectCommand.self, VerifyCommand.self,
            RefreshCommand.self, DrillCommand.self, SheetCommand.self,
        ])

    /// Runs the program with exit codes of its own: argument parser's are others.
    static func main() {
        do {
            try protect()
            try checkArguments()
            var command = try parseAsRoot()
            defer { if command is any SecretCommand { warnOfUnlockedMemory() } }
            try command.run()
        } catch let error as ToolError {
            Terminal.note("pd-shares: \(error.message)")
            Glibc.exit(error.exitCode)
        } catch  where exitCode(for: error) == .success {
            print(fullMessage(for: error))
        } catch  where exitCode(for: error) == .validationFailure {
            Terminal.note(
                "pd-shares: \(Printable.escaped(message(for: error))); see pd-shares \(command)--help")
            Glibc.exit(2)
        } catch {
            Terminal.note("pd-shares: \(error)")
            Glibc.exit(1)
        }
    }

    private static var commands: [String] {
        configuration.subcommands.compactMap { $0.configuration.commandName }
    }

    /// The command that was asked for, with a space after it; empty where it is none.
    private static var command: String {
        commands.first { $0 == CommandLine.arguments.dropFirst().first }.map { $0 + " " } ?? ""
    }

    /// Refuses what the argument parser would take for something else.
    private static func checkArguments() throws(ToolError) {
        if let first = CommandLine.arguments.dropFirst().first, !first.hasPrefix("-"),
            !(commands + ["help"]).contains(first)
        {
            throw .usage(
                "there is no command \(Printable.escaped(first)): there are \(commands.joined(separator: ", ")); see pd-shares "
                    + "--help")
        }
        var mayBeOption = true
        for index in 0..<Int(CommandLine.argc) {
            guard index > 0, let bytes = CommandLine.unsafeArgv[index] else { continue }
            // The bytes would be replaced, and the file be another one.
            guard let argument = String(validatingCString: bytes) else {
                throw .usage(
                    "argument \(index) is not UTF-8 (\(Printable.path(String(cString: bytes)))): rename the file, or "
                        + "give its directory")
            }
            if argument == "--" { mayBeOption = false }
            // "-dash" is -d, -a, -s and -h, and the last asks for help.
            guard mayBeOption, argument.hasPrefix("-"), !["-", "-h"].contains(argument),
                !argument.hasPrefix("--")
            else { continue }
            let shown = Printable.escaped(argument)
            throw .usage(
                "\(shown): options are written out, as in --threshold, and have two hyphens; a file of that name is "
                    + "./\(shown)")
        }
    }

    /// Keeps what this process knows to this process; new files are for their owner only; a full disk and a closed
    /// pipe are errors, not signals.
    private static func protect() throws {
        umask(0o077)
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        try ProcessMemory.protect()
    }

    /// Says once where secrets may have reached the disk.
    private static func warnOfUnlockedMemory() {
        // A library that does not start has been reported before this.
        let poolIsLocked = (try? Libgcrypt.secureMemoryIsLocked) ?? true
        guard !poolIsLocked || SecretBytes.lockWasRefused else { return }
        Terminal.note(
            "pd-shares: warning: the system did not keep all secrets out of swap (see ulimit -l): trust only encrypted swap"
        )
    }
}

/// A command that holds secrets, which `inspect` and `help` do not.
protocol SecretCommand: ParsableCommand {}
