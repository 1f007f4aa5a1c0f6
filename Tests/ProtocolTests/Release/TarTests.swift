import Foundation
import PDCrypto
import Testing

@testable import PDProtocol

/// Reads a whole archive in pieces of one size.
func readTar(_ bytes: [UInt8], step: Int = 1 << 20) throws -> [(entry: TarEntry, content: [UInt8])] {
    var reader = TarReader()
    var members: [(entry: TarEntry, content: [UInt8])] = []
    for start in stride(from: 0, to: bytes.count, by: step) {
        reader.append(bytes[start..<min(start + step, bytes.count)])
        while let event = try reader.next() {
            switch event {
            case .entry(let entry): members.append((entry, []))
            case .content(let piece): members[members.count - 1].content += piece
            case .fileEnd: #expect(members.last?.content.count == members.last?.entry.size)
            }
        }
    }
    try reader.finish()
    return members
}

/// A header whose fields can be set at will, with a good checksum.
func forgedHeader(_ name: String = "f", type: Character = "0", change: (inout [UInt8]) -> Void = { _ in })
    -> [UInt8]
{
    // The path is only a place to start from.
    var block = (try? TarWriter.header(path: RelativePath("f"), mode: 0o644, size: 0)) ?? []
    block.replaceSubrange(
        0..<100, with: Array(name.utf8) + [UInt8](repeating: 0, count: 100 - name.utf8.count))
    block[156] = type.asciiValue ?? 0
    change(&block)
    let digits = String(TarHeader.checksum(block[...]), radix: 8)
    block.replaceSubrange(
        148..<156, with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8) + [0, 0x20])
    return block
}

