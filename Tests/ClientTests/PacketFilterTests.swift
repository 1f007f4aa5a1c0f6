import Testing

@testable import PDClient

extension PacketFilter {
    /// Whether it keeps strangers out, on a machine of which nothing else is known.
    fileprivate func keepsOut(_ family: AddressFamily = .ipv4) throws -> Bool {
        let recorded = try RecordedMachine("no-tools.machine")
        return try recorded.use { machine in
            FilterJudgement(
                self, family, interfaces: OutwardInterfaces(machine, named: namedInterfaces), own: []
            ).keepsOut
        }
    }
}

@Suite("A packet filter")
struct PacketFilterTests {
    /// What `ufw enable` loads, as far as it matters, with the policy, and the end of its chain for it.
    private func ufw(policy: String) -> String {
        """
        -P INPUT \(policy)
        -N ufw-before-input
        -A INPUT -j ufw-before-input
        -A INPUT -j ufw-after-input
        -A INPUT -j ufw-track-input
        -A ufw-before-input -i lo -j ACCEPT
        -A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        -A ufw-before-input -m conntrack --ctstate INVALID -j DROP
        -A ufw-before-input -j ufw-not-local
        -A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT
        -A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
        -A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
        -A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j ufw-logging-deny
        -A ufw-not-local -j DROP
        -A ufw-after-input -p udp -m udp --dport 137 -j ufw-skip-to-policy-input
        -A ufw-skip-to-policy-input -j \(policy)
        """
    }

    @Test("is not taken in by a chain that most packets leave before they are dropped")
    func ufwDefault() throws {
        #expect(try !PacketFilter.iptables(ufw(policy: "ACCEPT")).keepsOut())
        #expect(try PacketFilter.iptables(ufw(policy: "DROP")).keepsOut())
    }

    @Test(
        "keeps out by iptables only what no rule lets in",
        arguments: [
            ("-P INPUT DROP\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", true),
            ("-P INPUT DROP\n-A INPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT", false),
            ("-P INPUT DROP\n-A INPUT -m state --state NEW -m comment --comment \"-j x\" -j ACCEPT", false),
            ("-P INPUT DROP\n-A INPUT -m conntrack ! --ctstate INVALID -j ACCEPT", false),
            ("-P INPUT DROP\n-A INPUT -p tcp -m conntrack --ctstate NEW -m tcp --dport 22 -j ACCEPT", true),
            ("-P INPUT DROP\n-A INPUT -m conntrack --ctstate NEW -j x\n-A x -j ACCEPT", false),
            ("-P INPUT DROP\n-A INPUT -j NFQUEUE --queue-num 0", false),
            ("-P INPUT ACCEPT\n-A INPUT -i lo -j ACCEPT\n-A INPUT -j REJECT --reject-with icmp-x", true),
            ("-P INPUT ACCEPT\n-A INPUT -j x\n-A x -p tcp -j y\n-A y -j RETURN\n-A x -j DROP", true),
            (
                "-P INPUT ACCEPT\n-A INPUT -j x\n-A x -p tcp -g y\n-A y -s 10.0.0.0/8 -j DROP\n-A x -j DROP",
                false
            ),
            ("-P INPUT ACCEPT\n-A INPUT -g x\n-A x -j RETURN\n-A INPUT -j DROP", false),
        ])
    func iptables(rules: String, keepsOut: Bool) throws {
        #expect(try PacketFilter.iptables(rules).keepsOut() == keepsOut)
    }

    @Test(
        "p141_keeps out nothing where a rule lets in what every stranger satisfies, however it is written",
        arguments: [
            "-A INPUT -i wlan0 -j ACCEPT", "-A INPUT ! -i lo -j ACCEPT", "-A INPUT -i wl+ -i wlan0 -j ACCEPT",
            "-A INPUT -p tcp -j ACCEPT", "-A INPUT -p udp -j ACCEPT",
            "-A INPUT -p tcp -m tcp --dport 1:65535 -j ACCEPT",
            "-A INPUT -p tcp -m multiport --dports 1:30000,30001:65535 -j ACCEPT",
            "-A INPUT -p tcp --dport 1:30000 -j ACCEPT\n-A INPUT -p tcp --dport 30001:65535 -j ACCEPT",
            "-A INPUT -s 0.0.0.0/1 -j ACCEPT\n-A INPUT -s 128.0.0.0/1 -j ACCEPT",
            "-A INPUT ! -s 10.0.0.0/8 -j ACCEPT", "-A INPUT -d 192.168.1.7/32 -j ACCEPT",
            "-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT",
            "-A INPUT -m pkttype --pkt-type unicast -j ACCEPT",
            "-A INPUT -m limit --limit 1000/sec -j ACCEPT", "-A INPUT -m quota --quota 1000000 -j ACCEPT",
            "-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT",
            "-A INPUT -m statistic --mode random --probability 0.5 -j ACCEPT",
            "-A INPUT -m mark ! --mark 0x1 -j ACCEPT",
            "-A INPUT -m comment --comment \"allow (15\\\" laptop)\" -j ACCEPT",
            "-A INPUT -i wlan0 -j x\n-A x -p tcp -m tcp --dport 22 -j ACCEPT\n-A x -j ACCEPT",
            "-A INPUT -i wlan0 -g x\n-A x -j ACCEPT",
        ])
    func everything(rules: String) throws {
        #expect(try !PacketFilter.iptables("-P INPUT DROP\n" + rules).keepsOut())
    }

