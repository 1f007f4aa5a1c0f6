// Sources: Sources/Basics/Moment.swift Sources/Basics/TimeSpan.swift Sources/Document/*.swift Sources/Files/*.swift Sources/Secrets/*.swift Sources/Crypto/*.swift Sources/Crypto/*/*.swift Sources/Client/Collectors/*.swift Sources/Client/Collectors/*/*.swift Sources/Client/Machine/*.swift Sources/Client/Runner/CollectorLimits.swift Fuzz/Support/Seeds.swift -I Sources/CShims/CLinux -I Sources/CShims/CGcrypt
// Modules: PDBasics PDDocument PDFiles PDSecrets PDCrypto
//
// Whatever stands in files and whatever commands write: each collector has an answer, the same one twice, or an error.
// The first byte picks a collector or a parser, the second what kind of machine it is: bit 0 root, bit 1 commands fail,
// bit 2 there are no commands. The rest is what every file holds and every command writes. FUZZ_ONLY picks one by its
// name, and the first byte means nothing then.

import Foundation
import Synchronization

/// What parsers of the agent need of it here.
public enum Agent {
    /// A time that stands still.
    @Sendable public static func currentTime() -> Int64 { 1_767_225_600_000 }
}

/// As a build has it.
enum BuildStamp {
    static let text = "0.1.0"
}

/// Files that collectors read: each is a link to the one that holds the input.
private let files = """
    /etc/X11/default-display-manager /etc/apt/apt.conf.d/20auto-upgrades /etc/default/ufw /etc/dnf/automatic.conf
    /etc/firewalld/firewalld.conf /etc/firewalld/zones/public.xml /etc/gdm3/custom.conf /etc/greetd/config.toml
    /etc/group /etc/inittab /etc/lightdm/lightdm.conf /etc/lightdm/lightdm.conf.d/a.conf /etc/login.defs
    /etc/ly/config.ini /etc/modprobe.d/a.conf /etc/os-release /etc/pam.d/common-auth /etc/pam.d/common-password
    /etc/pam.d/system-auth /etc/passwd /etc/sddm.conf /etc/security/faillock.conf /etc/security/pwquality.conf
    /etc/shadow /etc/ssh/sshd_config /etc/ssh/sshd_config.d/a.conf /etc/sudoers /etc/sudoers.d/a /etc/ufw/ufw.conf
    /etc/ufw/user.rules /etc/usbguard/usbguard-daemon.conf /etc/xdg/kscreenlockerrc
    /etc/systemd/system/getty@tty1.service.d/a.conf /proc/1/cmdline /proc/1/comm /proc/1/environ /proc/1/stat
    /proc/1/status /proc/cmdline /proc/net/if_inet6 /proc/net/ip_tables_names /proc/net/route /proc/net/tcp
    /proc/net/tcp6 /proc/net/udp /proc/self/mountinfo /proc/self/stat /proc/self/status /proc/stat /proc/swaps
    /proc/sys/kernel/tainted /proc/sys/net/ipv4/ip_local_port_range /sys/class/dmi/id/sys_vendor
    /sys/class/dmi/id/chassis_type /sys/class/net/wlan0/address /sys/class/net/wlan0/phy80211
    /sys/devices/system/cpu/vulnerabilities/meltdown /sys/kernel/security/lockdown /sys/kernel/security/lsm
    /usr/share/distro-info/debian.csv /usr/share/distro-info/ubuntu.csv /var/lib/apt/lists/a_InRelease
    /var/lib/dpkg/status /var/lib/pacman/local/ALPM_DB_VERSION /run/reboot-required.pkgs
    """.split(whereSeparator: \.isWhitespace).map(String.init)

private let root = "/dev/shm/penguindome-fuzz-\(getpid())"
private let input = "\(root)/input"
private let content = Mutex<[UInt8]>([])

