/// The rules that incoming packets of one address family meet, and what becomes of a packet in them.
///
/// The question is what a stranger's first packet of a connection meets, for every port. Each condition of a rule is
/// therefore answered for a concrete packet (``Stranger``); a condition that all strangers satisfy is none, however it is
/// written.
struct PacketFilter {
    /// How a condition is met by a packet.
    enum Truth: Comparable {
        case no
        /// By few packets, or by no more than is known here: an exception.
        case narrow
        /// Not by all, but whoever tries often enough gets by: limits, quotas, times, chance.
        case permissive
        case yes

        var negated: Truth {
            switch self {
            case .no: .yes
            // All but few.
            case .narrow: .permissive
            case .permissive: .narrow
            case .yes: .no
            }
        }
    }

    /// Something that a rule asks of a packet.
    indirect enum Condition {
        case always(Truth)
        case family(Set<AddressFamily>)
        /// Names; one that ends with `*` stands for all that begin so.
        case interface([String])
        case source(AddressSet)
        case destination(AddressSet)
        /// By name, in lower case.
        case transport(Set<String>)
        case destinationPorts(PortSet)
        case sourcePorts(PortSet)
        case not(Condition)
        case any([Condition])
        case all([Condition])
    }

    /// What a rule does with the packets that it applies to.
    enum Action: Equatable {
        case accept
        /// Dropped or rejected.
        case drop
        case jump(String)
        case goTo(String)
        case backToCaller
        /// Sent on to another address, such as a container's.
        case translate(to: String)
    }

    /// A rule.
    struct Rule {
        var conditions: [Condition] = []
        var action: Action
    }

    /// A chain where packets enter, or one that other chains jump to.
    struct Chain {
        /// In their order.
        var rules: [Rule] = []
        /// What happens at the end of a chain where packets enter.
        var policy: Action?
    }

    /// Chains by name.
    var chains: [String: Chain] = [:]
    /// The chains where incoming packets enter. A packet has to pass all of them.
    var entries: [String] = []
    /// Those of them that one interface alone has.
    var entryInterfaces: [String: Set<String>] = [:]
    /// The chains where destinations are changed.
    var translations: [String] = []

    /// Both filters, one after the other.
    func followed(by other: PacketFilter, named prefix: String) -> PacketFilter {
        var result = self
        let name = { (name: String) in "\(prefix) \(name)" }
        for (key, chain) in other.chains {
            var chain = chain
            for index in chain.rules.indices {
                switch chain.rules[index].action {
                case .jump(let target): chain.rules[index].action = .jump(name(target))
                case .goTo(let target): chain.rules[index].action = .goTo(name(target))
                default: break
                }
            }
            result.chains[name(key)] = chain
        }
        result.entries += other.entries.map(name)
        result.translations += other.translations.map(name)
        return result
    }

    /// Interfaces and sources that rules name, for which there may be exceptions.
    var namedInterfaces: Set<String> {
        conditions.reduce(into: []) { names, condition in
            if case .interface(let some) = condition { names.formUnion(some) }
        }
    }

    /// The source addresses that rules name one by one; not those of long lists.
    var namedSources: [AddressSet] {
        var seen: Set<AddressSet> = []
        return conditions.compactMap { condition in
            if case .source(let set) = condition, set.ranges.count <= 16, seen.insert(set).inserted {
                set
            } else {
                nil
            }
        }
    }

    private var conditions: [Condition] {
        func flat(_ condition: Condition) -> [Condition] {
            switch condition {
            case .not(let inner): flat(inner)
            case .any(let all), .all(let all): all.flatMap(flat)
            default: [condition]
            }
        }
        return chains.sorted { $0.key < $1.key }.flatMap {
            $0.value.rules.flatMap { $0.conditions.flatMap(flat) }
        }
    }

    // MARK: - What becomes of a packet

    /// The destination ports to which the packet may get in.
    func letsIn(_ packet: Stranger) -> PortSet {
        entries.reduce(PortSet.all) { ports, entry in
            if let only = entryInterfaces[entry], !only.contains(packet.interface) { return ports }
            guard !ports.isEmpty, let chain = chains[entry] else { return ports }
            let fate = fate(packet, in: entry, ports, depth: 0)
            return chain.policy == .drop ? fate.accepted : fate.accepted.union(fate.passed)
        }
    }

