import Foundation
import PDBasics
import PDDocument
import PDSettings
import PDStore

/// The file in which checks are written down: `checks.yml`.
package enum CheckFile {
    /// The text of the file that is shipped.
    package static var shipped: String { String(decoding: PackageResources.checks_yml, as: UTF8.self) }

    /// The calendar that checks count by where they name none.
    package static let standardCalendar = "working"
    /// The name that means: around the clock.
    private static let always = "always"

    /// Reads the checks of a file, in their order.
    ///
    /// - Parameters:
    ///   - yaml: the text.
    ///   - file: how errors name it.
    ///   - holidays: reads the text of an iCalendar file that the checks name; nothing where it is not there.
    /// - Throws: ``SettingsError`` with the line, for YAML that is wrong, for a setting that does not exist, with the
    ///   nearest that does, and for a query that ``Query`` refuses.
    package static func read(
        yaml: String, file: String, holidays: (String) -> String? = { _ in nil }
    ) throws(SettingsError) -> CheckSet {
        var top = try SettingsMapping(yaml: yaml, file: file)
        let calendars = try calendars(try top.mapping("calendars"), holidays)
        var mappings = try top.mappings("checks")
        try top.finish()
        // A file that was cut off must not look like a fleet without a fault.
        guard !mappings.isEmpty else {
            throw SettingsError(file: file, line: nil, message: "there is no check in it")
        }
        var checks: [Check] = []
        for index in mappings.indices {
            let check = try check(&mappings[index], calendars)
            guard !checks.contains(where: { $0.name == check.name }) else {
                throw mappings[index].error("name", "\(check.name) is the name of two checks")
            }
            checks.append(check)
        }
        return CheckSet(checks: checks, calendars: calendars)
    }

    /// Reads a file and the holidays that it names, which lie beside it.
    package static func read(_ file: URL) throws -> CheckSet {
        let directory = file.deletingLastPathComponent()
        return try read(
            yaml: String(decoding: try PrivateFiles.read(file), as: UTF8.self), file: file.path,
            holidays: { name in
                (try? PrivateFiles.read(directory.appending(path: name))).map {
                    String(decoding: $0, as: UTF8.self)
                }
            })
    }

    // MARK: Calendars

    private static func calendars(
        _ mapping: SettingsMapping, _ holidays: (String) -> String?
    ) throws(SettingsError) -> [String: WorkingCalendar] {
        var mapping = mapping
        var calendars: [String: WorkingCalendar] = [:]
        for name in mapping.names {
            guard name != always, isName(name) else {
                throw mapping.error(
                    name, "is no name for a calendar: lower-case letters, digits and hyphens, not always")
            }
            var calendar = try mapping.mapping(name)
            let zoneName = try calendar.string("zone") ?? "UTC"
            guard let zone = TimeZone(identifier: zoneName) else {
                throw calendar.error("zone", "\(zoneName) is no zone such as Europe/Berlin")
            }
            var days: Set<Weekday> = []
            for text in try calendar.strings("days") {
                guard let day = Weekday(text) else {
                    throw calendar.error("days", "\(text) is no day of the week")
                }
                days.insert(day)
            }
            var hours: [WorkingCalendar.Hours] = []
            for text in try calendar.strings("hours") {
                guard let part = WorkingCalendar.Hours(text) else {
                    throw calendar.error("hours", "\(text) are no hours such as 9-17 or 8:30-12:00")
                }
                guard hours.allSatisfy({ $0.end <= part.start || part.end <= $0.start }) else {
                    throw calendar.error("hours", "\(text) overlaps with other hours")
                }
                hours.append(part)
            }
            var free: Set<CivilDate> = []
            for text in try calendar.strings("holidays") {
                if let day = CivilDate(text) {
                    free.insert(day)
                } else if text.lowercased().hasSuffix(".ics"), !text.contains("/") {
                    guard let content = holidays(text) else {
                        throw calendar.error("holidays", "the file \(text) cannot be read beside this one")
                    }
                    do {
                        free.formUnion(try HolidayFile.days(of: content))
                    } catch {
                        throw calendar.error("holidays", "\(text): \(error)")
                    }
                } else {
                    throw calendar.error(
                        "holidays",
                        "\(text) is no day such as 2026-12-25, and no file NAME.ics beside this one")
                }
            }
            try calendar.finish()
            let standard = WorkingCalendar.standard(zone: zone)
            calendars[name] = WorkingCalendar(
                zone: zone, days: days.isEmpty ? standard.days : days,
                hours: hours.isEmpty ? standard.hours : hours,
                holidays: free)
        }
        return calendars
    }

    // MARK: Checks

    private static func check(
        _ mapping: inout SettingsMapping, _ calendars: [String: WorkingCalendar]
    ) throws(SettingsError) -> Check {
        let name = try mapping.string("name")
        let title = try mapping.string("title")
        let query = mapping.node("query")
        let isBuiltIn = try mapping.bool("built_in") ?? false
        let queries = QueryNode(file: mapping.file)
        var check = Check(
            name: name ?? "", title: title ?? "",
            method: try query.map { node throws(SettingsError) in .query(try queries.query(node)) }
                ?? .builtIn)
        check.why = try mapping.string("why") ?? ""
        check.fix = try mapping.string("fix") ?? ""
        var fixes = try mapping.mapping("fix_on")
        for distribution in fixes.names { check.fixOn[distribution] = try fixes.string(distribution) }
        if let node = mapping.node("applies_to") { check.appliesTo = try queries.query(node) }
        check.evidence = try mapping.string("evidence") ?? ""
        if let span = try mapping.span("grace_period") { check.gracePeriod = span }
        if let span = try mapping.span("alert_frequency") { check.alertFrequency = span }
        check.calendar = try calendar(&mapping, calendars)
        check.severity = try mapping.choice("severity") ?? .medium
        check.tags = try mapping.strings("tags")
        var controls = try mapping.mapping("controls")
        for framework in controls.names { check.controls[framework] = try controls.strings(framework) }
        let tell = try mapping.strings("tell")
        if !tell.isEmpty { check.tell = tell }
        check.sparesLinkedHosts = try mapping.span("spares_linked_hosts")
        if mapping.has("unknown") {
            var unknown = try mapping.mapping("unknown")
            guard let node = unknown.node("query") else {
                throw missing("query", in: unknown, near: mapping.node("unknown"))
            }
            // Three working days: a report that is lost now and then is no finding.
            check.unknown = Check.Unknown(
                query: try queries.query(node),
                gracePeriod: try unknown.span("grace_period") ?? TimeSpan(milliseconds: 3 * 86_400_000))
            try unknown.finish()
        }
        // What is mistyped is named before what is then missing.
        try mapping.finish()
        guard let name else { throw missing("name", in: mapping, near: mapping.node("title") ?? query) }
        guard isName(name) else {
            throw mapping.error("name", "must be made of lower-case letters, digits and hyphens")
        }
        guard title != nil else { throw missing("title", in: mapping, near: mapping.node("name")) }
        guard isBuiltIn || query != nil else {
            throw missing("query", in: mapping, near: mapping.node("name"))
        }
        guard !isBuiltIn || query == nil else {
            throw mapping.error("query", "the server itself finds what is built in")
        }
        guard !isBuiltIn || BuiltInCheck(rawValue: name) != nil else {
            throw mapping.error(
                "built_in",
                "\(name) is not built in: \(BuiltInCheck.allCases.map(\.rawValue).joined(separator: ", ")) are"
            )
        }
        return check
    }

    private static func calendar(
        _ mapping: inout SettingsMapping, _ calendars: [String: WorkingCalendar]
    ) throws(SettingsError) -> WorkingCalendar? {
        guard let name = try mapping.string("calendar") else { return calendars[standardCalendar] }
        guard name != always else { return nil }
        guard let calendar = calendars[name] else {
            throw mapping.error("calendar", "there is no calendar \(name)")
        }
        return calendar
    }

    /// A missing setting has no line of its own, so the error gets the line of one that stands beside it.
    private static func missing(_ name: String, in mapping: SettingsMapping, near node: SettingsNode?)
        -> SettingsError
    {
        SettingsError(
            file: mapping.file, line: node?.line, message: "\(mapping.path):\(name) is missing")
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 100
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }
}
