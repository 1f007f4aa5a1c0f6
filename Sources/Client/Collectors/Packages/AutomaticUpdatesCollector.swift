import PDDocument

/// `updates_automatic`: whether updates are installed, and not only fetched, without anybody doing it.
struct AutomaticUpdatesCollector: Collector {
    let name = "updates_automatic"
    let commands: Set = ["apt-config", "systemctl"]

    private static let timers = [
        "apt-daily-upgrade.timer", "dnf-automatic.timer", "dnf-automatic-install.timer",
        "dnf5-automatic.timer",
        "rpm-ostreed-automatic.timer", "transactional-update.timer", "os-update.timer", "nixos-upgrade.timer",
    ]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let units = SystemdUnit.show(Self.timers, machine)
        let active = Set((units ?? [:]).filter(\.value.isActive).keys)
        var evidence: [String] = []
        let (verdict, mechanism) = try Self.judge(machine, active, units == nil, &evidence)
        var result = DocumentWriter()
        result.append(verdict.verdict)
        if verdict.verdict == .off { result.append("reason", ifPresent: verdict.reason) }
        result.append("mechanism", .string(mechanism))
        result.append("evidence", ifAny: evidence)
        return .document(result.finish())
    }

    private typealias Answer = (verdict: Verdict, reason: String?)

    private static func judge(
        _ machine: Machine, _ timers: Set<String>, _ noSystemd: Bool, _ evidence: inout [String]
    ) throws -> (Answer, String) {
        let family = try OSRelease.read(machine).family
        switch family {
        case .debian:
            return (try apt(machine, timers, noSystemd, &evidence), "unattended-upgrades")
        case .fedora where machine.exists("/run/ostree-booted"):
            let policy = IniFile(try machine.textIfPresent("/etc/rpm-ostreed.conf") ?? "")[
                "Daemon", "AutomaticUpdatePolicy"]
            evidence.append("/etc/rpm-ostreed.conf")
            let applies = ["stage", "apply"].contains(policy)
            return (timer("rpm-ostreed-automatic.timer", timers, noSystemd, applies: applies), "rpm-ostree")
        case .fedora:
            if timers.contains("dnf-automatic-install.timer") { return ((.on, nil), "dnf-automatic") }
            let (settings, read) = try IniFile.layers(
                [
                    "/usr/share/dnf5/dnf5-plugins/automatic.conf", "/etc/dnf/automatic.conf",
                    "/etc/dnf/dnf5-plugins/automatic.conf",
                ],
                machine)
            evidence += read
            let applies = IniFile.isTrue(settings["commands", "apply_updates"])
            let name =
                timers.contains("dnf5-automatic.timer") ? "dnf5-automatic.timer" : "dnf-automatic.timer"
            return (timer(name, timers, noSystemd, applies: applies), "dnf-automatic")
        case .suse:
            for name in ["transactional-update.timer", "os-update.timer"] where timers.contains(name) {
                return ((.on, nil), name)
            }
            return (
                noSystemd ? (.unknown("systemd does not answer"), nil) : (.off, "no timer installs updates"),
                "none"
            )
        case .arch, .other:
            if timers.contains("nixos-upgrade.timer") { return ((.on, nil), "nixos-upgrade") }
            if family == .other {
                return ((.unknown("no way of this system to do so is known here"), nil), "unknown")
            }
            return ((.off, "nothing installs updates by itself here"), "none")
        }
    }

    private static func timer(_ name: String, _ timers: Set<String>, _ noSystemd: Bool, applies: Bool)
        -> Answer
    {
        if noSystemd { return (.unknown("systemd does not answer"), nil) }
        guard timers.contains(name) else { return (.off, "\(name) is not started") }
        return applies ? (.on, nil) : (.off, "updates are fetched and not installed")
    }

    private static func apt(
        _ machine: Machine, _ timers: Set<String>, _ noSystemd: Bool, _ evidence: inout [String]
    ) throws -> Answer {
        guard machine.isInstalled("unattended-upgrade") else {
            return (.off, "unattended-upgrades is not installed")
        }
        let settings: [String: String]
        do throws(CommandError) {
            let output = try machine.run("apt-config", "dump", "APT::Periodic")
            guard output.returncode == 0 else { return (.unknown("apt-config: \(output.complaint)"), nil) }
            settings = aptSettings(output.text)
        } catch { return (.unknown("\(error)"), nil) }
        evidence.append("apt-config")
        for (name, standard) in [("Enable", "1"), ("Update-Package-Lists", "0"), ("Unattended-Upgrade", "0")]
        {
            let value = settings["APT::Periodic::\(name)"] ?? standard
            if value == "0" || value.isEmpty {
                return (.off, "APT::Periodic::\(name) is \(value.isEmpty ? "empty" : value)")
            }
        }
        if noSystemd {
            return machine.exists("/etc/cron.daily/apt-compat")
                ? (.on, nil) : (.unknown("systemd does not answer"), nil)
        }
        evidence.append("apt-daily-upgrade.timer")
        return timers.contains("apt-daily-upgrade.timer")
            ? (.on, nil) : (.off, "apt-daily-upgrade.timer is not started")
    }

    /// `NAME "VALUE";` lines of apt-config(8).
    static func aptSettings(_ text: String) -> [String: String] {
        var settings: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let space = line.firstIndex(of: " "),
                let value = line[space...].components(between: "\"", and: "\"").first
            else { continue }
            settings[String(line[..<space])] = String(value)
        }
        return settings
    }
}
