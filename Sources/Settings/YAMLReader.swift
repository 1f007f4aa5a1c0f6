import CYAML

/// Reads one YAML document into a ``SettingsNode``, by libyaml's events.
///
/// Stricter than YAML: a name is plain text and stands once in its mapping, tags other than YAML's own are refused, and
/// what a file may cost is bounded, references to other places (`*name`) counted as often as they are used.
struct YAMLReader: ~Copyable {
    /// The longest text, in bytes.
    static let maximumSize = 4 << 20
    /// How deep mappings and lists may be nested.
    static let maximumDepth = 128
    /// The most values, those behind references counted each time.
    static let maximumNodes = 200_000

    private let file: String
    private let text: UnsafeBufferPointer<UInt8>
    // libyaml keeps pointers into it: it must not move.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private var anchors: [String: Anchor] = [:]
    private var count = 0

    private struct Anchor {
        let node: SettingsNode
        /// How many nodes it is, itself included, and how deep.
        let count: Int
        let depth: Int
    }

    /// The document of a text; `nil` where there is none.
    ///
    /// - Parameter file: how errors name it.
    static func node(of yaml: String, file: String) throws(SettingsError) -> SettingsNode? {
        let text = Array(yaml.utf8)
        guard text.count <= maximumSize else {
            throw SettingsError(file: file, line: nil, message: "has more than \(maximumSize >> 20) MiB")
        }
        var result: Result<SettingsNode?, SettingsError> = .success(nil)
        text.withUnsafeBufferPointer { bytes in
            do throws(SettingsError) {
                var reader = try YAMLReader(bytes, file: file)
                result = .success(try reader.document())
            } catch { result = .failure(error) }
        }
        return try result.get()
    }

