/// The units under which systemd starts an agent: a timer, the cycle that it begins, and the update that goes before each
/// cycle.
///
/// One timer, since the two must not work at the same time: each would find the other one in its way.
public struct AgentUnits: Sendable {
    /// The timer, which is what is to be enabled.
    public static let timer = "penguindome-agent.timer"

    private let programs: String
    private let state: String

    /// Units for an agent.
    ///
    /// - Parameters:
    ///   - programs: the directory of `pd-agent`.
    ///   - state: the agent's state directory.
    /// - Returns: nothing where one of them is not absolute, or has a character that means something in a unit
    ///   (systemd.syntax(7)).
    public init?(programs: String, state: String) {
        for path in [programs, state] {
            guard path.utf8.first == UInt8(ascii: "/"), path.utf8.allSatisfy(Self.isPlain) else { return nil }
        }
        self.programs = programs
        self.state = state
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "/._-+@:,".utf8.contains(byte)
        }
    }

    /// The units by their file names.
    public var files: [(name: String, text: String)] {
        [
            (Self.timer, timerUnit), ("penguindome-agent.service", cycle),
            ("penguindome-agent-update.service", update),
        ]
    }

    /// What cron(8) is told where there is no systemd, for `/etc/cron.d`: every five minutes, each machine at a time of its
    /// own. What goes wrong is mailed, as cron does.
    public var cron: String {
        """
        # PenguinDome agent: install the newest release, collect and deliver.
        PATH=/usr/sbin:/usr/bin:/sbin:/bin
        */5 * * * * root sleep "$(shuf -i 0-240 -n 1)"; \(programs)/pd-agent update --state \(state) >/dev/null; \(programs)/pd-agent cycle --state \(state)

        """
    }

    /// Every five minutes, each machine at a time of its own.
    private var timerUnit: String {
        """
        [Unit]
        Description=PenguinDome agent, every five minutes

        [Timer]
        OnCalendar=*:0/5
        RandomizedDelaySec=4min
        FixedRandomDelay=yes
        AccuracySec=1s

        [Install]
        WantedBy=timers.target

        """
    }

    /// What it takes to read all files, firewalls, block devices and the processes of others, and to end what was started.
    private static let capabilities = [
        "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_KILL", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SETGID",
        "CAP_SETUID", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_SYS_RAWIO",
    ]

    /// What a cycle may do is to look at everything. It gets no view of the file systems of its own, as `ProtectSystem=`
    /// and its like would give it: what is mounted on the machine is what it reports.
    private var cycle: String {
        """
        [Unit]
        Description=PenguinDome agent: collect and deliver
        Wants=network-online.target penguindome-agent-update.service
        After=network-online.target penguindome-agent-update.service
        ConditionPathExists=\(state)/agent.yml

        [Service]
        Type=oneshot
        ExecStart=\(programs)/pd-agent cycle --state \(state)
        SuccessExitStatus=3
        TimeoutStartSec=15min
        CapabilityBoundingSet=\(Self.capabilities.joined(separator: " "))
        NoNewPrivileges=yes
        RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
        RestrictNamespaces=yes
        RestrictSUIDSGID=yes
        SystemCallFilter=~@clock @cpu-emulation @module @mount @obsolete @reboot @swap
        SystemCallErrorNumber=EPERM
        SystemCallArchitectures=native
        \(both)

        """
    }

    /// An update tries the release that it installs, whose cycle must see what every cycle sees, and runs the commands
    /// that a trusted key signed, which may be anything. What keeps the wrong hands off is that it believes signatures
    /// alone; a sandbox would keep off the right ones.
    private var update: String {
        """
        [Unit]
        Description=PenguinDome agent: install the newest release and carry out orders
        Wants=network-online.target
        After=network-online.target
        ConditionPathExists=\(state)/agent.yml

        [Service]
        Type=oneshot
        ExecStart=\(programs)/pd-agent update --state \(state)
        SuccessExitStatus=3 42
        TimeoutStartSec=infinity
        \(both)

        """
    }

    private var both: String {
        """
        UMask=0077
        KeyringMode=private
        LockPersonality=yes
        RestrictRealtime=yes
        """
    }
}
