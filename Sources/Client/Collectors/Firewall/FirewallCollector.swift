import PDDocument

/// `firewall`: whether packets that nobody asked for are kept out, by IPv4 and by IPv6.
///
/// The kernel's rules decide, and only root may read them. Others go by what the manager of the rules is set to.
struct FirewallCollector: Collector {
    let name = "firewall"
    let commands: Set = ["ip6tables", "ip6tables-legacy", "iptables", "iptables-legacy", "nft", "systemctl"]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let manager = try Manager.find(machine)
        let kernel = KernelRules.read(machine, needsNft: manager.name == "firewalld")
        var ipv4 = kernel.ipv4
        var ipv6 = kernel.ipv6
        var source = "kernel"
        if case .unknown(let reason) = kernel.ipv4 {
            (ipv4, ipv6) = manager.verdicts(reason: reason)
            source = "settings"
        }
        if try !Self.hasIPv6(machine) { ipv6 = .notApplicable("IPv6 is switched off") }

        let (status, reason) = Self.summary(ipv4, ipv6)
        var result = DocumentWriter()
        result.append("status", .string(status))
        result.append("manager", .string(manager.name ?? kernel.manager))
        result.append("reason", ifPresent: reason)
        result.append("ipv4", .string(ipv4.word))
        result.append("ipv6", .string(ipv6.word))
        if status != "unknown" { result.append("source", .string(source)) }
        return .document(result.finish())
    }

    private static func hasIPv6(_ machine: Machine) throws -> Bool {
        guard machine.exists("/proc/net/if_inet6") else { return false }
        let switches = ["all", "default"].map {
            machine.attribute("/proc/sys/net/ipv6/conf/\($0)/disable_ipv6")
        }
        return switches != ["1", "1"]
    }

    private static func summary(_ ipv4: Verdict, _ ipv6: Verdict) -> (status: String, reason: String?) {
        switch (ipv4, ipv6) {
        case (.off, .off): ("off", "everything is let in")
        case (.off, _): ("off", "everything is let in by IPv4")
        case (_, .off): ("off", "everything is let in by IPv6")
        case (.unknown(let reason), _), (_, .unknown(let reason)): ("unknown", reason)
        default: ("on", nil)
        }
    }
}

/// The program that keeps the rules, and what it is set to.
private enum Manager {
    case ufw(Verdict, Verdict)
    case firewalld(Verdict)
    case none

    var name: String? {
        switch self {
        case .ufw: "ufw"
        case .firewalld: "firewalld"
        case .none: nil
        }
    }

    /// What its settings say, where the kernel's rules cannot be read for that reason.
    func verdicts(reason: String) -> (Verdict, Verdict) {
        switch self {
        case .ufw(let ipv4, let ipv6): (ipv4, ipv6)
        case .firewalld(let both): (both, both)
        case .none: (.unknown(reason), .unknown(reason))
        }
    }

    static func find(_ machine: Machine) throws -> Manager {
        let units = SystemdUnit.show(["ufw.service", "firewalld.service"], machine)
        if try settings("/etc/ufw/ufw.conf", machine)["ENABLED"]?.lowercased() == "yes" {
            let defaults = try settings("/etc/default/ufw", machine)
            guard units?["ufw.service"]?.isActive != false else {
                let verdict = Verdict.unknown("ufw is enabled, but its service is not started")
                return .ufw(verdict, verdict)
            }
            let ipv4: Verdict = defaults["DEFAULT_INPUT_POLICY"]?.uppercased() == "ACCEPT" ? .off : .on
            return .ufw(ipv4, defaults["IPV6"]?.lowercased() == "no" ? .off : ipv4)
        }
        if units?["firewalld.service"]?.isActive == true {
            // Denied to all but root on some distributions. Every zone that firewalld ships keeps out what it was not
            // told to let in, except for this one.
            let zone = (try? settings("/etc/firewalld/firewalld.conf", machine))?["DefaultZone"]
            return .firewalld(zone == "trusted" ? .off : .on)
        }
        return .none
    }

