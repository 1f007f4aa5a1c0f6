import PDSecrets

extension PipeFrame {
    /// The first 16 bytes of a frame. Who reads from a stream learns here how long the frame is; nothing in
    /// it can be believed before the frame is opened.
    public struct Header: Equatable, Sendable {
        static let version: UInt8 = 2
        static let cipher: UInt8 = 1

        /// Whether more frames follow.
        public let position: Position
        /// The length of the payload, in bytes.
        public let payloadByteCount: Int
        /// The number of the frame.
        public let number: UInt64

        /// The length of the whole frame, in bytes.
        public var frameByteCount: Int { headerByteCount + payloadByteCount + CipherHandle.tagByteCount }

        init(position: Position, payloadByteCount: Int, number: UInt64) {
            self.position = position
            self.payloadByteCount = payloadByteCount
            self.number = number
        }

        /// Reads the header of a frame, from its beginning.
        public init(_ frame: some Collection<UInt8>) throws(Error) {
            self = try frame.withContiguousBytes { frame throws(Error) in try Header(bytes: frame) }
        }

        init(bytes: UnsafeRawBufferPointer) throws(Error) {
            guard bytes.count >= headerByteCount else {
                throw .byteCount(expected: headerByteCount, found: bytes.count)
            }
            guard bytes[0] == Self.version else { throw .unknownVersion(bytes[0]) }
            guard bytes[1] == Self.cipher else { throw .unknownCipher(bytes[1]) }
            guard let position = Position(rawValue: bytes[2]), bytes[3] == 0 else { throw .unknownFlags }
            let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            guard length <= maximumPayload else { throw .payloadTooLong(length) }
            self.position = position
            payloadByteCount = length
            number = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }

        /// Writes the 16 bytes.
        func write(to output: UnsafeMutableRawBufferPointer) {
            output[0] = Self.version
            output[1] = Self.cipher
            output[2] = position.rawValue
            output[3] = 0
            output.storeBytes(of: UInt32(payloadByteCount).bigEndian, toByteOffset: 4, as: UInt32.self)
            output.storeBytes(of: number.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
    }
}
