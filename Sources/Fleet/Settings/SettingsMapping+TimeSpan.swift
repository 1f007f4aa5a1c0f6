import PDBasics
import PDSettings

extension SettingsMapping {
    /// A span of time such as `4h`, or nothing where the setting is absent or null.
    mutating func span(_ name: String) throws(SettingsError) -> TimeSpan? {
        guard let text = try string(name) else { return nil }
        guard let span = TimeSpan(text) else { throw error(name, "must be \(TimeSpan.form)") }
        return span
    }
}
