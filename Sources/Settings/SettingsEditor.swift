/// Changes single settings of a YAML file and leaves the rest of its text as it is, comments included.
///
/// What is replaced is the smallest part that stands on lines of its own. A part that is written in braces on one line
/// is written anew as a whole.
public struct SettingsEditor {
    /// The file, as errors name it.
    public let file: String
    /// The text as it stands now.
    public private(set) var yaml: String

    /// An editor of that text.
    ///
    /// - Parameters:
    ///   - yaml: the text.
    ///   - file: how errors name it.
    public init(yaml: String, file: String) {
        // Lines end with LF from here on: CR LF is one character, at which no line would be found to end.
        self.yaml = yaml.replacing("\r\n", with: "\n")
        self.file = file
    }

    /// Sets the value at a path of names; the mappings above it are made where they are missing.
    ///
    /// - Throws: ``SettingsError`` where the text is not YAML, or something else than a mapping is in the way.
    public mutating func set(_ path: [String], to value: SettingsNode) throws(SettingsError) {
        guard !path.isEmpty else { return }
        let before = try compose()
        let after = try replacing(before, path[...], with: value)
        try write(path, value, in: before, expecting: after)
    }

    /// Takes away what is at a path; nothing happens where nothing is there.
    public mutating func remove(_ path: [String]) throws(SettingsError) {
        guard !path.isEmpty else { return }
        let before = try compose()
        let after = try replacing(before, path[...], with: nil)
        guard after != before else { return }
        try write(path, nil, in: before, expecting: after)
    }

    /// The value at a path of names, or nothing.
    public func value(_ path: [String]) throws(SettingsError) -> SettingsNode? {
        var node: SettingsNode? = try compose()
        for name in path { node = node?[name] }
        return node
    }

    // MARK: - Values

    private func compose() throws(SettingsError) -> SettingsNode {
        // That it is a mapping is checked with the words of every settings file.
        _ = try SettingsMapping(yaml: yaml, file: file)
        guard let node = try YAMLReader.node(of: yaml, file: file), !node.isNull else { return .mapping([]) }
        return node
    }

    private func replacing(
        _ node: SettingsNode, _ path: ArraySlice<String>, with value: SettingsNode?
    ) throws(SettingsError) -> SettingsNode {
        guard let name = path.first else { return value ?? node }
        guard var entries = node.isNull ? [] : node.entries else {
            throw SettingsError(
                file: file, line: node.line,
                message: "\(name) cannot be set inside something that is no mapping")
        }
        if let index = entries.firstIndex(where: { $0.name == name }) {
            if path.count == 1, value == nil {
                entries.remove(at: index)
            } else {
                entries[index].value = try replacing(entries[index].value, path.dropFirst(), with: value)
            }
        } else if let value {
            entries.append(.init(name, try replacing(.mapping([]), path.dropFirst(), with: value)))
        }
        return SettingsNode(.mapping(entries))
    }

    // MARK: - Text

    /// The lines of one setting: from its name to the line before the next one.
    private struct Block {
        var lines: Range<Int>
        var indent: Int
    }

