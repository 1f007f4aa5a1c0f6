import PDSecrets

extension PipeFrame {
    /// What both ends of a direction share: its key, and how a frame's nonce and associated data are made.
    struct Channel: ~Copyable, Sendable {
        private let cipher: CipherHandle
        private let direction: Direction
        private let pipeID: [UInt8]

        init(secret: SecretBytes, pipeID: [UInt8], direction: Direction) throws(Error) {
            guard secret.count >= 32 else { throw .secretByteCount(secret.count) }
            guard pipeID.count == pipeIDByteCount else { throw .pipeIDByteCount(pipeID.count) }
            cipher = try Error.wrapping { () throws(CryptoError) in
                let key = try HKDF.deriveKey(
                    inputKeyMaterial: secret, salt: pipeID,
                    info: Array("PenguinDome pipe 2".utf8) + [0, direction.rawValue],
                    outputByteCount: CipherHandle.keyByteCount)
                return try CipherHandle(.aes256GCM, key: key)
            }
            self.direction = direction
            self.pipeID = pipeID
        }

        /// Seals `payload` to `frame`, which has room for header, ciphertext and tag.
        borrowing func seal(
            _ payload: UnsafeRawBufferPointer, _ header: Header, into frame: UnsafeMutableRawBufferPointer
        ) throws(Error) {
            header.write(to: frame)
            let body = UnsafeMutableRawBufferPointer(rebasing: frame[headerByteCount...])
            try withNonceAndAssociatedData(header) { nonce, authenticated throws(CryptoError) in
                try cipher.seal(payload, nonce: nonce, authenticating: authenticated, into: body)
            }
        }

        /// Opens a whole frame whose header was read; `payload` may be where its ciphertext is.
        borrowing func open(
            _ frame: UnsafeRawBufferPointer, _ header: Header, into payload: UnsafeMutableRawBufferPointer
        ) throws(Error) {
            let body = UnsafeRawBufferPointer(rebasing: frame[headerByteCount...])
            try withNonceAndAssociatedData(header) { nonce, authenticated throws(CryptoError) in
                try cipher.open(body, nonce: nonce, authenticating: authenticated, into: payload)
            }
        }

        /// Both are built on the stack: at four microseconds per frame, an allocation shows.
        private borrowing func withNonceAndAssociatedData(
            _ header: Header,
            _ body: (_ nonce: UnsafeRawBufferPointer, _ data: UnsafeRawBufferPointer) throws(CryptoError) ->
                Void
        ) throws(Error) {
            let dataByteCount = headerByteCount + 1 + pipeIDByteCount
            let byteCount = CipherHandle.nonceByteCount + dataByteCount
            let outcome = withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 8) { buffer in
                let data = UnsafeMutableRawBufferPointer(rebasing: buffer[..<dataByteCount])
                header.write(to: data)
                data[headerByteCount] = direction.rawValue
                UnsafeMutableRawBufferPointer(rebasing: data[(headerByteCount + 1)...]).copyBytes(
                    from: pipeID)
                let nonce = UnsafeMutableRawBufferPointer(rebasing: buffer[dataByteCount...])
                nonce[0] = direction.rawValue
                nonce[1] = header.position.rawValue
                nonce[2] = 0
                nonce[3] = 0
                UnsafeMutableRawBufferPointer(rebasing: nonce[4...])
                    .storeBytes(of: header.number.bigEndian, as: UInt64.self)
                return Result { () throws(CryptoError) in
                    try body(UnsafeRawBufferPointer(nonce), UnsafeRawBufferPointer(data))
                }
            }
            try Error.wrapping { () throws(CryptoError) in try outcome.get() }
        }
    }
}
