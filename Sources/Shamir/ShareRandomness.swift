/// Where the coefficients, check keys, salts and set identifiers come from.
public protocol ShareRandomness {
    /// Fills the whole buffer with independent, uniformly distributed bytes that nobody can predict.
    ///
    /// - Throws: whatever kept it from filling all of it. A split that meets an error fails as a whole.
    mutating func fill(_ buffer: UnsafeMutableRawBufferPointer) throws
}
