import PDSecrets

extension PipeFrame {
    /// The receiving end of one direction.
    public struct Opener: ~Copyable, Sendable {
        private let channel: Channel
        private var number: UInt64

        /// Whether the last frame came. A pipe that ends before was cut off: see ``finish()``.
        public private(set) var isFinished = false

        /// See ``PipeFrame/Sealer/init(secret:pipeID:direction:)``; `direction` is that of the sender.
        public init(secret: SecretBytes, pipeID: some Collection<UInt8>, direction: Direction) throws(Error) {
            try self.init(secret: secret, pipeID: pipeID, direction: direction, number: 0)
        }

        init(
            secret: SecretBytes, pipeID: some Collection<UInt8>, direction: Direction, number: UInt64
        ) throws(Error) {
            channel = try Channel(secret: secret, pipeID: Array(pipeID), direction: direction)
            self.number = number
        }

        /// Opens the next frame, which must be given whole and alone, in its own memory: an array that nobody else holds
        /// is not copied.
        ///
        /// - Parameter frame: The frame, given up by the caller. Another copy of it stays as it is.
        /// - Returns: The payload: a slice of what was opened, whose indices do not begin at 0.
        /// - Throws: and then no plaintext is left behind, and the state is as before.
        public mutating func open(_ frame: consuming [UInt8]) throws(Error) -> ArraySlice<UInt8> {
            guard !isFinished else { throw .finished }
            let header = try frame.withContiguousBytes { frame throws(Error) in try Header(bytes: frame) }
            guard header.number == number else {
                throw .outOfOrder(expected: number, found: header.number)
            }
            guard number < maximumFrames else { throw .frameLimitReached }
            guard frame.count == header.frameByteCount else {
                throw .byteCount(expected: header.frameByteCount, found: frame.count)
            }
            let payload = headerByteCount..<(headerByteCount + header.payloadByteCount)
            try frame.withUnsafeMutableBufferPointer { buffer throws(Error) in
                let frame = UnsafeMutableRawBufferPointer(buffer)
                try channel.open(
                    UnsafeRawBufferPointer(frame), header,
                    into: UnsafeMutableRawBufferPointer(rebasing: frame[payload]))
            }
            number += 1
            isFinished = header.position == .last
            return frame[payload]
        }

        /// Says that nothing more comes.
        ///
        /// - Throws: ``PipeFrame/Error/truncated`` unless the last frame came.
        public borrowing func finish() throws(Error) {
            guard isFinished else { throw .truncated }
        }
    }
}
