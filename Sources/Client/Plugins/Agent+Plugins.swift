import Logging
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

extension Agent {
    /// The plugins of the release in use and of the patches over it. Where nothing can be verified there are none; the
    /// collector `integrity` says why.
    static func plugins(
        state: StateDirectory, settings: AgentSettings, log: Logger, now: Int64
    ) -> [any Collector] {
        do {
            let keys = try TrustedKeys(settings.trust, state: state, log: log)
            var files: [RelativePath: (root: String, file: SignedFile)] = [:]
            var current = 0
            if Files.exists(state.releases) {
                let folder = try ReleaseFolder(state.releases)
                if let number = folder.current {
                    current = number
                    let manifest = try Integrity.manifest(
                        folder, number, keys.verifier(.releases), now / 1000)
                    for file in manifest.files { files[file.path] = ("\(state.releases)/\(number)", file) }
                }
            }
            if Files.exists(state.orders) {
                for (path, file) in try OrderFolder(state.orders).overlay(over: current, keys) {
                    files[path] = file.mode == 0 ? nil : ("\(state.orders)/files-\(current)", file)
                }
            }
            var plugins: [String: any Collector] = [:]
            for folder in OrderStatement.pluginFolders {
                let place = folder.split(separator: "/").map(String.init)
                for (path, found) in files.sorted(by: { $0.key < $1.key }) {
                    let components = path.components
                    guard components.dropLast().elementsEqual(place), let last = components.last,
                        let name = pluginName(String(last))
                    else { continue }
                    plugins[name] = Plugin(
                        name: name, root: found.root, file: found.file, settings: settings.forPlugins)
                }
            }
            return plugins.sorted { $0.key < $1.key }.map(\.value)
        } catch {
            log.error("no plugin of a release runs: \(error)")
            return []
        }
    }

    /// The name under which a file's result is reported: its own without the extension. Nothing for what lies beside
    /// plugins without being one.
    static func pluginName(_ file: String) -> String? {
        let name = String(file.prefix { $0 != "." })
        let suffix = file.dropFirst(name.count)
        guard ![".md", ".txt", ".pyc", ".json", ".yml"].contains(suffix), name != "README",
            name != "integrity", OrderStatement.Command.isName(name)
        else { return nil }
        return name
    }
}

extension AgentSettings {
    /// The settings that plugins may see, under the names of `agent.yml`. Nothing of them is a secret of the agent.
    var forPlugins: Document {
        [
            "server_url": .string(serverURL),
            "schedule": [
                "collect_interval": .int(collectInterval), "submit_interval": .int(submitInterval),
            ],
            "logging": ["level": .string(logLevel.rawValue)],
            "geolocation_api_key": collectorSettings["geolocation"]?.document?["key"] ?? .null,
        ]
    }
}
