/// Where the coefficients, check keys, salts and set identifiers come from.
///
/// Only a class can be one: a copy of a generator would give the same bytes twice, and a public salt could then be equal
/// to a check key.
public protocol ShareRandomness: AnyObject {
    /// Fills the whole buffer with independent, uniformly distributed bytes that nobody can predict.
    ///
    /// - Throws: whatever kept it from filling all of it. A split that meets an error fails as a whole.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws
}
