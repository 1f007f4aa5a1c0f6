/// A mapping of a YAML settings file, read name by name.
///
/// Each setting is asked for by its name and type. What nobody has asked for when ``finish()`` is called is a mistake of
/// the file, and is reported with the nearest name that would have been right: a mistyped setting must never be
/// silently without effect.
public struct SettingsMapping {
    /// The file, as errors name it.
    public let file: String
    /// Where in the file this mapping stands, names joined by `:`; empty at the top.
    public let path: String
    private var entries: [Entry]
    private var known: Set<String> = []

    private struct Entry {
        let name: String
        let line: Int?
        let node: SettingsNode
    }

    /// The mapping at the top of a file. An empty file is an empty mapping.
    ///
    /// - Parameters:
    ///   - yaml: the text.
    ///   - file: how errors name it.
    public init(yaml: String, file: String) throws(SettingsError) {
        try self.init(
            node: try YAMLReader.node(of: yaml, file: file), file: file, path: "", line: 1)
    }

    private init(node: SettingsNode?, file: String, path: String, line: Int?) throws(SettingsError) {
        self.file = file
        self.path = path
        guard let node, !node.isNull else {
            entries = []
            return
        }
        guard let found = node.entries else {
            let name = path.isEmpty ? "the file" : path
            throw SettingsError(
                file: file, line: node.line ?? line,
                message: "\(name) must be a mapping of names to values")
        }
        entries = found.map { Entry(name: $0.name, line: $0.place?.line, node: $0.value) }
    }

    // MARK: - Values

    /// Text, or nothing where the setting is absent or null. A number is taken as it is written.
    public mutating func string(_ name: String) throws(SettingsError) -> String? {
        guard let entry = entry(name) else { return nil }
        guard let text = entry.node.text else { throw wrong(entry, "text") }
        return text
    }

