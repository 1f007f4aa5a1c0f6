import Logging
import PDCrypto
import PDFiles
import PDProtocol

/// Keeps the agent's files at the newest release that a trusted key signed.
public struct Updater: Sendable {
    /// What an update did.
    public enum Outcome: Equatable, Sendable {
        /// Nothing: the release in use is the newest; 0 where there is none.
        case unchanged(Int)
        /// Another release is in use.
        case installed(Int)
    }

    private let state: StateDirectory
    private let settings: AgentSettings
    private let configuration: String?
    private let architecture: String
    private let now: @Sendable () -> Int64
    private let log: Logger

    /// - Parameters:
    ///   - state: the agent's state.
    ///   - settings: what it is set to.
    ///   - configuration: a settings file to use instead of the one in the state directory.
    ///   - architecture: the machine's, as its kernel names it.
    ///   - now: the time in milliseconds since 1970-01-01 UTC.
    public init(
        state: StateDirectory, settings: AgentSettings, configuration: String? = nil,
        architecture: String = Machine.this().kernel.architecture, log: Logger,
        now: @escaping @Sendable () -> Int64 = { Agent.currentTime() }
    ) {
        self.state = state
        self.settings = settings
        self.configuration = configuration
        self.architecture = architecture
        self.now = now
        self.log = log
    }

    /// Installs the newest release of the source, if it is one that this machine may install and not the one in use.
    ///
    /// - Parameters:
    ///   - source: where it comes from.
    ///   - asked: the number of a release that the person at the machine asks for, though it be older; such a one is
    ///     taken from those that lie here still, where it does.
    ///   - isChosen: whether that person chose the source, too: then what lies here does not stand in for it.
    public func run(
        _ source: any ReleaseSource, asked: Int? = nil, isChosen: Bool = false
    ) async throws(ReleaseError) -> Outcome {
        // One time for the whole update: a slow download must not outlive its manifest.
        let start = now() / 1000
        let (folder, lock) = try open()
        defer { withExtendedLifetime(lock) {} }
        let keys: TrustedKeys
        do throws(FileError) {
            keys = try TrustedKeys(settings.trust, state: state, log: log)
        } catch { throw .file(error) }
        let selfTest = SelfTest(
            state: state, configuration: configuration, folder: folder, verifier: keys.verifier(.releases),
            now: start)
        let installer = ReleaseInstaller(
            folder: folder, keys: keys, channel: settings.channel, architecture: architecture,
            test: selfTest.run,
            log: log)
        if try await installer.resume(), asked == nil { return .installed(folder.current ?? 0) }

        if let asked, !isChosen, asked != folder.current, folder.holds(asked) {
            return try await goBack(to: asked, installer, keys, start)
        }
        let current = installer.signedCurrent(start) ?? 0
        guard let statement = try await source.newest(after: asked == nil ? current : 0) else {
            if let asked, asked != current { throw .nothing("the server newer than \(current)") }
            return .unchanged(current)
        }
        let manifest = try installer.accept(statement, asked: asked, now: start)
        let identity = ReleaseFolder.Identity(manifest.number, manifest: statement.bytes)
        guard manifest.number != current else { return .unchanged(current) }
        // Remembered before anything of it is used: from here on, older ones are refused.
        try folder.setHighest(identity)
        let archive = try await ReleaseDownload(folder: folder, manifest: manifest).run(source)
        try installer.unpack(archive, manifest, statement)
        if asked != nil { try leave(current, folder) }
        try await installer.use(identity)
        return .installed(manifest.number)
    }

    /// Uses again a release that lies here still.
    private func goBack(
        to number: Int, _ installer: ReleaseInstaller, _ keys: TrustedKeys, _ now: Int64
    ) async throws(ReleaseError) -> Outcome {
        let folder = installer.folder
        let statement: SignedStatement
        do {
            statement = try folder.statement(number)
            _ = try Integrity.manifest(folder, number, keys.verifier(.releases), now)
        } catch let error as SignedStatement.Failure {
            throw .statement(error)
        } catch let error as FileError {
            throw .file(error)
        } catch { throw .otherContent(number) }
        let identity = ReleaseFolder.Identity(number, manifest: statement.bytes)
        try leave(folder.current ?? 0, folder)
        try folder.setHighest(identity)
        try await installer.use(identity)
        return .installed(number)
    }

    /// What a person has left is not installed again by itself.
    private func leave(_ number: Int, _ folder: ReleaseFolder) throws(ReleaseError) {
        guard number > 0, let statement = try? folder.statement(number) else { return }
        try folder.setFailed(
            .init(number, manifest: statement.bytes), "taken out of use by a person at this machine")
    }

    private func open() throws(ReleaseError) -> (ReleaseFolder, StateLock) {
        do throws(FileError) {
            let folder = try ReleaseFolder(state.releases)
            let lock = try StateLock("\(state.releases)/lock")
            // What a crash left half written.
            for name in try folder.directory.names() where name.hasSuffix(Files.temporarySuffix) {
                try folder.directory.remove(name)
            }
            return (folder, lock)
        } catch {
            throw error.operation == "lock" ? .busy(state.releases) : .file(error)
        }
    }
}
