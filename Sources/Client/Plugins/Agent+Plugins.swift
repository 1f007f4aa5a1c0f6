import Logging
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

extension Agent {
    /// The plugins of the local directory, of the release in use, and of the patches over it; of the same name, the later
    /// one counts. What cannot be verified does not run; the log says why, of releases the collector `integrity` as well.
    static func plugins(
        state: StateDirectory, settings: AgentSettings, log: Logger, now: Int64
    ) -> [any Collector] {
        var files: [RelativePath: (root: String, file: SignedFile)] = [:]
        do {
            let keys = try TrustedKeys(settings.trust, state: state, log: log)
            do {
                for file in try localPlugins(state, keys, now) { files[file.path] = (state.plugins, file) }
            } catch { log.error("no plugin of \(state.plugins) runs: \(error)") }
            var released: [RelativePath: (root: String, file: SignedFile)] = [:]
            var current = 0
            if Files.exists(state.releases) {
                let folder = try ReleaseFolder(state.releases)
                if let number = folder.current {
                    current = number
                    let manifest = try Integrity.manifest(
                        folder, number, keys.verifier(.releases), now / 1000)
                    for file in manifest.files { released[file.path] = ("\(state.releases)/\(number)", file) }
                }
            }
            if Files.exists(state.orders) {
                for (path, file) in try OrderFolder(state.orders).overlay(over: current, keys) {
                    released[path] = file.mode == 0 ? nil : ("\(state.orders)/files-\(current)", file)
                }
            }
            files.merge(released) { $1 }
        } catch { log.error("no plugin of a release runs: \(error)") }
        let tools = PluginTools(
            files.compactMap { PluginTools.isPart($0) ? $1 : nil },
            program: Files.realPath("/proc/self/exe") ?? "")
        var plugins: [String: any Collector] = [:]
        for folder in OrderStatement.pluginFolders {
            let place = folder.split(separator: "/").map(String.init)
            for (path, found) in files.sorted(by: { $0.key < $1.key }) {
                let components = path.components
                guard components.dropLast().elementsEqual(place), let last = components.last,
                    let name = pluginName(String(last))
                else { continue }
                plugins[name] = Plugin(
                    name: name, root: found.root, file: found.file, settings: settings.forPlugins,
                    tools: tools)
            }
        }
        return plugins.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The line of releases that a local directory of plugins belongs to: no release is one, and it is no release.
    static let localChannel = "plugins"

    /// The files of the local directory, as a key signed them that may sign patches.
    private static func localPlugins(
        _ state: StateDirectory, _ keys: TrustedKeys, _ now: Int64
    ) throws -> [SignedFile] {
        guard Files.exists(state.plugins) else { return [] }
        let manifest = try Integrity.manifest(
            SignedStatement(
                bytes: Files.read("\(state.plugins).manifest", limit: Manifest.sizeLimit, links: .refuse),
                signature: Files.read(
                    "\(state.plugins).manifest.sig", limit: OpenPGP.Verifier.sizeLimit, links: .refuse)),
            keys.verifier(.patches), now / 1000)
        guard manifest.channel == localChannel else {
            throw ReleaseError.notForUs(what: "channel", has: manifest.channel, wanted: localChannel)
        }
        return manifest.files
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
            "logging": ["level": .string(logging.level.rawValue)],
            "geolocation_api_key": collectorSettings["geolocation"]?.document?["key"] ?? .null,
        ]
    }
}
