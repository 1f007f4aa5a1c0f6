/// What a session's desktop is, as far as locking goes.
enum DesktopKind: String, Sendable {
    case gnome, cinnamon, mate, xfce, kde, cosmic
    /// A compositor of Wayland that leaves locking to other programs.
    case compositor
    /// A window manager of X11 that leaves locking to other programs.
    case windowManager

    /// Programs that a session of each kind runs; the first that runs decides.
    private static let programs: [(String, DesktopKind)] = [
        ("gnome-shell", .gnome), ("gnome-session-binary", .gnome), ("budgie-wm", .gnome), ("gala", .gnome),
        ("cinnamon", .cinnamon), ("mate-session", .mate), ("xfce4-session", .xfce), ("kwin_wayland", .kde),
        ("kwin_x11", .kde), ("plasmashell", .kde), ("ksmserver", .kde), ("cosmic-comp", .cosmic),
        ("sway", .compositor),
        ("Hyprland", .compositor), ("niri", .compositor), ("labwc", .compositor), ("river", .compositor),
        ("wayfire", .compositor), ("dwl", .compositor), ("i3", .windowManager), ("openbox", .windowManager),
        ("awesome", .windowManager), ("bspwm", .windowManager), ("dwm", .windowManager),
        ("qtile", .windowManager),
        ("xmonad", .windowManager), ("herbstluftwm", .windowManager), ("fluxbox", .windowManager),
        ("icewm", .windowManager), ("lxsession", .windowManager), ("lxqt-session", .windowManager),
    ]

    /// Names that a session says of itself.
    private static let names: [String: DesktopKind] = [
        "gnome": .gnome, "gnome-classic": .gnome, "gnome-xorg": .gnome, "ubuntu": .gnome,
        "ubuntu-xorg": .gnome,
        "pop": .gnome, "budgie": .gnome, "budgie-desktop": .gnome, "unity": .gnome, "pantheon": .gnome,
        "zorin": .gnome, "cinnamon": .cinnamon, "x-cinnamon": .cinnamon, "mate": .mate, "xfce": .xfce,
        "xubuntu": .xfce, "kde": .kde, "plasma": .kde, "plasmax11": .kde, "plasmawayland": .kde,
        "cosmic": .cosmic,
        "sway": .compositor, "hyprland": .compositor, "hyprland-uwsm": .compositor, "niri": .compositor,
        "labwc": .compositor,
        "river": .compositor, "wayfire": .compositor, "i3": .windowManager, "openbox": .windowManager,
        "awesome": .windowManager, "bspwm": .windowManager, "lxqt": .windowManager, "lxde": .windowManager,
        "qtile": .windowManager, "dwm": .windowManager,
    ]

    /// By what runs in the session, which cannot be out of date; else by what the session says of itself.
    ///
    /// - Returns: the name of the desktop beside its kind; nothing where neither tells.
    static func of(_ session: UserSession, _ own: [RunningProcess]) -> (name: String, kind: DesktopKind)? {
        for (program, kind) in programs where own.contains(where: { $0.isProgram(program) }) {
            return (program, kind)
        }
        for name in session.desktop.lowercased().split(separator: ":") {
            if let kind = names[String(name)] { return (String(name), kind) }
        }
        return nil
    }
}
