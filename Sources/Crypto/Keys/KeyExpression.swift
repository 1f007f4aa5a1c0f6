import CGcrypt

/// An S-expression that libgcrypt's public-key functions take or give. Only for this folder.
final class KeyExpression {
    let expression: OpaquePointer

    private init(owning expression: OpaquePointer) {
        self.expression = expression
    }

    deinit {
        // Expressions built from secure memory lie in it themselves, and are wiped.
        gcry_sexp_release(expression)
    }

    /// Fills each `%b` of `format` with one of `parts`.
    static func build(_ format: String, _ parts: UnsafeRawBufferPointer...) throws -> KeyExpression {
        try Libgcrypt.ready()
        var lengths: [Int32] = []
        for part in parts {
            guard let length = Int32(exactly: part.count) else {
                throw Curve25519.Error.messageTooLong(part.count)
            }
            lengths.append(length)
        }
        var starts = parts.map(\.baseAddress)
        return try lengths.withUnsafeMutableBufferPointer { lengths in
            try starts.withUnsafeMutableBufferPointer { starts in
                // For each %b: the address of a length, then the address of a pointer to the bytes.
                var arguments: [UnsafeMutableRawPointer?] = []
                for index in 0..<parts.count {
                    arguments.append(lengths.baseAddress.map { UnsafeMutableRawPointer($0 + index) })
                    arguments.append(starts.baseAddress.map { UnsafeMutableRawPointer($0 + index) })
                }
                var built: OpaquePointer?
                try Libgcrypt.check(gcry_sexp_build_array(&built, nil, format, &arguments))
                return try owning(built)
            }
        }
    }

    /// Takes over what a libgcrypt function made.
    static func owning(_ expression: OpaquePointer?) throws -> KeyExpression {
        guard let expression else { throw CryptoError.library(code: GPG_ERR_INV_SEXP.rawValue) }
        return KeyExpression(owning: expression)
    }

    /// The bytes of the atom that follows `token`; nil where there is none.
    func bytes(_ token: String) -> [UInt8]? {
        guard let list = gcry_sexp_find_token(expression, token, 0) else { return nil }
        defer { gcry_sexp_release(list) }
        var count = 0
        guard let data = gcry_sexp_nth_data(list, 1, &count) else { return nil }
        return Array(UnsafeRawBufferPointer(start: data, count: count))
    }
}
