/// The programs that lock a session after a time, by their command lines and settings.
enum IdleDaemons {
    /// Programs that lock the screen.
    static let lockers: Set = [
        "swaylock", "hyprlock", "gtklock", "waylock", "i3lock", "slock", "betterlockscreen", "physlock",
        "xsecurelock",
        "i3lock-fancy", "xtrlock", "vlock", "qs", "noctalia-shell", "dms", "light-locker-command",
        "xscreensaver-command",
        "xlock", "alock", "loginctl", "cosmic-greeter", "schlock", "wleave",
    ]

    /// Whether a command locks: itself, or by asking logind where something listens for that.
    ///
    /// - Parameter onLock: what is run when logind says `Lock`; nothing where nothing listens.
    static func locks(_ command: String, onLock: String?) -> Bool {
        let words = command.split { " \t;&|'\"()".contains($0) }.map {
            $0.split(separator: "/").last.map(String.init) ?? ""
        }
        for (index, word) in words.enumerated() where lockers.contains(word) {
            if word == "loginctl" {
                // Nobody hears it unless something listens, and that has to lock in its turn.
                guard
                    words.dropFirst(index).contains(where: { $0 == "lock-session" || $0 == "lock-sessions" })
                else { continue }
                if let onLock, !onLock.contains("loginctl"), locks(onLock, onLock: nil) { return true }
                continue
            }
            return true
        }
        return false
    }

    // MARK: - swayidle

    /// swayidle(1): events on the command line after options, and in its settings.
    ///
    /// - Parameter settings: the text of its file of settings; what stands on the command line is added to it.
    static func swayidle(_ arguments: [String], settings: String?) -> ScreenLock {
        var events: [[String]] = []
        var rest = arguments.dropFirst()
        while let option = rest.first, option.hasPrefix("-") {
            rest = rest.dropFirst(["-C", "-S", "-s"].contains(option) ? 2 : 1)
        }
        while let event = rest.first {
            let count = [
                "timeout": 3, "idlehint": 2, "before-sleep": 2, "after-resume": 2, "lock": 2, "unlock": 2,
            ][event]
            guard let count, rest.count >= count else { break }
            events.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
            if event == "timeout", rest.first == "resume" { rest = rest.dropFirst(2) }
        }
        for line in (settings ?? "").split(whereSeparator: \.isNewline) {
            let words = shellWords(line)
            if words.count >= 2 { events.append(words) }
        }
        let onLock = events.last { $0[0] == "lock" }?[1]
        let timeouts = events.compactMap { event -> (Int, String)? in
            guard event[0] == "timeout", event.count >= 3, let time = seconds(event[1]),
                locks(event[2], onLock: onLock)
            else { return nil }
            return (time, event[2])
        }
        let onSuspend = events.contains { $0[0] == "before-sleep" && locks($0[1], onLock: onLock) }
        guard let first = timeouts.min(by: { $0.0 < $1.0 }) else {
            let unresolved = events.contains { $0[0] == "timeout" && isIndirect($0) }
            return ScreenLock(
                enabled: unresolved ? nil : false, locker: "swayidle", onSuspend: onSuspend,
                reason: unresolved
                    ? "swayidle runs a command of which it is not known whether it locks"
                    : "swayidle locks after no time",
                evidence: ["process swayidle"])
        }
        return ScreenLock(
            enabled: true, delay: first.0, locker: "swayidle", onSuspend: onSuspend,
            evidence: ["process swayidle"])
    }

    /// Whether a timeout runs something that could lock: all but the switching off of screens and the like.
    private static func isIndirect(_ event: [String]) -> Bool {
        let command = event.count > 2 ? event[2] : ""
        let harmless = [
            "swaymsg", "hyprctl", "niri", "brightnessctl", "wlopm", "systemctl", "light", "notify-send",
            "wlr-randr", "kanshictl", "xset",
        ]
        let program = command.split(separator: " ").first?.split(separator: "/").last.map(String.init) ?? ""
        return !program.isEmpty && !harmless.contains(program) && program != "loginctl"
    }

