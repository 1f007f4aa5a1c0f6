import Logging
import PDCrypto
import PDFiles

extension Agent {
    /// Looks at every file of the release in use.
    ///
    /// - Parameters:
    ///   - state: the agent's state.
    ///   - settings: what it is set to.
    ///   - now: milliseconds since 1970-01-01 UTC.
    public static func integrity(
        state: StateDirectory, settings: AgentSettings, log: Logger, now: Int64 = Agent.currentTime()
    ) -> Integrity {
        do throws(FileError) {
            let keys = try TrustedKeys(settings.trust, state: state, log: log)
            guard Files.exists(state.releases) else { return Integrity() }
            return Integrity.check(
                try ReleaseFolder(state.releases), keys.verifier(.releases), now: now / 1000)
        } catch {
            var result = Integrity()
            result.problem = "\(error)"
            return result
        }
    }
}
