import PDBasics
import PDDocument
import PDSettings
import PDStore

/// The file in which checks are written down: `checks.yml`.
package enum CheckFile {
    /// The text of the file that is shipped.
    package static var shipped: String { String(decoding: PackageResources.checks_yml, as: UTF8.self) }

    /// Reads the checks of a file, in their order.
    ///
    /// - Parameters:
    ///   - yaml: the text.
    ///   - file: how errors name it.
    /// - Throws: ``SettingsError`` with the line, for YAML that is wrong, for a setting that does not exist, with the
    ///   nearest that does, and for a query that ``Query`` refuses.
    package static func read(yaml: String, file: String) throws(SettingsError) -> [Check] {
        var top = try SettingsMapping(yaml: yaml, file: file)
        var mappings = try top.mappings("checks")
        try top.finish()
        // A file that was cut off must not look like a fleet without a fault.
        guard !mappings.isEmpty else {
            throw SettingsError(file: file, line: nil, message: "there is no check in it")
        }
        var checks: [Check] = []
        for index in mappings.indices {
            let check = try check(&mappings[index])
            guard !checks.contains(where: { $0.name == check.name }) else {
                throw mappings[index].error("name", "\(check.name) is the name of two checks")
            }
            checks.append(check)
        }
        return checks
    }

    private static func check(_ mapping: inout SettingsMapping) throws(SettingsError) -> Check {
        let name = try mapping.string("name")
        let title = try mapping.string("title")
        let why = try mapping.string("why")
        let fix = try mapping.string("fix")
        let query = mapping.node("query")
        let gracePeriod = try span("grace_period", &mapping)
        let alertFrequency = try span("alert_frequency", &mapping)
        try mapping.finish()

        guard let name else { throw missing("name", in: mapping, near: mapping.node("title") ?? query) }
        guard !name.isEmpty, name.utf8.count <= 100, name.utf8.allSatisfy(isNameByte) else {
            throw mapping.error("name", "must be made of lower-case letters, digits and hyphens")
        }
        guard let title else { throw missing("title", in: mapping, near: mapping.node("name")) }
        guard let query else { throw missing("query", in: mapping, near: mapping.node("name")) }
        return Check(
            name: name, title: title, why: why ?? "", fix: fix ?? "",
            query: try QueryNode(file: mapping.file).query(query),
            gracePeriod: gracePeriod ?? TimeSpan(milliseconds: 0),
            alertFrequency: alertFrequency ?? TimeSpan(milliseconds: 3_600_000))
    }

    private static func span(_ name: String, _ mapping: inout SettingsMapping) throws(SettingsError)
        -> TimeSpan?
    {
        guard let text = try mapping.string(name) else { return nil }
        guard let span = TimeSpan(text) else { throw mapping.error(name, "must be \(TimeSpan.form)") }
        return span
    }

    /// A missing setting has no line of its own, so the error gets the line of one that stands beside it.
    private static func missing(_ name: String, in mapping: SettingsMapping, near node: SettingsNode?)
        -> SettingsError
    {
        SettingsError(
            file: mapping.file, line: node?.line, message: "\(mapping.path):\(name) is missing")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }
}
