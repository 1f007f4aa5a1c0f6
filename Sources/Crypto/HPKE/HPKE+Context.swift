import PDSecrets

extension HPKE {
    /// Key, base nonce and sequence number of one side (RFC 9180 sections 5.1 and 5.2).
    ///
    /// Not copyable: a copy of a sender would use its nonces again.
    struct Context: ~Copyable, Sendable {
        private let cipher: CipherHandle
        private let suite: [UInt8]
        private let baseNonce: SecretBytes
        private let exporterSecret: SecretBytes
        private var sequenceNumber: UInt64

        /// KeySchedule for mode_base (0x00), with an empty PSK and PSK id.
        init(
            sharedSecret: SecretBytes, cipher: Cipher, info: [UInt8], sequenceNumber: UInt64 = 0
        ) throws(CryptoError) {
            let suite =
                Array("HPKE".utf8) + KEM.identifier.bigEndianBytes + UInt16(0x0001).bigEndianBytes
                + cipher.rawValue.bigEndianBytes
            let none = SecretBytes(copying: [])
            let pskIDHash = try labeledExtract(suite: suite, label: "psk_id_hash", inputKeyMaterial: none)
            let infoHash = try labeledExtract(
                suite: suite, label: "info_hash", inputKeyMaterial: SecretBytes(copying: info))
            // Neither hash is secret in base mode.
            let context =
                [0x00] + pskIDHash.withUnsafeBytes(Array.init) + infoHash.withUnsafeBytes(Array.init)
            let secret = try labeledExtract(
                salt: sharedSecret, suite: suite, label: "secret", inputKeyMaterial: none)
            let key = try labeledExpand(
                secret, suite: suite, label: "key", info: context, outputByteCount: CipherHandle.keyByteCount)
            let baseNonce = try labeledExpand(
                secret, suite: suite, label: "base_nonce", info: context,
                outputByteCount: CipherHandle.nonceByteCount)
            let exporterSecret = try labeledExpand(
                secret, suite: suite, label: "exp", info: context, outputByteCount: 32)
            self.cipher = try CipherHandle(cipher.algorithm, key: key)
            self.baseNonce = baseNonce
            self.exporterSecret = exporterSecret
            self.suite = suite
            self.sequenceNumber = sequenceNumber
        }

        /// ContextS.Seal.
        mutating func seal(
            _ message: UnsafeRawBufferPointer, authenticating authenticated: some Collection<UInt8>
        ) throws(CryptoError) -> [UInt8] {
            let nonce = try nextNonce()
            // Before it is used: a seal that fails half way must not leave its nonce to the next one.
            sequenceNumber += 1
            let byteCount = message.count + CipherHandle.tagByteCount
            return try [UInt8](count: byteCount) { output throws(CryptoError) in
                try nonce.withUnsafeBytes { nonce throws(CryptoError) in
                    try authenticated.withContiguousBytes { authenticated throws(CryptoError) in
                        try cipher.seal(message, nonce: nonce, authenticating: authenticated, into: output)
                    }
                }
            }
        }

        /// ContextR.Open. A message that is refused leaves the sequence number as it is.
        mutating func open(
            _ sealed: UnsafeRawBufferPointer, authenticating authenticated: some Collection<UInt8>
        ) throws(CryptoError) -> SecretBytes {
            let nonce = try nextNonce()
            guard sealed.count >= CipherHandle.tagByteCount else { throw .authenticationFailed }
            let byteCount = sealed.count - CipherHandle.tagByteCount
            let message = try SecretBytes(count: byteCount) { output throws(CryptoError) in
                try nonce.withUnsafeBytes { nonce throws(CryptoError) in
                    try authenticated.withContiguousBytes { authenticated throws(CryptoError) in
                        try cipher.open(sealed, nonce: nonce, authenticating: authenticated, into: output)
                    }
                }
            }
            sequenceNumber += 1
            return message
        }

        /// Context.Export (RFC 9180 section 5.3).
        borrowing func export(
            context: [UInt8], outputByteCount: Int
        ) throws(CryptoError) -> SecretBytes {
            try labeledExpand(
                exporterSecret, suite: suite, label: "sec", info: context, outputByteCount: outputByteCount)
        }

        /// ComputeNonce. The last sequence number is never used, so that adding one cannot overflow.
        private borrowing func nextNonce() throws(CryptoError) -> SecretBytes {
            guard sequenceNumber < .max else { throw .messageLimitReached }
            let sequence = sequenceNumber.bigEndianBytes
            return SecretBytes(count: CipherHandle.nonceByteCount) { nonce in
                baseNonce.withUnsafeBytes { nonce.copyMemory(from: $0) }
                let offset = nonce.count - sequence.count
                for index in 0..<sequence.count { nonce[offset + index] ^= sequence[index] }
            }
        }
    }
}