    /// The destination ports that are sent on elsewhere, by where they are sent.
    func published(_ packet: Stranger) -> [String: PortSet] {
        var found: [String: PortSet] = [:]
        for entry in translations {
            found.merge(fate(packet, in: entry, .all, depth: 0).translated) { $0.union($1) }
        }
        return found
    }

    /// For which ports what may happen to a packet.
    private struct Fate {
        var accepted = PortSet.none
        /// Left the chain for the one it came from, or for the policy.
        var passed = PortSet.none
        var translated: [String: PortSet] = [:]

        mutating func add(_ other: Fate) {
            accepted = accepted.union(other.accepted)
            translated.merge(other.translated) { $0.union($1) }
        }
    }

    private func fate(_ packet: Stranger, in name: String, _ ports: PortSet, depth: Int) -> Fate {
        // nftables allows 16 jumps; a loop cannot be loaded, but a recorded file may hold one.
        guard depth < 32 else { return Fate(accepted: ports) }
        var fate = Fate()
        var rest = ports
        for rule in chains[name]?.rules ?? [] {
            guard !rest.isEmpty else { break }
            let (truth, met) = answer(.all(rule.conditions), packet)
            let here = rest.intersection(met)
            guard truth != .no, !here.isEmpty else { continue }
            // What surely leaves the chain here.
            let gone = truth == .yes ? here : .none
            switch rule.action {
            case .accept where truth >= .permissive: fate.accepted = fate.accepted.union(here)
            case .accept: continue
            case .translate(let target) where truth >= .permissive:
                fate.translated[target] = (fate.translated[target] ?? .none).union(here)
            case .translate: continue
            case .drop: break
            case .backToCaller: fate.passed = fate.passed.union(here)
            case .goTo(let target):
                let beyond = self.fate(packet, in: target, here, depth: depth + 1)
                if truth >= .permissive { fate.add(beyond) }
                fate.passed = fate.passed.union(beyond.passed)
            case .jump(let target):
                guard truth >= .permissive else { continue }
                let beyond = self.fate(packet, in: target, here, depth: depth + 1)
                fate.add(beyond)
                rest = rest.subtracting(gone).union(beyond.passed)
                continue
            }
            rest = rest.subtracting(gone)
        }
        fate.passed = fate.passed.union(rest)
        return fate
    }

    /// How a packet meets a condition, and with which destination ports.
    private func answer(_ condition: Condition, _ packet: Stranger) -> (Truth, PortSet) {
        switch condition {
        case .always(let truth): return (truth, .all)
        case .family(let families): return (families.contains(packet.family) ? .yes : .no, .all)
        case .interface(let names):
            let isListed = names.contains { name in
                name.last == "*"
                    ? packet.interface.hasPrefix(name.dropLast()) : packet.interface == name
            }
            return (isListed ? .yes : .no, .all)
        case .source(let set): return (set.contains(packet.source) ? .yes : .no, .all)
        case .destination(let set): return (packet.isFor(set) ? .yes : .no, .all)
        case .transport(let names): return (names.contains(packet.transport) ? .yes : .no, .all)
        case .destinationPorts(let ports): return (ports.isEmpty ? .no : .yes, ports)
        // Anybody may send from any port, but programs send from high ones.
        case .sourcePorts(let ports):
            return (ports.intersection(PortSet(49_152...65_535)).count > 8192 ? .yes : .narrow, .all)
        case .not(.any(let inner)): return answer(.all(inner.map { .not($0) }), packet)
        case .not(.all(let inner)): return answer(.any(inner.map { .not($0) }), packet)
        case .not(.not(let inner)): return answer(inner, packet)
        case .not(.destinationPorts(let ports)): return answer(.destinationPorts(ports.complement), packet)
        case .not(let inner): return (answer(inner, packet).0.negated, .all)
        case .all(let inner):
            var result = (Truth.yes, PortSet.all)
            for condition in inner {
                let (truth, ports) = answer(condition, packet)
                result = (min(result.0, truth), result.1.intersection(ports))
                if truth == .no || result.1.isEmpty { return (.no, .none) }
            }
            return result
        case .any(let inner):
            // The best of them decides; what others meet beyond it is added where it is as good.
            var result = (Truth.no, PortSet.none)
            for condition in inner {
                let (truth, ports) = answer(condition, packet)
                if truth > result.0 {
                    result = (truth, ports)
                } else if truth == result.0, truth != .no {
                    result.1 = result.1.union(ports)
                }
            }
            return result
        }
    }
}
