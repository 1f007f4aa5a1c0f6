import Glibc
import PDDocument
import PDFiles

/// Whether a program would do as a plugin: looks at the file, runs it twice as the agent would, and compares.
public enum PluginLint {
    /// What is wrong with it; lines for people, none where all is well.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - directory: an empty one that the plugin may have as its own.
    public static func problems(of path: String, directory: String) -> [String] {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        guard Files.exists(path) else { return ["there is no file \(path)"] }
        var problems: [String] = []
        let name = Agent.pluginName(file)
        if name == nil {
            problems.append("\(file) is not taken for a plugin: letters, digits, - and _, then an extension")
        }
        if access(path, X_OK) != 0 {
            return problems + ["it is not executable: chmod 755, and --mode 755 for a patch"]
        }
        if let start = try? Files.read(path, at: 0, count: 256), start.starts(with: Array("#!".utf8)) {
            let line = String(decoding: start.dropFirst(2).prefix { $0 != 10 }, as: UTF8.self)
            let interpreter = line.split(separator: " ").first.map(String.init) ?? ""
            if line.hasSuffix("\r") { problems.append("its first line ends in a carriage return") }
            if !Files.exists(interpreter) { problems.append("its interpreter \(interpreter) is not here") }
        }
        var values: [Value] = []
        for _ in 0..<2 {
            do throws(CommandError) {
                let output = try run(path, name ?? file, directory)
                guard output.returncode == 0 else { return problems + ["it failed: \(output.complaint)"] }
                guard let value = Plugin.value(output.stdout) else {
                    return problems + ["it did not write one JSON value"]
                }
                values.append(value)
            } catch { return problems + ["\(error)"] }
        }
        if withoutTimes(values[0]) != withoutTimes(values[1]) {
            problems.append(
                "its result changes from one run to the next; names that end in _at may: sort lists, leave counters out"
            )
        }
        for name in awkwardNames(values[0]).sorted() {
            problems.append(
                "\"\(name)\" is a name that no check can ask for: it has a dot in it or begins with $")
        }
        return problems
    }

    private static func run(_ path: String, _ name: String, _ directory: String) throws(CommandError)
        -> CommandOutput
    {
        let context = CollectorContext(machine: .this(), memory: CollectorMemory(directory: directory))
        return try ChildProcess(
            executable: path.hasPrefix("/") ? path : (Files.realPath(path) ?? path), arguments: [name],
            environment: Plugin.environment(
                name: name, context, settings: [:],
                tools: PluginTools(program: Files.realPath("/proc/self/exe") ?? "")),
            deadline: .now + .seconds(60), outputLimit: Plugin.outputLimit, directory: directory
        ).run()
    }

    /// The value without what is under names that end in `_at`, which the server does not compare.
    static func withoutTimes(_ value: Value) -> Value {
        switch value {
        case .document(let document):
            .document(Document(document.filter { !$0.0.hasSuffix("_at") }.map { ($0.0, withoutTimes($0.1)) }))
        case .array(let values): .array(values.map(withoutTimes))
        default: value
        }
    }

    private static func awkwardNames(_ value: Value) -> Set<String> {
        switch value {
        case .document(let document):
            document.reduce(into: []) { names, field in
                if field.0.contains(".") || field.0.hasPrefix("$") || field.0.isEmpty {
                    names.insert(field.0)
                }
                names.formUnion(awkwardNames(field.1))
            }
        case .array(let values): values.reduce(into: []) { $0.formUnion(awkwardNames($1)) }
        default: []
        }
    }
}
