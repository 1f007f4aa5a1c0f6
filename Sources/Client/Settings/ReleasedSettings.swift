import Logging
import PDFiles
import PDProtocol
import PDSettings

/// The settings that the release in use brought: its file `agent.yml`, believed only as it was signed. They hold where
/// the machine's own settings say nothing.
struct ReleasedSettings {
    /// Where they lie in a release.
    static let path = "agent.yml"

    private var defaults: SettingsMapping?
    /// Why they have no effect, where they should have one; a line for people.
    private var problem: String?

    /// - Parameters:
    ///   - trust: whose releases this machine obeys, by its own settings.
    ///   - now: milliseconds since 1970-01-01 UTC.
    init(state: StateDirectory, trust: Trust, now: Int64) {
        guard Files.exists("\(state.releases)/current/\(Self.path)") else { return }
        do {
            let keys = try TrustedKeys(
                trust, state: state, log: Logger(label: "trust") { _ in SwiftLogNoOpLogHandler() })
            let folder = try ReleaseFolder(state.releases)
            guard let number = folder.current else { return }
            let manifest = try Integrity.manifest(folder, number, keys.verifier(.releases), now / 1000)
            let path = try RelativePath(Self.path)
            let content = try folder.files(number).open(path).content(limit: 1 << 20)
            guard let file = manifest.file(path), file.describes(content) else {
                problem = "the settings of release \(number) are not as they were signed, and have no effect"
                return
            }
            defaults = try AgentSettings.fleetDefaults(
                yaml: String(decoding: content, as: UTF8.self), file: "\(folder.path)/\(number)/\(Self.path)")
        } catch {
            problem = "the settings of the release have no effect: \(error)"
        }
    }

    /// The machine's settings, with these where they say nothing.
    func filling(_ own: AgentSettings, yaml: String, file: String) throws(SettingsError) -> AgentSettings {
        var settings =
            try defaults.map { defaults throws(SettingsError) in
                try AgentSettings(yaml: yaml, file: file, defaults: defaults)
            } ?? own
        if let problem { settings.notes.append(problem) }
        return settings
    }
}
