import PDDocument

/// `firewall`: whether packets that nobody asked for are kept out, by IPv4 and by IPv6, and what is open all the same.
///
/// The kernel's rules decide, and only root may read them. Others go by what the manager of the rules is set to.
struct FirewallCollector: Collector {
    let name = "firewall"
    let commands: Set = ["ip6tables", "ip6tables-legacy", "iptables", "iptables-legacy", "nft", "systemctl"]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let manager = try FirewallManager.find(machine)
        let kernel = KernelRules.read(machine, needsNft: manager.name == "firewalld")
        var ipv4 = kernel.ipv4
        var ipv6 = kernel.ipv6
        var source = "kernel"
        if case .unknown(let reason) = kernel.ipv4, case .unknown = kernel.ipv6 {
            (ipv4, ipv6) = manager.verdicts(reason: reason)
            source = "settings"
        }
        let hasIPv6 = try Self.hasIPv6(machine)
        if !hasIPv6 { ipv6 = .notApplicable("IPv6 is switched off") }

        let (status, reason) = Self.summary(ipv4, ipv6)
        var result = DocumentWriter()
        result.append("status", .string(status))
        result.append("manager", .string(manager.name ?? kernel.manager))
        result.append("reason", ifPresent: reason)
        result.append("ipv4", .string(ipv4.word))
        result.append("ipv6", .string(ipv6.word))
        if status != "unknown" { result.append("source", .string(source)) }
        let judgements = [kernel.judgements[.ipv4], hasIPv6 ? kernel.judgements[.ipv6] : nil].compactMap {
            $0
        }
        let openings = Self.merged(judgements.map(\.openings))
        if !openings.isEmpty { result.append("open", .array(openings.map { .document($0.document) })) }
        let published = Set(judgements.flatMap(\.published)).sorted()
        if !published.isEmpty { result.append("published", .array(published.map { .document($0.document) })) }
        return .document(result.finish())
    }

    /// What is open by either family, once.
    private static func merged(_ openings: [[FilterJudgement.Opening]]) -> [FilterJudgement.Opening] {
        var seen: Set<FilterJudgement.Opening> = []
        return openings.joined().filter { !$0.isEverything && seen.insert($0).inserted }
    }

    /// By the addresses that are there, and by the interfaces that may get one.
    private static func hasIPv6(_ machine: Machine) throws -> Bool {
        guard let addresses = try machine.networkTable("if_inet6") else {
            // With `subset=pid` (proc(5)), /proc/net is hidden from us.
            return ((try? machine.text("/proc/self/mountinfo")) ?? "").split(separator: "\n").contains {
                line in
                line.contains(" - proc ") && line.contains("subset=pid")
            }
        }
        let isOutside = { (line: Substring) in
            line.split(whereSeparator: \.isWhitespace).last.map { $0 != "lo" } ?? false
        }
        if addresses.split(separator: "\n").contains(where: isOutside) { return true }
        let isOff = { (interface: String) in
            machine.attribute("/proc/sys/net/ipv6/conf/\(interface)/disable_ipv6") == "1"
        }
        let interfaces = try machine.names(in: "/proc/sys/net/ipv6/conf").filter { $0 != "lo" }
        return !(isOff("all") && isOff("default") && interfaces.allSatisfy(isOff))
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
