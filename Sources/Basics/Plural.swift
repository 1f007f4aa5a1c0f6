/// Numbers of things, in words for people.
public enum Plural {
    /// `1 host`, `2 hosts`; `1 entry`, `2 entries` where the plural is given.
    public static func of(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        "\(count) \(count == 1 ? one : many ?? one + "s")"
    }
}
