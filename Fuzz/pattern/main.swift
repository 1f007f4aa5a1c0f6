// Sources: Sources/Query/Pattern.swift Sources/Query/PatternError.swift Fuzz/Support/Seeds.swift -I Sources/CShims/CPCRE2
//
// Whatever the pattern and the text: an error or an answer within the limits, the same one twice.

/// Patterns to start from, each behind its options and before a text.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    Seeds.write([
        "i\n^(?:a[^\\]b-d[:alpha:]]{2,3}|\\x{41}\\Q.\\E*?)(?<n>\\d+)$\nabc1",
        "\n^(a+)+$\naaaaaaaaaaaaaaaaaaaaaaaaaa!",
        "msx\n^a(?=b)b # c\n\nab", "\n(?<=a|bc)\\1(?R)?(*ACCEPT)\\p{L}++\nabcé",
        "u\n(a*)*\\1b|(?>x*)\\K\\X\naab",
    ])
    return 0
}

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPattern(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    let input = UnsafeBufferPointer(start: data, count: size)
    let parts = input.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3,
        let pattern = try? Pattern(
            String(decoding: parts[1], as: UTF8.self), options: String(decoding: parts[0], as: UTF8.self))
    else { return 0 }
    // Texts of documents are UTF-8.
    let text = Array(String(decoding: parts[2], as: UTF8.self).utf8)
    precondition(answer(pattern, text) == answer(pattern, text), "two answers")
    return 0
}

private func answer(_ pattern: Pattern, _ text: [UInt8]) -> Result<Bool, PatternError> {
    text.withUnsafeBytes { bytes in
        do throws(PatternError) {
            return .success(try pattern.matches(bytes))
        } catch { return .failure(error) }
    }
}
