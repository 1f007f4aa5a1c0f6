/// A value of a YAML file, with the place where it stands.
///
/// Two nodes are equal where they say the same, wherever they stand and however they are quoted.
public struct SettingsNode: Sendable, Equatable {
    /// What a node is.
    public enum Content: Sendable, Equatable {
        /// Text, a number, a word.
        case scalar(SettingsScalar)
        /// A list.
        case sequence([SettingsNode])
        /// Values by their names, in the order of the file; no name is there twice.
        case mapping([Entry])
    }

    /// A named value of a mapping.
    public struct Entry: Sendable, Equatable {
        /// The name, as text: `80` and `"80"` are the same name.
        public let name: String
        /// Where the name stands; `nil` in a node that no file has.
        public let place: SettingsPlace?
        /// The value.
        public var value: SettingsNode

        /// A named value.
        public init(_ name: String, _ value: SettingsNode, place: SettingsPlace? = nil) {
            self.name = name
            self.place = place
            self.value = value
        }

        /// Whether name and value are the same, wherever they stand.
        public static func == (left: Entry, right: Entry) -> Bool {
            left.name == right.name && left.value == right.value
        }
    }

    /// What this node is.
    public let content: Content
    /// Where it stands; `nil` in a node that no file has.
    public let place: SettingsPlace?

    /// A node.
    public init(_ content: Content, place: SettingsPlace? = nil) {
        self.content = content
        self.place = place
    }

    /// Whether both say the same, wherever they stand.
    public static func == (left: SettingsNode, right: SettingsNode) -> Bool { left.content == right.content }

    // MARK: - Made by programs

    /// Text, which every reader of YAML takes for text.
    public static func text(_ text: String) -> SettingsNode { SettingsNode(.scalar(SettingsScalar(text))) }

    /// `true` or `false`.
    public static func flag(_ value: Bool) -> SettingsNode {
        SettingsNode(.scalar(SettingsScalar(value ? "true" : "false", isQuoted: false)))
    }

    /// A whole number.
    public static func number(_ value: Int) -> SettingsNode {
        SettingsNode(.scalar(SettingsScalar("\(value)", isQuoted: false)))
    }

    /// A list.
    public static func list(_ elements: [SettingsNode]) -> SettingsNode { SettingsNode(.sequence(elements)) }

    /// Values by their names, each of which must be there once.
    public static func mapping(_ entries: [(String, SettingsNode)]) -> SettingsNode {
        SettingsNode(.mapping(entries.map { Entry($0.0, $0.1) }))
    }

    // MARK: - Parts

    /// The line, counted from 1.
    public var line: Int? { place?.line }

    /// The scalar, where it is one.
    public var scalar: SettingsScalar? {
        guard case .scalar(let scalar) = content else { return nil }
        return scalar
    }

    /// The text of a scalar, a number as it is written.
    public var text: String? { scalar?.text }

    /// The elements, where it is a list.
    public var elements: [SettingsNode]? {
        guard case .sequence(let elements) = content else { return nil }
        return elements
    }

    /// The named values, where it is a mapping.
    public var entries: [Entry]? {
        guard case .mapping(let entries) = content else { return nil }
        return entries
    }

    /// The value of that name, where it is a mapping that has it.
    public subscript(name: String) -> SettingsNode? { entries?.first { $0.name == name }?.value }

    /// Whether it says that there is nothing: `null`, `~`, or not a word.
    public var isNull: Bool { scalar?.isNull ?? false }
}

/// A place in a YAML file.
public struct SettingsPlace: Sendable, Equatable {
    /// The line, counted from 1.
    public let line: Int
    /// The character (Unicode scalar) in the line, counted from 1.
    public let column: Int

    /// A place.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}
