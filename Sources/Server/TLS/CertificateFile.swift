import COpenSSL
import Foundation
import NIOSSL

/// What a certificate file says about itself, for lists.
public struct CertificateFile: Sendable, Equatable {
    /// When the first certificate of the file ends, in seconds since 1970-01-01 UTC.
    public let expiresAt: Int64
    private let der: [UInt8]

    /// Reads the file.
    ///
    /// - Throws: ``StateError`` where it is no certificate in PEM.
    public init(_ file: URL) throws(StateError) {
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(try PrivateFiles.read(file, limit: 1 << 20))
            guard let first = chain.first else { throw StateError("\(file.path) holds no certificate") }
            expiresAt = Int64(first.notValidAfter)
            der = try first.toDERBytes()
        } catch let error as StateError {
            throw error
        } catch {
            throw StateError("\(file.path) is not a certificate in PEM")
        }
    }

    /// Whether the first certificate is for a host name or address: by its subject alternative names alone, as agents look
    /// at it (RFC 9525, section 6).
    public func names(_ host: String) -> Bool {
        withX509 { x509 in
            let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            if let address = IPAddress(bare) { return X509_check_ip_asc(x509, "\(address)", 0) == 1 }
            let flags = UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
            return X509_check_host(x509, host, host.utf8.count, flags, nil) == 1
        }
    }

    /// Whether the first certificate names itself as its issuer: whoever is to trust it has to be given it.
    public var vouchesForItself: Bool {
        withX509 { X509_NAME_cmp(X509_get_subject_name($0), X509_get_issuer_name($0)) == 0 }
    }

    /// The first certificate, PEM (RFC 7468), without whatever else is in the file.
    public var pem: [UInt8] {
        let options: Data.Base64EncodingOptions = [.lineLength64Characters, .endLineWithLineFeed]
        let text = Data(der).base64EncodedString(options: options)
        return Array("-----BEGIN CERTIFICATE-----\n\(text)\n-----END CERTIFICATE-----\n".utf8)
    }

    /// Whether it was made by ``SelfSignedCertificate``, as far as its form tells.
    var isMadeHere: Bool {
        withX509 { x509 in
            let extensions = [NID_subject_alt_name, NID_basic_constraints, NID_ext_key_usage]
            return vouchesForItself && X509_get_ext_count(x509) == Int32(extensions.count)
                && extensions.allSatisfy { X509_get_ext_by_NID(x509, $0, -1) >= 0 }
        }
    }

    private func withX509(_ body: (OpaquePointer) -> Bool) -> Bool {
        let x509 = der.withUnsafeBufferPointer { bytes in
            var position = bytes.baseAddress
            return d2i_X509(nil, &position, bytes.count)
        }
        guard let x509 else { return false }
        defer { X509_free(x509) }
        return body(x509)
    }
}
