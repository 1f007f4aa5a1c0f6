import Glibc
import PDCrypto
import PDFiles
import PDSecrets

/// The bytes of a backup on their way to a file, sealed where there is a passphrase.
final class BackupOutput {
    private let descriptor: Int32
    private let path: String
    private var sealer: PipeFrame.Sealer?
    private let isSealed: Bool
    private var pending: [UInt8] = []

    init(_ descriptor: Int32, path: String, passphrase: SecretBytes?, random: some RandomSource) throws {
        self.descriptor = descriptor
        self.path = path
        isSealed = passphrase != nil
        guard let passphrase else { return }
        let seal = try BackupSeal(random: random)
        try Files.writeAll(seal.header, to: descriptor, path: path)
        sealer = try seal.sealer(passphrase)
    }

    func write(_ bytes: some Collection<UInt8>) throws {
        pending += bytes
        var done = 0
        // One byte at least stays, since the last frame is marked.
        while pending.count - done > PipeFrame.maximumPayload {
            try put(pending[done..<done + PipeFrame.maximumPayload], .inside)
            done += PipeFrame.maximumPayload
        }
        pending.removeFirst(done)
    }

    func finish() throws {
        try put(pending[...], .last)
        pending = []
    }

    private func put(_ bytes: ArraySlice<UInt8>, _ position: PipeFrame.Position) throws {
        guard isSealed else { return try Files.writeAll(Array(bytes), to: descriptor, path: path) }
        if let frame = try sealer?.seal(bytes, position: position) {
            try Files.writeAll(frame, to: descriptor, path: path)
        }
    }
}

/// The bytes of a backup as they come out of a file.
final class BackupInput {
    private let descriptor: Int32
    private let path: String
    private var opener: PipeFrame.Opener?
    private var isSealed = false
    private var pending: [UInt8] = []
    private var position = 0
    /// Bytes that were read from the file.
    private(set) var consumed = 0

    /// - Parameter passphrase: asked for where the backup is sealed.
    init(_ descriptor: Int32, path: String, passphrase: () throws -> SecretBytes) throws {
        self.descriptor = descriptor
        self.path = path
        let start = try readFile(BackupSeal.mark.count)
        guard start == BackupSeal.mark else {
            pending = start
            return
        }
        isSealed = true
        let rest = try readFile(BackupSeal.headerBytes - start.count)
        guard rest.count == BackupSeal.headerBytes - start.count else { throw damage("it is cut off") }
        let seal = BackupSeal(header: start + rest)
        opener = try seal.opener(try passphrase())
        guard opener != nil else { throw damage("its header makes no sense") }
    }

    /// The error for a backup that is not as it was written.
    func damage(_ reason: String) -> StateError {
        StateError("the backup \(path) is damaged, and nothing was restored: \(reason)")
    }

    /// The next bytes, exactly so many.
    func read(_ count: Int) throws -> ArraySlice<UInt8> {
        while pending.count - position < count {
            pending.removeFirst(position)
            position = 0
            guard let more = try next() else { throw damage("it is cut off") }
            pending += more
        }
        defer { position += count }
        return pending[position..<position + count]
    }

    /// Throws unless all of it has been read.
    func finish() throws {
        guard position == pending.count, try next() == nil else { throw damage("something follows its end") }
    }

    /// More bytes, one at least; nothing at the end.
    private func next() throws -> ArraySlice<UInt8>? {
        guard isSealed else {
            let bytes = try readFile(1 << 18)
            return bytes.isEmpty ? nil : bytes[...]
        }
        while true {
            let head = try readFile(PipeFrame.headerByteCount)
            if head.isEmpty {
                guard opener?.isFinished == true else { throw damage("it is cut off") }
                return nil
            }
            do {
                let header = try PipeFrame.Header(head)
                let frame = try head + readFile(header.frameByteCount - head.count)
                let payload = try opener?.open(frame)
                if let payload, !payload.isEmpty { return payload }
            } catch PipeFrame.Error.authenticationFailed where consumed < 1 << 17 {
                throw StateError(
                    "the passphrase is wrong, or the backup \(path) is damaged: nothing was restored")
            } catch let error as PipeFrame.Error {
                throw damage("\(error)")
            }
        }
    }

    /// Up to so many bytes; fewer only at the end of the file.
    private func readFile(_ count: Int) throws -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let result = retryingInterrupts {
                    Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
                }
                if result < 0 { failure = errno }
                guard result > 0 else { break }
                filled += result
            }
        }
        guard failure == 0 else { throw FileError(operation: "read", path: path, code: failure) }
        consumed += bytes.count
        return bytes
    }
}
