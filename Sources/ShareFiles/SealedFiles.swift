import PDSecrets
import PDShamir

/// Reading and writing sealed files, chunk by chunk.
package enum SealedFiles {
    /// Whether a regular file begins like a sealed file. It is at its start afterwards.
    package static func isSealed(_ file: InputFile) throws(ToolError) -> Bool {
        guard file.size != nil else { return false }
        let set = try header(file)
        try file.rewind()
        return set != nil
    }

    /// The set that a sealed file belongs to.
    package static func header(_ file: InputFile) throws(ToolError) -> [UInt8]? {
        // What is no sealed file may be a share of libgfshare's, all of which is secret.
        try file.start(bytes: SealedFormat.headerBytes).withUnsafeBytes { SealedFormat.set(fromHeader: $0) }
    }

    /// Seals everything that `next` gives.
    ///
    /// - Parameter next: fills a buffer; fewer bytes than it holds only at the end.
    /// - Returns: the bytes sealed.
    package static func seal(
        key: SecretBytes, set: [UInt8], into output: NewFiles.File, cryptography: CoreCryptography,
        next: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> Int {
        var sealer = SealedFile(key: key, set: set, cryptography: cryptography)
        try sealer.header.withUnsafeBytes { try output.write($0) }
        // Two chunks: whether a chunk is the last is known after looking at the next.
        var current = SecretBytes(count: SealedFormat.chunkBytes)
        var following = SecretBytes(count: SealedFormat.chunkBytes)
        var sealed = SecretBytes(count: SealedFormat.chunkBytes + SealedFormat.tagBytes)
        var count = try current.withUnsafeMutableBytes { try next($0) }
        var total = 0
        while true {
            let nextCount =
                count < SealedFormat.chunkBytes ? 0 : try following.withUnsafeMutableBytes { try next($0) }
            try current.withUnsafeBytes { current in
                try sealed.withUnsafeMutableBytes { sealed in
                    let text = UnsafeMutableRawBufferPointer(
                        rebasing: sealed[..<(count + SealedFormat.tagBytes)])
                    try sealer.seal(
                        UnsafeRawBufferPointer(rebasing: current[..<count]), last: nextCount == 0, into: text)
                    try output.write(UnsafeRawBufferPointer(text))
                }
            }
            total += count
            if nextCount == 0 { return total }
            count = nextCount
            swap(&current, &following)
        }
    }

    /// Opens a sealed file and hands its chunks, each of them proved, to `take`.
    ///
    /// - Returns: once the end is proved too and the length agrees with the shares.
    package static func open(
        _ file: InputFile, with combination: ShareCombination, cryptography: CoreCryptography,
        take: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard case .sealed(let bytes) = combination.set.content else { return }
        let reader = try Reader(file, with: combination, cryptography: cryptography)
        var total = 0
        while let chunk = try reader.next() {
            total += chunk.count
            try chunk.withUnsafeBytes { try take($0) }
        }
        guard total == bytes else { throw damaged(file) }
    }

    package static func damaged(_ file: InputFile) -> ToolError {
        ToolError("\(Printable.path(file.name)): \(ShareFileError.sealedFileDamaged): use another copy of it")
    }

    /// Reads chunk after chunk.
    package final class Reader {
        private let file: InputFile
        private var opener: SealedFile<CoreCryptography>
        private var remaining: Int

        package init(
            _ file: InputFile, with combination: ShareCombination, cryptography: CoreCryptography
        ) throws(ToolError) {
            try file.rewind()
            guard let set = try SealedFiles.header(file) else {
                throw ToolError("\(Printable.path(file.name)) is not a sealed file")
            }
            guard set == combination.set.identifier else {
                throw ToolError(
                    "\(Printable.path(file.name)) belongs to another set than the shares, which is "
                        + "\(combination.set.identifierText): bring the sealed file of that set")
            }
            self.file = file
            remaining = (file.size ?? 0) - SealedFormat.headerBytes
            opener = SealedFile(key: combination.secret, set: set, cryptography: cryptography)
        }

        /// The next chunk of the secret; nil after the last.
        package func next() throws -> SecretBytes? {
            guard remaining > 0 else { return nil }
            let size = min(remaining, SealedFormat.chunkBytes + SealedFormat.tagBytes)
            guard size > SealedFormat.tagBytes else { throw SealedFiles.damaged(file) }
            var sealed = SecretBytes(count: size)
            var plain = SecretBytes(count: size - SealedFormat.tagBytes)
            remaining -= size
            try sealed.withUnsafeMutableBytes { sealed in
                guard try file.read(into: sealed) == size else { throw SealedFiles.damaged(file) }
                try plain.withUnsafeMutableBytes { plain in
                    do {
                        try opener.open(UnsafeRawBufferPointer(sealed), last: remaining == 0, into: plain)
                    } catch ShareFileError.sealedFileDamaged {
                        throw SealedFiles.damaged(file)
                    }
                }
            }
            return plain
        }
    }
}
