import Testing

@testable import PDProtocol

@Suite("Paths of releases and patches")
struct PathTests {
    @Test(
        "a path below a directory is taken as it stands",
        arguments: [
            "a", "bin/pd-agent", "a b/ü.txt", "-rf", "...", "a/..b/c", String(repeating: "x", count: 255),
        ])
    func good(text: String) throws {
        #expect(try RelativePath(text).text == text)
        #expect(try RelativePath(text).components.joined(separator: "/") == text)
    }

    @Test(
        "p71_a path that leaves its directory, or that a terminal or a file system would not take, is refused",
        arguments: [
            ("", PathError.empty), ("/etc/passwd", .absolute), ("/", .absolute), ("../x", .dots),
            ("a/../../x", .dots), (".", .dots), ("a/.", .dots), ("..", .dots), ("a//b", .emptyComponent),
            ("a/", .emptyComponent), ("a\u{0}b", .character(0)), ("a\nb", .character(10)),
            ("a\u{1b}[2J", .character(0x1b)), ("a\u{202e}b", .character(0x202e)), ("a\\b", .character(0x5c)),
            ("a\u{200b}", .character(0x200b)), (String(repeating: "x", count: 256), .tooLong),
            (Array(repeating: "abcdefgh", count: 120).joined(separator: "/"), .tooLong),
        ])
    func bad(text: String, error: PathError) {
        #expect(throws: error) { try RelativePath(text) }
    }

    @Test("p71_a slash parts a path also before a combining character")
    func combining() throws {
        let path = try RelativePath("a/\u{300}b/c")
        #expect(path.components == ["a", "\u{300}b", "c"])
        #expect(try path.parents == [RelativePath("a/\u{300}b"), RelativePath("a")])
        #expect(throws: PathError.dots) { try RelativePath("a/../\u{300}b") }
        #expect(try RelativePath("a").parents == [])
    }

    @Test(
        "p75_p78_paths that would be one file on some file system are refused",
        arguments: [
            ("a/b", "a/b"), ("README", "readme"), ("a/B/c", "a/b/d"), ("caf\u{e9}", "cafe\u{301}"),
            ("stra\u{df}e", "STRASSE"), ("stra\u{1e9e}e", "stra\u{df}e"), ("\u{17f}x", "sx"),
            ("README", "READ\u{34f}ME"), ("a", "a/b"), ("a/b", "a"),
        ])
    func collisions(first: String, second: String) throws {
        var paths = PathSet()
        try paths.insert(file: RelativePath(first))
        #expect(throws: PathCollision.self) { try paths.insert(file: RelativePath(second)) }
    }

    @Test("files side by side, and directories named before or after what is in them, are taken")
    func noCollision() throws {
        var paths = PathSet()
        try paths.insert(file: RelativePath("a/b"))
        try paths.insert(file: RelativePath("a/c/d"))
        try paths.insert(directory: RelativePath("a"))
        try paths.insert(directory: RelativePath("e"))
        try paths.insert(file: RelativePath("e/f"))
        #expect(throws: PathCollision.self) { try paths.insert(directory: RelativePath("a")) }
        #expect(throws: PathCollision.self) { try paths.insert(directory: RelativePath("a/b")) }
    }

    @Test("two spellings of one text are two paths, in the order of their bytes")
    func bytes() throws {
        let (composed, decomposed) = (try RelativePath("\u{e9}"), try RelativePath("e\u{301}"))
        #expect(composed != decomposed && decomposed < composed && Set([composed, decomposed]).count == 2)
    }
}
