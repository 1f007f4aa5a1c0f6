import Foundation
import PDDocument
import PDProtocol
import PDQuery
import PDTestSupport
import Testing

@testable import PDStore

/// The same questions to the same hosts in both stores. `PENGUINDOME_TEST_DIFFERENTIAL=10000x500` sets how many
/// documents and queries there are, `PENGUINDOME_TEST_SEED` which.
@Suite("SQLite and MongoDB pick the same hosts", .enabled(if: MongoTestServer.isConfigured))
struct QueryDifferentialTests {
    private static let size: (documents: Int, queries: Int) = {
        let words =
            ProcessInfo.processInfo.environment["PENGUINDOME_TEST_DIFFERENTIAL"]?.split(separator: "x") ?? []
        guard words.count == 2, let documents = Int(words[0]), let queries = Int(words[1]) else {
            return (1000, 250)
        }
        return (documents, queries)
    }()

    private static let seed =
        ProcessInfo.processInfo.environment["PENGUINDOME_TEST_SEED"].flatMap { UInt64($0) } ?? 20_260_101

    @Test("Random documents, random queries", .timeLimit(.minutes(60)))
    func random() async throws {
        var generator = QueryGenerator(seed: Self.seed)
        let hosts = try (0..<Self.size.documents).map { number in
            let hostname = try #require(Hostname("h\(number)"))
            return FleetHost(
                id: HostID(v1: hostname), hostname: hostname, submittedAt: 0,
                document: ["hostname": .string(hostname.name), "p": generator.document()])
        }
        try await SQLiteTestDatabase.with { embedded in
            try await MongoTestDatabase.with { server in
                let left = try await embedded.open()
                let right = try await server.open()
                try await embedded.seed(hosts)
                try await server.raw { try $0.insert(hosts.map(\.document), into: "clients") }

                var different = 0
                var matches = 0
                for _ in 0..<Self.size.queries {
                    let query = try Query(generator.query())
                    let expected = try await left.hosts(where: query).map(\.hostname.name)
                    matches += expected.count
                    let found: [String]
                    do {
                        found = try await right.hosts(where: query).map(\.hostname.name)
                    } catch {
                        different += 1
                        if different < 20 { Issue.record("\(query.document): \(error)") }
                        continue
                    }
                    guard found != expected else { continue }
                    different += 1
                    let odd = Set(found).symmetricDifference(expected).sorted().first ?? ""
                    let document = try await left.host(odd)?.document["p"]?.json() ?? ""
                    if different < 20 {
                        Issue.record(
                            "\(query.document): \(expected.count) in SQLite, \(found.count) in MongoDB; one is \(document)"
                        )
                    }
                }
                #expect(different == 0, "seed \(Self.seed)")
                // Queries that match nothing, or all, prove little.
                let all = Self.size.documents * Self.size.queries
                #expect(matches > all / 50 && matches < all * 49 / 50)
                print(
                    "\(Self.size.documents) documents, \(Self.size.queries) queries, seed \(Self.seed):",
                    "\(different) differ, \(matches * 100 / all) % of all pairs match;",
                    "left out as known deviations of the server: \(generator.leftOut)")
                try await left.close()
                try await right.close()
            }
        }
    }
}

