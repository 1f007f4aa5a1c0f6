import Glibc
import PDFiles

/// A file that is set aside as `FILE.1`, `FILE.2` … when it is full. One that another program moved away is made anew.
final class FileSink: LogSink {
    private let path: String
    private let maximumBytes: Int
    private let kept: Int
    private let json: Bool
    private var descriptor: Int32 = -1
    private var inode: UInt = 0
    private var size = 0

    init(path: String, maximumBytes: Int, kept: Int, json: Bool) throws(FileError) {
        self.path = path
        self.maximumBytes = maximumBytes
        self.kept = kept
        self.json = json
        try open()
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func write(_ line: LogLine) {
        let bytes = Array((line.fitted(json ? \.json : \.text) + "\n").utf8)
        let isMovedAway = isMovedAway
        if isMovedAway || size + bytes.count > maximumBytes && size > 0 {
            if !isMovedAway { rotate() }
            // Where no new file can be made, the old one goes on.
            try? open()
        }
        guard descriptor >= 0 else { return }
        let written = Glibc.write(descriptor, bytes, bytes.count)
        if written > 0 { size += written }
    }

    private var isMovedAway: Bool {
        var info = stat()
        return stat(path, &info) != 0 || UInt(info.st_ino) != inode
    }

    private func rotate() {
        guard kept > 0 else {
            unlink(path)
            return
        }
        for number in stride(from: kept - 1, through: 1, by: -1) {
            rename("\(path).\(number)", "\(path).\(number + 1)")
        }
        rename(path, "\(path).1")
    }

    private func open() throws(FileError) {
        let opened = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard opened >= 0 else {
            throw FileError(operation: "write the log", path: path, code: errno)
        }
        var info = stat()
        guard fstat(opened, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw FileError(operation: "write into what is no plain file, the log", path: path, code: EINVAL)
        }
        if descriptor >= 0 { close(descriptor) }
        descriptor = opened
        inode = UInt(info.st_ino)
        size = Int(info.st_size)
    }
}
