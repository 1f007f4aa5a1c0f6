import PDDocument

/// Turns a query into a tree of tests. Recursion is bounded by ``Document/maximumDepth``.
struct QueryParser {
    private typealias Place = [QueryError.Step]
    private var paths: [Path] = []
    /// By bytes, as names of fields are.
    private var pathIndices: [[UInt8]: Int] = [:]

    static func filter(_ document: Document, at place: [QueryError.Step]) throws(QueryError) -> Filter {
        var parser = QueryParser()
        let condition = try parser.fields(of: document, at: place)
        return Filter(condition: condition, paths: PathTable(parser.paths))
    }

    // MARK: Fields

    private mutating func fields(
        of document: Document, at place: Place
    ) throws(QueryError) -> Condition<FieldTest> {
        var parts: [Condition<FieldTest>] = []
        for (name, value) in document {
            let place = place + [.name(name)]
            switch name {
            case "$and": parts.append(.all(try branches(name, value, at: place)))
            case "$or": parts.append(.any(try branches(name, value, at: place)))
            case "$nor": parts.append(.not(.any(try branches(name, value, at: place))))
            case _ where name.hasPrefix("$"):
                throw QueryError(
                    Self.operators.contains(name) ? .misplacedOperator(name) : .unknownOperator(name),
                    at: place)
            default:
                let path = try path(name, at: place)
                parts.append(try Self.predicate(value, at: place).map { FieldTest(path: path, test: $0) })
            }
        }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func branches(
        _ name: String, _ value: Value, at place: Place
    ) throws(QueryError) -> [Condition<FieldTest>] {
        guard let values = value.array, !values.isEmpty else {
            throw QueryError(.badOperand(name, expected: "a list of queries"), at: place)
        }
        var parts: [Condition<FieldTest>] = []
        for (index, value) in values.enumerated() {
            let place = place + [.index(index)]
            guard let document = value.document else {
                throw QueryError(.badOperand(name, expected: "a list of queries"), at: place)
            }
            parts.append(try fields(of: document, at: place))
        }
        return parts
    }

    private mutating func path(_ text: String, at place: Place) throws(QueryError) -> Int {
        let name = Array(text.utf8)
        if let index = pathIndices[name] { return index }
        let path = Path(text)
        guard path.steps.count <= Query.maximumPathSteps else { throw QueryError(.pathTooLong, at: place) }
        pathIndices[name] = paths.count
        paths.append(path)
        return paths.count - 1
    }

    // MARK: Operators

    /// All operators that stand under a field.
    private static let operators: Set = [
        "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$not", "$exists", "$type", "$size",
        "$all",
        "$elemMatch", "$regex", "$options",
    ]

    /// What stands under a field: operators, or a value to be equal to.
    private static func predicate(_ value: Value, at place: Place) throws(QueryError) -> Condition<Test> {
        switch value {
        case .document(let document) where document.contains { $0.key.hasPrefix("$") }:
            return try operators(document, at: place)
        case .regex(let pattern, let options): return try regex(pattern, options, at: place)
        default: return .test(.compare(.equal, try literal(value, at: place)))
        }
    }

    private static func operators(_ document: Document, at place: Place) throws(QueryError) -> Condition<Test>
    {
        var parts: [Condition<Test>] = []
        for (name, value) in document {
            let place = place + [.name(name)]
            guard name.hasPrefix("$") else { throw QueryError(.mixed(field: name), at: place) }
            if let part = try condition(name, value, beside: document, at: place) { parts.append(part) }
        }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    /// The meaning of one operator; nothing for one that only belongs to another.
    private static func condition(
        _ name: String, _ value: Value, beside document: Document, at place: Place
    ) throws(QueryError) -> Condition<Test>? {
        switch name {
        case "$eq": return .test(.compare(.equal, try literal(value, at: place)))
        case "$ne": return .not(.test(.compare(.equal, try literal(value, at: place))))
        case "$gt": return .test(.compare(.greater, try literal(value, at: place)))
        case "$gte": return .test(.compare(.greaterOrEqual, try literal(value, at: place)))
        case "$lt": return .test(.compare(.less, try literal(value, at: place)))
        case "$lte": return .test(.compare(.lessOrEqual, try literal(value, at: place)))
        case "$in": return .test(try isIn(name, value, at: place))
        case "$nin": return .not(.test(try isIn(name, value, at: place)))
        case "$not":
            if case .regex(let pattern, let options) = value {
                return .not(try regex(pattern, options, at: place))
            }
            guard let inner = value.document, !inner.isEmpty else {
                throw QueryError(.badOperand(name, expected: "operators"), at: place)
            }
            return .not(try operators(inner, at: place))
        case "$exists":
            let flag = value.bool ?? value.integer.map { $0 != 0 }
            guard let flag else { throw QueryError(.badOperand(name, expected: "true or false"), at: place) }
            return flag ? .test(.exists) : .not(.test(.exists))
        case "$type": return .test(.type(try types(value, at: place)))
        case "$size":
            guard let size = wholeNumber(value), size >= 0 else {
                throw QueryError(
                    .badOperand(name, expected: "a whole number that is not negative"), at: place)
            }
            return .test(.size(size))
        case "$all": return try all(value, at: place)
        case "$elemMatch": return .test(try elementMatch(value, at: place))
        case "$regex":
            if case .regex(let pattern, let options) = value {
                return try regex(pattern, try self.options(document) ?? options, at: place)
            }
            guard let pattern = value.string else {
                throw QueryError(.badOperand(name, expected: "text"), at: place)
            }
            return try regex(pattern, try options(document) ?? "", at: place)
        case "$options":
            guard document["$regex"] != nil else { throw QueryError(.optionsWithoutPattern, at: place) }
            guard value.string != nil else {
                throw QueryError(.badOperand(name, expected: "text"), at: place)
            }
            return nil
        case "$and", "$or", "$nor": throw QueryError(.misplacedOperator(name), at: place)
        default: throw QueryError(.unknownOperator(name), at: place)
        }
    }

    private static func isIn(_ name: String, _ value: Value, at place: Place) throws(QueryError) -> Test {
        guard let values = value.array else {
            throw QueryError(.badOperand(name, expected: "a list of values"), at: place)
        }
        var literals: [Literal] = []
        var patterns: [Pattern] = []
        for (index, value) in values.enumerated() {
            let place = place + [.index(index)]
            if case .regex(let pattern, let options) = value {
                patterns.append(try self.pattern(pattern, options, at: place))
            } else {
                literals.append(try literal(value, at: place))
            }
        }
        return .isIn(literals, patterns)
    }

    private static func all(_ value: Value, at place: Place) throws(QueryError) -> Condition<Test> {
        guard let values = value.array else {
            throw QueryError(.badOperand("$all", expected: "a list of values"), at: place)
        }
        guard !values.isEmpty else { return .any([]) }
        let matches = values.filter { $0.document?["$elemMatch"] != nil }
        guard matches.isEmpty || matches.count == values.count else {
            throw QueryError(.badOperand("$all", expected: "either values or $elemMatch only"), at: place)
        }
        var parts: [Condition<Test>] = []
        for (index, value) in values.enumerated() {
            let place = place + [.index(index)]
            parts.append(
                try matches.isEmpty ? predicateOfAll(value, at: place) : predicate(value, at: place))
        }
        return .all(parts)
    }

    private static func predicateOfAll(_ value: Value, at place: Place) throws(QueryError) -> Condition<Test>
    {
        if case .regex(let pattern, let options) = value { return try regex(pattern, options, at: place) }
        return .test(.compare(.equal, try literal(value, at: place)))
    }

    /// The form for values has operators at its top, the form for documents has fields.
    private static func elementMatch(_ value: Value, at place: Place) throws(QueryError) -> Test {
        guard let document = value.document else {
            throw QueryError(.badOperand("$elemMatch", expected: "a query or operators"), at: place)
        }
        if let first = document.keys.first, first.hasPrefix("$"), !["$and", "$or", "$nor"].contains(first) {
            return .hasElement(try operators(document, at: place))
        }
        return .hasDocument(try filter(document, at: place))
    }

    // MARK: Operands

    private static func regex(
        _ pattern: String, _ options: String, at place: Place
    ) throws(QueryError) -> Condition<Test> {
        .test(.matches(try self.pattern(pattern, options, at: place)))
    }

    private static func pattern(
        _ pattern: String, _ options: String, at place: Place
    ) throws(QueryError) -> Pattern {
        do {
            return try Pattern(pattern, options: options)
        } catch {
            throw QueryError(.badPattern(error), at: place)
        }
    }

    private static func options(_ document: Document) throws(QueryError) -> String? {
        // That they are text is checked where they stand.
        document["$options"]?.string
    }

    private static func literal(_ value: Value, at place: Place) throws(QueryError) -> Literal {
        try checkLiteral(value, at: place)
        let document: Document = ["": value]
        return document.withUnsafeBytes { bytes in
            var cursor = BSONCursor(document: bytes)
            _ = cursor.next()
            return Literal(type: cursor.type, bytes: Array(cursor.valueBytes))
        }
    }

    private static func checkLiteral(_ value: Value, at place: Place) throws(QueryError) {
        switch value {
        case .document(let document):
            for (name, value) in document {
                let place = place + [.name(name)]
                guard !name.hasPrefix("$") else {
                    let isKnown = operators.contains(name) || ["$and", "$or", "$nor"].contains(name)
                    throw QueryError(isKnown ? .misplacedOperator(name) : .unknownOperator(name), at: place)
                }
                try checkLiteral(value, at: place)
            }
        case .array(let values):
            for (index, value) in values.enumerated() { try checkLiteral(value, at: place + [.index(index)]) }
        case .regex: throw QueryError(.unsupportedValue(type: BSONType.regex), at: place)
        case .other(let type, _) where type != BSONType.timestamp:
            throw QueryError(.unsupportedValue(type: type), at: place)
        default: break
        }
    }

    private static func wholeNumber(_ value: Value) -> Int? {
        if case .double(let number) = value { return Int(exactly: number) }
        return value.integer
    }

    private static func types(_ value: Value, at place: Place) throws(QueryError) -> TypeSet {
        var types = TypeSet()
        let values = value.array ?? [value]
        for value in values {
            switch value {
            case .string("number"):
                for type in [BSONType.double, BSONType.int32, BSONType.int64, BSONType.decimal128] {
                    types.insert(type)
                }
            case .string(let alias):
                guard let type = typeAliases[alias] else { fallthrough }
                types.insert(type)
            default:
                guard let number = wholeNumber(value), let type = UInt8(exactly: number == -1 ? 255 : number),
                    typeAliases.values.contains(type), number != 255
                else {
                    throw QueryError(
                        .badOperand("$type", expected: "BSON type names such as \"string\" or their numbers"),
                        at: place)
                }
                types.insert(type)
            }
        }
        guard !values.isEmpty else {
            throw QueryError(.badOperand("$type", expected: "at least one type"), at: place)
        }
        return types
    }

    /// <https://www.mongodb.com/docs/manual/reference/operator/query/type/#available-types>
    private static let typeAliases: [String: UInt8] = [
        "double": BSONType.double, "string": BSONType.string, "object": BSONType.document,
        "array": BSONType.array, "binData": BSONType.binary, "undefined": BSONType.undefined,
        "objectId": BSONType.objectID, "bool": BSONType.bool, "date": BSONType.date, "null": BSONType.null,
        "regex": BSONType.regex, "dbPointer": BSONType.dbPointer, "javascript": BSONType.code,
        "symbol": BSONType.symbol, "javascriptWithScope": BSONType.codeWithScope, "int": BSONType.int32,
        "timestamp": BSONType.timestamp, "long": BSONType.int64, "decimal": BSONType.decimal128,
        "minKey": BSONType.minKey, "maxKey": BSONType.maxKey,
    ]
}
