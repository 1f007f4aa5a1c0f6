import Foundation
import Testing

@testable import pd_shares

@Suite("New files of pd-shares")
struct SharesNewFilesTests {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "new-files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    }

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
        #expect(try names.isEmpty == nameless)
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
        if nameless { try write("two", to: files.create("b")) }
        try Data("theirs".utf8).write(to: directory.appending(path: "b"))
        #expect(throws: ToolError.self) {
            if nameless { try files.commit() } else { _ = try files.create("b") }
        }
    }
}