/// Documents and queries over a few names and values, so that they meet.
struct QueryGenerator {
    private var state: UInt64
    /// How many parts of queries were thrown away, by the deviation of the server that they would have met.
    private(set) var leftOut: [String: Int] = [:]

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    private mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    private mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }

    private static let names = ["a", "b", "c"]
    private static let texts = ["", "on", "off", "On", "x\ny", "é", "1"]

    // MARK: Documents

    mutating func document() -> Value { .document(fields(depth: 0)) }

    private mutating func fields(depth: Int) -> Document {
        var names = Self.names
        var fields: [(String, Value)] = []
        for _ in 0..<(1 + below(3)) {
            let name = names.remove(at: below(names.count))
            fields.append((name, value(depth: depth + 1)))
        }
        return Document(fields)
    }

    private mutating func value(depth: Int) -> Value {
        switch below(depth < 3 ? 10 : 6) {
        case 6, 7: return .document(fields(depth: depth))
        case 8, 9: return .array((0..<below(4)).map { _ in value(depth: depth + 1) })
        default: return scalar()
        }
    }

    private mutating func scalar() -> Value {
        switch below(9) {
        case 0: .null
        case 1: .bool(below(2) == 0)
        case 2, 3: .int(below(4) - 1)
        case 4: .int64(Int64(below(4) - 1))
        case 5: .double(Double(below(8) - 2) / 2)
        case 6: .date(milliseconds: Int64(below(4)) * 1000)
        default: .string(pick(Self.texts))
        }
    }

    // MARK: Queries

    mutating func query(depth: Int = 0) -> Document {
        let parts = (0..<(1 + below(2))).map { _ in part(depth: depth) }
        let distinct = parts.distinct
        if distinct.count < parts.count { leftOut["a name twice in one query", default: 0] += 1 }
        return Document(distinct)
    }

    private mutating func part(depth: Int) -> (String, Value) {
        if depth < 2, below(4) == 0 {
            return (
                pick(["$and", "$or", "$nor"]),
                .array((0..<(1 + below(3))).map { _ in .document(query(depth: depth + 1)) })
            )
        }
        while true {
            let path = path(prefix: "p.")
            let test = predicate(depth: depth)
            let hasIndex = path.contains { $0.isNumber }
            if hasIndex, Self.asksForNull(test) {
                leftOut["null against an index", default: 0] += 1
                continue
            }
            return (path, test)
        }
    }

    private mutating func path(prefix: String) -> String {
        var steps = [pick(Self.names)]
        for _ in 0..<below(3) { steps.append(below(8) == 0 ? String(below(3)) : pick(Self.names)) }
        return prefix + steps.joined(separator: ".")
    }

    private mutating func predicate(depth: Int) -> Value {
        if below(4) == 0 { return literal() }
        return .document(
            Document((0..<(below(4) == 0 ? 2 : 1)).map { _ in operation(depth: depth) }.distinct))
    }

    private mutating func literal() -> Value {
        switch below(8) {
        case 0: .document(Document([(pick(Self.names), scalar())]))
        case 1: .array((0..<below(3)).map { _ in scalar() })
        default: scalar()
        }
    }

    private mutating func operation(depth: Int) -> (String, Value) {
        switch below(depth < 3 ? 16 : 13) {
        case 0: return ("$eq", literal())
        case 1: return ("$ne", literal())
        case 2: return ("$gt", literal())
        case 3: return ("$gte", literal())
        case 4: return ("$lt", literal())
        case 5: return ("$lte", literal())
        case 6: return ("$in", .array((0..<below(4)).map { _ in literal() }))
        case 7: return ("$nin", .array((0..<below(4)).map { _ in literal() }))
        case 8: return ("$exists", .bool(below(2) == 0))
        case 9:
            return (
                "$type",
                pick(["string", "number", "int", "double", "bool", "null", "array", "object", "date", 2, 16])
            )
        case 10: return ("$size", .int(below(4)))
        case 11: return all()
        case 12: return ("$regex", .string(pick(["^o", "n$", "^$", "[0-9]", "O", "."])))
        case 13: return ("$not", .document(Document([operation(depth: depth + 1)])))
        default: return elementMatch(depth: depth)
        }
    }

    private mutating func all() -> (String, Value) {
        while true {
            let values = (0..<below(3)).map { _ in literal() }
            guard !values.contains(where: { $0 == .null || $0.array != nil }) else {
                leftOut["$all with null or a list", default: 0] += 1
                continue
            }
            return ("$all", .array(values))
        }
    }

    private mutating func elementMatch(depth: Int) -> (String, Value) {
        if below(2) == 0 { return ("$elemMatch", .document(Document([operation(depth: depth + 1)]))) }
        let path = path(prefix: "")
        return ("$elemMatch", .document(Document([(path, predicate(depth: depth + 1))])))
    }

    /// Whether null, or the absence of a value, makes a difference to the test.
    private static func asksForNull(_ test: Value) -> Bool {
        switch test {
        case .null: true
        case .document(let document): document.contains { asksForNull($0.value) || $0.key == "$type" }
        case .array(let values): values.contains(where: asksForNull)
        default: false
        }
    }
}

extension [(String, Value)] {
    /// Without the later ones of the same name.
    fileprivate var distinct: [(String, Value)] {
        var seen: Set<String> = []
        return filter { seen.insert($0.0).inserted }
    }
}
