/// What a query asks, as a tree of tests.
indirect enum Condition<Leaf: Sendable>: Sendable {
    /// All of them; true where there are none.
    case all([Condition])
    /// At least one; false where there are none.
    case any([Condition])
    /// The opposite.
    case not(Condition)
    case test(Leaf)

    func holds(_ check: (Leaf) throws(PatternError) -> Bool) throws(PatternError) -> Bool {
        switch self {
        case .all(let parts):
            for part in parts where try !part.holds(check) { return false }
            return true
        case .any(let parts):
            for part in parts where try part.holds(check) { return true }
            return false
        case .not(let part): return try !part.holds(check)
        case .test(let leaf): return try check(leaf)
        }
    }

    func map<Other>(_ transform: (Leaf) -> Other) -> Condition<Other> {
        switch self {
        case .all(let parts): .all(parts.map { $0.map(transform) })
        case .any(let parts): .any(parts.map { $0.map(transform) })
        case .not(let part): .not(part.map(transform))
        case .test(let leaf): .test(transform(leaf))
        }
    }
}

/// A test on what a path leads to.
struct FieldTest: Sendable {
    /// The path, by its index among the query's paths.
    let path: Int
    let test: Test
}

/// A test on one value.
indirect enum Test: Sendable {
    case compare(Operator, Literal)
    case isIn([Literal], [Pattern])
    case exists
    case type(TypeSet)
    case matches(Pattern)
    case size(Int)
    /// A list with a document that fulfils the filter.
    case hasDocument(Filter)
    /// A list with an element that fulfils the condition.
    case hasElement(Condition<Test>)

    enum Operator: Sendable {
        case equal, less, lessOrEqual, greater, greaterOrEqual
    }

    /// Whether a path that ends at a list also stands for each element of it.
    var looksIntoLists: Bool {
        switch self {
        case .size, .hasDocument, .hasElement: false
        default: true
        }
    }
}

/// A condition with the paths that it looks at.
struct Filter: Sendable {
    let condition: Condition<FieldTest>
    let paths: PathTable

    func matches(_ document: UnsafeRawBufferPointer) throws(PatternError) -> Bool {
        try paths.withValues(of: document) { (values) throws(PatternError) in
            try values.fulfil(condition, firstPath: 0)
        }
    }
}

/// A value that a query compares with.
struct Literal: Sendable {
    let type: UInt8
    let bytes: [UInt8]

    @inline(__always)
    func withElement<Result>(_ body: (Element) -> Result) -> Result {
        bytes.withUnsafeBytes { body(Element(type: type, bytes: $0)) }
    }
}

/// A set of BSON types.
struct TypeSet: Sendable {
    private var bits: UInt64 = 0

    mutating func insert(_ type: UInt8) { bits |= Self.bit(type) }

    /// A missing value has no type.
    func contains(_ type: UInt8) -> Bool { type != 0 && bits & Self.bit(type) != 0 }

    /// The types are 1 to 19, 127 and 255.
    private static func bit(_ type: UInt8) -> UInt64 { 1 << UInt64(type == 255 ? 62 : type & 63) }
}
