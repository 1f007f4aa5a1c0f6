/// What the kernel does with incoming packets, read by nft(8) and iptables(8).
struct KernelRules {
    var ipv4: Verdict
    var ipv6: Verdict
    var manager: String
    /// By family, where the rules could be read.
    var judgements: [AddressFamily: FilterJudgement] = [:]

    /// Why some rules could not be read.
    private struct Problem: Error {
        let reason: String
    }

    /// - Parameter needsNft: the rules are kept where iptables does not see them.
    static func read(_ machine: Machine, needsNft: Bool) -> KernelRules {
        guard machine.isRoot else { return unknown("only root may read the kernel's rules") }
        do throws(Problem) {
            return combined(try ruleset(machine), machine)
        } catch {
            guard !needsNft else { return unknown(error.reason) }
            // iptables sees its own tables only. What these keep out is kept out; what they let in, others may keep out.
            var rules = combined(nil, machine)
            if rules.ipv4 != .on { rules.ipv4 = .unknown(error.reason) }
            if rules.ipv6 != .on { rules.ipv6 = .unknown(error.reason) }
            rules.judgements = rules.judgements.filter { $0.value.keepsOut }
            return rules.judgements.isEmpty ? unknown(error.reason) : rules
        }
    }

    private static func unknown(_ reason: String) -> KernelRules {
        KernelRules(ipv4: .unknown(reason), ipv6: .unknown(reason), manager: "unknown")
    }

    // MARK: - nftables

    private static func ruleset(_ machine: Machine) throws(Problem) -> NftablesRuleset {
        do {
            var ruleset: NftablesRuleset
            do {
                ruleset = try NftablesRuleset(try listed(machine, "nft", "-j", "list", "ruleset"))
            } catch CommandError.outputTooLong {
                // Long lists of addresses: without them.
                ruleset = try NftablesRuleset(
                    try listed(machine, "nft", "-j", "-t", "list", "ruleset"), isTerse: true)
            }
            guard !ruleset.oddlyFlagged.isEmpty || !ruleset.withoutDevices.isEmpty else { return ruleset }
            // Where it does not tell, what an odd flag says is taken for dormant, and devices stay unknown.
            let text = (try? listed(machine, "nft", "-t", "list", "ruleset")).map {
                NftablesText(String(decoding: $0, as: UTF8.self))
            }
            if let text { ruleset.wake(ruleset.oddlyFlagged.subtracting(text.dormant)) }
            ruleset.devices = text?.devices ?? [:]
            if let chain = ruleset.withoutDevices.first(where: { ruleset.devices[$0] == nil }) {
                throw Problem(reason: "nft does not tell at which devices the chain \(chain.name) stands")
            }
            return ruleset
        } catch let problem as Problem {
            throw problem
        } catch CommandError.notInstalled {
            throw Problem(reason: "the kernel's rules cannot be read: nft is not installed")
        } catch {
            throw Problem(reason: "nft: \(error)")
        }
    }

    private static func listed(_ machine: Machine, _ arguments: String...) throws -> [UInt8] {
        let output = try machine.run(arguments)
        guard output.returncode == 0 else { throw Problem(reason: "\(arguments[0]): \(output.complaint)") }
        return output.stdout
    }

    // MARK: - All rules together

