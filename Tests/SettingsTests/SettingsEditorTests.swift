import Testing

@testable import PDSettings

@Suite("Changing settings files")
struct SettingsEditorTests {
    private static let text = """
        # The server's settings.
        port: 8080  # where agents deliver

        # Who may do what.
        users:
          # the boss
          fred: old
          # the other one
          anna: hers

        logging:
          level: info

        """

    private func edited(
        _ text: String = text, _ change: (inout SettingsEditor) throws -> Void
    ) throws -> String {
        var editor = SettingsEditor(yaml: text, file: "server.yml")
        try change(&editor)
        return editor.yaml
    }

    @Test("a value is replaced on its line, and everything else stays, comments too")
    func replace() throws {
        let result = try edited { try $0.set(["users", "fred"], to: .text("new")) }
        #expect(result == Self.text.replacing("fred: old", with: "fred: new"))
    }

    @Test("a new name goes to the end of its mapping")
    func add() throws {
        let result = try edited { try $0.set(["users", "zoe"], to: .text("$pbkdf2-sha256$1$.$/")) }
        #expect(
            result
                == Self.text.replacing(
                    "  anna: hers\n", with: "  anna: hers\n  zoe: $pbkdf2-sha256$1$.$/\n"))
    }

    @Test(
        "a comment behind what changes stays there, and a number sign in a text is none",
        arguments: [
            ("port: 1  # here\na: 2\n", "port: 3  # here\na: 2\n"),
            ("port: \"a #b\"\n", "port: 3\n"), ("port: \"a #b\" # c\n", "port: 3\n"),
            ("port: a#b\n", "port: 3\n"), ("port: # none\na: 2\n", "port: 3 # none\na: 2\n"),
        ])
    func trailingComment(before: String, after: String) throws {
        #expect(try edited(before) { try $0.set(["port"], to: .number(3)) } == after)
    }

    @Test("comments stay where lines end with CR LF, as a file from another system has them")
    func carriageReturns() throws {
        let before = "# one\r\nport: 1  # two\r\n\r\n# three\r\na: 2\r\n"
        let result = try edited(before) { try $0.set(["port"], to: .number(3)) }
        #expect(result == "# one\nport: 3  # two\n\n# three\na: 2\n")
    }

    @Test("a comment stays behind a value that becomes a mapping")
    func commentBehindMapping() throws {
        let result = try edited("port: 1  # here\n") {
            try $0.set(["port"], to: .mapping([("x", .text("y"))]))
        }
        #expect(result == "port:  # here\n  x: y\n")
    }

    @Test("mappings on the way are made")
    func deep() throws {
        let result = try edited {
            try $0.set(["server_auth", "pipe_create", "users"], to: .list([.text("fred")]))
        }
        #expect(result.hasPrefix(Self.text.dropLast(1)))
        #expect(
            try SettingsEditor(yaml: result, file: "x").value(["server_auth", "pipe_create", "users"])
                == .list([.text("fred")]))
    }

    @Test("a name is removed with its value, and the comment of the next one stays")
    func remove() throws {
        let result = try edited { try $0.remove(["users", "fred"]) }
        #expect(result == Self.text.replacing("  fred: old\n", with: ""))
        #expect(try edited { try $0.remove(["users", "nobody"]) } == Self.text)
        #expect(try edited { try $0.remove(["nothing", "there"]) } == Self.text)
    }

    @Test("a value of many lines is replaced whole")
    func block() throws {
        let result = try edited { try $0.set(["users"], to: .mapping([("only", .text("one"))])) }
        #expect(result.contains("users:\n  only: one\n"))
        #expect(!result.contains("fred") && !result.contains("anna"))
        #expect(result.contains("logging:\n  level: info") && result.contains("# Who may do what."))
    }

    @Test("what stands in braces is written anew, and says the same with the change")
    func flow() throws {
        let text = "a: {x: 1, y: {z: 2}} # comment\n# next\nb: [1, 2]\n"
        let result = try edited(text) { try $0.set(["a", "y", "z"], to: .text("3")) }
        #expect(result.contains("# next\nb: [1, 2]\n"))
        #expect(try SettingsEditor(yaml: result, file: "x").value(["a", "y", "z"]) == .text("3"))
        #expect(try SettingsEditor(yaml: result, file: "x").value(["a", "x"])?.scalar?.integer == 1)
        let whole = try edited("{a: 1, b: 2}\n") { try $0.set(["a"], to: .text("5")) }
        #expect(try SettingsEditor(yaml: whole, file: "x").value(["b"])?.scalar?.integer == 2)
    }

    @Test("an empty file takes settings", arguments: ["", "# only a comment\n", "\n\n", "null\n"])
    func empty(text: String) throws {
        let result = try edited(text) { try $0.set(["port", "8443", "deprecated"], to: .text("true")) }
        #expect(
            try SettingsEditor(yaml: result, file: "x").value(["port", "8443", "deprecated"])?.scalar?.bool
                == true)
    }

    @Test("a mapping that loses its last name is empty, and takes new ones")
    func emptied() throws {
        var editor = SettingsEditor(yaml: "users:\n  fred: x\nport: 80\n", file: "x")
        try editor.remove(["users", "fred"])
        #expect(try editor.value(["port"])?.scalar?.integer == 80)
        try editor.set(["users", "anna"], to: .text("y"))
        #expect(try editor.value(["users", "anna"]) == .text("y"))
    }

    @Test(
        "text that ends without a line end, with tabs of Windows lines, or is no YAML is left alone or refused"
    )
    func odd() throws {
        let result = try edited("a: 1\nb: 2") { try $0.set(["b"], to: .number(3)) }
        #expect(result == "a: 1\nb: 3\n")
        #expect(throws: SettingsError.self) { try edited("a: [") { try $0.set(["a"], to: .text("1")) } }
        #expect(throws: SettingsError.self) {
            try edited("a: 1\n") { try $0.set(["a", "b"], to: .text("1")) }
        }
        #expect(throws: SettingsError.self) { try edited("- list\n") { try $0.set(["a"], to: .text("1")) } }
    }

    @Test("whatever is set is there afterwards, whatever was there before", arguments: 0..<60)
    func random(seed: Int) throws {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        func next(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        var editor = SettingsEditor(yaml: Self.text, file: "x")
        for step in 0..<20 {
            let path = (0...next(3)).map { depth in "\(["a", "users", "port", "x"][next(4)])\(depth)" }
            do {
                if next(4) == 0 {
                    try editor.remove(path)
                    #expect(try editor.value(path) == nil)
                } else {
                    try editor.set(path, to: .text("v\(step)"))
                    #expect(try editor.value(path) == .text("v\(step)"))
                }
                #expect(editor.yaml.contains("# Who may do what."))
            } catch {
                // A plain value is in the way of a deeper one.
                #expect("\(error)".contains("inside something that is no mapping"), "\(error)")
            }
        }
    }
}
