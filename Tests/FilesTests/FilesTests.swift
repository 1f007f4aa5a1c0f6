import Foundation
import PDFiles
import Testing

@Suite("Files that are written durably")
struct FilesTests {
    /// Runs a test on an empty directory.
    private func withDirectory(_ test: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.path + "/penguindome-files-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try test(path)
    }

    private func mode(_ path: String) throws -> Int {
        var status = stat()
        try #require(lstat(path, &status) == 0)
        return Int(status.st_mode & 0o7777)
    }

    @Test("a file is replaced whole, with the mode that was asked for, and nothing stays beside it")
    func replaces() throws {
        try withDirectory { directory in
            let path = "\(directory)/file"
            try Files.writeAtomically([1, 2, 3], to: path)
            #expect(try Files.read(path) == [1, 2, 3])
            #expect(try mode(path) == 0o600)
            try Files.writeAtomically([], to: path, mode: 0o666)
            #expect(try Files.read(path) == [])
            #expect(try mode(path) == 0o666)
            #expect(try Files.names(in: directory) == ["file"])
        }
    }

    @Test("a file that cannot be put in place is named, and nothing stays beside it")
    func cannotReplace() throws {
        try withDirectory { directory in
            try FileManager.default.createDirectory(
                atPath: "\(directory)/taken/x", withIntermediateDirectories: true)
            #expect(throws: FileError.self) { try Files.writeAtomically([1], to: "\(directory)/taken") }
            #expect(try Files.names(in: directory) == ["taken"])
            #expect {
                try Files.writeAtomically([1], to: "\(directory)/nothing/file")
            } throws: {
                "\($0)" == "cannot write \(directory)/nothing/file: No such file or directory"
            }
        }
    }

    @Test("directories are made with those above them, with the mode that was asked for whatever the umask")
    func directories() throws {
        try withDirectory { directory in
            try #require(chmod(directory, 0o700) == 0)
            try Files.makeDirectories("\(directory)/a//b/", mode: 0o775)
            #expect(try mode("\(directory)/a/b") == 0o775 && mode("\(directory)/a") == 0o775)
            #expect(try mode(directory) == 0o700)
            try Files.writeAtomically([], to: "\(directory)/file")
            #expect(throws: FileError(operation: "make", path: "\(directory)/file/x", code: ENOTDIR)) {
                try Files.makeDirectories("\(directory)/file/x", mode: 0o755)
            }
        }
    }

    @Test("a private directory is made with those above it, or tightened; those above stay as they are")
    func privateDirectories() throws {
        try withDirectory { directory in
            try #require(chmod(directory, 0o755) == 0)
            try Files.makePrivateDirectory("\(directory)/a/b")
            #expect(try mode("\(directory)/a/b") == 0o700 && mode("\(directory)/a") == 0o700)
            #expect(try mode(directory) == 0o755)
            try #require(chmod("\(directory)/a/b", 0o755) == 0)
            try Files.makePrivateDirectory("\(directory)/a/b")
            #expect(try mode("\(directory)/a/b") == 0o700)
            try Files.writeAtomically([], to: "\(directory)/file")
            #expect(throws: FileError.self) { try Files.makePrivateDirectory("\(directory)/file") }
        }
    }

    @Test("where no directory can be made, the one that holds it keeps its mode")
    func unmakeable() throws {
        let before = try mode("/proc")
        #expect(throws: FileError.self) { try Files.makePrivateDirectory("/proc/nothing/here") }
        #expect(try mode("/proc") == before)
    }

    @Test("a file that is longer than allowed, or a link where none may be, is not read")
    func refusesToRead() throws {
        try withDirectory { directory in
            try Files.writeAtomically([1, 2, 3], to: "\(directory)/file")
            try #require(symlink("file", "\(directory)/link") == 0)
            #expect(throws: FileError.self) { try Files.read("\(directory)/file", limit: 2) }
            #expect(try Files.read("\(directory)/link") == [1, 2, 3])
            #expect(throws: FileError.self) { try Files.read("\(directory)/link", links: .refuse) }
        }
    }

    @Test("a lock that another has is waited for as long as one has patience, and no longer")
    func lock() throws {
        try withDirectory { directory in
            let path = "\(directory)/lock"
            let other = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            try #require(flock(other, LOCK_EX) == 0)
            let start = ContinuousClock.now
            #expect {
                try StateLock(path, patience: .milliseconds(200))
            } throws: {
                ($0 as? FileError)?.code == EWOULDBLOCK
            }
            #expect(ContinuousClock.now - start >= .milliseconds(200))
            Thread.detachNewThread {
                usleep(100_000)
                close(other)
            }
            _ = try StateLock(path, patience: .seconds(30))
        }
    }
}
