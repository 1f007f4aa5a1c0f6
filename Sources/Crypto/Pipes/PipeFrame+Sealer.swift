import PDSecrets

extension PipeFrame {
    /// The sending end of one direction. Not copyable: a copy would use its nonces again.
    public struct Sealer: ~Copyable, Sendable {
        private let channel: Channel
        private var number: UInt64
        private var isFinished = false

        /// - Parameters:
        ///   - secret: At least 32 bytes, known to both ends alone, new for each pipe.
        ///   - pipeID: 16 bytes.
        ///   - direction: Who sends.
        public init(secret: SecretBytes, pipeID: some Collection<UInt8>, direction: Direction) throws(Error) {
            try self.init(secret: secret, pipeID: pipeID, direction: direction, number: 0)
        }

        init(
            secret: SecretBytes, pipeID: some Collection<UInt8>, direction: Direction, number: UInt64
        ) throws(Error) {
            channel = try Channel(secret: secret, pipeID: Array(pipeID), direction: direction)
            self.number = number
        }

        /// Seals the next frame.
        ///
        /// - Parameters:
        ///   - payload: At most ``PipeFrame/maximumPayload`` bytes; may be empty.
        ///   - position: `.last` ends the direction.
        /// - Throws: ``PipeFrame/Error/payloadTooLong(_:)``, ``PipeFrame/Error/finished``,
        ///   ``PipeFrame/Error/frameLimitReached``.
        public mutating func seal(
            _ payload: some Collection<UInt8>, position: Position = .inside
        ) throws(Error) -> [UInt8] {
            guard !isFinished else { throw .finished }
            guard number < maximumFrames else { throw .frameLimitReached }
            guard payload.count <= maximumPayload else { throw .payloadTooLong(payload.count) }
            let header = Header(position: position, payloadByteCount: payload.count, number: number)
            // The number is used up even if sealing fails half way.
            number += 1
            isFinished = position == .last
            return try payload.withContiguousBytes { payload throws(Error) in
                try [UInt8](count: header.frameByteCount) { frame throws(Error) in
                    try channel.seal(payload, header, into: frame)
                }
            }
        }
    }
}
