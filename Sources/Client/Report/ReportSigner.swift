import PDCrypto

/// Signs reports with the fleet's client key.
public protocol ReportSigner: Sendable {
    /// The fingerprint of the key, in hexadecimal digits.
    var fingerprint: String { get }

    /// An armored detached OpenPGP signature over the bytes.
    ///
    /// - Parameter seconds: the signature's time, since 1970-01-01 UTC.
    func sign(_ document: [UInt8], at seconds: Int64) throws -> String
}

/// An OpenPGP secret key without passphrase.
public struct OpenPGPSigner: ReportSigner {
    private let key: OpenPGP.SecretKey

    /// Reads the key. The caller wipes the bytes.
    public init(_ bytes: [UInt8]) throws(OpenPGP.Error) {
        key = try OpenPGP.SecretKey(bytes)
    }

    /// The fingerprint of the key, in hexadecimal digits.
    public var fingerprint: String { "\(key.certificate.fingerprint)" }

    /// An armored detached OpenPGP signature over the bytes.
    public func sign(_ document: [UInt8], at seconds: Int64) throws -> String {
        try key.signDetachedWithoutPurposeArmored(document, at: OpenPGP.Timestamp(seconds))
    }
}
