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
        var memory: IntegrityMemory?
        return integrity(state: state, settings: settings, log: log, now: now, memory: &memory)
    }

    /// Looks at every file of the release in use, and hashes what is due.
    static func integrity(
        state: StateDirectory, settings: AgentSettings, log: Logger, now: Int64,
        memory: inout IntegrityMemory?
    ) -> Integrity {
        var result = Integrity()
        do {
            let keys = try TrustedKeys(settings.trust, state: state, log: log)
            if Files.exists(state.releases) {
                result = Integrity.check(
                    try ReleaseFolder(state.releases), keys.verifier(.releases), now: now / 1000,
                    memory: &memory)
            }
            if Files.exists(state.orders) {
                try result.checkPatches(OrderFolder(state.orders), keys)
            }
        } catch { result.problem = result.problem ?? "\(error)" }
        return result
    }
}

extension Integrity {
    /// Looks at every file that patches put over the release.
    mutating func checkPatches(_ folder: OrderFolder, _ keys: TrustedKeys) throws {
        let files = try folder.overlay(over: release ?? 0, keys).filter { $0.value.mode != 0 }
        let paths = files.keys.sorted()
        patched = paths.map(\.text)
        let name = "files-\(release ?? 0)"
        guard folder.directory.kind(name) != nil else {
            missing += patched.map { "\(name)/\($0)" }
            return
        }
        let root = try folder.directory.directory(name)
        for (path, file) in files.sorted(by: { $0.key < $1.key }) {
            switch Self.state(of: file, in: root) {
            case .good: break
            case .changed: changed.append("\(name)/\(path)")
            case .missing: missing.append("\(name)/\(path)")
            }
        }
        // A directory that a patch left empty is none of anybody's.
        extra += try Self.extra(in: root, beside: paths).filter { $0.utf8.last != UInt8(ascii: "/") }
            .map { "\(name)/\($0)" }
    }
}
