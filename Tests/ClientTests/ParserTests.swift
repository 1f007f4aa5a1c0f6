import Testing

@testable import PDClient

/// What commands write and files hold, beside what is made of it: for what no recorded machine has.
@Suite("Parsers of collectors")
struct ParserTests {
    private static let point = AccessPoint(bssid: "00:11:22:33:44:55", signal: -50)

    @Test(
        "nmcli: escapes, networks that do not want to be on maps, radios that move or are none",
        arguments: [
            (#"00\:11\:22\:33\:44\:55:80:home"#, [point]), (#"00\:11\:22\:33\:44\:55:80:a\:b:c"#, [point]),
            (#"00\:11\:22\:33\:44\:55:80:home_nomap"#, []), (#"02\:11\:22\:33\:44\:55:80:phone"#, []),
            (#"01\:11\:22\:33\:44\:55:80:group"#, []), (#"00\:11\:22\:33\:44:80:short"#, []),
            (#"00\:11\:22\:33\:44\:55:101:x"#, []), (#"00\:11\:22\:33\:44\:55:80"#, []), ("::", []),
            (#"\"#, []),
        ] as [(String, [AccessPoint])])
    func nmcli(_ text: String, _ expected: [AccessPoint]) {
        #expect(AccessPoint.parse(nmcli: text) == expected)
    }

    @Test("iw: one network after the other, with and without a signal")
    func iw() {
        let text = """
            BSS 00:11:22:33:44:55(on wlan0) -- associated
            \tlast seen: 1204 ms ago
            \tsignal: -50.00 dBm
            \tSSID: home
            BSS 00:11:22:33:44:66(on wlan0)
            \tsignal: -71.00 dBm
            \tSSID: cafe_nomap
            BSS 00:11:22:33:44:77(on wlan0)
            \tSSID: no signal
            BSS 00:11:22:33:44:88(on wlan0)
            \tsignal: nan dBm
            BSS 00:11:22:33:44:99(on wlan0)
            \tsignal: -60.00 dBm
            """
        #expect(
            AccessPoint.parse(iw: text) == [Self.point, AccessPoint(bssid: "00:11:22:33:44:99", signal: -60)])
    }

    private static func text(_ pending: PendingUpdates) -> String {
        let packages = pending.packages.map { package in
            "\(package.name) \(package.version) \(package.isSecurity.map { $0 ? "security" : "other" } ?? "?")"
        }
        return (packages + pending.held.map { "held \($0)" }).joined(separator: "; ")
    }

    @Test("apt: what is new, what an update needs, what is held or handed out by phases")
    func apt() {
        let text = """
            Reading package lists...
            The following packages have been kept back:
              docker-ce linux-generic
            The following upgrades have been deferred due to phasing:
              gnome-shell
            The following packages will be upgraded:
              curl vim
            Inst curl [7.88.1-10] (7.88.1-10+deb12u8 Debian-Security:12/stable-security [amd64]) []
            Inst vim [2:9.0.1] (2:9.0.2 Debian:12.8/stable [amd64])
            Inst openssl [3.0] (3.1 UbuntuESM:22.04/jammy-infra-esm-security [amd64])
            Inst libnew (1.0 Debian:12.8/stable [amd64])
            Inst broken [1.0]
            Conf curl (7.88.1-10+deb12u8 Debian-Security:12/stable-security [amd64])
            """
        #expect(
            Self.text(PendingUpdates(aptSimulation: text))
                == "curl 7.88.1-10+deb12u8 security; vim 2:9.0.2 other; openssl 3.1 security; "
                + "held docker-ce; held linux-generic; held gnome-shell")
    }

    @Test("dnf 4 and 5: upgrades, and the advisories of either")
    func dnf() {
        let upgrades = """

            curl.x86_64                  8.9.1-3.fc41            updates
            vim-minimal.x86_64           2:9.1.866-1.fc41        updates
            Obsoleting Packages
            old.noarch                   1-1                     updates
            """
        let four = "FEDORA-2026-1 Important/Sec. curl-8.9.1-3.fc41.x86_64\n"
        let five = """
            Name           Type     Severity  Package                     Issued
            FEDORA-2026-1  security Important curl-8.9.1-3.fc41.x86_64    2026-01-02 03:04:00
            """
        for advisories in [four, five] {
            var pending = PendingUpdates(dnfUpgrades: upgrades)
            pending.mark(dnfAdvisories: advisories)
            #expect(Self.text(pending) == "curl 8.9.1-3.fc41 security; vim-minimal 2:9.1.866-1.fc41 other")
        }
    }

    @Test("pacman with arch-audit, and zypper's patches")
    func others() {
        var pending = PendingUpdates(
            pacmanUpdates: "curl 8.1-1 -> 8.2-1\nlinux 6.1-1 -> 6.2-1 [ignored]\nvim 9-1 -> 9-2\nnonsense\n")
        #expect(Self.text(pending) == "curl 8.2-1 ?; vim 9-2 ?; held linux")
        pending.mark(archAudit: "curl>=8.2-1\n")
        #expect(Self.text(pending) == "curl 8.2-1 security; vim 9-2 other; held linux")
        let xml = """
            <update kind="patch" name="SUSE-2026-1" edition="1" category="security" status="needed">
            <update kind="patch" name="SUSE-2026-2" edition="1" category="recommended" status="needed">
            <update kind="patch" name="SUSE-2026-3" edition="1" category="security" status="applied">
            <update kind="patch" edition="1" category="security">
            """
        #expect(
            Self.text(PendingUpdates(zypperXML: xml)) == "SUSE-2026-1 1 security; SUSE-2026-2 1 other")
    }

    @Test(
        "whom ly, LXDM and SLiM log in by themselves",
        arguments: [
            (DisplayManager.ly, "auto_login_user = ada\n", ["ada"]),
            (.ly, "auto_login_user = null\n", []), (.ly, "", []),
            (.lxdm, "[base]\nautologin=ada\n", ["ada"]), (.lxdm, "[base]\n# autologin=ada\n", []),
            (.slim, "# auto_login yes\ndefault_user  ada\nauto_login\tyes\n", ["ada"]),
            (.slim, "default_user ada\nauto_login no\n", []), (.slim, "auto_login yes\n", []),
        ])
    func autologin(_ manager: DisplayManager, _ text: String, _ users: [String]) {
        #expect(AutologinCollector.users(manager, IniFile(text), text: text) == users)
    }

    @Test("what Defender and Falcon say of themselves")
    func products() {
        let defender = SecurityProductState.fields(
            #"{"healthy": true, "definitionsStatus": {"$type": "upToDate", "value": "upToDate"}, "n": 3}"#)
        #expect(defender == ["healthy": "true", "definitionsStatus": "upToDate", "n": "3"])
        #expect(SecurityProductState.fields("rfm-state=false.\n") == ["rfm-state": "false"])
        #expect(SecurityProductState.fields("rfm-state is not set\n").isEmpty)
    }

    @Test("at which devices chains stand, and which tables are dormant, in nft's own language")
    func nft() {
        let text = NftablesText(
            """
            table inet filter {
            \tflags dormant
            \tchain input {
            \t\ttype filter hook input priority filter; policy drop;
            \t}
            }
            table netdev f {
            \tchain one {
            \t\ttype filter hook ingress device "wlan0" priority filter; policy drop;
            \t}
            \tchain two {
            \t\ttype filter hook ingress devices = { "eth0", "eth1" } priority 0; policy accept;
            \t}
            }
            """)
        #expect(text.dormant == [.init(family: "inet", name: "filter")])
        let table = NftablesRuleset.Table(family: "netdev", name: "f")
        #expect(
            text.devices == [
                .init(table: table, name: "one"): ["wlan0"],
                .init(table: table, name: "two"): ["eth0", "eth1"],
            ])
    }

    @Test(
        "p195_an environment as a process has it: the first of two counts, and an equals sign may be in a value"
    )
    func environment() {
        #expect(RunningProcess.environment("A=1\0B=x=y\0A=2\0none\0=\0") == ["A": "1", "B": "x=y", "": ""])
    }
}
