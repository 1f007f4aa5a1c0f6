import CBuildStamp

/// Which program this is: `TOOL --version`, the start of a server's log, and each report of an agent say so.
///
/// Two builds of one commit say the same: the date is that of the commit, or what SOURCE_DATE_EPOCH says
/// (https://reproducible-builds.org/specs/source-date-epoch/), never that of the build.
public enum BuildStamp {
    /// The version, as semantic versioning writes it. It stands here and nowhere else.
    public static let version = "0.1.0"

    /// The first digits of the commit; nothing in a build for development.
    public static var commit: String? { text(penguindome_commit()).map { String($0.prefix(12)) } }

    /// The day of the commit in UTC, `2026-11-28`; nothing in a build for development.
    public static var date: String? { text(penguindome_date()) }

    /// All of it: `0.1.0 (0123456789ab, 2026-11-28)`, or `0.1.0 (development build)`.
    public static var text: String {
        let parts = [commit, date].compactMap(\.self)
        return "\(version) (\(parts.isEmpty ? "development build" : parts.joined(separator: ", ")))"
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        guard let pointer, pointer.pointee != 0 else { return nil }
        return String(cString: pointer)
    }
}
