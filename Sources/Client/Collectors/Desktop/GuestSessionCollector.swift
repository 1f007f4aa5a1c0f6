import PDDocument

/// `guest_session`: whether somebody without an account can log in. Of the display managers, LightDM alone has such
/// sessions.
struct GuestSessionCollector: Collector {
    let name = "guest_session"

    /// What LightDM starts a guest's session with; without it there are none.
    private static let helpers = [
        "/usr/share/lightdm/guest-session", "/usr/lib/lightdm/lightdm-guest-session",
        "/usr/lib/lightdm/guest-session", "/usr/sbin/guest-account", "/usr/bin/guest-account",
    ]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        var result = DocumentWriter()
        guard let manager = DisplayManager.current(machine) else {
            result.append("enabled", false)
            result.append("display_manager", "none")
            result.append("reason", "no display manager is started")
            return .document(result.finish())
        }
        var evidence: [String] = []
        var enabled: Bool? = false
        var reason: String?
        switch manager.known {
        case .lightdm:
            let (settings, read) = try DisplayManager.lightdm.settings(machine)
            evidence = read
            let said = settings.names.filter { $0.hasPrefix("Seat") }.compactMap {
                settings[$0, "allow-guest"]
            }
            let helper = Self.helpers.first(where: machine.exists)
            if said.contains(where: { IniFile.isTrue($0) }) {
                enabled = true
            } else if said.isEmpty, let helper {
                enabled = true
                reason = "LightDM lets guests in where nothing forbids it"
                evidence.append(helper)
            }
        case .some: reason = "\(manager.name) has no guest sessions"
        case nil:
            enabled = nil
            reason = "whether \(manager.name) has guest sessions is not known here"
        }
        result.append("enabled", .known(enabled))
        result.append("display_manager", .string(manager.name))
        result.append("reason", ifPresent: reason)
        result.append("evidence", ifAny: evidence)
        return .document(result.finish())
    }
}
