import Glibc

extension Collection<UInt8> {
    /// The bytes in one piece. Only a collection that does not store them so is copied. The pointer must not leave
    /// `body`.
    package func withContiguousBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The standard library's closure cannot throw a typed error: it comes out as a value.
        let outcome = withContiguousStorageIfAvailable { bytes in
            Swift.Result { () throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
        }
        if let outcome { return try outcome.get() }
        return try Array(self).withUnsafeBufferPointer { bytes throws(Failure) in
            try body(UnsafeRawBufferPointer(bytes))
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Overwrites the bytes with zeros in a way that no optimiser may remove.
    public func wipe() {
        if let baseAddress { explicit_bzero(baseAddress, count) }
    }
}

extension [UInt8] {
    /// Overwrites the bytes with zeros. Copies that the array's growth left behind are beyond its reach: reserve its
    /// capacity before the first byte.
    package mutating func wipe() {
        withUnsafeMutableBytes { $0.wipe() }
    }
}
