/// The frames of version 2 pipes: AES-256-GCM, each in its place or not at all.
///
/// A frame is a header of 16 bytes, the ciphertext, and a tag of 16 bytes:
///
/// | offset | bytes | content |
/// | --- | --- | --- |
/// | 0 | 1 | version, 2 |
/// | 1 | 1 | cipher, 1 = AES-256-GCM |
/// | 2 | 1 | flags: bit 0 marks the last frame of the direction; all others are 0 |
/// | 3 | 1 | 0 |
/// | 4 | 4 | length of the payload, big-endian, at most 65,536 |
/// | 8 | 8 | number of the frame, big-endian, from 0 without a gap |
///
/// Each direction has a key of its own: HKDF-SHA-256 of the pipe's secret, with the pipe's id as salt and the
/// text `PenguinDome pipe 2`, a zero byte and the direction (0 or 1) as info. The nonce is the direction, the
/// flags, two zero bytes and the number of the frame. The associated data is the header, the direction and
/// the pipe's id.
///
/// So a frame that is repeated, reordered, dropped, turned back to its sender, moved to another pipe, or
/// presented under another version or cipher is refused, and a direction that ends without its last frame is
/// known as cut off.
public enum PipeFrame {
    /// The longest payload of one frame, in bytes.
    public static let maximumPayload = 65_536
    /// The length of the header, in bytes.
    public static let headerByteCount = 16
    /// The length of the pipe's id, in bytes.
    public static let pipeIDByteCount = 16

    /// The most frames per direction: 2^48 blocks, which leaves an attacker on AES-GCM's confidentiality a
    /// chance of 2^-33 at most.
    static let maximumFrames: UInt64 = 1 << 36

    /// Who sends.
    public enum Direction: UInt8, Sendable, CaseIterable {
        /// From the machine whose shell is used.
        case fromAgent = 0
        /// From the person who uses it.
        case fromOperator = 1
    }

    /// Whether more frames follow.
    public enum Position: UInt8, Sendable {
        /// More frames follow.
        case inside = 0
        /// The last frame: nothing follows.
        case last = 1
    }

    /// What the two ends refuse. A frame that is refused changes nothing: the right one can still come.
    public enum Error: Swift.Error, Equatable, Sendable {
        /// The secret is shorter than 32 bytes.
        case secretByteCount(Int)
        /// A pipe's id has 16 bytes.
        case pipeIDByteCount(Int)
        /// The payload is longer than ``PipeFrame/maximumPayload``.
        case payloadTooLong(Int)
        /// There is no such version.
        case unknownVersion(UInt8)
        /// There is no such cipher.
        case unknownCipher(UInt8)
        /// A flag or a reserved byte is set that has no meaning.
        case unknownFlags
        /// The frame is shorter or longer than its header says.
        case byteCount(expected: Int, found: Int)
        /// A frame was repeated, dropped or overtaken by another.
        case outOfOrder(expected: UInt64, found: UInt64)
        /// Wrong key, pipe or direction, or a changed frame. Nothing was decrypted.
        case authenticationFailed
        /// The last frame is through: there is nothing to send or receive any more.
        case finished
        /// The direction ended without its last frame.
        case truncated
        /// All frames that one key may protect are used.
        case frameLimitReached
        /// A primitive underneath failed.
        case crypto(CryptoError)

        /// Runs `body`, whose failure says nothing about a frame.
        static func wrapping<Result: ~Copyable>(
            _ body: () throws(CryptoError) -> Result
        ) throws(Error) -> Result {
            do throws(CryptoError) {
                return try body()
            } catch {
                throw error == .authenticationFailed ? .authenticationFailed : .crypto(error)
            }
        }
    }
}

extension PipeFrame.Error: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .secretByteCount(let count): "a pipe's secret has at least 32 bytes, not \(count)"
        case .pipeIDByteCount(let count): "a pipe's id has 16 bytes, not \(count)"
        case .payloadTooLong(let count): "a frame carries at most 65536 bytes, not \(count)"
        case .unknownVersion(let version): "pipe frames of version \(version) are unknown"
        case .unknownCipher(let cipher): "pipe cipher \(cipher) is unknown"
        case .unknownFlags: "the frame has flags that are unknown"
        case .byteCount(let expected, let found): "the frame should have \(expected) bytes, not \(found)"
        case .outOfOrder(let expected, let found): "frame \(expected) was expected, and frame \(found) came"
        case .authenticationFailed: "wrong key, or the frame was changed"
        case .finished: "the last frame is through"
        case .truncated: "the pipe was cut off before its last frame"
        case .frameLimitReached: "the pipe has carried as many frames as one key may protect"
        case .crypto(let error): error.description
        }
    }
}
