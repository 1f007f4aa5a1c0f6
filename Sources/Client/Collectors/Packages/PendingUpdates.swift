import PDDocument

/// What a package manager says is to be installed.
struct PendingUpdates: Equatable {
    /// A package with the version that waits.
    struct Package: Equatable, Hashable {
        let name: String
        let version: String
        /// Whether it mends a fault of security; nothing where the package manager does not say.
        var isSecurity: Bool?
    }

    var packages: [Package] = []
    /// Kept back by the machine's owner, or handed out to other machines first: none of them is missing here.
    var held: [String] = []
    /// Why it cannot be told which of them are about security; nothing where it can.
    var securityUnknown: String?
    /// What was asked.
    var evidence: [String] = []
    /// When the lists were last fetched that this stands on, in milliseconds since 1970-01-01 UTC.
    var listsAt: Int64?

    /// The most packages that are named in a report.
    static let listLimit = 200

    /// How old the lists may be for "nothing waits" to be believed, in milliseconds: a week.
    static let listsHoldFor: Int64 = 7 * 86_400_000

    /// The fields of `os_updates`.
    ///
    /// - Parameter now: milliseconds since 1970-01-01 UTC.
    func append(to result: inout DocumentWriter, now: Int64) {
        let security = packages.filter { $0.isSecurity == true }
        let stale = listsAt.map { now - $0 > Self.listsHoldFor } ?? false
        var patches: Bool? = !packages.isEmpty
        var urgent: Bool?
        var reason: String?
        if !security.isEmpty {
            urgent = true
        } else if stale {
            reason = "the lists of packages are from \(CalendarDay(milliseconds: listsAt ?? 0).text)"
            if packages.isEmpty { patches = nil }
        } else if let securityUnknown, !packages.isEmpty || evidence.isEmpty {
            reason = securityUnknown
        } else {
            urgent = false
        }
        result.append("security_patches", .known(urgent))
        result.append("patches", .known(patches))
        result.append("reason", ifPresent: reason)
        let sorted = packages.sorted { ($0.name, $0.version) < ($1.name, $1.version) }
        result.append(
            "pending_security", ifAny: Array(Set(security.map(\.name)).sorted().prefix(Self.listLimit)))
        result.append(
            "pending",
            .array(
                sorted.prefix(Self.listLimit).map {
                    ["name": .string($0.name), "version": .string($0.version)]
                }))
        result.append("pending_count", .int(packages.count))
        result.append("held", ifAny: Array(Set(held).sorted().prefix(Self.listLimit)))
        result.append("evidence", ifAny: evidence)
        if let listsAt { result.append("lists_at", .date(milliseconds: listsAt)) }
    }
}

