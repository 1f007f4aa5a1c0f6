import PDCrypto
import PDFiles
import PDProtocol

/// Tries the release in use: its files must be as they were signed; and its agent, where it brings one, must say so
/// itself and go through one cycle.
struct SelfTest {
    let state: StateDirectory
    /// A settings file to use instead of the one in the state directory.
    let configuration: String?
    let folder: ReleaseFolder
    let verifier: OpenPGP.Verifier
    /// Seconds since 1970-01-01 UTC.
    let now: Int64

    /// How long each of the agent's two commands may take.
    static let patience: Duration = .seconds(180)
    /// Where a release has its agent.
    static let agent = "bin/pd-agent"

    /// - Returns: what is wrong, or nothing.
    func run(_ files: OpenDirectory) async -> String? {
        let integrity = Integrity.check(folder, verifier, now: now)
        guard integrity.isIntact, let release = integrity.release else { return "\(integrity)" }
        let agent = "\(folder.path)/\(release)/\(Self.agent)"
        guard Files.exists(agent) else { return nil }
        let options = ["--state", state.path] + (configuration.map { ["--config", $0] } ?? [])
        // A server that is not reached is not the release's fault.
        for (command, accepted) in [("verify", [0]), ("cycle", [0, 3])] as [(String, [Int32])] {
            do throws(CommandError) {
                let output = try ChildProcess(
                    executable: agent, arguments: [agent, command] + options,
                    environment: ["LC_ALL=C", "PATH=" + Machine.searchPath.joined(separator: ":")],
                    deadline: .now + Self.patience, outputLimit: Machine.outputLimit
                ).run()
                guard accepted.contains(output.returncode) else {
                    return "its pd-agent \(command) failed: \(output.complaint)"
                }
            } catch { return "its pd-agent \(command) failed: \(error)" }
        }
        return nil
    }
}
