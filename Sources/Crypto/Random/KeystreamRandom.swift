import CGcrypt
import Glibc
import Synchronization

/// Secret random bytes in bulk: the AES-256-CTR keystream under a key that another source gave.
///
/// For the coefficients of a large split, where libgcrypt's own generator (about 0.05 GB/s) would be the
/// limit. Every call takes its next key from its own keystream and wipes the old one ("fast key erasure"), so
/// bytes that were handed out cannot be computed again from the state. A forked child takes a fresh key.
public final class KeystreamRandom: RandomSource {
    /// Bytes produced under one key.
    private static let bytesPerKey = 1 << 20

    private struct State: ~Copyable {
        var cipher: CipherHandle
        var process: pid_t
    }

    private let state: Mutex<State>
    private let seed: any RandomSource

    /// - Parameter seed: Gives the first key (32 bytes), and another one after a fork.
    /// - Throws: What the seed throws, ``CryptoError``.
    public init(seed: any RandomSource = SecureRandom(.longTermKey)) throws {
        self.seed = seed
        state = Mutex(State(cipher: try Self.cipher(seededFrom: seed), process: getpid()))
    }

    private static func cipher(seededFrom seed: some RandomSource) throws -> CipherHandle {
        try CipherHandle(.aes256CTR, key: SecretBytes(count: 32, random: seed))
    }

    /// Fills the buffer; may be called from any thread.
    public func fill(_ buffer: UnsafeMutableRawBufferPointer) throws {
        try state.withLock { state in
            if state.process != getpid() {
                state = State(cipher: try Self.cipher(seededFrom: seed), process: getpid())
            }
            var offset = 0
            while offset < buffer.count {
                let end = min(buffer.count, offset + Self.bytesPerKey)
                try state.cipher.produceKeystream(into: .init(rebasing: buffer[offset..<end]))
                let next = try SecretBytes(count: 32) { try state.cipher.produceKeystream(into: $0) }
                try state.cipher.restartKeystream(next)
                offset = end
            }
        }
    }
}
