import PDSecrets

/// HMAC-based extract-and-expand key derivation (RFC 5869). For secrets of high entropy, never for passwords.
public enum HKDF {
    /// Both steps: a key of `outputByteCount` bytes.
    ///
    /// - Parameters:
    ///   - inputKeyMaterial: The secret to start from.
    ///   - salt: Optional and not secret.
    ///   - info: Binds the key to its use: say protocol, version and purpose.
    ///   - outputByteCount: At least 1, at most 255 × the length of the hash.
    ///   - hash: The hash function.
    public static func deriveKey(
        inputKeyMaterial: SecretBytes, salt: some Collection<UInt8> = [], info: some Collection<UInt8>,
        outputByteCount: Int, hash: HMAC.Hash = .sha256
    ) throws(CryptoError) -> SecretBytes {
        try expand(
            pseudoRandomKey: extract(inputKeyMaterial: inputKeyMaterial, salt: salt, hash: hash), info: info,
            outputByteCount: outputByteCount, hash: hash)
    }

    /// Step 1, RFC 5869 section 2.2: a pseudorandom key as long as the hash.
    public static func extract(
        inputKeyMaterial: SecretBytes, salt: some Collection<UInt8> = [], hash: HMAC.Hash = .sha256
    ) throws(CryptoError) -> SecretBytes {
        var mac = try HMAC(key: SecretBytes(copying: salt), hash: hash)
        try mac.update(inputKeyMaterial)
        return try mac.finalizeSecret()
    }

    /// Step 2, RFC 5869 section 2.3.
    public static func expand(
        pseudoRandomKey: SecretBytes, info: some Collection<UInt8>, outputByteCount: Int,
        hash: HMAC.Hash = .sha256
    ) throws(CryptoError) -> SecretBytes {
        guard pseudoRandomKey.count >= hash.byteCount else {
            throw .byteCount(of: .pseudoRandomKey, pseudoRandomKey.count)
        }
        guard outputByteCount > 0, outputByteCount <= 255 * hash.byteCount else {
            throw .byteCount(of: .derivedKey, outputByteCount)
        }
        return try SecretBytes(count: outputByteCount) { output throws(CryptoError) in
            var previous = UnsafeRawBufferPointer(rebasing: output[..<0])
            var counter: UInt8 = 0
            while counter < 255, Int(counter) * hash.byteCount < output.count {
                let start = Int(counter) * hash.byteCount
                counter += 1
                var mac = try HMAC(key: pseudoRandomKey, hash: hash)
                try mac.update(previous)
                try mac.update(info)
                try mac.update(CollectionOfOne(counter))
                let block = UnsafeMutableRawBufferPointer(
                    rebasing: output[start..<min(start + hash.byteCount, output.count)])
                try mac.finalize(into: block)
                previous = UnsafeRawBufferPointer(block)
            }
        }
    }
}
