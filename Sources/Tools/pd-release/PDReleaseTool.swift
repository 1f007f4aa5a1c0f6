import ArgumentParser
import PDBasics
import PDToolSupport

/// Makes releases: on a machine that the server never reaches, but for `publish` and `list`.
@main
struct PDReleaseTool: Tool {
    static let configuration = CommandConfiguration(
        commandName: "pd-release",
        abstract: "Make, sign, verify and publish releases of the agent.",
        discussion: """
            build, sign and verify need no server: the key may stay on a machine of its own. publish and list work on \
            the server's machine. Exit codes: 0 done, 1 failed or not verified, 2 bad usage.
            """,
        version: BuildStamp.text,
        subcommands: [
            KeygenCommand.self, BuildCommand.self, SignCommand.self, VerifyCommand.self, PublishCommand.self,
            ListCommand.self,
        ])
}
