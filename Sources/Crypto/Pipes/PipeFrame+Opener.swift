extension PipeFrame {
    /// The receiving end of one direction.
    public struct Opener: ~Copyable, Sendable {
        private let channel: Channel
        private var number: UInt64

        /// Whether the last frame came. A pipe that ends before was cut off: see ``finish()``.
        public private(set) var isFinished = false

        /// See ``PipeFrame/Sealer/init(secret:pipeID:direction:)``; `direction` is that of the sender.
        public init(secret: SecretBytes, pipeID: some Collection<UInt8>, direction: Direction) throws {
            try self.init(secret: secret, pipeID: pipeID, direction: direction, number: 0)
        }

        init(secret: SecretBytes, pipeID: some Collection<UInt8>, direction: Direction, number: UInt64) throws
        {
            channel = try Channel(secret: secret, pipeID: Array(pipeID), direction: direction)
            self.number = number
        }

        /// Opens the next frame, which must be given whole and alone.
        ///
        /// - Throws: ``PipeFrame/Error``, ``CryptoError``. The state is as before then.
        public mutating func open(_ frame: some Collection<UInt8>) throws -> [UInt8] {
            guard !isFinished else { throw Error.finished }
            let header = try Header(frame)
            guard header.number == number else {
                throw Error.outOfOrder(expected: number, found: header.number)
            }
            guard number < maximumFrames else { throw Error.frameLimitReached }
            guard frame.count == header.frameByteCount else {
                throw Error.byteCount(expected: header.frameByteCount, found: frame.count)
            }
            let payload = try frame.withContiguousBytes { frame in
                try [UInt8](unsafeUninitializedCapacity: header.payloadByteCount) { buffer, count in
                    let payload = UnsafeMutableRawBufferPointer(buffer)
                    try channel.open(
                        frame, header,
                        into: UnsafeMutableRawBufferPointer(rebasing: payload[..<header.payloadByteCount]))
                    count = header.payloadByteCount
                }
            }
            number += 1
            isFinished = header.position == .last
            return payload
        }

        /// Says that nothing more comes.
        ///
        /// - Throws: ``PipeFrame/Error/truncated`` unless the last frame came.
        public borrowing func finish() throws {
            guard isFinished else { throw Error.truncated }
        }
    }
}
