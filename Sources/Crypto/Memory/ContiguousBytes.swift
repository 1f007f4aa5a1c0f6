import Glibc

extension Collection<UInt8> {
    /// The bytes in one piece. Only a collection that does not store them so is copied.
    @inlinable @inline(__always)
    func withContiguousBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        if let result = try withContiguousStorageIfAvailable({ try body(UnsafeRawBufferPointer($0)) }) {
            return result
        }
        return try Array(self).withUnsafeBytes(body)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Overwrites the bytes with zeros in a way that no optimiser may remove.
    func wipe() {
        guard let baseAddress else { return }
        explicit_bzero(baseAddress, count)
    }
}
