import Glibc
import PDCrypto
import PDFiles
import PDProtocol
import PDSecrets

/// The form of a backup: a ustar archive (IEEE Std 1003.1) that any tar unpacks, whose last member, `SHA256`, holds the
/// SHA-256 of all bytes before that member's header.
///
/// It is only read in the very bytes that the writer makes of it: whatever else stands anywhere, a flipped bit in a
/// padding too, is damage.
enum BackupArchive {
    /// What the backup is: the first member, see ``BackupDescription``.
    static let description = "backup.json"
    /// The digest: the last member.
    static let digest = "SHA256"
    static let blockBytes = 512
    static let pieceBytes = 1 << 18
}

/// Writes a backup's archive.
final class BackupArchiveWriter {
    private let output: BackupOutput
    private var hash: SHA256? = SHA256()
    private var done = 0
    private let progress: (Int) -> Void

    /// - Parameter progress: called with the bytes written so far.
    init(_ output: BackupOutput, progress: @escaping (Int) -> Void) {
        self.output = output
        self.progress = progress
    }

    func add(_ path: RelativePath, mode: Int, content: [UInt8]) throws {
        try put(TarWriter.header(path: path, mode: mode, size: content.count))
        try put(content)
        try put(TarWriter.padding(after: content.count))
    }

    /// Adds a file as it is now; what is appended meanwhile is left out.
    func add(_ path: RelativePath, file: String) throws {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: file, code: errno) }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            throw FileError(operation: "read", path: file, code: EINVAL)
        }
        let size = Int(info.st_size)
        try put(TarWriter.header(path: path, mode: Int(info.st_mode & 0o777), size: size))
        var rest = size
        while rest > 0 {
            var failure: Int32 = 0
            let piece = [UInt8](unsafeUninitializedCapacity: min(rest, BackupArchive.pieceBytes)) {
                buffer, count in
                let result = retryingInterrupts { read(descriptor, buffer.baseAddress, buffer.count) }
                if result < 0 { failure = errno }
                count = max(0, result)
            }
            guard failure == 0 else { throw FileError(operation: "read", path: file, code: failure) }
            guard !piece.isEmpty else {
                throw StateError("\(file) became shorter while it was backed up: try again")
            }
            try put(piece)
            rest -= piece.count
        }
        try put(TarWriter.padding(after: size))
    }

    func finish() throws {
        let digest = Array((hexadecimal(hash.take()?.finalize() ?? []) + "\n").utf8)
        try output.write(
            TarWriter.header(path: RelativePath(BackupArchive.digest), mode: 0o600, size: digest.count)
                + digest + TarWriter.padding(after: digest.count) + TarWriter.end)
        try output.finish()
    }

    private func put(_ bytes: [UInt8]) throws {
        hash?.update(bytes)
        try output.write(bytes)
        done += bytes.count
        progress(done)
    }
}

/// Reads a backup's archive.
final class BackupArchiveReader {
    /// One member.
    struct Member {
        let path: RelativePath
        let mode: Int
        let size: Int
    }

    private let input: BackupInput
    private var hash: SHA256? = SHA256()

    init(_ input: BackupInput) { self.input = input }

    /// The next member, whose content must then be read; nothing after the last, when all of the archive is known to be
    /// as it was written.
    func next() throws -> Member? {
        let header = try Array(input.read(BackupArchive.blockBytes))
        guard let member = Self.member(header) else { throw input.damage("a header makes no sense") }
        guard member.path.text == BackupArchive.digest else {
            hash?.update(header)
            return member
        }
        let digest = Array((hexadecimal(hash.take()?.finalize() ?? []) + "\n").utf8)
        let expected =
            digest + TarWriter.padding(after: digest.count) + TarWriter.end
        guard member.size == digest.count, member.mode == 0o600,
            try input.read(expected.count).elementsEqual(expected)
        else { throw input.damage("its SHA-256 is another one than it says") }
        try input.finish()
        return nil
    }

    /// Reads the content of the member that came last.
    func content(of member: Member, _ body: ([UInt8]) throws -> Void) throws {
        var rest = member.size
        while rest > 0 {
            let piece = try Array(input.read(min(rest, BackupArchive.pieceBytes)))
            hash?.update(piece)
            try body(piece)
            rest -= piece.count
        }
        let padding = TarWriter.padding(after: member.size)
        let found = try Array(input.read(padding.count))
        hash?.update(found)
        guard found == padding else { throw input.damage("a padding is not empty") }
    }

    /// A header, where it is one that the writer makes.
    private static func member(_ header: [UInt8]) -> Member? {
        func text(_ field: Range<Int>) -> String? {
            String(validating: header[field].prefix { $0 != 0 }, as: UTF8.self)
        }
        func number(_ field: Range<Int>) -> Int? { text(field).flatMap { Int($0, radix: 8) } }
        // The fields of ustar: name, prefix, mode, size.
        guard let name = text(0..<100), let prefix = text(345..<500), let mode = number(100..<108),
            let size = number(124..<136),
            // Why it is none is of no use: it is not what was written.
            let path = try? RelativePath(prefix.isEmpty ? name : "\(prefix)/\(name)"),
            let written = try? TarWriter.header(path: path, mode: mode, size: size), written == header
        else { return nil }
        return Member(path: path, mode: mode, size: size)
    }
}
