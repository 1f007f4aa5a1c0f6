import Foundation
import PDBasics
import PDDocument
import PDTestSupport
import Testing

@testable import PDQuery

func document(_ json: String) throws -> Document {
    try Document(json: Array(json.utf8))
}

@Suite("MongoDB's query language on documents")
struct QueryTests {
    // MARK: - Recorded checks

    struct RecordedCheck: Sendable, CustomTestStringConvertible {
        let name: String
        let query: Document
        let matches: [String]

        var testDescription: String { name }
    }

    static let recorded: (hosts: [Document], checks: [RecordedCheck]) = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../vectors/v1/audit/specs.json")
        guard let json = try? Data(contentsOf: file), let specs = try? Document(json: Array(json)) else {
            return ([], [])
        }
        let hosts = specs["docs"]?.array?.compactMap { $0.withDates.document } ?? []
        let checks = specs["checks"]?.array?.compactMap { value -> RecordedCheck? in
            guard let check = value.document, let name = check["check"]?.string,
                let query = check["spec"]?.document, let matches = check["matches"]?.array
            else { return nil }
            return RecordedCheck(name: name, query: query, matches: matches.compactMap(\.string).sorted())
        }
        return (hosts, checks ?? [])
    }()

    @Test("all recorded checks are there")
    func count() {
        #expect(Self.recorded.hosts.count == 59)
        #expect(Self.recorded.checks.count == 15)
    }

    @Test(
        "every recorded check finds the hosts that a MongoDB-speaking server found",
        arguments: recorded.checks)
    func recordedCheck(_ check: RecordedCheck) throws {
        let query = try Query(check.query)
        let found = try Self.recorded.hosts.filter { try query.matches($0) }.compactMap {
            $0["hostname"]?.string
        }
        #expect(found.sorted() == check.matches)
    }

    @Test("many queries in one pass find what each finds alone")
    func set() throws {
        let queries = try Self.recorded.checks.map { try Query($0.query) }
        let set = QuerySet(queries)
        for host in Self.recorded.hosts {
            var found: [Int] = []
            set.forEachMatch(in: host) {
                found.append($0)
            } undecided: {
                Issue.record("\($0): \($1)")
            }
            let alone = try queries.indices.filter { try queries[$0].matches(host) }
            #expect(found == alone)
        }
    }

    // MARK: - Semantics

    /// A query with documents that it must match and documents that it must not.
    struct Row: Sendable, CustomTestStringConvertible {
        let query: String
        let yes: [String]
        let no: [String]

        init(_ query: String, yes: [String], no: [String]) {
            (self.query, self.yes, self.no) = (query, yes, no)
        }

        var testDescription: String { query }
    }

    private func check(_ row: Row) throws {
        let query = try Query(json: row.query)
        for text in row.yes {
            #expect(try query.matches(try document(text)), "\(row.query) must match \(text)")
        }
        for text in row.no {
            #expect(try !query.matches(try document(text)), "\(row.query) must not match \(text)")
        }
    }

    @Test(
        "equality, order and null",
        arguments: [
            Row(#"{}"#, yes: ["{}", #"{"a":1}"#], no: []),
            Row(
                #"{"a":1}"#, yes: [#"{"a":1}"#, #"{"a":1.0}"#, #"{"a":[2,1]}"#],
                no: ["{}", #"{"a":true}"#, #"{"a":"1"}"#, #"{"a":[[1]]}"#, #"{"a":null}"#]),
            Row(#"{"a":true}"#, yes: [#"{"a":true}"#], no: [#"{"a":1}"#, #"{"a":"true"}"#]),
            Row(
                #"{"a":null}"#, yes: ["{}", #"{"a":null}"#, #"{"a":[1,null]}"#],
                no: [#"{"a":0}"#, #"{"a":[]}"#, #"{"a":""}"#, #"{"a":false}"#]),
            Row(
                #"{"a.b":null}"#,
                yes: ["{}", #"{"a":1}"#, #"{"a":{}}"#, #"{"a":[{"b":1},{}]}"#, #"{"a":null}"#],
                no: [#"{"a":{"b":1}}"#, #"{"a":[]}"#, #"{"a":[1]}"#, #"{"a":[{"b":1}]}"#]),
            Row(
                #"{"a":{"$ne":null}}"#, yes: [#"{"a":0}"#, #"{"a":[]}"#],
                no: ["{}", #"{"a":null}"#, #"{"a":[null]}"#]),
            Row(
                #"{"a":{"$ne":1}}"#, yes: ["{}", #"{"a":2}"#, #"{"a":[2]}"#],
                no: [#"{"a":1}"#, #"{"a":[2,1]}"#]),
            Row(#"{"a":{"$gte":null}}"#, yes: ["{}", #"{"a":null}"#], no: [#"{"a":0}"#]),
            Row(#"{"a":{"$gt":null}}"#, yes: [], no: ["{}", #"{"a":null}"#, #"{"a":0}"#]),
            Row(
                #"{"a":{"$gt":5}}"#, yes: [#"{"a":6}"#, #"{"a":5.5}"#, #"{"a":[1,9]}"#],
                no: [#"{"a":5}"#, #"{"a":"6"}"#, #"{"a":true}"#, #"{"a":null}"#, "{}", #"{"a":{"b":6}}"#]),
            Row(
                #"{"a":{"$lt":"b"}}"#, yes: [#"{"a":"a"}"#, #"{"a":""}"#, #"{"a":"B"}"#, #"{"a":"azz"}"#],
                no: [#"{"a":"b"}"#, #"{"a":"ba"}"#, #"{"a":1}"#, #"{"a":"é"}"#]),
            Row(
                #"{"a":{"$gte":1,"$lt":3}}"#, yes: [#"{"a":1}"#, #"{"a":2.9}"#, #"{"a":[0,5]}"#],
                no: [#"{"a":3}"#, #"{"a":0}"#, #"{"a":[5]}"#]),
            Row(#"{"a":{"$lt":true}}"#, yes: [#"{"a":false}"#], no: [#"{"a":true}"#, #"{"a":0}"#]),
            Row(
                #"{"a":{"$lte":{"b":2}}}"#, yes: [#"{"a":{"b":1}}"#, #"{"a":{"b":2}}"#, #"{"a":{}}"#],
                no: [#"{"a":{"b":3}}"#, #"{"a":{"c":1}}"#, #"{"a":1}"#]),
            Row(
                #"{"a":{"$gt":[1]}}"#, yes: [#"{"a":[2]}"#, #"{"a":[1,0]}"#, #"{"a":[[2]]}"#],
                no: [#"{"a":[1]}"#, #"{"a":[0,9]}"#, #"{"a":2}"#]),
            Row(
                #"{"a":9007199254740993}"#, yes: [#"{"a":9007199254740993}"#],
                no: [#"{"a":9007199254740992}"#, #"{"a":9007199254740992.0}"#]),
            Row(
                #"{"a":{"$gt":9007199254740992.0}}"#, yes: [#"{"a":9007199254740993}"#],
                no: [#"{"a":9007199254740992}"#]),
            Row(
                #"{"a":{"$lt":1e300}}"#, yes: [#"{"a":9223372036854775807}"#, #"{"a":-1e300}"#],
                no: [#"{"a":1e301}"#]),
            Row(
                #"{"a":{"$gt":-0.5}}"#, yes: [#"{"a":0}"#, #"{"a":-0.25}"#],
                no: [#"{"a":-1}"#, #"{"a":-0.5}"#]),
            Row(
                #"{"a":9223372036854775807}"#, yes: [#"{"a":9223372036854775807}"#],
                no: [#"{"a":9223372036854775808.0}"#]),
        ])
    func comparisons(_ row: Row) throws { try check(row) }

    @Test(
        "documents and lists are equal field by field in their order",
        arguments: [
            Row(
                #"{"a":{"x":1,"y":2}}"#,
                yes: [#"{"a":{"x":1,"y":2}}"#, #"{"a":{"x":1.0,"y":2}}"#, #"{"a":[{"x":1,"y":2}]}"#],
                no: [#"{"a":{"y":2,"x":1}}"#, #"{"a":{"x":1}}"#, #"{"a":{"x":1,"y":2,"z":3}}"#]),
            Row(#"{"a":{}}"#, yes: [#"{"a":{}}"#], no: ["{}", #"{"a":[]}"#, #"{"a":{"b":1}}"#]),
            Row(
                #"{"a":[1,2]}"#, yes: [#"{"a":[1,2]}"#, #"{"a":[[1,2]]}"#, #"{"a":[1,2.0]}"#],
                no: [#"{"a":[2,1]}"#, #"{"a":[1]}"#, #"{"a":1}"#, #"{"a":[[[1,2]]]}"#]),
            Row(
                #"{"a":[]}"#, yes: [#"{"a":[]}"#, #"{"a":[[]]}"#], no: ["{}", #"{"a":null}"#, #"{"a":[1]}"#]),
        ])
    func structures(_ row: Row) throws { try check(row) }

    @Test(
        "paths go through documents and lists",
        arguments: [
            Row(
                #"{"a.b":1}"#,
                yes: [
                    #"{"a":{"b":1}}"#, #"{"a":[{"b":0},{"b":1}]}"#, #"{"a":{"b":[1]}}"#,
                    #"{"a":[{"b":[0,1]}]}"#,
                ],
                no: [#"{"a.b":1}"#, #"{"a":[[{"b":1}]]}"#, #"{"a":1}"#]),
            Row(
                #"{"a.0":1}"#, yes: [#"{"a":[1,2]}"#, #"{"a":{"0":1}}"#, #"{"a":[{"0":1}]}"#],
                no: [#"{"a":[2,1]}"#, #"{"a":[[1]]}"#, #"{"a":1}"#]),
            Row(#"{"a.1":[2,4]}"#, yes: [#"{"a":[5,[2,4]]}"#], no: [#"{"a":[[2,4],5]}"#]),
            Row(
                #"{"a.0.b":1}"#,
                yes: [
                    #"{"a":[{"b":1}]}"#, #"{"a":[[{"b":1}]]}"#, #"{"a":[{"b":[1]}]}"#,
                    #"{"a":{"0":{"b":1}}}"#,
                ],
                no: [#"{"a":[{"b":2},{"b":1}]}"#, #"{"a":[2]}"#]),
            Row(
                #"{"a.0.1":5}"#, yes: [#"{"a":[[4,5]]}"#, #"{"a":[{"0":[4,5]}]}"#],
                no: [#"{"a":[[5,4]]}"#, #"{"a":[4,5]}"#]),
            Row(
                #"{"a.1.b":null}"#, yes: [#"{"a":[5,{"b":4},3]}"#, #"{"a":[{"b":1},{}]}"#],
                no: [#"{"a":[5,6]}"#]),
            Row(
                #"{"a.5":null}"#, yes: ["{}", #"{"a":{}}"#, #"{"a":[{}]}"#],
                no: [#"{"a":[1]}"#, #"{"a":[]}"#]),
            Row(
                #"{"a.5":{"$exists":false}}"#, yes: [#"{"a":[1]}"#, #"{"a":[]}"#],
                no: [#"{"a":[0,0,0,0,0,0]}"#]),
            Row(#"{"a.00":1}"#, yes: [], no: [#"{"a":[1]}"#]),
            Row(
                #"{"a.b":1,"a.c":1}"#, yes: [#"{"a":[{"b":1},{"c":1}]}"#, #"{"a":{"b":1,"c":1}}"#],
                no: [#"{"a":{"b":1}}"#]),
            Row(#"{"":1}"#, yes: [#"{"":1}"#], no: [#"{"a":1}"#]),
            Row(
                #"{"a.b.c.d":1,"a.b":{"$exists":true},"a.b.c.e":2}"#,
                yes: [#"{"z":0,"a":{"y":1,"b":{"c":{"e":2,"d":1}}}}"#],
                no: [#"{"a":{"b":{"c":{"d":1}}}}"#]),
        ])
    func paths(_ row: Row) throws { try check(row) }

    @Test(
        "what is combined and turned around",
        arguments: [
            Row(#"{"$and":[{"a":1},{"b":2}]}"#, yes: [#"{"a":1,"b":2}"#], no: [#"{"a":1}"#, #"{"b":2}"#]),
            Row(
                #"{"$or":[{"a":1},{"b":2}],"c":3}"#, yes: [#"{"a":1,"c":3}"#, #"{"b":2,"c":3}"#],
                no: [#"{"a":1}"#, #"{"c":3}"#]),
            Row(#"{"$nor":[{"a":1},{"b":2}]}"#, yes: ["{}", #"{"a":2}"#], no: [#"{"a":1}"#, #"{"b":2}"#]),
            Row(
                #"{"a":{"$not":{"$gt":5}}}"#, yes: ["{}", #"{"a":5}"#, #"{"a":"x"}"#, #"{"a":[1,2]}"#],
                no: [#"{"a":6}"#, #"{"a":[1,6]}"#]),
            Row(#"{"a":{"$not":{"$not":{"$eq":1}}}}"#, yes: [#"{"a":1}"#], no: ["{}", #"{"a":2}"#]),
            Row(
                #"{"a":{"$not":{"$gt":1,"$lt":5}}}"#, yes: [#"{"a":1}"#, #"{"a":9}"#],
                no: [#"{"a":3}"#, #"{"a":[0,9]}"#]),
            Row(
                #"{"a":{"$in":[1,"x",null]}}"#,
                yes: ["{}", #"{"a":1}"#, #"{"a":"x"}"#, #"{"a":null}"#, #"{"a":[7,1]}"#],
                no: [#"{"a":2}"#, #"{"a":[]}"#]),
            Row(#"{"a":{"$in":[]}}"#, yes: [], no: ["{}", #"{"a":1}"#]),
            Row(#"{"a":{"$in":[[1],{"b":1}]}}"#, yes: [#"{"a":[1]}"#, #"{"a":{"b":1}}"#], no: [#"{"a":1}"#]),
            Row(
                #"{"a":{"$nin":[1,2]}}"#, yes: ["{}", #"{"a":3}"#, #"{"a":[]}"#],
                no: [#"{"a":1}"#, #"{"a":[3,2]}"#]),
        ])
    func logic(_ row: Row) throws { try check(row) }

    @Test(
        "presence, type and size",
        arguments: [
            Row(
                #"{"a":{"$exists":true}}"#, yes: [#"{"a":null}"#, #"{"a":[]}"#, #"{"a":0}"#],
                no: ["{}", #"{"b":1}"#]),
            Row(
                #"{"a.b":{"$exists":false}}"#, yes: ["{}", #"{"a":1}"#, #"{"a":[]}"#, #"{"a":["x"]}"#],
                no: [#"{"a":{"b":null}}"#, #"{"a":[{},{"b":1}]}"#]),
            Row(#"{"a":{"$exists":0}}"#, yes: ["{}"], no: [#"{"a":1}"#]),
            Row(
                #"{"a":{"$type":"string"}}"#, yes: [#"{"a":"x"}"#, #"{"a":[1,"x"]}"#],
                no: ["{}", #"{"a":1}"#, #"{"a":[]}"#]),
            Row(#"{"a":{"$type":"array"}}"#, yes: [#"{"a":[]}"#, #"{"a":[1]}"#], no: [#"{"a":1}"#, "{}"]),
            Row(
                #"{"a":{"$type":"number"}}"#, yes: [#"{"a":1}"#, #"{"a":1.5}"#, #"{"a":1099511627776}"#],
                no: [#"{"a":"1"}"#, #"{"a":true}"#]),
            Row(
                #"{"a":{"$type":["object",8]}}"#, yes: [#"{"a":{}}"#, #"{"a":true}"#],
                no: [#"{"a":1}"#, #"{"a":[]}"#]),
            Row(#"{"a":{"$type":"null"}}"#, yes: [#"{"a":null}"#], no: ["{}"]),
            Row(#"{"a":{"$type":"int"}}"#, yes: [#"{"a":1}"#], no: [#"{"a":1099511627776}"#, #"{"a":1.0}"#]),
            Row(
                #"{"a":{"$size":2}}"#, yes: [#"{"a":[1,2]}"#, #"{"a":[[],[]]}"#],
                no: [#"{"a":[1]}"#, #"{"a":[[1,2]]}"#, #"{"a":2}"#, "{}"]),
            Row(
                #"{"a.b":{"$size":0}}"#, yes: [#"{"a":{"b":[]}}"#, #"{"a":[{"b":[1]},{"b":[]}]}"#],
                no: [#"{"a":[]}"#, "{}"]),
            Row(#"{"a":{"$size":1.0}}"#, yes: [#"{"a":[0]}"#], no: [#"{"a":[]}"#]),
        ])
    func presence(_ row: Row) throws { try check(row) }

    @Test(
        "lists as a whole and their elements",
        arguments: [
            Row(#"{"a":{"$all":[1,2]}}"#, yes: [#"{"a":[2,3,1]}"#], no: [#"{"a":[1]}"#, #"{"a":1}"#, "{}"]),
            Row(#"{"a":{"$all":[1]}}"#, yes: [#"{"a":1}"#, #"{"a":[1]}"#], no: [#"{"a":2}"#]),
            Row(#"{"a":{"$all":[null]}}"#, yes: ["{}", #"{"a":[1,null]}"#], no: [#"{"a":1}"#]),
            Row(#"{"a":{"$all":[[]]}}"#, yes: [#"{"a":[]}"#, #"{"a":[1,[]]}"#], no: ["{}", #"{"a":[1]}"#]),
            Row(#"{"a":{"$all":[]}}"#, yes: [], no: ["{}", #"{"a":[]}"#, #"{"a":1}"#]),
            Row(
                #"{"a":{"$all":[[1,2]]}}"#, yes: [#"{"a":[1,2]}"#, #"{"a":[[1,2]]}"#], no: [#"{"a":[2,1]}"#]),
            Row(
                #"{"a":{"$all":[{"$elemMatch":{"x":1}},{"$elemMatch":{"y":2}}]}}"#,
                yes: [#"{"a":[{"x":1},{"y":2}]}"#], no: [#"{"a":[{"x":1}]}"#]),
            Row(
                #"{"a":{"$elemMatch":{"$gt":1,"$lt":5}}}"#, yes: [#"{"a":[9,3]}"#],
                no: [#"{"a":[0,9]}"#, #"{"a":3}"#, #"{"a":[[3]]}"#, #"{"a":[]}"#]),
            Row(
                #"{"a":{"$elemMatch":{"x":1,"y":2}}}"#, yes: [#"{"a":[{"x":1,"y":2}]}"#],
                no: [#"{"a":[{"x":1},{"y":2}]}"#, #"{"a":{"x":1,"y":2}}"#]),
            Row(
                #"{"a":{"$elemMatch":{"$elemMatch":{"$eq":2}}}}"#, yes: [#"{"a":[[1],[2]]}"#],
                no: [#"{"a":[2]}"#]),
            Row(
                #"{"a":{"$elemMatch":{"$not":{"$eq":1}}}}"#, yes: [#"{"a":[1,2]}"#],
                no: [#"{"a":[1,1]}"#, #"{"a":[]}"#, "{}"]),
            Row(
                #"{"a":{"$not":{"$elemMatch":{"$ne":1}}}}"#, yes: [#"{"a":[1,1]}"#, "{}", #"{"a":2}"#],
                no: [#"{"a":[1,2]}"#]),
            Row(
                #"{"a":{"$elemMatch":{"$or":[{"x":1},{"y":2}]}}}"#, yes: [#"{"a":[{"y":2}]}"#],
                no: [#"{"a":[{"x":2}]}"#]),
            Row(
                #"{"a":{"$elemMatch":{"0":1}}}"#, yes: [#"{"a":[[1]]}"#, #"{"a":[{"0":1}]}"#],
                no: [#"{"a":[1]}"#]),
            Row(
                #"{"a.b":{"$elemMatch":{"c.d":1}}}"#, yes: [#"{"a":[{"b":[{"c":[{"d":1}]}]}]}"#],
                no: [#"{"a":[{"b":{"c":{"d":1}}}]}"#]),
            Row(
                #"{"a":{"$elemMatch":{}}}"#, yes: [#"{"a":[{}]}"#, #"{"a":[[]]}"#],
                no: [#"{"a":[1]}"#, #"{"a":[]}"#]),
        ])
    func lists(_ row: Row) throws { try check(row) }

    @Test(
        "regular expressions in queries",
        arguments: [
            Row(
                #"{"a":{"$regex":"^ab+c$"}}"#, yes: [#"{"a":"abbc"}"#, #"{"a":["x","abc"]}"#],
                no: [#"{"a":"ac"}"#, #"{"a":1}"#, "{}"]),
            Row(#"{"a":{"$regex":"AB","$options":"i"}}"#, yes: [#"{"a":"xaby"}"#], no: [#"{"a":"ba"}"#]),
            Row(#"{"a":{"$options":"i","$regex":"é"}}"#, yes: [#"{"a":"CAFÉ"}"#], no: [#"{"a":"CAFE"}"#]),
            Row(
                #"{"a":{"$not":{"$regex":"^a"}}}"#, yes: ["{}", #"{"a":"b"}"#, #"{"a":1}"#],
                no: [#"{"a":"ab"}"#]),
            Row(#"{"a":{"$elemMatch":{"$regex":"x"}}}"#, yes: [#"{"a":["ax"]}"#], no: [#"{"a":"ax"}"#]),
        ])
    func regex(_ row: Row) throws { try check(row) }

    @Test("two spellings of one Unicode text are two fields and two values")
    func spellings() throws {
        let (composed, combining) = ("caf\u{E9}", "cafe\u{301}")
        let host = [composed: 1, combining: 2] as Document
        #expect(try Query([composed: 1, combining: 2] as Document).matches(host))
        #expect(try !Query([composed: 1, combining: 1] as Document).matches(host))
        #expect(try !Query(["a": .string(composed)]).matches(["a": .string(combining)]))
        #expect(try !Query(["a": ["$in": [.string(composed)]]]).matches(["a": .string(combining)]))
    }

    @Test("regular expressions of BSON stand where MongoDB lets them stand")
    func regexValues() throws {
        let pattern = Value.regex(pattern: "^a", options: "i")
        for query: Document in [
            ["a": pattern], ["a": ["$in": [1, pattern]]], ["a": ["$all": [pattern]]],
            ["a": ["$regex": pattern]],
            ["a": ["$not": ["$not": pattern]]],
        ] {
            #expect(try Query(query).matches(["a": "AB"]), "\(query)")
            #expect(try !Query(query).matches(["a": "BA"]), "\(query)")
        }
    }

    @Test("types that JSON has no form for: dates against numbers and text, NaN, objectIDs, binary")
    func otherTypes() throws {
        let now: Int64 = 1_717_599_600_000
        let before = try Query(["a": ["$lt": .date(milliseconds: now)]])
        #expect(try before.matches(["a": .date(milliseconds: now - 1)]))
        #expect(try before.matches(["a": .date(milliseconds: -1)]))
        for value: Value in [.date(milliseconds: now), 5, "2020-01-01", nil, .int64(now - 1)] {
            #expect(try !before.matches(["a": value]))
        }
        #expect(try !before.matches([:]))

        #expect(try Query(["a": .double(.nan)]).matches(["a": .double(.nan)]))
        #expect(try Query(["a": ["$gte": .double(.nan)]]).matches(["a": .double(.nan)]))
        #expect(try !Query(["a": ["$lt": 5]]).matches(["a": .double(.nan)]))
        #expect(try !Query(["a": ["$gte": .double(.nan)]]).matches(["a": 5]))
        #expect(try Query(["a": ["b": .double(.nan)]]).matches(["a": ["b": .double(.nan)]]))
        #expect(try Query(["a": .double(.infinity)]).matches(["a": .double(.infinity)]))
        #expect(try Query(["a": ["$gt": .int64(.max)]]).matches(["a": .double(.infinity)]))
        #expect(try Query(["a": 0]).matches(["a": .double(-0.0)]))

        let id = Value.objectID(Array(1...12))
        #expect(try Query(["a": id]).matches(["a": id]))
        #expect(try Query(["a": ["$gt": id]]).matches(["a": .objectID(Array(2...13))]))
        let binary = Value.binary(subtype: 0, bytes: [1, 2])
        #expect(try Query(["a": binary]).matches(["a": binary]))
        #expect(try !Query(["a": binary]).matches(["a": .binary(subtype: 5, bytes: [1, 2])]))
        #expect(try Query(["a": ["$type": -1]]).matches(["a": .other(type: 0xFF, bytes: [])]))
        #expect(try !Query(["a": ["$type": -1]]).matches(["a": .other(type: 0x7F, bytes: [])]))
    }

    @Test("a document that is part of another is matched by its own bytes")
    func nestedDocument() throws {
        let outer: Document = ["pad": "xxxxxxxx", "host": ["a": [["b": 1], ["b": 2]]]]
        let host = try #require(outer["host"]?.document)
        #expect(try Query(json: #"{"a.b":2}"#).matches(host))
        #expect(try !Query(json: #"{"pad":{"$exists":true}}"#).matches(host))
    }

    @Test("of two fields with one name the first counts")
    func twice() throws {
        let inner: [(String, Value)] = [("c", 1), ("c", [2])]
        let outer: [(String, Value)] = [("a", 1), ("a", 2), ("b", .document(Document(inner)))]
        let twice = Document(outer)
        #expect(try Query(json: #"{"a":1,"b.c":1}"#).matches(twice))
        #expect(try !Query(json: #"{"a":2}"#).matches(twice))
        #expect(try !Query(json: #"{"b.c":2}"#).matches(twice))
    }

    // MARK: - Times

    @Test("$date and $ago become points in time, also in the query that a database gets")
    func times() throws {
        let query = try Query(
            json: #"{"submitted_at":{"$lt":{"$ago":"1d12h"},"$gte":{"$date":"1970-01-01T00:00:01Z"}}}"#,
            now: 200_000_000)
        #expect(
            query.document == [
                "submitted_at": ["$lt": .date(milliseconds: 70_400_000), "$gte": .date(milliseconds: 1000)]
            ])
        #expect(try query.matches(["submitted_at": .date(milliseconds: 70_399_999)]))
        #expect(try !query.matches(["submitted_at": .date(milliseconds: 70_400_000)]))
        #expect(try !query.matches(["submitted_at": .date(milliseconds: 999)]))
        #expect(try Query(json: #"{"a":{"$date":5}}"#).document == ["a": .date(milliseconds: 5)])
        #expect(throws: QueryError(.noClock, at: [.name("a")])) { try Query(json: #"{"a":{"$ago":"1d"}}"#) }
    }

    // MARK: - Refusals

    @Test(
        "p108_what is not understood is refused by name and place",
        arguments: [
            (#"{"a":{"$gtt":1}}"#, QueryError.Reason.unknownOperator("$gtt"), "a / $gtt"),
            (#"{"$or":[{"a":1},{"b":{"$foo":1}}]}"#, .unknownOperator("$foo"), "$or[1] / b / $foo"),
            (#"{"$where":"x"}"#, .unknownOperator("$where"), "$where"),
            (#"{"$expr":{}}"#, .unknownOperator("$expr"), "$expr"),
            (#"{"$gt":1}"#, .misplacedOperator("$gt"), "$gt"),
            (#"{"$not":{"a":1}}"#, .misplacedOperator("$not"), "$not"),
            (#"{"a":{"$and":[{"b":1}]}}"#, .misplacedOperator("$and"), "a / $and"),
            (#"{"a":{"$gt":1,"b":2}}"#, .mixed(field: "b"), "a / b"),
            (#"{"a":{"b":2,"$gt":1}}"#, .mixed(field: "b"), "a / b"),
            (#"{"a":{"$eq":{"$gt":""}}}"#, .misplacedOperator("$gt"), "a / $eq / $gt"),
            (#"{"a":{"b":{"$gt":""}}}"#, .misplacedOperator("$gt"), "a / b / $gt"),
            (#"{"a":{"$in":[1,{"$bar":1}]}}"#, .unknownOperator("$bar"), "a / $in[1] / $bar"),
            (
                #"{"a":{"$all":[1,{"$elemMatch":{}}]}}"#,
                .badOperand("$all", expected: "either values or $elemMatch only"), "a / $all"
            ),
            (#"{"a":{"$in":{"$gt":""}}}"#, .badOperand("$in", expected: "a list of values"), "a / $in"),
            (#"{"a":{"$nin":1}}"#, .badOperand("$nin", expected: "a list of values"), "a / $nin"),
            (#"{"a":{"$all":1}}"#, .badOperand("$all", expected: "a list of values"), "a / $all"),
            (#"{"a":{"$not":1}}"#, .badOperand("$not", expected: "operators"), "a / $not"),
            (#"{"a":{"$not":{}}}"#, .badOperand("$not", expected: "operators"), "a / $not"),
            (#"{"a":{"$not":{"b":1}}}"#, .mixed(field: "b"), "a / $not / b"),
            (#"{"a":{"$exists":{}}}"#, .badOperand("$exists", expected: "true or false"), "a / $exists"),
            (#"{"a":{"$exists":"yes"}}"#, .badOperand("$exists", expected: "true or false"), "a / $exists"),
            (
                #"{"a":{"$size":-1}}"#, .badOperand("$size", expected: "a whole number that is not negative"),
                "a / $size"
            ),
            (
                #"{"a":{"$size":1.5}}"#,
                .badOperand("$size", expected: "a whole number that is not negative"), "a / $size"
            ),
            (
                #"{"a":{"$size":{"$gt":1}}}"#,
                .badOperand("$size", expected: "a whole number that is not negative"), "a / $size"
            ),
            (
                #"{"a":{"$type":"text"}}"#,
                .badOperand("$type", expected: "BSON type names such as \"string\" or their numbers"),
                "a / $type"
            ),
            (
                #"{"a":{"$type":0}}"#,
                .badOperand("$type", expected: "BSON type names such as \"string\" or their numbers"),
                "a / $type"
            ),
            (#"{"a":{"$type":[]}}"#, .badOperand("$type", expected: "at least one type"), "a / $type"),
            (
                #"{"a":{"$elemMatch":1}}"#, .badOperand("$elemMatch", expected: "a query or operators"),
                "a / $elemMatch"
            ),
            (#"{"a":{"$elemMatch":{"x":{"$no":1}}}}"#, .unknownOperator("$no"), "a / $elemMatch / x / $no"),
            (#"{"a":{"$regex":{}}}"#, .badOperand("$regex", expected: "text"), "a / $regex"),
            (#"{"a":{"$options":"i"}}"#, .optionsWithoutPattern, "a / $options"),
            (
                #"{"a":{"$regex":"a","$options":1}}"#, .badOperand("$options", expected: "text"),
                "a / $options"
            ),
            (
                #"{"a":{"$regex":"a","$options":"q"}}"#,
                .badPattern(PatternError(.unknownOption("q"), offset: 0)), "a / $regex"
            ),
            (#"{"$and":[]}"#, .badOperand("$and", expected: "a list of queries"), "$and"),
            (#"{"$or":{}}"#, .badOperand("$or", expected: "a list of queries"), "$or"),
            (#"{"$nor":[1]}"#, .badOperand("$nor", expected: "a list of queries"), "$nor[0]"),
            (#"{"a":{"$lt":{"$ago":"tomorrow"}}}"#, .badOperand("$ago", expected: TimeSpan.form), "a / $lt"),
            (#"{"a":{"$lt":{"$ago":1}}}"#, .badOperand("$ago", expected: TimeSpan.form), "a / $lt"),
        ])
    func refused(json: String, reason: QueryError.Reason, place: String) throws {
        let error = #expect(throws: QueryError.self) { try Query(json: json, now: 0) }
        #expect(error?.reason == reason)
        #expect(error?.description == "query at \(place): \(reason)")
    }

    @Test("text that is no query, and paths without bound, are refused")
    func refusedWhole() throws {
        #expect(throws: QueryError(.notJSON(JSONError(reason: .notAnObject, offset: 0)), at: [])) {
            try Query(json: "[1]")
        }
        let longest = Array(repeating: "0", count: Query.maximumPathSteps).joined(separator: ".")
        _ = try Query(json: #"{"\#(longest)":1}"#)
        #expect(throws: QueryError(.pathTooLong, at: [.name(longest + ".0")])) {
            try Query(json: #"{"\#(longest).0":1}"#)
        }
        #expect(throws: QueryError(.unsupportedValue(type: 0x13), at: [.name("a")])) {
            try Query(["a": .other(type: 0x13, bytes: Array(repeating: 0, count: 16))])
        }
    }

    @Test("a path of numbers through lists of documents of lists ends in bounded time")
    func bounded() throws {
        var value: Value = 7
        for _ in 0..<49 { value = ["0": [value]] }
        let path = Array(repeating: "0", count: Query.maximumPathSteps).joined(separator: ".")
        let query = try Query(json: #"{"\#(path)":{"$eq":"never"}}"#)
        let host = try #require(value.document)
        let start = ContinuousClock.now
        #expect(try !query.matches(host))
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
