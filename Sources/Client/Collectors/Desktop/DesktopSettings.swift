/// How desktops that lock by themselves are set to, from their settings as text.
enum DesktopSettings {
    /// The value that `gsettings get` writes: `true`, `uint32 300`, `'text'`.
    static func value(_ output: String) -> String {
        let words = trimmed(output).split(separator: " ")
        guard let last = words.last else { return "" }
        return String(last.filter { $0 != "'" })
    }

    /// GNOME and those that share its settings, and Cinnamon.
    ///
    /// - Parameters:
    ///   - get: the value of a key; nothing where there is none.
    ///   - schemas: of the screen saver and of the session.
    static func gnome(
        _ desktop: String, schemas: (saver: String, session: String), _ get: (String, String) -> String?
    ) -> ScreenLock {
        guard let lock = get(schemas.saver, "lock-enabled"),
            let idle = get(schemas.session, "idle-delay").flatMap({ seconds($0) })
        else { return .unknown("the settings of \(desktop) do not say whether it locks") }
        let evidence = ["gsettings \(schemas.saver)", "gsettings \(schemas.session)"]
        let after = get(schemas.saver, "lock-delay").flatMap { seconds($0) } ?? 0
        var result = ScreenLock(enabled: true, delay: idle + after, locker: desktop, evidence: evidence)
        result.onSuspend = get(schemas.saver, "ubuntu-lock-on-suspend").map { $0 == "true" }
        if get("org.gnome.desktop.lockdown", "disable-lock-screen") == "true" {
            result.reason = "locking is forbidden (disable-lock-screen)"
        } else if lock != "true" {
            result.reason = "lock-enabled is \(lock)"
        } else if get(schemas.saver, "idle-activation-enabled") == "false" {
            result.reason = "idle-activation-enabled is false"
        } else if idle == 0 {
            result.reason = "idle-delay is 0: never"
        } else {
            return result
        }
        result.enabled = false
        result.delay = nil
        return result
    }

    /// MATE, whose times are minutes.
    static func mate(_ get: (String, String) -> String?) -> ScreenLock {
        guard let lock = get("org.mate.screensaver", "lock-enabled"),
            let idle = get("org.mate.session", "idle-delay").flatMap({ seconds($0, times: 60) })
        else { return .unknown("the settings of MATE do not say whether it locks") }
        let evidence = ["gsettings org.mate.screensaver", "gsettings org.mate.session"]
        let after = get("org.mate.screensaver", "lock-delay").flatMap { seconds($0, times: 60) } ?? 0
        let active = get("org.mate.screensaver", "idle-activation-enabled") ?? "true"
        guard lock == "true", active == "true", idle > 0 else {
            let reason =
                lock != "true"
                ? "lock-enabled is \(lock)"
                : idle == 0 ? "idle-delay is 0: never" : "idle-activation-enabled is \(active)"
            return ScreenLock(enabled: false, locker: "mate-screensaver", reason: reason, evidence: evidence)
        }
        return ScreenLock(enabled: true, delay: idle + after, locker: "mate-screensaver", evidence: evidence)
    }

    /// xfce4-screensaver. What is not set has its default: everything on, after 5 minutes.
    static func xfce(_ get: @escaping (String) -> String?) -> ScreenLock {
        let evidence = ["xfconf xfce4-screensaver"]
        let isOn = { (key: String) in (get(key) ?? "true") == "true" }
        for key in [
            "/saver/enabled", "/saver/idle-activation/enabled", "/lock/enabled",
            "/lock/saver-activation/enabled",
        ]
        where !isOn(key) {
            return ScreenLock(
                enabled: false, locker: "xfce4-screensaver", reason: "\(key) is false", evidence: evidence)
        }
        let idle = seconds(get("/saver/idle-activation/delay") ?? "5", times: 60)
        let after = seconds(get("/lock/saver-activation/delay") ?? "0", times: 60)
        return ScreenLock(
            enabled: true, delay: idle.map { $0 + (after ?? 0) }, locker: "xfce4-screensaver",
            onSuspend: isOn("/lock/sleep-activation"), evidence: evidence)
    }

    /// KDE Plasma: kscreenlockerrc(5), group `Daemon`. What is not set has its default, which locks after 5 minutes.
    /// KDE writes `[$i]` behind what an administrator has fixed.
    static func kde(_ settings: IniFile, evidence: [String]) -> ScreenLock {
        func value(_ key: String) -> String? {
            settings["Daemon", key] ?? settings["Daemon", key + "[$i]"] ?? settings["Daemon", key + "[$e]"]
        }
        let isOn = { (key: String) in IniFile.isTrue(value(key) ?? "true") }
        let onSuspend = isOn("LockOnResume")
        for key in ["Autolock", "RequirePassword"] where !isOn(key) {
            return ScreenLock(
                enabled: false, locker: "kscreenlocker", onSuspend: onSuspend,
                reason: "\(key) is \(value(key) ?? "")",
                evidence: evidence)
        }
        let minutes = value("Timeout") ?? "5"
        guard let idle = seconds(minutes, times: 60), idle > 0 else {
            return ScreenLock(
                enabled: false, locker: "kscreenlocker", onSuspend: onSuspend,
                reason: "Timeout is \(minutes)", evidence: evidence)
        }
        let grace = value("LockGrace").flatMap { seconds($0) } ?? 5
        return ScreenLock(
            enabled: true, delay: idle + grace, locker: "kscreenlocker", onSuspend: onSuspend,
            evidence: evidence)
    }

    /// COSMIC locks when it switches the screen off: `Some(MILLISECONDS)` or `None`. It locks when the machine wakes up
    /// in any case.
    static func cosmic(_ screenOffTime: String?) -> ScreenLock {
        guard let text = screenOffTime.map({ trimmed($0) }) else {
            return ScreenLock(
                enabled: nil, locker: "cosmic-idle", onSuspend: true,
                reason: "screen_off_time is not set, and what COSMIC then does is not known here")
        }
        let evidence = ["com.system76.CosmicIdle screen_off_time"]
        if text == "None" {
            return ScreenLock(
                enabled: false, locker: "cosmic-idle", onSuspend: true,
                reason: "the screen is never switched off",
                evidence: evidence)
        }
        let digits = text.components(between: "Some(", and: ")").first
        guard let time = digits.flatMap({ seconds($0) }) else {
            return ScreenLock(
                enabled: nil, locker: "cosmic-idle", onSuspend: true,
                reason: "screen_off_time cannot be read", evidence: evidence)
        }
        return ScreenLock(
            enabled: true, delay: time / 1000, locker: "cosmic-idle", onSuspend: true, evidence: evidence)
    }
}