    /// A whole number within bounds, or nothing where the setting is absent or null.
    public mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(SettingsError) -> Int? {
        guard let entry = entry(name) else { return nil }
        guard let number = entry.node.scalar?.integer, range.contains(number) else {
            throw wrong(entry, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// True or false, or nothing where the setting is absent or null.
    public mutating func bool(_ name: String) throws(SettingsError) -> Bool? {
        guard let entry = entry(name) else { return nil }
        guard let flag = entry.node.scalar?.bool else { throw wrong(entry, "true or false") }
        return flag
    }

    /// One of a few words, in whatever case, or nothing where the setting is absent or null.
    public mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _: Choice.Type = Choice.self
    ) throws(SettingsError) -> Choice? {
        guard let entry = entry(name) else { return nil }
        guard let text = entry.node.text, let choice = Choice(rawValue: text.lowercased()) else {
            throw wrong(entry, "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }

    /// A list of texts, or one text that stands for a list of one. Empty where the setting is absent or null.
    public mutating func strings(_ name: String) throws(SettingsError) -> [String] {
        guard let entry = entry(name) else { return [] }
        if let text = entry.node.text { return [text] }
        let elements = entry.node.elements
        guard let texts = elements?.compactMap(\.text), texts.count == elements?.count else {
            throw wrong(entry, "a list of texts")
        }
        return texts
    }

    /// A mapping inside this one; an empty one where the setting is absent or null. Call its ``finish()`` too.
    public mutating func mapping(_ name: String) throws(SettingsError) -> SettingsMapping {
        let entry = entry(name)
        return try SettingsMapping(
            node: entry?.node, file: file, path: Self.join(path, name), line: entry?.line)
    }

    /// A list of mappings; empty where the setting is absent or null. Call the ``finish()`` of each.
    public mutating func mappings(_ name: String) throws(SettingsError) -> [SettingsMapping] {
        guard let entry = entry(name) else { return [] }
        guard let elements = entry.node.elements else { throw wrong(entry, "a list") }
        var result: [SettingsMapping] = []
        for (index, node) in elements.enumerated() {
            result.append(
                try SettingsMapping(
                    node: node, file: file, path: "\(Self.join(path, name))[\(index)]", line: node.line))
        }
        return result
    }

    /// The value as it was written, for settings that have a language of their own.
    public mutating func node(_ name: String) -> SettingsNode? {
        entry(name)?.node
    }

    /// All names, for mappings whose names are the user's own.
    public var names: [String] { entries.map(\.name) }

    /// Whether the setting is there, null aside.
    public func has(_ name: String) -> Bool {
        entries.contains { $0.name == name && !$0.node.isNull }
    }

    /// The line of the first value, at any depth, that is such a text: for mistakes that show only when it is used.
    public func line(whereText matches: (String) -> Bool) -> Int? {
        func line(of node: SettingsNode) -> Int? {
            switch node.content {
            case .scalar(let scalar): return matches(scalar.text) ? node.line : nil
            case .sequence(let elements):
                for element in elements { if let found = line(of: element) { return found } }
            case .mapping(let entries):
                for entry in entries { if let found = line(of: entry.value) { return found } }
            }
            return nil
        }
        for entry in entries {
            if let found = line(of: entry.node) { return found }
        }
        return nil
    }

    /// An error that names the setting's place.
    public func error(_ name: String, _ message: String) -> SettingsError {
        let line = entries.first { $0.name == name }?.line
        return SettingsError(file: file, line: line, message: "\(Self.join(path, name)) \(message)")
    }

    /// Declares that all settings that this program knows have been asked for.
    ///
    /// - Throws: ``SettingsError`` for the first name that nobody asked for.
    public func finish() throws(SettingsError) {
        for entry in entries where !known.contains(entry.name) {
            let full = Self.join(path, entry.name)
            let hint =
                Self.nearest(to: entry.name, among: known).map { ": did you mean \(Self.join(path, $0))?" }
                ?? ""
            throw SettingsError(file: file, line: entry.line, message: "\(full) is not a setting\(hint)")
        }
    }

    /// Takes from another mapping what this one does not say, in the mappings inside as well. Errors about it name this
    /// mapping's file.
    public mutating func fill(from defaults: SettingsMapping) {
        for entry in defaults.entries {
            guard let index = entries.firstIndex(where: { $0.name == entry.name }) else {
                entries.append(entry)
                continue
            }
            let own = entries[index]
            entries[index] = Entry(
                name: own.name, line: own.line, node: Self.filled(own.node, from: entry.node))
        }
    }

    private static func filled(_ own: SettingsNode, from defaults: SettingsNode) -> SettingsNode {
        if own.isNull { return defaults }
        guard var mine = own.entries, let theirs = defaults.entries else { return own }
        for entry in theirs {
            if let index = mine.firstIndex(where: { $0.name == entry.name }) {
                mine[index].value = filled(mine[index].value, from: entry.value)
            } else {
                mine.append(entry)
            }
        }
        return SettingsNode(.mapping(mine), place: own.place)
    }

    // MARK: - Inside

    private mutating func entry(_ name: String) -> Entry? {
        known.insert(name)
        return entries.first { $0.name == name && !$0.node.isNull }
    }

    private func wrong(_ entry: Entry, _ expected: String) -> SettingsError {
        SettingsError(
            file: file, line: entry.line, message: "\(Self.join(path, entry.name)) must be \(expected)")
    }

    private static func join(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : "\(path):\(name)"
    }

    /// The known name that takes the fewest edits, where a typing error is likely: at most a third of the letters.
    static func nearest(to name: String, among known: Set<String>) -> String? {
        let candidates = known.map { ($0, distance(Array(name.lowercased()), Array($0.lowercased()))) }
        let best = candidates.min { ($0.1, $0.0) < ($1.1, $1.0) }
        guard let best, best.1 <= max(1, max(name.count, best.0.count) / 3) else { return nil }
        return best.0
    }

    /// How many letters must be inserted, left out, replaced or swapped with their neighbour (optimal string alignment).
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var rows = [Array(0...right.count)]
        for i in left.indices {
            var row = [i + 1]
            for j in right.indices {
                var best = min(rows[i][j] + (left[i] == right[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
