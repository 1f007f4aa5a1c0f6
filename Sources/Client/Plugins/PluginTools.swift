import PDFiles
import PDProtocol
import Synchronization

/// What plugins find to help them: the program `pd-plugin`, and the package of Python.
///
/// They come with a release, or with the agent: beside its program, and below `../share/penguindome` of it.
final class PluginTools: Sendable {
    /// Where they lie in a release.
    private static let program = "bin/pd-plugin"
    private static let package = ["plugins/python/penguindome/", "penguindome/"]

    /// The path of `pd-plugin`; nothing where it is not installed.
    let program: String?
    /// Directories in which Python looks for the package, the first one first.
    let python: [String]
    private let signed: [(root: String, file: SignedFile)]
    private let problem = Mutex<String??>(nil)

    /// - Parameters:
    ///   - signed: those of a release.
    ///   - program: the path of the agent's own program.
    init(_ signed: [(root: String, file: SignedFile)] = [], program: String) {
        let folder = program.lastIndex(of: "/").map { String(program[..<$0]) } ?? ""
        let released = signed.first { $0.file.path.text == Self.program }
        self.signed = signed
        self.program =
            released.map { "\($0.root)/\($0.file.path)" }
            ?? ([folder] + Machine.searchPath).map { "\($0)/pd-plugin" }.first { Files.exists($0) }
        python =
            Self.package.compactMap { place in
                signed.first { $0.file.path.text == "\(place)__init__.py" }.map {
                    "\($0.root)/\(place.dropLast("penguindome/".count))"
                }
            }
            + ["\(folder)/python", "\(folder)/../share/penguindome/python", "/usr/share/penguindome/python"]
            .filter { Files.exists("\($0)/penguindome/__init__.py") }
    }

    /// Whether a file of a release is one of them.
    static func isPart(_ path: RelativePath) -> Bool {
        path.text == program || package.contains { path.text.hasPrefix($0) }
    }

    /// What keeps those of a release from being used: they are not as they were signed. Looked at once.
    func tampering() -> String? {
        problem.withLock { known in
            if let known { return known }
            let changed = signed.first { root, file in
                // What cannot be looked at is not as it was signed.
                (try? Integrity.state(of: file, in: OpenDirectory(root))) != .good
            }
            let found = changed.map { "\($0.file.path), which plugins use, is not as it was signed" }
            known = .some(found)
            return found
        }
    }

    /// What tells a plugin of them: `PENGUINDOME_PLUGIN_TOOL`, the path of `pd-plugin` (absent where it is not
    /// installed); `PATH` with its directory last; `PYTHONPATH`.
    var environment: [String] {
        let folder = program.flatMap { path in path.lastIndex(of: "/").map { String(path[..<$0]) } }
        let path = Machine.searchPath + [folder].compactMap { $0 }.filter { !Machine.searchPath.contains($0) }
        return ["PATH=" + path.joined(separator: ":"), "PYTHONPATH=" + python.joined(separator: ":")]
            + (program.map { ["PENGUINDOME_PLUGIN_TOOL=\($0)"] } ?? [])
    }
}
