import CMongoC
import Testing

@testable import PDDocument

@Suite("BSON documents")
struct BSONTests {
    static let everything: Document = [
        "double": 1.5, "string": "né", "document": ["a": 1], "array": [1, "two", [3]],
        "binary": .binary(subtype: 4, bytes: [1, 2, 3]), "id": .objectID(Array(0..<12)), "bool": true,
        "date": .date(milliseconds: -5), "null": nil, "regex": .regex(pattern: "^a", options: "i"),
        "int32": 7,
        "int64": .int64(1 << 40), "timestamp": .other(type: 0x11, bytes: Array(0..<8)),
        "decimal": .other(type: 0x13, bytes: Array(0..<16)), "minKey": .other(type: 0xFF, bytes: []),
    ]

    @Test("libbson calls what we write valid, and we call it valid too")
    func validity() throws {
        let bytes = Self.everything.bson
        let document = try #require(bson_new_from_data(bytes, bytes.count))
        defer { bson_destroy(document) }
        #expect(bson_validate(document, BSON_VALIDATE_UTF8, nil))
        #expect(try Document(bson: bytes) == Self.everything)
    }

    @Test("every type comes back as it was written")
    func roundTrip() throws {
        let copy = Document(Self.everything.map { ($0.key, $0.value) })
        #expect(copy == Self.everything)
        #expect(copy["array"] == [1, "two", [3]])
        #expect(copy["timestamp"] == .other(type: 0x11, bytes: Array(0..<8)))
    }

    @Test("our JSON reader gives the bytes that libbson's gives, where both have an opinion")
    func sameAsLibbson() throws {
        for text in [
            #"{"a":1,"b":[true,false,null,"x",1.5,-1],"c":{"d":{"e":[]}},"é":"🐧","n":9007199254740993}"#,
            #"{"a":2147483647,"b":2147483648,"c":-2147483648,"d":"\u00e9\ud83d\udc27\/\b\f\n\r\t\"\\"}"#,
            "{}",
        ] {
            var error = bson_error_t()
            let theirs = try #require(bson_new_from_json(text, -1, &error))
            defer { bson_destroy(theirs) }
            var length: UInt32 = 0
            let data = try #require(
                bson_destroy_with_steal(bson_copy(theirs), true, &length) as UnsafeMutablePointer<UInt8>?)
            defer { bson_free(data) }
            #expect(
                try Document(json: Array(text.utf8)).bson
                    == Array(UnsafeBufferPointer(start: data, count: Int(length))))
        }
    }

    @Test(
        "truncated at any byte or with any bit flipped, bytes are refused or still valid for libbson as well")
    func sweeps() throws {
        let bytes = Self.everything.bson
        for length in 0..<bytes.count {
            #expect(throws: BSONError.self) { try Document(bson: Array(bytes.prefix(length))) }
        }
        #expect(throws: BSONError.self) { try Document(bson: bytes + [0]) }
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                guard let document = try? Document(bson: changed) else { continue }
                // Whatever we accept can be walked to its end, and libbson accepts it.
                _ = document.json()
                let theirs = try #require(bson_new_from_data(changed, changed.count))
                #expect(bson_validate(theirs, BSON_VALIDATE_UTF8_ALLOW_NULL, nil), "byte \(index) bit \(bit)")
                bson_destroy(theirs)
            }
        }
    }

    @Test("a document nested ten thousand deep is refused, not followed")
    func depth() {
        var bytes: [UInt8] = [5, 0, 0, 0, 0]
        for _ in 0..<10_000 {
            bytes = DocumentWriter.wrap(bytes)
        }
        #expect {
            try Document(bson: bytes)
        } throws: { error in
            if case .tooDeep = error as? BSONError { true } else { false }
        }
    }

    @Test("setting replaces in place, adds at the end, and removes")
    func setting() {
        let document: Document = ["a": 1, "b": 2]
        #expect(document.setting("a", to: "x") == ["a": "x", "b": 2])
        #expect(document.setting("c", to: 3) == ["a": 1, "b": 2, "c": 3])
        #expect(document.setting("a", to: nil) == ["b": 2])
        #expect(document[["a", "b"]] == nil)
        #expect(Document()[["a"]] == nil && Document().isEmpty)
    }

    @Test("two spellings of one Unicode text are two names and two values")
    func spellings() {
        let (composed, combining) = ("caf\u{E9}", "cafe\u{301}")
        let document = [composed: 1, combining: 2] as Document
        let changed = document.setting(combining, to: 3)
        #expect(changed == [composed: 1, combining: 3] as Document)
        #expect(changed[composed] == 1 && document.setting(composed, to: nil).keys.count == 1)
        #expect(Value.string(composed) != .string(combining))
        #expect(Value.array([.string(composed)]) != .array([.string(combining)]))
        #expect(Value.regex(pattern: composed, options: "") != .regex(pattern: combining, options: ""))
        #expect(Value.string(composed) == .string("caf" + "\u{E9}"))
    }
}

extension DocumentWriter {
    fileprivate static func wrap(_ inner: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0, 0, 0, 0, 3, 97, 0]
        bytes += inner
        bytes.append(0)
        withUnsafeBytes(of: Int32(bytes.count).littleEndian) { bytes.replaceSubrange(0..<4, with: $0) }
        return bytes
    }
}
