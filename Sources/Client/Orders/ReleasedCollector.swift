import Logging
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

/// A collector that a release or a patch brought: a program in `collectors/` that writes one JSON value.
///
/// It runs only if it is, at this moment, what a trusted key signed.
struct ReleasedCollector: Collector {
    /// Why it did not run.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    let name: String
    /// The directory that the file's path starts at.
    let root: String
    let file: SignedFile

    func collect(_ context: CollectorContext) throws -> Value {
        guard try Integrity.state(of: file, in: OpenDirectory(root)) == .good else {
            throw Refusal(description: "\(file.path) is not as it was signed; it was not run")
        }
        let output = try ChildProcess(
            executable: "\(root)/\(file.path)", arguments: [name],
            environment: ["LC_ALL=C", "PATH=" + Machine.searchPath.joined(separator: ":")],
            deadline: context.machine.deadline, outputLimit: Machine.outputLimit
        ).run()
        guard output.returncode == 0 else { throw Refusal(description: "\(file.path): \(output.complaint)") }
        let text = Array("{\"value\":".utf8) + output.stdout + Array("}".utf8)
        guard let document = try? Document(json: text, timestamps: .atSuffix), document.keys == ["value"],
            let value = document["value"]
        else { throw Refusal(description: "\(file.path) did not write one JSON value") }
        return value
    }
}

extension Agent {
    /// The collectors of the release in use and of the patches over it, beside the built-in ones. Where nothing can be
    /// verified there are none; the collector `integrity` says why.
    static func releasedCollectors(
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
            let builtIn = Set(BuiltInCollectors.all.map(\.name) + ["integrity"])
            var collectors: [String: any Collector] = [:]
            for (path, found) in files.sorted(by: { $0.key < $1.key }) {
                let components = path.components
                guard components.count == 2, components[0] == "collectors", found.file.mode & 0o100 != 0
                else {
                    continue
                }
                let name = String(components[1].prefix { $0 != "." })
                guard OrderStatement.Command.isName(name), !builtIn.contains(name) else { continue }
                collectors[name] = ReleasedCollector(name: name, root: found.root, file: found.file)
            }
            return collectors.sorted { $0.key < $1.key }.map(\.value)
        } catch {
            log.error("no collector of a release runs: \(error)")
            return []
        }
    }

    /// Keeps what the last update came to, to be reported as part of `integrity`.
    ///
    /// - Parameter problem: why there is no newer release; nothing after an update that went well.
    public func noteUpdate(problem: String?) throws(FileError) {
        try Files.makePrivateDirectory(state.releases)
        let document: Document = ["update": problem.map(Value.string) ?? .null]
        try Files.writeAtomically(Array(document.json().utf8), to: "\(state.releases)/problem.json")
    }
}