    @Test(
        "keeps out what is no exception",
        arguments: [
            "-A INPUT -s 10.0.0.0/8 -j ACCEPT", "-A INPUT -p tcp -m tcp --dport 1025:65535 -j ACCEPT",
            "-A INPUT -i tailscale0 -j ACCEPT", "-A INPUT -i lo -j ACCEPT", "-A INPUT -p icmp -j ACCEPT",
            "-A INPUT -m mark --mark 0x1 -j ACCEPT", "-A INPUT -d 224.0.0.251/32 -j ACCEPT",
            "-A INPUT -m addrtype --dst-type MULTICAST -j ACCEPT",
            "-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK ACK -j ACCEPT",
            "-A INPUT -m set --match-set friends src -j ACCEPT",
            "-A INPUT -p tcp -m tcp --sport 53 -j ACCEPT",
        ])
    func exceptions(rules: String) throws {
        #expect(try PacketFilter.iptables("-P INPUT DROP\n" + rules).keepsOut())
    }

    private static let newState =
        #"{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "new"]}}"#
    private static let oldState =
        #"{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}"#

    private static func onlyFamily(_ name: String, _ operation: String = "==") -> String {
        #"{"match": {"op": "\#(operation)", "left": {"meta": {"key": "nfproto"}}, "right": "\#(name)"}}"#
    }

    /// The rules of an inet chain, its policy, and whether IPv4 and IPv6 are kept out.
    private static let inetChains: [(policy: String, rules: [String], keepsOut: [Bool])] = [
        ("accept", [onlyFamily("ipv4") + #", {"accept": null}"#, #"{"drop": null}"#], [false, true]),
        ("drop", [onlyFamily("ipv6") + #", {"counter": null}, {"accept": null}"#], [true, false]),
        ("accept", [onlyFamily("ipv4", "!=") + #", {"drop": null}"#], [false, true]),
        ("drop", [newState + #", {"accept": null}"#], [false, false]),
        ("drop", [newState + ", " + onlyFamily("ipv4") + #", {"accept": null}"#], [false, true]),
        ("drop", [oldState + #", {"accept": null}"#], [true, true]),
        ("accept", [oldState + #", {"drop": null}"#], [false, false]),
        ("drop", [#"{"mangle": {}}, {"accept": null}"#], [false, false]),
        ("accept", [#"{"reject": {"type": "icmp", "expr": "host-unreachable"}}"#], [true, false]),
        ("accept", [#"{"reject": {"type": "tcp reset"}}"#], [false, false]),
        ("accept", [#"{"limit": {"rate": 1}}, {"drop": null}"#], [false, false]),
        (
            "drop",
            [
                #"{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["established", {"accept": null}], "#
                    + #"["invalid", {"drop": null}]]}}}"#
            ], [true, true]
        ),
        (
            "drop",
            [#"{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["new", {"accept": null}]]}}}"#],
            [false, false]
        ),
    ]

    private func ruleset(table: String = "", policy: String, rules: [String]) -> [UInt8] {
        let rules = rules.map {
            #", {"rule": {"family": "inet", "table": "t", "chain": "in", "expr": [\#($0)]}}"#
        }
        return Array(
            """
            {"nftables": [{"table": {"family": "inet", "name": "t"\(table)}},
            {"chain": {"family": "inet", "table": "t", "name": "in", "type": "filter", "hook": "input",
            "policy": "\(policy)"}}\(rules.joined())]}
            """.utf8)
    }

    @Test("keeps out by nftables only what no rule lets in", arguments: inetChains.indices)
    func nftables(_ index: Int) throws {
        let chain = Self.inetChains[index]
        let filter = try PacketFilter.nftables(ruleset(policy: chain.policy, rules: chain.rules))
        #expect(
            try [filter.ipv4.keepsOut(), filter.ipv6.keepsOut(.ipv6)] == chain.keepsOut, "\(chain.rules)")
    }

    @Test("does nothing while its table is dormant", arguments: [#""dormant""#, #"["owner", "dormant"]"#])
    func dormant(flags: String) throws {
        for (table, keepsOut) in [("", true), (", \"flags\": \(flags)", false)] {
            let filter = try PacketFilter.nftables(ruleset(table: table, policy: "drop", rules: []))
            #expect(try [filter.ipv4.keepsOut(), filter.ipv6.keepsOut(.ipv6)] == [keepsOut, keepsOut])
        }
    }
}
