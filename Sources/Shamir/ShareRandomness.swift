/// Where the coefficients, check keys, salts and set identifiers come from.
///
/// Only a class can be one: a copy of a generator would give the same bytes twice, and a public salt could then be equal
/// to a check key.
public protocol ShareRandomness: AnyObject {
    /// Why there are no random bytes.
    associatedtype Failure: Error

    /// Fills the whole buffer with independent, uniformly distributed bytes that nobody can predict.
    ///
    /// - Throws: whatever kept it from filling all of it. A split that meets an error fails as a whole.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(Failure)
}

extension ShareRandomness {
    /// As ``fill(_:)``, with the failure as an error of this module.
    func draw(_ buffer: UnsafeMutableRawBufferPointer) throws(ShamirError) {
        do throws(Failure) { try fill(buffer) } catch { throw .noRandomness("\(error)") }
    }
}
