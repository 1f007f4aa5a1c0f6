import Testing

@testable import PDStore

@Suite("Regular expressions in bounded time")
struct QueryPatternTests {
    private func matches(_ pattern: String, _ options: String = "", _ text: String) throws -> Bool {
        let pattern = try Pattern(pattern, options: options)
        return Array(text.utf8).withUnsafeBytes { pattern.matches($0) }
    }

    @Test(
        "each construct matches what PCRE matches",
        arguments: [
            ("", "", ["", "x"], []), ("abc", "", ["abc", "xabcx"], ["ab", "", "acb"]),
            ("^abc$", "", ["abc", "abc\n"], ["abcd", "xabc", "abc\n\n", "abc\nx"]),
            ("\\Aabc\\z", "", ["abc"], ["abc\n", "xabc"]), ("abc\\Z", "", ["abc", "abc\n"], ["abc\n\n"]),
            ("^b$", "m", ["a\nb\nc", "b", "b\n"], ["ab", "bc"]),
            ("^$", "m", ["", "a\n\nb", "\n"], ["a", "a\n"]),
            ("a.c", "", ["abc", "aéc", "a🐧c", "a\rc"], ["ac", "a\nc", "abbc"]),
            ("a.c", "s", ["a\nc"], ["ac"]),
            ("a|bc|", "", ["", "x"], []), ("^(a|bc)$", "", ["a", "bc"], ["b", "abc", ""]),
            ("^a*$", "", ["", "a", "aaa"], ["b", "ab"]), ("^a+$", "", ["a", "aaa"], ["", "ab"]),
            ("^a?b$", "", ["b", "ab"], ["aab"]), ("^a{2}$", "", ["aa"], ["a", "aaa"]),
            ("^a{2,}$", "", ["aa", "aaaa"], ["a"]), ("^a{1,3}$", "", ["a", "aaa"], ["", "aaaa"]),
            ("^a{0}b$", "", ["b"], ["ab"]), ("^a{,3}$", "", ["a{,3}"], ["a"]), ("a{x}", "", ["a{x}"], ["a"]),
            ("^(ab){2}$", "", ["abab"], ["ab", "aabb"]), ("^(a*)*$", "", ["", "aaa"], ["b"]),
            ("^(a|b)*?c$", "", ["c", "abac"], ["abd"]), ("^(?:a+)+$", "", ["aa"], ["ab"]),
            ("[abc]", "", ["xb"], ["d", ""]), ("^[^abc]$", "", ["d", "é", "\n"], ["a", ""]),
            ("^[a-cx-z]+$", "", ["abcxyz"], ["d", "w"]), ("^[]a]$", "", ["]", "a"], ["b"]),
            ("^[^]a]$", "", ["b"], ["]", "a"]), ("^[a-]$", "", ["a", "-"], ["b"]),
            ("^[-a]$", "", ["-"], ["b"]),
            ("^[\\d_]+$", "", ["1_2"], ["a"]), ("^[^\\s]$", "", ["a"], [" ", "\t"]),
            ("^[[:alpha:]]+$", "", ["aZ"], ["1", "é"]), ("^[[:^digit:]]$", "", ["a"], ["1"]),
            ("^[a[:digit:]b]+$", "", ["a1b"], ["c"]), ("^[\\x41-\\x43]$", "", ["B"], ["D"]),
            ("^[\\]\\\\]$", "", ["]", "\\"], ["x"]), ("^[é-ü]$", "", ["ê"], ["e"]),
            ("^\\d\\D\\w\\W\\s\\S$", "", ["1a_- x"], ["aa_- x"]),
            ("\\bfoo\\b", "", ["a foo b", "foo"], ["food", "_foo"]),
            ("\\Bo", "", ["foo"], ["o", "a o"]), ("^\\.\\*\\/\\-\\@$", "", [".*/-@"], ["xx/-@"]),
            ("^\\t\\n\\r\\f\\e\\a$", "", ["\t\n\r\u{0C}\u{1B}\u{07}"], [""]),
            ("^\\x41\\x{1F427}$", "", ["A🐧"], ["A"]),
            ("^\\Qa.b*\\E+c$", "", ["a.b**c"], ["axbc"]), ("\\Qa.b", "", ["a.b"], ["axb"]),
            ("AbC", "i", ["abc", "ABC"], ["ab"]), ("É[à-ö]", "i", ["éÀ"], ["eA"]),
            ("^[^a]$", "i", ["b"], ["a", "A"]),
            ("a(?i)b", "", ["aB", "ab"], ["AB"]), ("a(?i:b)c", "", ["aBc"], ["aBC"]),
            ("(?i)a(?-i)b", "", ["Ab"], ["AB"]),
            ("(?s).", "", ["\n"], []), ("(a(?i)b)c", "", ["aBc"], ["aBC"]),
            ("(?<n>a)(?P<m>b)(?'o'c)", "", ["abc"], ["ab"]),
            ("a(?#comment)b", "", ["ab"], ["a"]), ("a b # c\n c", "x", ["abc"], ["a b c"]),
            ("[a b]", "x", [" "], ["c"]),
            ("a +", "x", ["aa"], ["b"]), ("^ab?", "u", ["a"], ["b"]), ("^🐧+$", "", ["🐧🐧"], ["🐧x"]),
            ("a\\|b", "", ["a|b"], ["a"]), ("]", "", ["]"], ["["]), ("}", "", ["}"], ["{"]),
            ("^{", "", ["{"], ["}"]),
        ] as [(String, String, [String], [String])])
    func constructs(pattern: String, options: String, yes: [String], no: [String]) throws {
        for text in yes {
            #expect(try matches(pattern, options, text), "/\(pattern)/ must match \(text.debugDescription)")
        }
        for text in no {
            #expect(
                try !matches(pattern, options, text), "/\(pattern)/ must not match \(text.debugDescription)")
        }
    }

    @Test(
        "what is wrong or needs backtracking is refused by name",
        arguments: [
            ("(a)\\1", .unsupported("a reference back")), ("\\k<n>", .unsupported("a reference back")),
            ("(?=a)", .unsupported("looking ahead")), ("(?!a)", .unsupported("looking ahead")),
            ("(?<=a)", .unsupported("looking behind")), ("(?<!a)", .unsupported("looking behind")),
            ("(?>a)", .unsupported("an atomic group")), ("a++", .unsupported("a possessive quantifier")),
            ("a{1}+", .unsupported("a possessive quantifier")), ("(?R)", .unsupported("recursion")),
            ("(?1)", .unsupported("recursion")), ("(?P=n)", .unsupported("a reference to a group")),
            ("(?(1)a)", .unsupported("a conditional group")),
            ("(?|a)", .unsupported("a group that resets numbers")),
            ("(*UTF8)a", .unsupported("a verb (*…)")), ("\\p{L}", .unsupported("the escape \\p")),
            ("\\X", .unsupported("the escape \\X")), ("\\K", .unsupported("the escape \\K")),
            ("(?q)", .unsupported("the option (?q)")), ("[[:foo:]]", .unsupported("the class [:foo:]")),
            ("(a", .endsEarly), ("[a", .endsEarly), ("[]", .endsEarly), ("a\\", .endsEarly),
            ("(?", .endsEarly),
            ("(?i", .endsEarly), ("(?<n", .endsEarly), ("(?#", .endsEarly), ("a)", .unmatchedParenthesis),
            (")", .unmatchedParenthesis), ("*a", .nothingToRepeat), ("a|+", .nothingToRepeat),
            ("(?:?)", .nothingToRepeat),
            ("a**", .nothingToRepeat), ("[z-a]", .badRange), ("[a-\\d]", .badRange), ("a{3,1}", .badRange),
            ("\\x{110000}", .badCharacter), ("\\x{D800}", .badCharacter), ("\\x{}", .badCharacter),
            ("a{5000}", .tooLarge), ("(a{100}){100}", .tooLarge), ("(((){4000}){4000}){4000}", .tooLarge),
            (String(repeating: "(", count: 100_000), .tooLarge),
        ] as [(String, PatternError.Reason)])
    func refused(pattern: String, reason: PatternError.Reason) {
        let error = #expect(throws: PatternError.self) { try Pattern(pattern, options: "") }
        #expect(error?.reason == reason, "/\(pattern.prefix(40))/")
    }

    @Test(
        "patterns that take others exponential time are matched in proportion to the text",
        arguments: [
            "^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "^(.*a){12}$", "^([a-zA-Z]+)*$", "(x+x+)+y", "^(((a*)*)*)*$",
        ])
    func bounded(pattern: String) throws {
        let compiled = try Pattern(pattern, options: "")
        let text = Array((String(repeating: "a", count: 50_000) + "!").utf8)
        let elapsed = ContinuousClock().measure { #expect(!text.withUnsafeBytes { compiled.matches($0) }) }
        #expect(elapsed < .seconds(30))
    }

    @Test("whatever is cut off or put in, the parser answers with a pattern or an error")
    func robust() throws {
        let whole = "^(?i:a[^\\]b-d[:alpha:]]{2,3}|\\x{41}\\Q.\\E*?)(?<n>\\d+)$"
        let scalars = Array(whole.unicodeScalars)
        for end in 0...scalars.count {
            for extra in ["", "(", ")", "[", "]", "{", "}", "\\", "*", "?", "|", "-", ":", "\u{0}"] {
                var text = String.UnicodeScalarView(scalars[..<end])
                text.append(contentsOf: extra.unicodeScalars)
                text.append(contentsOf: scalars[min(end + 1, scalars.count)...])
                if let pattern = try? Pattern(String(text), options: "x") {
                    _ = Array("ab]cd1A.".utf8).withUnsafeBytes { pattern.matches($0) }
                }
            }
        }
    }
}
