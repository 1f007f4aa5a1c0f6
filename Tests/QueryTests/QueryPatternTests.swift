import PDDocument
import Testing

@testable import PDQuery

@Suite("Regular expressions")
struct QueryPatternTests {
    private func matches(_ pattern: String, _ options: String = "", _ text: String) throws -> Bool {
        let pattern = try Pattern(pattern, options: options)
        return try Array(text.utf8).withUnsafeBytes { (bytes) throws(PatternError) in
            try pattern.matches(bytes)
        }
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
            ("^{", "", ["{"], ["}"]), ("(a)\\1", "", ["aa"], ["ab"]), ("(?<n>.)\\k<n>", "", ["xx"], ["xy"]),
            ("a(?=b)", "", ["ab"], ["ac"]), ("a(?!b)", "", ["ac"], ["ab"]), ("(?<=a)b", "", ["ab"], ["cb"]),
            ("(?<!a)b", "", ["cb"], ["ab"]), ("^(?>a*)a", "", [], ["aa"]), ("^a++a", "", [], ["aa"]),
            ("^(a(?1)?b)$", "", ["aabb"], ["aab"]), ("^(a)?(?(1)b|c)$", "", ["ab", "c"], ["ac"]),
            ("^\\p{L}+$", "", ["éa"], ["1"]), ("^\\X$", "", ["e\u{301}"], ["ee"]),
            ("a\\Kb", "", ["ab"], ["a"]),
            ("(*UTF8)é", "", ["é"], ["e"]), ("ſ", "i", ["S", "s"], ["f"]), ("^\\w$", "", ["a"], ["é"]),
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
        "what is wrong is refused in PCRE2's words, with its place",
        arguments: [
            ("(a", "missing closing parenthesis", 2), ("é[a", "missing terminating ] for character class", 3),
            ("a\\", "\\ at end of pattern", 2), ("a)", "unmatched closing parenthesis", 1),
            ("*a", "quantifier does not follow a repeatable item", 0),
            ("[z-a]", "range out of order in character class", 3),
            ("a{3,1}", "numbers out of order in {} quantifier", 5),
            ("[[:foo:]]", "unknown POSIX class name", 3),
            ("\\x{110000}", "character code point value in \\x{} or \\o{} is too large", 9),
            ("\\C", "using \\C is disabled by the application", 2),
        ])
    func refused(pattern: String, words: String, offset: Int) {
        let error = #expect(throws: PatternError.self) { try Pattern(pattern, options: "") }
        #expect(error == PatternError(.wrong(words), offset: offset), "\(error.map { "\($0)" } ?? "")")
        #expect("\(error.map { "\($0)" } ?? "")" == "\(words), at character \(offset)")
    }

    @Test("options other than MongoDB's, NUL, and what is too large are refused by name")
    func limits() {
        let cases: [(String, String, PatternError)] = [
            ("a", "iq", PatternError(.unknownOption("q"), offset: 1)),
            ("a\u{0}b", "", PatternError(.containsNUL)),
            (String(repeating: "a", count: Pattern.maximumSize + 1), "", PatternError(.tooLarge)),
            ("(((a{1000}){1000}){1000})", "", PatternError(.tooLarge)),
            (String(repeating: "(", count: 10_000), "", PatternError(.tooLarge)),
        ]
        for (pattern, options, error) in cases {
            #expect(throws: error, "\(pattern.prefix(30))") { try Pattern(pattern, options: options) }
        }
    }

    @Test(
        "a match that would take too long ends with an error, and never as no match",
        arguments: [
            "^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "^([a-zA-Z]+)*$", "(x+x+)+y|(a+a+)+b", "^(((a*)*)*)*$",
            "(a*+)*b|(?:a*)*c", "a[^b]*+bc", "(?=(a+))a*bd\\1", "(a*)*\\1bc", "^(a(?1)?a)+$",
        ])
    func bounded(pattern: String) throws {
        let compiled = try Pattern(pattern, options: "")
        let text = Array((String(repeating: "a", count: 50_000) + "!bdc").utf8)
        let elapsed = ContinuousClock().measure {
            #expect(throws: PatternError(.tooCostly)) {
                try text.withUnsafeBytes { (bytes) throws(PatternError) in try compiled.matches(bytes) }
            }
        }
        #expect(elapsed < .seconds(10))
    }

    @Test(
        "a match that goes over a long text once is within the limits",
        arguments: ["^.*!$", "b|!", "(?:a|b)*?!"])
    func long(pattern: String) throws {
        #expect(try matches(pattern, "s", String(repeating: "a", count: 100_000) + "!"))
    }

    @Test("a query that cannot be answered throws, and a set of queries says which it is")
    func undecided() throws {
        let host: Document = ["a": .string(String(repeating: "a", count: 50_000) + "!")]
        let queries = try [
            #"{"a": {"$regex": "^(a+)+$"}}"#, #"{"a": {"$not": {"$regex": "^(a+)+$"}}}"#,
            #"{"a": {"$in": ["x"], "$regex": "^(a+)+$"}}"#, #"{"a": {"$regex": "!"}}"#,
            #"{"$or": [{"a": {"$regex": "^(a+)+$"}}, {"a": {"$exists": true}}]}"#,
            #"{"$or": [{"a": {"$exists": true}}, {"a": {"$regex": "^(a+)+$"}}]}"#,
        ].map { try Query(json: $0) }
        for index in [0, 1, 4] {
            #expect(throws: PatternError(.tooCostly)) { try queries[index].matches(host) }
        }
        var found: [Int] = []
        var undecided: [Int] = []
        QuerySet(queries).forEachMatch(in: host) {
            found.append($0)
        } undecided: { index, _ in
            undecided.append(index)
        }
        #expect(found == [3, 5] && undecided == [0, 1, 4])
    }

    @Test("whatever is cut off or put in, the answer is a pattern or an error")
    func robust() throws {
        let whole = "^(?i:a[^\\]b-d[:alpha:]]{2,3}|\\x{41}\\Q.\\E*?)(?<n>\\d+)$"
        let scalars = Array(whole.unicodeScalars)
        var compiled = 0
        for end in 0...scalars.count {
            for extra in ["", "(", ")", "[", "]", "{", "}", "\\", "*", "?", "|", "-", ":", "\u{0}"] {
                var text = String.UnicodeScalarView(scalars[..<end])
                text.append(contentsOf: extra.unicodeScalars)
                text.append(contentsOf: scalars[min(end + 1, scalars.count)...])
                if let pattern = try? Pattern(String(text), options: "x") {
                    compiled += 1
                    _ = try Array("ab]cd1A.".utf8).withUnsafeBytes { (bytes) throws(PatternError) in
                        try pattern.matches(bytes)
                    }
                }
            }
        }
        #expect(compiled > 100)
    }
}