    /// - Parameter ruleset: the rules of nftables; nothing where they cannot be read, and iptables is asked alone.
    private static func combined(_ ruleset: NftablesRuleset?, _ machine: Machine) -> KernelRules {
        var filters: [AddressFamily: PacketFilter] = [:]
        // Rules that are not seen at all may keep out; of those that are seen in part, conditions may let in.
        var unseen: Problem?
        var halfSeen: Problem?
        var hasLegacy = false
        for family in AddressFamily.allCases {
            // Extensions of iptables, of which nft knows the names only: iptables tells about the tables that have them.
            let name = family == .ipv4 ? "ip" : "ip6"
            var told: Set<NftablesRuleset.Table> = []
            var filter = PacketFilter()
            for table in ruleset?.foreign ?? [] where table.family == name && own.contains(table.name) {
                do throws(Problem) {
                    filter = filter.followed(
                        by: try iptables(table.name, family, suffix: "", machine),
                        named: "iptables \(table.name)")
                    told.insert(table)
                } catch { halfSeen = halfSeen ?? error }
            }
            if let ruleset { filter = ruleset.filter(family, without: told).followed(by: filter, named: "") }
            // The older tables stand beside nftables; the kernel lists those that are in use.
            let legacy = ruleset == nil ? ["filter"] : legacyTables(family, machine)
            let suffix = ruleset != nil && machine.isInstalled("iptables-legacy") ? "-legacy" : ""
            for table in legacy {
                do throws(Problem) {
                    let rules = try iptables(table, family, suffix: suffix, machine)
                    hasLegacy =
                        hasLegacy
                        || rules.chains.contains { !$0.value.rules.isEmpty || $0.value.policy == .drop }
                    filter = filter.followed(by: rules, named: "legacy \(table)")
                } catch { unseen = unseen ?? error }
            }
            filters[family] = filter
        }
        if let strange = (ruleset?.foreign ?? []).first(where: {
            !["ip", "ip6"].contains($0.family) || !own.contains($0.name)
        }) {
            halfSeen =
                halfSeen
                ?? Problem(
                    reason: "nft does not show all that is in the table \(strange.family) \(strange.name)")
        }
        let interfaces = OutwardInterfaces(
            machine, named: filters.values.reduce(into: []) { $0.formUnion($1.namedInterfaces) })
        var rules = KernelRules(ipv4: .off, ipv6: .off, manager: "none")
        for family in AddressFamily.allCases {
            let judgement = FilterJudgement(
                filters[family] ?? PacketFilter(), family, interfaces: interfaces,
                own: ownAddresses(family, machine))
            let problem = judgement.keepsOut ? halfSeen : unseen
            let verdict: Verdict = problem.map { .unknown($0.reason) } ?? (judgement.keepsOut ? .on : .off)
            if family == .ipv4 { rules.ipv4 = verdict } else { rules.ipv6 = verdict }
            if problem == nil { rules.judgements[family] = judgement }
        }
        rules.manager = ruleset?.guardsInput == true ? "nftables" : hasLegacy ? "iptables" : "none"
        return rules
    }

    /// The tables that iptables keeps.
    private static let own: Set = ["filter", "mangle", "raw", "nat", "security"]

    /// What iptables tells of one of its tables.
    private static func iptables(
        _ table: String, _ family: AddressFamily, suffix: String, _ machine: Machine
    ) throws(Problem) -> PacketFilter {
        let command = (family == .ipv4 ? "iptables" : "ip6tables") + suffix
        let output: CommandOutput
        do {
            output = try machine.run([command] + (table == "filter" ? [] : ["-t", table]) + ["-S"])
        } catch { throw Problem(reason: "\(error)") }
        guard output.returncode == 0 else { throw Problem(reason: "\(command): \(output.complaint)") }
        return table == "nat"
            ? .iptablesTranslations(output.text, family)
            : .iptables(output.text, family, entries: ["INPUT", "PREROUTING"])
    }

    private static func legacyTables(_ family: AddressFamily, _ machine: Machine) -> [String] {
        // Missing where the modules are not loaded.
        let table = family == .ipv4 ? "ip_tables_names" : "ip6_tables_names"
        return ((try? machine.networkTable(table)) ?? "").split(separator: "\n").map(String.init).filter(
            own.contains
        )
        .sorted()
    }

    private static func ownAddresses(_ family: AddressFamily, _ machine: Machine) -> [UInt128] {
        switch family {
        case .ipv4:
            return ((try? machine.ipv4Addresses()) ?? []).compactMap { address in
                address.device == "lo" ? nil : family.number(address.address.prefix { $0 != "/" })
            }
        case .ipv6:
            return ((try? machine.networkTable("if_inet6")) ?? "").split(separator: "\n").compactMap {
                line in
                let fields = line.split(whereSeparator: \.isWhitespace)
                guard fields.count == 6, fields[5] != "lo" else { return nil }
                return UInt128(fields[0], radix: 16)
            }
        }
    }
}
