import Logging

extension Logger.Level {
    /// The words that settings have for levels, for people.
    public static let settingWords = (allCases.map(\.rawValue) + ["warn"]).joined(separator: ", ")

    /// The level of a word: swift-log's own name for it, or `warn`, in capitals or not. Existing files have the words of
    /// Python's logging, of Logbook and of syslog, which are among these.
    public init?(settingWord word: String) {
        let word = word.lowercased()
        self.init(rawValue: word == "warn" ? "warning" : word)
    }
}

extension SettingsMapping {
    /// How much is logged, or nothing where the setting is absent or null.
    public mutating func logLevel(_ name: String) throws(SettingsError) -> Logger.Level? {
        guard let word = try string(name) else { return nil }
        guard let level = Logger.Level(settingWord: word) else {
            throw error(name, "must be one of \(Logger.Level.settingWords)")
        }
        return level
    }
}
