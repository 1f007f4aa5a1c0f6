/// The rules that incoming packets of one address family meet, reduced to the question: what happens to a packet that
/// no rule is about?
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

    /// A chain where packets enter, or one that other chains jump to.
    struct Chain {
        /// The actions of rules without any condition, in their order. Rules with a condition are not in it: they make
        /// exceptions, which is what a firewall is for.
        var rules: [Action] = []
        /// What happens at the end of a chain where packets enter.
        var policy: Action?
    }

    /// Chains by name.
    var chains: [String: Chain] = [:]
    /// The chains where incoming packets enter. A packet has to pass all of them.
    var entries: [String] = []

    /// Whether a packet that no rule makes an exception for is kept out.
    var keepsOut: Bool {
        entries.contains { name in
            switch fate(name, depth: 0) ?? chains[name]?.policy {
            case .drop: true
            default: false
            }
        }
    }

    /// Nothing where a packet leaves the chain at its end.
    private func fate(_ name: String, depth: Int) -> Action? {
        // nftables allows 16 jumps; a loop cannot be loaded, but a recorded file may hold one.
        guard depth < 32, let chain = chains[name] else { return nil }
        for rule in chain.rules {
            switch rule {
            case .accept, .drop: return rule
            case .backToCaller: return nil
            case .goTo(let target): return fate(target, depth: depth + 1)
            case .jump(let target):
                if let fate = fate(target, depth: depth + 1) { return fate }
            }
        }
        return nil
    }
}