    /// Words with quotes as a shell has them; a comment ends the line.
    static func shellWords(_ line: some StringProtocol) -> [String] {
        var words: [String] = []
        var current: String?
        var quote: Character?
        var escaped = false
        for character in line {
            if escaped {
                current = (current ?? "") + String(character)
                escaped = false
            } else if character == "\\", quote != "'" {
                escaped = true
            } else if character == quote {
                quote = nil
            } else if quote == nil, character == "\"" || character == "'" {
                quote = character
                current = current ?? ""
            } else if quote == nil, character.isWhitespace {
                if let word = current { words.append(word) }
                current = nil
            } else if quote == nil, character == "#", current == nil {
                break
            } else {
                current = (current ?? "") + String(character)
            }
        }
        if let word = current { words.append(word) }
        return words
    }

    // MARK: - hypridle

    /// hypridle's settings: `general { lock_cmd = … }` and `listener { timeout = N, on-timeout = … }`.
    static func hypridle(_ text: String) -> ScreenLock {
        var general: [String: String] = [:]
        var listeners: [[String: String]] = []
        var block = ""
        for line in text.split(whereSeparator: \.isNewline) {
            let line = trimmed(line.prefix { $0 != "#" })
            if line.hasSuffix("{") {
                block = trimmed(line.dropLast())
                if block == "listener" { listeners.append([:]) }
            } else if line.hasPrefix("}") {
                block = ""
            } else if let equals = line.firstIndex(of: "=") {
                let key = trimmed(line[..<equals])
                let value = trimmed(line[line.index(after: equals)...])
                if block == "general" { general[key] = value }
                if block == "listener", !listeners.isEmpty { listeners[listeners.count - 1][key] = value }
            }
        }
        let onLock = general["lock_cmd"]
        let times = listeners.compactMap { listener -> Int? in
            guard locks(listener["on-timeout"] ?? "", onLock: onLock) else { return nil }
            return listener["timeout"].flatMap { seconds($0) }
        }
        let onSuspend = locks(general["before_sleep_cmd"] ?? "", onLock: onLock)
        guard let delay = times.min() else {
            return ScreenLock(
                enabled: false, locker: "hypridle", onSuspend: onSuspend,
                reason: "hypridle locks after no time",
                evidence: ["hypridle.conf"])
        }
        return ScreenLock(
            enabled: true, delay: delay, locker: "hypridle", onSuspend: onSuspend, evidence: ["hypridle.conf"]
        )
    }

    // MARK: - X11

    /// xautolock(1): `-time` in minutes (10), `-locker` (xlock).
    static func xautolock(_ arguments: [String]) -> ScreenLock {
        let value = { (option: String) in
            arguments.firstIndex(of: option).flatMap { $0 + 1 < arguments.count ? arguments[$0 + 1] : nil }
        }
        let locker = value("-locker") ?? "xlock"
        guard locks(locker, onLock: nil) else {
            return ScreenLock(
                enabled: nil, locker: "xautolock",
                reason: "it is not known whether xautolock's command locks",
                evidence: ["process xautolock"])
        }
        return ScreenLock(
            enabled: true, delay: seconds(value("-time") ?? "10", times: 60), locker: "xautolock",
            evidence: ["process xautolock"])
    }

    /// xidlehook: `--timer SECONDS COMMAND CANCELLER`, one after the other.
    static func xidlehook(_ arguments: [String]) -> ScreenLock {
        var total = 0
        for (index, word) in arguments.enumerated() where word == "--timer" && index + 2 < arguments.count {
            // Older ones took a word such as `normal` before the time.
            guard let time = seconds(arguments[index + 1]) else { continue }
            total += time
            if locks(arguments[index + 2], onLock: nil) {
                return ScreenLock(
                    enabled: true, delay: total, locker: "xidlehook", evidence: ["process xidlehook"])
            }
        }
        return ScreenLock(
            enabled: false, locker: "xidlehook", reason: "xidlehook locks after no time",
            evidence: ["process xidlehook"])
    }

