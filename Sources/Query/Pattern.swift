import CPCRE2

/// A regular expression in MongoDB's dialect: PCRE2 on UTF-8, with `\d`, `\w`, `\s` and `\b` for ASCII.
///
/// PCRE2 goes back and tries again, which can take exponential time. A match is ended at ``maximumWork`` and the limits
/// beside it, with an error: it is never taken for no match.
final class Pattern: @unchecked Sendable {
    // @unchecked: compiled code is read-only while it matches, and may be used by several threads; pcre2api(3),
    // "Multithreading".
    private let code: OpaquePointer

    /// The longest pattern, in bytes; MongoDB's.
    static let maximumSize = 32_764
    /// What one match may cost, in steps and in characters that a step goes on or back.
    static let maximumWork = 10_000_000
    /// How often PCRE2 may go back from one place of the text, and how deep it may nest.
    private static let matchLimit: UInt32 = 5_000_000
    private static let depthLimit: UInt32 = 500_000
    /// The most memory for one match, in KiB.
    private static let heapLimit: UInt32 = 32 << 10

    /// Compiles a pattern with MongoDB's options: `i` ignores case, `m` lets `^` and `$` match at lines, `s` lets `.`
    /// match line ends, `x` leaves out white space and comments, `u` has no effect.
    init(_ pattern: String, options: String) throws(PatternError) {
        let flags = try Self.flags(options)
        let text = Array(pattern.utf8)
        guard !text.contains(0) else { throw PatternError(.containsNUL) }
        guard text.count <= Self.maximumSize else { throw PatternError(.tooLarge) }
        var code: Int32 = 0
        var offset = 0
        let compiled = text.withUnsafeBufferPointer { text in
            // An address also where there is no byte.
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { nothing in
                pcre2_compile_8(
                    text.baseAddress ?? UnsafePointer(nothing.baseAddress), text.count, flags, &code, &offset,
                    nil)
            }
        }
        guard let compiled else { throw Self.error(code, at: offset, of: text) }
        self.code = compiled
    }

    deinit { pcre2_code_free_8(code) }

    private static func flags(_ options: String) throws(PatternError) -> UInt32 {
        // Each item calls back, which is how a match is bounded. \C would cut characters in two.
        var flags = PCRE2_UTF | PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C
        for (offset, letter) in options.enumerated() {
            switch letter {
            case "i": flags |= PCRE2_CASELESS
            case "m": flags |= PCRE2_MULTILINE
            case "s": flags |= PCRE2_DOTALL
            case "x": flags |= PCRE2_EXTENDED
            case "u": break
            default: throw PatternError(.unknownOption(letter), offset: offset)
            }
        }
        return flags
    }

    private static func error(_ code: Int32, at offset: Int, of text: [UInt8]) -> PatternError {
        switch code {
        case PCRE2_ERROR_PATTERN_TOO_LARGE, PCRE2_ERROR_HEAP_FAILED, PCRE2_ERROR_PARENTHESES_NEST_TOO_DEEP,
            PCRE2_ERROR_PATTERN_STRING_TOO_LONG:
            return PatternError(.tooLarge)
        default:
            let place = String(decoding: text.prefix(offset), as: UTF8.self).unicodeScalars.count
            return PatternError(.wrong(message(code)), offset: place)
        }
    }

    /// What PCRE2 says about an error.
    private static func message(_ code: Int32) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { buffer in
            let count = pcre2_get_error_message_8(code, buffer.baseAddress, buffer.count)
            return count > 0 ? String(decoding: buffer.prefix(Int(count)), as: UTF8.self) : "error \(code)"
        }
    }

    // MARK: - Matching

    /// Whether the pattern matches anywhere in the text, which is UTF-8.
    ///
    /// - Throws: ``PatternError`` where that is not known within the limits.
    func matches(_ text: UnsafeRawBufferPointer) throws(PatternError) -> Bool {
        guard let context = pcre2_match_context_create_8(nil), let data = pcre2_match_data_create_8(1, nil)
        else { throw PatternError(.failed("there is no memory to match a pattern")) }
        defer {
            pcre2_match_data_free_8(data)
            pcre2_match_context_free_8(context)
        }
        pcre2_set_match_limit_8(context, Self.matchLimit)
        pcre2_set_depth_limit_8(context, Self.depthLimit)
        pcre2_set_heap_limit_8(context, Self.heapLimit)
        var meter = Meter()
        let result = withUnsafeMutablePointer(to: &meter) { meter in
            pcre2_set_callout_8(context, Self.count, meter)
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { nothing in
                let start = text.baseAddress?.assumingMemoryBound(to: UInt8.self)
                return pcre2_match_8(
                    code, start ?? UnsafePointer(nothing.baseAddress), text.count, 0, 0, data, context)
            }
        }
        // 0: there is no room for what groups match, which nobody asks for.
        if result >= 0 { return true }
        switch result {
        case PCRE2_ERROR_NOMATCH: return false
        case PCRE2_ERROR_CALLOUT, PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_HEAPLIMIT,
            PCRE2_ERROR_NOMEMORY, PCRE2_ERROR_RECURSELOOP:
            throw PatternError(.tooCostly)
        default: throw PatternError(.failed(Self.message(result)))
        }
    }

    /// What a match has cost so far.
    private struct Meter {
        var work = 0
        var position = 0
    }

    /// Is called before each item of the pattern that is tried; pcre2callout(3). PCRE2's own match limit begins anew at
    /// each place of the text, and does not see how far an item goes.
    private static let count:
        @convention(c) (
            UnsafeMutablePointer<pcre2_callout_block_8>?, UnsafeMutableRawPointer?
        ) -> Int32 = { block, context in
            guard let block, let meter = context?.assumingMemoryBound(to: Meter.self) else {
                return PCRE2_ERROR_CALLOUT
            }
            let position = block.pointee.current_position
            meter.pointee.work += 1 + abs(position - meter.pointee.position)
            meter.pointee.position = position
            return meter.pointee.work <= maximumWork ? 0 : PCRE2_ERROR_CALLOUT
        }
}
