import CGcrypt
import PDCrypto
import PDSecrets

/// The AES messages of version 1 pipes.
///
/// AES-256-CBC, one running chain per direction. The plaintext of a message is the bytes `D1 08`, the
/// payload's length in ASCII decimal, a colon, the payload, and random padding up to a multiple of 16.
///
/// **Nothing here is authenticated.** Whoever can change bytes on the way can change what arrives, and a
/// wrong key and a changed message look the same. It is kept for peers that know nothing else, over TLS;
/// ``PipeFrame`` is what new peers use.
public enum PipeCipherV1 {
    /// What a pipe refuses.
    public enum Error: Swift.Error, Equatable, Sendable {
        /// The message did not decrypt to the format: wrong key, or changed or lost messages. One error for
        /// all, as each difference would tell an attacker something about the plaintext. No later message is
        /// accepted.
        case undecipherable
    }

    private static let magic: (UInt8, UInt8) = (0xD1, 0x08)
    private static let magicByteCount = 2
    private static let blockByteCount = 16
    private static let colon = UInt8(ascii: ":")

    private static func chain(key: SecretBytes, iv: SecretBytes) throws -> CipherHandle {
        try Libgcrypt.ready()
        let cipher = try CipherHandle(.aes256CBC, key: sha256(key))
        try sha256(iv).withUnsafeBytes {
            try cipher.setInitialVector(UnsafeRawBufferPointer(rebasing: $0[..<blockByteCount]))
        }
        return cipher
    }

    private static func sha256(_ secret: SecretBytes) -> SecretBytes {
        SecretBytes(count: 32) { output in
            secret.withUnsafeBytes {
                gcry_md_hash_buffer(
                    Int32(GCRY_MD_SHA256.rawValue), output.baseAddress, $0.baseAddress, $0.count)
            }
        }
    }
}

extension PipeCipherV1 {
    /// The sending end of one direction.
    public struct Encryptor: ~Copyable, Sendable {
        private let cipher: CipherHandle

        /// - Parameters:
        ///   - key: The UTF-8 bytes of `encryption_key`, hashed to the AES key.
        ///   - iv: The UTF-8 bytes of `encryption_iv`, hashed to the first initial vector.
        /// - Throws: ``CryptoError``.
        public init(key: SecretBytes, iv: SecretBytes) throws {
            cipher = try chain(key: key, iv: iv)
        }

        /// Encrypts the next message. Its length is counted in bytes.
        ///
        /// - Parameters:
        ///   - payload: Any bytes.
        ///   - random: Gives the padding.
        /// - Throws: What `random` throws, ``CryptoError``.
        public mutating func encrypt(
            _ payload: some Collection<UInt8>, random: some RandomSource
        ) throws -> [UInt8] {
            let header = [magic.0, magic.1] + Array(String(payload.count).utf8) + [colon]
            let unpadded = header.count + payload.count
            let padding = (blockByteCount - unpadded % blockByteCount) % blockByteCount
            // Encrypted where it will be returned: no plaintext is left behind.
            return try [UInt8](unsafeUninitializedCapacity: unpadded + padding) { buffer, count in
                let message = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[..<(unpadded + padding)])
                do {
                    message.copyBytes(from: header)
                    payload.withContiguousBytes {
                        UnsafeMutableRawBufferPointer(rebasing: message[header.count...]).copyMemory(from: $0)
                    }
                    if padding > 0 {
                        try random.fill(UnsafeMutableRawBufferPointer(rebasing: message[unpadded...]))
                    }
                    try cipher.encryptInPlace(message)
                } catch {
                    message.wipe()
                    throw error
                }
                count = message.count
            }
        }
    }

    /// The receiving end of one direction.
    public struct Decryptor: ~Copyable, Sendable {
        private let cipher: CipherHandle
        private var failed = false

        /// See ``PipeCipherV1/Encryptor/init(key:iv:)``.
        public init(key: SecretBytes, iv: SecretBytes) throws {
            cipher = try chain(key: key, iv: iv)
        }

        /// Decrypts the next message, in its own memory: an array that nobody else holds is not copied.
        ///
        /// A length below what is there is accepted, and the rest dropped: the original counts characters
        /// where it should count bytes. A length above what is there is refused.
        ///
        /// - Parameter message: The whole message, given up by the caller. Another copy of it stays as it is.
        /// - Returns: The payload, which nothing authenticates: a slice of what was decrypted, whose indices do not
        ///   begin at 0.
        /// - Throws: ``PipeCipherV1/Error/undecipherable``, and no plaintext is left behind; ``CryptoError``.
        public mutating func decrypt(_ message: consuming [UInt8]) throws -> ArraySlice<UInt8> {
            guard !failed else { throw Error.undecipherable }
            // Until the message has proved good: a chain that lost its place never finds it again by trying.
            failed = true
            guard message.count % blockByteCount == 0 else { throw Error.undecipherable }
            let payload = try message.withUnsafeMutableBytes { message in
                // All of it in one call, before anything is looked at: the time says nothing about the header.
                try cipher.decryptInPlace(message)
                let payload = Self.payload(UnsafeRawBufferPointer(message))
                UnsafeMutableRawBufferPointer(rebasing: message[(payload?.upperBound ?? 0)...]).wipe()
                return payload
            }
            guard let payload else { throw Error.undecipherable }
            failed = false
            return message[payload]
        }

        /// Where the payload is; nil where the plaintext has another form. All of the header is in the first block,
        /// unless someone wrote zeros before the number, or a number of more than thirteen digits.
        private static func payload(_ plaintext: UnsafeRawBufferPointer) -> Range<Int>? {
            // Byte by byte: a generic comparison would cost as much as the cipher does for a kilobyte. An empty message
            // has no first one.
            guard plaintext.first == magic.0, plaintext[1] == magic.1 else { return nil }
            var length = 0
            var position = magicByteCount
            while position < blockByteCount, let digit = decimal(plaintext[position]) {
                // At most fourteen digits: no overflow.
                length = length * 10 + digit
                position += 1
            }
            guard position > magicByteCount, position < blockByteCount, plaintext[position] == colon else {
                return nil
            }
            let start = position + 1
            guard length <= plaintext.count - start else { return nil }
            return start..<(start + length)
        }

        private static func decimal(_ byte: UInt8) -> Int? {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
        }
    }
}

extension PipeCipherV1.Error: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        "the pipe's message does not decrypt: wrong key, or changed or lost messages"
    }
}
