import PDSecrets

/// The file that holds a secret too large for shares. See docs/share-format.md, "Sealed file".
///
/// Works on one chunk at a time, so that the caller's memory stays bounded.
public struct SealedFile<Cryptography: ShareCryptography> {
    /// The bytes before the first chunk.
    public let header: [UInt8]

    private let key: SecretBytes
    private let cryptography: Cryptography
    private var chunk: UInt64 = 0
    private var ended = false

    /// - Parameters:
    ///   - key: 32 bytes; used for this file only.
    ///   - set: the identifier of the set whose shares hold the key.
    public init(key: SecretBytes, set: [UInt8], cryptography: Cryptography) {
        self.key = key
        self.cryptography = cryptography
        header = SealedFile.magic + set
    }

    /// Seals the next chunk.
    ///
    /// - Parameters:
    ///   - plaintext: ``SealedFormat/chunkBytes`` bytes; the last may have fewer, but not none.
    ///   - last: whether it is the last.
    ///   - sealed: ``SealedFormat/tagBytes`` bytes more.
    public mutating func seal(
        _ plaintext: UnsafeRawBufferPointer, last: Bool, into sealed: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError) {
        let nonce = try nextNonce(bytes: plaintext.count, last: last)
        try key.withUnsafeBytes { key throws(ShareFileError) in
            try cryptography.seal(plaintext, key: key, nonce: nonce, authenticating: header, into: sealed)
        }
    }

    /// Opens the next chunk; `last` is whether the file ends after it.
    ///
    /// - Throws: ``ShareFileError/sealedFileDamaged`` where the chunk was changed, moved, repeated or is not the last;
    ///   then `plaintext` holds zeros.
    public mutating func open(
        _ sealed: UnsafeRawBufferPointer, last: Bool, into plaintext: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError) {
        let nonce = try nextNonce(bytes: sealed.count - SealedFormat.tagBytes, last: last)
        let right = try key.withUnsafeBytes { key throws(ShareFileError) in
            try cryptography.open(sealed, key: key, nonce: nonce, authenticating: header, into: plaintext)
        }
        guard right else {
            plaintext.wipe()
            throw .sealedFileDamaged
        }
    }

    private mutating func nextNonce(bytes: Int, last: Bool) throws(ShareFileError) -> [UInt8] {
        let whole = bytes == SealedFormat.chunkBytes
        guard !ended, whole || (last && 1..<SealedFormat.chunkBytes ~= bytes), chunk < .max else {
            throw .sealedFileDamaged
        }
        let counter = (0..<8).reversed().map { UInt8(truncatingIfNeeded: chunk >> UInt64($0 * 8)) }
        chunk += 1
        ended = last
        return [0, 0, 0] + counter + [last ? 1 : 0]
    }

    private static var magic: [UInt8] { Array(SealedFormat.magic.utf8) }
}

/// Sizes of a sealed file.
public enum SealedFormat {
    static let magic = "penguindome sealed 1\n"
    /// Bytes of the key.
    public static let keyBytes = 32
    /// Bytes of the secret in each chunk but the last.
    public static let chunkBytes = 65_536
    /// Bytes that sealing adds to a chunk.
    public static let tagBytes = 16
    /// Bytes before the first chunk.
    public static let headerBytes = magic.utf8.count + ShareSet.identifierBytes

    /// Reads the identifier of the set from a file's first ``headerBytes`` bytes; nil where it is no sealed file.
    public static func set(fromHeader header: some Collection<UInt8>) -> [UInt8]? {
        guard header.count == headerBytes, header.starts(with: magic.utf8) else { return nil }
        return Array(header.suffix(ShareSet.identifierBytes))
    }
}