/// Parsers that need no machine, or that no collector reaches here.
private let parsers: [(name: String, parse: @Sendable (String) -> String)] = [
    ("nmcli", { "\(AccessPoint.parse(nmcli: $0))" }), ("iw", { "\(AccessPoint.parse(iw: $0))" }),
    ("location", { "\(GeolocationCollector.location($0) as Any)" }),
    ("apt", { "\(PendingUpdates(aptSimulation: $0))" }), ("dnf", { "\(PendingUpdates(dnfUpgrades: $0))" }),
    ("pacman", { "\(PendingUpdates(pacmanUpdates: $0))" }),
    ("zypper", { "\(PendingUpdates(zypperXML: $0))" }),
    ("swayidle", { "\(IdleDaemons.swayidle(words($0), settings: $0))" }),
    ("hypridle", { "\(IdleDaemons.hypridle($0))" }), ("xautolock", { "\(IdleDaemons.xautolock(words($0)))" }),
    ("xidlehook", { "\(IdleDaemons.xidlehook(words($0)))" }),
    ("xss-lock", { "\(IdleDaemons.xssLock(words($0), blank: IdleDaemons.blankTimeout($0)))" }),
    ("light-locker", { "\(IdleDaemons.lightLocker(words($0), blank: IdleDaemons.blankTimeout($0)))" }),
    ("xscreensaver", { "\(IdleDaemons.xscreensaver($0))" }),
    ("kde", { "\(DesktopSettings.kde(IniFile($0), evidence: []))" }),
    ("cosmic", { "\(DesktopSettings.cosmic($0))" }),
    ("gnome", { text in "\(DesktopSettings.gnome("g", schemas: ("a", "b")) { _, _ in text })" }),
    ("mate", { text in "\(DesktopSettings.mate { _, _ in text })" }),
    ("xfce", { text in "\(DesktopSettings.xfce { _ in text })" }),
    ("dmi", { text in "\(DMICollector.parse(text).sorted { $0.key < $1.key }.map(\.key))" }),
    ("who", { "\(XUser.who($0))" }),
    ("process", { "\(RunningProcess.parse(id: "1", status: $0, commandLine: $0) as Any)" }),
    ("environ", { "\(RunningProcess.environment($0).count)" }),
    (
        "sshd-command",
        { text in
            // A set has no order.
            SSHDaemon(process: "1", commandLine: text).map {
                "\($0.program) \($0.file ?? "") \($0.options) \($0.ports.sorted())"
            } ?? ""
        }
    ),
    ("sessions", { "\(UserSession.parse($0, homes: [:]))" }), ("mounts", { "\(MountTable($0).mounts)" }),
    ("nft-text", { "\(NftablesText($0).devices.count)" }),
    (
        "iptables",
        { judged(PacketFilter.iptables($0), .ipv4) + judged(PacketFilter.iptables($0, .ipv6), .ipv6) }
    ),
]

private func words(_ text: String) -> [String] { text.split(separator: "\0").map(String.init) }

private func judged(_ filter: PacketFilter, _ family: AddressFamily) -> String {
    let interfaces = OutwardInterfaces(machine(flags: 4), named: filter.namedInterfaces)
    return "\(FilterJudgement(filter, family, interfaces: interfaces, own: []))"
}

private func machine(flags: UInt8) -> Machine {
    Machine(
        root: root, kernel: .init(release: "6.1.0-28-amd64", architecture: "x86_64"), isRoot: flags & 1 != 0,
        ipv4Addresses: { () throws(FileError) in [] },
        execute: { (invocation, _) throws(CommandError) in
            guard flags & 4 == 0 else { throw .notInstalled(invocation.arguments[0]) }
            return CommandOutput(stdout: content.withLock { $0 }, returncode: flags & 2 == 0 ? 0 : 1)
        })
}

/// Lays out the tree, and what to start from: what is recorded of machines in Tests/ClientTests.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    let manager = FileManager.default
    for file in files {
        let path = root + file
        guard
            (try? manager.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true))
                != nil,
            (try? manager.createSymbolicLink(atPath: path, withDestinationPath: input)) != nil
        else { fatalError("\(path) cannot be made") }
    }
    atexit { try? FileManager.default.removeItem(atPath: root) }
    let recorded = "Tests/ClientTests/Machines"
    var seeds: [[UInt8]] = []
    for name in (try? manager.contentsOfDirectory(atPath: recorded)) ?? [] {
        guard let text = try? String(contentsOfFile: "\(recorded)/\(name)", encoding: .utf8) else { continue }
        for part in text.components(separatedBy: "\n@").dropFirst() {
            guard let end = part.firstIndex(of: "\n"), part.hasPrefix("file") || part.hasPrefix("command")
            else {
                continue
            }
            let body = Array(part[part.index(after: end)...].replacingOccurrences(of: "␀", with: "\0").utf8)
            // Any of them may be of interest to any parser; a share of them is enough to start from.
            seeds.append([UInt8(truncatingIfNeeded: seeds.count), UInt8(seeds.count / 7 % 8)] + body)
        }
    }
    Seeds.write(seeds)
    return 0
}

private let only = ProcessInfo.processInfo.environment["FUZZ_ONLY"]

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCollectors(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size >= 2 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let body = Array(bytes[2...])
    let collectors = BuiltInCollectors.all
    let names = collectors.map(\.name) + parsers.map(\.name)
    guard let index = only.map({ names.firstIndex(of: $0) }) ?? Int(bytes[0]) % names.count else {
        fatalError("FUZZ_ONLY is none of \(names)")
    }
    if index >= collectors.count {
        let parser = parsers[index - collectors.count]
        let text = String(decoding: body, as: UTF8.self)
        precondition(parser.parse(text) == parser.parse(text), "\(parser.name): two answers")
        return 0
    }
    content.withLock { $0 = body }
    guard (try? Files.writeAtomically(body, to: input)) != nil else {
        fatalError("\(input) cannot be written")
    }
    let collector = collectors[index]
    let environment = CollectorEnvironment(machine: machine(flags: bytes[1]), now: Agent.currentTime)
    let answers = (0..<2).map { _ in
        // An error is an answer.
        (try? collector.collect(environment.context(for: collector, deadline: .now + .seconds(60))))?.json()
    }
    precondition(answers[0] == answers[1], "\(collector.name): two answers")
    return 0
}
