import ArgumentParser
import Glibc
import PDClient
import PDFiles
import PDToolSupport

/// `pd-plugin lint`.
struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Runs a plugin as the agent would, twice, and says what is wrong with it.",
        discussion: "Exit codes: 0 nothing is wrong, 1 something is: a line each.")

    @Argument(help: "The plugin's file.") var file: String

    func run() throws {
        var template = Array("/tmp/pd-plugin-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw FileError(operation: "make a directory in", path: "/tmp", code: errno)
        }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { _ = try? Machine.this().run("rm", "-rf", "--", directory) }
        let problems = PluginLint.problems(of: file, directory: directory)
        for problem in problems { print("\(file): \(problem)") }
        if !problems.isEmpty { throw ExitCode(1) }
    }
}
