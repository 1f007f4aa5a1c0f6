extension [UInt8] {
    /// `count` bytes, all of which `body` writes.
    ///
    /// - Throws: what `body` throws; what it wrote is wiped then.
    package init<Failure: Error>(
        count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        // The standard library's closure cannot throw a typed error: it comes out as a value.
        var failure: Failure?
        self.init(unsafeUninitializedCapacity: count) { buffer, filled in
            let bytes = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count)
            do throws(Failure) {
                try body(bytes)
                filled = count
            } catch {
                bytes.wipe()
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
