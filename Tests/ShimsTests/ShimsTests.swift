import CGPGME
import CGcrypt
import CMongoC
import COpenSSL
import Testing

/// One call into each C library, so that a missing `-dev` package fails early and says which.
@Suite("C libraries are present and of a usable version")
struct ShimsTests {
    @Test("libgcrypt is at least 1.10 (Debian package libgcrypt20-dev)")
    func gcrypt() {
        #expect(gcry_check_version("1.10.0") != nil)
    }

    @Test("libgpg-error answers (Debian package libgpg-error-dev)")
    func gpgError() throws {
        let text = try #require(gpg_strerror(1))
        #expect(String(cString: text) == "General error")
    }

    @Test("gpgme is at least 1.18 (Debian package libgpgme-dev)")
    func gpgme() {
        #expect(gpgme_check_version("1.18.0") != nil)
    }

    @Test("libmongoc is at least 1.23 (Debian package libmongoc-dev)")
    func mongoc() {
        #expect(mongoc_check_version(1, 23, 0))
    }

    @Test("libbson is at least 1.23 (Debian package libbson-dev)")
    func bson() {
        #expect(bson_check_version(1, 23, 0))
    }

    @Test("OpenSSL is at least 3.0 (Debian package libssl-dev)")
    func openssl() {
        #expect(OpenSSL_version_num() >= 0x3000_0000)
    }
}
