import CGcrypt

/// Why an operation of this module failed. No case carries a secret.
public enum CryptoError: Error, Equatable, Sendable {
    /// The installed libgcrypt is older than what this module was written for.
    case libraryTooOld(found: String, needed: String)
    /// libgcrypt answered with an error code of its own.
    case library(code: UInt32)
}

extension CryptoError: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .libraryTooOld(let found, let needed):
            "libgcrypt \(found) is too old: version \(needed) or newer is needed"
        case .library(let code):
            "libgcrypt: " + (gcry_strerror(code).map { String(cString: $0) } ?? "error \(code)")
        }
    }
}