    /// Assignments, one a line.
    private static func settings(_ path: String, _ machine: Machine) throws -> [String: String] {
        ShellAssignments.parse(try machine.textIfPresent(path) ?? "")
    }
}

/// What the kernel does with incoming packets, read by nft(8) and iptables(8).
private struct KernelRules {
    var ipv4: Verdict
    var ipv6: Verdict
    var manager: String

    /// - Parameter needsNft: the rules are kept where iptables does not see them.
    static func read(_ machine: Machine, needsNft: Bool) -> KernelRules {
        guard machine.isRoot else {
            return unknown("only root may read the kernel's rules")
        }
        switch nftables(machine) {
        case .success(let rules):
            // The older tables stand beside nftables; the kernel lists those that are in use.
            guard usesLegacyTables(machine) else { return rules }
            switch iptables(machine, legacy: true) {
            case .success(let legacy):
                return KernelRules(
                    ipv4: rules.ipv4 == .on ? .on : legacy.ipv4, ipv6: rules.ipv6 == .on ? .on : legacy.ipv6,
                    manager: rules.manager == "none" ? legacy.manager : rules.manager)
            case .failure(let problem):
                return rules.ipv4 == .on && rules.ipv6 == .on ? rules : unknown(problem.reason)
            }
        case .failure(let problem):
            guard !needsNft else { return unknown(problem.reason) }
            switch iptables(machine, legacy: false) {
            case .success(let rules): return rules
            // The first complaint names the tool that sees all rules.
            case .failure: return unknown(problem.reason)
            }
        }
    }

    private struct Problem: Error {
        let reason: String
    }

    private static func unknown(_ reason: String) -> KernelRules {
        KernelRules(ipv4: .unknown(reason), ipv6: .unknown(reason), manager: "unknown")
    }

    private static func nftables(_ machine: Machine) -> Result<KernelRules, Problem> {
        do {
            let output = try machine.run("nft", "-j", "list", "ruleset")
            guard output.returncode == 0 else {
                return .failure(Problem(reason: "nft: \(output.complaint)"))
            }
            let (ipv4, ipv6) = try PacketFilter.nftables(output.stdout)
            let hasRules = !ipv4.entries.isEmpty || !ipv6.entries.isEmpty
            return .success(
                KernelRules(
                    ipv4: ipv4.keepsOut ? .on : .off, ipv6: ipv6.keepsOut ? .on : .off,
                    manager: hasRules ? "nftables" : "none"))
        } catch CommandError.notInstalled {
            return .failure(Problem(reason: "the kernel's rules cannot be read: nft is not installed"))
        } catch {
            return .failure(Problem(reason: "nft: \(error)"))
        }
    }

    private static func usesLegacyTables(_ machine: Machine) -> Bool {
        ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"].contains { path in
            // Missing where the modules are not loaded.
            ((try? machine.text(path)) ?? "").split(separator: "\n").contains("filter")
        }
    }

    private static func iptables(_ machine: Machine, legacy: Bool) -> Result<KernelRules, Problem> {
        let suffix = legacy && machine.isInstalled("iptables-legacy") ? "-legacy" : ""
        do {
            var verdicts: [Verdict] = []
            var hasRules = false
            for command in ["iptables" + suffix, "ip6tables" + suffix] {
                let output = try machine.run(command, "-S")
                guard output.returncode == 0 else {
                    return .failure(Problem(reason: "\(command): \(output.complaint)"))
                }
                let filter = PacketFilter.iptables(output.text)
                verdicts.append(filter.keepsOut ? .on : .off)
                hasRules = hasRules || filter.keepsOut || filter.chains["INPUT"]?.rules.isEmpty == false
            }
            return .success(
                KernelRules(ipv4: verdicts[0], ipv6: verdicts[1], manager: hasRules ? "iptables" : "none"))
        } catch {
            return .failure(Problem(reason: "\(error)"))
        }
    }
}
