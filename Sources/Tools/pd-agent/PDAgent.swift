import ArgumentParser
import PDBasics
import PDClient
import PDToolSupport

/// The agent: reports to the fleet's server what it finds on this machine.
@main
struct PDAgent: Tool {
    static let configuration = CommandConfiguration(
        commandName: "pd-agent",
        abstract: "Reports to the fleet's server what it finds on this machine.",
        discussion: """
            Exit codes: 0 done, 1 failed, 2 bad usage, 3 the server was not reached and the reports are kept, \
            4 the server refused; update: 42 something changed.
            """,
        version: BuildStamp.text,
        subcommands: [
            Join.self, Collect.self, Submit.self, Cycle.self, Status.self, CheckCommand.self,
            UpdateCommand.self,
            VerifyCommand.self, InstallUnitsCommand.self, WhatCommand.self, RunCommand.self,
            CollectorWorkerCommand.self,
        ])
}

extension AgentError: ExitCoded {}

extension ReleaseError: ExitCoded {}
