/// The rules that incoming packets of one address family meet, reduced to the question: what happens to the first
/// packet of a connection that no rule makes an exception for?
struct PacketFilter {
    /// What a rule does with the packets that it applies to.
    enum Action: Equatable {
        case accept
        /// Dropped or rejected.
        case drop
        case jump(String)
        case goTo(String)
        case backToCaller
    }

    /// A rule that may apply to the first packet of a connection.
    struct Rule: Equatable {
        var action: Action
        /// Whether it asks for more than the address family and a new connection, and so applies to some packets only.
        var isConditional: Bool
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

    /// Whether every packet that no rule makes an exception for is surely kept out.
    var keepsOut: Bool {
        entries.contains { name in
            fates(name, depth: 0).isSubset(
                of: chains[name]?.policy == .drop ? [.dropped, .passed] : [.dropped])
        }
    }

    /// What may become of a packet in a chain.
    private enum Fate {
        case accepted
        case dropped
        /// Left the chain for the one it came from, or for the policy.
        case passed
    }

    /// Rules with a condition that accept or drop are exceptions, which is what a firewall is for. Those that leave the
    /// chain are not: what comes after them in the chain no longer holds for all packets.
    private func fates(_ name: String, depth: Int) -> Set<Fate> {
        // nftables allows 16 jumps; a loop cannot be loaded, but a recorded file may hold one.
        guard depth < 32 else { return [.accepted] }
        var fates: Set<Fate> = []
        for rule in chains[name]?.rules ?? [] {
            switch rule.action {
            case .accept where !rule.isConditional: return fates.union([.accepted])
            case .drop where !rule.isConditional: return fates.union([.dropped])
            case .accept, .drop: continue
            case .backToCaller:
                fates.insert(.passed)
                if !rule.isConditional { return fates }
            case .goTo(let target):
                let beyond = self.fates(target, depth: depth + 1)
                if !rule.isConditional { return fates.union(beyond) }
                if beyond.contains(.passed) { fates.insert(.passed) }
            case .jump(let target):
                guard !rule.isConditional else { continue }
                var beyond = self.fates(target, depth: depth + 1)
                guard beyond.remove(.passed) != nil else { return fates.union(beyond) }
                fates.formUnion(beyond)
            }
        }
        return fates.union([.passed])
    }
}
