import CCurl
import Foundation
import PDSecrets

/// One transfer by libcurl, on the thread that made it.
final class CurlTransfer {
    /// Why a transfer failed, in libcurl's words.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Once in a process, before its first handle; curl_global_init(3).
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let handle: UnsafeMutableRawPointer
    private let text: UnsafeMutablePointer<CChar>
    private var lists: [UnsafeMutablePointer<curl_slist>] = []

    /// - Parameters:
    ///   - timeout: for the whole transfer, in milliseconds.
    ///   - certificates: a file of certificates that TLS is verified with; nothing: the system's.
    init(timeout: Int, certificates: String?) throws(Failure) {
        guard Self.isReady, let handle = curl_easy_init() else {
            throw Failure(description: "libcurl cannot be started")
        }
        self.handle = handle
        text = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        text.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        try check(pd_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, text))
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, 10_000)
        try set(CURLOPT_TIMEOUT_MS, timeout)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let certificates { try set(CURLOPT_CAINFO, certificates) }
        // What a receiver says is of no use here.
        try check(pd_curl_set_callback(handle, CURLOPT_WRITEFUNCTION) { _, size, count, _ in size * count })
    }

    deinit {
        curl_easy_cleanup(handle)
        for list in lists { curl_slist_free_all(list) }
        text.deallocate()
    }

    func set(_ option: CURLoption, _ value: Int) throws(Failure) {
        try check(pd_curl_set_long(handle, option, value))
    }

    func set(_ option: CURLoption, _ value: String) throws(Failure) {
        try check(pd_curl_set_string(handle, option, value))
    }

    /// Sets what the first line of a file says. libcurl copies the value and clears its copy when the handle goes.
    func setSecret(_ option: CURLoption, _ value: SecretBytes) throws(Failure) {
        let length = value.withUnsafeBytes { $0.firstIndex { $0 == 0x0a || $0 == 0x0d } ?? $0.count }
        let text = SecretBytes(count: length + 1) { buffer in
            value.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<length])) }
        }
        try text.withUnsafeBytes { bytes throws(Failure) in
            try check(
                pd_curl_set_string(handle, option, bytes.baseAddress?.assumingMemoryBound(to: CChar.self)))
        }
    }

    func setList(_ option: CURLoption, _ values: [String]) throws(Failure) {
        var list: UnsafeMutablePointer<curl_slist>?
        for value in values {
            guard let longer = curl_slist_append(list, value) else {
                curl_slist_free_all(list)
                throw Failure(description: "there is no memory for a request")
            }
            list = longer
        }
        guard let list else { return }
        lists.append(list)
        try check(pd_curl_set_list(handle, option, list))
    }

    /// Sends a request with that body.
    ///
    /// - Returns: the status of the answer.
    func post(_ body: [UInt8]) throws(Failure) -> Int {
        try set(CURLOPT_POST, 1)
        try check(pd_curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
        let code = body.withUnsafeBytes { bytes in
            let code = pd_curl_set_pointer(handle, CURLOPT_POSTFIELDS, bytes.baseAddress)
            return code == CURLE_OK ? curl_easy_perform(handle) : code
        }
        try check(code)
        var status = 0
        try check(pd_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status))
        return status
    }

    /// Sends a mail.
    func upload(_ content: [UInt8]) throws(Failure) {
        let reader = Reader(content)
        try set(CURLOPT_UPLOAD, 1)
        try check(pd_curl_set_pointer(handle, CURLOPT_READDATA, Unmanaged.passUnretained(reader).toOpaque()))
        // A read callback has the shape of a write callback.
        try check(
            pd_curl_set_callback(handle, CURLOPT_READFUNCTION) { buffer, size, count, reader in
                guard let reader, let buffer else { return 0 }
                return Unmanaged<Reader>.fromOpaque(reader).takeUnretainedValue().read(
                    into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
            })
        try check(withExtendedLifetime(reader) { curl_easy_perform(handle) })
    }

    private final class Reader {
        private let content: [UInt8]
        private var position = 0

        init(_ content: [UInt8]) { self.content = content }

        func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
            let count = min(buffer.count, content.count - position)
            content.withUnsafeBytes {
                buffer.copyBytes(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
            }
            position += count
            return count
        }
    }

    private func check(_ code: CURLcode) throws(Failure) {
        guard code != CURLE_OK else { return }
        let said = String(cString: text)
        throw Failure(description: said.isEmpty ? String(cString: curl_easy_strerror(code)) : said)
    }
}
