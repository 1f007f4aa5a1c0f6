/// A file of `[sections]` with `key=value` lines, as display managers, KDE and dnf write them.
///
/// Comments begin with `#` or `;`. Names of keys keep their case. Of a key that stands twice in a section the last
/// counts. What stands before the first section is in the section with the empty name.
struct IniFile: Equatable {
    private var sections: [String: [String: String]] = [:]

    /// An empty file.
    init() {}

    /// Reads the text; a line that is neither is passed over.
    init(_ text: String) {
        var section = ""
        for line in text.split(whereSeparator: \.isNewline) {
            let line = trimmed(line)
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("[") {
                section = trimmed(line.dropFirst().prefix { $0 != "]" })
            } else if let equals = line.firstIndex(of: "=") {
                let value = trimmed(line[line.index(after: equals)...])
                sections[section, default: [:]][trimmed(line[..<equals])] = value
            }
        }
    }

    /// The value of a key in a section.
    subscript(section: String, key: String) -> String? { sections[section]?[key] }

    /// The names of the sections, sorted.
    var names: [String] { sections.keys.sorted() }

    /// Puts another file over this one: what it says counts.
    mutating func layer(_ other: IniFile) {
        for (section, keys) in other.sections {
            sections[section, default: [:]].merge(keys) { $1 }
        }
    }

    /// All files that are there, each over the ones before it. A directory stands for the files in it that end so, in
    /// the order of their names.
    static func layers(
        _ paths: [String], suffix: String = ".conf", _ machine: Machine
    ) throws -> (file: IniFile, read: [String]) {
        var result = IniFile()
        var read: [String] = []
        for path in paths {
            let names =
                path.hasSuffix("/") ? try machine.names(in: path).filter { $0.hasSuffix(suffix) } : [""]
            for name in names {
                guard let text = try machine.textIfPresent(path + name) else { continue }
                result.layer(IniFile(text))
                read.append(path + name)
            }
        }
        return (result, read)
    }

    /// What settings of this kind take for true.
    static func isTrue(_ value: String?) -> Bool {
        ["true", "1", "yes", "on"].contains((value ?? "").lowercased())
    }
}
