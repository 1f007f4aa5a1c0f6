import COpenSSL
import Foundation
import PDFiles
import PDProtocol
import PDSecrets

/// A certificate that vouches for itself, for fleets whose agents are told what to trust: a P-256 key, the host's name as
/// its subject alternative name (RFC 5280, section 4.2.1.6), good for servers only.
package struct SelfSignedCertificate: Sendable {
    /// The longest time that a certificate may be valid, in days: what browsers and libraries accept.
    package static let maximumDays = 825

    /// The certificate, PEM.
    package let certificate: [UInt8]
    /// The private key, PEM (PKCS #8).
    package let key: SecretBytes

    /// Makes a key and its certificate.
    ///
    /// - Parameters:
    ///   - host: the host name or IP address at which clients reach the server.
    ///   - days: for how long it is valid, 1 to ``maximumDays``.
    ///   - now: when that begins.
    /// - Throws: ``StateError``.
    package init(host: String, days: Int, now: Date = Date()) throws(StateError) {
        guard (1...Self.maximumDays).contains(days) else {
            throw StateError("a certificate is valid for 1 to \(Self.maximumDays) days, not \(days)")
        }
        // The name becomes part of a text with commas: nothing but a name or an address may get there.
        let alternative: String
        if let address = IPAddress(host) {
            alternative = "IP:\(address)"
        } else if Hostname(host) != nil {
            alternative = "DNS:\(host)"
        } else {
            throw StateError("\(host) is neither a host name nor an address")
        }
        let pair = try Self.makeKey()
        defer { EVP_PKEY_free(pair) }
        guard let x509 = X509_new() else { throw Self.failure("make a certificate") }
        defer { X509_free(x509) }
        try Self.fill(x509, host: host, alternative: alternative, days: days, now: now, key: pair)
        guard X509_sign(x509, pair, EVP_sha256()) > 0 else { throw Self.failure("sign the certificate") }
        certificate = try Self.pem { PEM_write_bio_X509($0, x509) }.withUnsafeBytes { Array($0) }
        key = try Self.pem { PEM_write_bio_PKCS8PrivateKey($0, pair, nil, nil, 0, nil, nil) }
    }

    /// Puts both files in place, in a directory of mode 0700 that is made where it is missing. Of what is there only a pair
    /// that was made here is replaced.
    ///
    /// - Throws: ``StateError``; then the files are as they were, unless it says that one cannot be written.
    package func write(certificate file: URL, key keyFile: URL) throws(StateError) {
        let isNew = !Files.exists(file.path) && !Files.exists(keyFile.path)
        guard isNew || Self.isMadeHere(certificate: file, key: keyFile) else {
            throw StateError(
                "\(file.path) or \(keyFile.path) is there and no pair that was made here: move both away first"
            )
        }
        try PrivateFiles.makeDirectory(file.deletingLastPathComponent())
        try PrivateFiles.write(key, to: keyFile)
        try PrivateFiles.write(certificate, to: file, mode: 0o644)
    }

    private static func isMadeHere(certificate: URL, key: URL) -> Bool {
        // Files that cannot be read as a pair are none that was made here.
        guard let file = try? CertificateFile(certificate), file.isMadeHere else { return false }
        return (try? file.check(key: key)) != nil
    }

    private static func makeKey() throws(StateError) -> OpaquePointer {
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else { throw failure("make a key") }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { throw failure("make a key") }
        return key
    }

    private static func fill(
        _ x509: OpaquePointer, host: String, alternative: String, days: Int, now: Date, key: OpaquePointer
    ) throws(StateError) {
        guard X509_set_version(x509, 2) == 1 else { throw failure("fill the certificate") }
        // RFC 5280, section 4.1.2.2: positive and hard to guess.
        guard let number = BN_new() else { throw failure("number the certificate") }
        defer { BN_free(number) }
        guard BN_rand(number, 127, 0, 0) == 1,
            BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != nil
        else { throw failure("number the certificate") }
        let start = Int(now.timeIntervalSince1970)
        guard ASN1_TIME_set(X509_getm_notBefore(x509), start) != nil,
            ASN1_TIME_set(X509_getm_notAfter(x509), start + days * 86_400) != nil,
            X509_set_pubkey(x509, key) == 1, let name = X509_get_subject_name(x509)
        else { throw failure("fill the certificate") }
        // A common name has at most 64 characters (RFC 5280, appendix A.1); clients look at the other one.
        let common = Array(host.utf8.prefix(64))
        guard X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common, Int32(common.count), -1, 0) == 1,
            X509_set_issuer_name(x509, name) == 1
        else { throw failure("name the certificate") }
        for (kind, value) in [
            (NID_subject_alt_name, alternative), (NID_basic_constraints, "critical,CA:FALSE"),
            // No key usage: BoringSSL, which agents use, takes a certificate that says that it signs none, not even
            // itself, for one whose issuer is unknown.
            (NID_ext_key_usage, "serverAuth"),
        ] {
            guard let part = X509V3_EXT_conf_nid(nil, nil, kind, value) else {
                throw failure("fill the certificate")
            }
            defer { X509_EXTENSION_free(part) }
            guard X509_add_ext(x509, part, -1) == 1 else { throw failure("fill the certificate") }
        }
    }

    private static let MBSTRING_UTF8: Int32 = 0x1000

    private static func pem(_ write: (OpaquePointer) -> Int32) throws(StateError) -> SecretBytes {
        guard let bio = BIO_new(BIO_s_secmem()) else { throw failure("write PEM") }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { throw failure("write PEM") }
        let count = BIO_ctrl_pending(bio)
        return try SecretBytes(count: count) { buffer throws(StateError) in
            guard BIO_read(bio, buffer.baseAddress, Int32(buffer.count)) == Int32(count) else {
                throw failure("write PEM")
            }
        }
    }

    private static func failure(_ what: String) -> StateError {
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(ERR_get_error(), &text, text.count)
        let reason = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return StateError("OpenSSL cannot \(what): \(reason)")
    }
}
