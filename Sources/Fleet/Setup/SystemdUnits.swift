/// The units under which a server runs: the server itself, and the audit once an hour. Neither may do more than it has
/// to, see systemd.exec(5).
struct SystemdUnits {
    /// The user that the server runs as.
    let user: String
    /// Where `pd-server` and `pd-admin` are.
    let programs: String
    /// The state directory.
    let state: String
    /// Whether the server has a port below 1024, which only the privileged may open.
    let needsLowPort: Bool

    /// The units by their file names.
    var files: [(name: String, text: String)] {
        [
            ("penguindome-server.service", server), ("penguindome-audit.service", audit),
            ("penguindome-audit.timer", timer),
        ]
    }

    private var server: String {
        let capability = needsLowPort ? "CAP_NET_BIND_SERVICE" : ""
        return """
            [Unit]
            Description=PenguinDome server
            Wants=network-online.target
            After=network-online.target

            [Service]
            Type=exec
            ExecStart=\(programs)/pd-server serve --state \(state)
            Restart=on-failure
            RestartSec=2
            TimeoutStopSec=20
            LimitNOFILE=65536
            CapabilityBoundingSet=\(capability)
            AmbientCapabilities=\(capability)
            PrivateUsers=\(needsLowPort ? "no" : "yes")
            RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
            \(hardening)

            [Install]
            WantedBy=multi-user.target

            """
    }

    private var audit: String {
        """
        [Unit]
        Description=PenguinDome audit

        [Service]
        Type=oneshot
        ExecStart=\(programs)/pd-admin issues audit --state \(state)
        CapabilityBoundingSet=
        PrivateUsers=yes
        RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
        \(hardening)

        """
    }

    private var timer: String {
        """
        [Unit]
        Description=PenguinDome audit, once an hour

        [Timer]
        OnCalendar=hourly
        RandomizedDelaySec=300
        Persistent=yes

        [Install]
        WantedBy=timers.target

        """
    }

    /// What holds for both: nothing of the machine can be changed but the state.
    private var hardening: String {
        """
        User=\(user)
        Group=\(user)
        UMask=0077
        LimitMEMLOCK=16M
        NoNewPrivileges=yes
        ProtectSystem=strict
        ReadWritePaths=\(state)
        ProtectHome=yes
        ProtectProc=invisible
        ProtectClock=yes
        ProtectControlGroups=yes
        ProtectHostname=yes
        ProtectKernelLogs=yes
        ProtectKernelModules=yes
        ProtectKernelTunables=yes
        PrivateDevices=yes
        PrivateTmp=yes
        DevicePolicy=closed
        KeyringMode=private
        LockPersonality=yes
        MemoryDenyWriteExecute=yes
        RemoveIPC=yes
        RestrictNamespaces=yes
        RestrictRealtime=yes
        RestrictSUIDSGID=yes
        SystemCallArchitectures=native
        SystemCallFilter=@system-service
        SystemCallFilter=~@privileged @resources
        SystemCallErrorNumber=EPERM
        """
    }
}
