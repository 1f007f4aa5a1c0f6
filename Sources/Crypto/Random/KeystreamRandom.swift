import PDSecrets
import Synchronization

/// Secret random bytes in bulk: the AES-256-CTR keystream under a key that another source gave.
///
/// For the coefficients of a large split, where libgcrypt's own generator (about 0.05 GB/s) would be the limit.
/// Every call takes its next key from its own keystream and wipes the old one ("fast key erasure"), so bytes
/// that were handed out cannot be computed again from the state. A process that forks must make a new one.
public final class KeystreamRandom: RandomSource {
    /// Bytes produced under one key.
    private static let bytesPerKey = 1 << 20

    private let cipher: Mutex<CipherHandle>

    /// - Parameter seed: Gives the first key, 32 bytes.
    public init(seed: some RandomSource = SecureRandom(.longTermKey)) throws(CryptoError) {
        cipher = Mutex(try CipherHandle(.aes256CTR, key: SecretBytes(count: 32, random: seed)))
    }

    /// Fills the buffer; may be called from any thread.
    public func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        try cipher.withLock { cipher throws(CryptoError) in
            var offset = 0
            while offset < buffer.count {
                let end = min(buffer.count, offset + Self.bytesPerKey)
                try cipher.produceKeystream(into: .init(rebasing: buffer[offset..<end]))
                let next = try SecretBytes(count: 32) { next throws(CryptoError) in
                    try cipher.produceKeystream(into: next)
                }
                try cipher.restartKeystream(next)
                offset = end
            }
        }
    }
}