    private init(_ text: UnsafeBufferPointer<UInt8>, file: String) throws(SettingsError) {
        self.file = file
        self.text = text
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            throw SettingsError(file: file, line: nil, message: "there is no memory to read it")
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    // MARK: - Structure

    private mutating func document() throws(SettingsError) -> SettingsNode? {
        _ = try next()
        guard case .other(YAML_DOCUMENT_START_EVENT) = try next().kind else { return nil }
        let node = try node(try next(), depth: 1)
        _ = try next()
        let last = try next()
        guard case .other(YAML_STREAM_END_EVENT) = last.kind else {
            throw error(last.place, "not valid YAML: there is a second document in it")
        }
        return node
    }

    private mutating func node(_ event: Event, depth: Int) throws(SettingsError) -> SettingsNode {
        guard depth <= Self.maximumDepth else {
            throw error(event.place, "nested more than \(Self.maximumDepth) deep")
        }
        let before = count
        try use(1, at: event.place)
        let content: SettingsNode.Content
        switch event.kind {
        case .scalar(let scalar): content = .scalar(scalar)
        case .alias(let name):
            guard let anchor = anchors[name] else {
                throw error(event.place, "not valid YAML: *\(name) refers to nothing before it")
            }
            guard depth + anchor.depth - 1 <= Self.maximumDepth else {
                throw error(event.place, "nested more than \(Self.maximumDepth) deep")
            }
            try use(anchor.count - 1, at: event.place)
            return anchor.node
        case .other(YAML_SEQUENCE_START_EVENT): content = .sequence(try elements(depth: depth + 1))
        case .other(YAML_MAPPING_START_EVENT): content = .mapping(try entries(depth: depth + 1))
        default: throw error(event.place, "not valid YAML")
        }
        let node = SettingsNode(content, place: event.place)
        // Known only once it is whole: nothing can contain itself.
        if let name = event.anchor {
            anchors[name] = Anchor(node: node, count: count - before, depth: Self.depth(of: node))
        }
        return node
    }

    private mutating func elements(depth: Int) throws(SettingsError) -> [SettingsNode] {
        var elements: [SettingsNode] = []
        while true {
            let event = try next()
            if case .other(YAML_SEQUENCE_END_EVENT) = event.kind { return elements }
            elements.append(try node(event, depth: depth))
        }
    }

    private mutating func entries(depth: Int) throws(SettingsError) -> [SettingsNode.Entry] {
        var entries: [SettingsNode.Entry] = []
        var names: Set<String> = []
        while true {
            let event = try next()
            if case .other(YAML_MAPPING_END_EVENT) = event.kind { return entries }
            guard let name = try node(event, depth: depth).text else {
                throw error(event.place, "a name must be plain text")
            }
            guard names.insert(name).inserted else { throw error(event.place, "set twice: \(name)") }
            entries.append(SettingsNode.Entry(name, try node(try next(), depth: depth), place: event.place))
        }
    }

    private mutating func use(_ nodes: Int, at place: SettingsPlace) throws(SettingsError) {
        count += nodes
        guard count <= Self.maximumNodes else {
            throw error(place, "has more than \(Self.maximumNodes) values, references counted")
        }
    }

    private static func depth(of node: SettingsNode) -> Int {
        switch node.content {
        case .scalar: 1
        case .sequence(let elements): 1 + (elements.map(depth).max() ?? 0)
        case .mapping(let entries): 1 + (entries.map { depth(of: $0.value) }.max() ?? 0)
        }
    }

    // MARK: - Events

    private struct Event {
        enum Kind {
            case scalar(SettingsScalar)
            case alias(String)
            case other(yaml_event_type_t)
        }

        let kind: Kind
        let anchor: String?
        let place: SettingsPlace
    }

    private func next() throws(SettingsError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
        defer { yaml_event_delete(&event) }
        let place = Self.place(event.start_mark)
        var anchor: UnsafeMutablePointer<yaml_char_t>?
        var tag: UnsafeMutablePointer<yaml_char_t>?
        var kind = Event.Kind.other(event.type)
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            anchor = scalar.anchor
            tag = scalar.tag
            let text = String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            // `!` and `!!str` say that it is text, as quotation marks do.
            let isText = tag.map { ["!", Self.tagPrefix + "str"].contains(Self.string($0)) } ?? false
            kind = .scalar(
                SettingsScalar(text, isQuoted: isText || scalar.style != YAML_PLAIN_SCALAR_STYLE))
        case YAML_ALIAS_EVENT:
            guard let name = event.data.alias.anchor else { break }
            kind = .alias(Self.string(name))
        case YAML_SEQUENCE_START_EVENT:
            anchor = event.data.sequence_start.anchor
            tag = event.data.sequence_start.tag
        case YAML_MAPPING_START_EVENT:
            anchor = event.data.mapping_start.anchor
            tag = event.data.mapping_start.tag
        default: break
        }
        if let tag = tag.map(Self.string), tag != "!",
            !(tag.hasPrefix(Self.tagPrefix)
                && Self.tags.contains(String(tag.dropFirst(Self.tagPrefix.count))))
        {
            throw error(place, "the tag \(tag) is not known: leave it out")
        }
        return Event(kind: kind, anchor: anchor.map(Self.string), place: place)
    }

    private static let tagPrefix = "tag:yaml.org,2002:"
    private static let tags: Set<String> = ["str", "int", "float", "bool", "null", "map", "seq"]

    private static func string(_ text: UnsafeMutablePointer<yaml_char_t>) -> String {
        String(cString: text)
    }

    private static func place(_ mark: yaml_mark_t) -> SettingsPlace {
        SettingsPlace(line: mark.line + 1, column: mark.column + 1)
    }

    // MARK: - Errors

    private func error(_ place: SettingsPlace, _ message: String) -> SettingsError {
        SettingsError(file: file, line: place.line, message: message)
    }

    /// What libyaml says is wrong.
    private func problem() -> SettingsError {
        let what = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
        // Bytes are read ahead of what is parsed, so that one that is no text has no mark, but a place among the bytes.
        let line =
            parser.pointee.error == YAML_READER_ERROR
            ? text.prefix(parser.pointee.problem_offset).count { $0 == UInt8(ascii: "\n") }
            : parser.pointee.problem_mark.line
        return SettingsError(file: file, line: line + 1, message: "not valid YAML: \(what)")
    }
}
