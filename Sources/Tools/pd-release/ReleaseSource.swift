import FoundationEssentials
import Glibc
import PDBasics
import PDCrypto
import PDFiles
import PDProtocol
import PDToolSupport

/// A file that is to go into a release.
struct ReleaseSource {
    /// Where it goes.
    let path: RelativePath
    /// Where it is.
    let file: String

    init(path: String, file: String) throws(ToolFailure) {
        do throws(PathError) {
            self.path = try RelativePath(path)
        } catch { throw ToolFailure(.failed, "\(file.printable) cannot go into a release: \(error)") }
        self.file = file
    }

    /// Every regular file below a directory. Links and special files are refused: nobody unpacks them.
    static func all(in directory: String, below prefix: String = "") throws(ToolFailure) -> [ReleaseSource] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch { throw ToolFailure(.failed, "cannot list \(directory.printable)") }
        var files: [ReleaseSource] = []
        for name in names.sorted() {
            let file = "\(directory)/\(name)"
            var status = stat()
            guard lstat(file, &status) == 0 else {
                throw ToolFailure(.failed, "cannot look at \(file.printable)")
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: files += try all(in: file, below: "\(prefix)\(name)/")
            case S_IFREG: files.append(try ReleaseSource(path: prefix + name, file: file))
            default:
                throw ToolFailure(
                    .failed,
                    "\(file.printable) is neither a file nor a directory: releases hold nothing else")
            }
        }
        return files
    }

    /// Reads the file once. Its mode in the release is 0755 where its owner may run it, else 0644.
    func read() throws(FileError) -> (described: SignedFile, content: [UInt8]) {
        var status = stat()
        guard lstat(file, &status) == 0 else {
            throw FileError(operation: "look at", path: file, code: errno)
        }
        let content = try Files.read(file, limit: SignedFile.sizeLimit, links: .refuse)
        let mode = status.st_mode & 0o100 != 0 ? 0o755 : 0o644
        return (SignedFile(path: path, mode: mode, content: content), content)
    }
}
