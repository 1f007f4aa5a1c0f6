import PDSecrets

extension SecretBytes {
    /// Reads several at once. The pointers must not leave `body`.
    public static func withUnsafeBytes<Result, Failure: Error>(
        of list: [SecretBytes], _ body: ([UnsafeRawBufferPointer]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        func open(_ opened: [UnsafeRawBufferPointer]) throws(Failure) -> Result {
            guard opened.count < list.count else { return try body(opened) }
            return try list[opened.count].withUnsafeBytes { next throws(Failure) in try open(opened + [next])
            }
        }
        return try open([])
    }

    /// Changes several at once. The pointers must not leave `body`.
    public static func withUnsafeMutableBytes<Result, Failure: Error>(
        of list: inout [SecretBytes], _ body: ([UnsafeMutableRawBufferPointer]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try list.withUnsafeMutableBufferPointer { list throws(Failure) in
            let list = list
            func open(_ opened: [UnsafeMutableRawBufferPointer]) throws(Failure) -> Result {
                guard opened.count < list.count else { return try body(opened) }
                return try list[opened.count].withUnsafeMutableBytes { next throws(Failure) in
                    try open(opened + [next])
                }
            }
            return try open([])
        }
    }
}
