import ArgumentParser
import PDClient
import PDToolSupport

struct UpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Bring the agent's files to the newest release.",
        discussion: """
            A release is installed only if a key that the setting trust:releases names has signed it, it has not expired, \
            and it is newer than every one before. It is tried at once; one that does not work is taken out of use again. \
            Exit codes: 42 where something changed, 4 where an order was refused, 0 where nothing happened.
            """)

    @Option(help: ArgumentHelp("Install this release, not what the server has.", valueName: "file.tar"))
    var from: String?

    @Option(
        help: ArgumentHelp(
            "Go back to this release, though newer ones were installed. The one that is left is not installed again.",
            valueName: "number"))
    var allowDowngrade: Int?

    @OptionGroup var options: Options

    func run() async throws {
        // A person who mends a machine must not depend on the release that is to be mended.
        if from == nil, allowDowngrade == nil { try options.handOver() }
        let settings = try options.settings()
        let updater = Updater(
            state: options.directory, settings: settings,
            configuration: options.stateOptions.settingsPath,
            log: AgentLog.logger(settings, state: options.directory))
        if let from {
            try report(
                await updater.run(ReleaseInFiles(archive: from), asked: allowDowngrade, isChosen: true))
        } else {
            try await update(options.agent(), updater)
        }
    }

    /// What the server has: a release, and orders, which are carried out also where the release is refused.
    private func update(_ agent: Agent, _ updater: Updater) async throws {
        // Those of the release in use, also where the server is not reached; results are delivered with the next report.
        do { _ = try agent.runReleasedCommands() } catch {
            options.log.error("the commands of the release are not run: \(error)")
        }
        try await options.withTransport(agent) { transport in
            // First of all: orders name the fleet by the server's key.
            let agent = await agent.followingKeys(over: transport)
            let source = agent.source(over: transport)
            let release: Result<Updater.Outcome, ReleaseError>
            do throws(ReleaseError) {
                release = .success(try await updater.run(source, asked: allowDowngrade))
            } catch { release = .failure(error) }
            if case .failure(let error) = release {
                try agent.noteUpdate(problem: error.description)
            } else {
                try agent.noteUpdate(problem: nil)
            }
            let (changed, refused) = try await agent.carryOutOrders(of: source)
            if changed { _ = try await agent.submit(over: transport) }
            let outcome = try release.get()
            if changed, case .unchanged = outcome {
                print("orders were carried out")
                throw ExitCode(42)
            }
            try report(outcome)
            // After what changed, which is for the units to act upon.
            guard refused == 0 else {
                throw ToolFailure(
                    .refused,
                    "\(refused) of the orders that wait \(refused == 1 ? "was" : "were") refused: see pd-agent status"
                )
            }
        }
    }

    private func report(_ outcome: Updater.Outcome) throws {
        switch outcome {
        case .unchanged(0): print("no release is installed, and there is none")
        case .unchanged(let number): print("release \(number) is in use, and is the newest")
        case .installed(let number):
            print("release \(number) is in use")
            throw ExitCode(42)
        }
    }
}

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Hold every file of the release in use against what was signed.",
        discussion: "Exit codes: 0 where all is as it was signed, or no release is installed; else 1.")

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var options: Options

    func run() throws {
        let integrity = Agent.integrity(
            state: options.directory, settings: try options.settings(), log: options.log)
        print(json ? integrity.json : "\(integrity)")
        guard integrity.isIntact else { throw ExitCode(1) }
    }
}
