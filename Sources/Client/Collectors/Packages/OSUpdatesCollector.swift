import PDDocument

/// `os_updates`: whether updates wait, whether some of them are about security, and whether there is a newer release.
///
/// Only what was fetched already is looked at, without the package manager's lock, so that nothing here ever comes in
/// the way of an update. Arch is the exception: `checkupdates` fetches lists of its own. The answer is kept for six
/// hours, or until the list of installed packages or of those to be had changes.
struct OSUpdatesCollector: Collector {
    let name = "os_updates"
    let commands: Set = ["apt-get", "dnf", "checkupdates", "arch-audit", "env"]

    /// How long an answer is kept, in milliseconds.
    static let keptFor: Int64 = 6 * 3_600_000

    /// What changes when packages or lists of them do.
    private static let marks = [
        "/var/lib/dpkg/status", "/var/lib/apt/lists", "/var/lib/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/var/cache/dnf", "/var/cache/libdnf5", "/var/lib/pacman/local", "/var/cache/zypp/solv",
    ]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let release = try OSRelease.read(machine)
        let mark = Self.marks.map { "\(machine.modified($0) ?? 0)" }.joined(separator: " ")
        let facts = context.memory.facts()
        if let kept = facts["answer"], facts["mark"]?.value == .string(mark), kept.at <= context.now,
            context.now - kept.at < Self.keptFor
        {
            return kept.value
        }
        var result = DocumentWriter()
        do {
            guard let pending = try pending(release, context) else {
                result.append("security_patches", "unknown")
                result.append("patches", "unknown")
                result.append("reason", .string("no package manager is known here for \(release.id)"))
                try Self.appendRelease(release, to: &result, context)
                return .document(result.finish())
            }
            pending.append(to: &result, now: context.now)
        } catch let error as CommandError {
            result.append("security_patches", "unknown")
            result.append("patches", "unknown")
            result.append("reason", .string("\(error)"))
        } catch let error as Unanswered {
            result.append("security_patches", "unknown")
            result.append("patches", "unknown")
            result.append("reason", .string(error.reason))
        }
        try Self.appendRelease(release, to: &result, context)
        let value = Value.document(result.finish())
        try context.memory.keep([
            "answer": .init(value: value, at: context.now),
            "mark": .init(value: .string(mark), at: context.now),
        ])
        return value
    }

    /// Why a package manager did not say.
    private struct Unanswered: Error {
        let reason: String
    }

    private func pending(_ release: OSRelease, _ context: CollectorContext) throws -> PendingUpdates? {
        let machine = context.machine
        switch release.family {
        case .debian: return try apt(machine)
        case .fedora: return try dnf(machine)
        case .arch: return try pacman(machine)
        case .suse: return try zypper(release, machine)
        case .other: return nil
        }
    }

    private func apt(_ machine: Machine) throws -> PendingUpdates {
        let output = try machine.run(
            "apt-get", "--simulate", "-q", "-o", "Debug::NoLocking=true", "-o", "Dir::Cache::pkgcache=", "-o",
            "Dir::Cache::srcpkgcache=", "-o", "APT::Get::Show-User-Simulation-Note=false", "dist-upgrade")
        guard output.returncode == 0 else { throw Unanswered(reason: "apt-get: \(output.complaint)") }
        var pending = PendingUpdates(aptSimulation: output.text)
        let lists = try machine.names(in: "/var/lib/apt/lists")
        pending.listsAt =
            machine.modified("/var/lib/apt/periodic/update-success-stamp") ?? machine.modified(
                "/var/lib/apt/lists/partial")
            ?? machine.modified("/var/lib/apt/lists")
        if !lists.contains(where: { $0.lowercased().contains("security") }) {
            pending.securityUnknown = "no archive of security updates is among the machine's sources"
            // Then nothing that waits says anything about it either.
            if pending.packages.isEmpty { pending.evidence = [] }
        }
        return pending
    }

    private func dnf(_ machine: Machine) throws -> PendingUpdates {
        let upgrades = try machine.run("dnf", "-q", "-C", "check-upgrade")
        guard upgrades.returncode == 0 || upgrades.returncode == 100 else {
            throw Unanswered(reason: "dnf: \(upgrades.complaint)")
        }
        var pending = PendingUpdates(dnfUpgrades: upgrades.text)
        let isNew = machine.exists("/usr/bin/dnf5")
        let advisories =
            isNew
            ? try machine.run("dnf", "-q", "-C", "advisory", "list", "--security", "--updates")
            : try machine.run("dnf", "-q", "-C", "updateinfo", "list", "--security")
        if advisories.returncode == 0 {
            pending.mark(dnfAdvisories: advisories.text)
            pending.evidence.append(isNew ? "dnf advisory" : "dnf updateinfo")
        } else {
            for index in pending.packages.indices { pending.packages[index].isSecurity = nil }
            pending.securityUnknown = "dnf: \(advisories.complaint)"
        }
        pending.listsAt = machine.modified("/var/cache/libdnf5") ?? machine.modified("/var/cache/dnf")
        return pending
    }

    private func pacman(_ machine: Machine) throws -> PendingUpdates {
        let updates = try machine.run("checkupdates", "--nocolor")
        // 2: there are none.
        guard updates.returncode == 0 || updates.returncode == 2 else {
            throw Unanswered(reason: "checkupdates: \(updates.complaint)")
        }
        var pending = PendingUpdates(pacmanUpdates: updates.text)
        do throws(CommandError) {
            let audit = try machine.run("arch-audit", "--upgradable", "--quiet")
            if audit.returncode == 0 {
                pending.mark(archAudit: audit.text)
            } else {
                pending.securityUnknown = "arch-audit: \(audit.complaint)"
            }
        } catch { pending.securityUnknown = "\(error)" }
        return pending
    }

    private func zypper(_ release: OSRelease, _ machine: Machine) throws -> PendingUpdates {
        // Reading alone does not need the lock that another zypper may hold.
        let base = ["env", "ZYPP_READONLY_HACK=1", "zypper", "--non-interactive", "--no-refresh", "--xmlout"]
        let what = release.isRolling ? ["list-updates"] : ["list-patches"]
        let output = try machine.run(base + what)
        guard output.returncode == 0 || (100...103).contains(output.returncode) else {
            throw Unanswered(reason: "zypper: \(output.complaint)")
        }
        var pending = PendingUpdates(zypperXML: output.text)
        if release.isRolling {
            pending.securityUnknown = "\(release.id) does not say which updates are about security"
        }
        pending.listsAt = machine.modified("/var/cache/zypp/solv")
        return pending
    }

    /// `release`: whether a newer release of the system is offered.
    private static func appendRelease(
        _ release: OSRelease, to result: inout DocumentWriter, _ context: CollectorContext
    ) throws {
        if release.isRolling {
            result.append("release", false)
            return
        }
        guard let table = try DistributionTable.read(for: release, context.machine),
            let current = table.entry(of: release), let released = current.released
        else {
            result.append("release", "unknown")
            return
        }
        let prompt = IniFile(
            try context.machine.textIfPresent("/etc/update-manager/release-upgrades") ?? "")[
                "DEFAULT", "Prompt"]
        if prompt == "never" {
            result.append("release", false)
            return
        }
        let newest = table.newest(
            on: CalendarDay(milliseconds: context.now),
            onlyLTS: prompt == "lts" || (prompt == nil && current.isLTS))
        let isNewer = newest.flatMap(\.released).map { $0 > released } ?? false
        result.append("release", .bool(isNewer))
        if isNewer, let newest { result.append("newest_release", .string(newest.version)) }
    }
}
