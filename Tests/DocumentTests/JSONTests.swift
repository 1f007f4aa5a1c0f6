import Testing

@testable import PDDocument

@Suite("JSON becomes a document in one strict pass")
struct JSONTests {
    private func read(_ text: String, _ timestamps: Document.TimestampConvention = .none) throws -> Document {
        try Document(json: Array(text.utf8), timestamps: timestamps)
    }

    @Test("values keep their type, names their order")
    func values() throws {
        let document = try read(
            #" {"z": 1, "a": -2147483649, "d": 1.0, "e": 1e3, "s": "café 🐧\u00e9\ud83d\udc27\n\/", "t": true, "f": false, "n": null, "l": [1, "x", {}], "o": {"k": []}} "#
        )
        #expect(document.keys == ["z", "a", "d", "e", "s", "t", "f", "n", "l", "o"])
        #expect(document["z"] == .int32(1))
        #expect(document["a"] == .int64(-2_147_483_649))
        #expect(document["d"] == .double(1))
        #expect(document["e"] == .double(1000))
        #expect(document["s"] == .string("café 🐧é🐧\n/"))
        #expect(document["t"] == .bool(true))
        #expect(document["f"] == .bool(false))
        #expect(document["n"] == .null)
        #expect(document["l"] == .array([1, "x", .document([:])]))
        #expect(document["o"] == .document(["k": []]))
        #expect(try Document(bson: document.bson) == document)
    }

    @Test(
        "integers at the edges of 32 and 64 bits keep their value",
        arguments: [
            ("2147483647", Value.int32(.max)), ("-2147483648", .int32(.min)),
            ("2147483648", .int64(2_147_483_648)),
            ("9223372036854775807", .int64(.max)), ("-9223372036854775808", .int64(.min)), ("-0", .int32(0)),
            ("-0.0", .double(-0.0)), ("18446744073709551615", .double(18446744073709551615)),
            ("9223372036854775808", .double(9223372036854775808)),
            ("-9223372036854775809", .double(-9223372036854775809)), ("1e+300", .double(1e300)),
            ("0.1", .double(0.1)),
        ])
    func numbers(text: String, value: Value) throws {
        #expect(try read("{\"n\":\(text)}")["n"] == value)
    }

