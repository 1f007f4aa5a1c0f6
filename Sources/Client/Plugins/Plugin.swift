import PDDocument
import PDFiles
import PDProtocol

/// A collector of one's own: a program in any language that writes one JSON value to standard output.
///
/// It runs only if it is, at this moment, what a trusted key signed. Its environment is ``environment(_:)`` and nothing
/// else; it starts in its own directory, which is its home as well.
struct Plugin: Collector {
    let name: String
    /// The directory that the file's path starts at.
    let root: String
    let file: SignedFile
    /// What `pd-plugin setting` may show: the agent's settings that concern collectors.
    var settings: Document = [:]
    var tools: PluginTools

    /// The most of the end of each output of a plugin that failed that is reported, in bytes.
    static let reportedOutput = 8192
    /// The most that a plugin may write to each of its outputs, in bytes.
    static let outputLimit = 8 << 20

    func collect(_ context: CollectorContext) throws -> Value {
        guard file.mode & 0o100 != 0 else {
            return Self.failure("\(file.path) is not executable: sign it with mode 755", nil)
        }
        guard try Integrity.state(of: file, in: OpenDirectory(root)) == .good else {
            return Self.failure("\(file.path) is not as it was signed; it was not run", nil)
        }
        if let problem = tools.tampering() { return Self.failure("\(problem); it was not run", nil) }
        let directory = context.memory.directory
        if let directory { try Files.makePrivateDirectory(directory) }
        let output: CommandOutput
        do throws(CommandError) {
            output = try ChildProcess(
                executable: "\(root)/\(file.path)", arguments: [name],
                environment: environment(context), deadline: context.machine.deadline,
                outputLimit: Self.outputLimit, directory: directory
            ).run()
        } catch { return Self.failure("\(error)", error.output) }
        guard output.returncode == 0 else {
            return Self.failure("\(file.path): \(output.complaint)", output)
        }
        guard let value = Self.value(output.stdout) else {
            return Self.failure("\(file.path) did not write one JSON value", output)
        }
        return value
    }

    /// The one JSON value in the output; times under names that end in `_at` are read as such.
    static func value(_ output: [UInt8]) -> Value? {
        let text = Array("{\"value\":".utf8) + output + Array("}".utf8)
        guard let document = try? Document(json: text, timestamps: .atSuffix), document.keys == ["value"]
        else {
            return nil
        }
        return document["value"]
    }

    func environment(_ context: CollectorContext) -> [String] {
        Self.environment(name: name, context, settings: settings, tools: tools)
    }

    /// - `PENGUINDOME_PLUGIN`: its name. `PENGUINDOME_VAR_DIR`, `HOME`: its own directory, which stays.
    /// - `PENGUINDOME_SETTINGS`: the agent's settings as JSON, with the plugin's own under `plugin`.
    /// - `PENGUINDOME_READ_ONLY`: there where this run is only to be looked at, and nothing is to be kept.
    /// - ``PluginTools/environment``.
    static func environment(
        name: String, _ context: CollectorContext, settings: Document, tools: PluginTools
    ) -> [String] {
        let settings = settings.setting("plugin", to: .document(context.settings))
        var environment =
            tools.environment + [
                "LC_ALL=C", "PENGUINDOME_PLUGIN=\(name)", "PENGUINDOME_SETTINGS=\(settings.json())",
                "PYTHONDONTWRITEBYTECODE=1",
            ]
        if let directory = context.memory.directory {
            environment += ["HOME=\(directory)", "PENGUINDOME_VAR_DIR=\(directory)"]
        }
        if !context.memory.isWritable { environment.append("PENGUINDOME_READ_ONLY=1") }
        return environment
    }

    /// What is reported of a plugin that failed: the end of what it wrote tells why.
    private static func failure(_ reason: String, _ output: CommandOutput?) -> Value {
        let end = { (bytes: [UInt8]?) in
            Value.string(String(decoding: (bytes ?? []).suffix(reportedOutput), as: UTF8.self))
        }
        return [
            "status": "unknown", "reason": .string(reason), "stdout": end(output?.stdout),
            "stderr": end(output?.stderr), "returncode": .int(Int(output?.returncode ?? 1)),
        ]
    }
}
