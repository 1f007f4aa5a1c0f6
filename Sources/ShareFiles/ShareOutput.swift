import Glibc
import PDSecrets
import PDShamir

/// Writes new sets of shares.
package struct ShareOutput {
    package let directory: String
    /// What the files' names begin with.
    package let stem: String
    package let holders: [String?]
    /// Asked for each share where given.
    package let keepers: (any Keepers)?
    /// Secrets of more bytes than this go to a sealed file.
    package let directBytes: Int
    package let cryptography: CoreCryptography

    /// - Parameter keepers: asked for a passphrase for each share where given.
    package init(
        directory: String, stem: String, holders: [String?], keepers: (any Keepers)?,
        directBytes: Int = defaultDirectBytes, cryptography: CoreCryptography
    ) {
        self.directory = directory
        self.stem = stem
        self.holders = holders
        self.keepers = keepers
        self.directBytes = directBytes
        self.cryptography = cryptography
    }

    /// Where a secret comes from: fills a buffer, with fewer bytes than it holds only at the end.
    package typealias Source = (UnsafeMutableRawBufferPointer) throws -> Int

    /// The longest secret that shares hold unless they are told to: so that each fits on one page.
    package static let defaultDirectBytes = 128

    /// A native set. A short secret is held by the shares themselves, a longer one goes to a sealed file.
    package func writeNative(
        label: String?, threshold: Int, shares count: Int, secret next: Source
    ) throws -> [String] {
        let randomness = try cryptography.randomness()
        var identifier = [UInt8](repeating: 0, count: ShareSet.identifierBytes)
        try identifier.withUnsafeMutableBytes { try randomness.fill($0) }
        // Asked before anything is made: whoever ends the program at a question finds nothing to clean up.
        let passphrases = try newPassphrases(shares: count)
        let files = try NewFiles(directory: directory)
        func set(_ content: ShareSet.Content) throws -> ShareSet {
            try ShareSet(
                identifier: identifier, label: label, created: Self.today(), threshold: threshold,
                shares: count,
                content: content)
        }

        var start = SecretBytes(count: ShareSet.maximumDirectBytes + 1)
        let startCount = try start.withUnsafeMutableBytes { try next($0) }
        guard startCount > 0 else { throw ToolError("\(ShamirError.emptySecret)") }
        let shares: [Share]
        var sealed: NewFiles.File?
        if startCount <= directBytes {
            let secret = start.withUnsafeBytes {
                SecretBytes(copying: $0[..<startCount])
            }
            shares = try set(.direct(bytes: startCount)).split(
                secret, holders: holders, randomness: randomness, cryptography: cryptography)
        } else {
            var key = SecretBytes(count: SealedFormat.keyBytes)
            try key.withUnsafeMutableBytes { try randomness.fill($0) }
            let file = try files.create(stem + ShareInput.sealedSuffix)
            sealed = file
            var used = 0
            let bytes = try SealedFiles.seal(
                key: key, set: identifier, into: file, cryptography: cryptography
            ) { buffer in
                // First what was read ahead, then the rest.
                let fromStart = min(startCount - used, buffer.count)
                start.withUnsafeBytes {
                    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[used..<(used + fromStart)]))
                }
                used += fromStart
                guard fromStart < buffer.count else { return fromStart }
                return try fromStart + next(UnsafeMutableRawBufferPointer(rebasing: buffer[fromStart...]))
            }
            shares = try set(.sealed(bytes: bytes)).split(
                key, holders: holders, randomness: randomness, cryptography: cryptography)
        }
        var report: [String] = []
        for (index, share) in shares.enumerated() {
            let title = ShareInput.Native(name: "", share: share).title
            var share = share
            if let passphrases {
                share = try share.locked(
                    passphrase: passphrases[index], randomness: randomness, cryptography: cryptography)
            }
            let file = try files.create("\(stem).\(share.number)-of-\(count)\(ShareInput.suffix)")
            try share.encoded().withUnsafeBytes { try file.write($0) }
            report.append("  \(title): \(Printable.path(file.path))")
        }
        try files.commit()
        report.insert(
            "Set \(shares[0].set.identifierText): any \(threshold) of \(count) shares restore the secret.",
            at: 0)
        if let sealed {
            report.append(
                "  for everyone: \(Printable.path(sealed.path)), the sealed secret: without it the shares are worth nothing"
            )
        }
        return report
    }

    /// One for each new share; nil where they are not locked.
    private func newPassphrases(shares count: Int) throws(ToolError) -> [SecretBytes]? {
        guard let keepers else { return nil }
        try NewFiles.probe(directory)
        return try (0..<count).map { index throws(ToolError) in
            let holder = index < holders.count ? holders[index] : nil
            return try keepers.newPassphrase(
                for: ShareInput.Native.title(number: index + 1, of: count, holder: holder))
        }
    }

    /// libgfshare's format.
    ///
    /// - Returns: what to tell people.
    package func writeGfshare(threshold: Int, shares count: Int, secret next: Source) throws -> [String] {
        let files = try NewFiles(directory: directory)
        let outputs = try (1...UInt8(count)).map {
            try files.create(GfshareName.name(stem: stem, number: $0))
        }
        let splitter = try Splitter(
            threshold: threshold, shares: count, randomness: cryptography.randomness())
        let pieceBytes = Self.pieceBytes(buffers: count + 1)
        var secret = SecretBytes(count: pieceBytes)
        var pieces = outputs.map { _ in SecretBytes(count: pieceBytes) }
        var total = 0
        while true {
            let length = try secret.withUnsafeMutableBytes { try next($0) }
            if length == 0 { break }
            total += length
            try secret.withUnsafeBytes { secret in
                try SecretBytes.withUnsafeMutableBytes(of: &pieces) { pieces in
                    let shares = pieces.map { UnsafeMutableRawBufferPointer(rebasing: $0[..<length]) }
                    try splitter.split(UnsafeRawBufferPointer(rebasing: secret[..<length]), into: shares)
                    for (output, share) in zip(outputs, shares) {
                        try output.write(UnsafeRawBufferPointer(share))
                    }
                }
            }
            if length < pieceBytes { break }
        }
        guard total > 0 else { throw ToolError("\(ShamirError.emptySecret)") }
        try files.commit()
        return [
            "Any \(threshold) of \(count) shares restore the secret; the files do not say so, write it down."
        ]
            + zip(outputs, 0...).map { output, index in
                let holder = index < holders.count ? holders[index].map { " (\($0))" } ?? "" : ""
                return "  share \(index + 1) of \(count)\(holder): \(Printable.path(output.path))"
            }
    }

    /// The bytes of each buffer where so many are needed at once: together 2 MiB, which may be locked on most systems
    /// and stays near the processor, unless there are very many.
    package static func pieceBytes(buffers: Int) -> Int {
        max(16_384, min(262_144, 2_097_152 / buffers & ~4095))
    }

    package static func today() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        func digits(_ number: Int32, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        return "\(digits(parts.tm_year + 1900, 4))-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))"
    }
}