    /// The seconds of `xset q` after which the X server blanks the screen, which is when xss-lock and light-locker lock;
    /// 0: never.
    static func blankTimeout(_ text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.first == "timeout:", words.count > 1 { return seconds(words[1]) }
        }
        return nil
    }

    /// xss-lock(1): locks when the X server blanks the screen, and before the machine sleeps.
    static func xssLock(_ arguments: [String], blank: Int?) -> ScreenLock {
        var rest = arguments.dropFirst()
        while let option = rest.first, option.hasPrefix("-") {
            if option == "--" {
                rest = rest.dropFirst()
                break
            }
            rest = rest.dropFirst(["-n", "--notifier", "-s", "--session"].contains(option) ? 2 : 1)
        }
        let command = rest.joined(separator: " ")
        guard locks(command, onLock: nil) else {
            return ScreenLock(
                enabled: nil, locker: "xss-lock", reason: "it is not known whether xss-lock's command locks",
                evidence: ["process xss-lock"])
        }
        return blanking("xss-lock", blank, onSuspend: true)
    }

    /// light-locker(1): locks some time after the X server blanked the screen; at once where nothing is said (5 s).
    static func lightLocker(_ arguments: [String], blank: Int?) -> ScreenLock {
        let after = arguments.last { $0.hasPrefix("--lock-after-screensaver=") }.map { $0.dropFirst(25) }
        var lock = blanking(
            "light-locker", blank,
            onSuspend: arguments.contains("--lock-on-suspend")
                ? true : arguments.contains("--no-lock-on-suspend") ? false : nil)
        if let after, seconds(after) == 0 {
            lock.enabled = false
            lock.delay = nil
            lock.reason = "light-locker is told not to lock after the screen saver"
        } else if let delay = lock.delay {
            lock.delay = delay + (after.flatMap { seconds($0) } ?? 5)
        }
        return lock
    }

    private static func blanking(_ locker: String, _ blank: Int?, onSuspend: Bool?) -> ScreenLock {
        let evidence = ["process \(locker)", "xset q"]
        switch blank {
        case nil:
            return ScreenLock(
                enabled: nil, locker: locker, onSuspend: onSuspend,
                reason: "the X server does not say when it blanks the screen",
                evidence: evidence)
        case 0:
            return ScreenLock(
                enabled: false, locker: locker, onSuspend: onSuspend,
                reason: "the X server never blanks the screen",
                evidence: evidence)
        case .some(let delay):
            return ScreenLock(
                enabled: true, delay: delay, locker: locker, onSuspend: onSuspend, evidence: evidence)
        }
    }

    /// `~/.xscreensaver`: `lock`, `timeout` and `lockTimeout` (H:MM:SS), `mode: off`. Without the file: 10 minutes, and
    /// no lock.
    static func xscreensaver(_ text: String?) -> ScreenLock {
        var fields: [String: String] = [:]
        for line in (text ?? "").split(whereSeparator: \.isNewline) {
            guard !line.hasPrefix("#"), !line.hasPrefix("!"), let colon = line.firstIndex(of: ":") else {
                continue
            }
            fields[trimmed(line[..<colon])] = trimmed(line[line.index(after: colon)...])
        }
        let evidence = ["process xscreensaver"] + (text == nil ? [] : [".xscreensaver"])
        guard IniFile.isTrue(fields["lock"]), fields["mode"] != "off" else {
            return ScreenLock(
                enabled: false, locker: "xscreensaver", reason: "xscreensaver does not lock",
                evidence: evidence)
        }
        let time = (clock(fields["timeout"]) ?? 600) + (clock(fields["lockTimeout"]) ?? 0)
        return ScreenLock(enabled: true, delay: time, locker: "xscreensaver", evidence: evidence)
    }

    /// H:MM:SS as seconds.
    private static func clock(_ text: String?) -> Int? {
        guard let text else { return nil }
        let parts = text.split(separator: ":").map { Int($0) ?? 0 }
        guard parts.count == 3, parts.allSatisfy({ (0...86_400).contains($0) }) else { return nil }
        return parts[0] * 3600 + parts[1] * 60 + parts[2]
    }
}
