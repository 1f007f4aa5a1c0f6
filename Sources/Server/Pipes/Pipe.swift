import PDCrypto
import PDLegacy
import PDProtocol
import PDSecrets

/// One pipe: two ends, each with a cipher that it shares with the server, and what waits between them.
///
/// Only ``PipeRelay`` holds it.
final class Pipe {
    /// What the server knows of one end: a running chain for each direction.
    final class End {
        private var encryptor: PipeCipherV1.Encryptor
        private var decryptor: PipeCipherV1.Decryptor

        init(_ key: V1.PipeKey) throws {
            let secret = SecretBytes(copying: key.key.utf8)
            let iv = SecretBytes(copying: key.iv.utf8)
            encryptor = try PipeCipherV1.Encryptor(key: secret, iv: iv)
            decryptor = try PipeCipherV1.Decryptor(key: secret, iv: iv)
        }

        /// Decrypts what this end sent.
        func decrypt(_ message: consuming [UInt8]) throws(Refusal) -> [UInt8] {
            do {
                // Copied: a slice of few bytes would keep all of its message in the queue.
                return Array(try decryptor.decrypt(message))
            } catch {
                throw .malformed("\(error)")
            }
        }

        /// Encrypts what this end is to get.
        func encrypt(_ payload: [UInt8]) throws(Refusal) -> [UInt8] {
            do {
                return try encryptor.encrypt(payload, random: SecureRandom(.nonce))
            } catch {
                throw .unavailable("a pipe's message could not be encrypted: \(error)")
            }
        }
    }

    /// Plain messages that wait for one end. The encryption is put off until they are fetched: the other end's key may
    /// not be known before, and its chain must go on in the order in which messages leave.
    struct Queue {
        private(set) var messages: [[UInt8]] = []
        private(set) var byteCount = 0

        mutating func append(_ message: [UInt8]) {
            messages.append(message)
            byteCount += message.count
        }

        mutating func next() -> [UInt8]? {
            guard !messages.isEmpty else { return nil }
            let message = messages.removeFirst()
            byteCount -= message.count
            return message
        }
    }

    /// The host that may open the client end.
    let host: Hostname
    /// The ends that are open.
    private var ends: [V1.PipePeer: End]
    /// What waits for each end.
    var waiting: [V1.PipePeer: Queue] = [.server: Queue(), .client: Queue()]
    /// The ends that have closed.
    var closed: Set<V1.PipePeer> = []
    /// When anybody last spoke on it.
    var usedAt: ContinuousClock.Instant

    init(host: Hostname, server: End, at time: ContinuousClock.Instant) {
        self.host = host
        ends = [.server: server]
        usedAt = time
    }

    /// Whether the host has opened its end.
    var isOpen: Bool { ends[.client] != nil }

    /// The host opens its end.
    func open(_ end: End) {
        ends[.client] = end
    }

    /// An end that is open.
    func end(_ peer: V1.PipePeer) throws(Refusal) -> End {
        guard let end = ends[peer] else { throw .conflict("this end of the pipe is not open") }
        return end
    }
}
