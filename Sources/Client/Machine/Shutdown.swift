/// Whether the machine is about to stop.
enum Shutdown {
    /// Files that keep people from logging in, and say why (pam_nologin(8)): systemd-user-sessions and shutdown(8) write
    /// them before they end anything. systemd writes one while it starts as well, with another reason.
    private static let notices = ["/run/nologin", "/etc/nologin"]

    static func isUnderWay(_ machine: Machine) -> Bool {
        notices.contains { machine.textOrEmpty($0).lowercased().contains("going down") }
    }
}