@Suite("Archives")
struct TarTests {
    private func vectors() -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "vectors/v1")
    }

    private func sample() throws -> [(path: RelativePath, mode: Int, content: [UInt8])] {
        [
            (try RelativePath("bin/pd-agent"), 0o755, Array("#!/bin/sh\n".utf8)),
            (try RelativePath("empty"), 0o644, []),
            (try RelativePath("block"), 0o600, [UInt8](repeating: 7, count: 512)),
            (
                try RelativePath(
                    String(repeating: "p", count: 155) + "/" + String(repeating: "n", count: 100)), 0o644,
                [1]
            ),
        ]
    }

    @Test(
        "what is written is read back in the order of the paths, in pieces of any size",
        arguments: [1, 511, 512, 4096])
    func roundTrip(step: Int) throws {
        let files = try sample()
        let read = try readTar(try TarWriter.archive(files), step: step)
        let wanted = files.sorted { $0.path < $1.path }
        #expect(read.map(\.entry.path) == wanted.map(\.path))
        #expect(read.map(\.entry.mode) == wanted.map(\.mode))
        #expect(read.map(\.content) == wanted.map(\.content))
    }

    @Test("the same files make the same bytes in whatever order they come")
    func reproducible() throws {
        let files = try sample()
        let archive = try TarWriter.archive(files)
        #expect(try TarWriter.archive(files.reversed()) == archive)
        // A change of the format is a change of every release's bytes.
        #expect(archive.count == 4608)
        let digest = SHA256.hash(archive).map { String(format: "%02x", $0) }.joined()
        #expect(digest == "e699f6befd857c45e75948ad2dda682cdee8b53a4f1b7b0081d17ba3629a2736")
    }

    @Test("GNU tar unpacks what is written")
    func foreignReader() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(try TarWriter.archive(sample())).write(to: folder.appending(path: "a.tar"))
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/tar")
        tar.arguments = ["-C", folder.path, "-xf", folder.appending(path: "a.tar").path]
        try tar.run()
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
        for file in try sample() {
            #expect(Array(try Data(contentsOf: folder.appending(path: file.path.text))) == file.content)
        }
    }

    @Test("the archive of an original release, in GNU tar's own format, is refused as that")
    func originalRelease() throws {
        let archive = try Data(contentsOf: vectors().appending(path: "release/ed25519/1717286400.tar"))
        #expect(throws: TarError.notUstar) { try readTar(Array(archive)) }
    }

    @Test(
        "p72_p74_links, devices, extended headers and sparse files are refused by name",
        arguments: [
            ("1", TarError.link), ("2", .link), ("3", .specialFile), ("4", .specialFile), ("6", .specialFile),
            ("x", .extendedHeader), ("g", .extendedHeader), ("L", .extendedHeader), ("K", .extendedHeader),
            ("S", .sparseFile), ("7", .unknownType(0x37)), ("\0", .unknownType(0)), ("V", .unknownType(0x56)),
        ] as [(Character, TarError)])
    func types(type: Character, error: TarError) {
        #expect(throws: error) { try readTar(forgedHeader(type: type) + TarWriter.end) }
    }

    @Test(
        "p71_a member whose path leaves the directory is refused",
        arguments: ["../x", "/abs", "a/../../x", "", ".", "./", "a/./b", "a//b", "a\\b"])
    func paths(name: String) {
        #expect(throws: TarError.self) { try readTar(forgedHeader(name) + TarWriter.end) }
        #expect(throws: TarError.self) { try readTar(forgedHeader(name, type: "5") + TarWriter.end) }
    }

    @Test("p71_a path that is put together from prefix and name is checked as a whole")
    func prefix() {
        let header = forgedHeader("x") { $0.replaceSubrange(345..<347, with: Array("..".utf8)) }
        #expect(throws: TarError.badPath(.dots)) { try readTar(header + TarWriter.end) }
    }

    @Test(
        "p74_set-user-ID, set-group-ID and sticky bits are refused",
        arguments: ["4755", "2755", "1777", "100644"])
    func specialBits(mode: String) {
        let header = forgedHeader {
            $0.replaceSubrange(100..<107, with: Array(("0000000" + mode).suffix(7).utf8))
        }
        #expect(throws: TarError.self) { try readTar(header + TarWriter.end) }
    }

    @Test("p75_p78_a second member of the same name, or of its twin, is refused", arguments: ["f", "F"])
    func twins(name: String) {
        #expect(throws: TarError.self) { try readTar(forgedHeader() + forgedHeader(name) + TarWriter.end) }
    }

    @Test("p72_a file below a file is refused")
    func fileBelowFile() {
        #expect(throws: TarError.self) { try readTar(forgedHeader() + forgedHeader("f/g") + TarWriter.end) }
    }

    @Test("p76_sizes that lie are refused")
    func sizes() throws {
        func sized(_ text: [UInt8]) -> [UInt8] {
            forgedHeader { $0.replaceSubrange(124..<124 + text.count, with: text) }
        }
        // Base-256 of GNU tar, minus one, no digits, too large, more than there is.
        #expect(throws: TarError.badNumber(field: "size")) {
            try readTar(sized([0x80] + Array(repeating: 0, count: 11)))
        }
        #expect(throws: TarError.badNumber(field: "size")) {
            try readTar(sized(Array(repeating: 0xff, count: 12)))
        }
        #expect(throws: TarError.badNumber(field: "size")) { try readTar(sized(Array("           ".utf8))) }
        #expect(throws: TarError.tooLarge(try RelativePath("f"))) {
            try readTar(sized(Array("77777777777".utf8)))
        }
        #expect(throws: TarError.truncated) { try readTar(sized(Array("00000001000".utf8)) + [1, 2, 3]) }
        let directory = forgedHeader("d", type: "5") { $0[134] = UInt8(ascii: "1") }
        #expect(throws: TarError.badNumber(field: "size")) { try readTar(directory + TarWriter.end) }
    }

    @Test("an archive cut off anywhere is refused")
    func truncation() throws {
        let archive = try TarWriter.archive(sample())
        for length in stride(from: 0, to: archive.count, by: 37) {
            #expect(throws: TarError.truncated, "\(length)") { try readTar(Array(archive[..<length])) }
        }
    }

    @Test("every flipped bit of a header is refused or changes nothing that is read")
    func flippedBits() throws {
        let archive = try TarWriter.archive([(try RelativePath("bin/x"), 0o755, Array("content".utf8))])
        let original = try readTar(archive)
        for bit in 0..<512 * 8 {
            var changed = archive
            changed[bit / 8] ^= 1 << (bit % 8)
            guard let read = try? readTar(changed) else { continue }
            #expect(read.map(\.entry) == original.map(\.entry), "bit \(bit)")
        }
    }

    @Test("what could hide in padding, unused fields and after the end is refused")
    func hidden() throws {
        var padded = try TarWriter.archive([(try RelativePath("f"), 0o644, [1])])
        padded[600] = 1
        #expect(throws: TarError.notZero(field: "padding")) { try readTar(padded) }
        let linked = forgedHeader { $0[157] = UInt8(ascii: "x") }
        #expect(throws: TarError.notZero(field: "link name")) { try readTar(linked + TarWriter.end) }
        let named = forgedHeader { $0[50] = UInt8(ascii: "x") }
        #expect(throws: TarError.notZero(field: "name after its end")) { try readTar(named + TarWriter.end) }
        #expect(throws: TarError.trailingBytes) { try readTar(TarWriter.end + forgedHeader()) }
        #expect(throws: TarError.trailingBytes) {
            try readTar(TarWriter.end + [UInt8](repeating: 0, count: 1 << 17))
        }
        #expect(throws: TarError.trailingBytes) {
            try readTar([UInt8](repeating: 0, count: 512) + forgedHeader())
        }
        #expect(try readTar(TarWriter.end + [UInt8](repeating: 0, count: 9216)).isEmpty)
    }

    @Test("GNU tar's own format, a compressed archive and noise are refused")
    func foreign() {
        let gnu = forgedHeader { $0.replaceSubrange(257..<265, with: Array("ustar  \0".utf8)) }
        #expect(throws: TarError.notUstar) { try readTar(gnu + TarWriter.end) }
        #expect(throws: TarError.notUstar) {
            try readTar([0x1f, 0x8b, 8] + [UInt8](repeating: 0, count: 600))
        }
        #expect(throws: TarError.badChecksum) {
            var block = forgedHeader()
            block[0] = UInt8(ascii: "g")
            _ = try readTar(block + TarWriter.end)
        }
    }

    @Test("a path that ustar has no room for is refused when writing")
    func noRoom() throws {
        for text in [
            String(repeating: "x", count: 101),
            String(repeating: "p", count: 156) + "/" + String(repeating: "n", count: 100),
        ] {
            let path = try RelativePath(text)
            #expect(throws: TarError.unsuitablePath(path)) {
                try TarWriter.header(path: path, mode: 0o644, size: 0)
            }
        }
    }

    @Test("no more members than allowed are read")
    func entryLimit() {
        var reader = TarReader(entryLimit: 2)
        reader.append(forgedHeader("a") + forgedHeader("b") + forgedHeader("c") + TarWriter.end)
        #expect(throws: TarError.tooManyEntries(limit: 2)) { while try reader.next() != nil {} }
    }
}
