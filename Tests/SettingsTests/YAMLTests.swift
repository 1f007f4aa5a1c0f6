import Testing

@testable import PDSettings

@Suite("YAML")
struct YAMLTests {
    private func read(_ yaml: String) throws -> SettingsNode? {
        try YAMLReader.node(of: yaml, file: "s.yml")
    }

    private func refusal(_ yaml: String) -> SettingsError? {
        do throws(SettingsError) {
            _ = try YAMLReader.node(of: yaml, file: "s.yml")
            return nil
        } catch { return error }
    }

    @Test("every value knows its line and column")
    func places() throws {
        let node = try #require(try read("a: 1\nb:\n  - x\n  - {c: ü, d: 2}\n"))
        #expect(node["a"]?.place == SettingsPlace(line: 1, column: 4))
        let element = try #require(node["b"]?.elements?.last)
        #expect(element.place == SettingsPlace(line: 4, column: 5))
        #expect(element.entries?.last?.place == SettingsPlace(line: 4, column: 12))
    }

    @Test(
        "only what all readers of YAML agree on is text without quotation marks",
        arguments: [
            ("abc", true), ("10.0.0.1", true), ("5d", true), ("1:60x", true), ("-", true), (".", true),
            ("0x", true), ("1-2", true), ("2026-01", true), ("1.2.3", true), ("e5", true), ("ja", true),
            ("", false), ("~", false), ("Null", false), ("off", false), ("Yes", false), ("<<", false),
            ("=", false), ("1", false), ("-1_000", false), ("010", false), ("0o17", false), ("0xfF", false),
            ("0b01", false), ("1:30", false), ("1:30.5", false), ("1.5", false), (".5", false),
            ("1e5", false), ("1.", false), ("-.inf", false), (".NaN", false), ("2026-01-31", false),
            ("2026-1-31 10:00:00", false), ("2026-01-31T10:00:00Z", false),
        ])
    func plainText(text: String, isText: Bool) throws {
        #expect(SettingsScalar(text, isQuoted: false).isText == isText)
        #expect(SettingsScalar(text, isQuoted: true).isText)
        // Text is written so that it is read as text again.
        let yaml = try YAMLWriter.yaml(.mapping([("a", .text(text))]))
        #expect(try read(yaml)?["a"]?.scalar == SettingsScalar(text, isQuoted: true))
        #expect(isText || yaml.contains("'"), "\(yaml)")
    }

    @Test(
        "what is written is read as the same",
        arguments: [
            "line\nend\n", "\t", " lead", "trail ", "# no comment", "a: b", "'", "\"", "\\", "\u{0}",
            "\u{85}",
            "ü€😀", "- x", "[", "{", "*a", "&a", "!t", "%", "@", "`", "|", ">", "?", "---", "...",
            String(repeating: "long ", count: 100),
        ])
    func roundTrip(text: String) throws {
        let node = SettingsNode.mapping([
            (text, .list([.text(text), .mapping([]), .list([]), .flag(true), .number(-5)])),
            ("x", .text(text)),
        ])
        #expect(try read(YAMLWriter.yaml(node)) == node)
    }

    @Test(
        "what may be read in more than one way is refused with its line",
        arguments: [
            ("a: 1\nb: 2\na: 3\n", 3, "set twice: a"), ("80: 1\n\"80\": 2\n", 2, "set twice: 80"),
            ("a: {x: 1,\n x: 2}\n", 2, "set twice: x"), ("a: &x 1\n*x : 2\n1: 3\n", 3, "set twice: 1"),
            ("? [1]\n: 2\n", 1, "a name must be plain text"),
            ("a: 1\n? {b: 1}\n", 2, "a name must be plain text"),
            (
                "a: !!python/object x\n", 1,
                "the tag tag:yaml.org,2002:python/object is not known: leave it out"
            ),
            ("a:\n- !x [1]\n", 2, "the tag !x is not known: leave it out"),
            ("a: 1\n---\nb: 1\n", 2, "not valid YAML: there is a second document in it"),
            ("a: *b\n", 1, "not valid YAML: *b refers to nothing before it"),
            ("a: &a [*a]\n", 1, "not valid YAML: *a refers to nothing before it"),
            ("a: 1\nb: [\n", 3, "not valid YAML: did not find expected node content"),
            ("a: 1\n\tb: 1\n", 2, "not valid YAML: found a tab character that violates indentation"),
            ("a: 1\nb: \u{1}\n", 2, "not valid YAML: control characters are not allowed"),
        ])
    func refused(yaml: String, line: Int, message: String) {
        #expect(refusal(yaml) == SettingsError(file: "s.yml", line: line, message: message))
    }

    @Test("a reference to an earlier place is what stands there")
    func references() throws {
        let node = try #require(try read("a: &x {b: [1]}\nc: *x\n"))
        #expect(node["a"] == node["c"])
        #expect(node["c"]?["b"]?.elements?.count == 1)
    }

    @Test("text that is tagged as text is text, as in quotation marks")
    func tags() throws {
        let node = try #require(try read("a: !!str 1\nb: ! 1\nc: !!int 1\nd: !!map {}\ne: !!seq []\n"))
        #expect(node["a"] == .text("1") && node["b"] == .text("1") && node["c"] == .number(1))
    }

    @Test("references to references end at a bound, not in memory")
    func laughs() {
        var yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1...30 {
            let names = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",")
            yaml += "a\(level): &a\(level) [\(names)]\n"
        }
        #expect(refusal(yaml)?.message == "has more than 200000 values, references counted")
    }

    @Test("nesting is bounded, also by way of references")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try read(nested(128)) != nil)
        #expect(refusal(nested(129))?.message == "nested more than 128 deep")
        #expect(refusal(nested(100_000)) != nil)
        let half = nested(80).replacing("[]", with: "[&a []]")
        #expect(throws: Never.self) { try read("- &a \(nested(80))\n- *a\n") }
        #expect(refusal("- &a \(nested(80))\n- \(half.replacing("&a []", with: "*a"))\n") != nil)
    }

    @Test("a file's size is bounded")
    func size() {
        #expect(refusal("a: " + String(repeating: "x", count: 4 << 20))?.message == "has more than 4 MiB")
    }

    @Test(
        "a whole number is decimal, and begins with a zero only where it is one",
        arguments: [
            ("5", 5), ("-5", -5), ("+5", 5), ("0", 0), ("-0", 0), ("010", nil), ("0x10", nil), ("1_000", nil),
            ("1:30", nil), ("1.0", nil), ("", nil), ("99999999999999999999", nil),
        ])
    func integers(text: String, number: Int?) {
        #expect(SettingsScalar(text, isQuoted: false).integer == number)
    }
}
