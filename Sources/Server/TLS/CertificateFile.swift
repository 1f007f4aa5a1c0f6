import Foundation
import NIOSSL

/// What a certificate file says about itself, for lists.
public struct CertificateFile: Sendable, Equatable {
    /// When the first certificate of the file ends, in seconds since 1970-01-01 UTC.
    public let expiresAt: Int64

    /// Reads the file.
    ///
    /// - Throws: ``StateError`` where it is no certificate in PEM.
    public init(_ file: URL) throws(StateError) {
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(try PrivateFiles.read(file, limit: 1 << 20))
            guard let first = chain.first else { throw StateError("\(file.path) holds no certificate") }
            expiresAt = Int64(first.notValidAfter)
        } catch let error as StateError {
            throw error
        } catch {
            throw StateError("\(file.path) is not a certificate in PEM")
        }
    }
}
