import COpenSSL
import Foundation

/// What a certificate file says about itself, for lists.
package struct CertificateFile: Sendable, Equatable {
    /// When the first certificate of the file ends, in seconds since 1970-01-01 UTC.
    package let expiresAt: Int64
    private let file: URL
    private let der: [UInt8]

    /// Reads the file.
    ///
    /// - Throws: ``StateError`` where it is no certificate in PEM.
    package init(_ file: URL) throws(StateError) {
        self.file = file
        let bytes = try PrivateFiles.read(file, limit: 1 << 20)
        let x509 = bytes.withUnsafeBytes { buffer in
            PEM.object(in: buffer, reading: { PEM_read_bio_X509($0, nil, $1, nil) })
        }
        guard let x509 else {
            throw StateError("\(file.path) is not a certificate in PEM")
        }
        defer { X509_free(x509) }
        var end = tm()
        var position: UnsafeMutablePointer<UInt8>?
        let length = i2d_X509(x509, &position)
        guard ASN1_TIME_to_tm(X509_get0_notAfter(x509), &end) == 1, length > 0, let position else {
            throw StateError("\(file.path) is not a certificate in PEM")
        }
        defer { CRYPTO_free(position, #file, #line) }
        expiresAt = Int64(timegm(&end))
        der = Array(UnsafeBufferPointer(start: position, count: Int(length)))
    }

    /// Makes sure that a private key belongs to the first certificate.
    ///
    /// - Throws: ``StateError`` that names the file that is wrong.
    package func check(key: URL) throws(StateError) {
        let secret = try PrivateFiles.readSecret(key)
        let pair = secret.withUnsafeBytes { bytes in
            PEM.object(in: bytes, reading: { PEM_read_bio_PrivateKey($0, nil, $1, nil) })
        }
        guard let pair else {
            // The library's error may quote the file.
            throw StateError("\(key.path) is not a private key in PEM without a passphrase")
        }
        defer { EVP_PKEY_free(pair) }
        guard withX509({ X509_check_private_key($0, pair) == 1 }) else {
            throw StateError("\(file.path) and \(key.path) do not belong together")
        }
    }

    /// Whether the first certificate is for a host name or address: by its subject alternative names alone, as agents look
    /// at it (RFC 9525, section 6).
    package func names(_ host: String) -> Bool {
        withX509 { x509 in
            let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            if let address = IPAddress(bare) { return X509_check_ip_asc(x509, "\(address)", 0) == 1 }
            let flags = UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
            return X509_check_host(x509, host, host.utf8.count, flags, nil) == 1
        }
    }

    /// Whether the first certificate names itself as its issuer: whoever is to trust it has to be given it.
    package var vouchesForItself: Bool {
        withX509 { X509_NAME_cmp(X509_get_subject_name($0), X509_get_issuer_name($0)) == 0 }
    }

    /// The first certificate, PEM (RFC 7468), without whatever else is in the file.
    package var pem: [UInt8] {
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