    @Test(
        "p128_what is not strict JSON is refused with its reason",
        arguments: [
            ("", JSONError.Reason.notAnObject), ("[1]", .notAnObject), ("\"x\"", .notAnObject),
            ("{", .endsEarly),
            ("{\"a\"", .endsEarly), ("{\"a\":", .endsEarly), ("{\"a\":1", .endsEarly),
            ("{\"a\":1,}", .unexpected),
            ("{\"a\":1}x", .trailing), ("{\"a\":1}{}", .trailing), ("{'a':1}", .unexpected),
            ("{a:1}", .unexpected),
            ("{\"a\":NaN}", .unexpected), ("{\"a\":Infinity}", .unexpected),
            ("{\"a\":-Infinity}", .unexpected),
            ("{\"a\":01}", .unexpected), ("{\"a\":+1}", .unexpected), ("{\"a\":.5}", .unexpected),
            ("{\"a\":1.}", .unexpected), ("{\"a\":1e}", .unexpected), ("{\"a\":-}", .unexpected),
            ("{\"a\":0x10}", .unexpected), ("{\"a\":tru}", .unexpected), ("{\"a\":\"\\x\"}", .unexpected),
            ("{\"a\":1e400}", .numberOutOfRange),
            ("{\"a\":\"\\ud800\"}", .notUnicode), ("{\"a\":\"\\udc80\"}", .notUnicode),
            ("{\"a\":\"\\ud800\\u0041\"}", .notUnicode), ("{\"a\":\"\u{01}\"}", .controlCharacter),
            ("{\"a\":1,\"a\":2}", .duplicateKey), ("{\"a\":1,\"\\u0061\":2}", .duplicateKey),
            ("{\"a\\u0000b\":1}", .nulInKey), ("{\"a\":1 \"b\":2}", .unexpected),
            ("\u{FEFF}{}", .notAnObject),
        ])
    func refused(text: String, reason: JSONError.Reason) {
        #expect {
            try read(text)
        } throws: {
            ($0 as? JSONError)?.reason == reason
        }
    }

    @Test("p128_bytes that are not UTF-8 are refused, in names and in text")
    func invalidUTF8() {
        for bytes: [UInt8] in [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82],
        ] {
            let text = Array("{\"a\":\"".utf8) + bytes + Array("\"}".utf8)
            #expect(throws: JSONError(reason: .notUnicode, offset: 6)) { try Document(json: text) }
            let name = Array("{\"".utf8) + bytes + Array("\":1}".utf8)
            #expect(throws: JSONError(reason: .notUnicode, offset: 2)) { try Document(json: name) }
        }
    }

    @Test("p128_nesting ends at the limit, by ten thousand as by one")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            "{\"a\":" + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1)
                + "}"
        }
        _ = try read(nested(Document.maximumDepth))
        for depth in [Document.maximumDepth + 1, 10_000, 1_000_000] {
            #expect {
                try read(nested(depth))
            } throws: {
                ($0 as? JSONError)?.reason == .tooDeep
            }
        }
    }

    @Test("a name that occurs twice is found among thousands")
    func manyNames() throws {
        let names = (0..<5000).map { "\"k\($0)\":\($0)" }
        #expect(try read("{" + names.joined(separator: ",") + "}").keys.count == 5000)
        #expect {
            try read("{" + (names + ["\"k4321\":0"]).joined(separator: ",") + "}")
        } throws: {
            ($0 as? JSONError)?.reason == .duplicateKey
        }
    }

    /// Values of all kinds stand between the names, which begin like each other.
    @Test(
        "a name that occurs twice is found wherever it stood, in small objects and large", arguments: 1...40)
    func repeatedName(count: Int) throws {
        let values = [
            #"{"n0":[1,{"n1":2}]}"#, #"["n0","n1"]"#, #""2017-07-21T16:00:00""#, "1e3", "null", "-7",
        ]
        let names = [""] + (1..<count).map { $0 % 3 == 0 ? "n\($0)_at" : "n\($0)" }
        let fields = names.enumerated().map { #""\#($1)":\#(values[$0 % values.count])"# }
        let whole = try Document(
            json: Array("{\(fields.joined(separator: ","))}".utf8), timestamps: .atSuffix)
        #expect(whole.keys == names)
        for name in names {
            let text = "{\((fields + [#""\#(name)":1"#]).joined(separator: ","))}"
            let offset = "{\(fields.joined(separator: ",")),".utf8.count
            #expect(throws: JSONError(reason: .duplicateKey, offset: offset)) {
                try Document(json: Array(text.utf8), timestamps: .atSuffix)
            }
        }
    }

    @Test("a text cut at any byte is refused, never half read")
    func truncation() throws {
        let text = #"{"a":[1,2.5e3,{"b":"\u00e9\ud83d\udc27"}],"c":null,"d":true}"#
        _ = try read(text)
        for length in 0..<text.utf8.count {
            #expect(throws: JSONError.self) { try Document(json: Array(text.utf8.prefix(length))) }
        }
    }

    @Test("p127_every name that ends in _at is a date, and an empty object stays one")
    func timestamps() throws {
        let document = try read(
            #"{"a_at":"2017-07-21T16:00:00.123456+00:00","n":{"b_at":"2017-07-21 18:00+0200","e":{}},"c_at":"soon","d":"2017-07-21T16:00:00","l_at":["2017-07-21T16:00:00"],"_at":"2017-07-21T16:00:00","n_at":5}"#,
            .atSuffix)
        #expect(document["a_at"] == .date(milliseconds: 1_500_652_800_123))
        #expect(document[["n", "b_at"]] == .date(milliseconds: 1_500_652_800_000))
        #expect(document[["n", "e"]] == .document([:]))
        #expect(document["c_at"] == "soon")
        #expect(document["d"] == "2017-07-21T16:00:00")
        #expect(document["l_at"] == ["2017-07-21T16:00:00"])
        #expect(document["_at"] == .date(milliseconds: 1_500_652_800_000))
        #expect(document["n_at"] == 5)
    }

    @Test("what is written can be read back, and shows no control character")
    func roundTrip() throws {
        let document: Document = [
            "text": "\u{1B}[31m\u{7F}\u{9B}\u{202E}\"\\\n",
            "numbers": [1, 2.5, -3, .int64(1 << 40), .double(1e300)],
            "nested": ["empty": [:], "list": []], "flag": true, "nothing": nil,
        ]
        for pretty in [false, true] {
            let text = document.json(pretty: pretty)
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\n" })
            #expect(!text.unicodeScalars.contains("\u{9B}") && !text.unicodeScalars.contains("\u{202E}"))
            #expect(try read(text) == document)
        }
    }

    @Test(
        "base64 in the JSON of binary values is padded as RFC 4648 says",
        arguments: [(0, ""), (1, "AA=="), (2, "AAE="), (3, "AAEC"), (4, "AAECAw==")])
    func base64(count: Int, text: String) {
        let value = Value.binary(subtype: 0, bytes: (0..<count).map(UInt8.init))
        #expect(value.json() == #"{"$binary":{"base64":""# + text + #"","subType":"00"}}"#)
    }
}
