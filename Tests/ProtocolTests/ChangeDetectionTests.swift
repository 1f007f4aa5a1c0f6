import Foundation
import PDDocument
import PDTestSupport
import Testing

@testable import PDProtocol

@Suite("What a submission changed")
struct ChangeDetectionTests {
    /// One case that was recorded from the original system.
    struct Recorded: Sendable, CustomTestStringConvertible {
        let name: String
        let old: Document
        let new: Document
        let differences: [V1.Difference]?
        let changes: [V1.Change]?

        var testDescription: String { name }

        static let all: [Recorded] = {
            let file = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../vectors/v1/dict_changes/cases.json")
            guard let json = try? Data(contentsOf: file),
                let document = try? Document(json: Array(#"{"cases":"#.utf8) + json + Array("}".utf8)),
                let cases = document["cases"]?.array
            else { return [] }
            return cases.compactMap { $0.document.flatMap(Recorded.init) }
        }()

        init?(_ recorded: Document) {
            guard let name = recorded["name"]?.string, let old = recorded["old"]?.withDates.document,
                let new = recorded["new"]?.withDates.document
            else { return nil }
            (self.name, self.old, self.new) = (name, old, new)
            differences = recorded["changes"]?.array?.compactMap { $0.string.flatMap(Self.difference) }
            changes = recorded["audit_trail"]?.array?.compactMap { $0.document.flatMap(Self.change) }
        }

        private static func difference(_ line: String) -> V1.Difference? {
            for kind in V1.Difference.Kind.allCases where line.hasPrefix(kind.rawValue + " ") {
                let rest = line.dropFirst(kind.rawValue.count + 1)
                guard let end = rest.range(of: " (") else { return nil }
                return V1.Difference(path: String(rest[..<end.lowerBound]), kind: kind)
            }
            return nil
        }

        private static func change(_ record: Document) -> V1.Change? {
            guard let key = record["key"]?.string,
                let text = (record["type"] ?? record["action"])?.string,
                let kind = V1.Change.Kind(rawValue: text)
            else { return nil }
            return V1.Change(
                key: key, kind: kind, old: record["old"]?.withDates, new: record["new"]?.withDates)
        }
    }

    @Test("all recorded cases are there")
    func count() {
        #expect(Recorded.all.count == 45)
        #expect(Recorded.all.filter { $0.changes != nil }.count == 43)
    }

    // The original passes over `_at` names in documents only, not in documents inside of lists, so that every list with
    // a time in it changes each time. Here the rule holds at every depth.
    @Test(
        "every recorded comparison comes out the same",
        arguments: Recorded.all.filter { $0.changes != nil && $0.name != "strip_dates" })
    func recorded(_ recorded: Recorded) {
        let result = V1.ChangeDetection.compare(old: recorded.old, new: recorded.new)
        #expect(result.differences == recorded.differences)
        #expect(result.changes == recorded.changes)
    }

    @Test("names that end in _at are passed over at every depth, and left out of records")
    func times() throws {
        let recorded = try #require(Recorded.all.first { $0.name == "strip_dates" })
        let result = V1.ChangeDetection.compare(old: recorded.old, new: recorded.new)
        #expect(result.differences == recorded.differences?.filter { $0.path != "l[0].seen_at" })
        #expect(result.changes == recorded.changes?.filter { $0.key != "l" })

        expect(
            ["a_at": 1, "l": [[["x_at": 1, "v": 1]]]], ["b_at": 1, "l": [[["x_at": 2, "v": 1]]]], [], [])
        let added: Document = ["p": ["v": 1, "seen_at": 5, "l": [["w": 2, "x_at": 6]]]]
        expect(
            [:], added, [V1.Difference(path: "p", kind: .added)],
            [V1.Change(key: "p", kind: .added, old: nil, new: ["v": 1, "l": [["w": 2]]])])
    }

    private func expect(
        _ old: Document, _ new: Document, _ differences: [V1.Difference], _ changes: [V1.Change],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let result = V1.ChangeDetection.compare(old: old, new: new)
        #expect(result.differences == differences, sourceLocation: sourceLocation)
        #expect(result.changes == changes, sourceLocation: sourceLocation)
    }

    @Test("p119_lists of mixed types and encrypted values without a hash are compared like any other")
    func mixed() {
        let dictionary: Value = ["a": 1]
        expect(
            ["l": [dictionary, 2]], ["l": ["x", 2]], [V1.Difference(path: "l[0]", kind: .changed)],
            [V1.Change(key: "l", kind: .changed, old: [dictionary, 2], new: ["x", 2])])
        expect(
            ["l": [dictionary, []]], ["l": [[], dictionary]],
            [V1.Difference(path: "l[0]", kind: .changed), V1.Difference(path: "l[1]", kind: .changed)],
            [V1.Change(key: "l", kind: .changed, old: [dictionary, []], new: [[], dictionary])])
        // Without a hash nothing can be told from another encryption of the same text.
        expect(["x-encrypted": ["data": "d"]], ["x-encrypted": ["data": "e"]], [], [])
        expect(
            ["x-encrypted": ["data": "d"]], ["x-encrypted": ["data": "e", "hash": "h"]],
            [V1.Difference(path: "x-encrypted", kind: .changed)],
            [
                V1.Change(
                    key: "x-encrypted", kind: .changed, old: ["data": "d"],
                    new: ["data": "e", "hash": "h"])
            ])
        expect(
            ["x-encrypted": "s"], ["x-encrypted": ["hash": "h"]],
            [V1.Difference(path: "x-encrypted", kind: .typeChanged)],
            [V1.Change(key: "x-encrypted", kind: .changed, old: "s", new: ["hash": "h"])])
        expect(["plugins": nil], ["plugins": nil], [], [])
    }

    @Test("the width of an integer is no difference, in fields and in lists")
    func integers() {
        expect(["a": .int32(1), "l": [.int64(2)]], ["a": .int64(1), "l": [.int32(2)]], [], [])
        expect(
            ["a": .int32(1)], ["a": .int64(2)], [V1.Difference(path: "a", kind: .changed)],
            [V1.Change(key: "a", kind: .changed, old: .int32(1), new: .int64(2))])
        expect(
            ["a": .int64(1)], ["a": .double(1)], [V1.Difference(path: "a", kind: .typeChanged)],
            [V1.Change(key: "a", kind: .changed, old: .int64(1), new: .double(1))])
        expect(
            ["a": .int32(0)], ["a": false], [V1.Difference(path: "a", kind: .typeChanged)],
            [V1.Change(key: "a", kind: .changed, old: .int32(0), new: false)])
    }

    @Test(
        "fields that only moved are no difference; findings come in the order of names, not of bytes on disk")
    func order() {
        expect(["a": 1, "b": ["x": 1, "y": 2]], ["b": ["y": 2, "x": 1], "a": 1], [], [])
        // "a.z" is inside of "a", so it precedes "a-b", although a hyphen precedes a dot.
        expect(
            ["c": 1, "a-b": 1, "a": ["z": 1], "é": 1], ["é": 2, "a": ["z": 2], "a-b": 2, "d": 1],
            [
                V1.Difference(path: "a.z", kind: .changed), V1.Difference(path: "a-b", kind: .changed),
                V1.Difference(path: "c", kind: .deleted), V1.Difference(path: "d", kind: .added),
                V1.Difference(path: "é", kind: .changed),
            ],
            [
                V1.Change(key: "a.z", kind: .changed, old: 1, new: 2),
                V1.Change(key: "a-b", kind: .changed, old: 1, new: 2),
                V1.Change(key: "c", kind: .deleted, old: 1, new: nil),
                V1.Change(key: "d", kind: .added, old: nil, new: 1),
                V1.Change(key: "é", kind: .changed, old: 1, new: 2),
            ])
    }

    @Test("elements of a list come in the order of the list, ten after nine")
    func elements() {
        let old = Value.array((0..<300).map { .int($0) })
        let new = Value.array((0..<300).map { $0 % 100 == 9 || $0 % 100 == 10 ? "x" : .int($0) })
        expect(
            ["l": old], ["l": new],
            [9, 10, 109, 110, 209, 210].map { V1.Difference(path: "l[\($0)]", kind: .changed) },
            [V1.Change(key: "l", kind: .changed, old: old, new: new)])
    }

    @Test("records hold nested documents of their own, from a document that is itself nested")
    func nestedDocuments() throws {
        let outer: Document = ["pad": "xxxxxxx", "host": ["a": ["b": [1, ["c": "d"]]]]]
        let host = try #require(outer["host"]?.document)
        expect(
            host, [:], [V1.Difference(path: "a", kind: .deleted)],
            [V1.Change(key: "a", kind: .deleted, old: ["b": [1, ["c": "d"]]], new: nil)])
    }
}
