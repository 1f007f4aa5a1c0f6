import CCurl
import Glibc

/// Why libcurl has no answer, in one line for people.
struct HTTPFailure: CustomStringConvertible {
    let description: String

    /// - Parameters:
    ///   - code: what `curl_easy_perform` returned.
    ///   - text: what it put into the error buffer; may be empty.
    ///   - handle: what it was called with, for details.
    ///   - isProxied: whether a proxy may be on the way.
    init(code: CURLcode, text: String, handle: UnsafeMutableRawPointer, isProxied: Bool) {
        let own = text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
        let errorNumber = Self.long(handle, CURLINFO_OS_ERRNO)
        let proxyStatus = Self.long(handle, CURLINFO_HTTP_CONNECTCODE)
        description =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST: "its name cannot be resolved"
            case CURLE_COULDNT_RESOLVE_PROXY: "the proxy's name cannot be resolved"
            // Only libcurl knows whether it was the proxy that it could not connect to.
            case CURLE_COULDNT_CONNECT where isProxied:
                "\(Self.message(errorNumber) ?? "no connection"): \(own)"
            case CURLE_COULDNT_CONNECT: Self.message(errorNumber) ?? own
            case CURLE_OPERATION_TIMEDOUT where Self.offset(handle, CURLINFO_PRETRANSFER_TIME_T) == 0:
                "no connection within the time allowed"
            case CURLE_OPERATION_TIMEDOUT: "no answer within the time allowed"
            case CURLE_GOT_NOTHING: "it closed the connection without an answer"
            case CURLE_PARTIAL_FILE: "its answer ended early"
            case CURLE_SEND_ERROR where proxyStatus >= 300, CURLE_RECV_ERROR where proxyStatus >= 300,
                CURLE_COULDNT_CONNECT where proxyStatus >= 300:
                "the proxy answered with status \(proxyStatus)"
            case CURLE_SEND_ERROR, CURLE_RECV_ERROR: Self.message(errorNumber) ?? Self.tls(own)
            case CURLE_UNSUPPORTED_PROTOCOL where own.contains("HTTP/0.9"), CURLE_WEIRD_SERVER_REPLY:
                "its answer is not HTTP"
            case CURLE_SSL_CACERT_BADFILE: "no certificate can be read from the file that ssl:ca_path names"
            case CURLE_PEER_FAILED_VERIFICATION:
                Self.certificate(own, result: Self.long(handle, CURLINFO_SSL_VERIFYRESULT))
            case CURLE_SSL_CONNECT_ERROR: Self.tls(own)
            case CURLE_PROXY: "the proxy failed: \(own)"
            default: own
            }
    }

    /// - Parameter result: the code of X509_STORE_CTX_get_error(3).
    private static func certificate(_ text: String, result: Int) -> String {
        let prefix = "SSL certificate problem: "
        guard text.hasPrefix(prefix) else {
            // Good in itself: it is the name that does not agree.
            return "its certificate is for another name: \(text.replacing("SSL: ", with: ""))"
        }
        let reason = text.dropFirst(prefix.count)
        return switch result {
        // Not valid yet, not valid any more.
        case 9, 10: "its certificate is not valid now: \(reason); is this machine's clock right?"
        default: "its certificate is not trusted (\(reason)): set ssl:ca_path in agent.yml"
        }
    }

    /// OpenSSL's `error:0A00010B:SSL routines::wrong version number` in words.
    private static func tls(_ text: String) -> String {
        let reason = text.split(separator: "::").last.map(String.init) ?? text
        if ["wrong version number", "packet length too long", "http request"].contains(where: text.contains) {
            return "it does not answer by TLS: are scheme and port of server_url right? (\(reason))"
        }
        if ["unsupported protocol", "protocol version", "version too low"].contains(where: text.contains) {
            return "it does not speak TLS 1.2 or later (\(reason))"
        }
        return "no TLS connection (\(reason))"
    }

    private static func message(_ errorNumber: Int) -> String? {
        errorNumber == 0 ? nil : String(cString: strerror(Int32(errorNumber)))
    }

    private static func long(_ handle: UnsafeMutableRawPointer, _ info: CURLINFO) -> Int {
        var value = 0
        return pd_curl_get_long(handle, info, &value) == CURLE_OK ? value : 0
    }

    private static func offset(_ handle: UnsafeMutableRawPointer, _ info: CURLINFO) -> curl_off_t {
        var value: curl_off_t = 0
        return pd_curl_get_offset(handle, info, &value) == CURLE_OK ? value : 0
    }
}
