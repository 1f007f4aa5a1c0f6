import Testing

@testable import PDSettings

@Suite("Settings files")
struct SettingsMappingTests {
    private enum Level: String, CaseIterable { case info, debug }

    private func mapping(_ yaml: String) throws -> SettingsMapping {
        try SettingsMapping(yaml: yaml, file: "s.yml")
    }

    @Test("values are read by name and type")
    func values() throws {
        var top = try mapping(
            "port: 5\nname: x\nflag: true\nhosts:\n- a\n- b\none: c\nlevel: debug\nnested:\n  deep: 1\nempty:\nlist:\n- a: 1\n- a: 2\n"
        )
        #expect(try top.integer("port", in: 1...10) == 5)
        #expect(try top.string("name") == "x")
        #expect(try top.bool("flag") == true)
        #expect(try top.strings("hosts") == ["a", "b"])
        #expect(try top.strings("one") == ["c"])
        #expect(try top.choice("level", Level.self) == .debug)
        var nested = try top.mapping("nested")
        #expect(try nested.integer("deep", in: 0...1) == 1)
        try nested.finish()
        #expect(try top.string("empty") == nil)
        #expect(try top.mapping("empty").names.isEmpty)
        #expect(try top.string("absent") == nil)
        for (index, inner) in try top.mappings("list").enumerated() {
            var inner = inner
            #expect(try inner.integer("a", in: 0...9) == index + 1)
            try inner.finish()
        }
        try top.finish()
    }

    @Test("an empty file is an empty mapping")
    func empty() throws {
        for text in ["", "\n", "# nothing\n", "---\n"] { try mapping(text).finish() }
    }

    @Test("a name that nobody knows is an error with its line and the nearest name that is known")
    func unknown() throws {
        var top = try mapping("port: 5\n\ndatabse:\n  host: x\n")
        _ = try top.integer("port", in: 1...10)
        _ = try top.mapping("database")
        #expect(
            throws: SettingsError(
                file: "s.yml", line: 3, message: "databse is not a setting: did you mean database?")
        ) {
            try top.finish()
        }
        let far = try mapping("zebra: 1\n")
        #expect(throws: SettingsError(file: "s.yml", line: 1, message: "zebra is not a setting")) {
            try far.finish()
        }
    }

    @Test(
        "a value of the wrong type is an error with its line and what it should be",
        arguments: [
            ("a: 1\nport: x", "port must be a whole number from 1 to 10"),
            ("a: 1\nport: 11", "port must be a whole number from 1 to 10"),
            ("a: 1\nport: [1]", "port must be a whole number from 1 to 10"),
        ])
    func wrongType(yaml: String, message: String) throws {
        var top = try mapping(yaml)
        #expect(throws: SettingsError(file: "s.yml", line: 2, message: message)) {
            try top.integer("port", in: 1...10)
        }
    }

    @Test("the other types say what they want as well")
    func otherTypes() throws {
        var top = try mapping("a: [1]\nb: {x: 1}\nc: 1\n")
        #expect(throws: SettingsError(file: "s.yml", line: 1, message: "a must be text")) {
            try top.string("a")
        }
        #expect(throws: SettingsError(file: "s.yml", line: 1, message: "a must be true or false")) {
            try top.bool("a")
        }
        #expect(throws: SettingsError(file: "s.yml", line: 2, message: "b must be a list of texts")) {
            try top.strings("b")
        }
        #expect(throws: SettingsError(file: "s.yml", line: 3, message: "c must be one of info, debug")) {
            try top.choice("c", Level.self)
        }
        #expect(throws: SettingsError.self) { try top.mapping("c") }
        #expect(throws: SettingsError.self) { try top.mappings("c") }
    }

    @Test("a word is taken in whatever case")
    func wordsInAnyCase() throws {
        var top = try mapping("a: Debug\nb: INFO\n")
        #expect(try top.choice("a", Level.self)?.rawValue == "debug")
        #expect(try top.choice("b", Level.self)?.rawValue == "info")
    }

    @Test("what is not YAML, not a mapping, or sets a name twice is refused with its line")
    func malformed() throws {
        #expect { try mapping("a: 1\nb: [\n") } throws: { ($0 as? SettingsError)?.line != nil }
        #expect(throws: SettingsError.self) { try mapping("- a\n") }
        for (yaml, line) in [
            ("b: 1\na: 1\n# a: 2\nab: 3\na: 2\n", 5), ("m:\n  a: 1\n  \"a\" : 2\n", 3), ("{a: 1, a: 2}\n", 1),
        ] {
            #expect(throws: SettingsError(file: "s.yml", line: line, message: "set twice: a")) {
                try mapping(yaml)
            }
        }
        #expect(throws: SettingsError.self) { try mapping("text") }
    }

    @Test("defaults fill in what a file does not say, in inner mappings as well, and nothing else")
    func defaults() throws {
        var top = try SettingsMapping(yaml: "a: 1\nm: {x: 1}\nl: [1]\nn:\n", file: "own.yml")
        top.fill(
            from: try SettingsMapping(yaml: "a: 2\nb: 2\nm: {x: 2, y: 2}\nl: [2, 2]\nn: 2", file: "other.yml")
        )
        #expect(try top.string("a") == "1")
        #expect(try top.string("b") == "2")
        #expect(try top.strings("l") == ["1"])
        #expect(try top.string("n") == "2")
        var inner = try top.mapping("m")
        #expect(try inner.string("x") == "1")
        #expect(try inner.string("y") == "2")
        try inner.finish()
        try top.finish()
    }
}
