import Logging
import PDFiles
import PDProtocol

extension Agent {
    /// The agent that the release in use brought, if it is, at this moment, what a trusted key signed, and not the program
    /// that runs already.
    ///
    /// - Parameter now: milliseconds since 1970-01-01 UTC.
    /// - Returns: its path.
    public static func successor(
        state: StateDirectory, settings: AgentSettings, log: Logger, now: Int64 = Agent.currentTime()
    ) -> String? {
        guard Files.exists("\(state.releases)/current/\(SelfTest.agent)") else { return nil }
        do {
            let folder = try ReleaseFolder(state.releases)
            guard let number = folder.current else { return nil }
            let path = "\(state.releases)/\(number)/\(SelfTest.agent)"
            guard Files.realPath(path) != Files.realPath("/proc/self/exe") else { return nil }
            let keys = try TrustedKeys(settings.trust, state: state, log: log)
            let manifest = try Integrity.manifest(folder, number, keys.verifier(.releases), now / 1000)
            guard let file = manifest.file(try RelativePath(SelfTest.agent)),
                Integrity.state(of: file, in: try folder.files(number)) == .good
            else {
                log.error("the agent of the release in use is not as it was signed; it is not run")
                return nil
            }
            return path
        } catch {
            log.error("the agent of the release in use cannot be verified, and is not run: \(error)")
            return nil
        }
    }
}
