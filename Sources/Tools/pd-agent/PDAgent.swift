import ArgumentParser
import Dispatch
import Glibc
import PDBasics
import PDClient
import PDToolSupport

/// The agent: reports to the fleet's server what it finds on this machine.
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

@main
enum Program {
    static func main() {
        PDAgent.prepare()
        // Before anything of Swift's concurrency begins: what stays for months is to sleep.
        if CommandLine.arguments.dropFirst().first == "run" { return PDAgent.mainAlone() }
        Task {
            await PDAgent.main()
            Glibc.exit(0)
        }
        dispatchMain()
    }
}

extension PDAgent {
    /// What Swift takes for granted, and dies of, or passes over in silence, where it is not there.
    static func prepare() {
        // Arguments are read from there.
        guard access("/proc/self/cmdline", R_OK) == 0 else {
            refuse("/proc is not mounted: mount it, and try again")
        }
        let needed: rlim_t = 64
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let allowed = limit.rlim_cur
        guard allowed < needed else { return }
        limit.rlim_cur = needed
        limit.rlim_max = max(limit.rlim_max, needed)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            refuse(
                "no more than \(allowed) files may be open at a time, and \(needed) are needed: see ulimit -n"
            )
        }
    }

    private static func refuse(_ reason: String) -> Never {
        let line = Array("pd-agent: \(reason)\n".utf8)
        // Nobody can be told that nobody can be told.
        _ = write(STDERR_FILENO, line, line.count)
        Glibc.exit(1)
    }
}

extension AgentError: ExitCoded {}

extension ReleaseError: ExitCoded {}
