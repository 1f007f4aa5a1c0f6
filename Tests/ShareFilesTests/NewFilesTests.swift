import Foundation
import Testing

@testable import PDShareFiles

@Suite("New files of pd-shares")
final class SharesNewFilesTests {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "new-files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() }
    }

    private func write(_ text: String, to file: NewFiles.File) throws {
        try Array(text.utf8).withUnsafeBytes { try file.write($0) }
    }

    /// With and without support for nameless files by the file system.
    @Test(arguments: [true, false])
    func p25_filesThatAreNotCommittedDoNotRemain(nameless: Bool) throws {
        try abandon(nameless: nameless)
        #expect(try names.isEmpty)
    }

    private func abandon(nameless: Bool) throws {
        let files = try NewFiles(directory: directory.path, nameless: nameless)
        try write("one", to: files.create("a"))
        try write("two", to: files.create("b"))
        // Without nameless files there is something, but not under a name that anybody would take for a share.
        #expect(try names.allSatisfy { $0.hasPrefix(".") && $0.hasSuffix(".partial") })
        #expect(try names.isEmpty == nameless)
    }

    @Test(arguments: [true, false])
    func p85_nothingHasItsNameBeforeAllIsWritten(nameless: Bool) throws {
        let files = try NewFiles(directory: directory.path, nameless: nameless)
        let file = try files.create("a")
        try write("one", to: file)
        #expect(try !names.contains("a"))
        try write("two", to: file)
        try files.commit()
        #expect(try names == ["a"])
        #expect(try String(contentsOf: directory.appending(path: "a"), encoding: .utf8) == "onetwo")
    }

    @Test(arguments: [true, false])
    func p24_committedFilesAreWholeAndForTheirOwner(nameless: Bool) throws {
        let files = try NewFiles(directory: directory.path, nameless: nameless)
        try write("one", to: files.create("a"))
        try write("two", to: files.create("b"))
        try files.commit()
        #expect(try names == ["a", "b"])
        for (name, text) in [("a", "one"), ("b", "two")] {
            let path = directory.appending(path: name).path
            #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
            #expect(
                try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test(arguments: [true, false])
    func p24_aNameThatSomebodyTakesMeanwhileIsNotOverwrittenAndTheOthersGo(nameless: Bool) throws {
        try lose(nameless: nameless)
        #expect(try names == ["b"])
        #expect(try String(contentsOf: directory.appending(path: "b"), encoding: .utf8) == "theirs")
    }

    private func lose(nameless: Bool) throws {
        let files = try NewFiles(directory: directory.path, nameless: nameless)
        try write("one", to: files.create("a"))
        try write("two", to: files.create("b"))
        try Data("theirs".utf8).write(to: directory.appending(path: "b"))
        #expect(throws: ToolError.self) { try files.commit() }
    }
}