extension PendingUpdates {
    /// The simulation of apt-get(8): `Inst NAME [OLD] (NEW ARCHIVE:VERSION/SUITE, … [ARCH])`. What is held or handed out
    /// by phases has no such line; it stands in a block of its own.
    init(aptSimulation text: String) {
        var isHeld = false
        for line in text.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("Inst ") {
                isHeld = false
                guard let open = line.firstIndex(of: "("), let close = line.lastIndex(of: ")"), open < close
                else {
                    continue
                }
                let name = line.dropFirst(5).prefix { $0 != " " }
                // Without the old version it is no update, but what an update needs.
                guard line[..<open].contains("[") else { continue }
                let inside = line[line.index(after: open)..<close]
                let version = inside.prefix { $0 != " " }
                let origins = inside.dropFirst(version.count).lowercased()
                packages.append(
                    Package(
                        name: String(name), version: String(version),
                        isSecurity: origins.contains("-security") || origins.contains("esm-")))
            } else if line.hasSuffix(":") {
                isHeld = line.contains("kept back") || line.contains("deferred due to phasing")
            } else if line.hasPrefix("  "), isHeld {
                held += line.split(separator: " ").map(String.init)
            } else {
                isHeld = false
            }
        }
        evidence = ["apt-get --simulate"]
    }

    /// `dnf check-upgrade`: lines of name, version and archive. What follows `Obsoleting Packages` is none.
    init(dnfUpgrades text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("Obsoleting") { break }
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count == 3, words[0].contains("."), words[1].contains(where: \.isNumber),
                !line.hasPrefix(" ")
            else { continue }
            let name = words[0].lastIndex(of: ".").map { words[0][..<$0] } ?? words[0]
            packages.append(Package(name: String(name), version: String(words[1]), isSecurity: false))
        }
        evidence = ["dnf check-upgrade"]
    }

    /// Marks what an advisory for security is about: `dnf updateinfo list --security` (dnf4: name, kind, package) and
    /// `dnf advisory list --security` (dnf5: name, kind, severity, package, date). Both write the package as
    /// NAME-VERSION-RELEASE.ARCH.
    mutating func mark(dnfAdvisories text: String) {
        var named: Set<String> = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 3, !line.hasPrefix("Name ") else { continue }
            // The package is the first word behind the kind that has a release and an architecture.
            guard
                let package = words.dropFirst(2).first(where: {
                    $0.contains("-") && $0.contains(".") && !$0.contains(":00")
                })
            else { continue }
            if let name = Self.rpmName(package) { named.insert(name) }
        }
        for index in packages.indices where named.contains(packages[index].name) {
            packages[index].isSecurity = true
        }
        for name in named.sorted() where !packages.contains(where: { $0.name == name }) {
            // Without a newer package in the lists there is still an advisory that says one is missing.
            packages.append(Package(name: name, version: "", isSecurity: true))
        }
    }

    /// NAME of NAME-VERSION-RELEASE.ARCH.
    private static func rpmName(_ text: Substring) -> String? {
        let parts = text.split(separator: "-")
        guard parts.count >= 3 else { return nil }
        return parts.dropLast(2).joined(separator: "-")
    }

    /// `checkupdates`: `NAME OLD -> NEW`.
    init(pacmanUpdates text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            guard words.count >= 4, words[2] == "->" else { continue }
            if line.hasSuffix("[ignored]") {
                held.append(String(words[0]))
            } else {
                packages.append(Package(name: String(words[0]), version: String(words[3]), isSecurity: nil))
            }
        }
        evidence = ["checkupdates"]
    }

    /// `arch-audit --upgradable --quiet`: `NAME>=VERSION`, of what has a fix that can be had.
    mutating func mark(archAudit text: String) {
        for index in packages.indices where packages[index].isSecurity == nil {
            packages[index].isSecurity = false
        }
        for line in text.split(whereSeparator: \.isNewline) {
            let name = trimmed(line.prefix { $0 != ">" && $0 != "=" && $0 != " " })
            guard !name.isEmpty else { continue }
            if let index = packages.firstIndex(where: { $0.name == name }) {
                packages[index].isSecurity = true
            } else {
                let version = line.split(separator: "=").last.map(String.init) ?? ""
                packages.append(
                    Package(name: name, version: version == line ? "" : version, isSecurity: true))
            }
        }
        evidence.append("arch-audit")
    }

    /// `zypper --xmlout list-patches` and `list-updates`: the elements `update` with their attributes.
    init(zypperXML text: String) {
        for element in text.components(between: "<update ", and: ">") {
            let kind = Self.attribute("kind", element)
            let name = Self.attribute("name", element) ?? ""
            guard !name.isEmpty else { continue }
            if kind == "patch" {
                guard Self.attribute("status", element) ?? "needed" == "needed" else { continue }
                packages.append(
                    Package(
                        name: name, version: Self.attribute("edition", element) ?? "",
                        isSecurity: Self.attribute("category", element) == "security"))
            } else {
                packages.append(
                    Package(name: name, version: Self.attribute("edition", element) ?? "", isSecurity: nil))
            }
        }
        evidence = ["zypper"]
    }

    private static func attribute(_ name: String, _ element: Substring) -> String? {
        element.components(between: "\(name)=\"", and: "\"").first.map(String.init)
    }
}

extension StringProtocol where SubSequence == Substring {
    /// What stands between each of the first and the next of the second.
    func components(between start: String, and end: String) -> [Substring] {
        var found: [Substring] = []
        var rest = self[startIndex...]
        while let from = rest.firstRange(of: start), let to = rest[from.upperBound...].firstRange(of: end) {
            found.append(rest[from.upperBound..<to.lowerBound])
            rest = rest[to.upperBound...]
        }
        return found
    }

    private func firstRange(of text: String) -> Range<Index>? {
        let wanted = Array(text.utf8)
        let bytes = utf8
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == wanted[0] {
                var end = index
                var matched = 0
                while matched < wanted.count, end < bytes.endIndex, bytes[end] == wanted[matched] {
                    bytes.formIndex(after: &end)
                    matched += 1
                }
                if matched == wanted.count { return index..<end }
            }
            bytes.formIndex(after: &index)
        }
        return nil
    }
}
