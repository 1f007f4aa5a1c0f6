import Yams

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
    public mutating func set(_ path: [String], to value: Node) throws(SettingsError) {
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
    public func value(_ path: [String]) throws(SettingsError) -> Node? {
        var node: Node? = try compose()
        for name in path { node = node?.mapping.flatMap { Self.entry(name, in: $0)?.value } }
        return node
    }

    // MARK: - Values

    private func compose() throws(SettingsError) -> Node {
        _ = try SettingsMapping(yaml: yaml, file: file)
        do {
            let node = try Yams.compose(yaml: yaml)
            guard let node, node.null == nil else { return Node([(Node, Node)]()) }
            return node
        } catch {
            throw SettingsError(file: file, line: nil, message: "not valid YAML")
        }
    }

    private func replacing(
        _ node: Node, _ path: ArraySlice<String>, with value: Node?
    ) throws(SettingsError) -> Node {
        guard let name = path.first else { return value ?? node }
        guard node.null != nil || node.mapping != nil else {
            throw SettingsError(
                file: file, line: node.mark?.line,
                message: "\(name) cannot be set inside something that is no mapping")
        }
        var pairs = node.mapping.map { $0.map { ($0.key, $0.value) } } ?? []
        let index = pairs.firstIndex { $0.0.scalar?.string == name }
        let isLast = path.count == 1
        if let index {
            if isLast, value == nil {
                pairs.remove(at: index)
            } else {
                pairs[index].1 = try replacing(pairs[index].1, path.dropFirst(), with: value)
            }
        } else if let value {
            let inner = try replacing(Node([(Node, Node)]()), path.dropFirst(), with: value)
            pairs.append((Self.plain(name), inner))
        }
        return Node(pairs)
    }

    /// A name as people write it: a number without quotation marks.
    private static func plain(_ name: String) -> Node {
        Node(name, Tag(.implicit))
    }

    private static func entry(_ name: String, in mapping: Node.Mapping) -> Node.Mapping.Element? {
        mapping.first { $0.key.scalar?.string == name }
    }

    // MARK: - Text

    /// The lines of one setting: from its name to the line before the next one.
    private struct Block {
        var lines: Range<Int>
        var indent: Int
    }

    private mutating func write(
        _ path: [String], _ value: Node?, in root: Node, expecting expected: Node
    ) throws(SettingsError) {
        var lines = yaml.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        // `null` or `~` in the place of a mapping.
        if root.mapping?.isEmpty == true, let node = try? Yams.compose(yaml: yaml), node.mapping == nil {
            lines = []
        }
        var mapping = root.mapping
        var end = lines.count
        var replaced: [Block] = []
        var depth = 0
        // Down to the innermost name whose value stands on lines of its own.
        while depth < path.count, let current = mapping, Self.standsOnLines(current, lines),
            let index = current.firstIndex(where: { $0.key.scalar?.string == path[depth] }),
            let mark = current[index].key.mark
        {
            let next = current.index(after: index)
            if next < current.endIndex, let following = current[next].key.mark { end = following.line - 1 }
            let block = Block(lines: mark.line - 1..<end, indent: mark.column - 1)
            replaced.append(trimmed(block, lines))
            // A mapping that loses its last name is written as an empty one: without names it would be nothing.
            if value == nil, depth + 1 == path.count, current.count == 1, depth > 0 {
                replaced.removeLast()
                break
            }
            mapping = current[index].value.mapping
            depth += 1
        }
        if value != nil, depth < path.count, let current = mapping,
            Self.standsOnLines(current, lines), let last = Array(current).last, let mark = last.key.mark
        {
            // A new name at the end of a mapping that stands on lines of its own.
            let indent = mark.column - 1
            let block = trimmed(Block(lines: mark.line - 1..<end, indent: indent), lines)
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
            if root.mapping?.isEmpty == false { lines = [] }
            for entry in expected.mapping ?? [:] {
                lines += try rendered([entry.key.scalar?.string ?? ""], in: expected, indent: 0)
            }
        }
        let text = lines.joined(separator: "\n") + "\n"
        let result = SettingsEditor(yaml: text, file: file)
        // Whatever the text looked like: it must now say what was asked for, and nothing else may have changed.
        guard let after = try? result.compose(), after == expected || Self.isEmpty(after, expected) else {
            throw SettingsError(
                file: file, line: nil,
                message:
                    "cannot be changed without losing something: set \(path.joined(separator: ":")) by hand")
        }
        yaml = text
    }

    /// Whether each name begins a line, so that it can be changed by changing lines.
    private static func standsOnLines(_ mapping: Node.Mapping, _ lines: [String]) -> Bool {
        mapping.allSatisfy { entry in
            guard let mark = entry.key.mark, lines.indices.contains(mark.line - 1) else { return false }
            return lines[mark.line - 1].prefix(mark.column - 1).allSatisfy { $0 == " " }
        }
    }

    /// The comment at the end of a line, with the blanks before it; a number sign in a text begins none.
    private static func comment(behind line: String) -> Range<String.Index>? {
        guard let sign = line.firstRange(of: " #"), let whole = try? Yams.compose(yaml: line),
            // Text in front of a comment says by itself what it says.
            let bare = try? Yams.compose(yaml: String(line[..<sign.lowerBound])), bare == whole
        else { return nil }
        let blanks = line[..<sign.lowerBound].reversed().prefix { $0 == " " }.count
        return line.index(sign.lowerBound, offsetBy: -blanks)..<line.endIndex
    }

    /// Two ways to write nothing.
    private static func isEmpty(_ left: Node, _ right: Node) -> Bool {
        left.mapping?.isEmpty == true && right.mapping?.isEmpty == true
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
        _ path: [String], in root: Node, indent: Int
    ) throws(SettingsError) -> [String] {
        var node: Node? = root
        for name in path { node = node?.mapping.flatMap { Self.entry(name, in: $0)?.value } }
        guard let node, let name = path.last else { return [] }
        do {
            let text = try Yams.serialize(node: Node([(Self.plain(name), node)]))
            return text.split(separator: "\n").map { String(repeating: " ", count: indent) + $0 }
        } catch {
            throw SettingsError(file: file, line: nil, message: "cannot be written as YAML: \(error)")
        }
    }
}
