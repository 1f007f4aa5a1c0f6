import CCurl
import Glibc

/// One connection by libcurl.
///
/// It is used by one thread at a time: ``HTTPTransport`` calls it from one serial queue.
final class HTTPConnection: @unchecked Sendable {
    private let caPath: String?
    private let proxy: HTTPProxy
    private let connectTimeout: Duration
    private let timeout: Duration
    private var handle: UnsafeMutableRawPointer?
    private var isClosed = false

    /// Once in a process, before its first handle; curl_global_init(3).
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(caPath: String?, proxy: HTTPProxy, connectTimeout: Duration, timeout: Duration) {
        self.caPath = caPath
        self.proxy = proxy
        self.connectTimeout = connectTimeout
        self.timeout = timeout
    }

    deinit { close() }

    /// Ends the connection; there is none after that.
    func close() {
        if let handle { curl_easy_cleanup(handle) }
        handle = nil
        isClosed = true
    }

    /// Sends a form, and waits for the answer.
    func post(_ body: [UInt8], to url: String, into answer: HTTPAnswer) -> Result<Void, TransportError> {
        do throws(TransportError) {
            return .success(try send(body, to: url, into: answer))
        } catch {
            return .failure(error)
        }
    }

    private func send(_ body: [UInt8], to url: String, into answer: HTTPAnswer) throws(TransportError) {
        let handle = try readyHandle()
        // What was set for the request before goes; its connection stays.
        curl_easy_reset(handle)
        var headers: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(headers) }
        // An empty Expect: no pause before a large body.
        for header in ["Content-Type: application/x-www-form-urlencoded", "Expect:"] {
            guard let longer = curl_slist_append(headers, header) else {
                throw TransportError("there is no memory for a request")
            }
            headers = longer
        }
        try set(handle, url: url, headers: headers)
        // At least CURL_ERROR_SIZE bytes, in which libcurl puts what went wrong.
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        text.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        defer { text.deallocate() }
        try check(pd_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, text))
        let transfer = HTTPTransfer(handle: handle, answer: answer)
        try check(
            pd_curl_set_pointer(handle, CURLOPT_WRITEDATA, Unmanaged.passUnretained(transfer).toOpaque()))
        try check(
            pd_curl_set_pointer(handle, CURLOPT_HEADERDATA, Unmanaged.passUnretained(transfer).toOpaque()))
        try check(pd_curl_set_callback(handle, CURLOPT_WRITEFUNCTION, HTTPTransfer.takeBody))
        try check(pd_curl_set_callback(handle, CURLOPT_HEADERFUNCTION, HTTPTransfer.takeHead))
        try check(pd_curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
        let code = body.withUnsafeBytes { bytes in
            // An address also where there is no byte: without one it would be read from standard input.
            var nothing: UInt8 = 0
            return withUnsafePointer(to: &nothing) { empty in
                let start = bytes.baseAddress ?? UnsafeRawPointer(empty)
                let code = pd_curl_set_pointer(handle, CURLOPT_POSTFIELDS, start)
                return code == CURLE_OK ? withExtendedLifetime(transfer) { curl_easy_perform(handle) } : code
            }
        }
        // The handle must not keep addresses of what ends here.
        defer { curl_easy_reset(handle) }
        guard code != CURLE_OK else { return }
        let failure = HTTPFailure(
            code: code, text: String(cString: text), handle: handle, isProxied: isProxied)
        throw TransportError(answer.excess ?? failure.description)
    }

    private func readyHandle() throws(TransportError) -> UnsafeMutableRawPointer {
        guard !isClosed else { throw TransportError("the connection is closed") }
        if let handle { return handle }
        guard Self.isReady, let made = curl_easy_init() else {
            throw TransportError("libcurl cannot be started")
        }
        handle = made
        return made
    }

    // MARK: - Settings

    private func set(
        _ handle: UnsafeMutableRawPointer, url: String, headers: UnsafeMutablePointer<curl_slist>?
    ) throws(TransportError) {
        try check(pd_curl_set_string(handle, CURLOPT_URL, url))
        try check(pd_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https"))
        try check(pd_curl_set_list(handle, CURLOPT_HTTPHEADER, headers))
        try check(pd_curl_set_string(handle, CURLOPT_USERAGENT, "pd-agent"))
        let numbers: [(CURLoption, Int)] = [
            (CURLOPT_POST, 1),
            // A redirection would send reports to a place that nobody has set.
            (CURLOPT_FOLLOWLOCATION, 0),
            (CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue)),
            (CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)),
            (CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            (CURLOPT_PROXY_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            (CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
            // Signals are the program's, not this thread's.
            (CURLOPT_NOSIGNAL, 1),
            (CURLOPT_CONNECTTIMEOUT_MS, connectTimeout.milliseconds),
            (CURLOPT_TIMEOUT_MS, timeout.milliseconds),
        ]
        for (option, value) in numbers { try check(pd_curl_set_long(handle, option, value)) }
        if let caPath {
            try check(pd_curl_set_string(handle, CURLOPT_CAINFO, caPath))
            // The folder of the system's certificates is looked at beside the file.
            try check(pd_curl_set_string(handle, CURLOPT_CAPATH, nil))
        }
        switch proxy {
        case .environment: break
        case .none: try check(pd_curl_set_string(handle, CURLOPT_PROXY, ""))
        case .url(let url): try check(pd_curl_set_string(handle, CURLOPT_PROXY, url))
        }
    }

    private func check(_ code: CURLcode) throws(TransportError) {
        guard code == CURLE_OK else { throw TransportError(String(cString: curl_easy_strerror(code))) }
    }

    /// Whether a proxy may be on the way.
    private var isProxied: Bool {
        switch proxy {
        case .none: false
        case .url: true
        case .environment:
            ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].contains {
                (name: String) in getenv(name) != nil
            }
        }
    }
}

/// What libcurl's callbacks are given while a request is under way.
private final class HTTPTransfer {
    private let handle: UnsafeMutableRawPointer
    private let answer: HTTPAnswer

    init(handle: UnsafeMutableRawPointer, answer: HTTPAnswer) {
        self.handle = handle
        self.answer = answer
    }

    /// CURLOPT_WRITEFUNCTION(3): any number but that of the bytes ends the transfer.
    static let takeBody: curl_write_callback = { bytes, size, count, context in
        take(bytes, size * count, context) { $0.answer.takeBody($1) }
    }

    /// CURLOPT_HEADERFUNCTION(3): one whole line at a time.
    static let takeHead: curl_write_callback = { bytes, size, count, context in
        take(bytes, size * count, context) { $0.answer.takeHead($1, $0.code) }
    }

    private static func take(
        _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?,
        _ body: (HTTPTransfer, UnsafeRawBufferPointer) -> Bool
    ) -> Int {
        guard let context else { return 0 }
        let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
        // Nothing is never refused by a number that is not that of the bytes.
        guard body(transfer, UnsafeRawBufferPointer(start: bytes, count: count)) else { return count &+ 1 }
        return count
    }

    private var code: Int {
        var code = 0
        return pd_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &code) == CURLE_OK ? code : 0
    }
}

extension Duration {
    /// Whole milliseconds, at least one: to libcurl, nothing is for ever.
    fileprivate var milliseconds: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
