import PDSecrets

/// What a share's numbered lines hold, and the two MACs in it. See docs/share-format.md, "Body".
enum ShareBody {
    static let checkKeyBytes = 16
    static let macBytes = 16

    /// Bytes of the body of a share of `set`.
    static func bytes(of set: ShareSet, protected: Bool) -> Int {
        set.messageBytes + macBytes + (protected ? Share.Protection.tagBytes : 0)
    }

    /// The MAC that tells a right combination from a wrong one.
    static func setMAC(
        _ set: ShareSet, secret: UnsafeRawBufferPointer, checkKey: UnsafeRawBufferPointer,
        cryptography: some ShareCryptography
    ) throws(ShareFileError) -> SecretBytes {
        try mac(
            Array("penguindome share set\n".utf8) + ShareText.setLines(set), secret, checkKey, cryptography)
    }

    /// The MAC that tells an unchanged share from a changed one, once the check key is known.
    static func shareMAC(
        _ share: Share, value: UnsafeRawBufferPointer, checkKey: UnsafeRawBufferPointer,
        cryptography: some ShareCryptography
    ) throws(ShareFileError) -> SecretBytes {
        let context =
            Array("penguindome share\n".utf8) + ShareText.setLines(share.set) + ShareText.ownLines(share)
        return try mac(context, value, checkKey, cryptography)
    }

    private static func mac(
        _ context: [UInt8], _ bytes: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer,
        _ cryptography: some ShareCryptography
    ) throws(ShareFileError) -> SecretBytes {
        var code = SecretBytes(count: 32)
        try context.withContiguousBytes { context throws(ShareFileError) in
            try code.withUnsafeMutableBytes { code throws(ShareFileError) in
                try cryptography.authenticate([context, bytes], key: key, into: code)
            }
        }
        return code.withUnsafeBytes {
            SecretBytes(copying: $0[..<macBytes])
        }
    }
}
