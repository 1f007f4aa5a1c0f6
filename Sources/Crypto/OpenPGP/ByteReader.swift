extension OpenPGP {
    /// Reads big-endian fields from bytes of unknown origin; reading past the end is an error, never a trap.
    struct ByteReader {
        private(set) var rest: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func byte() throws(Error) -> UInt8 {
            guard let byte = rest.popFirst() else { throw .malformedPacket("it ends within a field") }
            return byte
        }

        mutating func bytes(_ count: Int) throws(Error) -> ArraySlice<UInt8> {
            guard count >= 0, count <= rest.count else { throw .malformedPacket("a length beyond the end") }
            let taken = rest.prefix(count)
            rest = rest.dropFirst(count)
            return taken
        }

        mutating func uint16() throws(Error) -> Int { try Int(byte()) << 8 | Int(byte()) }

        mutating func uint32() throws(Error) -> Int64 { try bytes(4).reduce(0) { $0 << 8 | Int64($1) } }

        /// A length of one, two or five octets (RFC 9580, sections 4.2.1 and 5.2.3.7), of which two begin below
        /// `twoOctetEnd`; nil for a first octet from there to 254.
        mutating func length(twoOctetEnd: Int) throws(Error) -> Int? {
            let first = try Int(byte())
            switch first {
            case ..<192: return first
            case ..<twoOctetEnd: return try (first - 192) << 8 + Int(byte()) + 192
            case 255: return try Int(uint32())
            default: return nil
            }
        }

        /// A multiprecision integer (RFC 9580, section 3.2) of at most `maximumBits`, as its big-endian bytes.
        ///
        /// The bit count must be that of the number: anything else is a second spelling of the same number.
        mutating func mpi(maximumBits: Int = 16_384) throws(Error) -> ArraySlice<UInt8> {
            let bits = try uint16()
            guard bits <= maximumBits else { throw .malformedPacket("a number of \(bits) bits") }
            let value = try bytes((bits + 7) / 8)
            guard value.first.map({ $0.leadingZeroBitCount == value.count * 8 - bits }) ?? true else {
                throw .malformedPacket("a number that is shorter than its bit count")
            }
            return value
        }
    }
}

extension ArraySlice<UInt8> {
    /// These bytes with zeros before them up to `count`: the fixed-length string that an MPI shortened. Nil if they
    /// are longer.
    func leftPadded(to count: Int) -> ArraySlice<UInt8>? {
        guard self.count <= count else { return nil }
        return self.count == count ? self : ArraySlice(repeatElement(0, count: count - self.count) + self)
    }
}