    private mutating func write(
        _ path: [String], _ value: SettingsNode?, in root: SettingsNode, expecting expected: SettingsNode
    ) throws(SettingsError) {
        var lines = yaml.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        // `null` or `~` in the place of a mapping.
        if root.entries?.isEmpty == true, let node = try YAMLReader.node(of: yaml, file: file),
            node.entries == nil
        {
            lines = []
        }
        var mapping = root.entries
        var end = lines.count
        var replaced: [Block] = []
        var depth = 0
        // Down to the innermost name whose value stands on lines of its own.
        while depth < path.count, let current = mapping, Self.standsOnLines(current, lines),
            let index = current.firstIndex(where: { $0.name == path[depth] }),
            let place = current[index].place
        {
            if let following = current[(index + 1)...].first?.place { end = following.line - 1 }
            let block = Block(lines: place.line - 1..<end, indent: place.column - 1)
            replaced.append(trimmed(block, lines))
            // A mapping that loses its last name is written as an empty one: without names it would be nothing.
            if value == nil, depth + 1 == path.count, current.count == 1, depth > 0 {
                replaced.removeLast()
                break
            }
            mapping = current[index].value.entries
            depth += 1
        }
        if value != nil, depth < path.count, let current = mapping,
            Self.standsOnLines(current, lines), let place = current.last?.place
        {
            // A new name at the end of a mapping that stands on lines of its own.
            let indent = place.column - 1
            let block = trimmed(Block(lines: place.line - 1..<end, indent: indent), lines)
            let text = try rendered(Array(path[...depth]), in: expected, indent: indent)
            lines.insert(contentsOf: text, at: block.lines.upperBound)
        } else if let replaced = replaced.last {
            // The last mapping that was walked through is written anew, or goes away with its last name.
            let name = Array(path[..<depth])
            var text = try rendered(name, in: expected, indent: replaced.indent)
            let line = lines[replaced.lines.lowerBound]
            // Behind the first line of a longer text it would be a part of that.
            if let comment = Self.comment(behind: line), text.count == 1 || text.first?.hasSuffix(":") == true
            {
                text[0] += line[comment]
            }
            lines.replaceSubrange(replaced.lines, with: text)
        } else {
            // A file without a single setting, or in braces.
            if root.entries?.isEmpty == false { lines = [] }
            for entry in expected.entries ?? [] {
                lines += try rendered([entry.name], in: expected, indent: 0)
            }
        }
        let text = lines.joined(separator: "\n") + "\n"
        let result = SettingsEditor(yaml: text, file: file)
        // Whatever the text looked like: it must now say what was asked for, and nothing else may have changed.
        guard let after = try? result.compose(), after == expected else {
            throw SettingsError(
                file: file, line: nil,
                message:
                    "cannot be changed without losing something: set \(path.joined(separator: ":")) by hand")
        }
        yaml = text
    }

    /// Whether each name begins a line, so that it can be changed by changing lines.
    private static func standsOnLines(_ mapping: [SettingsNode.Entry], _ lines: [String]) -> Bool {
        mapping.allSatisfy { entry in
            guard let place = entry.place, lines.indices.contains(place.line - 1) else { return false }
            return lines[place.line - 1].prefix(place.column - 1).allSatisfy { $0 == " " }
        }
    }

    /// The comment at the end of a line, with the blanks before it; a number sign in a text begins none.
    private static func comment(behind line: String) -> Range<String.Index>? {
        guard let sign = line.firstRange(of: " #"), let whole = try? YAMLReader.node(of: line, file: ""),
            // Text in front of a comment says by itself what it says.
            let bare = try? YAMLReader.node(of: String(line[..<sign.lowerBound]), file: ""), bare == whole
        else { return nil }
        let blanks = line[..<sign.lowerBound].reversed().prefix { $0 == " " }.count
        return line.index(sign.lowerBound, offsetBy: -blanks)..<line.endIndex
    }

    /// Comments and blank lines before the next name belong to that.
    private func trimmed(_ block: Block, _ lines: [String]) -> Block {
        var block = block
        while block.lines.count > 1, let last = block.lines.last {
            let text = lines[last].drop { $0 == " " }
            let isInside =
                text.startIndex != lines[last].startIndex
                && lines[last].prefix { $0 == " " }.count > block.indent
            guard text.isEmpty || text.hasPrefix("#") && !isInside else { break }
            block.lines = block.lines.dropLast()
        }
        return block
    }

    /// The lines of one name with its value; none where it is not there any more.
    private func rendered(
        _ path: [String], in root: SettingsNode, indent: Int
    ) throws(SettingsError) -> [String] {
        var node: SettingsNode? = root
        for name in path { node = node?[name] }
        guard let node, let name = path.last else { return [] }
        do {
            let text = try YAMLWriter.yaml(.mapping([(name, node)]))
            return text.split(separator: "\n").map { String(repeating: " ", count: indent) + $0 }
        } catch {
            throw SettingsError(file: file, line: nil, message: "cannot be written as YAML: \(error)")
        }
    }
}
