import CCurl
import CGPGME
import CGcrypt
import CMongoC
import COpenSSL
import CPCRE2
import CYAML
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

    @Test("libcurl is at least 7.85 and speaks TLS (Debian package libcurl4-openssl-dev)")
    func curl() throws {
        let version = try #require(curl_version_info(CURLVERSION_FIRST)).pointee
        #expect(version.version_num >= 0x075500)
        #expect(version.features & CURL_VERSION_SSL != 0)
    }

    @Test("libyaml is at least 0.2 (Debian package libyaml-dev)")
    func yaml() {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        yaml_get_version(&major, &minor, &patch)
        #expect((major, minor) >= (0, 2))
    }

    @Test("PCRE2 knows Unicode (Debian package libpcre2-dev)")
    func pcre2() {
        var isUnicode: UInt32 = 0
        #expect(pcre2_config_8(UInt32(PCRE2_CONFIG_UNICODE), &isUnicode) >= 0)
        #expect(isUnicode == 1)
    }
}
