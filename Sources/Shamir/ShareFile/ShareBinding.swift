/// What a line's checksum covers besides the line: the set and the share that it stands on, so that a line of another
/// paper never agrees. See docs/share-format.md, "Checksums".
struct ShareBinding: Equatable {
    /// The set as it is printed; nil before it is known.
    let set: String?
    /// The share's number; nil before it is known.
    let number: Int?

    /// The bytes before a line of this key.
    func prefix(of key: String) -> [UInt8] {
        switch key {
        case "Format", "Set": []
        case "Share": Array("\(set ?? "")\n".utf8)
        default: Array("\(set ?? "")/\(number ?? 0)\n".utf8)
        }
    }

    /// Whether a line of this key can be checked with what is known.
    func covers(_ key: String) -> Bool {
        switch key {
        case "Format", "Set": true
        case "Share": set != nil
        default: set != nil && number != nil
        }
    }
}
