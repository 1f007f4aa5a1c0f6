import PDCrypto
import PDSecrets

/// Signs reports with the fleet's client key.
public protocol ReportSigner: Sendable {
    /// The fingerprint of the key, in hexadecimal digits.
    var fingerprint: String { get }

    /// The public half of the key, in ASCII armor.
    var armoredPublicKey: String { get }

    /// An armored detached OpenPGP signature over the bytes.
    ///
    /// - Parameter seconds: the signature's time, since 1970-01-01 UTC.
    func sign(_ document: [UInt8], at seconds: Int64) throws -> String

    /// Looks at a signature of its own before it is sent.
    ///
    /// - Parameter seconds: the time, since 1970-01-01 UTC.
    func standing(of report: SignedReport, at seconds: Int64) -> SignedReport.Standing
}

extension SignedReport {
    /// What a report's signature is worth.
    public enum Standing: Sendable, Equatable {
        /// Nothing is known against it.
        case good
        /// It is dated ahead of our clock: one of the two was wrong.
        case ahead
        /// It does not fit the report.
        case damaged
    }
}

extension ReportSigner {
    /// Nothing is known against any.
    public func standing(of report: SignedReport, at seconds: Int64) -> SignedReport.Standing { .good }
}

/// An OpenPGP secret key without passphrase.
public struct OpenPGPSigner: ReportSigner {
    private let key: OpenPGP.SecretKey

    /// Reads the key, armored or binary.
    public init(_ secret: SecretBytes) throws(OpenPGP.Error) {
        key = try OpenPGP.SecretKey(secret)
    }

    /// The fingerprint of the key, in hexadecimal digits.
    public var fingerprint: String { "\(key.certificate.fingerprint)" }

    /// The public half of the key, in ASCII armor.
    public var armoredPublicKey: String { key.certificate.armored() }

    /// An armored detached OpenPGP signature over the bytes.
    public func sign(_ document: [UInt8], at seconds: Int64) throws -> String {
        // A clock that stands before the key was made would keep this machine silent.
        let time = OpenPGP.Timestamp(max(seconds, key.certificate.creationTime.seconds))
        return try OpenPGP.armored(signature: key.signDetachedWithoutPurpose(document, at: time))
    }

    /// Verifies its own signature as a server would.
    public func standing(of report: SignedReport, at seconds: Int64) -> SignedReport.Standing {
        let time = OpenPGP.Timestamp(max(seconds, key.certificate.creationTime.seconds))
        do throws(OpenPGP.Error) {
            _ = try OpenPGP.Verifier(certificates: [key.certificate]).verifyWithoutPurpose(
                signature: report.signature, of: report.data, at: time)
            return .good
        } catch {
            return switch error {
            case .signatureFromTheFuture: .ahead
            // One of an earlier key may still be trusted; the server knows.
            case .unknownSigner: .good
            default: .damaged
            }
        }
    }
}
