import PDCrypto

/// What receivers know a message by: the same at each attempt, and it tells nothing about the fleet.
enum MessageToken {
    /// 32 characters of base 16, from the identifier of a message in the outbox.
    static func token(_ id: String) -> String {
        hexadecimal(Array(SHA256.hash(Array(id.utf8)).prefix(16)))
    }
}
