import PDDocument

/// `os_end_of_life`: whether this version of the operating system still gets security updates.
struct EndOfLifeCollector: Collector {
    let name = "os_end_of_life"

    func collect(_ context: CollectorContext) throws -> Value {
        let release = try OSRelease.read(context.machine)
        let today = CalendarDay(milliseconds: context.now)
        var result = DocumentWriter()
        if release.isRolling {
            result.append("supported", true)
            result.append("reason", "a rolling distribution has no versions that end")
            return .document(result.finish())
        }
        let table = try DistributionTable.read(for: release, context.machine)
        let found =
            release.fields["SUPPORT_END"].flatMap { CalendarDay($0) }.map { ($0, "os-release") }
            ?? table?.entry(of: release)?.end.map { ($0, "distro-info") }
        guard let (end, source) = found else {
            result.append("supported", "unknown")
            result.append("reason", .string("nothing here says until when \(release.id) is supported"))
            return .document(result.finish())
        }
        result.append("supported", .bool(today <= end))
        result.append("end", .string(end.text))
        let extended = table?.entry(of: release)?.extendedEnd
        if let extended, extended > end { result.append("extended_end", .string(extended.text)) }
        result.append("evidence", [source])
        return .document(result.finish())
    }
}

/// `/usr/share/distro-info/{debian,ubuntu}.csv`: the versions of Debian and of Ubuntu with their days.
struct DistributionTable {
    /// One version.
    struct Entry: Equatable {
        let version: String
        let codename: String
        let released: CalendarDay?
        let end: CalendarDay?
        /// The end of what is paid for or done by others: LTS, ELTS, ESM.
        let extendedEnd: CalendarDay?

        /// Ubuntu's versions for long use.
        var isLTS: Bool { version.hasSuffix(" LTS") }
        var number: String { version.hasSuffix(" LTS") ? String(version.dropLast(4)) : version }
    }

    /// In the order of the file, which is that of their making.
    let entries: [Entry]

    /// Reads the file: columns by their names in its first line.
    init(_ text: String) {
        let lines = text.split(whereSeparator: \.isNewline)
        let columns = (lines.first ?? "").split(separator: ",", omittingEmptySubsequences: false)
        entries = lines.dropFirst().compactMap { line in
            let cells = line.split(separator: ",", omittingEmptySubsequences: false)
            let cell = { (name: String) -> Substring? in
                columns.firstIndex { $0 == name }.flatMap { $0 < cells.count ? cells[$0] : nil }
            }
            guard let version = cell("version"), let series = cell("series"), !series.isEmpty else {
                return nil
            }
            let ends = ["eol-lts", "eol-elts", "eol-server", "eol-esm"].compactMap {
                cell($0).flatMap { CalendarDay($0) }
            }
            return Entry(
                version: String(version), codename: String(series),
                released: cell("release").flatMap { CalendarDay($0) },
                end: cell("eol").flatMap { CalendarDay($0) },
                extendedEnd: ends.max())
        }
    }

    /// The table of that distribution; nothing where there is none.
    static func read(for release: OSRelease, _ machine: Machine) throws -> DistributionTable? {
        guard release.id == "debian" || release.id == "ubuntu" else { return nil }
        return try machine.textIfPresent("/usr/share/distro-info/\(release.id).csv").map(
            DistributionTable.init)
    }

    /// The version that runs, by its number, else by its name.
    func entry(of release: OSRelease) -> Entry? {
        let number = release.fields["VERSION_ID"]
        let codename = release.fields["VERSION_CODENAME"]
        return entries.first { number != nil && $0.number == number }
            ?? entries.first { codename != nil && $0.codename == codename }
    }

    /// The newest version that is out.
    ///
    /// - Parameter onlyLTS: whether only versions for long use count.
    func newest(on day: CalendarDay, onlyLTS: Bool) -> Entry? {
        entries.filter { entry in
            guard let released = entry.released else { return false }
            return released <= day && (!onlyLTS || entry.isLTS) && !entry.version.isEmpty
        }.max { ($0.released ?? day) < ($1.released ?? day) }
    }
}
